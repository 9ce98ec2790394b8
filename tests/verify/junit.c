/* Verdicts as JUnit XML: well-formed whatever the labels are, counted rightly, written whole. */
#include "../suite.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/plain.h"
#include "figure/report.h"

enum { MOST = 1 << 18, DEEPEST = 8 };

static char text[MOST];
static char folder[32];

static void read_file(const char *name) {
    FILE *file = fopen(name, "rb");
    ck_assert_msg(file != NULL, "%s is missing", name);
    text[fread(text, 1, MOST - 1, file)] = 0;
    fclose(file);
}

static void write_file(const char *name, const char *content) {
    FILE *file = fopen(name, "wb");
    ck_assert(file != NULL && fputs(content, file) >= 0 && !fclose(file));
}

static void enter_folder(void) {
    strcpy(folder, "/tmp/spor-junit-XXXXXX");
    ck_assert(mkdtemp(folder) != NULL && !chdir(folder));
}

static void leave_folder(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert(!chdir("/") && !system(command));
}

/* ---- a small reader of XML: elements, attributes, references; no comments ---- */

typedef struct {
    const char *at, *why;
    int depth;
    char open[DEEPEST][32];
    int tests, failures, errors, skipped, suites;
} xml;

static bool refuse(xml *x, const char *why) {
    if (!x->why) x->why = why;
    return false;
}

/* A character, or a reference to one, of text or of an attribute. */
static bool read_character(xml *x) {
    static const char *const references[] = {"&amp;",  "&lt;",  "&gt;",  "&quot;",
                                             "&apos;", "&#10;", "&#13;", "&#9;"};
    int length = utf8_length(x->at);
    if (*x->at == '<') return refuse(x, "a bare <");
    if (!length || ((unsigned char)*x->at < ' ' && !strchr("\t\n", *x->at)))
        return refuse(x, "a forbidden character");
    if (!strncmp(x->at, "\xef\xbf\xbe", 3) || !strncmp(x->at, "\xef\xbf\xbf", 3))
        return refuse(x, "no character");
    for (size_t k = 0; *x->at == '&' && k < sizeof references / sizeof *references; k++)
        if (!strncmp(x->at, references[k], strlen(references[k])))
            return x->at += strlen(references[k]), true;
    if (*x->at == '&') return refuse(x, "a bare &");
    x->at += length;
    return true;
}

static bool read_name(xml *x, char name[32]) {
    size_t length = strspn(x->at, "abcdefghijklmnopqrstuvwxyz-");
    if (!length || length > 31) return refuse(x, "no name");
    snprintf(name, 32, "%.*s", (int)length, x->at);
    x->at += length;
    return true;
}

/* name="value" of an opening tag, up to its >. Each attribute of a tag once. */
static bool read_attributes(xml *x) {
    char seen[DEEPEST][32], name[32];
    for (int n = 0; *x->at == ' '; n++) {
        x->at++;
        if (n == DEEPEST || !read_name(x, name)) return refuse(x, "too many attributes");
        for (int k = 0; k < n; k++)
            if (!strcmp(seen[k], name)) return refuse(x, "an attribute twice");
        strcpy(seen[n], name);
        if (strncmp(x->at, "=\"", 2) != 0) return refuse(x, "an attribute without a value");
        for (x->at += 2; *x->at != '"';)
            if (strchr("\n\t", *x->at) || !read_character(x)) return refuse(x, "in an attribute");
        x->at++;
    }
    return *x->at++ == '>' || refuse(x, "a tag without an end");
}

static void count_element(xml *x, const char *name) {
    x->tests += !strcmp(name, "testcase");
    x->suites += !strcmp(name, "testsuite");
    x->failures += !strcmp(name, "failure");
    x->errors += !strcmp(name, "error");
    x->skipped += !strcmp(name, "skipped");
}

static bool read_tag(xml *x) {
    char name[32];
    bool closing = x->at[1] == '/';
    x->at += 1 + closing;
    if (!read_name(x, name)) return false;
    if (closing) {
        if (!x->depth || strcmp(x->open[--x->depth], name) != 0) return refuse(x, "closes another");
        return *x->at++ == '>' || refuse(x, "a tag without an end");
    }
    if (x->depth == DEEPEST) return refuse(x, "too deep");
    strcpy(x->open[x->depth++], name);
    count_element(x, name);
    return read_attributes(x);
}

/* Fails unless text is well-formed, and what it says of its counts is so. */
static xml check(void) {
    static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    char counts[160];
    xml x = {.at = text + strlen(head)};
    ck_assert(!strncmp(text, head, strlen(head)));
    while (*x.at && !x.why) {
        if (*x.at == '<')
            read_tag(&x);
        else if (x.depth || !isspace((unsigned char)*x.at))
            read_character(&x);
        else
            x.at++;
    }
    ck_assert_msg(!x.why && !x.depth, "%s at: %.80s", x.why ? x.why : "not closed", x.at);
    snprintf(counts, sizeof counts,
             "<testsuites name=\"spor verify\" tests=\"%d\" failures=\"%d\" errors=\"%d\" "
             "skipped=\"%d\">",
             x.tests, x.failures, x.errors, x.skipped);
    ck_assert_msg(strstr(text, counts) != NULL, "not %s in:\n%.400s", counts, text);
    return x;
}

/* ---- tests ---- */

#define HOSTILE "<b> & \"q\" 'a' \x01\x7f ]]> \xff \xef\xbf\xbe \xc3\xa4\ttab\nline\r"

START_TEST(every_label_gives_well_formed_xml) {
    spor_report report = {0};
    spor_message message;
    for (int suite = 0; suite < 2; suite++) {
        report_section(&report, suite ? HOSTILE : "plain");
        for (int k = 0; k < SPOR_ROW_STATES; k++)
            report_add(&report, &(spor_report_row){(spor_row_state)k, HOSTILE, HOSTILE, HOSTILE,
                                                   HOSTILE, NULL});
    }
    ck_assert(report_write_junit(&report, "spor verify", "out.xml", &message));
    report_free(&report);
    read_file("out.xml");
    xml x = check();
    ck_assert_int_eq(x.suites, 2);
    ck_assert_int_eq(x.tests, 2 * SPOR_ROW_STATES);
    ck_assert_int_eq(x.failures, 2);
    ck_assert_int_eq(x.errors, 4);
    ck_assert_int_eq(x.skipped, 4);
    ck_assert_ptr_nonnull(strstr(text, "&lt;b&gt; &amp; &quot;q&quot; &apos;a&apos; \xef\xbf\xbd"));
    ck_assert_ptr_nonnull(strstr(text, "\xc3\xa4&#9;tab&#10;line&#13;\""));
    ck_assert_ptr_nonnull(strstr(text, "<testsuite name=\"plain\" tests=\"7\" failures=\"1\" "
                                       "errors=\"2\" skipped=\"2\">"));
}
END_TEST

/* spor verify with these words; its exit status. */
static int verify(const char *words) {
    char command[1024];
    snprintf(command, sizeof command, "'%s' verify %s >out 2>err", getenv("SPOR_PROGRAM"), words);
    int status = system(command);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(what_was_verified_is_written) {
    write_file("a.spor", "claim \"<same> & 'such'\" (A[N]):\n    A == A\n"
                         "claim \"sign\" (A[N]):\n    A == -A\n");
    write_file("b.spor", "claim \"c\" (A[N]):\n    A == \n");
    ck_assert_int_eq(verify("a.spor b.spor --junit out.xml"), 2);
    read_file("out.xml");
    xml x = check();
    ck_assert_int_eq(x.tests, 3);
    ck_assert_int_eq(x.failures, 1);
    ck_assert_int_eq(x.errors, 1);
    ck_assert_ptr_nonnull(strstr(text, "<testcase name=\"&lt;same&gt; &amp; &apos;such&apos;\" "
                                       "classname=\"a.spor\">"));
    ck_assert_ptr_nonnull(strstr(text, "type=\"DOES NOT HOLD\">"));
    ck_assert_ptr_nonnull(strstr(text, "b.spor:2:10: "));
    ck_assert_int_eq(verify("a.spor --hint none --junit out.xml"), 1);
    read_file("out.xml");
    check();
    ck_assert_ptr_null(strstr(text, "must be"));
}
END_TEST

/* What was there stays, and nothing half written lies about. */
START_TEST(a_file_that_can_not_be_written_is_told) {
    write_file("a.spor", "claim \"same\" (A[N]):\n    A == A\n");
    ck_assert_int_eq(verify("a.spor --junit /dev/full"), 2);
    read_file("err");
    ck_assert_ptr_nonnull(strstr(text, "spor verify: /dev/full: cannot be written: "));
    ck_assert_int_eq(verify("a.spor --junit none/out.xml"), 2);
    read_file("err");
    ck_assert_ptr_nonnull(strstr(text, "none/out.xml: cannot be written: "));
    ck_assert(!mkdir("there", 0777));
    ck_assert_int_eq(verify("a.spor --junit there"), 2);
    read_file("out");
    ck_assert_ptr_nonnull(strstr(text, "\n1 hold")); /* the verdicts were shown */
    ck_assert(!system("ls | grep -c '^there.' >out || true"));
    read_file("out");
    ck_assert_str_eq(text, "0\n");
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("verify_junit");
    TCase *tests = tcase_create("verify_junit");
    tcase_add_checked_fixture(tests, enter_folder, leave_folder);
    tcase_add_test(tests, every_label_gives_well_formed_xml);
    tcase_add_test(tests, what_was_verified_is_written);
    tcase_add_test(tests, a_file_that_can_not_be_written_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}
