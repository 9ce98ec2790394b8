/* A report of statements as JUnit XML: testsuites, a testsuite a file, a testcase a statement. */
#include <inttypes.h>
#include <string.h>

#include "base/message.h"
#include "base/plain.h"
#include "data/file.h"
#include "figure/report.h"

/* The element inside a testcase; NULL: it passes. */
static const char *const elements[SPOR_ROW_STATES] = {[SPOR_ROW_WRONG] = "failure",
                                                      [SPOR_ROW_UNFINISHED] = "skipped",
                                                      [SPOR_ROW_BROKEN] = "error",
                                                      [SPOR_ROW_SKIPPED] = "skipped",
                                                      [SPOR_ROW_UNREADABLE] = "error"};

/* ---- text ---- */

/* What XML 1.0 leaves out: bytes that are not UTF-8, control characters, U+FFFE and U+FFFF. */
static bool is_forbidden(const char *s, int length) {
    unsigned char c = (unsigned char)*s;
    if (!length || (c < ' ' && !strchr("\t\n\r", c))) return true;
    return !strncmp(s, "\xef\xbf\xbe", 3) || !strncmp(s, "\xef\xbf\xbf", 3);
}

/* Ends of lines are kept in the text of an element, and written as references in an attribute. */
static const char *entity_of(char c, bool attribute) {
    static const struct {
        char c;
        const char *entity;
        bool in_attributes;
    } entities[] = {{'&', "&amp;", false}, {'<', "&lt;", false},   {'>', "&gt;", false},
                    {'"', "&quot;", true}, {'\'', "&apos;", true}, {'\n', "&#10;", true},
                    {'\t', "&#9;", true},  {'\r', "&#13;", false}};
    for (size_t k = 0; k < sizeof entities / sizeof *entities; k++)
        if (entities[k].c == c && (attribute || !entities[k].in_attributes))
            return entities[k].entity;
    return NULL;
}

static void add_escaped(spor_text *xml, const char *s, bool attribute) {
    while (*s) {
        int length = utf8_length(s);
        const char *entity = entity_of(*s, attribute);
        if (entity)
            text_add(xml, "%s", entity);
        else if (is_forbidden(s, length))
            text_add(xml, "\xef\xbf\xbd"); /* U+FFFD */
        else
            text_bytes(xml, s, (size_t)length);
        s += length ? length : 1;
    }
}

static void add_attribute(spor_text *xml, const char *name, const char *value) {
    text_add(xml, " %s=\"", name);
    add_escaped(xml, value, true);
    text_add(xml, "\"");
}

/* ---- elements ---- */

/* How many rows from here to the end of the suite, or of all suites, have the element. */
static int64_t count(const spor_report *report, int from, bool all, const char *element) {
    int64_t n = 0;
    for (int k = from; k < report->count && (all || !report->line[k].heading); k++) {
        const spor_report_line *line = &report->line[k];
        const char *own = line->heading ? NULL : elements[line->state];
        n += !line->heading && (!element || (own && !strcmp(own, element)));
    }
    return n;
}

static void add_counts(spor_text *xml, const spor_report *report, int from, bool all) {
    text_add(xml,
             " tests=\"%" PRId64 "\" failures=\"%" PRId64 "\" errors=\"%" PRId64
             "\" skipped=\"%" PRId64 "\">\n",
             count(report, from, all, NULL), count(report, from, all, "failure"),
             count(report, from, all, "error"), count(report, from, all, "skipped"));
}

/* Of what passes the summary says how well that is known. */
static void add_case(spor_text *xml, const char *suite, const spor_report_line *line) {
    const char *element = elements[line->state];
    text_add(xml, "    <testcase");
    add_attribute(xml, "name", line->text[0]);
    add_attribute(xml, "classname", suite);
    text_add(xml, ">\n      <%s", element ? element : "system-out");
    if (element) {
        bool empty = !*line->text[2];
        add_attribute(xml, "message", empty ? line->text[1] : line->text[2]);
        if (strcmp(element, "skipped") != 0) add_attribute(xml, "type", line->text[1]);
    }
    text_add(xml, ">");
    if (!element) {
        add_escaped(xml, line->text[1], false);
        text_add(xml, ": ");
    }
    add_escaped(xml, line->text[element ? 3 : 2], false);
    text_add(xml, "</%s>\n    </testcase>\n", element ? element : "system-out");
}

bool report_write_junit(const spor_report *report, const char *name, const char *path,
                        spor_message *message) {
    spor_text xml = {0};
    const char *suite = NULL;
    if (report->failed) return message_complain(message, "%s: out of memory", path);
    text_add(&xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    add_attribute(&xml, "name", name);
    add_counts(&xml, report, 0, true);
    for (int k = 0; k < report->count; k++) {
        const spor_report_line *line = &report->line[k];
        if (!line->heading) {
            add_case(&xml, suite ? suite : "", line);
            continue;
        }
        if (suite) text_add(&xml, "  </testsuite>\n");
        suite = line->text[0];
        text_add(&xml, "  <testsuite");
        add_attribute(&xml, "name", suite);
        add_counts(&xml, report, k + 1, false);
    }
    text_add(&xml, "%s</testsuites>\n", suite ? "  </testsuite>\n" : "");
    return file_write_text(&xml, path, message);
}
