/* One instance: recorded at given sizes, compiled, filled with data, run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "verify/verify.h"

enum { DRAWS = SPOR_DRAWS };

/* ---- making ---- */

static void broken(spor_trial *trial, const char *text) {
    trial->recording = SPOR_BROKEN;
    snprintf(trial->in.message, sizeof trial->in.message, "%s", text);
}

/* Sizes as the statement names them: [N=2, 3]; a size that several names share gets the first. */
static void named_shape(const spor_trial *trial, const spor_shape *shape, char *text, size_t size) {
    spor_signature_operand names = {.axes = shape->rank};
    for (int k = 0; k < shape->rank; k++)
        for (int q = trial->statement->quantities - 1; q >= 0; q--)
            if (trial->value[q] == shape->n[k])
                snprintf(names.axis[k], SPOR_NAME, "%.*s", SPOR_NAME - 1,
                         trial->statement->quantity[q].name);
    tape_shape_text(shape, &names, text, size);
}

/* A formula of another shape is a wrong formula. */
static void check_shapes(spor_trial *trial) {
    for (int k = 0; k < trial->in.pairs && trial->recording == SPOR_RECORDED; k++) {
        const spor_pair *pair = &trial->in.pair[k];
        spor_shape formula = spor_shape_of(pair->formula), expected = spor_shape_of(pair->expected);
        if (shape_equal(&formula, &expected)) continue;
        char a[160], b[160], text[480];
        named_shape(trial, &formula, a, sizeof a);
        named_shape(trial, &expected, b, sizeof b);
        snprintf(text, sizeof text, "%s is %s but must be %s", pair->name, a, b);
        broken(trial, text);
    }
}

static bool compile_trial(spor_trial *trial) {
    spor_var outputs[2 * SPOR_PAIRS];
    for (int k = 0; k < trial->in.pairs; k++) {
        outputs[2 * k] = trial->in.pair[k].formula;
        outputs[2 * k + 1] = trial->in.pair[k].expected;
    }
    spor_options options = {.scalar = SPOR_BOUND, .reference = true};
    trial->bound = spor_compile(trial->tape, 2 * trial->in.pairs, outputs, NULL, &options);
    if (!trial->bound) return false;
    if (spor_program_error(trial->bound)) broken(trial, spor_program_error(trial->bound));
    if (!trial->in.y.id) return true;
    options.scalar = SPOR_C128;
    trial->step = spor_compile(trial->tape, 1, &trial->in.y, NULL, &options);
    return trial->step != NULL;
}

bool trial_affords(spor_program *program, spor_var x, char *message, size_t size) {
    char bytes[24], most[24];
    if (spor_program_error(program)) return true;
    if (spor_program_bytes(program) > VERIFY_MOST_BYTES) {
        snprintf(message, size,
                 "it needs %s of memory, and verifying takes at most %s: take smaller sizes",
                 bytes_text(spor_program_bytes(program), bytes),
                 bytes_text(VERIFY_MOST_BYTES, most));
        return false;
    }
    if (spor_program_arg(program, x).data) return true;
    snprintf(message, size, "%s", spor_program_error(program));
    return false;
}

static bool take_programs(spor_trial *trial) {
    spor_instance *in = &trial->in;
    size_t size = sizeof in->message;
    if (in->pairs && !trial_affords(trial->bound, in->pair[0].formula, in->message, size))
        return false;
    return !trial->step || trial_affords(trial->step, in->y, in->message, size);
}

static bool take_data(spor_trial *trial) {
    for (int k = 0; k < trial->in.inputs; k++) {
        spor_shape shape = spor_shape_of(trial->in.input[k]);
        trial->data[k] = calloc(1, bytes_for(shape_size(&shape) + 1, sizeof(double)));
        if (!trial->data[k]) return false;
    }
    return true;
}

bool trial_make(const spor_statement *statement, const int64_t value[], spor_trial *trial) {
    *trial = (spor_trial){.statement = statement, .tape = spor_tape_new()};
    memcpy(trial->value, value, (size_t)statement->quantities * sizeof *value);
    if (!trial->tape) return false;
    trial->recording = statement->record(statement->user, trial->tape, value, &trial->in);
    if (trial->recording == SPOR_RECORDED && spor_error(trial->tape))
        broken(trial, spor_error(trial->tape));
    check_shapes(trial);
    if (trial->recording != SPOR_RECORDED) return true;
    return compile_trial(trial) && take_programs(trial) && take_data(trial);
}

void trial_free(spor_trial *trial) {
    for (int k = 0; k < SPOR_INPUTS; k++) free(trial->data[k]);
    spor_program_free(trial->bound);
    spor_program_free(trial->step);
    spor_tape_free(trial->tape);
    *trial = (spor_trial){0};
}

/* ---- data ---- */

int64_t trial_size(const spor_trial *trial, int k) {
    spor_shape shape = spor_shape_of(trial->in.input[k]);
    return shape_size(&shape);
}

/* The narrowest domain that an op of the tape asks for. */
static spor_domain domain_of(const spor_tape *tape) {
    spor_domain domain = SPOR_ANY;
    for (uint32_t id = 1; id < tape->count; id++) {
        const spor_op *op = tape->node[id].op;
        for (int k = 0; k < op->operands; k++)
            if (op->domain[k] == SPOR_POSITIVE || op->domain[k] == SPOR_NONZERO)
                return SPOR_POSITIVE;
        if (op->traits & SPOR_KINKED) domain = SPOR_TIE_FREE;
    }
    return domain;
}

bool trial_has_kinks(const spor_trial *trial) {
    return domain_of(trial->tape) == SPOR_TIE_FREE;
}

/* Distinct odd multiples of 1/8, in random order, around 0: no ties, none at a kink. The last draw
 * moves each by less than the least of them. */
static void draw_tie_free(double *data, int64_t size, uint64_t seed) {
    int64_t shift = size % 2 ? 2 * (int64_t)(random_hash(seed, 0, 7) % 2) : 1;
    for (int64_t k = 0; k < size; k++) data[k] = (double)(2 * k - size + shift) / 8;
    for (int64_t k = size - 1; k > 0; k--) {
        int64_t other = (int64_t)(random_hash(seed, (uint64_t)k, 7) % (uint64_t)(k + 1));
        double held = data[k];
        data[k] = data[other];
        data[other] = held;
    }
}

/* Integers -3 .. 3; the last draw takes reals. Positive: 1 .. 4, reals 0.5 .. 2.5. */
static double draw_element(uint64_t seed, int64_t k, int draw, bool positive) {
    double u = random_uniform(seed, (uint64_t)k, 11);
    if (draw == DRAWS - 1) return positive ? 0.5 + 2 * u : 4 * u - 2;
    return positive ? 1 + floor(4 * u) : floor(7 * u) - 3;
}

void trial_draw(spor_trial *trial, uint64_t seed, int draw) {
    spor_domain domain = domain_of(trial->tape);
    for (int k = 0; k < trial->in.inputs; k++) {
        uint64_t key = random_hash(seed, (uint64_t)draw, (uint64_t)k);
        int64_t size = trial_size(trial, k);
        if (domain == SPOR_TIE_FREE) draw_tie_free(trial->data[k], size, key);
        for (int64_t j = 0; j < size && domain == SPOR_TIE_FREE && draw == DRAWS - 1; j++)
            trial->data[k][j] += 0.2 * random_uniform(key, (uint64_t)j, 13) - 0.1;
        for (int64_t j = 0; j < size && domain != SPOR_TIE_FREE; j++)
            trial->data[k][j] = draw_element(key, j, draw, domain == SPOR_POSITIVE);
    }
}

/* ---- numbers ---- */

/* Both programs' elements are two doubles: value and bound, or real and imaginary part. */
void trial_fill(spor_program *program, spor_var input, const double *data, int64_t size) {
    double *to = spor_program_arg(program, input).data;
    for (int64_t k = 0; to && k < size; k++) { /* without memory it will not run */
        to[2 * k] = data[k];
        to[2 * k + 1] = 0;
    }
}

const double *trial_numbers(spor_trial *trial, spor_var x) {
    return spor_program_arg(trial->bound, x).data;
}

double trial_value(spor_trial *trial, spor_var x, int64_t k, double *bound) {
    const double *element = trial_numbers(trial, x) + 2 * k;
    if (bound) *bound = element[1];
    return element[0];
}

bool trial_run(spor_trial *trial) {
    for (int k = 0; k < trial->in.inputs; k++)
        trial_fill(trial->bound, trial->in.input[k], trial->data[k], trial_size(trial, k));
    return spor_run(trial->bound, 0);
}
