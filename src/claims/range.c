/*
 * What a head or a signature says of a tensor's values: p[N] in 0.01..0.99, x[N] in 0..3,
 * m[N, K] in [0, 1], y[N, K] in one_hot, q[N, K] in simplex, A[n, n] in positive_definite.
 */
#include "base/nearest.h"
#include "claims/private.h"

#include <string.h>

/* ---- words ----------------------------------------------------------------------------------- */

static bool has_axis(const spor_parameter *tensor) {
    return tensor->rank > 0;
}

static bool is_square(const spor_parameter *tensor) {
    const spor_axis_name *axis = tensor->axis;
    return tensor->rank == 2 && axis[0].name == axis[1].name && axis[0].size == axis[1].size;
}

static const struct {
    const char *word;
    spor_range_kind kind;
    bool (*fits)(const spor_parameter *tensor);
    const char *wants;
} words[] = {
    {"one_hot", SPOR_RANGE_ONE_HOT, has_axis, "a last axis: y[N, K]"},
    {"simplex", SPOR_RANGE_SIMPLEX, has_axis, "a last axis: q[N, K]"},
    {"positive_definite", SPOR_RANGE_POSITIVE_DEFINITE, is_square, "a square matrix: A[n, n]"},
};
enum { WORDS = sizeof words / sizeof *words };

static _Noreturn void unknown_word(spor_pass *run, const spor_syntax *node) {
    const char *names[WORDS];
    for (int k = 0; k < WORDS; k++) names[k] = words[k].word;
    const char *near = nearest_name(node->text, WORDS, names);
    pass_fail(run, node->place,
              "values are a range (0.01..0.99), a list of numbers, one_hot, simplex or "
              "positive_definite, not %s%s%s%s",
              node->text, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* The number of the word, or -1: an expression. */
static int word_of(spor_pass *run, const spor_env *env, const spor_syntax *node) {
    if (node->kind != NODE_NAME) return -1;
    for (int k = 0; k < WORDS; k++)
        if (strcmp(node->text, words[k].word) == 0) return k;
    if (!env_find(env, node->text)) unknown_word(run, node);
    return -1;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static spor_range set_of(int n, const double *item) {
    return (spor_range){.kind = SPOR_RANGE_SET, .n = n, .item = item};
}

/* 0..3: whole numbers */
static spor_range whole_range(spor_pass *run, const spor_parameter *said, int64_t from,
                              int64_t to) {
    uint64_t span = (uint64_t)to - (uint64_t)from;
    if (span >= SPOR_LIMIT_LIST)
        pass_fail(run, said->from->place, "the range of %s has more than %d numbers", said->name,
                  SPOR_LIMIT_LIST);
    return (spor_range){.kind = SPOR_RANGE_WHOLE, .from = (double)from, .to = (double)to};
}

typedef struct {
    spor_value from, to;
} range_ends;

static range_ends ends_of(spor_pass *run, spor_env *env, const spor_parameter *said) {
    return (range_ends){pass_evaluate(run, env, said->from), pass_evaluate(run, env, said->to)};
}

/* from..to: of reals, or of whole numbers */
static spor_range range_between(spor_pass *run, spor_env *env, const spor_parameter *said) {
    const char *what = ground_take_format(&run->ground, "an end of the range of %s", said->name);
    range_ends ends = ends_of(run, env, said);
    spor_value from = ends.from, to = ends.to;
    double a = want_real(run, said->from->place, what, &from);
    double b = want_real(run, said->to->place, what, &to);
    if (from.kind != to.kind)
        pass_fail(run, from.kind == VALUE_INT ? said->from->place : said->to->place,
                  "a range of reals has a point at both ends (0.0..1.0), one of integers at none");
    if (a > b) pass_fail(run, said->from->place, "the range of %s is empty", said->name);
    if (from.kind == VALUE_INT) return whole_range(run, said, from.i, to.i);
    return (spor_range){.kind = SPOR_RANGE_REALS, .from = a, .to = b};
}

/* [0, 1] */
static spor_range set_listed(spor_pass *run, spor_env *env, const spor_parameter *said) {
    const spor_syntax *node = said->from;
    const char *what = ground_take_format(&run->ground, "a value of %s", said->name);
    spor_value list = pass_evaluate(run, env, node);
    if (list.kind != VALUE_LIST)
        pass_fail(run, node->place,
                  "the values of %s must be a range (0.01..0.99), a list of numbers, one_hot, "
                  "simplex or positive_definite, but are %s",
                  said->name, value_describe(&run->ground, &list));
    if (!list.list.n) pass_fail(run, node->place, "the list of %s is empty", said->name);
    double *item = ground_take(&run->ground, (size_t)list.list.n, sizeof *item);
    for (int k = 0; k < list.list.n; k++) {
        bool written = node->kind == NODE_LIST && node->n == list.list.n;
        item[k] =
            want_real(run, written ? node->child[k]->place : node->place, what, &list.list.item[k]);
    }
    return set_of(list.list.n, item);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static spor_range range_of(spor_pass *run, spor_env *env, const spor_parameter *tensor,
                           const spor_parameter *said) {
    if (said->to) return range_between(run, env, said);
    int word = word_of(run, env, said->from);
    if (word < 0) return set_listed(run, env, said);
    if (!words[word].fits(tensor))
        pass_fail(run, said->from->place, "%s needs %s", words[word].word, words[word].wants);
    return (spor_range){.kind = words[word].kind};
}

/* ---- ranges that follow sizes: i[N] in 0..V - 1 ------------------------------------------------ */

/* Gives a name that the ends mention a number, any; true if they do. */
static bool stand_in(spor_pass *run, spor_env *env, const spor_parameter *said, const char *name) {
    if (!name || (!syntax_mentions(said->from, 1, &name) && !syntax_mentions(said->to, 1, &name)))
        return false;
    env_set(run, env, name, value_of_int(2));
    return true;
}

/* True if the range depends on sizes, or on numbers that are quantified; then its ends must be
 * whole. */
static bool follows_sizes(spor_pass *run, const spor_asserted *a, spor_env *parent,
                          const spor_parameter *said) {
    spor_env env = {.parent = parent};
    const char *size = NULL;
    for (int t = 0; t < a->tensors; t++)
        for (int k = 0; k < a->tensor[t]->rank; k++)
            if (stand_in(run, &env, said, a->tensor[t]->axis[k].name))
                size = a->tensor[t]->axis[k].name;
    for (int k = 0; k < a->source->quantifiers; k++) {
        const spor_parameter *q = &a->source->quantifier[k];
        if (q->to && !q->shaped && q != said && stand_in(run, &env, said, q->name)) size = q->name;
    }
    if (!size) return false;
    range_ends ends = {0};
    if (said->to) ends = ends_of(run, &env, said);
    if (ends.from.kind != VALUE_INT || ends.to.kind != VALUE_INT)
        pass_fail(run, said->from->place,
                  "the values of %s are said for all sizes: only a range of whole numbers, such as "
                  "0..%s - 1, depends on one",
                  said->name, size);
    return true;
}

bool range_at(spor_pass *run, const spor_asserting *at, int k, spor_range *range) {
    const spor_parameter *said = at->asserted->follows[k];
    *range = at->asserted->value[k];
    if (!said) return true;
    range_ends ends = ends_of(run, at->env, said);
    range->from = (double)want_int(run, said->from->place, said->name, &ends.from);
    range->to = (double)want_int(run, said->to->place, said->name, &ends.to);
    return range->from <= range->to;
}

/* What the head says comes before what the signature says. */
void ranges_read(spor_pass *run, spor_asserted *a) {
    for (int k = 0; k < a->tensors; k++) {
        const spor_parameter *tensor = a->tensor[k];
        const spor_parameter *head = quantifier_find(a->source, tensor->name);
        bool in_head = head && head->from;
        const spor_parameter *said = in_head ? head : tensor;
        if (!said->from) continue;
        spor_env *env = in_head ? run->script->globals : a->function->env;
        if (follows_sizes(run, a, env, said)) {
            a->follows[k] = said;
            a->value[k].kind = SPOR_RANGE_WHOLE;
        } else {
            a->value[k] = range_of(run, env, tensor, said);
        }
    }
}
