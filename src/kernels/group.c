/*
 * The kernels of a group: a task runs the lines over its tiles; where tasks have sums of their own,
 * a second phase adds those up in the order of the tasks.
 *
 * The order of a sum: within a tile, each kept element in four chains of rows, or a row in four
 * vectors; then tile after tile; then task after task. It follows from the group alone.
 */
#include "kernels/group.h"

#include "kernels/simd.h"
#include "kernels/tasks.h"

/* One task on its way through the tiles. */
typedef struct {
    const spor_call *call;
    const spor_group *group;
    group_room room;
    int64_t index[SPOR_RANK]; /* of the tile's first element, along axes 0 .. split */
    int64_t pieces;           /* indices of axis split in the tile */
    spor_tile tile;           /* what the lines have in common */
} walk;

/* ---- boxes: the last axes of a tile, one row after the other ---- */

/* Rows along the last axis. `in_row`: a smaller tensor has the last axis (stride 1, else 0). */
typedef struct {
    int64_t rows, length;
    bool in_row;
    bool still; /* the smaller tensor is at the same place in each row */
} box;

static box box_of(const walk *w, const int64_t stride[]) {
    const spor_group *g = w->group;
    int last = g->rank - 1;
    box b = {.length = g->split == last ? w->pieces : g->n[last],
             .in_row = stride[last] != 0,
             .still = true};
    for (int k = g->split; k < last; k++) b.still = b.still && !stride[k];
    b.rows = w->tile.count / b.length;
    return b;
}

/* Where a smaller tensor is in row r of the tile. */
static int64_t row_offset(const spor_group *g, const int64_t stride[], int64_t r) {
    int64_t offset = 0;
    for (int k = g->rank - 2; k > g->split; k--) {
        offset += r % g->n[k] * stride[k];
        r /= g->n[k];
    }
    return g->split < g->rank - 1 ? offset + r * stride[g->split] : 0;
}

/* ---- repeats ---- */

static void fill(T *to, T value, int64_t count) {
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) simd_store(to + i, simd_all(value));
    if (i < count) simd_store_part(to + i, simd_all(value), count - i);
}

static void repeat(const walk *w, const int64_t stride[], const T *from, T *to) {
    box b = box_of(w, stride);
    if (b.still && !b.in_row) {
        fill(to, *from, w->tile.count);
        return;
    }
    for (int64_t r = 0; r < b.rows; r++, to += b.length) {
        const T *row = from + row_offset(w->group, stride, r);
        if (b.in_row)
            memcpy(to, row, (size_t)b.length * sizeof *to);
        else
            fill(to, *row, b.length);
    }
}

/* ---- sums ---- */

static T sum_of_row(const T *x, int64_t count) {
    vec sum[4] = {{0}, {0}, {0}, {0}};
    int64_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES)
        for (int k = 0; k < 4; k++) sum[k] += simd_load(x + i + k * LANES);
    for (; i + LANES <= count; i += LANES) sum[0] += simd_load(x + i);
    if (i < count) sum[1] += simd_load_part(x + i, count - i);
    return simd_lanes_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/* to[j] += the rows' x[j] */
static void add_columns(T *to, const T *x, int64_t rows, int64_t length) {
    for (int64_t j = 0; j < length; j += LANES) {
        int64_t lanes = carve_least(LANES, length - j), r = 0;
        vec sum[4] = {{0}, {0}, {0}, {0}};
        const T *row = x + j;
        for (; r + 4 <= rows; r += 4, row += 4 * length)
            for (int k = 0; k < 4; k++) sum[k] += simd_load_part(row + k * length, lanes);
        for (; r < rows; r++, row += length) sum[0] += simd_load_part(row, lanes);
        vec all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        simd_store_part(to + j, simd_load_part(to + j, lanes) + all, lanes);
    }
}

static void add_up(const walk *w, const int64_t stride[], const T *x, T *to) {
    box b = box_of(w, stride);
    if (b.still && b.in_row) {
        add_columns(to, x, b.rows, b.length);
    } else if (b.still) {
        *to += sum_of_row(x, w->tile.count);
    } else {
        for (int64_t r = 0; r < b.rows; r++, x += b.length) {
            T *row = to + row_offset(w->group, stride, r);
            if (b.in_row)
                add_columns(row, x, 1, b.length);
            else
                *row += sum_of_row(x, b.length);
        }
    }
}

/* ---- lines ---- */

static void run_line(walk *w, const spor_line *line) {
    void *const *place = w->room.place;
    const spor_argument *argument = w->group->argument;
    if (line->role == SPOR_MAPS) {
        for (int k = 0; k < line->operands; k++) w->tile.in[k] = place[line->in[k]];
        w->tile.out = place[line->out];
        w->tile.attr = line->attr;
        w->tile.mask = line->mask;
        line->kernel(&w->tile);
    } else if (line->uniform) {
        fill(place[line->out], *(const T *)place[line->in[0]], LANES);
    } else if (line->role == SPOR_REPEATS) {
        repeat(w, argument[line->in[0]].stride, place[line->in[0]], place[line->out]);
    } else {
        add_up(w, argument[line->out].stride, place[line->in[0]], place[line->out]);
    }
}

static void run_lines(walk *w, bool once) {
    for (int l = 0; l < w->group->lines; l++)
        if (w->group->line[l].once == once) run_line(w, &w->group->line[l]);
}

/* ---- a task ---- */

/* A task's copy of a sum. */
static T *copy_of(const spor_call *call, int64_t task, const spor_argument *argument) {
    return (T *)task_result(call, task) + argument->offset;
}

static void begin(walk *w, int64_t task) {
    const spor_group *g = w->group;
    spor_carver carver = {.base = w->call->scratch};
    w->room = group_carve(&carver, g, sizeof(T));
    w->tile.step = w->call->step;
    for (int a = 0; a < g->arguments; a++) {
        const spor_argument *argument = &g->argument[a];
        w->room.base[a] = w->call->partial && argument->own ? copy_of(w->call, task, argument)
                                                            : w->call->in[a].data;
    }
    for (int k = 0; k < g->slots; k++)
        w->room.place[g->arguments + k] = (T *)w->room.slots + k * g->slot;
}

/* Elements start .. end of each sum are this task's: those at its indices of axis 0, or all. */
static void clear_sums(const walk *w, int64_t from, int64_t to) {
    for (int a = 0; a < w->group->arguments; a++) {
        const spor_argument *argument = &w->group->argument[a];
        if (!argument->sum) continue;
        int64_t stride = argument->stride[0];
        int64_t start = stride * from, count = stride ? stride * (to - from) : argument->size;
        memset((T *)w->room.base[a] + start, 0, (size_t)count * sizeof(T));
    }
}

/* The tile at w->index; the other axes are whole. */
static void find_tile(walk *w, int64_t end) {
    const spor_group *g = w->group;
    int64_t first = 0;
    w->pieces = carve_least(g->piece, (g->split ? g->n[g->split] : end) - w->index[g->split]);
    w->tile.count = w->pieces * g->inner;
    for (int k = 0; k <= g->split; k++) first = first * g->n[k] + w->index[k];
    w->tile.first = first * g->inner;
    for (int a = 0; a < g->arguments; a++) {
        int64_t offset = 0;
        for (int k = 0; k <= g->split; k++) offset += w->index[k] * g->argument[a].stride[k];
        w->room.place[a] = (T *)w->room.base[a] + offset;
    }
}

/* The next tile before index `end` of axis 0; false after the last. */
static bool next_tile(walk *w, int64_t end) {
    const spor_group *g = w->group;
    for (int k = g->split; k > 0; k--) {
        w->index[k] += k == g->split ? g->piece : 1;
        if (w->index[k] < g->n[k]) return true;
        w->index[k] = 0;
    }
    w->index[0] += g->split ? 1 : g->piece;
    return w->index[0] < end;
}

FAST_KERNEL(group) {
    const spor_group *g = c->group;
    task_part part = task_part_of(c, SPOR_WORK, task, g->units);
    int64_t from = part.first * g->unit, end = carve_least(part.end * g->unit, g->n[0]);
    walk w = {.call = c, .group = g, .index = {from}};
    begin(&w, task);
    clear_sums(&w, from, end);
    find_tile(&w, end);
    run_lines(&w, true);
    run_lines(&w, false);
    while (next_tile(&w, end)) {
        find_tile(&w, end);
        run_lines(&w, false);
    }
}

/* Elements first .. end - 1 of a sum, from the copies of all tasks in their order. */
static void total(const spor_call *c, int a, int64_t first, int64_t end) {
    for (int64_t i = first; i < end; i += LANES) {
        int64_t lanes = carve_least(LANES, end - i);
        vec sum = {0};
        for (int64_t t = 0; t < c->need->tasks[SPOR_WORK]; t++)
            sum += simd_load_part(copy_of(c, t, &c->group->argument[a]) + i, lanes);
        simd_store_part((T *)c->in[a].data + i, sum, lanes);
    }
}

/* A task has some of the elements of all copies. */
FAST_KERNEL(group_totals) {
    const spor_group *g = c->group;
    task_part part = task_part_of(c, SPOR_FINISH, task, g->own);
    for (int a = 0; a < g->arguments; a++) {
        const spor_argument *argument = &g->argument[a];
        if (argument->own)
            total(c, a, carve_most(part.first - argument->offset, 0),
                  carve_least(part.end - argument->offset, argument->size));
    }
}
