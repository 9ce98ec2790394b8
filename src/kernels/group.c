/*
 * The kernels of a group: a task runs the lines over its tiles; where tasks have folds of their own,
 * a second phase folds those in the order of the tasks.
 *
 * The order of a sum: within a tile, each kept element in four chains of rows, or a row in four
 * vectors; then tile after tile; then task after task. It follows from the group alone. Tiles may be
 * many: what rounding takes of each of their additions is found exactly (Knuth's TwoSum) and added at
 * the end, so that long sums are as good as those of a tile and of the tasks.
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

/* ---- boxes: what an element, or a row, of a smaller tensor stands for in a tile ---- */

/* Boxes that follow each other, each of rows along the last axis, in which the smaller tensor stays where it
 * is. How many there are may depend on the tile, what one is does not: sums of a sample are the same in tiles of
 * several. */
typedef struct {
    int64_t boxes, rows, length;
    bool in_row; /* it has the last axis (stride 1, else 0); if not a box is one row */
    int first;   /* the first axis inside of a box */
} box;

static int64_t indices_of(const walk *w, int axis) {
    return axis == w->group->split ? w->pieces : w->group->n[axis];
}

static box box_of(const walk *w, const int64_t stride[]) {
    const spor_group *g = w->group;
    int last = g->rank - 1;
    box b = {.rows = 1, .length = indices_of(w, last), .in_row = stride[last] != 0, .first = last};
    while (b.first > g->split && !stride[b.first - 1]) b.rows *= indices_of(w, --b.first);
    if (!b.in_row) {
        b.length *= b.rows;
        b.rows = 1;
    }
    b.boxes = w->tile.count / (b.rows * b.length);
    return b;
}

/* A box on the way through the tile, and where the smaller tensor is in it. */
typedef struct {
    int64_t index[SPOR_RANK], offset;
} box_place;

SPOR_INLINE void next_box(const spor_group *g, const int64_t stride[], const box *b,
                          box_place *at) {
    int axis = b->first - 1;
    for (; axis > g->split; axis--) {
        at->offset += stride[axis];
        if (++at->index[axis] < g->n[axis]) return;
        at->offset -= g->n[axis] * stride[axis];
        at->index[axis] = 0;
    }
    if (axis >= 0) at->offset += stride[axis];
}

/* ---- repeats ---- */

static void fill(T *to, T value, int64_t count) {
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) simd_store(to + i, simd_all(value));
    if (i < count) simd_store_part(to + i, simd_all(value), count - i);
}

/* What there are `count` of, one behind the other, is made of the first. */
static void copy_first(T *to, int64_t size, int64_t count) {
    int64_t made = 1;
    for (; 2 * made <= count; made *= 2)
        memcpy(to + made * size, to, (size_t)(made * size) * sizeof *to);
    memcpy(to + made * size, to, (size_t)((count - made) * size) * sizeof *to);
}

/* Axes `axis` and on of a tile, at `to`, of a smaller tensor that is there at `from`; how many elements that is.
 * Along an axis that it has not, the same comes again. */
static int64_t repeat_axes(const walk *w, const int64_t stride[], int axis, const T *from, T *to) {
    int64_t count = indices_of(w, axis);
    if (axis == w->group->rank - 1) {
        if (stride[axis])
            memcpy(to, from, (size_t)count * sizeof *to);
        else
            fill(to, *from, count);
        return count;
    }
    int64_t size = repeat_axes(w, stride, axis + 1, from, to);
    if (!stride[axis])
        copy_first(to, size, count);
    else
        for (int64_t k = 1; k < count; k++)
            repeat_axes(w, stride, axis + 1, from + k * stride[axis], to + k * size);
    return count * size;
}

static void repeat(const walk *w, const int64_t stride[], const T *from, T *to) {
    repeat_axes(w, stride, w->group->split, from, to);
}

/* ---- folds: many elements become one, their sum or the largest ---- */

/* What a fold begins with. */
SPOR_INLINE T start_of(spor_tile_role role) {
    return role == SPOR_LARGEST ? -(T)INFINITY : 0;
}

SPOR_INLINE vec folded(spor_tile_role role, vec so_far, vec x) {
    return role == SPOR_LARGEST ? simd_select(lanes_win(x, so_far), x, so_far) : so_far + x;
}

SPOR_INLINE T folded_lanes(spor_tile_role role, vec v) {
    return role == SPOR_LARGEST ? simd_lanes_most(v) : simd_lanes_sum(v);
}

/* What is folded: x, or its product with y. */
SPOR_INLINE vec load_folded(const T *x, const T *y, int64_t i, int64_t lanes) {
    vec v = simd_load_part(x + i, lanes);
    return y ? v * simd_load_part(y + i, lanes) : v;
}

/* A row as a vector of which the lanes are still to be folded. */
SPOR_INLINE vec folded_row(spor_tile_role role, const T *x, const T *y, int64_t count) {
    const vec start = simd_all(start_of(role));
    vec chain[4] = {start, start, start, start};
    int64_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES)
        for (int k = 0; k < 4; k++)
            chain[k] = folded(role, chain[k], load_folded(x, y, i + k * LANES, LANES));
    for (; i + LANES <= count; i += LANES)
        chain[0] = folded(role, chain[0], load_folded(x, y, i, LANES));
    if (i < count) {
        vec rest = load_folded(x, y, i, count - i);
        if (role == SPOR_LARGEST) rest = simd_select(simd_first_lanes(count - i), rest, start);
        chain[1] = folded(role, chain[1], rest);
    }
    return folded(role, folded(role, chain[0], chain[1]), folded(role, chain[2], chain[3]));
}

/* As many rows as a vector has lanes, one behind the other: lane by lane what folded_lanes makes of each. */
SPOR_INLINE vec folded_rows(spor_tile_role role, const T *x, const T *y, int64_t count) {
    vec row[LANES];
    for (int r = 0; r < (int)LANES; r++)
        row[r] = folded_row(role, x + r * count, y ? y + r * count : NULL, count);
    simd_turn_square(row);
    SPOR_UNROLL for (int half = (int)LANES / 2; half; half /= 2) {
        SPOR_UNROLL for (int k = 0; k < half; k++) row[k] = folded(role, row[k], row[k + half]);
    }
    return row[0];
}

/* Some lanes of to meet x; low, if there is one, += what the sum loses. */
SPOR_INLINE void fold_vector(spor_tile_role role, T *to, T *low, vec x, int64_t lanes) {
    vec before = simd_load_part(to, lanes), after = folded(role, before, x);
    if (low) {
        vec added = after - before, lost = (before - (after - added)) + (x - added);
        simd_store_part(low, simd_load_part(low, lanes) + lost, lanes);
    }
    simd_store_part(to, after, lanes);
}

/* The same of a number. */
SPOR_INLINE void fold_number(spor_tile_role role, T *to, T *low, T x) {
    T before = *to, after = role == SPOR_LARGEST ? simd_more(before, x) : before + x;
    T added = after - before;
    if (low) *low += (before - (after - added)) + (x - added);
    *to = after;
}

/* to[j] meets the rows' x[j], or x[j] y[j] */
SPOR_INLINE void fold_columns(spor_tile_role role, T *to, T *low, const T *x, const T *y,
                              int64_t rows, int64_t length) {
    const vec start = simd_all(start_of(role));
    for (int64_t j = 0; j < length; j += LANES) {
        int64_t lanes = carve_least(LANES, length - j), r = 0, at = j;
        vec chain[4] = {start, start, start, start};
        for (; r + 4 <= rows; r += 4, at += 4 * length)
            for (int k = 0; k < 4; k++)
                chain[k] = folded(role, chain[k], load_folded(x, y, at + k * length, lanes));
        for (; r < rows; r++, at += length)
            chain[0] = folded(role, chain[0], load_folded(x, y, at, lanes));
        vec all = folded(role, folded(role, chain[0], chain[1]), folded(role, chain[2], chain[3]));
        fold_vector(role, to + j, low ? low + j : NULL, all, lanes);
    }
}

/* Boxes that are rows become a number each; several at a time, of which the lanes are folded side by side. */
SPOR_INLINE void fold_rows(spor_tile_role role, const walk *w, const int64_t stride[], const box *b,
                           T *to, T *low, const T *x, const T *y) {
    box_place place = {.offset = 0};
    for (int64_t k = 0, n; k < b->boxes; k += n) {
        const T *row_x = x + k * b->length, *row_y = y ? y + k * b->length : NULL;
        T folded[LANES];
        n = b->boxes - k < LANES ? 1 : LANES;
        if (n == 1)
            *folded = folded_lanes(role, folded_row(role, row_x, row_y, b->length));
        else
            simd_store(folded, folded_rows(role, row_x, row_y, b->length));
        for (int64_t i = 0; i < n; i++, next_box(w->group, stride, b, &place))
            fold_number(role, to + place.offset, low ? low + place.offset : NULL, folded[i]);
    }
}

/* Argument a is a fold: it gets the tile's elements x, or x y. */
SPOR_INLINE void fold(spor_tile_role role, const walk *w, int a, const T *x, const T *y) {
    const spor_argument *argument = &w->group->argument[a];
    const int64_t *stride = argument->stride;
    box b = box_of(w, stride);
    T *to = w->room.place[a], *low = NULL;
    if (argument->carries)
        low = (T *)w->room.low + argument->low + (to - (const T *)w->room.base[a]);
    if (!b.in_row) {
        fold_rows(role, w, stride, &b, to, low, x, y);
        return;
    }
    box_place place = {.offset = 0};
    for (int64_t k = 0, size = b.rows * b.length; k < b.boxes;
         k++, next_box(w->group, stride, &b, &place))
        fold_columns(role, to + place.offset, low ? low + place.offset : NULL, x + k * size,
                     y ? y + k * size : NULL, b.rows, b.length);
}

static void add_up(const walk *w, int a, const T *x) {
    fold(SPOR_SUMS, w, a, x, NULL);
}

static void add_up_products(const walk *w, int a, const T *x, const T *y) {
    if (y) fold(SPOR_SUMS, w, a, x, y);
}

static void find_largest(const walk *w, int a, const T *x) {
    fold(SPOR_LARGEST, w, a, x, NULL);
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
    } else if (line->operands == 2) {
        add_up_products(w, line->out, place[line->in[0]], place[line->in[1]]);
    } else {
        (line->role == SPOR_SUMS ? add_up : find_largest)(w, line->out, place[line->in[0]]);
    }
}

static void run_lines(walk *w, bool once) {
    for (int l = 0; l < w->group->lines; l++)
        if (w->group->line[l].once == once) run_line(w, &w->group->line[l]);
}

/* out[i] = in[0][i] past the caches: in whole vectors of memory, as far as it has such. */
extern spor_tile_kernel SPOR_BUILT(spor_tile_stream);
void SPOR_BUILT(spor_tile_stream)(const spor_tile *t) {
    const T *from = t->in[0];
    T *to = t->out;
    int64_t beside = (int64_t)((uintptr_t)to % sizeof(vec) / sizeof(T));
    int64_t i = beside ? carve_least(LANES - beside, t->count) : 0;
    if (i) simd_store_part(to, simd_load_part(from, i), i);
    for (; i + LANES <= t->count; i += LANES) simd_stream(to + i, simd_load(from + i));
    if (i < t->count) simd_store_part(to + i, simd_load_part(from + i, t->count - i), t->count - i);
}

/* ---- a task ---- */

/* A task's copy of a fold. */
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

/* The elements of a fold that a task changes, for its indices from .. end - 1 of axis 0. */
static task_part part_of_fold(const spor_argument *argument, int64_t from, int64_t end) {
    int64_t stride = argument->stride[0];
    return stride ? (task_part){stride * from, stride * end} : (task_part){0, argument->size};
}

static void start_folds(const walk *w, int64_t from, int64_t end) {
    for (int a = 0; a < w->group->arguments; a++) {
        const spor_argument *argument = &w->group->argument[a];
        if (!role_folds(argument->role)) continue;
        task_part part = part_of_fold(argument, from, end);
        int64_t count = part.end - part.first;
        fill((T *)w->room.base[a] + part.first, start_of(argument->role), count);
        if (argument->carries) fill((T *)w->room.low + argument->low + part.first, 0, count);
    }
}

/* Sums with what rounding took of them; where they are no finite numbers that is none. */
static void settle_sums(const walk *w, int64_t from, int64_t end) {
    for (int a = 0; a < w->group->arguments; a++) {
        const spor_argument *argument = &w->group->argument[a];
        task_part part = part_of_fold(argument, from, end);
        T *sum = w->room.base[a], *low = (T *)w->room.low + argument->low;
        for (int64_t i = part.first; argument->carries && i < part.end; i += LANES) {
            int64_t lanes = carve_least(LANES, part.end - i);
            vec high = simd_load_part(sum + i, lanes), both = high + simd_load_part(low + i, lanes);
            simd_store_part(sum + i, simd_select(both == both, both, high), lanes);
        }
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

/* Asks for what the next tile reads: the lines jump from array to array, which the processor does
 * not foresee. */
static void fetch_next(const walk *w) {
    const spor_group *g = w->group;
    const int64_t line = 64 / (int64_t)sizeof(T);
    for (int a = 0; a < g->arguments; a++) {
        const spor_argument *argument = &g->argument[a];
        if (!argument->stride[0] || !argument->stride[g->rank - 1] || argument->streams) continue;
        const T *next = (const T *)w->room.place[a] + w->tile.count;
        for (int64_t i = 0; i < w->tile.count; i += line) __builtin_prefetch(next + i, 0, 3);
    }
}

FAST_KERNEL(group) {
    const spor_group *g = c->group;
    task_part part = task_part_of(c, SPOR_WORK, task, g->units);
    int64_t from = part.first * g->unit, end = carve_least(part.end * g->unit, g->n[0]);
    walk w = {.call = c, .group = g, .index = {from}};
    begin(&w, task);
    start_folds(&w, from, end);
    find_tile(&w, end);
    run_lines(&w, true);
    fetch_next(&w);
    run_lines(&w, false);
    while (next_tile(&w, end)) {
        find_tile(&w, end);
        fetch_next(&w);
        run_lines(&w, false);
    }
    if (g->low) settle_sums(&w, from, end);
    if (g->streams) simd_flush();
}

/* Elements first .. end - 1 of a fold, from the copies of all tasks in their order. */
static void total(const spor_call *c, int a, int64_t first, int64_t end) {
    const spor_argument *argument = &c->group->argument[a];
    for (int64_t i = first; i < end; i += LANES) {
        int64_t lanes = carve_least(LANES, end - i);
        vec all = simd_all(start_of(argument->role));
        for (int64_t t = 0; t < c->need->tasks[SPOR_WORK]; t++)
            all = folded(argument->role, all, simd_load_part(copy_of(c, t, argument) + i, lanes));
        simd_store_part((T *)c->in[a].data + i, all, lanes);
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
