/*
 * Axes of size 0, generically: each sample of each op with some of its axes, and of the sizes among its
 * attributes, set to 0. What the shape rule takes is differentiated, compiled and run, by reference
 * kernels over each scalar type and by whatever a program chooses, which have to agree.
 */
#include "each.h"

#include <math.h>
#include <string.h>

#include "kernels/element.h"
#include "program/program.h"
#include "tape/tape.h"

enum { PLACES = 16 };

/* Sizes of a recording that may be 0. */
typedef struct {
    const spor_op *op;
    spor_sample of;
    int64_t *place[PLACES];
    int places;
} recording;

static void add_place(recording *r, int64_t *size) {
    if (r->places < PLACES) r->place[r->places++] = size;
}

static void find_places(recording *r) {
    spor_signature s;
    ck_assert(signature_parse(r->op->signature, &s));
    for (int k = 0; k < r->op->operands; k++)
        for (int a = 0; a < r->of.in[k].rank; a++) add_place(r, &r->of.in[k].n[a]);
    for (int k = 0; k < s.attrs; k++) {
        spor_attr *slot = &r->of.attr[s.attr[k].slot];
        for (int a = 0; s.attr[k].kind == SPOR_KIND_SHAPE && a < slot->i; a++)
            add_place(r, &slot[1 + a].i);
        if (s.attr[k].kind == SPOR_KIND_INT) add_place(r, &slot->i);
    }
}

/* Operands and then w, the cotangent; y and its gradients. */
typedef struct {
    opcheck_record r;
    int inputs, outputs;
    spor_var in[OPCHECK_VARS], out[OPCHECK_VARS];
} work;

static void fill(const work *w, spor_program *program) {
    for (int k = 0; k < w->inputs; k++) {
        spor_arg arg = spor_program_arg(program, w->in[k]);
        for (int64_t e = 0; arg.data && e < shape_size(&arg.shape); e++)
            element_types[program->scalar]->set(arg.data, e, (double)(e % 3));
    }
}

static spor_program *run(const work *w, spor_scalar scalar, bool reference) {
    spor_options options = {.scalar = scalar, .reference = reference, .threads = 2};
    spor_program *program = spor_compile(w->r.tape, w->outputs, w->out, NULL, &options);
    if (program->meaningless) return program;
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    fill(w, program);
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    return program;
}

static void expect_same(const work *w, spor_program *a, spor_program *b) {
    for (int k = 0; k < w->outputs; k++) {
        spor_arg x = spor_program_arg(a, w->out[k]), y = spor_program_arg(b, w->out[k]);
        ck_assert(x.data && y.data);
        for (int64_t e = 0; e < shape_size(&x.shape); e++) {
            double got = element_types[b->scalar]->value(y.data, e);
            double want = element_types[a->scalar]->value(x.data, e);
            bool same = isnan(want) ? isnan(got) : fabs(got - want) <= 1e-5 * (1 + fabs(want));
            ck_assert_msg(same, "output %d, element %d: %g, by reference %g", k, (int)e, got, want);
        }
    }
}

static void differentiate(work *w, const spor_op *op) {
    w->out[w->outputs++] = w->r.out;
    for (int k = 0; k < op->operands; k++) w->in[w->inputs++] = w->r.in[k];
    if (!op->operands) return;
    spor_var d = w->in[w->inputs++] = spor_input(w->r.tape, "w", spor_shape_of(w->r.out));
    ck_assert_msg(spor_vjp(w->r.out, d, op->operands, w->r.in, w->out + 1), "%s",
                  spor_error(w->r.tape));
    w->outputs += op->operands;
}

/* False if the shape rule refuses it. */
static bool check(const recording *r) {
    work w = {.r = opcheck_record_op(r->op, r->of.in, r->of.attr)};
    bool recorded = w.r.out.id && !(r->op->traits & SPOR_STORED);
    if (recorded) {
        differentiate(&w, r->op);
        spor_program *truth = run(&w, SPOR_F64, true);
        for (int scalar = 0; scalar < SPOR_SCALARS; scalar++) {
            spor_program *other = run(&w, (spor_scalar)scalar, scalar > SPOR_F64);
            if (!other->meaningless && !truth->meaningless) expect_same(&w, truth, other);
            spor_program_free(other);
        }
        spor_program_free(truth);
    }
    spor_tape_free(w.r.tape);
    return recorded;
}

START_TEST(an_axis_of_size_0_can_be_recorded_differentiated_and_run) {
    const spor_op *op = spor_ops[_i];
    int recorded = 0;
    for (int k = 0; op->samples[k].in[0].rank >= 0; k++) {
        recording r = {.op = op, .of = op->samples[k]};
        find_places(&r);
        for (int zeros = 1; zeros < 1 << r.places; zeros++) {
            if (__builtin_popcount((unsigned)zeros) > 3) continue;
            r.of = op->samples[k];
            for (int p = 0; p < r.places; p++)
                if (zeros >> p & 1) *r.place[p] = 0;
            recorded += check(&r);
        }
    }
    bool numbers = op == op_find("ratio") || op == op_find("constant"); /* scalars have no axes */
    if (!numbers && !(op->traits & SPOR_STORED)) ck_assert_int_gt(recorded, 0);
}
END_TEST

/* ---- several nodes --------------------------------------------------------------------------- */

static void expect_shape(spor_var x, int rank, const int64_t n[]) {
    spor_shape shape = spor_shape_of(x);
    ck_assert_msg(x.id != 0, "%s", x.tape ? spor_error(x.tape) : "no tape");
    ck_assert_int_eq(shape.rank, rank);
    for (int k = 0; k < rank; k++) ck_assert_int_eq(shape.n[k], n[k]);
}

START_TEST(compositions_have_axes_of_size_0) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(0, 3)), i = spor_input(t, "i", SPOR_SHAPE(0, 2));
    expect_shape(spor_prod(x, SPOR_AXIS(0)), 1, (int64_t[]){3});
    expect_shape(spor_prod(x, SPOR_AXIS(1)), 1, (int64_t[]){0});
    expect_shape(spor_mean(x, SPOR_AXIS(1)), 1, (int64_t[]){0});
    expect_shape(spor_sort(x, 0), 2, (int64_t[]){0, 3});
    expect_shape(spor_take_along(x, i, 1), 2, (int64_t[]){0, 2});
    expect_shape(spor_one_hot(i, 4), 3, (int64_t[]){0, 2, 4});
    expect_shape(spor_flatten(x), 2, (int64_t[]){0, 3});
    expect_shape(spor_broadcast(x, SPOR_SHAPE(2, 0, 3)), 3, (int64_t[]){2, 0, 3});
    spor_var y = spor_input(t, "y", SPOR_SHAPE(2, 4, 0));
    expect_shape(spor_batched_matmul(y, x), 3, (int64_t[]){2, 4, 3});
    spor_var out[] = {spor_prod(x, SPOR_AXIS(0)), spor_batched_matmul(y, x)};
    spor_program *program = spor_compile(t, 2, out, NULL, NULL);
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    const float *one = spor_program_arg(program, out[0]).data;
    const float *zero = spor_program_arg(program, out[1]).data;
    for (int k = 0; k < 3; k++) ck_assert(one[k] >= 1 && one[k] <= 1);
    for (int k = 0; k < 24; k++) ck_assert(fabsf(zero[k]) <= 0);
    spor_program_free(program);
    ck_assert_int_eq(spor_mean(x, SPOR_AXIS(0)).id, 0);
    ck_assert_ptr_nonnull(strstr(spor_error(t), "mean: of no elements there is none"));
    spor_tape_free(t);
}
END_TEST

/* [0, 2] is no [0, 3]. */
START_TEST(nothing_is_no_excuse_for_other_sizes) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(0, 2));
    ck_assert_int_eq(spor_broadcast(x, SPOR_SHAPE(0, 3)).id, 0);
    spor_tape_free(t);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("ops_empty");
    TCase *each = tcase_create("each op");
    tcase_add_loop_test(each, an_axis_of_size_0_can_be_recorded_differentiated_and_run, 0,
                        count_ops());
    suite_add_tcase(suite, each);
    TCase *several = tcase_create("several nodes");
    tcase_add_test(several, compositions_have_axes_of_size_0);
    tcase_add_test(several, nothing_is_no_excuse_for_other_sizes);
    suite_add_tcase(suite, several);
    return suite;
}
