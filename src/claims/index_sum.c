/*
 * Index sums: sum(K[u, v] * A[i + u, j + v] for u, v), written out element by element, so that
 * they share nothing with the ops they define.
 */
#include "claims/private.h"

enum { INDICES = 16 };

typedef struct {
    int n;
    const char *name[INDICES];
} names;

static bool has(const names *set, const char *name) {
    for (int k = 0; k < set->n; k++)
        if (set->name[k] == name) return true;
    return false;
}

static void add(spor_pass *run, names *set, const spor_syntax *name) {
    if (has(set, name->text)) return;
    if (set->n == INDICES) pass_fail(run, name->place, "more than %d indices", INDICES);
    set->name[set->n++] = name->text;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static bool is_sum(const spor_syntax *node) {
    return node->evaluate == index_sum_evaluate;
}

/* What does not depend on an index: its value is own. */
static spor_value known_value(spor_pass *run, spor_env *env, const spor_syntax *node) {
    (void)run, (void)env;
    return *(const spor_value *)node->own;
}

static bool is_known(const spor_syntax *node) {
    return node->evaluate == known_value;
}

static bool is_known_tensor(const spor_syntax *node) {
    return is_known(node) && ((const spor_value *)node->own)->kind == VALUE_TENSOR;
}

static spor_var known_tensor(const spor_syntax *node) {
    return ((const spor_value *)node->own)->t.var;
}

/* A[i + u, j] of a known tensor, an INDEX before: own are the elements recorded so far. */
static spor_evaluator element;

static bool is_element(const spor_syntax *node) {
    return node->evaluate == element;
}

/* ---- which names are indices ----------------------------------------------------------------- */

/* All indices that sums in the tree bind. */
static void add_bound(spor_pass *run, const spor_syntax *node, names *set) {
    if (!node) return;
    for (int k = 1; k < node->n && is_sum(node); k++) add(run, set, node->child[k]);
    for (int k = 0; k < node->n; k++) add_bound(run, node->child[k], set);
}

static void add_free(const spor_syntax *name, spor_pass *run, spor_indices *indices) {
    for (int k = 0; k < indices->n; k++)
        if (indices->name[k] == name->text) return;
    if (indices->n == SPOR_RANK) pass_fail(run, name->place, "more than %d indices", SPOR_RANK);
    indices->name[indices->n] = name->text;
    indices->place[indices->n++] = name->place;
}

/* Names in the items of an index that neither a sum nor the env binds. */
static void find_free(spor_pass *run, const spor_env *env, const spor_syntax *node,
                      const names *bound, bool in_item, spor_indices *indices) {
    if (!node) return;
    if (node->kind == NODE_NAME && in_item && !has(bound, node->text) && !env_find(env, node->text))
        add_free(node, run, indices);
    for (int k = 0; k < node->n; k++)
        find_free(run, env, node->child[k], bound,
                  node->kind == NODE_INDEX ? k > 0 : in_item && k >= (node->kind == NODE_CALL),
                  indices);
}

void indices_find(spor_pass *run, const spor_env *env, const spor_syntax *equality,
                  spor_indices *indices) {
    names bound = {0};
    add_bound(run, equality, &bound);
    indices->n = 0;
    find_free(run, env, equality, &bound, false, indices);
}

/* ---- what does not depend on an index -------------------------------------------------------- */

static spor_syntax *value_node(spor_pass *run, const spor_syntax *from, spor_value value) {
    spor_value *kept = ground_take(&run->ground, 1, sizeof *kept);
    spor_syntax *node = ground_take(&run->ground, 1, sizeof *node);
    *kept = value;
    *node = (spor_syntax){
        .kind = NODE_FORM, .place = from->place, .evaluate = known_value, .own = kept};
    return node;
}

/* An INDEX of a known tensor with one integer for each axis. */
static bool takes_element(const spor_syntax *node) {
    if (node->kind != NODE_INDEX || !is_known_tensor(node->child[0])) return false;
    for (int k = 1; k < node->n; k++)
        if (node->child[k]->kind == NODE_SLICE || node->child[k]->kind == NODE_ELLIPSIS)
            return false;
    return node->n - 1 == spor_shape_of(known_tensor(node->child[0])).rank;
}

static spor_syntax *hoist(spor_pass *run, spor_env *env, spor_syntax *node, const names *set);

static spor_syntax *copy_hoisted(spor_pass *run, spor_env *env, const spor_syntax *node,
                                 const names *set) {
    spor_syntax *copy = ground_take(&run->ground, 1, sizeof *copy);
    *copy = *node;
    copy->child = ground_take(&run->ground, (size_t)node->n, sizeof *copy->child);
    for (int k = 0; k < node->n; k++) copy->child[k] = hoist(run, env, node->child[k], set);
    if (is_sum(node)) copy->own = copy; /* hoisted */
    if (!takes_element(copy)) return copy;
    spor_shape shape = spor_shape_of(known_tensor(copy->child[0]));
    copy->kind = NODE_FORM;
    copy->evaluate = element;
    copy->own = ground_take(&run->ground, (size_t)shape_size(&shape), sizeof(spor_var));
    return copy;
}

/* A copy of the tree in which whatever mentions no index is its value. */
static spor_syntax *hoist(spor_pass *run, spor_env *env, spor_syntax *node, const names *set) {
    if (!node || node->kind == NODE_ELLIPSIS || is_known(node)) return node;
    if (node->kind == NODE_NAME && has(set, node->text) && !node->n) return node;
    bool index = node->kind == NODE_NAME && has(set, node->text);
    if (!index && node->kind != NODE_SLICE && !syntax_mentions(node, set->n, set->name))
        return value_node(run, node, pass_evaluate(run, env, node));
    return copy_hoisted(run, env, node, set);
}

spor_syntax *indices_hoist(spor_pass *run, spor_env *env, spor_syntax *side,
                           const spor_indices *indices) {
    names set = {0};
    add_bound(run, side, &set);
    for (int k = 0; k < indices->n && set.n < INDICES; k++) set.name[set.n++] = indices->name[k];
    return hoist(run, env, side, &set);
}

/* ---- what indices run over ------------------------------------------------------------------- */

/* The size of the axes where the index stands alone; -1 if there is none. */
static int64_t axis_size(spor_pass *run, const spor_syntax *node, const char *name, int64_t known) {
    if (!node) return known;
    for (int k = 1; k < node->n && is_sum(node); k++)
        if (node->child[k]->text == name) return known; /* another index of this name */
    for (int k = 1; k < node->n && is_element(node); k++) {
        const spor_syntax *item = node->child[k];
        if (item->kind != NODE_NAME || item->text != name) continue;
        int64_t size = spor_shape_of(known_tensor(node->child[0])).n[k - 1];
        if (known >= 0 && known != size)
            pass_fail(run, item->place,
                      "%s stands alone in axes of %" PRId64 " and of %" PRId64
                      " elements: say which it runs over, for %s in range(n)",
                      name, known, size, name);
        known = size;
    }
    for (int k = 0; k < node->n; k++) known = axis_size(run, node->child[k], name, known);
    return known;
}

void indices_range(spor_pass *run, const spor_syntax *const sides[2], spor_indices *indices) {
    indices->shape.rank = indices->n;
    for (int k = 0; k < indices->n; k++) {
        int64_t size = axis_size(run, sides[0], indices->name[k], -1);
        if (size < 0) size = axis_size(run, sides[1], indices->name[k], -1);
        if (size < 0)
            pass_fail(run, indices->place[k],
                      "nothing is called %s; as an index it would have to stand alone in an "
                      "axis of some tensor",
                      indices->name[k]);
        indices->shape.n[k] = size;
    }
}

/* The list that index k of a sum goes through. */
static spor_value list_of(spor_pass *run, spor_env *env, const spor_syntax *sum, int k) {
    const spor_syntax *index = sum->child[k];
    if (index->n) {
        spor_value list = pass_evaluate(run, env, index->child[0]);
        want_list(run, index->child[0]->place, index->text, &list);
        return list;
    }
    int64_t size = axis_size(run, sum->child[0], index->text, -1);
    if (size < 0)
        pass_fail(run, index->place,
                  "%s stands alone in no axis, so nothing says what it runs over: "
                  "for %s in range(n)",
                  index->text, index->text);
    spor_value *items = pass_items(run, index->place, size);
    for (int64_t j = 0; j < size; j++) items[j] = value_of_int(j);
    return pass_list(run, index->place, size, items);
}

/* ---- writing out ----------------------------------------------------------------------------- */

static void count_term(spor_pass *run, spor_spot place) {
    spor_asserting *at = run->own;
    pass_spend(run, place, 1);
    if (!at || ++at->terms <= SPOR_LIMIT_TERMS) return;
    at->outside = true;
    pass_fail(run, place,
              "index sums have more than %d terms at these sizes; name smaller ones: H in 1..4",
              SPOR_LIMIT_TERMS);
}

/* Adds the terms for all values of indices k and on. */
static void add_terms(spor_pass *run, spor_env *env, const spor_syntax *sum, int k,
                      spor_value *total) {
    if (k == sum->n) {
        count_term(run, sum->place);
        spor_value term = pass_evaluate(run, env, sum->child[0]);
        bool first = total->kind == VALUE_NOTHING;
        *total = first ? term : pass_binary(run, sum->place, '+', total, &term);
        return;
    }
    spor_value list = list_of(run, env, sum, k);
    for (int j = 0; j < list.list.n; j++) {
        env_set(run, env, sum->child[k]->text, list.list.item[j]);
        add_terms(run, env, sum, k + 1, total);
    }
}

spor_value index_sum_evaluate(spor_pass *run, spor_env *env, const spor_syntax *sum) {
    spor_env inner = {.parent = env};
    spor_value total = {.kind = VALUE_NOTHING};
    names set = {0};
    add_bound(run, sum, &set);
    if (!sum->own) sum = copy_hoisted(run, env, sum, &set);
    add_terms(run, &inner, sum, 1, &total);
    return total.kind == VALUE_NOTHING ? value_of_int(0) : total;
}

/* "i=2, u=2": the names of an item and their values */
static void note_names(spor_note *note, const spor_env *env, const spor_syntax *node) {
    const spor_binding *b = node->kind == NODE_NAME ? env_find(env, node->text) : NULL;
    if (b && b->value.kind == VALUE_INT)
        note_add(note, "%s%s=%" PRId64, note->used ? ", " : "", b->name, b->value.i);
    for (int k = 0; k < node->n; k++) note_names(note, env, node->child[k]);
}

static int64_t item_index(spor_pass *run, spor_env *env, const spor_syntax *item, int axis,
                          int64_t size) {
    spor_value v = pass_evaluate(run, env, item);
    int64_t index = want_int(run, item->place, "an index", &v);
    if (index >= 0 && index < size) return index;
    char out[160] = "";
    spor_note note = {out, sizeof out, 0};
    note_names(&note, env, item);
    pass_fail(run, item->place,
              "this reads index %" PRId64 " of axis %d, which has %" PRId64 " element%s (%s)",
              index, axis, size, size == 1 ? "" : "s", out);
}

static spor_value element(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_var x = known_tensor(node->child[0]), *elements = node->own;
    spor_shape shape = spor_shape_of(x);
    int64_t index[SPOR_RANK], lo[SPOR_RANK], hi[SPOR_RANK];
    for (int k = 0; k < shape.rank; k++) {
        index[k] = item_index(run, env, node->child[k + 1], k, shape.n[k]);
        lo[k] = -index[k];
        hi[k] = index[k] + 1 - shape.n[k];
    }
    int64_t at = shape_ravel(&shape, index);
    if (!elements[at].id) {
        pass_record(run, node->place);
        spor_var cell = pass_recorded(run, spor_pad(x, lo, hi, 0));
        elements[at] = pass_recorded(run, spor_reshape(cell, SPOR_SCALAR_SHAPE));
    }
    return value_of_tensor(elements[at], NULL);
}

/* ---- a side at all values of its indices ----------------------------------------------------- */

/* Z[i, j] where the indices are i, j: all of Z. */
static bool is_whole(const spor_syntax *side, const spor_indices *indices) {
    if (!is_element(side) || side->n - 1 != indices->n) return false;
    spor_shape shape = spor_shape_of(known_tensor(side->child[0]));
    for (int k = 0; k < indices->n; k++)
        if (side->child[k + 1]->kind != NODE_NAME || side->child[k + 1]->text != indices->name[k])
            return false;
    return shape_equal(&shape, &indices->shape);
}

/* The side at the values in env, as [1]. */
static spor_var one_element(spor_pass *run, spor_env *env, const spor_syntax *side) {
    count_term(run, side->place);
    spor_value v = pass_evaluate(run, env, side);
    if (value_is_number(&v)) return tensor_fill(run, side->place, &v, SPOR_SHAPE(1));
    if (v.kind != VALUE_TENSOR || spor_shape_of(v.t.var).rank)
        pass_fail(run, side->place, "with indices both sides are single numbers, not %s",
                  value_describe(&run->ground, &v));
    pass_record(run, side->place);
    return pass_recorded(run, spor_reshape(v.t.var, SPOR_SHAPE(1)));
}

/* n vectors one after another, halves first. */
static spor_var join(spor_pass *run, int64_t n, const spor_var parts[]) {
    if (n == 1) return parts[0];
    spor_var first = join(run, n / 2, parts), last = join(run, n - n / 2, parts + n / 2);
    return pass_recorded(run, spor_concat(first, last, 0));
}

spor_var indices_expand(spor_pass *run, spor_env *env, const spor_syntax *side,
                        const spor_indices *indices) {
    if (is_whole(side, indices)) return known_tensor(side->child[0]);
    spor_env inner = {.parent = env};
    int64_t n = shape_size(&indices->shape);
    spor_value nothing = value_of_int(0);
    if (!n) return tensor_fill(run, side->place, &nothing, indices->shape);
    pass_spend(run, side->place, n);
    spor_var *parts = ground_take(&run->ground, (size_t)n, sizeof *parts);
    for (int64_t at = 0; at < n; at++) {
        int64_t index[SPOR_RANK];
        shape_unravel(&indices->shape, at, index);
        for (int k = 0; k < indices->n; k++)
            env_set(run, &inner, indices->name[k], value_of_int(index[k]));
        parts[at] = one_element(run, &inner, side);
    }
    pass_record(run, side->place);
    return pass_recorded(run, spor_reshape(join(run, n, parts), indices->shape));
}
