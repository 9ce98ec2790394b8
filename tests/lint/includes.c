/*
 * The arrows of the house (src/README.md), held: which module may include which, that public
 * headers stand on public headers alone, that headers form no circle, that only ops, fast paths and
 * programs know an op by its address: the others ask its descriptor; and that spor_ is the public
 * face: functions of internal headers carry their module's name.
 */
#include "suite.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Modules that a module may include besides itself and the public headers. Headers that the build
 * makes (scalars.h, isas.h, registry.h) have no folder and may be included anywhere. */
static const struct {
    const char *module, *may;
} arrows[] = {
    {"include/spor/", ""},
    {"src/base/", ""},
    {"src/kernels/", "base"},
    {"src/tape/", "base kernels"},
    {"ops/fast/", "base kernels tape program export"},
    {"ops/", "base kernels tape ops export"},
    {"src/program/", "base kernels tape"},
    {"src/data/", "base"},
    {"src/version.c", ""},
    {"src/figure/", "base data"},
    {"src/train/", "base kernels tape program data figure"},
    {"src/verify/", "base kernels tape program data figure train"},
    {"src/script/", "base kernels tape data"},
    {"src/claims/", "base tape script"},
    {"src/run/", "base kernels tape data train script claims"},
    {"src/export/", "base kernels tape program data train run"},
    {"src/import/", "base data"},
    {"src/cli/",
     "base kernels tape program data figure train verify script claims run export import"},
};
enum { ARROWS = sizeof arrows / sizeof arrows[0] };

static bool begins(const char *text, const char *with) {
    return !strncmp(text, with, strlen(with));
}

/* True if word of this length is one of the words of list. */
static bool is_word(const char *list, const char *word, size_t length) {
    for (const char *at = list; *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == length && !strncmp(at, word, length)) return true;
    return false;
}

/* The folder of the module without "src/" and the last slash. */
static bool is_own(const char *module, const char *folder, size_t length) {
    const char *name = begins(module, "src/") ? module + 4 : module;
    return strlen(name) == length + 1 && !strncmp(name, folder, length);
}

/* Writes what is wrong with one #include of a file; true if nothing is. */
static bool judge(const char *path, const char *line, char why[256]) {
    int k = 0;
    while (k < ARROWS && !begins(path, arrows[k].module)) k++;
    const char *name = line + strcspn(line, "<\"");
    size_t length = strcspn(name + 1, "/>\"");
    bool public = begins(path, "include/spor/");
    if (k == ARROWS) { /* a new module needs its line in the table */
        snprintf(why, 256, "%.200s lies in no module with arrows", path);
        return false;
    }
    if (!*name || length + 1 >= strlen(name)) return true;
    if (*name == '<') {
        if (begins(name, "<spor/") || !public || name[1 + length] != '/') return true;
    } else if (!public) {
        if (name[1 + length] != '/') return true;
        if (is_own(arrows[k].module, name + 1, length)) return true;
        if (is_word(arrows[k].may, name + 1, length)) return true;
    }
    snprintf(why, 256, "%.120s may not have %.80s", path, line);
    return false;
}

/* Files that may know single ops: those that define, match, list and record them. */
static bool may_know_ops(const char *path) {
    static const char *const places[] = {"ops/", "src/program/", "src/tape/op.h",
                                         "src/tape/registry.c", "src/tape/tape.c"};
    for (size_t k = 0; k < sizeof places / sizeof places[0]; k++)
        if (begins(path, places[k])) return true;
    return false;
}

/* A line outside those that takes an op's address, or looks one up by a name it knows. */
static bool judge_op(const char *path, const char *line, char why[256]) {
    bool known =
        strstr(line, "&spor_op_") || strstr(line, "extern const spor_op spor_op_") ||
        strstr(line, "op_find(\"") || strstr(line, "->signature, \"") ||
        (strstr(line, "spor_ops[") && isdigit((unsigned char)strstr(line, "spor_ops[")[9]));
    if (!known || may_know_ops(path)) return true;
    snprintf(why, 256, "%.80s knows an op: %.120s", path, line);
    return false;
}

/* A line of an internal header that declares a function spor_...: such are public. */
static bool judge_name(const char *path, const char *line, char why[256]) {
    const char *dot = strrchr(path, '.'), *name = strstr(line, "spor_");
    bool header = dot && !strcmp(dot, ".h") && !begins(path, "include/");
    if (!header || !isalpha((unsigned char)*line) || begins(line, "typedef")) return true;
    for (; name; name = strstr(name + 1, "spor_")) {
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
        bool whole = name == line || name[-1] == ' ' || name[-1] == '*';
        if (!whole || name[length] != '(') continue;
        snprintf(why, 256, "%.80s is internal and declares %.120s", path, line);
        return false;
    }
    return true;
}

/* Looks at a file, whose text it may write in; returns the number of faults and prints them. */
typedef int examine(const char *path, char *text, void *into);

/* Judges every line of a text. */
static int judge_text(const char *path, char *text, void *into) {
    int faults = 0, *seen = into;
    char why[256];
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        bool include = begins(line, "#include");
        *seen += include;
        bool right = include ? judge(path, line, why)
                             : judge_op(path, line, why) && judge_name(path, line, why);
        if (right) continue;
        fprintf(stderr, "%s\n", why);
        faults++;
    }
    return faults;
}

static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s can't be read", path);
    ck_assert(!fseek(file, 0, SEEK_END));
    long size = ftell(file);
    char *text = calloc((size_t)size + 1, 1);
    ck_assert(text != NULL && !fseek(file, 0, SEEK_SET));
    ck_assert_uint_eq(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    return text;
}

static int examine_folder(const char *root, const char *folder, examine *look, void *into) {
    char path[1024], full[2048];
    int faults = 0;
    snprintf(full, sizeof full, "%s/%s", root, folder);
    DIR *open = opendir(full);
    ck_assert_msg(open != NULL, "%s can't be read", full);
    for (const struct dirent *entry; (entry = readdir(open));) {
        struct stat status;
        const char *dot = strrchr(entry->d_name, '.');
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        snprintf(full, sizeof full, "%s/%s", root, path);
        ck_assert(!stat(full, &status));
        if (S_ISDIR(status.st_mode)) {
            faults += examine_folder(root, path, look, into);
        } else if (dot && (!strcmp(dot, ".c") || !strcmp(dot, ".h"))) {
            char *text = read_text(full);
            faults += look(path, text, into);
            free(text);
        }
    }
    closedir(open);
    return faults;
}

/* All files of the house. */
static int examine_all(examine *look, void *into) {
    static const char *const folders[] = {"include", "src", "ops"};
    int faults = 0;
    for (int k = 0; k < 3; k++)
        faults += examine_folder(getenv("SPOR_SOURCE"), folders[k], look, into);
    return faults;
}

START_TEST(every_include_follows_an_arrow) {
    int seen = 0;
    ck_assert_int_eq(examine_all(judge_text, &seen), 0);
    ck_assert_int_gt(seen, 200); /* a check that examined nothing is not a pass */
}
END_TEST

START_TEST(violations_are_caught) {
    static const char *const wrong[][2] = {
        {"src/kernels/product.c", "#include \"tape/tape.h\""},
        {"src/base/arena.c", "#include \"kernels/kernel.h\""},
        {"src/tape/record.c", "#include \"program/fast.h\""},
        {"src/program/plan.c", "#include \"train/record.h\""},
        {"src/train/loop.c", "#include \"script/script.h\""},
        {"src/script/parser.c", "#include \"cli/cli.h\""},
        {"src/script/call.c", "#include \"claims/claims.h\""},
        {"src/script/script.c", "#include \"verify/trial.h\""},
        {"src/claims/claim.c", "#include \"cli/cli.h\""},
        {"ops/tanh.c", "#include \"program/fast.h\""},
        {"src/unheard/of.c", "#include \"base/arena.h\""},
        {"include/spor/tape.h", "#include \"tape/tape.h\""},
        {"include/spor/tape.h", "#include <sys/mman.h>"},
    };
    static const char *const right[][2] = {
        {"src/kernels/product.c", "#include \"kernels/product.h\""},
        {"src/tape/record.c", "#include \"base/arena.h\""},
        {"ops/fast/dense.c", "#include \"program/fast.h\""},
        {"ops/exp.c", "#include \"tape/op.h\""},
        {"src/cli/show.c", "#include \"tape/tape.h\""},
        {"src/cli/verify.c", "#include \"claims/claims.h\""},
        {"src/claims/parse.c", "#include \"script/parser.h\""},
        {"src/tape/op.h", "#include \"scalars.h\""},
        {"src/tape/op.h", "#include <inttypes.h>"},
        {"include/spor/train.h", "#include <spor/data.h>"},
        {"include/spor/tape.h", "#include <stdio.h>"},
    };
    static const char *const knows[][2] = {
        {"src/verify/region.c", "extern const spor_op spor_op_matmul, spor_op_pad;"},
        {"src/verify/oracle.c", "    if (op == &spor_op_div) affine = true;"},
        {"src/cli/show.c", "    if (node->op == op_find(\"matmul\")) return 1;"},
        {"src/cli/show.c", "    if (!strncmp(node->op->signature, \"matmul(\", 7)) return 1;"},
        {"src/verify/proof.c", "    if (node->op == spor_ops[3]) return 1;"},
    };
    char why[256];
    for (size_t k = 0; k < sizeof knows / sizeof knows[0]; k++) {
        ck_assert_msg(!judge_op(knows[k][0], knows[k][1], why), "%s", knows[k][1]);
        ck_assert(judge_op("src/program/plan.c", knows[k][1], why));
    }
    ck_assert(!judge_name("src/verify/verify.h", "void spor_trial_free(spor_trial *t);", why));
    ck_assert(!judge_name("src/tape/tape.h", "spor_node *spor_node_of(spor_var x);", why));
    ck_assert(!judge_name("src/verify/verify.h", "spor_trial_name(const spor_trial *t);", why));
    ck_assert(judge_name("src/verify/verify.h", "void trial_free(spor_trial *trial);", why));
    ck_assert(judge_name("include/spor/tape.h", "spor_var spor_operand(spor_var y);", why));
    ck_assert(judge_op("src/cli/ops.c", "    const spor_op *op = op_find(name);", why));
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++)
        ck_assert_msg(!judge(wrong[k][0], wrong[k][1], why), "%s: %s", wrong[k][0], wrong[k][1]);
    for (size_t k = 0; k < sizeof right / sizeof right[0]; k++)
        ck_assert_msg(judge(right[k][0], right[k][1], why), "%s", why);
}
END_TEST

/* ---- circles --------------------------------------------------------------------------------- */

enum { HEADERS = 256, PATH = 128 };

/* Headers and which of them includes which. */
typedef struct {
    int n, edges;
    char path[HEADERS][PATH];
    bool includes[HEADERS][HEADERS];
    enum { NEW, OPEN, DONE } state[HEADERS];
} graph;

static int find_header(graph *g, const char *path) {
    for (int k = 0; k < g->n; k++)
        if (!strcmp(g->path[k], path)) return k;
    ck_assert_int_lt(g->n, HEADERS);
    snprintf(g->path[g->n], PATH, "%s", path);
    return g->n++;
}

/* The path of what a line of the file at path includes; false if that is none of the house's.
 * A name without a folder lies beside the file. */
static bool resolve(const char *path, const char *line, char found[PATH]) {
    const char *name = line + strcspn(line, "<\"");
    int length = *name ? (int)strcspn(name + 1, ">\"") : 0;
    int folder = (int)(strrchr(path, '/') - path);
    bool public = begins(name, "<spor/"), beside = !memchr(name, '/', (size_t)length + 1);
    if (!*name || (*name == '<' && !public)) return false;
    const char *root = public ? "include" : "src";
    if (beside)
        snprintf(found, PATH, "%.*s/%.*s", folder, path, length, name + 1);
    else
        snprintf(found, PATH, "%s/%.*s", root, length, name + 1);
    return true;
}

/* Adds what a header includes. */
static int add_header(const char *path, char *text, void *into) {
    graph *g = into;
    char found[PATH];
    if (strcmp(strrchr(path, '.'), ".h")) return 0;
    int from = find_header(g, path);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (!begins(line, "#include") || !resolve(path, line, found)) continue;
        g->includes[from][find_header(g, found)] = true;
        g->edges++;
    }
    return 0;
}

/* True if what header k includes leads back to a header on the way to it; prints the way. */
static bool leads_back(graph *g, int k) {
    if (g->state[k] == DONE) return false;
    bool back = g->state[k] == OPEN;
    g->state[k] = OPEN;
    for (int to = 0; to < g->n && !back; to++)
        if (g->includes[k][to] && leads_back(g, to)) {
            fprintf(stderr, "%s includes %s, in a circle\n", g->path[k], g->path[to]);
            return true;
        }
    if (!back) g->state[k] = DONE;
    return back;
}

static bool has_circle(graph *g) {
    for (int k = 0; k < g->n; k++)
        if (leads_back(g, k)) return true;
    return false;
}

START_TEST(headers_form_no_circle) {
    static graph g;
    examine_all(add_header, &g);
    ck_assert(!has_circle(&g));
    ck_assert_int_gt(g.n, 60);
    ck_assert_int_gt(g.edges, 60);
}
END_TEST

/* A circle of three through all ways to name a header, and the same without its last arrow. */
START_TEST(circles_are_caught) {
    for (int circle = 0; circle < 2; circle++) {
        static graph g;
        char first[] = "/* */\n#include <stdio.h>\n#include \"base/b.h\"\n";
        char second[] = "#include \"c.h\"\n", third[] = "#include <spor/a.h>\n";
        g = (graph){0};
        add_header("include/spor/a.h", first, &g);
        add_header("src/base/b.h", second, &g);
        if (circle) add_header("src/base/c.h", third, &g);
        ck_assert_int_eq(has_circle(&g), circle);
    }
}
END_TEST

/* ---- the interpreter and the room for claims ------------------------------------------------- */

static int count_words(const char *path, char *text, void *into) {
    static const char *const words[] = {"claim",     "derive",    "derivation", "asserted",
                                        "asserting", "index sum", "index_sum"};
    int faults = 0, *seen = into;
    ++*seen;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
            if (!strstr(line, words[k])) continue;
            fprintf(stderr, "%s knows of claims: %s\n", path, line);
            faults++;
        }
    return faults;
}

START_TEST(the_interpreter_knows_no_claims) {
    char planted[] = "x\n/* of a derive */\nclaims_dialect\n";
    int seen = 0;
    ck_assert_int_eq(count_words("planted.c", planted, &seen), 2);
    ck_assert_int_eq(examine_folder(getenv("SPOR_SOURCE"), "src/script", count_words, &seen), 0);
    ck_assert_int_gt(seen, 20);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("includes");
    TCase *tests = tcase_create("arrows");
    tcase_add_test(tests, every_include_follows_an_arrow);
    tcase_add_test(tests, violations_are_caught);
    tcase_add_test(tests, headers_form_no_circle);
    tcase_add_test(tests, circles_are_caught);
    tcase_add_test(tests, the_interpreter_knows_no_claims);
    suite_add_tcase(suite, tests);
    return suite;
}
