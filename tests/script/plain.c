/*
 * Scripts without the room for claims, and with a dialect of its own.
 */
#include "../suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/parser.h"

/* ---- the plain language ---------------------------------------------------------------------- */

static spor_script *load(const char *file) {
    char folder[1024], path[1200];
    snprintf(folder, sizeof folder, "%s/models", getenv("SPOR_SOURCE"));
    snprintf(path, sizeof path, "%s/%s", folder, file);
    return script_load(path, folder, NULL, 0, NULL);
}

START_TEST(plain_scripts_record) {
    spor_script *script = load("lenet2.spor");
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    spor_shape sample = script_declaration(script)->sample, shape = {.rank = 4, .n = {2}};
    memcpy(shape.n + 1, sample.n, 3 * sizeof *shape.n);
    spor_tape *tape = spor_tape_new();
    spor_var y = script_net(spor_input(tape, "x", shape), true, script);
    ck_assert_msg(!spor_error(tape), "%s", spor_error(tape));
    ck_assert_int_eq(spor_shape_of(y).n[1], script_declaration(script)->classes);
    spor_tape_free(tape);
    script_free(script);
}
END_TEST

static const struct {
    const char *text, *error; /* "": none */
} plain[] = {
    {"derive = 1\nclaim = derive\nnone = [claim]\ntrust = none\n", ""},
    {"def f(x[N] in 0.5..1.0, y[N, K] in one_hot, z[] in [0, 1], w[N] in simplex = 1):\n"
     "    return x\none_hot = f\n",
     ""},
    {"def f(x): return x\nderive f (x) -> (y, dy):\n    dx = dy\n",
     "s.spor:2:1: derive begins no statement of the plain language\n"
     "      derive f (x) -> (y, dy):\n      ^~~~~~"},
    {"claim \"Eq. 1\" (A[n]):\n    A == A\n",
     "s.spor:1:1: claim begins no statement of the plain language\n"
     "      claim \"Eq. 1\" (A[n]):\n      ^~~~~"},
    {"trust derive f (x) -> (y, dy):\n    dx = dy\n",
     "s.spor:1:1: trust begins no statement of the plain language\n"
     "      trust derive f (x) -> (y, dy):\n      ^~~~~"},
    {"x = sum(i for i)\n", "s.spor:1:11: expected ',' or ')' but found for\n"
                           "      x = sum(i for i)\n                ^~~"},
    {"x = any_like(1)\n", "s.spor:1:5: nothing is called any_like\n"
                          "      x = any_like(1)\n          ^~~~~~~~"},
    {"x = ...\n", "s.spor:1:5: expected a value but found '...'\n"
                  "      x = ...\n          ^"},
    {"training = 1\n", "s.spor:1:1: training cannot be set: the recording sets it\n"
                       "      training = 1\n      ^~~~~~~~"},
};

START_TEST(plain_scripts_have_no_claims) {
    spor_script *script = script_read("s.spor", plain[_i].text, NULL, NULL);
    const char *error = script_error(script);
    ck_assert_str_eq(error ? error : "", plain[_i].error);
    script_free(script);
}
END_TEST

/* ---- a dialect ------------------------------------------------------------------------------- */

typedef struct {
    int64_t told;          /* the last one */
    int begun, ended;      /* calls of defs */
    const char *innermost; /* def that ended first */
} heard;

static heard ears;

static spor_value run_tell(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_value v = pass_evaluate(run, env, node->child[0]);
    ears.told = want_int(run, node->place, "what is told", &v);
    return (spor_value){.kind = VALUE_NOTHING};
}

/* tell expression */
static spor_syntax *parse_tell(spor_parser *p) {
    spor_syntax *result = parser_node(p, NODE_ACT, p->token.place);
    result->evaluate = run_tell;
    parser_advance(p);
    parser_add_child(p, result, parser_expression(p));
    parser_end_line(p);
    return result;
}

static spor_value run_twice(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_value v = pass_evaluate(run, env, node->child[0]);
    return pass_binary(run, node->place, '+', &v, &v);
}

/* twice(term for name) */
static spor_syntax *parse_twice(spor_parser *p, const spor_syntax *name, spor_syntax *term) {
    spor_syntax *result = parser_node2(p, NODE_FORM, name->place, term, NULL);
    result->evaluate = run_twice;
    parser_take_word(p, "for");
    parser_name(p, "the name of nobody");
    parser_expect_sign(p, ')', "at the end");
    return result;
}

static spor_value answer(spor_pass *run, spor_env *env, const spor_syntax *node) {
    (void)run, (void)env, (void)node;
    return value_of_int(42);
}

static spor_value half(const spor_given *g) {
    return value_of_int(given_int(g, 0, 0) / 2);
}

static void *before_call(spor_pass *run, const spor_function *function, spor_env *env) {
    (void)run, (void)env;
    ears.begun++;
    return (void *)(uintptr_t)function->def->name;
}

static void after_call(spor_pass *run, const spor_function *function, spor_env *env, void *kept,
                       spor_value *result) {
    (void)run, (void)env;
    ck_assert_ptr_eq(kept, function->def->name);
    ck_assert_int_eq(result->kind, VALUE_INT);
    if (!ears.ended++) ears.innermost = function->def->name;
}

static const spor_dialect dialect = {
    .statements = (const spor_statement_form[]){{"tell", parse_tell}, {NULL, NULL}},
    .fors = (const spor_for_form[]){{"twice", "twice(... for x)", parse_twice}, {NULL, NULL, NULL}},
    .words = (const spor_word[]){{"answer", answer, "answer is 42"}, {NULL, NULL, NULL}},
    .builtins = (const spor_builtin[]){{"half", "x", half}, {NULL, NULL, NULL}},
    .before_call = before_call,
    .after_call = after_call,
};

static const struct {
    const char *text, *error;
    int64_t told;
} spoken[] = {
    {"tell answer\n", "", 42},
    {"tell half(answer)\n", "", 21},
    {"tell twice(4 + 1 for x)\n", "", 10},
    {"def f(answer): return answer\ntell f(5)\n", "", 5},
    {"if 1 < 2:\n    tell 6\n", "", 6},
    {"answer = 1\n", "s.spor:1:1: answer is 42\n      answer = 1\n      ^~~~~~", 0},
    {"tell = 1\n", "s.spor:1:6: expected a value but found '='\n      tell = 1\n           ^", 0},
    {"x = tell\n", "s.spor:1:5: expected a value but found tell\n      x = tell\n          ^~~~",
     0},
    {"def tell(x): return x\n",
     "s.spor:1:5: tell is a word of the language and cannot be the name of a def\n"
     "      def tell(x): return x\n          ^~~~",
     0},
    {"tell sum(1 for x)\n",
     "s.spor:1:12: only twice(... for x) takes a for\n"
     "      tell sum(1 for x)\n                 ^~~",
     0},
};

START_TEST(a_dialect_is_heard) {
    ears = (heard){0};
    spor_script *script = script_read("s.spor", spoken[_i].text, NULL, &dialect);
    const char *error = script_error(script);
    ck_assert_str_eq(error ? error : "", spoken[_i].error);
    ck_assert_int_eq(ears.told, spoken[_i].told);
    script_free(script);
}
END_TEST

START_TEST(a_dialect_stands_around_calls) {
    ears = (heard){0};
    const char *text = "def inner(x): return x + 1\ndef outer(x): return inner(inner(x))\n"
                       "tell outer(1)\n";
    spor_script *script = script_read("s.spor", text, NULL, &dialect);
    ck_assert_ptr_null(script_error(script));
    ck_assert_int_eq(ears.told, 3);
    ck_assert_int_eq(ears.begun, 3);
    ck_assert_int_eq(ears.ended, 3);
    ck_assert_str_eq(ears.innermost, "inner");
    script_free(script);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("plain scripts");
    TCase *test = tcase_create("plain");
    tcase_add_test(test, plain_scripts_record);
    tcase_add_loop_test(test, plain_scripts_have_no_claims, 0, sizeof plain / sizeof *plain);
    tcase_add_loop_test(test, a_dialect_is_heard, 0, sizeof spoken / sizeof *spoken);
    tcase_add_test(test, a_dialect_stands_around_calls);
    suite_add_tcase(suite, test);
    return suite;
}
