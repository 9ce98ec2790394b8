#include "fastcheck.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/shape.h"
#include "kernels/element.h"
#include "opcheck.h"
#include "sets.h"

enum { SETS = SPOR_ISAS, TRAINED = 2 };

/* ---- recording ---- */

/* A subject on a tape. */
typedef struct {
    spor_sketch r;
    spor_var root, also, cotangent;
    bool shared;
} taped;

/* The gradient of operand k of y, for a cotangent that is one more operand. */
static spor_var record_gradient(spor_sketch *r, spor_var y, int k) {
    spor_var d[SPOR_OPERANDS] = {{0}};
    int operands = r->operands;
    spor_var bar = sketch_operand(r, "ybar", spor_shape_of(y));
    if (k >= operands || !spor_vjp(y, bar, operands, r->operand, d)) return (spor_var){r->tape, 0};
    return d[k];
}

static taped record(const fastcheck_subject *s, bool trained) {
    taped made = {.r = {.tape = spor_tape_new(), .number = s->number, .trained = trained},
                  .shared = s->shared};
    made.root = s->record(&made.r);
    if (spor_error(made.r.tape)) return made;
    if (s->gradient) made.root = record_gradient(&made.r, made.root, s->gradient - 1);
    if (s->also) made.also = spor_tape_var(made.r.tape, s->also);
    if (made.root.id)
        made.cotangent = spor_input(made.r.tape, "cotangent", spor_shape_of(made.root));
    return made;
}

static double work_of(const spor_tape *tape) {
    double work = 0;
    for (uint32_t id = 1; id < tape->count; id++)
        work += node_cost(tape, &tape->node[id]) + (double)shape_size(tape->node[id].shape);
    return work;
}

static spor_var inner_product(spor_var x, spor_var y) {
    spor_var product = spor_mul(x, y);
    int rank = spor_shape_of(x).rank;
    return rank ? spor_sum(product, SPOR_AXIS(rank) - 1) : product;
}

/* <x, x> of an operand that is shared */
static spor_var record_own(const taped *s, int k) {
    return inner_product(s->r.operand[k], s->r.operand[k]);
}

/* <cotangent, root>, and of what is shared <x, x> of each operand, which is pulled back before. */
static spor_var record_cost(const taped *s) {
    spor_var cost = inner_product(s->cotangent, s->root);
    for (int k = 0; s->shared && k < s->r.operands; k++) cost = spor_add(cost, record_own(s, k));
    return cost;
}

void fastcheck_describe(const fastcheck_subject *s, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "%s:", s->path->name);
    for (int k = 0; s->path->choices[k].name && used + 60 < size; k++)
        used += (size_t)snprintf(text + used, size - used, "%s %s %" PRId64, k ? "," : "",
                                 s->path->choices[k].name, s->number[k]);
    if (s->gradient && used < size)
        used += (size_t)snprintf(text + used, size - used, "; gradient %d", s->gradient - 1);
    if (s->shared && used < size)
        used += (size_t)snprintf(text + used, size - used, "; operands in the cost, too");
    if (s->also && used < size)
        snprintf(text + used, size - used, "; node %" PRIu32 " read from outside", s->also);
}

/* ---- the work ---- */

/* What the operands are: small integers, reals, small integers and what is not a number. */
typedef enum { INTEGERS, REALS, HOLES, DRAWS } drawing;

typedef struct {
    const fastcheck_subject *subject;
    fastcheck_verdict verdict;
    fastcheck_tally *tally;
    taped plain, trained;
    int arrays;  /* the value and the gradients */
    int derived; /* that many more of the derivation, or 0; then comes a value from inside */
    opcheck_machine truth[FASTCHECK_TYPES];
    spor_params *params;
    spor_program *fast[SETS][FASTCHECK_TYPES][TRAINED];
    drawing drawn;
} work;

static void fail(work *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first failure stays. */
static void fail(work *w, const char *format, ...) {
    if (w->verdict.outcome != FASTCHECK_AGREES) return;
    w->verdict.outcome = FASTCHECK_DIFFERS;
    fastcheck_describe(w->subject, w->verdict.what, 400);
    size_t used = strlen(w->verdict.what);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(w->verdict.what + used, sizeof w->verdict.what - used, format, arguments);
    va_end(arguments);
}

/* ---- the truth ---- */

/* The pattern's own value and gradients. */
static bool record_definition(const taped *s, spor_var out[]) {
    out[0] = s->root;
    return spor_grad(record_cost(s), s->r.operands, s->r.operand, out + 1);
}

static bool has_derivation(const work *w) {
    const fastcheck_subject *s = w->subject;
    return s->path->derivation && s->record == s->path->record && !s->gradient;
}

/* To the gradients of what is derived those of the operands by themselves. */
static bool record_shares(const taped *s, spor_var d[]) {
    for (int k = 0; k < s->r.operands; k++) {
        spor_var own;
        if (!spor_grad(record_own(s, k), 1, &s->r.operand[k], &own)) return false;
        d[k] = spor_add(own, d[k]);
    }
    return true;
}

/* As the fused ops compute it, if that is another way. */
static bool record_derivation(work *w, spor_var out[]) {
    spor_sketch again = w->plain.r;
    again.again = true;
    again.operands = 0;
    if (!w->subject->path->derivation(&again, w->plain.cotangent, out))
        return !spor_error(again.tape);
    w->derived = w->arrays;
    return !w->plain.shared || record_shares(&w->plain, out + 1);
}

/* Values and gradients by reference, with what rounding may do to them in each arithmetic. */
static bool build_truth(work *w) {
    const taped *s = &w->plain;
    int operands = s->r.operands;
    spor_var out[2 * FASTCHECK_ARRAYS], in[SPOR_OPERANDS + 1];
    if (!record_definition(s, out)) return false;
    w->arrays = 1 + operands;
    if (has_derivation(w) && !record_derivation(w, out + w->arrays)) return false;
    int outputs = w->arrays + w->derived;
    if (s->also.id) out[outputs++] = s->also;
    memcpy(in, s->r.operand, sizeof s->r.operand);
    in[operands] = s->cotangent;
    for (int type = 0; type < FASTCHECK_TYPES; type++) {
        if (!opcheck_build(&w->truth[type], SPOR_ROUNDING, operands + 1, in, outputs, out))
            return false;
        w->truth[type].arithmetic = (spor_scalar)type;
    }
    return true;
}

/* ---- what is drawn ---- */

/* What the ops that read an operand are given in their own tests. */
static spor_domain domain_of(const spor_tape *tape, uint32_t operand) {
    spor_domain domain = SPOR_ANY;
    for (uint32_t id = 1; id < tape->count; id++) {
        const spor_node *node = &tape->node[id];
        for (int k = 0; k < node->op->operands; k++)
            if (node->in[k] == operand && node->op->domain[k] > domain)
                domain = node->op->domain[k];
    }
    return domain;
}

/* Every recording has numbers of its own. */
static uint64_t seed_of(const fastcheck_subject *s) {
    uint64_t seed = (uint64_t)s->gradient;
    for (int k = 0; s->path->choices[k].name; k++)
        seed = random_hash(seed, (uint64_t)k, (uint64_t)s->number[k]);
    return seed;
}

void fastcheck_draw_integers(opcheck_machine *m, const spor_domain domain[], uint64_t seed) {
    for (int k = 0; k < m->inputs; k++)
        for (int64_t e = 0; !(domain && domain[k] == SPOR_INDEX) && e < m->nx[k]; e++)
            m->x[k][e] = (double)(random_hash(seed, (uint64_t)k, (uint64_t)e) % 7) - 3;
}

static void draw_holes(opcheck_machine *m, uint64_t seed) {
    for (int64_t e = 0; e < m->nx[0]; e++)
        if (random_hash(seed, 0, (uint64_t)e) % 5 == 0) m->x[0][e] = (double)NAN;
}

static void draw_reals(opcheck_machine *m, uint64_t seed) {
    spor_domain domain[SPOR_OPERANDS + 1];
    for (int k = 0; k < m->inputs; k++) domain[k] = domain_of(m->in[k].tape, m->in[k].id);
    opcheck_draw(m, m->inputs, domain, seed);
}

/* All programs get the same numbers, which a float holds. */
static void draw(work *w, drawing what) {
    w->drawn = what;
    opcheck_machine *m = &w->truth[0];
    uint64_t seed = seed_of(w->subject);
    if (what == REALS)
        draw_reals(m, seed);
    else
        fastcheck_draw_integers(m, NULL, seed);
    if (what == HOLES) draw_holes(m, seed + 1);
    for (int type = 1; type < FASTCHECK_TYPES; type++)
        for (int k = 0; k < m->inputs; k++)
            memcpy(w->truth[type].x[k], m->x[k], (size_t)m->nx[k] * sizeof(double));
    spor_params_touch(w->params);
}

static spor_entry entry_of(const work *w, int operand) {
    const char *name = tape_node_of(w->trained.r.operand[operand])->name;
    return spor_params_entry(w->params, spor_params_find(w->params, name));
}

static void fill_params(const work *w) {
    const opcheck_machine *m = &w->truth[0];
    for (int k = 0; k < w->trained.r.operands; k++) {
        spor_entry entry = entry_of(w, k);
        memcpy(entry.value, m->x[k], (size_t)m->nx[k] * sizeof(double));
        for (int64_t e = 0; e < m->nx[k]; e++) ((double *)entry.gradient)[e] = (double)NAN;
    }
}

/* ---- a planted fault ---- */

static struct {
    spor_kernel *kernel; /* what the step runs */
    const spor_program *program;
    const program_step *step;
    int64_t last; /* of its tasks */
} planted;

static void spoil(const spor_arg *result) {
    const element_type *type = element_types[planted.program->scalar];
    int64_t size = shape_size(&result->shape), at = size / 2;
    for (int64_t left = size; left > 1 && !(fabs(type->value(result->data, at)) > 0); left--)
        at = (at + 1) % size;
    type->set(result->data, at, 1.01 * type->value(result->data, at));
}

/* The cost is what nothing is compared with. */
static void run_with_fault(const spor_call *call, int64_t task) {
    const program_step *step = planted.step;
    uint32_t cost = planted.program->cost;
    planted.kernel(call, task);
    if (task < planted.last) return;
    for (int k = 0; k < step_writes(step); k++)
        if (!cost || step_written(step, k) != program_home(planted.program, cost))
            spoil(step_result(step, k));
}

bool fastcheck_run_planted(spor_program *program, uint32_t step) {
    program_step *of = &program->step[step];
    spor_kernel **last = &of->phase[SPOR_WORK];
    if (of->need.tasks[SPOR_FINISH]) last = &of->phase[SPOR_FINISH];
    planted.kernel = *last;
    planted.program = program;
    planted.step = of;
    planted.last = of->need.tasks[last - of->phase] - 1;
    *last = run_with_fault;
    bool done = spor_run(program, 0);
    *last = planted.kernel;
    return done;
}

/* ---- comparing ---- */

bool fastcheck_is_off(double got, double want, double bound) {
    return isnan(want) ? !isnan(got) : !(fabs(got - want) <= bound);
}

/* What the arithmetic may be off by, by the definition or by the path's own derivation. */
static double error_at(const work *w, int type, int array, int64_t e) {
    const opcheck_machine *m = &w->truth[type];
    if (!w->derived || array >= w->arrays) return m->iy[array][e];
    return m->iy[array][e] + m->iy[w->derived + array][e];
}

double fastcheck_bound(int type, double error) {
    if (error <= 0) return 0;
    if (isnan(error)) return HUGE_VAL;
    return type == SPOR_F32 ? (1 + 0x1p-29) * error + 0x1p-116 : 2 * error + 0x1p-1012;
}

static double bound_at(const work *w, int type, int array, int64_t e) {
    return w->drawn == HOLES ? 0 : fastcheck_bound(type, error_at(w, type, array, e));
}

/* Would a hundredth more have been seen? */
static void count_element(work *w, int type, int array, double got, double want, double bound) {
    if (!w->tally) return;
    if (w->drawn == INTEGERS) w->tally->exact += bound <= 0;
    if (!(fabs(want) > 0)) return;
    if (fastcheck_is_off(1.01 * got, want, bound))
        w->tally->seen[type][array]++;
    else
        w->tally->blind[type][array]++;
}

/* "the value", "dW", "node 7" */
static void name_array(const work *w, int array, char name[64]) {
    if (array == 0)
        snprintf(name, 64, "the value");
    else if (array < w->arrays)
        snprintf(name, 64, "d%s", tape_node_of(w->plain.r.operand[array - 1])->name);
    else
        snprintf(name, 64, "node %" PRIu32, w->subject->also);
}

static void fail_at(work *w, const spor_program *program, int array, int64_t e, double got) {
    char name[64];
    name_array(w, array, name);
    fail(w,
         "; %s, %s: element %" PRId64 " of %s is %.17g, %.17g by reference, which may be off by %g",
         isa_name(program->isa), element_types[program->scalar]->text, e, name, got,
         w->truth[program->scalar].y[array][e], bound_at(w, (int)program->scalar, array, e));
}

static void compare(work *w, const spor_program *program, int array, const void *data,
                    spor_scalar stored) {
    const opcheck_machine *m = &w->truth[program->scalar];
    for (int64_t e = 0; e < m->ny[array]; e++) {
        double got = element_types[stored]->value(data, e), want = m->y[array][e];
        double bound = bound_at(w, (int)program->scalar, array, e);
        if (fastcheck_is_off(got, want, bound)) fail_at(w, program, array, e, got);
        count_element(w, (int)program->scalar, array, got, want, bound);
    }
}

static void compare_output(work *w, spor_program *program, int array, spor_var y) {
    spor_arg arg = spor_program_arg(program, y);
    if (arg.data)
        compare(w, program, array, arg.data, program->scalar);
    else
        fail(w, "; %s can't be read", array ? "a node from inside" : "the value");
}

static void run(work *w, spor_program *program, bool training) {
    const opcheck_machine *m = &w->truth[0];
    int operands = w->trained.r.operands;
    fill_params(w);
    spor_arg bar = spor_program_arg(program, w->trained.cotangent);
    for (int64_t e = 0; bar.data && e < m->nx[operands]; e++)
        element_types[program->scalar]->set(bar.data, e, m->x[operands][e]);
    bool faulty = training && w->subject->fault;
    bool done =
        faulty ? fastcheck_run_planted(program, w->subject->fault - 1) : spor_run(program, 0);
    if (!done) fail(w, "; %s", spor_program_error(program));
    compare_output(w, program, 0, w->trained.root);
    if (w->trained.also.id) compare_output(w, program, w->arrays + w->derived, w->trained.also);
    for (int k = 0; training && k < operands; k++)
        compare(w, program, 1 + k, entry_of(w, k).gradient, SPOR_F64);
}

/* ---- compiling ---- */

static spor_program *compile(const taped *s, spor_var cost, spor_params *params,
                             const spor_options *options) {
    spor_var out[] = {s->root, s->also};
    int outputs = s->also.id ? 2 : 1;
    return cost.id ? spor_compile_training(cost, outputs, out, params, options)
                   : spor_compile(s->r.tape, outputs, out, params, options);
}

static void compile_all(work *w, spor_var cost) {
    for (int set = 0; instruction_sets()[set]; set++)
        for (int type = 0; type < FASTCHECK_TYPES; type++)
            for (int training = 0; training < TRAINED; training++) {
                spor_options options = {.scalar = (spor_scalar)type,
                                        .isa = instruction_sets()[set]};
                spor_program *program =
                    compile(&w->trained, training ? cost : (spor_var){0}, w->params, &options);
                w->fast[set][type][training] = program;
                const char *error = spor_program_error(program);
                if (error) fail(w, "; %s", error);
            }
}

/* A derivation that is wrong would allow what is wrong. */
static void compare_derivation(work *w) {
    const opcheck_machine *m = &w->truth[SPOR_F64];
    for (int array = 0; array < w->derived; array++)
        for (int64_t e = 0; e < m->ny[array]; e++) {
            double derived = m->y[w->derived + array][e], want = m->y[array][e];
            if (fastcheck_is_off(derived, want, bound_at(w, SPOR_F64, array, e)))
                fail(w, "; element %" PRId64 " of array %d is %.17g, by the derivation %.17g", e,
                     array, want, derived);
        }
}

static void run_all(work *w, drawing what) {
    draw(w, what);
    for (int type = 0; type < FASTCHECK_TYPES; type++)
        if (!opcheck_run(&w->truth[type])) fail(w, "; the reference does not run");
    compare_derivation(w);
    for (int set = 0; instruction_sets()[set]; set++)
        for (int type = 0; type < FASTCHECK_TYPES; type++)
            for (int training = 0; training < TRAINED; training++)
                if (w->verdict.outcome == FASTCHECK_AGREES)
                    run(w, w->fast[set][type][training], training);
}

static bool takes(const work *w, drawing what) {
    const fastcheck_subject *s = w->subject;
    return what != HOLES || (s->path->takes_nan && s->record == s->path->record && !s->gradient &&
                             s->path->takes_nan(s->number));
}

static void check(work *w, double most) {
    w->plain = record(w->subject, false);
    w->trained = record(w->subject, true);
    if (spor_error(w->plain.r.tape) || spor_error(w->trained.r.tape) || !w->plain.root.id)
        w->verdict.outcome = FASTCHECK_SHAPES;
    else if (most > 0 && work_of(w->plain.r.tape) > most)
        w->verdict.outcome = FASTCHECK_LARGE;
    else if (!build_truth(w))
        fail(w, "; the reference does not compile");
    if (w->verdict.outcome != FASTCHECK_AGREES) return;
    spor_var cost = record_cost(&w->trained);
    w->params = spor_params_new(SPOR_F64, 1);
    compile_all(w, cost);
    for (int what = 0; what < DRAWS && w->verdict.outcome == FASTCHECK_AGREES; what++)
        if (takes(w, (drawing)what)) run_all(w, (drawing)what);
}

fastcheck_verdict fastcheck_compare(const fastcheck_subject *subject, double most,
                                    fastcheck_tally *tally) {
    work w = {.subject = subject, .tally = tally};
    check(&w, most);
    for (int set = 0; set < SETS; set++)
        for (int type = 0; type < FASTCHECK_TYPES; type++)
            for (int training = 0; training < TRAINED; training++)
                spor_program_free(w.fast[set][type][training]);
    for (int type = 0; type < FASTCHECK_TYPES; type++) opcheck_free(&w.truth[type]);
    spor_params_free(w.params);
    spor_tape_free(w.plain.r.tape);
    spor_tape_free(w.trained.r.tape);
    return w.verdict;
}

/* ---- looking ---- */

fastcheck_look fastcheck_open(const fastcheck_subject *subject, bool trained) {
    taped s = record(subject, true);
    fastcheck_look look = {.tape = s.r.tape, .root = s.root};
    look.params = spor_params_new(SPOR_F64, 1);
    if (spor_error(s.r.tape) || !s.root.id) return look;
    spor_var cost = trained ? record_cost(&s) : (spor_var){0};
    look.program = compile(&s, cost, look.params, &(spor_options){.scalar = SPOR_F64});
    return look;
}

void fastcheck_close(fastcheck_look *look) {
    spor_program_free(look->program);
    spor_params_free(look->params);
    spor_tape_free(look->tape);
}
