/*
 * Sizes at which something turns: if n <= 128 and g[:128] say that n = 127, 128, 129 are worth
 * trying. They are read off the tree, without running it: constants that stand in a comparison, in
 * a quotient or a remainder, in a cut. One too many costs a trial, one too few may hide a fault; so
 * a constant goes to every size that stands beside it, and if none does, to all.
 */
#include "claims/private.h"
#include "script/lexer.h"

#include <math.h>
#include <string.h>

enum { NAMES = 64, DEFS = 64, LARGEST = 100000, NODES_A_STEP = 16 };

/* What is known of a name that was assigned to, the last time. */
typedef struct {
    const char *name;
    enum { ANYTHING, CONSTANT, TENSOR } is;
    int64_t value;  /* of a constant */
    bool positions; /* from 0 on, iota(n): of c there are c + 1 */
} named;

typedef struct {
    spor_pass *run;
    spor_asserted *a;
    const spor_env *globals;
    const spor_def *foreign; /* the def looked at, if its names are not the statement's; or NULL */
    int names, defs, visited;
    named name[NAMES];
    const spor_def *def[DEFS]; /* those that were looked at */
} collector;

/* ---- values ---------------------------------------------------------------------------------- */

/* Ascending; of too many those go that are searched anyway, then the largest. */
static void add_value(spor_quantity *q, int64_t value) {
    int at = 0;
    if (value < q->least || (q->stated && value > q->most)) return;
    while (at < q->turns && q->turn[at] < value) at++;
    if (at < q->turns && q->turn[at] == value) return;
    if (q->turns == SPOR_TURNS && at > 0 && q->turn[0] <= q->most) {
        memmove(q->turn, q->turn + 1, (size_t)--q->turns * sizeof *q->turn);
        at--;
    }
    if (at == SPOR_TURNS) return;
    if (q->turns == SPOR_TURNS) q->turns--;
    memmove(q->turn + at + 1, q->turn + at, (size_t)(q->turns - at) * sizeof *q->turn);
    q->turn[at] = value;
    q->turns++;
}

/* The constant c for the quantities of a mask, or for all sizes that were not stated. */
static void add_constant(collector *c, int64_t constant, unsigned mask) {
    spor_statement *s = &c->a->statement;
    if (constant < 0) constant = constant == INT64_MIN ? 0 : -constant;
    if (constant < 2 || constant > LARGEST) return;
    for (int k = 0; k < s->quantities; k++) {
        spor_quantity *q = &s->quantity[k];
        bool meant = mask ? mask >> k & 1 : k < c->a->sizes && !q->stated;
        for (int64_t v = constant - 1; meant && !q->choices && v <= constant + 1; v++)
            add_value(q, v);
    }
}

/* ---- names ----------------------------------------------------------------------------------- */

static int find_quantity(const collector *c, const char *name) {
    const spor_statement *s = &c->a->statement;
    for (int k = 0; k < s->quantities && !c->foreign; k++)
        if (s->quantity[k].name == name) return k;
    return -1;
}

/* The said range of a tensor whose numbers are bounded by sizes, i[N] in 0..V - 1; or NULL. */
static const spor_parameter *counted_by_sizes(const collector *c, const char *name) {
    for (int t = 0; t < c->a->tensors && !c->foreign; t++)
        if (c->a->tensor[t]->name == name) return c->a->follows[t];
    return NULL;
}

static unsigned mentioned(const collector *c, const spor_syntax *node) {
    unsigned mask = 0;
    if (!node) return 0;
    bool name = node->kind == NODE_NAME;
    int k = name ? find_quantity(c, node->text) : -1;
    if (k >= 0) mask = 1U << k;
    const spor_parameter *said = name ? counted_by_sizes(c, node->text) : NULL;
    if (said) mask |= mentioned(c, said->from) | mentioned(c, said->to);
    for (int j = 0; j < node->n; j++) mask |= mentioned(c, node->child[j]);
    return mask;
}

/* The number of the last entry of a name; -1: none. */
static int find_name(const collector *c, const char *name) {
    int k = c->names - 1;
    while (k >= 0 && c->name[k].name != name) k--;
    return k;
}

static bool fold_name(const collector *c, const char *name, int64_t *value) {
    int known = find_name(c, name);
    if (find_quantity(c, name) >= 0) return false;
    if (known >= 0) *value = c->name[known].value;
    if (known >= 0) return c->name[known].is == CONSTANT;
    const spor_binding *b = env_find(c->globals, name);
    if (b && b->value.kind == VALUE_INT) *value = b->value.i;
    return b && b->value.kind == VALUE_INT;
}

static bool fold_power(int64_t base, int64_t exponent, int64_t *value) {
    *value = 1;
    if (exponent < 0 || exponent > 62) return false;
    for (int64_t k = 0; k < exponent; k++)
        if (__builtin_mul_overflow(*value, base, value)) return false;
    return true;
}

/* The whole number that a tree of constants is; false if it is none. */
static bool fold(const collector *c, const spor_syntax *node, int64_t *value) {
    int64_t b;
    if (node->kind == NODE_INT) *value = node->i;
    if (node->kind == NODE_INT) return true;
    if (node->kind == NODE_REAL && fabs(node->r) <= LARGEST) *value = (int64_t)node->r;
    if (node->kind == NODE_REAL) return fabs(node->r) <= LARGEST && floor(node->r) >= node->r;
    if (node->kind == NODE_NAME) return fold_name(c, node->text, value);
    if (node->kind == NODE_NEGATE || node->kind == NODE_PLUS) return fold(c, node->child[0], value);
    if (node->kind != NODE_BINARY || !fold(c, node->child[0], value) ||
        !fold(c, node->child[1], &b))
        return false;
    if (node->sign == '+') return !__builtin_add_overflow(*value, b, value);
    if (node->sign == '-') return !__builtin_sub_overflow(*value, b, value);
    if (node->sign == SPOR_SIGN('*', '*', 0)) return fold_power(*value, b, value);
    return node->sign == '*' && !__builtin_mul_overflow(*value, b, value);
}

/* 1 / 1000: numbers and nothing else. */
static bool is_plain(const collector *c, const spor_syntax *node) {
    int64_t value;
    for (int k = 0; k < node->n; k++)
        if (!fold(c, node->child[k], &value)) return false;
    return true;
}

/* All constants of a tree, without those of fractions. */
static void add_constants(collector *c, const spor_syntax *node, unsigned mask, bool positions) {
    int64_t value;
    if (!node || (node->kind == NODE_BINARY && node->sign == '/' && is_plain(c, node))) return;
    if (fold(c, node, &value)) {
        add_constant(c, value, mask);
        if (positions) add_constant(c, value + 1, mask);
        return;
    }
    for (int k = 0; k < node->n; k++) add_constants(c, node->child[k], mask, positions);
}

/* ---- what may be a size ---------------------------------------------------------------------- */

static bool is_word(const spor_syntax *node, const char *const words[]) {
    for (; node->kind == NODE_NAME && *words; words++)
        if (strcmp(node->text, *words) == 0) return true;
    return false;
}

static bool is_tensor(const collector *c, const char *name) {
    int known = find_name(c, name);
    return known >= 0 && c->name[known].is == TENSOR && !counted_by_sizes(c, name);
}

/* Positions along an axis: where they are compared with c, a size of c + 1 has c among them. */
static bool has_positions(const collector *c, const spor_syntax *node) {
    static const char *const making[] = {"iota", "tri", "argmax", "argsort", NULL};
    if (!node) return false;
    int known = node->kind == NODE_NAME ? find_name(c, node->text) : -1;
    if (known >= 0 && c->name[known].positions) return true;
    if (is_word(node, making) || (node->kind == NODE_NAME && counted_by_sizes(c, node->text)))
        return true;
    for (int k = 0; k < node->n; k++)
        if (has_positions(c, node->child[k])) return true;
    return false;
}

/* False for what is sure to be a tensor, whose elements a size says nothing of. */
static bool may_be_size(const collector *c, const spor_syntax *node) {
    static const char *const asking[] = {"shape", "size", "rank", "batch", "channels", "len", NULL};
    static const char *const making[] = {"mean",   "reshape",   "transpose", "concat",
                                         "expand", "broadcast", "flatten",   "zeros",
                                         "ones",   "full",      NULL};
    if (!node || has_positions(c, node)) return true;
    if (node->kind == NODE_NAME) return !is_tensor(c, node->text);
    bool call = node->kind == NODE_CALL, index = node->kind == NODE_INDEX;
    if (call && is_word(node->child[0], asking)) return true;
    if (call && is_word(node->child[0], making)) return false;
    for (int k = call; k < (index ? 1 : node->n); k++)
        if (!may_be_size(c, node->child[k])) return false;
    return true;
}

static void remember(collector *c, named fresh) {
    int known = find_name(c, fresh.name);
    if (c->names < NAMES)
        c->name[c->names++] = fresh;
    else if (known >= 0)
        c->name[known] = fresh;
}

/* name = node */
static void remember_value(collector *c, const char *name, const spor_syntax *node) {
    named fresh = {.name = name, .positions = has_positions(c, node)};
    if (fold(c, node, &fresh.value))
        fresh.is = CONSTANT;
    else if (!may_be_size(c, node))
        fresh.is = TENSOR;
    remember(c, fresh);
}

static void remember_parameters(collector *c, const spor_def *def) {
    for (int k = 0; k < def->parameters; k++) {
        const spor_parameter *p = &def->parameter[k];
        if (p->value && !p->shaped)
            remember_value(c, p->name, p->value);
        else
            remember(c, (named){.name = p->name, .is = p->shaped ? TENSOR : ANYTHING});
    }
}

/* ---- the tree -------------------------------------------------------------------------------- */

/* less, step, maximum: what is called compares. */
static bool decides(const spor_syntax *callee) {
    const spor_op *op = callee->kind == NODE_NAME ? op_find(callee->text) : NULL;
    return op && op->margin;
}

static bool turns_at(const collector *c, const spor_syntax *node) {
    static const int signs[] = {'<',
                                '>',
                                '/',
                                '%',
                                SPOR_SIGN('<', '=', 0),
                                SPOR_SIGN('>', '=', 0),
                                SPOR_SIGN('=', '=', 0),
                                SPOR_SIGN('!', '=', 0),
                                SPOR_SIGN('/', '/', 0)};
    static const char *const cutting[] = {"max",  "min", "range", "split",
                                          "crop", "tri", "top_k", NULL};
    if (node->kind == NODE_CALL && is_word(node->child[0], cutting)) return true;
    if (node->kind == NODE_CALL) return decides(node->child[0]) && may_be_size(c, node);
    if (node->kind != NODE_BINARY && node->kind != NODE_AUGMENT) return false;
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
        if (node->sign == signs[k]) return may_be_size(c, node) && !is_plain(c, node);
    return false;
}

/* The size of the axis that item k takes from, if x is known by a signature; else -1. */
static int axis_of(const collector *c, const spor_syntax *node, int k) {
    const spor_parameter *x = NULL;
    for (int t = 0; t < c->a->tensors && !c->foreign; t++)
        if (node->child[0]->kind == NODE_NAME && c->a->tensor[t]->name == node->child[0]->text)
            x = c->a->tensor[t];
    int axis = k - 1;
    for (int j = 1; j < k && x; j++)
        if (node->child[j]->kind == NODE_ELLIPSIS) axis = x->rank - (node->n - k);
    return x && axis >= 0 && axis < x->rank ? find_quantity(c, x->axis[axis].name) : -1;
}

/* x[:128]: of the axis, and of what stands in the item. */
static void visit_index(collector *c, const spor_syntax *node) {
    for (int k = 1; k < node->n; k++) {
        unsigned mask = mentioned(c, node->child[k]);
        int size = axis_of(c, node, k);
        add_constants(c, node->child[k], size >= 0 ? mask | 1U << size : mask, false);
    }
}

static void visit(collector *c, const spor_syntax *node);

/* The constants that a call hands to a def: entries of its parameters, for its body alone. */
static int read_constants(const collector *c, const spor_def *def, const spor_syntax *call,
                          named constant[NAMES]) {
    int constants = 0;
    for (int k = 1; call && k < call->n && constants < NAMES; k++) {
        const char *keyword = call->keyword ? call->keyword[k] : NULL;
        const char *name = keyword                ? keyword
                           : k <= def->parameters ? def->parameter[k - 1].name
                                                  : NULL;
        named fresh = {.name = name, .is = CONSTANT};
        if (name && fold(c, call->child[k], &fresh.value)) constant[constants++] = fresh;
    }
    return constants;
}

static bool was_visited(const collector *c, const spor_def *def) {
    for (int k = 0; k < c->defs; k++)
        if (c->def[k] == def) return true;
    return false;
}

/* A def that is called, or NULL for the call: its names are its own. Where it is called with other
 * constants it is looked at again. */
static void visit_def(collector *c, const spor_def *def, const spor_syntax *call, bool foreign) {
    const spor_def *outer = c->foreign;
    int names = c->names;
    named constant[NAMES];
    int constants = read_constants(c, def, call, constant);
    if (c->defs == DEFS || (!constants && was_visited(c, def))) return;
    c->def[c->defs++] = def;
    if (foreign) c->foreign = def;
    remember_parameters(c, def);
    for (int k = 0; k < constants; k++) remember(c, constant[k]);
    visit(c, def->where);
    visit(c, def->body);
    c->names = names;
    c->foreign = outer;
}

static void visit_name(collector *c, const char *name, const spor_syntax *call) {
    const spor_binding *b = env_find(c->globals, name);
    if (b && b->value.kind == VALUE_FUNCTION) visit_def(c, b->value.function->def, call, true);
}

/* Sizes are added up in it. */
static bool adds(const spor_syntax *node) {
    return node && node->kind == NODE_BINARY && node->sign == '+';
}

/* Constants of what turns; of N + M == 50 also that which both are at once. */
static void visit_turn(collector *c, const spor_syntax *node) {
    unsigned mask = mentioned(c, node);
    int sizes = __builtin_popcount(mask), from = node->kind == NODE_CALL;
    bool sum = false;
    for (int k = from; k < node->n; k++) sum = sum || adds(node->child[k]);
    for (int k = from; k < node->n; k++) {
        int64_t value;
        add_constants(c, node->child[k], mask, has_positions(c, node));
        if (sum && sizes > 1 && node->child[k] && fold(c, node->child[k], &value))
            add_constant(c, value / sizes, mask);
    }
}

static void visit(collector *c, const spor_syntax *node) {
    if (!node) return;
    if (++c->visited % NODES_A_STEP == 0) pass_spend(c->run, node->place, 1);
    if (node->kind == NODE_NAME) visit_name(c, node->text, NULL);
    if (node->kind == NODE_CALL && node->child[0]->kind == NODE_NAME)
        visit_name(c, node->child[0]->text, node);
    if (node->kind == NODE_INDEX) visit_index(c, node);
    if (node->kind == NODE_ASSIGN && node->child[0]->kind == NODE_NAME)
        remember_value(c, node->child[0]->text, node->child[1]);
    if (turns_at(c, node)) visit_turn(c, node);
    for (int k = 0; k < node->n; k++) visit(c, node->child[k]);
}

void turns_read(spor_pass *run, spor_asserted *a) {
    collector c = {.run = run, .a = a, .globals = run->script->globals};
    if (a->function) visit_def(&c, a->function->def, NULL, false);
    if (a->function) remember_parameters(&c, a->function->def);
    for (int k = 0; k < a->tensors; k++)
        remember(&c, (named){.name = a->tensor[k]->name, .is = TENSOR});
    for (int k = 0; k < a->source->results; k++) {
        const spor_result *result = &a->source->result[k];
        remember(&c, (named){.name = result->y.name, .is = TENSOR});
        if (result->dy.name) remember(&c, (named){.name = result->dy.name, .is = TENSOR});
    }
    visit(&c, a->source->where);
    visit(&c, a->source->body);
    for (int k = 0; k < a->statement.quantities; k++)
        for (int j = 0; a->choice[k].kind == VALUE_LIST && j < a->choice[k].list.n; j++) {
            const spor_value *item = &a->choice[k].list.item[j];
            if (item->kind == VALUE_FUNCTION) visit_def(&c, item->function->def, NULL, true);
        }
}
