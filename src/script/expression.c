/*
 * Expressions: see parser.h.
 */
#include "script/parser.h"

#include <string.h>

static spor_syntax *disjunction(spor_parser *p);

/* [term for x in list for y in other if condition]: the term and its clauses in their order; an
 * if-else in a clause stands in parentheses, as in Python. */
static spor_syntax *comprehension(spor_parser *p, spor_syntax *term, spor_spot place) {
    spor_syntax *result = parser_node2(p, NODE_COMPREHENSION, place, term, NULL);
    for (;;) {
        spor_spot at = p->token.place;
        if (parser_take_word(p, "for")) {
            spor_syntax *target = parser_targets(p);
            parser_add_child(p, result, parser_node2(p, NODE_FOR, at, target, disjunction(p)));
        } else if (parser_take_word(p, "if")) {
            parser_add_child(p, result, parser_node2(p, NODE_IF, at, disjunction(p), NULL));
        } else {
            return result;
        }
    }
}

/* Elements up to the closing sign. */
static void elements(spor_parser *p, spor_syntax *list, int close) {
    while (!token_is_sign(&p->token, close)) {
        parser_add_child(p, list, parser_expression(p));
        if (!parser_take_sign(p, ',')) break;
    }
    parser_close_bracket(p, close, list->place);
}

/* (a) is a; (), (a,) and (a, b) are lists. */
static spor_syntax *parenthesis(spor_parser *p) {
    spor_syntax *list = parser_node(p, NODE_LIST, p->token.place);
    parser_advance(p);
    if (parser_take_sign(p, ')')) return list;
    spor_syntax *first = parser_expression(p);
    if (parser_take_sign(p, ')')) return first;
    parser_add_child(p, list, first);
    if (!parser_take_sign(p, ',')) parser_close_bracket(p, ')', list->place);
    elements(p, list, ')');
    return list;
}

/* [a, b], or a comprehension */
static spor_syntax *bracketed(spor_parser *p) {
    spor_syntax *list = parser_node(p, NODE_LIST, p->token.place);
    parser_advance(p);
    if (parser_take_sign(p, ']')) return list;
    parser_add_child(p, list, parser_expression(p));
    if (token_is_word(&p->token, "for")) {
        spor_syntax *result = comprehension(p, list->child[0], list->place);
        parser_close_bracket(p, ']', list->place);
        return result;
    }
    if (!parser_take_sign(p, ','))
        parser_close_bracket(p, ']', list->place);
    else
        elements(p, list, ']');
    return list;
}

static spor_syntax *constant(spor_parser *p) {
    static const spor_syntax_kind kinds[] = {[TOKEN_NAME] = NODE_NAME,
                                             [TOKEN_INT] = NODE_INT,
                                             [TOKEN_REAL] = NODE_REAL,
                                             [TOKEN_STRING] = NODE_STRING};
    spor_syntax *result = parser_node(p, kinds[p->token.kind], p->token.place);
    result->text = p->token.text;
    if (result->kind == NODE_NAME) result->word = parser_word(p, result->text);
    result->i = p->token.i;
    result->r = p->token.r;
    result->error = p->token.error;
    if (token_is_word(&p->token, "True") || token_is_word(&p->token, "False")) {
        result->kind = NODE_BOOL;
        result->i = token_is_word(&p->token, "True");
    }
    parser_advance(p);
    return result;
}

/* A reserved word that stands for a value all the same: the op where(c, x, y) is one. */
static bool is_value(const spor_parser *p) {
    const spor_token *t = &p->token;
    return token_is_word(t, "True") || token_is_word(t, "False") ||
           (token_is_word(t, "where") && token_is_sign(&p->next, '('));
}

static spor_syntax *atom(spor_parser *p) {
    spor_token *t = &p->token;
    if (token_is_sign(t, '(')) return parenthesis(p);
    if (token_is_sign(t, '[')) return bracketed(p);
    parser_refuse_hinted_word(p);
    bool word = parser_is_reserved(p, t) && !is_value(p);
    if (word || t->kind < TOKEN_NAME || t->kind == TOKEN_SIGN)
        ground_give_up(p->ground, t->place, "expected a value but found %s", parser_found(p));
    return constant(p);
}

static spor_syntax *argument(spor_parser *p, const char **keyword) {
    *keyword = NULL;
    if (p->token.kind == TOKEN_NAME && token_is_sign(&p->next, '=')) {
        *keyword = parser_expect_name(p, "the name of an argument");
        parser_advance(p);
    }
    return parser_expression(p);
}

static _Noreturn void no_for_form(spor_parser *p) {
    char out[200] = "";
    spor_note note = {out, sizeof out, 0};
    for (const spor_for_form *f = p->dialect->fors; f->name; f++)
        note_add(&note, "%s%s", note.used ? " or " : "", f->usage);
    ground_give_up(p->ground, p->token.place, "only %s takes a for", out);
}

/* callee(term for ...): the callee and the term are read, for is the next word. */
static spor_syntax *for_form(spor_parser *p, const spor_syntax *callee, spor_syntax *term) {
    for (const spor_for_form *f = p->dialect->fors; f->name; f++)
        if (callee->kind == NODE_NAME && strcmp(callee->text, f->name) == 0)
            return f->parse(p, callee, term);
    no_for_form(p);
}

static spor_syntax *call(spor_parser *p, spor_syntax *callee) {
    spor_syntax *result = parser_node2(p, NODE_CALL, callee->place, callee, NULL);
    spor_spot open = p->token.place;
    parser_advance(p);
    bool keywords = false;
    while (!token_is_sign(&p->token, ')')) {
        const char *keyword;
        spor_spot place = p->token.place;
        parser_add_child(p, result, argument(p, &keyword));
        result->keyword[result->n - 1] = keyword;
        if (keyword)
            keywords = true;
        else if (keywords)
            ground_give_up(p->ground, place, "an argument without a name follows one with a name");
        if (token_is_word(&p->token, "for") && result->n == 2 && p->dialect)
            return for_form(p, callee, result->child[1]);
        if (!parser_take_sign(p, ',')) break;
    }
    parser_close_bracket(p, ')', open);
    return result;
}

static bool ends_slice(const spor_parser *p) {
    return token_is_sign(&p->token, ':') || token_is_sign(&p->token, ',') ||
           token_is_sign(&p->token, ']');
}

/* One item of an index: i, start:stop:step, or ... */
static spor_syntax *item(spor_parser *p) {
    spor_spot place = p->token.place;
    if (parser_take_sign(p, SPOR_SIGN('.', '.', '.'))) return parser_node(p, NODE_ELLIPSIS, place);
    spor_syntax *first = ends_slice(p) ? NULL : parser_expression(p);
    if (!token_is_sign(&p->token, ':')) return first;
    spor_syntax *slice = parser_node(p, NODE_SLICE, place);
    parser_add_child(p, slice, first);
    for (int k = 1; k < 3; k++)
        parser_add_child(p, slice,
                         parser_take_sign(p, ':') && !ends_slice(p) ? parser_expression(p) : NULL);
    return slice;
}

static spor_syntax *subscript(spor_parser *p, spor_syntax *base) {
    spor_syntax *result = parser_node2(p, NODE_INDEX, base->place, base, NULL);
    spor_spot open = p->token.place;
    parser_advance(p);
    do {
        if (token_is_sign(&p->token, ']')) break;
        spor_syntax *one = item(p);
        if (!one) ground_give_up(p->ground, p->token.place, "an index is missing here");
        parser_add_child(p, result, one);
    } while (parser_take_sign(p, ','));
    if (result->n == 1) ground_give_up(p->ground, p->token.place, "an index is missing here");
    parser_close_bracket(p, ']', open);
    return result;
}

static spor_syntax *postfix(spor_parser *p) {
    spor_syntax *result = atom(p);
    for (;;) {
        if (token_is_sign(&p->token, '('))
            result = call(p, result);
        else if (token_is_sign(&p->token, '['))
            result = subscript(p, result);
        else
            return result;
    }
}

static spor_syntax *unary(spor_parser *p);
static spor_syntax *binary(spor_parser *p, spor_syntax *a, spor_syntax *(*operand)(spor_parser *));

/* Binds more closely than the sign before it, and less than the one behind: -x ** 2 is -(x ** 2),
 * 2 ** -1 is 1 / 2; a ** b ** c is a ** (b ** c). */
static spor_syntax *power(spor_parser *p) {
    spor_syntax *result = postfix(p);
    if (!token_is_sign(&p->token, SPOR_SIGN('*', '*', 0))) return result;
    parser_enter(p);
    result = binary(p, result, unary);
    parser_leave(p);
    return result;
}

static spor_syntax *unary(spor_parser *p) {
    spor_spot place = p->token.place;
    bool minus = token_is_sign(&p->token, '-');
    if (!minus && !token_is_sign(&p->token, '+')) return power(p);
    parser_enter(p);
    parser_advance(p);
    spor_syntax *result = parser_node2(p, minus ? NODE_NEGATE : NODE_PLUS, place, unary(p), NULL);
    parser_leave(p);
    return result;
}

static spor_syntax *binary(spor_parser *p, spor_syntax *a, spor_syntax *(*operand)(spor_parser *)) {
    spor_spot place = p->token.place;
    int sign = p->token.sign;
    parser_advance(p);
    spor_syntax *result = parser_node2(p, NODE_BINARY, place, a, operand(p));
    result->sign = sign;
    return result;
}

static spor_syntax *product(spor_parser *p) {
    spor_syntax *result = unary(p);
    while (token_is_sign(&p->token, '*') || token_is_sign(&p->token, '/') ||
           token_is_sign(&p->token, '%') || token_is_sign(&p->token, '@') ||
           token_is_sign(&p->token, SPOR_SIGN('/', '/', 0)))
        result = binary(p, result, unary);
    return result;
}

spor_syntax *parser_sum(spor_parser *p) {
    spor_syntax *result = product(p);
    while (token_is_sign(&p->token, '+') || token_is_sign(&p->token, '-'))
        result = binary(p, result, product);
    return result;
}

static bool is_comparison(const spor_parser *p) {
    const spor_token *t = &p->token;
    return token_is_sign(t, '<') || token_is_sign(t, '>') ||
           token_is_sign(t, SPOR_SIGN('=', '=', 0)) || token_is_sign(t, SPOR_SIGN('!', '=', 0)) ||
           token_is_sign(t, SPOR_SIGN('<', '=', 0)) || token_is_sign(t, SPOR_SIGN('>', '=', 0)) ||
           token_is_word(t, "in");
}

/* The sign of x in list is 'i'. x not in list is not (x in list). */
static spor_syntax *comparison(spor_parser *p) {
    spor_syntax *result = parser_sum(p);
    bool negated = token_is_word(&p->token, "not") && token_is_word(&p->next, "in");
    spor_spot place = p->token.place;
    if (negated) parser_advance(p);
    if (!is_comparison(p)) return result;
    if (token_is_word(&p->token, "in")) p->token.sign = 'i';
    result = binary(p, result, parser_sum);
    if (is_comparison(p))
        ground_give_up(p->ground, p->token.place,
                       "comparisons do not chain; write a < b and b < c");
    return negated ? parser_node2(p, NODE_NOT, place, result, NULL) : result;
}

static spor_syntax *negation(spor_parser *p) {
    spor_spot place = p->token.place;
    if (!parser_take_word(p, "not")) return comparison(p);
    parser_enter(p);
    spor_syntax *result = parser_node2(p, NODE_NOT, place, negation(p), NULL);
    parser_leave(p);
    return result;
}

static spor_syntax *conjunction(spor_parser *p) {
    spor_syntax *result = negation(p);
    for (spor_spot place = p->token.place; parser_take_word(p, "and"); place = p->token.place)
        result = parser_node2(p, NODE_AND, place, result, negation(p));
    return result;
}

static spor_syntax *disjunction(spor_parser *p) {
    spor_syntax *result = conjunction(p);
    for (spor_spot place = p->token.place; parser_take_word(p, "or"); place = p->token.place)
        result = parser_node2(p, NODE_OR, place, result, conjunction(p));
    return result;
}

spor_syntax *parser_expression(spor_parser *p) {
    parser_enter(p);
    spor_syntax *result = disjunction(p);
    spor_spot place = p->token.place;
    if (parser_take_word(p, "if")) {
        result = parser_node2(p, NODE_CHOICE, place, result, disjunction(p));
        if (!parser_take_word(p, "else"))
            ground_give_up(p->ground, p->token.place, "expected else (x if c else y) but found %s",
                           parser_found(p));
        parser_add_child(p, result, parser_expression(p));
    }
    parser_leave(p);
    return result;
}

/* a, or a, b as a list */
spor_syntax *parser_expressions(spor_parser *p) {
    spor_spot place = p->token.place;
    spor_syntax *first = parser_expression(p);
    if (!token_is_sign(&p->token, ',')) return first;
    spor_syntax *list = parser_node2(p, NODE_LIST, place, first, NULL);
    while (parser_take_sign(p, ',')) {
        if (p->token.kind == TOKEN_NEWLINE || token_is_sign(&p->token, '=')) break;
        parser_add_child(p, list, parser_expression(p));
    }
    return list;
}
