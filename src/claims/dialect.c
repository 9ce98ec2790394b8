/*
 * Derivations and claims as a dialect of scripts: see script/dialect.h.
 */
#include "claims/private.h"

/* dW = none: W needs no gradient. */
static const spor_word words[] = {{"none", NULL, NULL}, {NULL, NULL, NULL}};

bool claims_is_none(const spor_syntax *node) {
    return node->word == &words[0];
}

static void *before_call(spor_pass *run, const spor_function *function, spor_env *env) {
    return derived_find(run, function, env);
}

static void after_call(spor_pass *run, const spor_function *function, spor_env *env, void *derived,
                       spor_value *result) {
    spor_asserting *at = run->own;
    if (derived) derived_attach(run, derived, result);
    if (at && at->watched == function->def) at->locals = env;
}

const spor_dialect claims_dialect = {
    .statements = parse_statements,
    .fors = parse_fors,
    .words = words,
    .builtins = claims_builtins,
    .before_call = before_call,
    .after_call = after_call,
};
