/*
 * spor export --c: every network as a file that a compiler takes without a warning and whose self-test finds
 * the bits that spor predicts; and the rows of a prediction by themselves and among others.
 */
#include "../suite.h"
#include "../cli/shell.h"
#include "../support/opcheck.h"
#include "networks.h"
#include "sampled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/shape.h"
#include "export/export.h"
#include "tape/tape.h"

enum { ROWS = 37 }; /* at most */
static const double MOST_COST = 2e7;

static const char *source(void) {
    return getenv("SPOR_SOURCE");
}

/* ---- rows alone and among others ---- */

static spor_program *compile(spor_model *model, int64_t rows, const char *isa, spor_bound **bound) {
    *bound = model_bind_for(model, rows, MODEL_PREDICTS);
    ck_assert_msg(*bound != NULL, "%s", spor_model_error(model));
    const spor_options options = {.isa = isa, .rowwise = true};
    return spor_compile((*bound)->tape, 1, &(*bound)->prediction, spor_model_params(model),
                        &options);
}

/* Rows from `first` on of the prediction of the drawn rows. */
static void predict(spor_program *program, const spor_bound *bound, int64_t first, float *y) {
    spor_arg x = spor_program_arg(program, bound->input);
    ck_assert_msg(x.data != NULL, "%s", spor_program_error(program));
    int64_t size = shape_size(&x.shape), sample = size / bound->rows;
    for (int64_t k = 0; k < size; k++)
        ((float *)x.data)[k] = (float)random_uniform(3, 0, (uint64_t)(first * sample + k));
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    spor_arg made = spor_program_arg(program, bound->prediction);
    memcpy(y, made.data, (size_t)shape_size(&made.shape) * sizeof *y);
}

static void has_rows_alike(const char *name, spor_model *model, int64_t rows, void *user) {
    const char *isa = user;
    if (rows > ROWS) rows = ROWS;
    spor_bound *one, *many;
    spor_program *alone = compile(model, 1, isa, &one);
    if (spor_program_error(alone)) {
        printf("%s, rows alone: not run: %s\n", name, spor_program_error(alone));
        spor_program_free(alone);
        return;
    }
    spor_program *among = compile(model, rows, isa, &many);
    int64_t columns = spor_model_columns(model);
    float *y = calloc((size_t)(rows * columns), sizeof *y);
    float *row = calloc((size_t)columns, sizeof *row);
    predict(among, many, 0, y);
    for (int64_t n = 0; n < rows; n++) {
        predict(alone, one, n, row);
        ck_assert_msg(!memcmp(row, y + n * columns, (size_t)columns * sizeof *row),
                      "%s, %s: row %d has other bits alone", name, isa, (int)n);
    }
    free(y);
    free(row);
    spor_program_free(alone);
    spor_program_free(among);
}

START_TEST(a_row_has_the_same_bits_alone_and_among_others) {
    static char isas[][9] = {"baseline", "avx2", "avx512"};
    ck_assert_int_gt(each_network(source(), has_rows_alike, isas[_i]), 40);
}
END_TEST

/* ---- files ---- */

/* Writes the model's file, and has a compiler make and run its self-test. False: an op has no loops. */
static bool agrees(const char *name, spor_model *model, const char *compiler) {
    opened_run exported = {.options = model_spec_of(model)->options, .model = model};
    spor_text told = {0};
    spor_message message = {""};
    char path[128];
    snprintf(path, sizeof path, "%s.c", name);
    const export_wishes wishes = {0};
    bool done = export_c(&exported, &wishes, path, &told, &message);
    text_free(&told);
    if (!done && strstr(message.text, "has no loops in C")) return false;
    ck_assert_msg(done, "%s: %.500s", name, message.text);
    int status =
        run("%s -std=c99 -O%d -Wall -Wextra -pedantic -Werror -DNET_SELFTEST %s -o it && ./it",
            compiler, strstr(name, "outside_") ? 0 : 1, path);
    ck_assert_msg(status == 0 && strstr(out, "the same bits"), "%s by %s: %.400s%.400s", name,
                  compiler, out, err);
    return true;
}

/* Multiply-adds of a sample. */
static double cost_of(spor_model *model) {
    const spor_tape *tape = model_bind_for(model, 1, MODEL_PREDICTS)->tape;
    double cost = 0;
    for (uint32_t id = 1; id < tape->count; id++) cost += node_cost(tape, &tape->node[id]);
    return cost;
}

/* A compiler, and whether it takes all networks or the report's six. */
typedef struct {
    const char *name;
    bool all;
} compiler;

static void network_agrees(const char *name, spor_model *model, int64_t rows, void *user) {
    const compiler *by = user;
    (void)rows;
    if (SANITIZED && strstr(name, "outside_")) return; /* minutes, and no other code */
    if (!by->all && (strstr(name, "networks_") || strstr(name, "outside_"))) return;
    if (cost_of(model) > MOST_COST) {
        printf("%s is not compiled: its self-test would take seconds\n", name);
        return;
    }
    ck_assert_msg(agrees(name, model, by->name), "%s has an op without loops", name);
}

START_TEST(a_network_is_a_file_of_c_with_the_same_bits) {
    compiler by[] = {{"gcc", true}, {"clang", false}};
    if (run("%s --version", by[_i].name) != 0) {
        printf("not run: there is no %s\n", by[_i].name);
        return;
    }
    ck_assert_int_gt(each_network(source(), network_agrees, &by[_i]), 40);
}
END_TEST

/* ---- every op ---- */

static bool op_agrees(const sampled *of, spor_scalar scalar) {
    char name[SPOR_NAME];
    spor_model *model = sampled_model(of, scalar);
    op_name(of->op, name, sizeof name);
    bool done = agrees(name, model, "gcc");
    spor_model_free(model);
    return done;
}

/* In float on all samples, in double on the first. */
START_TEST(every_op_has_the_same_bits) {
    for (int k = 0; spor_ops[k]; k++) {
        const spor_op *op = spor_ops[k];
        char name[SPOR_NAME];
        bool done = true;
        for (int s = 0; done && op->operands && op->samples[s].in[0].rank >= 0; s++) {
            const sampled of = {op, &op->samples[s]};
            if (!sampled_has_elements(&of)) continue;
            done = op_agrees(&of, SPOR_F32) && (s || op_agrees(&of, SPOR_F64));
        }
        op_name(op, name, sizeof name);
        ck_assert_msg(done, "%s has no loops", name);
    }
}
END_TEST

/* ---- the command ---- */

static void train(const char *name, const char *net, const char *rest) {
    char script[1000], path[64];
    snprintf(path, sizeof path, "%s.spor", name);
    snprintf(
        script, sizeof script,
        "include \"layers.spor\"\ndef net(x):\n    return %s\n"
        "train(net, data=digits(scale=1/16), %s, optimizer=sgd(rate=0.01), batch=32, epochs=1)\n",
        net, rest);
    write_file(path, script);
    expect_status(run("SPOR_MODELS=$M spor train %s --quiet --out %s", path, name), 0);
}

#define SQUARES "loss=squared_error(reduction=\"mean\"), target=\"x\""
#define CLASSES "loss=cross_entropy(reduction=\"mean\")"

START_TEST(what_predict_does_besides_is_in_the_file_or_is_said) {
    char header[MOST];
    train("mirror", "reshape(dense(dense(flatten(x), 8), 64), shape(x))", SQUARES);
    expect_status(run("spor export mirror --c my-net.c"), 0);
    read_file("my-net.h", header);
    expect_in(header, "scaled as x is; my_net_unscale undoes that");
    expect_status(run("gcc -std=c99 -DNET_SELFTEST my-net.c -o it && ./it"), 0);
    train("batched", "dense(flatten(x), 10) * batch(x)", CLASSES);
    expect_status(run("spor export batched --c net.c"), 0);
    expect_in(out, "one row alone: among others it is predicted otherwise");
    read_file("net.h", header);
    expect_in(header, "spor predict` of that row alone");
}
END_TEST

START_TEST(numbers_that_are_none_and_fast_math) {
    train("plain", "softplus(dense(mean(conv(x, 3, kernel=3, act=tanh), axis=[1, 2]), 10))",
          CLASSES);
    expect_status(run("spor export plain --c net.c"), 0);
    write_file("nan.c", "#include \"net.h\"\nint main(void) {\n    volatile float zero = 0;\n"
                        "    float x[NET_INPUTS], y[NET_OUTPUTS];\n    int k;\n"
                        "    for (k = 0; k < NET_INPUTS; k++) x[k] = zero / zero;\n"
                        "    net_predict(x, y);\n    return y[0] == y[0];\n}\n");
    expect_status(run("gcc -w -std=c99 -O1 -fsanitize=undefined "
                      "-fno-sanitize-recover=all net.c nan.c -o it && ./it"),
                  0);
    expect_status(run("gcc -std=c99 -O3 -Wall -Wextra -Werror -c net.c"), 0);
    ck_assert_int_ne(run("gcc -std=c99 -Ofast -c net.c"), 0);
    expect_in(err, "relies on IEEE arithmetic");
}
END_TEST

/* A step's name is found at once, however many wanted it: by trying all numbers this took minutes. */
START_TEST(names_of_many_steps) {
    static const char *const wishes[] = {"", " --train --batch 2", " --int8"};
    train("long", "dense(gru(concat([reshape(x, [batch(x), 64, 1])] * 4, axis=1), 2), 10)",
          CLASSES);
    for (int k = 0; k < 3; k++) {
        expect_status(run("ulimit -t 20; spor export long --c net.c%s", wishes[k]), 0);
        expect_status(run("gcc -std=c99 -w -fsyntax-only net.c"), 0);
    }
}
END_TEST

/* No number is one that C leaves open what happens to. */
static const char wild[] =
    "#include \"net.h\"\n#include <stdint.h>\n#include <string.h>\n"
    "int main(void) {\n    static TYPE x[NET_INPUTS], y[NET_OUTPUTS];\n    uint64_t state = 1;\n"
    "    int n, k;\n    for (n = 0; n < 3000; n++) {\n        for (k = 0; k < NET_INPUTS; k++) {\n"
    "            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);\n"
    "            memcpy(x + k, (char *)&state + sizeof state - sizeof *x, sizeof *x);\n        }\n"
    "        net_predict(x, y);\n    }\n    return 0;\n}\n";

START_TEST(any_bits_are_defined) {
    train("wild",
          "dense(of_all(flatten(x) + 0.5), 10)\ndef of_all(x):\n"
          "    y = [exp(x), log(x), sin(x), cos(x), tanh(x), erf(x), sqrt(x), expm1(x), log1p(x),\n"
          "         sigmoid(x), softplus(x), gelu(x), hard_swish(x), abs(x), step(x), 1 / x]\n"
          "    return concat(y + [softmax(x), cumsum(x), sort(x), take_along(x, 32 * x), "
          "one_hot(argmax(x), 64), take_along(x, argsort(x))], axis=1)\n",
          CLASSES);
    for (int wide = 0; wide < 2; wide++) {
        if (wide)
            expect_status(
                run("SPOR_MODELS=$M spor train wild.spor --double --force --quiet --out wild"), 0);
        expect_status(run("spor export wild --c net.c"), 0);
        write_file("wild.c", wild);
        const int status =
            run("gcc -w -std=c99 -O1 -DTYPE=%s -fsanitize=undefined,float-cast-overflow "
                "-fno-sanitize-recover=all net.c wild.c -o it && ./it",
                wide ? "double" : "float");
        ck_assert_msg(!status, "%s", err);
    }
}
END_TEST

START_TEST(what_cannot_be_written_is_told) {
    train("plain", "dense(flatten(x), 10)", CLASSES);
    train("drawn", "dense(flatten(x) * random(shape(flatten(x))), 10)", CLASSES);
    static const char *const wrong[][2] = {
        {"plain --c net.cc", "give a file that ends in .c"},
        {"plain --c '2net.c'", "begin with a letter"},
        {"plain --c 'a?b.c'", "can't be included"},
        {"plain --c net.c --onnx net.c", "the same file"},
        {"plain", "an option says which file"},
        {"plain --c no/net.c", "no/"},
        {"nothing --c net.c", "nothing"},
        {"drawn --c net.c", "random has no loops in C"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        expect_status(run("spor export %s", wrong[k][0]), 2);
        expect_in(err, wrong[k][1]);
        ck_assert(!exists("net.c") && !exists("net.h"));
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("exported_c");
    tcase_add_loop_test(shell_case(suite, "rows"), a_row_has_the_same_bits_alone_and_among_others,
                        0, 3);
    tcase_add_test(shell_case(suite, "ops"), every_op_has_the_same_bits);
    tcase_add_loop_test(shell_case(suite, "networks"), a_network_is_a_file_of_c_with_the_same_bits,
                        0, 2);
    TCase *command = shell_case(suite, "command");
    tcase_add_test(command, what_predict_does_besides_is_in_the_file_or_is_said);
    tcase_add_test(command, numbers_that_are_none_and_fast_math);
    tcase_add_test(command, names_of_many_steps);
    tcase_add_test(command, any_bits_are_defined);
    tcase_add_test(command, what_cannot_be_written_is_told);
    return suite;
}
