/* One instance: recorded at given sizes, compiled, filled with data, run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "program/program.h"
#include "verify/verify.h"

/* ---- making ---- */

static void broken(spor_trial *trial, const char *text) {
    trial->recording = SPOR_BROKEN;
    snprintf(trial->in.message, sizeof trial->in.message, "%s", text);
}

/* A formula of another shape is a wrong formula. */
static void check_shapes(spor_trial *trial) {
    for (int k = 0; k < trial->in.pairs && trial->recording == SPOR_RECORDED; k++) {
        char text[320];
        if (axes_misfit(trial->statement, trial->value, &trial->in, k, text, sizeof text))
            broken(trial, text), trial->misfit = true;
    }
}

/* A program that can't be had says nothing of the formula. */
static bool has_failed(spor_trial *trial, const spor_program *program) {
    const char *error = spor_program_error(program);
    if (error && program) snprintf(trial->in.message, sizeof trial->in.message, "%s", error);
    return error != NULL;
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
    if (has_failed(trial, trial->bound)) return false;
    if (!plain_compile(trial)) return false;
    if (!trial->in.y.id || steps_are_misled(trial->in.y)) return true;
    options.scalar = SPOR_C128;
    trial->step = spor_compile(trial->tape, 1, &trial->in.y, NULL, &options);
    /* of what has no meaning over complex numbers there are no complex steps */
    return trial->step && (trial->step->meaningless || !has_failed(trial, trial->step));
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
    if (in->pairs && !trial_affords(trial->plain, in->pair[0].formula, in->message, size))
        return false;
    return !trial->step || trial_affords(trial->step, in->y, in->message, size);
}

int64_t trial_size(const spor_trial *trial, int k) {
    spor_shape shape = spor_shape_of(trial->in.input[k]);
    return shape_size(&shape);
}

int64_t trial_extent(const spor_trial *trial, int k) {
    int64_t size = trial_size(trial, k);
    for (int j = k + 1; k == trial->in.dy && instance_is_cotangent(&trial->in, j); j++)
        size += trial_size(trial, j);
    return size;
}

static bool take_data(spor_trial *trial) {
    for (int k = 0; k < trial->in.inputs; k++) {
        bool behind = instance_is_cotangent(&trial->in, k) && k > trial->in.dy;
        if (behind)
            trial->data[k] = trial->data[k - 1] + trial_size(trial, k - 1);
        else
            trial->data[k] = calloc(1, bytes_for(trial_extent(trial, k) + 1, sizeof(double)));
        if (!trial->data[k]) return false;
    }
    return true;
}

bool trial_make(const spor_statement *statement, const int64_t value[], spor_trial *trial) {
    *trial =
        (spor_trial){.statement = statement, .tape = spor_tape_new(), .scale = 1, .scale_dy = 1};
    memcpy(trial->value, value, (size_t)statement->quantities * sizeof *value);
    if (!trial->tape) return false;
    trial->recording = statement->record(statement->user, trial->tape, value, &trial->in);
    if (trial->recording == SPOR_EXHAUSTED || trial->tape->exhausted) return false;
    if (trial->recording == SPOR_RECORDED && spor_error(trial->tape))
        broken(trial, spor_error(trial->tape));
    check_shapes(trial);
    if (trial->recording != SPOR_RECORDED) return true;
    if (!plain_record(trial) || !compile_trial(trial) || !take_programs(trial) || !take_data(trial))
        return false;
    double numbers[TRIAL_NUMBERS];
    points_meet(&trial->points, trial_meets(trial, numbers), numbers);
    return true;
}

void trial_free(spor_trial *trial) {
    for (int k = 0; k < SPOR_INPUTS; k++) {
        bool behind = instance_is_cotangent(&trial->in, k) && k > trial->in.dy;
        if (!behind) free(trial->data[k]);
    }
    near_free(trial);
    spor_program_free(trial->plain);
    spor_program_free(trial->bound);
    spor_program_free(trial->step);
    spor_tape_free(trial->tape);
    *trial = (spor_trial){0};
}

/* ---- data ---- */

bool trial_is_discrete(const spor_trial *trial, int input) {
    spor_range_kind kind = trial->in.range[input].kind;
    bool claimed = false;
    for (int k = 0; k < trial->in.pairs; k++) claimed |= trial->in.pair[k].wrt == input;
    return !claimed &&
           (kind == SPOR_RANGE_WHOLE || kind == SPOR_RANGE_SET || kind == SPOR_RANGE_ONE_HOT);
}

static point_input input_of(const spor_trial *trial, int k) {
    return (point_input){.number = k,
                         .shape = spor_shape_of(trial->in.input[k]),
                         .range = trial->in.range[k],
                         .cotangent = instance_is_cotangent(&trial->in, k),
                         .narrow = trial->narrow[k]};
}

/* Comparisons are of differences too: every fourth element of an input lies as far from that of the
 * one before it, of the same shape, as that is from a constant. */
static void bring_together(spor_trial *trial, uint64_t seed) {
    for (int k = 1; k < trial->in.inputs && trial->points.constants; k++) {
        point_input in = input_of(trial, k), before = input_of(trial, k - 1);
        if (in.cotangent || in.range.kind || !shape_equal(&in.shape, &before.shape)) continue;
        for (int64_t j = 0; j < trial_size(trial, k); j++) {
            uint64_t bits = random_hash(seed, (uint64_t)j, (uint64_t)(53 + k));
            if (bits % 4) continue;
            double c = trial->points.constant[(bits >> 8) % (uint64_t)trial->points.constants];
            trial->data[k][j] = trial->data[k - 1][j] + c * (bits >> 40 & 1 ? 0.5 : 1.125);
        }
    }
}

void trial_draw(spor_trial *trial, uint64_t seed, int family) {
    for (int k = 0; k < trial->in.inputs; k++) {
        point_input in = input_of(trial, k);
        points_draw(&trial->points, &in, seed, family, trial->data[k]);
        double scale = in.cotangent ? trial->scale_dy : trial->scale;
        for (int64_t j = 0; !in.range.kind && scale != 1 && j < trial_size(trial, k); j++)
            trial->data[k][j] *= scale;
    }
    if (family == POINT_CONSTANTS) bring_together(trial, seed);
    trial_moved(trial);
}

void trial_moved(spor_trial *trial) {
    trial->looked = false;
    trial->inquired = 0;
    near_free(trial);
}

/* ---- narrowing ---- */

/* How much of the gradients lies inside the domain at two draws of these families. */
static double share_at(spor_trial *trial, uint64_t seed, int family) {
    double sum = 0;
    for (uint64_t k = 0; k < 2; k++) {
        trial_draw(trial, seed + k, family);
        sum += trial_inside_share(trial) / 2;
    }
    return sum;
}

/* The operand and the narrowing by which most is won; false if nothing is. */
static bool narrow_one(spor_trial *trial, uint64_t seed, double *share) {
    int best = -1;
    point_narrow how = POINT_NOT_NARROW;
    for (int k = 0; k < trial->in.inputs; k++) {
        point_input in = input_of(trial, k);
        if (in.cotangent || in.range.kind || in.narrow) continue;
        for (int n = POINT_NOT_NARROW + 1; n < POINT_NARROWS; n++) {
            trial->narrow[k] = (point_narrow)n;
            double narrowed = share_at(trial, seed, POINT_WITHIN);
            if (narrowed > *share + 0.05) best = k, how = (point_narrow)n, *share = narrowed;
        }
        trial->narrow[k] = POINT_NOT_NARROW;
    }
    if (best >= 0) trial->narrow[best] = how;
    return best >= 0;
}

/* A few elements inside are enough: elements are judged one by one. */
bool trial_narrow(spor_trial *trial, uint64_t seed) {
    static const double enough = 0.2;
    double share = 0;
    for (int family = POINT_SLIGHT; family <= POINT_WIDE; family++)
        share += share_at(trial, seed, family) / 3;
    bool narrowed = false;
    while (share < enough && narrow_one(trial, seed, &share)) narrowed = true;
    return narrowed;
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
    trial_moved(trial);
    for (int k = 0; k < trial->in.inputs; k++)
        trial_fill(trial->bound, trial->in.input[k], trial->data[k], trial_size(trial, k));
    return spor_run(trial->bound, 0);
}
