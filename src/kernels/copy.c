#include "kernels/copy.h"

/* ---- the box ---- */

/* Appends an axis inside of the others, or makes the last one longer by it. */
static void add_axis(copy_box *box, copy_axis axis) {
    copy_axis *last = &box->axis[box->axes ? box->axes - 1 : 0];
    if (axis.n == 1) return;
    if (box->axes && last->to == axis.to * axis.n && last->from == axis.from * axis.n)
        *last = (copy_axis){last->n * axis.n, axis.to, axis.from};
    else
        box->axis[box->axes++] = axis;
}

/* False if the box is empty. */
static bool simplify(const copy_box *box, copy_box *simple) {
    *simple = (copy_box){.to = box->to, .from = box->from};
    for (int k = 0; k < box->axes; k++) {
        if (box->axis[k].n < 1) return false;
        add_axis(simple, box->axis[k]);
    }
    return true;
}

/* The axis that is cut between tasks: the outermost of the result that all can have a part of, so that each
 * writes in one place, else the longest. */
static copy_axis *axis_cut(copy_box *box, int64_t tasks) {
    copy_axis *longest = box->axis;
    for (int k = 0; k < box->axes; k++) {
        copy_axis *axis = &box->axis[k];
        if (axis->n >= tasks) return axis;
        if (axis->n > longest->n) longest = axis;
    }
    return longest;
}

/* A task's part of a box; false if it has none. */
static bool take_part(const spor_call *c, int64_t task, copy_box *box) {
    if (!box->axes) return task == 0;
    copy_axis *cut = axis_cut(box, c->need->tasks[SPOR_WORK]);
    task_part part = task_part_of(c, SPOR_WORK, task, cut->n);
    box->to += part.first * cut->to;
    box->from += part.first * cut->from;
    cut->n = part.end - part.first;
    return cut->n > 0;
}

/* Takes axis k out of the box. */
static copy_axis take_axis(copy_box *box, int k) {
    copy_axis axis = box->axis[k];
    box->axes--;
    for (; k < box->axes; k++) box->axis[k] = box->axis[k + 1];
    return axis;
}

/* ---- two axes ---- */

/* rows x cols elements of a box. */
typedef struct {
    T *to;
    const T *from;
    copy_axis row, col;
} plane;

typedef void plane_copy(const plane *p);

/* A run of whole vectors ends with one that overlaps the one before it. */
SPOR_INLINE void copy_run(T *to, const T *from, int64_t count) {
    if (count < LANES) {
        simd_store_part(to, simd_load_part(from, count), count);
        return;
    }
    for (int64_t k = 0; k < count - LANES; k += LANES) simd_store(to + k, simd_load(from + k));
    simd_store(to + count - LANES, simd_load(from + count - LANES));
}

void copy_rows(T *to, int64_t apart, const T *from, int64_t of, int64_t rows, int64_t count) {
    for (int64_t r = 0; r < rows; r++) copy_run(to + r * apart, from + r * of, count);
}

static void copy_runs(const plane *p) {
    copy_rows(p->to, p->row.to, p->from, p->row.from, p->row.n, p->col.n);
}

SPOR_INLINE void repeat_run(T *to, vec v, int64_t count) {
    if (count < LANES) {
        simd_store_part(to, v, count);
        return;
    }
    for (int64_t k = 0; k < count - LANES; k += LANES) simd_store(to + k, v);
    simd_store(to + count - LANES, v);
}

static void repeat_runs(const plane *p) {
    for (int64_t r = 0; r < p->row.n; r++)
        repeat_run(p->to + r * p->row.to, simd_all(p->from[r * p->row.from]), p->col.n);
}

/* One by one, the longer axis inside. */
static void copy_each(const plane *p) {
    bool turned = p->row.n > p->col.n;
    copy_axis outer = turned ? p->col : p->row, inner = turned ? p->row : p->col;
    for (int64_t i = 0; i < outer.n; i++) {
        T *to = p->to + i * outer.to;
        const T *from = p->from + i * outer.from;
        for (int64_t k = 0; k < inner.n; k++) to[k * inner.to] = from[k * inner.from];
    }
}

/* from[0], from[-1], ... */
SPOR_INLINE void reverse_run(T *to, const T *from, int64_t count) {
    int64_t k = 0;
    for (; k + LANES <= count; k += LANES)
        simd_store(to + k, simd_turn_back(simd_load(from - k - LANES + 1)));
    for (; k < count; k++) to[k] = from[-k];
}

static void reverse_runs(const plane *p) {
    for (int64_t r = 0; r < p->row.n; r++)
        reverse_run(p->to + r * p->row.to, p->from + r * p->row.from, p->col.n);
}

/* At most LANES rows of at most LANES columns: columns are read, rows written. */
SPOR_INLINE void turn_square(T *to, const T *from, int64_t row_to, int64_t col_from, int64_t rows,
                             int64_t cols) {
    vec v[LANES];
    if (rows == LANES && cols == LANES) {
        SPOR_UNROLL for (int k = 0; k < (int)LANES; k++) v[k] = simd_load(from + k * col_from);
        simd_turn_square(v);
        SPOR_UNROLL for (int k = 0; k < (int)LANES; k++) simd_store(to + k * row_to, v[k]);
        return;
    }
    for (int64_t k = 0; k < LANES; k++)
        v[k] = k < cols ? simd_load_part(from + k * col_from, rows) : (vec){0};
    simd_turn_square(v);
    for (int64_t k = 0; k < rows; k++) simd_store_part(to + k * row_to, v[k], cols);
}

/* Where the next of squares begins: the last one overlaps the one before it. */
SPOR_INLINE int64_t next_square(int64_t at, int64_t n) {
    return at + LANES < n ? carve_least(at + LANES, n - LANES) : n;
}

/* Columns of a block: as many runs are read side by side. */
enum { BLOCK = 128 };

/* Rows lie side by side in what is read, columns in the result. */
static void turn_plane(const plane *p) {
    int64_t rows = carve_least(p->row.n, LANES);
    for (int64_t first = 0; first < p->col.n; first += BLOCK) {
        int64_t block = carve_least(BLOCK, p->col.n - first), cols = carve_least(block, LANES);
        for (int64_t i = 0; i < p->row.n; i = next_square(i, p->row.n)) {
            T *to = p->to + i * p->row.to + first;
            const T *from = p->from + i + first * p->col.from;
            for (int64_t j = 0; j < block; j = next_square(j, block))
                turn_square(to + j, from + j * p->col.from, p->row.to, p->col.from, rows, cols);
        }
    }
}

/* ---- all axes ---- */

/* The axis whose elements lie side by side in what is read, else the innermost. */
static int choose_row(const copy_box *box) {
    for (int k = box->axes - 1; k >= 0; k--)
        if (box->axis[k].from == 1) return k;
    return box->axes - 1;
}

/* Squares of few rows or columns cost more than their elements one by one. */
static bool is_worth_turning(copy_axis row, copy_axis col) {
    return row.from == 1 && 4 * row.n > LANES && 4 * col.n > LANES;
}

static plane_copy *choose_copy(copy_axis row, copy_axis col) {
    if (col.to != 1) return copy_each;
    if (col.from == 1) return copy_runs;
    if (col.from == 0) return repeat_runs;
    if (col.from == -1) return reverse_runs;
    return is_worth_turning(row, col) ? turn_plane : copy_each;
}

/* False after the last one. */
static bool next_plane(const copy_box *box, int64_t index[], plane *p) {
    for (int k = box->axes - 1; k >= 0; k--) {
        const copy_axis *axis = &box->axis[k];
        p->to += axis->to;
        p->from += axis->from;
        if (++index[k] < axis->n) return true;
        p->to -= axis->n * axis->to;
        p->from -= axis->n * axis->from;
        index[k] = 0;
    }
    return false;
}

/* What is read was computed where it is to be. */
static bool lies_there(const spor_call *c, const copy_box *box, const T *from) {
    bool there = from + box->from == (const T *)c->out.data + box->to;
    for (int k = 0; k < box->axes; k++) there = there && box->axis[k].to == box->axis[k].from;
    return there;
}

void copy_part(const spor_call *c, int64_t task, const copy_box *of, const T *from) {
    const copy_axis one = {1, 1, 1};
    copy_box box;
    if (!simplify(of, &box) || lies_there(c, &box, from) || !take_part(c, task, &box)) return;
    plane p = {(T *)c->out.data + box.to, from + box.from, one, one};
    if (box.axes) p.col = take_axis(&box, box.axes - 1);
    if (box.axes) p.row = take_axis(&box, choose_row(&box));
    plane_copy *copy = choose_copy(p.row, p.col);
    int64_t index[COPY_AXES] = {0};
    do copy(&p);
    while (next_plane(&box, index, &p));
}
