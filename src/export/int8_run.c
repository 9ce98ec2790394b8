/* Runs the steps of a plan: the functions that files have, on arrays of their own. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "export/int8.h"

#include "export/int8_portable.c"

/* ---- arguments ---- */

static int8_t *bytes(const int8_machine *m, const int8_step *s, int k) {
    const int8_argument *a = &s->argument[k];
    if (a->kind == INT8_CONSTANT) return a->whole < 0 ? NULL : m->plan->constant[a->whole].value;
    return m->bytes + m->plan->buffer[a->whole].offset;
}

static float *floats(const int8_machine *m, const int8_step *s, int k) {
    const int8_argument *a = &s->argument[k];
    return m->floats + m->plan->buffer[a->whole].offset + a->from;
}

static int32_t *longs(const int8_machine *m, const int8_step *s, int k) {
    return m->plan->constant[s->argument[k].whole].value;
}

static uint8_t *shifts(const int8_machine *m, const int8_step *s, int k) {
    return m->plan->constant[s->argument[k].whole].value;
}

static int whole(const int8_step *s, int k) {
    return (int)s->argument[k].whole;
}

/* ---- calls ---- */

static void run_quantize(const int8_machine *m, const int8_step *s) {
    net_int8_quantize(bytes(m, s, 0), floats(m, s, 1), (float)s->argument[2].real, whole(s, 3),
                      whole(s, 4));
}

static void run_dequantize(const int8_machine *m, const int8_step *s) {
    net_int8_dequantize(floats(m, s, 0), bytes(m, s, 1), (float)s->argument[2].real, whole(s, 3),
                        whole(s, 4));
}

static void run_rows(const int8_machine *m, const int8_step *s) {
    net_int8_rows(bytes(m, s, 0), bytes(m, s, 1), bytes(m, s, 2), longs(m, s, 3), longs(m, s, 4),
                  shifts(m, s, 5), whole(s, 6), whole(s, 7), whole(s, 8), whole(s, 9), whole(s, 10),
                  whole(s, 11));
}

static void run_correlate(const int8_machine *m, const int8_step *s) {
    net_int8_correlate(bytes(m, s, 0), bytes(m, s, 1), bytes(m, s, 2), bytes(m, s, 3),
                       longs(m, s, 4), longs(m, s, 5), shifts(m, s, 6), whole(s, 7), whole(s, 8),
                       whole(s, 9), whole(s, 10), whole(s, 11), whole(s, 12), whole(s, 13),
                       whole(s, 14), whole(s, 15), whole(s, 16), whole(s, 17), whole(s, 18));
}

static void run_apart(const int8_machine *m, const int8_step *s) {
    net_int8_apart(bytes(m, s, 0), bytes(m, s, 1), bytes(m, s, 2), longs(m, s, 3), longs(m, s, 4),
                   shifts(m, s, 5), whole(s, 6), whole(s, 7), whole(s, 8), whole(s, 9),
                   whole(s, 10), whole(s, 11), whole(s, 12), whole(s, 13), whole(s, 14),
                   whole(s, 15), whole(s, 16), whole(s, 17));
}

static void run_largest(const int8_machine *m, const int8_step *s) {
    net_int8_largest(bytes(m, s, 0), bytes(m, s, 1), whole(s, 2), whole(s, 3), whole(s, 4),
                     whole(s, 5), whole(s, 6), whole(s, 7), whole(s, 8), whole(s, 9), whole(s, 10),
                     whole(s, 11), whole(s, 12));
}

static void run_look_up(const int8_machine *m, const int8_step *s) {
    net_int8_look_up(bytes(m, s, 0), bytes(m, s, 1), bytes(m, s, 2), whole(s, 3));
}

static void run_add(const int8_machine *m, const int8_step *s) {
    net_int8_add(bytes(m, s, 0), bytes(m, s, 1), bytes(m, s, 2), whole(s, 3), whole(s, 4),
                 whole(s, 5), whole(s, 6), whole(s, 7), whole(s, 8), whole(s, 9), whole(s, 10),
                 whole(s, 11));
}

static void run_multiply(const int8_machine *m, const int8_step *s) {
    net_int8_multiply(bytes(m, s, 0), bytes(m, s, 1), bytes(m, s, 2), whole(s, 3), whole(s, 4),
                      whole(s, 5), whole(s, 6), whole(s, 7), whole(s, 8), whole(s, 9), whole(s, 10),
                      whole(s, 11));
}

/* ---- what is no call ---- */

static void copy_axis_of(const copy_box *box, int axis, int8_t *to, const int8_t *from) {
    if (axis == box->axes) {
        *to = *from;
        return;
    }
    for (int64_t k = 0; k < box->axis[axis].n; k++)
        copy_axis_of(box, axis + 1, to + k * box->axis[axis].to, from + k * box->axis[axis].from);
}

static void run_copy(const int8_machine *m, const int8_step *s) {
    for (int k = 0; k < s->moves->count; k++) {
        const copy_move *move = &s->moves->move[k];
        const int8_t fill = (int8_t)move->value;
        copy_box box = move->box;
        for (int a = 0; move->operand < 0 && a < box.axes; a++) box.axis[a].from = 0;
        if (move->operand < 0) box.from = 0;
        const int8_t *from = move->operand < 0 ? &fill : bytes(m, s, move->operand + 1);
        copy_axis_of(&box, 0, bytes(m, s, 0) + box.to, from + box.from);
    }
}

/* A program of floats: y of x. */
static void run_floats(const int8_machine *m, const int8_step *s) {
    const int8_island *island = s->island;
    spor_arg x = spor_program_arg(island->program, island->x);
    if (!x.data) return;
    memcpy(x.data, floats(m, s, 1), (size_t)x.shape.n[0] * sizeof(float));
    if (!spor_run(island->program, 0)) return;
    const spor_arg y = spor_program_arg(island->program, island->y);
    memcpy(floats(m, s, 0), y.data, (size_t)y.shape.n[0] * sizeof(float));
}

#define FORM(form, function_, written_, shares_, run_, ...)                                        \
    const int8_form form = {.function = function_,                                                 \
                            .names = {__VA_ARGS__},                                                \
                            .written = written_,                                                   \
                            .shares = shares_,                                                     \
                            .run = run_}

FORM(int8_quantizes, "net_int8_quantize", 1, false, run_quantize, "out", "x");
FORM(int8_dequantizes, "net_int8_dequantize", 1, false, run_dequantize, "out", "x");
FORM(int8_rows_form, "net_int8_rows", 1, false, run_rows, "out", "x");
FORM(int8_correlates, "net_int8_correlate", 5, false, run_correlate, "out", "x", "cells");
FORM(int8_apart, "net_int8_apart", 1, false, run_apart, "out", "x");
FORM(int8_largest, "net_int8_largest", 1, false, run_largest, "out", "x");
FORM(int8_looks_up, "net_int8_look_up", 1, true, run_look_up, "out", "x");
FORM(int8_adds, "net_int8_add", 1, true, run_add, "out", "a", "b");
FORM(int8_multiplies, "net_int8_multiply", 1, true, run_multiply, "out", "a", "b");
FORM(int8_copies, NULL, 1, false, run_copy, NULL);
FORM(int8_floats, NULL, 5, false, run_floats, "y", "x", "arena");

/* ---- the whole ---- */

bool int8_machine_make(int8_machine *m, const int8_plan *plan) {
    *m = (int8_machine){.plan = plan};
    m->bytes = malloc(plan->bytes + 1);
    m->floats = malloc(bytes_for((int64_t)plan->floats + 1, sizeof *m->floats));
    return m->bytes && m->floats;
}

void int8_machine_end(int8_machine *m) {
    free(m->bytes);
    free(m->floats);
}

const char *int8_run(int8_machine *m, const float *x, float *y, int8_t *x8, int8_t *y8) {
    const int8_plan *plan = m->plan;
    const int8_code in = plan->graph.node[plan->graph.input].code, out = plan->y_code;
    const int8_buffer *last = &plan->buffer[plan->y];
    const int columns = (int)int8_size(&plan->graph, plan->graph.result);
    int8_t *first = m->bytes + plan->buffer[INT8_X].offset;
    net_int8_quantize(first, x, (float)(1 / in.scale), in.zero, (int)plan->buffer[INT8_X].count);
    if (x8) memcpy(x8, first, (size_t)plan->buffer[INT8_X].count);
    for (uint32_t k = 0; k < plan->steps; k++) {
        const int8_step *step = &plan->step[k];
        step->form->run(m, step);
        const char *error = step->island ? spor_program_error(step->island->program) : NULL;
        if (error) return error;
    }
    const float *made = m->floats + last->offset + plan->y_from;
    const int8_t *bytes_made = m->bytes + last->offset;
    if (last->floats) {
        memcpy(y, made, (size_t)columns * sizeof *y);
        if (y8) net_int8_quantize(y8, made, (float)(1 / out.scale), out.zero, columns);
    } else {
        net_int8_dequantize(y, bytes_made, (float)out.scale, out.zero, columns);
        if (y8) memcpy(y8, bytes_made, (size_t)columns);
    }
    return NULL;
}
