/*
 * The scripts about the report: every claim of models/report and models/as_published has the
 * verdict that it states, a changed formula changes its verdict, and the exercises tell right
 * answers from wrong ones.
 */
#include "../suite.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPOR_NO_PLACES
#include <spor/ops.h>

#include "claims/claims.h"
#include "verify/oracle.h"

static const spor_effort effort = {.seed = 1, .shapes = 120, .proofs = 4000};

/* ---- scripts ---- */

static void path_of(const char *folder, const char *file, char *path, size_t size) {
    const char *source = getenv("SPOR_SOURCE");
    snprintf(path, size, "%s/models/%s/%s", source ? source : ".", folder, file);
}

static spor_script *load(const char *folder, const char *file) {
    char path[1024];
    path_of(folder, file, path, sizeof path);
    spor_script *script = script_load(path, NULL, &claims_dialect, 0, NULL);
    ck_assert_ptr_nonnull(script);
    ck_assert_msg(script_error(script) == NULL, "%s", script_error(script));
    return script;
}

/* The text of a script with one part replaced, read as a script. */
static spor_script *load_changed(const char *folder, const char *file, const char *from,
                                 const char *to) {
    static char text[1 << 16], changed[1 << 17];
    char path[1024];
    path_of(folder, file, path, sizeof path);
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in != NULL, "%s", path);
    text[fread(text, 1, sizeof text - 1, in)] = 0;
    fclose(in);
    const char *at = strstr(text, from);
    ck_assert_msg(at != NULL, "%s has no %s", file, from);
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    spor_script *script = script_read(file, changed, NULL, &claims_dialect);
    ck_assert_msg(script && !script_error(script), "%s", script_error(script));
    return script;
}

static const spor_script_claim *claim_called(const spor_script *script, const char *label) {
    for (int k = 0; k < claims_count(script); k++) {
        const spor_script_claim *c = claims_at(script, k);
        if (strcmp(c->label, label) == 0) return c;
    }
    ck_abort_msg("no claim is called %s", label);
}

static spor_verdict verdict_of(const spor_script_claim *claim) {
    spor_verdict verdict;
    ck_assert(spor_verify(claim->statement, &effort, &verdict));
    return verdict;
}

/* ---- every claim ---- */

/* Claims that are wrong because they cannot be written down at all sizes: a shape, a pad or an
 * index does not fit. All others must be refuted by a number, so that a slip in a script is none.
 */
static const char *const by_shape[] = {
    "Eq. 10, one padding for both axes",
    "Eq. 18, the map not padded",
    "Eq. 25",
    "Eq. 43, PDF",
    "Eq. 43, OCR text",
    "Eq. 49",
    "Eq. 62",
    "Eq. 70",
    "Eq. 79",
    "Eq. 79, at a stride",
    "Eq. 81, heights for both axes",
    "Eq. 81, general form, without the remainder",
};

static bool may_not_record(const char *label) {
    for (size_t k = 0; k < sizeof by_shape / sizeof *by_shape; k++)
        if (strcmp(by_shape[k], label) == 0) return true;
    return false;
}

/* The smallest case fails as a script of its own, at the first shape. */
static void check_case(const spor_script_claim *c, const spor_verdict *found) {
    char text[8192];
    FILE *out = fmemopen(text, sizeof text, "w");
    claims_case(c, found->example.value, out);
    fclose(out);
    spor_script *script = script_read("case.spor", text, NULL, &claims_dialect);
    ck_assert_msg(script && !script_error(script), "%s\n%s", script_error(script), text);
    ck_assert_int_eq(claims_count(script), 1);
    spor_verdict again = verdict_of(claims_at(script, 0));
    ck_assert_msg(again.outcome == SPOR_FAILS, "%s", text);
    ck_assert_mem_eq(again.example.value, found->example.value, sizeof again.example.value);
    script_free(script);
}

static void check_claim(const spor_script_claim *c) {
    spor_verdict v = verdict_of(c);
    spor_outcome stated = c->fails ? SPOR_FAILS : SPOR_HOLDS;
    if (v.outcome != stated) spor_verdict_print(c->statement, &v, stderr);
    ck_assert_msg(v.outcome == stated, "%s:%d: %s", c->file, c->line, c->label);
    ck_assert_msg(!c->unproved && !c->trusted, "%s", c->label);
    if (!c->fails) {
        ck_assert_msg(v.comparisons > 0 && v.shapes >= 4, "%s", c->label);
        return;
    }
    bool recorded = v.example.dispute == SPOR_FORMULA_TAPE;
    ck_assert_msg(recorded != may_not_record(c->label), "%s: %s", c->label, v.example.message);
    ck_assert_msg(!recorded || (v.example.wrong > 0 && isfinite(v.example.expected)), "%s",
                  c->label);
    check_case(c, &v);
}

/* Equations that do not hold as printed; and those that hold as the text recognition read them. */
static const int wrong_as_printed[] = {25, 34, 42, 43, 49, 59, 60, 61, 62, 70,
                                       73, 74, 76, 77, 78, 79, 80, 81, 84};
static const int right_as_read[] = {20, 84};

static bool among(int number, size_t n, const int numbers[]) {
    for (size_t k = 0; k < n; k++)
        if (numbers[k] == number) return true;
    return false;
}

/* What is known of the printed and of the recognised form, held against what the script says. */
static void check_reading(const spor_script_claim *c, int number, const char *reading) {
    bool read = strcmp(reading, ", OCR text") == 0;
    bool printed = !*reading || strcmp(reading, ", PDF") == 0 || strncmp(reading, ", H(0)", 6) == 0;
    bool wrong = among(number, sizeof wrong_as_printed / sizeof(int), wrong_as_printed);
    bool right = among(number, sizeof right_as_read / sizeof(int), right_as_read);
    if (printed) ck_assert_msg(c->fails == wrong, "%s", c->label);
    if (read) ck_assert_msg(c->fails == !right, "%s", c->label);
}

/* Checks all scripts of a folder; marks the equations that labels name. */
static int check_folder(const char *folder, bool equation[]) {
    char path[1024];
    path_of(folder, "", path, sizeof path);
    DIR *dir = opendir(path);
    ck_assert_msg(dir != NULL, "%s", path);
    int claims = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        const char *end = strrchr(e->d_name, '.');
        if (!end || strcmp(end, ".spor") != 0) continue;
        spor_script *script = load(folder, e->d_name);
        for (int k = 0; k < claims_count(script); k++, claims++) {
            const spor_script_claim *c = claims_at(script, k);
            int number = 0, length = 0;
            check_claim(c);
            if (sscanf(c->label, "Eq. %d%n", &number, &length) != 1) continue;
            equation[number] = true;
            check_reading(c, number, c->label + length);
        }
        script_free(script);
    }
    closedir(dir);
    return claims;
}

START_TEST(every_equation_has_its_verdict) {
    enum { EQUATIONS = 86 };
    bool equation[1000] = {false};
    int claims = check_folder("report", equation);
    printf("models/report: %d claims\n", claims);
    for (int k = 1; k <= EQUATIONS; k++) ck_assert_msg(equation[k], "Eq. %d is missing", k);
    ck_assert_int_ge(claims, 170);
}
END_TEST

START_TEST(every_fault_of_the_published_code_is_found) {
    bool unused[1000];
    int claims = check_folder("as_published", unused);
    printf("models/as_published: %d claims\n", claims);
    ck_assert_int_eq(claims, 14);
}
END_TEST

/* ---- a changed formula ---- */

static const struct {
    const char *file, *label, *from, *to;
    spor_outcome becomes;
} changes[] = {
    {"backward_2d.spor", "Eq. 9", "dA = convolve2d", "dA = correlate2d", SPOR_FAILS},
    {"backward_2d.spor", "Eq. 18, OCR text", "dK = convolve2d", "dK = correlate2d", SPOR_HOLDS},
    {"backward_2d.spor", "Eq. 12", "pulled[i, j] ==", "pulled[i, j] * 1.001 ==", SPOR_FAILS},
    {"backward_channels.spor", "Eq. 41", "[N, F]), axis=0)", "[N, F]), axis=0) / N", SPOR_FAILS},
    {"backward_channels.spor", "Eq. 22, the error without its map", "n, 0] for", "n, g] for",
     SPOR_HOLDS},
    {"dense.spor", "Eq. 47", "delta @ transpose(W)", "delta @ W", SPOR_FAILS},
    {"dense.spor", "Eq. 49", "reshape(delta @ ones([m, 1]), [N])", "sum(delta, axis=\"N\")",
     SPOR_HOLDS},
    {"appendix_padding.spor", "Eq. 57", "i <= m - p + w - 1", "i <= m - p + w", SPOR_FAILS},
    {"appendix_padding.spor", "Eq. 59, corrected", "window(step_one, 1,", "window(step_one, 0,",
     SPOR_FAILS},
    {"appendix_padding.spor", "Eq. 70", "[i + u, j", "[i + r, j", SPOR_HOLDS},
    {"stride.spor", "Eq. 73", "2 * p) / S", "2 * p) // S", SPOR_HOLDS},
    {"stride.spor", "Eq. 81, general form", "- w - (P - 1) * S", "- w - P * S", SPOR_FAILS},
    {"pooling.spor", "Eq. 84, PDF", "(W - w) // S ==", "(W - w) // S * S ==", SPOR_HOLDS},
    {"pooling.spor", "Eq. 86", "/ S == fitting", "/ S + 1 == fitting", SPOR_FAILS},
    {"check.spor", "Eq. 50, with its error", "error = 1/1024", "error = 1/1000", SPOR_FAILS},
};

START_TEST(a_changed_formula_changes_its_verdict) {
    spor_script *script =
        load_changed("report", changes[_i].file, changes[_i].from, changes[_i].to);
    const spor_script_claim *c = claim_called(script, changes[_i].label);
    spor_verdict v = verdict_of(c);
    ck_assert_msg(v.outcome == changes[_i].becomes, "%s", c->label);
    ck_assert_int_eq(c->fails, changes[_i].becomes == SPOR_HOLDS); /* it was the other one */
    script_free(script);
}
END_TEST

/* ---- exercises ---- */

static const struct {
    const char *file, *open, *right, *wrong;
    const char *pair, *pattern; /* of the wrong answer; pair NULL: it does not record */
} exercises[] = {
    {"1_sigmoid.spor", "dZ = ...", "dZ = Y * (1 - Y) * dY",
     "dZ = sigmoid(Y) * (1 - sigmoid(Y)) * dY", "dZ", ""},
    {"2_dense.spor", "dA = ...\n    dW = ...\n    db = ...",
     "dA = dY @ transpose(W)\n    dW = transpose(A) @ dY\n    db = sum(dY, axis=\"N\")",
     "dA = dY @ transpose(W)\n    dW = transpose(A) @ dY\n    db = sum(dY, axis=1)", NULL, "db is"},
    {"3_softmax_cross_entropy.spor", "dZ = ...", "dZ = dL * (softmax(Z, axis=1) - Y)",
     "dZ = dL * (Y - softmax(Z, axis=1))", "dZ", "the sign is wrong"},
    {"4_convolution.spor", "dA = ...\n    dK = ...\n    db = ...",
     "dA = convolve2d(pad(dZ, [k - 1 - p, l - 1 - p]), transpose(K, [0, 1, 3, 2]))\n"
     "    samples = transpose(pad(A, p), [3, 1, 2, 0])\n"
     "    dK = transpose(correlate2d(samples, transpose(dZ, [1, 2, 0, 3])), [1, 2, 0, 3])\n"
     "    db = sum(dZ, axis=[0, 1, 2])",
     "dA = convolve2d(pad(dZ, [k - 1 - p, l - 1 - p]), transpose(K, [0, 1, 3, 2]))\n"
     "    samples = transpose(pad(A, p), [3, 1, 2, 0])\n"
     "    dK = transpose(convolve2d(samples, transpose(dZ, [1, 2, 0, 3])), [1, 2, 0, 3])\n"
     "    db = sum(dZ, axis=[0, 1, 2])",
     "dK", ""},
    {"5_max_pool.spor", "dA = ...", "dA = route(A, dY, [w, v], [S, T])",
     "dA = route(-A, dY, [w, v], [S, T])", "dA", ""},
    {"6_batch_norm.spor", "dbeta = ...\n    dgamma = ...\n    dx = ...",
     "dbeta = sum(dY, axis=\"N\")\n    dgamma = sum(dY * normal, axis=\"N\")\n"
     "    dx = gamma / deviation / N * (N * dY - dbeta - normal * dgamma)",
     "dbeta = sum(dY, axis=\"N\")\n    dgamma = sum(dY * normal, axis=\"N\")\n"
     "    dx = gamma / deviation / N * (N * dY - dbeta)",
     "dx", ""},
};

START_TEST(an_open_exercise_is_unproved) {
    spor_script *script = load("exercises", exercises[_i].file);
    ck_assert_int_eq(claims_count(script), 1);
    const spor_script_claim *c = claims_at(script, 0);
    ck_assert(c->unproved && !c->fails);
    ck_assert_int_eq(verdict_of(c).outcome, SPOR_NOTHING_EXAMINED);
    script_free(script);
}
END_TEST

START_TEST(right_answers_pass_and_wrong_ones_fail) {
    const char *answers[] = {exercises[_i].right, exercises[_i].wrong};
    for (int wrong = 0; wrong < 2; wrong++) {
        spor_script *script =
            load_changed("exercises", exercises[_i].file, exercises[_i].open, answers[wrong]);
        const spor_script_claim *c = claims_at(script, 0);
        spor_verdict v = verdict_of(c);
        ck_assert(!c->unproved);
        ck_assert_msg(v.outcome == (wrong ? SPOR_FAILS : SPOR_HOLDS), "%s: %s %s", c->label,
                      v.example.pair_name, v.example.message);
        ck_assert(wrong || v.asked[SPOR_BY_COMPLEX_STEP] > 0);
        if (wrong && exercises[_i].pair) {
            ck_assert_str_eq(v.example.pair_name, exercises[_i].pair);
            ck_assert_msg(strstr(v.example.pattern, exercises[_i].pattern), "%s",
                          v.example.pattern);
        } else if (wrong) {
            ck_assert_msg(strstr(v.example.message, exercises[_i].pattern), "%s",
                          v.example.message);
        }
        script_free(script);
    }
}
END_TEST

/* ---- kinks ---- */

/* At the kink the complex step takes the slope that the op states. */
static spor_recording record_slope(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    spor_var (*op)(spor_var) = *(spor_var(**)(spor_var))user;
    spor_var x = spor_input(t, "x", SPOR_SHAPE(v[0])), dy = spor_input(t, "dy", SPOR_SHAPE(v[0])),
             dx;
    memcpy(in->input, (spor_var[]){x, dy}, 2 * sizeof x);
    in->inputs = 2;
    in->dy = 1;
    in->y = op(x);
    if (!spor_vjp(in->y, dy, 1, &x, &dx)) return SPOR_OUTSIDE;
    in->pair[in->pairs++] = (spor_pair){.name = "dx", .formula = dx, .expected = dx, .wrt = 0};
    return SPOR_RECORDED;
}

START_TEST(a_kink_is_no_fault) {
    spor_var (*ops[])(spor_var) = {spor_relu, spor_abs};
    spor_statement statement = {.name = "slope",
                                .quantities = 1,
                                .quantity = {SPOR_SIZE("n", 1, 1)},
                                .record = record_slope,
                                .user = &ops[_i]};
    spor_trial trial;
    oracle_finding finding;
    int64_t steps = 0;
    ck_assert(trial_make(&statement, (int64_t[]){1}, &trial));
    for (int x = -1; x <= 1; x++) {
        trial.data[0][0] = x;
        trial.data[1][0] = 1;
        ck_assert(oracle_at_data(&trial, SPOR_BY_COMPLEX_STEP, NULL, &finding));
        ck_assert_msg(!finding.failed, "at %d: %g, complex step %g", x, finding.worst.expected,
                      finding.worst.oracle);
        steps += finding.asked[SPOR_BY_COMPLEX_STEP];
    }
    ck_assert_int_eq(steps, 3);
    trial_free(&trial);
}
END_TEST

/* All values of five integers, more than the shapes that are tried of a statement with tensors. */
START_TEST(integers_are_searched_to_the_end) {
    spor_script *script = load("as_published", "pool_routing.spor");
    const spor_script_claim *c =
        claim_called(script, "max-pool's errors: divided by the padded width");
    spor_verdict v = verdict_of(c);
    ck_assert(v.exhaustive);
    ck_assert_int_eq(v.shapes, 21 * 21 * 4); /* rows of H in 1..6, columns of W in 1..6, P */
    script_free(script);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("report");
    TCase *scripts = tcase_create("scripts");
    tcase_add_test(scripts, every_equation_has_its_verdict);
    tcase_add_test(scripts, every_fault_of_the_published_code_is_found);
    tcase_add_loop_test(scripts, a_changed_formula_changes_its_verdict, 0,
                        sizeof changes / sizeof *changes);
    tcase_add_loop_test(scripts, an_open_exercise_is_unproved, 0,
                        sizeof exercises / sizeof *exercises);
    tcase_add_loop_test(scripts, right_answers_pass_and_wrong_ones_fail, 0,
                        sizeof exercises / sizeof *exercises);
    suite_add_tcase(suite, scripts);
    TCase *kinks = tcase_create("kinks");
    tcase_add_loop_test(kinks, a_kink_is_no_fault, 0, 2);
    tcase_add_test(scripts, integers_are_searched_to_the_end);
    suite_add_tcase(suite, kinks);
    return suite;
}
