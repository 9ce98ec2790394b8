/*
 * spor import: all that tests export is imported again and computes the same; files that other programs wrote; files
 * that are broken.
 */
#include "../suite.h"
#include "../export/cases.h"
#include "base/shape.h"
#include "imported.h"

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
    {"", ""},
};

static bool is_refusal(const char *name, const char *why) {
    for (size_t k = 0; k < sizeof refusals / sizeof *refusals; k++)
        if (*refusals[k].name && !strncmp(name, refusals[k].name, strlen(refusals[k].name)) &&
            strstr(why, refusals[k].why))
            return true;
    return false;
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
        if (c->open || made.input[0].rank == 0 || !made.input[0].rows[0]) compare(c, &made, t);
    } else {
        t->refused++;
        if (!is_refusal(c->name, message.text)) {
            printf("%s is refused: %s\n", c->name, message.text);
            t->wrong++;
        }
    }
    import_free(&made);
}

static void end(const tally *t, int least, const char *what) {
    printf("%s: %d compute the same, off by at most %.1e, %d are refused\n", what, t->good, t->worst,
           t->refused);
    ck_assert_int_eq(t->wrong, 0);
    ck_assert_int_ge(t->good, least);
}

START_TEST(ops_come_back) {
    tally t = {0};
    cases_of_ops(import_again, &t);
    end(&t, 300, "samples of ops");
}
END_TEST

START_TEST(layers_come_back) {
    tally t = {0};
    cases_of_layers(getenv("SPOR_SOURCE"), import_again, &t);
    end(&t, 20, "layers");
}
END_TEST

START_TEST(networks_come_back) {
    tally t = {0};
    cases_of_networks(getenv("SPOR_SOURCE"), import_again, &t);
    end(&t, 40, "networks");
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("import");
    TCase *again = tcase_create("again");
    tcase_add_test(again, ops_come_back);
    tcase_add_test(again, layers_come_back);
    tcase_add_test(again, networks_come_back);
    suite_add_tcase(suite, again);
    return suite;
}
