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
    double *item = ground_take(&run->ground, span + 1, sizeof *item);
    for (uint64_t k = 0; k <= span; k++) item[k] = (double)(from + (int64_t)k);
    return set_of((int)span + 1, item);
}

/* from..to: of reals, or of whole numbers */
static spor_range range_between(spor_pass *run, spor_env *env, const spor_parameter *said) {
    const char *what = ground_take_format(&run->ground, "an end of the range of %s", said->name);
    spor_value from = pass_evaluate(run, env, said->from), to = pass_evaluate(run, env, said->to);
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

/* Sizes differ from instance to instance, what is said of the values does not. */
static void refuse_sizes(spor_pass *run, const spor_asserted *a, const spor_parameter *said) {
    for (int t = 0; t < a->tensors; t++)
        for (int k = 0; k < a->tensor[t]->rank; k++) {
            const char *size = a->tensor[t]->axis[k].name;
            if (size &&
                (syntax_mentions(said->from, 1, &size) || syntax_mentions(said->to, 1, &size)))
                pass_fail(run, said->from->place,
                          "the values of %s are said for all sizes: they cannot depend on %s",
                          said->name, size);
        }
}

/* What the head says comes before what the signature says. */
void ranges_read(spor_pass *run, spor_asserted *a) {
    for (int k = 0; k < a->tensors; k++) {
        const spor_parameter *tensor = a->tensor[k];
        const spor_parameter *head = quantifier_find(a->source, tensor->name);
        bool in_head = head && head->from;
        const spor_parameter *said = in_head ? head : tensor;
        if (!said->from) continue;
        refuse_sizes(run, a, said);
        spor_env *env = in_head ? run->script->globals : a->function->env;
        a->value[k] = range_of(run, env, tensor, said);
    }
}
