/*
 * spor import: all that tests export is imported again and computes the same; files that other programs wrote; files
 * that are broken.
 */
#include "../suite.h"
#include "../export/cases.h"
#include "base/shape.h"
#include "data/file.h"
#include "data/npy.h"
#include "imported.h"
#include "tiny.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what spor exports ---- */

typedef struct {
    int good, refused, wrong;
    double worst;
} tally;

/* Cases that import refuses, each by what it says: a new one fails until it is looked at. */
static const struct {
    const char *name, *why;
} refusals[] = {
    {"outside_38", "more than 990 lines"}, /* two LSTMs, step by step */
};

static bool is_refusal(const char *name, const char *why) {
    for (size_t k = 0; k < sizeof refusals / sizeof *refusals; k++)
        if (!strncmp(name, refusals[k].name, strlen(refusals[k].name)) &&
            strstr(why, refusals[k].why))
            return true;
    return false;
}

/* What lines call is a name that no variable gets: else a file could hide it. */
static void look_at_calls(const char *script) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const char *body = strstr(script, "\n    ");
    const char *end = strstr(script, "\n    return ");
    for (const char *at = strchr(body, '('); at && at < end; at = strchr(at + 1, '(')) {
        char word[64];
        const char *from = at;
        while (strchr(letters, from[-1])) from--;
        if (from == at || at - from >= 64) continue;
        snprintf(word, sizeof word, "%.*s", (int)(at - from), from);
        ck_assert_msg(import_is_taken(word), "%s is called, and may be a variable's name\n%s", word,
                      script);
    }
}

/* The number of rows of a case whose file takes any. */
static int64_t rows_of(const export_case *c, const import_result *made) {
    return made->input[0].rank && made->input[0].rows[0] ? c->x_shape[0].n[0] : 1;
}

/* Which of the case's inputs is the one that the file has. */
static int input_of(const export_case *c, const import_result *made, int k) {
    for (int j = 0; j < c->inputs && made->inputs > 1; j++)
        if (!strcmp(c->input[j], made->input[k].name)) return j;
    return -1;
}

static void compare(const export_case *c, const import_result *made, tally *t) {
    imported m;
    const double bound = c->scalar == SPOR_F32 ? 1e-5 : 1e-12;
    bool done = imported_open(&m, made, rows_of(c, made), c->scalar);
    look_at_calls(made->script.at);
    for (int k = 0; done && k < made->inputs; k++) {
        const int from = input_of(c, made, k);
        /* a lone input is called x; the case's others are read by nobody */
        imported_fill(&m, k, c->x[from < 0 ? 0 : from]);
    }
    done = done && imported_run(&m);
    const double off = done ? imported_distance(&m, 0, c->y) : (double)INFINITY;
    if (!(off <= bound)) {
        printf("%s: %s, off by %g\n%s\n", c->name, m.why, off, made->script.at);
        t->wrong++;
    } else {
        t->worst = off > t->worst ? off : t->worst;
        t->good++;
    }
    imported_close(&m);
}

static void import_again(const export_case *c, void *user) {
    tally *t = user;
    import_result made;
    spor_message message = {""};
    const import_wish wish = {.path = "case.onnx", .def = "net"};
    if (import_onnx(&wish, (const unsigned char *)c->bytes->at, c->bytes->size, &made, &message)) {
        compare(c, &made, t);
    } else {
        t->refused++;
        if (!is_refusal(c->name, message.text)) {
            printf("%s is refused: %s\n", c->name, message.text);
            t->wrong++;
        }
    }
    import_free(&made);
}

static void end_once(const tally *t, int least, const char *what) {
    printf("%s: %d compute the same, off by at most %.1e, %d are refused\n", what, t->good,
           t->worst, t->refused);
    ck_assert_int_eq(t->wrong, 0);
    ck_assert_int_ge(t->good, least);
}

START_TEST(ops_come_back) {
    tally t = {0};
    cases_of_ops(import_again, &t);
    end_once(&t, 300, "samples of ops");
}
END_TEST

START_TEST(layers_come_back) {
    tally t = {0};
    cases_of_layers(getenv("SPOR_SOURCE"), import_again, &t);
    end_once(&t, 20, "layers");
}
END_TEST

START_TEST(networks_come_back) {
    tally t = {0};
    cases_of_networks(getenv("SPOR_SOURCE"), import_again, &t);
    end_once(&t, 40, "networks");
}
END_TEST

/* ---- what others export: tests/import/files, made by make.py ---- */

static bool read_array(const char *stem, char what, int k, spor_npy *array) {
    char path[1300];
    spor_message message = {""};
    snprintf(path, sizeof path, "%.1200s.%c%d.npy", stem, what, k);
    return npy_read_doubles(path, array, &message);
}

static void compare_file(imported *m, const char *stem, tally *t) {
    spor_npy array;
    bool done = true;
    look_at_calls(m->made->script.at);
    for (int k = 0; k < m->made->inputs && done; k++) {
        done = read_array(stem, 'x', k, &array);
        if (done) imported_fill(m, k, array.value);
        npy_free(&array);
    }
    done = done && imported_run(m);
    for (int k = 0; k < m->made->outputs && done; k++) {
        done = read_array(stem, 'y', k, &array);
        const double off = done ? imported_distance(m, k, array.value) : (double)INFINITY;
        npy_free(&array);
        if (!(off <= 1e-5)) {
            printf("%s: output %d is off by %g\n%s\n", stem, k, off, m->made->script.at);
            t->wrong++;
            return;
        }
        t->worst = off > t->worst ? off : t->worst;
    }
    t->good += done;
    t->wrong += !done;
}

static void import_file(const char *stem, tally *t) {
    char path[1300];
    unsigned char *bytes = NULL;
    size_t size;
    spor_npy x;
    imported m;
    import_result made;
    spor_message message = {""};
    snprintf(path, sizeof path, "%.1200s.onnx", stem);
    const import_wish wish = {.path = path, .def = "net"};
    ck_assert_msg(file_bytes(path, IMPORT_FILE_LIMIT, &bytes, &size, &message), "%s", message.text);
    ck_assert_msg(read_array(stem, 'x', 0, &x), "%s has no numbers", stem);
    if (!import_onnx(&wish, bytes, size, &made, &message)) {
        printf("%s\n", message.text);
        t->wrong++;
    } else {
        if (imported_open(&m, &made, x.shape.n[0], SPOR_F32))
            compare_file(&m, stem, t);
        else
            printf("%s: %s\n%s\n", stem, m.why, made.script.at), t->wrong++;
        imported_close(&m);
    }
    npy_free(&x);
    import_free(&made);
    free(bytes);
}

START_TEST(files_of_others_compute_the_same) {
    char folder[1100], stem[1200];
    tally t = {0};
    snprintf(folder, sizeof folder, "%.1000s/tests/import/files", getenv("SPOR_SOURCE"));
    DIR *open = opendir(folder);
    ck_assert_msg(open != NULL, "%s", folder);
    for (const struct dirent *entry; (entry = readdir(open));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".onnx") != 0) continue;
        snprintf(stem, sizeof stem, "%s/%.*s", folder, (int)(dot - entry->d_name) % 90,
                 entry->d_name);
        import_file(stem, &t);
    }
    closedir(open);
    end_once(&t, 15, "files of PyTorch and Keras");
}
END_TEST

/* A vector that is added along another axis than the last one is no bias. */
START_TEST(columns_are_no_bias) {
    tiny t;
    import_result made;
    spor_message message;
    const import_wish wish = {.path = "net.onnx", .def = "net"};
    for (int row = 0; row < 2; row++) {
        tiny_begin(&t, 17);
        tiny_input(&t, "x", 2, (const int64_t[]){3, 4});
        tiny_floats(&t, "W", 2, (const int64_t[]){4, 3}, 12);
        tiny_floats(&t, "v", 2, row ? (const int64_t[]){1, 3} : (const int64_t[]){3, 1}, 3);
        tiny_node(&t, "MatMul", "x W", "y", NULL, 0);
        tiny_node(&t, "Add", "y v", "z", NULL, 0);
        tiny_output(&t, "z");
        tiny_end(&t);
        const bool done =
            import_onnx(&wish, (const unsigned char *)t.bytes.at, t.bytes.size, &made, &message);
        ck_assert_msg(done, "%s", message.text);
        ck_assert_msg(!strstr(made.script.at, "dense(") == !row, "%s", made.script.at);
        import_free(&made);
        tiny_free(&t);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("import");
    TCase *again = tcase_create("again");
    tcase_add_test(again, ops_come_back);
    tcase_add_test(again, layers_come_back);
    tcase_add_test(again, networks_come_back);
    suite_add_tcase(suite, again);
    TCase *others = tcase_create("others");
    tcase_add_test(others, files_of_others_compute_the_same);
    tcase_add_test(others, columns_are_no_bias);
    suite_add_tcase(suite, others);
    return suite;
}
