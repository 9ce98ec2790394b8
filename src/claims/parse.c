/*
 * The statements derive, claim and trust, and sum(... for u, v): from tokens to the tree.
 */
#include "claims/private.h"

#include <string.h>

/* ---- derivations and claims ------------------------------------------------------------------ */

static spor_parameter quantifier(spor_parser *p) {
    spor_parameter result = {.place = p->token.place};
    const char *name = parser_expect_name(p, "the name of a tensor or of a number");
    result.name = name;
    if (token_is_sign(&p->token, '[')) parser_signature(p, &result);
    if (token_is_sign(&p->token, '='))
        ground_give_up(p->ground, p->token.place,
                       "a value is quantified: %s in [1, 2] or %s in 1..2", name, name);
    parser_range(p, &result);
    return result;
}

static void refuse_twin(spor_parser *p, const spor_assertion *a, const spor_parameter *fresh,
                        const char *says) {
    for (int k = 0; k < a->quantifiers; k++) parser_refuse_twin(p, &a->quantifier[k], fresh, says);
}

static void quantifiers(spor_parser *p, spor_assertion *a) {
    parser_expect_sign(p, '(', "before what is quantified: (A, W) or (A[H, W], p in 0..3)");
    while (!token_is_sign(&p->token, ')')) {
        spor_parameter fresh = quantifier(p);
        refuse_twin(p, a, &fresh, "is a parameter twice");
        a->quantifier = parser_grow(p, a->quantifier, a->quantifiers, sizeof fresh);
        a->quantifier[a->quantifiers++] = fresh;
        if (!parser_take_sign(p, ',')) break;
    }
    parser_expect_sign(p, ')', "or ',' after what is quantified");
}

/* ---- results --------------------------------------------------------------------------------- */

/* The result whose cotangent this is by its name, dY of Y; NULL: of none. */
static spor_result *result_of(spor_assertion *a, const char *name) {
    for (int k = 0; k < a->results; k++)
        if (*name == 'd' && !strcmp(name + 1, a->result[k].y.name)) return &a->result[k];
    return NULL;
}

/* Of a pair the second one is the cotangent, whatever it is called. */
static void add_result(spor_parser *p, spor_assertion *a, const spor_parameter *name, bool pair) {
    spor_result *of = pair ? &a->result[0] : result_of(a, name->name);
    bool cotangents = false;
    for (int k = 0; k < a->results; k++) cotangents = cotangents || a->result[k].dy.name;
    if (of) {
        of->dy = *name;
    } else if (cotangents) {
        ground_give_up(p->ground, name->place,
                       "%s is the cotangent of no result before it: all results come first, then "
                       "their cotangents, -> (Y, Z, dY, dZ)",
                       name->name);
    } else if (a->results == SPOR_RESULTS) {
        ground_give_up(p->ground, name->place, "a derivation has at most %d results", SPOR_RESULTS);
    } else {
        a->result[a->results++].y = *name;
    }
}

static void refuse_twins_before(spor_parser *p, const spor_assertion *a, int n,
                                const spor_parameter names[]) {
    refuse_twin(p, a, &names[n], "is an operand: a result, or its cotangent, is called otherwise");
    for (int k = 0; k < n; k++)
        parser_refuse_twin(
            p, &names[k], &names[n],
            "stands twice among the results and their cotangents: each has a name of "
            "its own, -> (Y, Z, dY, dZ)");
}

/* -> (Y, dY) or (Y, Z, dY, dZ), where some cotangents may be left out */
static void results(spor_parser *p, spor_assertion *a) {
    spor_parameter names[2 * SPOR_RESULTS];
    int n = 0;
    parser_expect_sign(p, SPOR_SIGN('-', '>', 0), "and (Y, dY), the result and its cotangent,");
    parser_expect_sign(p, '(', "before the result: -> (Y, dY)");
    do {
        if (n == 2 * SPOR_RESULTS)
            ground_give_up(p->ground, p->token.place, "a derivation has at most %d results",
                           SPOR_RESULTS);
        names[n] = (spor_parameter){.place = p->token.place};
        names[n].name = parser_expect_name(p, n ? "the name of the cotangent" : "the name of Y");
        refuse_twins_before(p, a, n++, names);
    } while (parser_take_sign(p, ','));
    if (n == 1) parser_expect_sign(p, ',', "and the name of the cotangent: -> (Y, dY)");
    parser_expect_sign(p, ')', "after the cotangent: -> (Y, dY)");
    for (int k = 0; k < n; k++) add_result(p, a, &names[k], n == 2 && k == 1);
    if (n == a->results)
        ground_give_up(p->ground, names[n - 1].place,
                       "no result has a cotangent: d and its name is expected, -> (%s, %s, d%s)",
                       names[0].name, names[1].name, names[0].name);
}

/* where and fails, in either order */
static void terms(spor_parser *p, spor_assertion *a) {
    for (;;) {
        if (!a->where && parser_take_word(p, "where"))
            a->where = parser_expression(p);
        else if (!a->fails && parser_take_word(p, "fails"))
            a->fails = true;
        else
            return;
    }
}

/* What stands after the word derive or claim. */
static void head(spor_parser *p, spor_assertion *a, bool derive) {
    a->target_place = p->token.place;
    if (derive) a->target = parser_expect_name(p, "the name of the def that is derived");
    if (p->token.kind == TOKEN_STRING) {
        a->label = p->token.text;
        parser_advance(p);
    } else if (!derive) {
        ground_give_up(p->ground, p->token.place,
                       "a claim needs a label (claim \"Eq. 1\" (A[H, W]):) but found %s",
                       parser_found(p));
    }
    quantifiers(p, a);
    if (derive) results(p, a);
    terms(p, a);
}

/* The word derive or claim is the next one; the statement began at place. */
static spor_syntax *assertion(spor_parser *p, spor_spot place, bool derive, bool trusted) {
    spor_syntax *result = parser_node(p, NODE_ACT, place);
    spor_assertion *a = result->own = ground_take(p->ground, 1, sizeof *a);
    *a = (spor_assertion){.place = place, .trusted = trusted};
    result->evaluate = claims_collect;
    if (p->blocks)
        ground_give_up(p->ground, place, "%s stands at the top level, not in a block",
                       derive ? "derive" : "claim");
    parser_advance(p);
    head(p, a, derive);
    p->gaps++;
    a->body = parser_block(p, derive ? "after derive" : "after claim");
    p->gaps--;
    parser_add_child(p, result, a->body);
    return result;
}

static spor_syntax *derive(spor_parser *p) {
    return assertion(p, p->token.place, true, false);
}

static spor_syntax *claim(spor_parser *p) {
    return assertion(p, p->token.place, false, false);
}

static spor_syntax *trust(spor_parser *p) {
    spor_spot place = p->token.place;
    parser_advance(p);
    if (!token_is_word(&p->token, "derive"))
        ground_give_up(p->ground, p->token.place, "only a derivation is trusted: trust derive ...");
    return assertion(p, place, true, true);
}

const spor_statement_form parse_statements[] = {
    {"derive", derive}, {"claim", claim}, {"trust", trust}, {NULL, NULL}};

/* ---- index sums ------------------------------------------------------------------------------ */

/* "for u, v" or "for u in list", after the term of a sum: its indices become children. */
static void indices(spor_parser *p, spor_syntax *sum) {
    int first = sum->n;
    do {
        parser_add_child(p, sum, parser_name(p, "the name of an index"));
    } while (parser_take_sign(p, ','));
    if (!parser_take_word(p, "in")) return;
    spor_syntax *list = parser_expression(p);
    if (parser_take_sign(p, SPOR_SIGN('.', '.', 0)))
        ground_give_up(p->ground, list->place, "an index runs over a list: for u in range(3)");
    for (int k = first; k < sum->n; k++) parser_add_child(p, sum->child[k], list);
}

static spor_syntax *index_sum(spor_parser *p, const spor_syntax *name, spor_syntax *term) {
    spor_syntax *result = parser_node2(p, NODE_FORM, name->place, term, NULL);
    result->evaluate = index_sum_evaluate;
    while (parser_take_word(p, "for")) indices(p, result);
    parser_expect_sign(p, ')', "at the end of the sum");
    return result;
}

const spor_for_form parse_fors[] = {{"sum", "sum(... for u, v)", index_sum}, {NULL, NULL, NULL}};
