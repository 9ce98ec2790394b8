/*
 * The parser: recursive descent, one token ahead (two for keyword arguments).
 */
#include "script/lexer.h"
#include "script/syntax.h"

#include <string.h>

typedef struct {
    spor_ground *ground;
    spor_names *names;
    spor_lexer lexer;
    spor_token token, next;
    int nesting;
    int defs;       /* open ones */
    int blocks;     /* open ones of any kind */
    int assertions; /* open ones of a derive or a claim */
} parser;

static spor_syntax *expression(parser *p);
static spor_syntax *statement(parser *p);

/* ---- tokens ---------------------------------------------------------------------------------- */

static void advance(parser *p) {
    p->token = p->next;
    p->next = spor_lexer_next(&p->lexer);
}

static void start(parser *p, spor_ground *ground, spor_names *names, const spor_source *source) {
    *p = (parser){.ground = ground, .names = names};
    spor_lexer_start(&p->lexer, ground, names, source);
    advance(p);
    advance(p);
}

static bool is_sign(const spor_token *t, int sign) {
    return t->kind == TOKEN_SIGN && t->sign == sign;
}

static bool is_word(const spor_token *t, const char *word) {
    return t->kind == TOKEN_NAME && strcmp(t->text, word) == 0;
}

static bool take_sign(parser *p, int sign) {
    if (!is_sign(&p->token, sign)) return false;
    advance(p);
    return true;
}

static bool take_word(parser *p, const char *word) {
    if (!is_word(&p->token, word)) return false;
    advance(p);
    return true;
}

/* What stands here, for messages. */
static const char *found(parser *p) {
    char text[4];
    switch (p->token.kind) {
    case TOKEN_END:
        return "the end of the file";
    case TOKEN_NEWLINE:
        return "the end of the line";
    case TOKEN_INDENT:
        return "a deeper indentation";
    case TOKEN_DEDENT:
        return "the end of the block";
    case TOKEN_NAME:
        return spor_take_format(p->ground, "%s", p->token.text);
    case TOKEN_STRING:
        return "a string";
    case TOKEN_SIGN:
        return spor_take_format(p->ground, "'%s'", spor_sign_text(p->token.sign, text));
    default:
        return "a number";
    }
}

static void expect_sign(parser *p, int sign, const char *where) {
    char text[4];
    if (take_sign(p, sign)) return;
    spor_give_up(p->ground, p->token.place, "expected '%s' %s but found %s",
                 spor_sign_text(sign, text), where, found(p));
}

/* The sign that closes a bracket opened at place, on the same line or further down. */
static void close_bracket(parser *p, int sign, spor_spot open) {
    if (take_sign(p, sign)) return;
    if (p->token.place.line != open.line)
        spor_give_up(p->ground, open,
                     "this bracket is not closed: expected ',' or '%c' but found %s", sign,
                     found(p));
    spor_give_up(p->ground, p->token.place, "expected ',' or '%c' but found %s", sign, found(p));
}

/* Words that cannot be names, with what to do instead where Python's users would look for them. */
static const struct {
    const char *word, *hint;
} words[] = {
    {"and", NULL},
    {"or", NULL},
    {"not", NULL},
    {"if", NULL},
    {"elif", NULL},
    {"else", NULL},
    {"for", NULL},
    {"in", NULL},
    {"def", NULL},
    {"return", NULL},
    {"pass", NULL},
    {"include", NULL},
    {"True", NULL},
    {"False", NULL},
    {"derive", NULL},
    {"claim", NULL},
    {"trust", NULL},
    {"where", NULL},
    {"while", "there is no while, so that every script ends; use for"},
    {"break", "there is no break; use if"},
    {"continue", "there is no continue; use if"},
    {"lambda", "there is no lambda; use def"},
    {"import", "there is no import; use include \"file.spor\""},
    {"from", "there is no import; use include \"file.spor\""},
    {"class", "there are no classes; a layer is a def that makes its parameters"},
    {"None", "there is no None"},
    {"is", "there is no is; use =="},
    {"try", "there are no exceptions"},
    {"raise", "there are no exceptions; use fail(\"message\")"},
    {"assert", "there is no assert; use if and fail(\"message\")"},
    {"with", "there is no with"},
    {"yield", "there is no yield; return a list"},
    {"global", "a def cannot set what is outside it; return it"},
    {"nonlocal", "a def cannot set what is outside it; return it"},
    {"del", "there is no del"},
};

static int find_word(const spor_token *t) {
    if (t->kind == TOKEN_NAME)
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            if (strcmp(t->text, words[k].word) == 0) return (int)k;
    return -1;
}

static void refuse_hinted_word(parser *p) {
    int word = find_word(&p->token);
    if (word >= 0 && words[word].hint)
        spor_give_up(p->ground, p->token.place, "%s", words[word].hint);
}

static const char *expect_name(parser *p, const char *what) {
    refuse_hinted_word(p);
    if (p->token.kind != TOKEN_NAME)
        spor_give_up(p->ground, p->token.place, "expected %s but found %s", what, found(p));
    if (find_word(&p->token) >= 0)
        spor_give_up(p->ground, p->token.place, "%s is a word of the language and cannot be %s",
                     p->token.text, what);
    const char *name = p->token.text;
    advance(p);
    return name;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static spor_syntax *node(parser *p, spor_syntax_kind kind, spor_spot place) {
    spor_syntax *result = spor_take(p->ground, 1, sizeof *result);
    result->kind = kind;
    result->place = place;
    result->depth = 1;
    return result;
}

/* Adds a child; arrays have room for the next power of two. */
static void add_child(parser *p, spor_syntax *parent, spor_syntax *child) {
    int n = parent->n;
    if ((n & (n - 1)) == 0) {
        size_t room = n ? (size_t)n * 2 : 1;
        spor_syntax **grown = spor_take(p->ground, room, sizeof *grown);
        const char **keyword = spor_take(p->ground, room, sizeof *keyword);
        if (n) memcpy(grown, parent->child, (size_t)n * sizeof *grown);
        if (n) memcpy(keyword, parent->keyword, (size_t)n * sizeof *keyword);
        parent->child = grown;
        parent->keyword = keyword;
    }
    parent->child[parent->n++] = child;
    if (child && child->depth >= parent->depth) parent->depth = child->depth + 1;
    if (parent->depth > SPOR_LIMIT_NESTING)
        spor_give_up(p->ground, parent->place,
                     "this is nested deeper than %d; use a variable for a part of it",
                     SPOR_LIMIT_NESTING);
}

static spor_syntax *node2(parser *p, spor_syntax_kind kind, spor_spot place, spor_syntax *a,
                          spor_syntax *b) {
    spor_syntax *result = node(p, kind, place);
    add_child(p, result, a);
    if (b) add_child(p, result, b);
    return result;
}

static void enter(parser *p) {
    if (++p->nesting > SPOR_LIMIT_NESTING)
        spor_give_up(p->ground, p->token.place,
                     "this is nested deeper than %d; use a variable for a part of it",
                     SPOR_LIMIT_NESTING);
}

static void leave(parser *p) {
    p->nesting--;
}

/* ---- expressions ----------------------------------------------------------------------------- */

/* Elements up to the closing sign. */
static void elements(parser *p, spor_syntax *list, int close) {
    while (!is_sign(&p->token, close)) {
        add_child(p, list, expression(p));
        if (!take_sign(p, ',')) break;
    }
    close_bracket(p, close, list->place);
}

/* (a) is a; (), (a,) and (a, b) are lists. */
static spor_syntax *parenthesis(parser *p) {
    spor_syntax *list = node(p, NODE_LIST, p->token.place);
    advance(p);
    if (take_sign(p, ')')) return list;
    spor_syntax *first = expression(p);
    if (take_sign(p, ')')) return first;
    add_child(p, list, first);
    if (!take_sign(p, ',')) close_bracket(p, ')', list->place);
    elements(p, list, ')');
    return list;
}

static spor_syntax *constant(parser *p) {
    static const spor_syntax_kind kinds[] = {[TOKEN_NAME] = NODE_NAME,
                                             [TOKEN_INT] = NODE_INT,
                                             [TOKEN_REAL] = NODE_REAL,
                                             [TOKEN_STRING] = NODE_STRING};
    spor_syntax *result = node(p, kinds[p->token.kind], p->token.place);
    result->text = p->token.text;
    result->i = p->token.i;
    result->r = p->token.r;
    if (is_word(&p->token, "True") || is_word(&p->token, "False")) {
        result->kind = NODE_BOOL;
        result->i = is_word(&p->token, "True");
    }
    advance(p);
    return result;
}

static spor_syntax *atom(parser *p) {
    spor_token *t = &p->token;
    if (is_sign(t, '(')) return parenthesis(p);
    if (is_sign(t, '[')) {
        spor_syntax *list = node(p, NODE_LIST, t->place);
        advance(p);
        elements(p, list, ']');
        return list;
    }
    refuse_hinted_word(p);
    bool call = is_word(t, "where") && is_sign(&p->next, '('); /* the op, where a value stands */
    bool word = find_word(t) >= 0 && !is_word(t, "True") && !is_word(t, "False") && !call;
    if (word || t->kind < TOKEN_NAME || t->kind == TOKEN_SIGN)
        spor_give_up(p->ground, t->place, "expected a value but found %s", found(p));
    return constant(p);
}

static spor_syntax *argument(parser *p, const char **keyword) {
    *keyword = NULL;
    if (p->token.kind == TOKEN_NAME && is_sign(&p->next, '=')) {
        *keyword = expect_name(p, "the name of an argument");
        advance(p);
    }
    return expression(p);
}

/* "for u, v" or "for u in list", after the term of a sum: its indices become children. */
static void indices(parser *p, spor_syntax *sum) {
    int first = sum->n;
    do {
        spor_syntax *index = node(p, NODE_NAME, p->token.place);
        index->text = expect_name(p, "the name of an index");
        add_child(p, sum, index);
    } while (take_sign(p, ','));
    if (!take_word(p, "in")) return;
    spor_syntax *list = expression(p);
    if (take_sign(p, SPOR_SIGN('.', '.', 0)))
        spor_give_up(p->ground, list->place, "an index runs over a list: for u in range(3)");
    for (int k = first; k < sum->n; k++) add_child(p, sum->child[k], list);
}

/* sum(term for u, v): the callee and the term are read, for is the next word. */
static spor_syntax *index_sum(parser *p, const spor_syntax *callee, spor_syntax *term) {
    if (callee->kind != NODE_NAME || strcmp(callee->text, "sum") != 0)
        spor_give_up(p->ground, p->token.place, "only sum(... for u, v) takes a for");
    spor_syntax *result = node2(p, NODE_INDEX_SUM, callee->place, term, NULL);
    while (take_word(p, "for")) indices(p, result);
    expect_sign(p, ')', "at the end of the sum");
    return result;
}

static spor_syntax *call(parser *p, spor_syntax *callee) {
    spor_syntax *result = node2(p, NODE_CALL, callee->place, callee, NULL);
    spor_spot open = p->token.place;
    advance(p);
    bool keywords = false;
    while (!is_sign(&p->token, ')')) {
        const char *keyword;
        spor_spot place = p->token.place;
        add_child(p, result, argument(p, &keyword));
        result->keyword[result->n - 1] = keyword;
        if (keyword)
            keywords = true;
        else if (keywords)
            spor_give_up(p->ground, place, "an argument without a name follows one with a name");
        if (is_word(&p->token, "for") && result->n == 2)
            return index_sum(p, callee, result->child[1]);
        if (!take_sign(p, ',')) break;
    }
    close_bracket(p, ')', open);
    return result;
}

static bool ends_slice(const parser *p) {
    return is_sign(&p->token, ':') || is_sign(&p->token, ',') || is_sign(&p->token, ']');
}

/* One item of an index: i, start:stop:step, or ... */
static spor_syntax *item(parser *p) {
    spor_spot place = p->token.place;
    if (take_sign(p, SPOR_SIGN('.', '.', '.'))) return node(p, NODE_ELLIPSIS, place);
    spor_syntax *first = ends_slice(p) ? NULL : expression(p);
    if (!is_sign(&p->token, ':')) return first;
    spor_syntax *slice = node(p, NODE_SLICE, place);
    add_child(p, slice, first);
    for (int k = 1; k < 3; k++)
        add_child(p, slice, take_sign(p, ':') && !ends_slice(p) ? expression(p) : NULL);
    return slice;
}

static spor_syntax *subscript(parser *p, spor_syntax *base) {
    spor_syntax *result = node2(p, NODE_INDEX, base->place, base, NULL);
    spor_spot open = p->token.place;
    advance(p);
    do {
        if (is_sign(&p->token, ']')) break;
        spor_syntax *one = item(p);
        if (!one) spor_give_up(p->ground, p->token.place, "an index is missing here");
        add_child(p, result, one);
    } while (take_sign(p, ','));
    if (result->n == 1) spor_give_up(p->ground, p->token.place, "an index is missing here");
    close_bracket(p, ']', open);
    return result;
}

static spor_syntax *postfix(parser *p) {
    spor_syntax *result = atom(p);
    for (;;) {
        if (is_sign(&p->token, '('))
            result = call(p, result);
        else if (is_sign(&p->token, '['))
            result = subscript(p, result);
        else
            return result;
    }
}

static spor_syntax *unary(parser *p) {
    spor_spot place = p->token.place;
    bool minus = is_sign(&p->token, '-');
    if (!minus && !is_sign(&p->token, '+')) {
        spor_syntax *result = postfix(p);
        if (is_sign(&p->token, SPOR_SIGN('*', '*', 0)))
            spor_give_up(p->ground, p->token.place, "there is no **; write x * x");
        return result;
    }
    enter(p);
    advance(p);
    spor_syntax *result = node2(p, minus ? NODE_NEGATE : NODE_PLUS, place, unary(p), NULL);
    leave(p);
    return result;
}

static spor_syntax *binary(parser *p, spor_syntax *a, spor_syntax *(*operand)(parser *)) {
    spor_spot place = p->token.place;
    int sign = p->token.sign;
    advance(p);
    spor_syntax *result = node2(p, NODE_BINARY, place, a, operand(p));
    result->sign = sign;
    return result;
}

static spor_syntax *product(parser *p) {
    spor_syntax *result = unary(p);
    while (is_sign(&p->token, '*') || is_sign(&p->token, '/') || is_sign(&p->token, '%') ||
           is_sign(&p->token, '@') || is_sign(&p->token, SPOR_SIGN('/', '/', 0)))
        result = binary(p, result, unary);
    return result;
}

static spor_syntax *sum(parser *p) {
    spor_syntax *result = product(p);
    while (is_sign(&p->token, '+') || is_sign(&p->token, '-')) result = binary(p, result, product);
    return result;
}

static bool is_comparison(const parser *p) {
    const spor_token *t = &p->token;
    return is_sign(t, '<') || is_sign(t, '>') || is_sign(t, SPOR_SIGN('=', '=', 0)) ||
           is_sign(t, SPOR_SIGN('!', '=', 0)) || is_sign(t, SPOR_SIGN('<', '=', 0)) ||
           is_sign(t, SPOR_SIGN('>', '=', 0)) || is_word(t, "in");
}

/* The sign of x in list is 'i'. x not in list is not (x in list). */
static spor_syntax *comparison(parser *p) {
    spor_syntax *result = sum(p);
    bool negated = is_word(&p->token, "not") && is_word(&p->next, "in");
    spor_spot place = p->token.place;
    if (negated) advance(p);
    if (!is_comparison(p)) return result;
    if (is_word(&p->token, "in")) p->token.sign = 'i';
    result = binary(p, result, sum);
    if (is_comparison(p))
        spor_give_up(p->ground, p->token.place, "comparisons do not chain; write a < b and b < c");
    return negated ? node2(p, NODE_NOT, place, result, NULL) : result;
}

static spor_syntax *negation(parser *p) {
    spor_spot place = p->token.place;
    if (!take_word(p, "not")) return comparison(p);
    enter(p);
    spor_syntax *result = node2(p, NODE_NOT, place, negation(p), NULL);
    leave(p);
    return result;
}

static spor_syntax *conjunction(parser *p) {
    spor_syntax *result = negation(p);
    for (spor_spot place = p->token.place; take_word(p, "and"); place = p->token.place)
        result = node2(p, NODE_AND, place, result, negation(p));
    return result;
}

static spor_syntax *disjunction(parser *p) {
    spor_syntax *result = conjunction(p);
    for (spor_spot place = p->token.place; take_word(p, "or"); place = p->token.place)
        result = node2(p, NODE_OR, place, result, conjunction(p));
    return result;
}

static spor_syntax *expression(parser *p) {
    enter(p);
    spor_syntax *result = disjunction(p);
    spor_spot place = p->token.place;
    if (take_word(p, "if")) {
        result = node2(p, NODE_CHOICE, place, result, disjunction(p));
        if (!take_word(p, "else"))
            spor_give_up(p->ground, p->token.place, "expected else (x if c else y) but found %s",
                         found(p));
        add_child(p, result, expression(p));
    }
    leave(p);
    return result;
}

/* a, or a, b as a list */
static spor_syntax *expressions(parser *p) {
    spor_spot place = p->token.place;
    spor_syntax *first = expression(p);
    if (!is_sign(&p->token, ',')) return first;
    spor_syntax *list = node2(p, NODE_LIST, place, first, NULL);
    while (take_sign(p, ',')) {
        if (p->token.kind == TOKEN_NEWLINE || is_sign(&p->token, '=')) break;
        add_child(p, list, expression(p));
    }
    return list;
}

/* ---- statements ------------------------------------------------------------------------------ */

static void end_line(parser *p) {
    if (p->token.kind == TOKEN_END) return;
    if (p->token.kind != TOKEN_NEWLINE)
        spor_give_up(p->ground, p->token.place, "expected the end of the line but found %s",
                     found(p));
    advance(p);
}

/* ":" and a block, or a statement on the same line */
static spor_syntax *block(parser *p, const char *where) {
    expect_sign(p, ':', where);
    spor_syntax *result = node(p, NODE_BLOCK, p->token.place);
    enter(p);
    p->blocks++;
    if (p->token.kind != TOKEN_NEWLINE) {
        add_child(p, result, statement(p));
    } else {
        advance(p);
        if (p->token.kind != TOKEN_INDENT)
            spor_give_up(p->ground, p->token.place, "expected an indented block %s", where);
        advance(p);
        while (p->token.kind != TOKEN_DEDENT && p->token.kind != TOKEN_END)
            add_child(p, result, statement(p));
        if (p->token.kind == TOKEN_DEDENT) advance(p);
    }
    p->blocks--;
    leave(p);
    return result;
}

static spor_syntax *if_statement(parser *p) {
    spor_syntax *result = node(p, NODE_IF, p->token.place);
    do {
        advance(p);
        add_child(p, result, expression(p));
        add_child(p, result, block(p, "after the condition"));
    } while (is_word(&p->token, "elif"));
    if (take_word(p, "else")) add_child(p, result, block(p, "after else"));
    return result;
}

/* The place of what is not a name among the targets of an assignment, or NULL. */
static const spor_syntax *not_a_target(const spor_syntax *target) {
    if (target->kind == NODE_NAME) return NULL;
    if (target->kind != NODE_LIST || target->n == 0) return target;
    for (int k = 0; k < target->n; k++)
        if (target->child[k]->kind != NODE_NAME) return target->child[k];
    return NULL;
}

static spor_syntax *for_statement(parser *p) {
    spor_syntax *result = node(p, NODE_FOR, p->token.place);
    advance(p);
    spor_spot place = p->token.place;
    spor_syntax *target = node(p, NODE_LIST, place);
    do {
        spor_syntax *name = node(p, NODE_NAME, p->token.place);
        name->text = expect_name(p, "the name of a loop");
        add_child(p, target, name);
    } while (take_sign(p, ','));
    add_child(p, result, target->n == 1 ? target->child[0] : target);
    if (!take_word(p, "in"))
        spor_give_up(p->ground, p->token.place, "expected in (for x in list:) but found %s",
                     found(p));
    add_child(p, result, expressions(p));
    add_child(p, result, block(p, "after for"));
    return result;
}

/* A[N, 3] after its name */
static void signature(parser *p, spor_parameter *parameter) {
    parameter->shaped = true;
    spor_spot open = p->token.place;
    advance(p);
    while (!is_sign(&p->token, ']')) {
        if (parameter->rank == SPOR_RANK)
            spor_give_up(p->ground, p->token.place, "a tensor has at most %d axes", SPOR_RANK);
        spor_axis_name *axis = &parameter->axis[parameter->rank++];
        if (p->token.kind == TOKEN_INT) {
            axis->size = p->token.i;
            advance(p);
        } else {
            axis->name = expect_name(p, "the name of an axis");
        }
        if (!take_sign(p, ',')) break;
    }
    close_bracket(p, ']', open);
}

static spor_parameter one_parameter(parser *p) {
    spor_parameter result = {.place = p->token.place};
    result.name = expect_name(p, "the name of a parameter");
    if (is_sign(&p->token, '[')) signature(p, &result);
    if (take_sign(p, '=')) result.value = expression(p);
    return result;
}

static void refuse_twin(parser *p, int n, const spor_parameter parameters[],
                        const spor_parameter *fresh) {
    for (int k = 0; k < n; k++)
        if (parameters[k].name == fresh->name)
            spor_give_up(p->ground, fresh->place, "%s is a parameter twice", fresh->name);
}

/* Room for one more than n parameters; arrays have room for the next power of two. */
static spor_parameter *grow(parser *p, spor_parameter *parameter, int n) {
    if (n & (n - 1)) return parameter;
    spor_parameter *grown = spor_take(p->ground, n ? (size_t)n * 2 : 1, sizeof *grown);
    if (n) memcpy(grown, parameter, (size_t)n * sizeof *grown);
    return grown;
}

static void check_parameter(parser *p, const spor_def *def, const spor_parameter *fresh) {
    refuse_twin(p, def->parameters, def->parameter, fresh);
    if (def->parameters && def->parameter[def->parameters - 1].value && !fresh->value)
        spor_give_up(p->ground, fresh->place, "%s needs a default, since the one before has one",
                     fresh->name);
}

static void parameters(parser *p, spor_def *def) {
    while (!is_sign(&p->token, ')')) {
        spor_parameter fresh = one_parameter(p);
        check_parameter(p, def, &fresh);
        def->parameter = grow(p, def->parameter, def->parameters);
        def->parameter[def->parameters++] = fresh;
        if (!take_sign(p, ',')) break;
    }
}

/* The name of a size must not be a parameter's too. */
static void check_sizes(parser *p, const spor_def *def) {
    for (int k = 0; k < def->parameters; k++)
        for (int a = 0; a < def->parameter[k].rank; a++)
            for (int other = 0; other < def->parameters; other++)
                if (def->parameter[k].axis[a].name == def->parameter[other].name)
                    spor_give_up(p->ground, def->parameter[k].place,
                                 "%s is the name of a size and of a parameter",
                                 def->parameter[other].name);
}

static spor_syntax *def_statement(parser *p) {
    spor_syntax *result = node(p, NODE_DEF, p->token.place);
    advance(p);
    spor_def *def = result->def = spor_take(p->ground, 1, sizeof *def);
    def->place = p->token.place;
    def->name = expect_name(p, "the name of a def");
    spor_spot open = p->token.place;
    expect_sign(p, '(', "after the name");
    parameters(p, def);
    close_bracket(p, ')', open);
    check_sizes(p, def);
    if (take_word(p, "where")) def->where = expression(p);
    p->defs++;
    def->body = block(p, "after def");
    p->defs--;
    add_child(p, result, def->body);
    return result;
}

/* ---- derivations and claims ------------------------------------------------------------------ */

/* A, A[H, W], p in 0..3 or act in [tanh, relu] */
static spor_parameter quantified(parser *p) {
    spor_parameter result = {.place = p->token.place};
    result.name = expect_name(p, "the name of a tensor or of a number");
    if (is_sign(&p->token, '[')) signature(p, &result);
    if (is_sign(&p->token, '='))
        spor_give_up(p->ground, p->token.place, "a value is quantified: %s in [1, 2] or %s in 1..2",
                     result.name, result.name);
    if (result.shaped || !take_word(p, "in")) return result;
    result.from = sum(p);
    if (take_sign(p, SPOR_SIGN('.', '.', 0))) result.to = sum(p);
    return result;
}

static void quantifiers(parser *p, spor_assertion *a) {
    expect_sign(p, '(', "before what is quantified: (A, W) or (A[H, W], p in 0..3)");
    while (!is_sign(&p->token, ')')) {
        spor_parameter fresh = quantified(p);
        refuse_twin(p, a->parameters, a->parameter, &fresh);
        a->parameter = grow(p, a->parameter, a->parameters);
        a->parameter[a->parameters++] = fresh;
        if (!take_sign(p, ',')) break;
    }
    expect_sign(p, ')', "or ',' after what is quantified");
}

/* -> (Y, dY) */
static void results(parser *p, spor_assertion *a) {
    expect_sign(p, SPOR_SIGN('-', '>', 0), "and (Y, dY), the result and its cotangent,");
    expect_sign(p, '(', "before the result: -> (Y, dY)");
    for (int k = 0; k < 2; k++) {
        if (k) expect_sign(p, ',', "and the name of the cotangent: -> (Y, dY)");
        a->result[k].place = p->token.place;
        a->result[k].name = expect_name(p, k ? "the name of the cotangent" : "the name of Y");
        refuse_twin(p, a->parameters, a->parameter, &a->result[k]);
    }
    expect_sign(p, ')', "after the cotangent: -> (Y, dY)");
    refuse_twin(p, 1, a->result, &a->result[1]);
}

/* where and fails, in either order */
static void terms(parser *p, spor_assertion *a) {
    for (;;) {
        if (!a->where && take_word(p, "where"))
            a->where = expression(p);
        else if (!a->fails && take_word(p, "fails"))
            a->fails = true;
        else
            return;
    }
}

static spor_syntax *assertion(parser *p) {
    spor_spot place = p->token.place;
    bool trusted = take_word(p, "trust"), derive = is_word(&p->token, "derive");
    if (trusted && !derive)
        spor_give_up(p->ground, p->token.place, "only a derivation is trusted: trust derive ...");
    spor_syntax *result = node(p, derive ? NODE_DERIVE : NODE_CLAIM, place);
    spor_assertion *a = result->assertion = spor_take(p->ground, 1, sizeof *a);
    *a = (spor_assertion){.place = place, .trusted = trusted};
    if (p->blocks)
        spor_give_up(p->ground, place, "%s stands at the top level, not in a block",
                     derive ? "derive" : "claim");
    advance(p);
    a->target_place = p->token.place;
    if (derive) a->target = expect_name(p, "the name of the def that is derived");
    if (p->token.kind == TOKEN_STRING) {
        a->label = p->token.text;
        advance(p);
    } else if (!derive) {
        spor_give_up(p->ground, p->token.place,
                     "a claim needs a label (claim \"Eq. 1\" (A[H, W]):) but found %s", found(p));
    }
    quantifiers(p, a);
    if (derive) results(p, a);
    terms(p, a);
    p->assertions++;
    a->body = block(p, derive ? "after derive" : "after claim");
    p->assertions--;
    add_child(p, result, a->body);
    return result;
}

static spor_syntax *return_statement(parser *p) {
    spor_syntax *result = node(p, NODE_RETURN, p->token.place);
    if (!p->defs) spor_give_up(p->ground, p->token.place, "return stands outside a def");
    advance(p);
    if (p->token.kind != TOKEN_NEWLINE && p->token.kind != TOKEN_END)
        add_child(p, result, expressions(p));
    return result;
}

static spor_syntax *include_statement(parser *p) {
    spor_syntax *result = node(p, NODE_INCLUDE, p->token.place);
    if (p->blocks)
        spor_give_up(p->ground, p->token.place, "include stands at the top level, not in a block");
    advance(p);
    if (p->token.kind != TOKEN_STRING)
        spor_give_up(p->ground, p->token.place,
                     "expected a file (include \"file.spor\") but found %s", found(p));
    result->text = p->token.text;
    advance(p);
    return result;
}

/* The sign of a += b is '+'; 0 if this is no such statement. */
static int augmentation(const spor_token *t) {
    if (t->kind != TOKEN_SIGN) return 0;
    if (t->sign == SPOR_SIGN('/', '/', '=')) return SPOR_SIGN('/', '/', 0);
    int first = t->sign & 255, second = t->sign >> 8;
    return second == '=' && strchr("+-*/@%", first) ? first : 0;
}

/* ... where a derivation is not done yet */
static spor_syntax *open_value(parser *p) {
    spor_syntax *result = node(p, NODE_ELLIPSIS, p->token.place);
    advance(p);
    return result;
}

static spor_syntax *assignment(parser *p) {
    if (p->assertions && is_sign(&p->token, SPOR_SIGN('.', '.', '.'))) return open_value(p);
    spor_syntax *left = expressions(p);
    spor_spot place = p->token.place;
    int sign = augmentation(&p->token);
    if (!sign && !is_sign(&p->token, '=')) return node2(p, NODE_EVALUATE, left->place, left, NULL);
    const spor_syntax *bad = sign && left->kind == NODE_LIST ? left : not_a_target(left);
    if (bad && bad->kind == NODE_INDEX)
        spor_give_up(p->ground, bad->place,
                     "values do not change: an element cannot be set; make a new list or tensor");
    if (bad) spor_give_up(p->ground, bad->place, "only a name can be assigned to");
    advance(p);
    spor_syntax *value = p->assertions && is_sign(&p->token, SPOR_SIGN('.', '.', '.'))
                             ? open_value(p)
                             : expressions(p);
    if (is_sign(&p->token, '=')) spor_give_up(p->ground, p->token.place, "one assignment a line");
    spor_syntax *result = node2(p, sign ? NODE_AUGMENT : NODE_ASSIGN, left->place, left, value);
    if (sign) result->place = place;
    result->sign = sign;
    return result;
}

static spor_syntax *simple_statement(parser *p) {
    spor_syntax *result;
    if (is_word(&p->token, "return"))
        result = return_statement(p);
    else if (is_word(&p->token, "include"))
        result = include_statement(p);
    else if (is_word(&p->token, "pass")) {
        result = node(p, NODE_PASS, p->token.place);
        advance(p);
    } else
        result = assignment(p);
    end_line(p);
    return result;
}

static spor_syntax *statement(parser *p) {
    if (p->token.kind == TOKEN_INDENT)
        spor_give_up(p->ground, p->token.place, "this line is indented but no block begins here");
    if (is_word(&p->token, "if")) return if_statement(p);
    if (is_word(&p->token, "for")) return for_statement(p);
    if (is_word(&p->token, "def")) return def_statement(p);
    if (is_word(&p->token, "derive") || is_word(&p->token, "claim") || is_word(&p->token, "trust"))
        return assertion(p);
    return simple_statement(p);
}

spor_syntax *spor_parse(spor_ground *ground, spor_names *names, const spor_source *source) {
    parser p;
    start(&p, ground, names, source);
    spor_syntax *result = node(&p, NODE_BLOCK, p.token.place);
    while (p.token.kind != TOKEN_END) {
        if (p.token.kind == TOKEN_NEWLINE)
            advance(&p);
        else
            add_child(&p, result, statement(&p));
    }
    return result;
}

spor_syntax *spor_parse_expression(spor_ground *ground, spor_names *names,
                                   const spor_source *source) {
    parser p;
    start(&p, ground, names, source);
    spor_syntax *result = expressions(&p);
    end_line(&p);
    if (p.token.kind != TOKEN_END)
        spor_give_up(ground, p.token.place, "expected the end of the line but found %s", found(&p));
    return result;
}
