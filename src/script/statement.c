/*
 * Statements: see parser.h.
 */
#include "script/parser.h"

#include <string.h>

static spor_syntax *statement(spor_parser *p);

/* ---- blocks ---------------------------------------------------------------------------------- */

spor_syntax *parser_block(spor_parser *p, const char *where) {
    parser_expect_sign(p, ':', where);
    spor_syntax *result = parser_node(p, NODE_BLOCK, p->token.place);
    parser_enter(p);
    p->blocks++;
    if (p->token.kind != TOKEN_NEWLINE) {
        parser_add_child(p, result, statement(p));
    } else {
        parser_advance(p);
        if (p->token.kind != TOKEN_INDENT)
            ground_give_up(p->ground, p->token.place, "expected an indented block %s", where);
        parser_advance(p);
        while (p->token.kind != TOKEN_DEDENT && p->token.kind != TOKEN_END)
            parser_add_child(p, result, statement(p));
        if (p->token.kind == TOKEN_DEDENT) parser_advance(p);
    }
    p->blocks--;
    parser_leave(p);
    return result;
}

static spor_syntax *if_statement(spor_parser *p) {
    spor_syntax *result = parser_node(p, NODE_IF, p->token.place);
    do {
        parser_advance(p);
        parser_add_child(p, result, parser_expression(p));
        parser_add_child(p, result, parser_block(p, "after the condition"));
    } while (token_is_word(&p->token, "elif"));
    if (parser_take_word(p, "else")) parser_add_child(p, result, parser_block(p, "after else"));
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

spor_syntax *parser_targets(spor_parser *p) {
    spor_syntax *target = parser_node(p, NODE_LIST, p->token.place);
    do {
        parser_add_child(p, target, parser_name(p, "the name of a loop"));
    } while (parser_take_sign(p, ','));
    if (!parser_take_word(p, "in"))
        ground_give_up(p->ground, p->token.place, "expected in (for x in list:) but found %s",
                       parser_found(p));
    return target->n == 1 ? target->child[0] : target;
}

static spor_syntax *for_statement(spor_parser *p) {
    spor_syntax *result = parser_node(p, NODE_FOR, p->token.place);
    parser_advance(p);
    parser_add_child(p, result, parser_targets(p));
    parser_add_child(p, result, parser_expressions(p));
    parser_add_child(p, result, parser_block(p, "after for"));
    return result;
}

/* ---- defs ------------------------------------------------------------------------------------ */

void parser_signature(spor_parser *p, spor_parameter *parameter) {
    parameter->shaped = true;
    spor_spot open = p->token.place;
    parser_advance(p);
    while (!token_is_sign(&p->token, ']')) {
        if (parameter->rank == SPOR_RANK)
            ground_give_up(p->ground, p->token.place, "a tensor has at most %d axes", SPOR_RANK);
        spor_axis_name *axis = &parameter->axis[parameter->rank++];
        if (p->token.kind == TOKEN_INT) {
            axis->size = p->token.i;
            parser_advance(p);
        } else {
            axis->name = parser_expect_name(p, "the name of an axis");
        }
        if (!parser_take_sign(p, ',')) break;
    }
    parser_close_bracket(p, ']', open);
}

void parser_range(spor_parser *p, spor_parameter *parameter) {
    if (!parser_take_word(p, "in")) return;
    parameter->from = parser_sum(p);
    if (parser_take_sign(p, SPOR_SIGN('.', '.', 0))) parameter->to = parser_sum(p);
}

static spor_parameter one_parameter(spor_parser *p) {
    spor_parameter result = {.place = p->token.place};
    result.name = parser_expect_name(p, "the name of a parameter");
    if (token_is_sign(&p->token, '[')) parser_signature(p, &result);
    if (token_is_word(&p->token, "in") && !result.shaped)
        ground_give_up(p->ground, p->token.place,
                       "a range in a signature is of a tensor, whose shape comes first: "
                       "%s[N] in 0.0..1.0",
                       result.name);
    parser_range(p, &result);
    if (parser_take_sign(p, '=')) result.value = parser_expression(p);
    return result;
}

void parser_refuse_twin(spor_parser *p, const spor_parameter *known, const spor_parameter *fresh,
                        const char *says) {
    if (known->name == fresh->name)
        ground_give_up(p->ground, fresh->place, "%s %s", fresh->name, says);
}

static void check_parameter(spor_parser *p, const spor_def *def, const spor_parameter *fresh) {
    for (int k = 0; k < def->parameters; k++)
        parser_refuse_twin(p, &def->parameter[k], fresh, "is a parameter twice");
    if (def->parameters && def->parameter[def->parameters - 1].value && !fresh->value)
        ground_give_up(p->ground, fresh->place, "%s needs a default, since the one before has one",
                       fresh->name);
}

static void parameters(spor_parser *p, spor_def *def) {
    while (!token_is_sign(&p->token, ')')) {
        spor_parameter fresh = one_parameter(p);
        check_parameter(p, def, &fresh);
        def->parameter = parser_grow(p, def->parameter, def->parameters, sizeof fresh);
        def->parameter[def->parameters++] = fresh;
        if (!parser_take_sign(p, ',')) break;
    }
}

/* The name of a size must not be a parameter's too. */
static void check_sizes(spor_parser *p, const spor_def *def) {
    for (int k = 0; k < def->parameters; k++)
        for (int a = 0; a < def->parameter[k].rank; a++)
            for (int other = 0; other < def->parameters; other++)
                if (def->parameter[k].axis[a].name == def->parameter[other].name)
                    ground_give_up(p->ground, def->parameter[k].place,
                                   "%s is the name of a size and of a parameter",
                                   def->parameter[other].name);
}

static spor_syntax *def_statement(spor_parser *p) {
    spor_syntax *result = parser_node(p, NODE_DEF, p->token.place);
    parser_advance(p);
    spor_def *def = result->def = ground_take(p->ground, 1, sizeof *def);
    def->place = p->token.place;
    def->name = parser_expect_name(p, "the name of a def");
    spor_spot open = p->token.place;
    parser_expect_sign(p, '(', "after the name");
    parameters(p, def);
    parser_close_bracket(p, ')', open);
    check_sizes(p, def);
    if (parser_take_word(p, "where")) def->where = parser_expression(p);
    p->defs++;
    def->body = parser_block(p, "after def");
    p->defs--;
    parser_add_child(p, result, def->body);
    return result;
}

/* ---- simple statements ----------------------------------------------------------------------- */

static spor_syntax *return_statement(spor_parser *p) {
    spor_syntax *result = parser_node(p, NODE_RETURN, p->token.place);
    if (!p->defs)
        ground_give_up(p->ground, p->token.place,
                       "return stands outside a def: here a result is assigned to its name");
    parser_advance(p);
    if (p->token.kind != TOKEN_NEWLINE && p->token.kind != TOKEN_END)
        parser_add_child(p, result, parser_expressions(p));
    return result;
}

static spor_syntax *include_statement(spor_parser *p) {
    spor_syntax *result = parser_node(p, NODE_INCLUDE, p->token.place);
    if (p->blocks)
        ground_give_up(p->ground, p->token.place,
                       "include stands at the top level, not in a block");
    parser_advance(p);
    if (p->token.kind != TOKEN_STRING)
        ground_give_up(p->ground, p->token.place,
                       "expected a file (include \"file.spor\") but found %s", parser_found(p));
    result->text = p->token.text;
    parser_advance(p);
    return result;
}

/* The sign of a += b is '+'; 0 if this is no such statement. */
static int augmentation(const spor_token *t) {
    if (t->kind != TOKEN_SIGN) return 0;
    if (t->sign == SPOR_SIGN('/', '/', '=')) return SPOR_SIGN('/', '/', 0);
    if (t->sign == SPOR_SIGN('*', '*', '=')) return SPOR_SIGN('*', '*', 0);
    int first = t->sign & 255, second = t->sign >> 8;
    return second == '=' && strchr("+-*/@%", first) ? first : 0;
}

/* ... for what is still missing */
static spor_syntax *open_value(spor_parser *p) {
    spor_syntax *result = parser_node(p, NODE_ELLIPSIS, p->token.place);
    parser_advance(p);
    return result;
}

static spor_syntax *assignment(spor_parser *p) {
    if (p->gaps && token_is_sign(&p->token, SPOR_SIGN('.', '.', '.'))) return open_value(p);
    spor_syntax *left = parser_expressions(p);
    spor_spot place = p->token.place;
    int sign = augmentation(&p->token);
    if (!sign && !token_is_sign(&p->token, '='))
        return parser_node2(p, NODE_EVALUATE, left->place, left, NULL);
    const spor_syntax *bad = sign && left->kind == NODE_LIST ? left : not_a_target(left);
    if (bad && bad->kind == NODE_INDEX)
        ground_give_up(p->ground, bad->place,
                       "values do not change: an element cannot be set; make a new list or tensor");
    if (bad) ground_give_up(p->ground, bad->place, "only a name can be assigned to");
    parser_advance(p);
    spor_syntax *value = p->gaps && token_is_sign(&p->token, SPOR_SIGN('.', '.', '.'))
                             ? open_value(p)
                             : parser_expressions(p);
    if (token_is_sign(&p->token, '='))
        ground_give_up(p->ground, p->token.place, "one assignment a line");
    spor_syntax *result =
        parser_node2(p, sign ? NODE_AUGMENT : NODE_ASSIGN, left->place, left, value);
    if (sign) result->place = place;
    result->sign = sign;
    return result;
}

/* A name before another one or a string: a word that some dialect would know. */
static void refuse_foreign(spor_parser *p, const spor_syntax *line) {
    bool word = line->kind == NODE_EVALUATE && line->child[0]->kind == NODE_NAME;
    if (p->dialect || !word || (p->token.kind != TOKEN_NAME && p->token.kind != TOKEN_STRING))
        return;
    ground_give_up(p->ground, line->place, "%s begins no statement of the plain language",
                   line->child[0]->text);
}

static spor_syntax *simple_statement(spor_parser *p) {
    spor_syntax *result;
    if (token_is_word(&p->token, "return"))
        result = return_statement(p);
    else if (token_is_word(&p->token, "include"))
        result = include_statement(p);
    else if (token_is_word(&p->token, "pass")) {
        result = parser_node(p, NODE_PASS, p->token.place);
        parser_advance(p);
    } else
        result = assignment(p);
    refuse_foreign(p, result);
    parser_end_line(p);
    return result;
}

static spor_syntax *statement(spor_parser *p) {
    if (p->token.kind == TOKEN_INDENT)
        ground_give_up(p->ground, p->token.place, "this line is indented but no block begins here");
    if (token_is_word(&p->token, "if")) return if_statement(p);
    if (token_is_word(&p->token, "for")) return for_statement(p);
    if (token_is_word(&p->token, "def")) return def_statement(p);
    const spor_statement_form *form = parser_statement_form(p, &p->token);
    if (form) return form->parse(p);
    return simple_statement(p);
}

spor_syntax *parse_script(spor_ground *ground, spor_names *names, const spor_dialect *dialect,
                          const spor_source *source) {
    spor_parser p;
    parser_start(&p, ground, names, dialect, source);
    spor_syntax *result = parser_node(&p, NODE_BLOCK, p.token.place);
    while (p.token.kind != TOKEN_END) {
        if (p.token.kind == TOKEN_NEWLINE)
            parser_advance(&p);
        else
            parser_add_child(&p, result, statement(&p));
    }
    return result;
}

spor_syntax *parse_expression(spor_ground *ground, spor_names *names, const spor_dialect *dialect,
                              const spor_source *source) {
    spor_parser p;
    parser_start(&p, ground, names, dialect, source);
    spor_syntax *result = parser_expressions(&p);
    parser_end_line(&p);
    if (p.token.kind != TOKEN_END)
        ground_give_up(ground, p.token.place, "expected the end of the line but found %s",
                       parser_found(&p));
    return result;
}
