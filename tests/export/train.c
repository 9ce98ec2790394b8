/*
 * spor export --c --train: a step of training of every network, by every optimizer, as a file that compilers take without
 * a warning and whose self-test finds the bits of spor; what changes nothing; what is told.
 */
#include "../suite.h"
#include "../cli/shell.h"
#include "networks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "export/c_train.h"
#include "export/export.h"
#include "tape/tape.h"

enum { BATCH = 3 };
static const double MOST_COST = 2e7;

static const char *source(void) {
    return getenv("SPOR_SOURCE");
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

/* The numbers that the self-test hashes, of parameters in memory. */
static uint64_t bits_of(spor_params *params) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry entry = spor_params_entry(params, k);
        for (int64_t j = 0; j < shape_size(&entry.shape); j++) {
            uint32_t bits;
            memcpy(&bits, (const float *)entry.value + j, sizeof bits);
            hash = (hash ^ bits) * UINT64_C(1099511628211);
        }
    }
    return hash;
}

/* A batch as the self-test draws it, where no number of a sample is an index and targets are classes. */
static void draw_batch(spor_bound *bound, uint64_t *state) {
    const int64_t size = shape_size(&bound->x.shape) / BATCH;
    const int64_t columns = shape_size(&bound->y.shape) / BATCH;
    memset(bound->y.data, 0, (size_t)(BATCH * columns) * sizeof(float));
    for (int64_t row = 0; row < BATCH; row++) {
        for (int64_t k = 0; k < size; k++)
            ((float *)bound->x.data)[row * size + k] = (float)c_training_draw(state);
        const int64_t chosen = (int64_t)(c_training_draw(state) * 16777216) % columns;
        ((float *)bound->y.data)[row * columns + chosen] = 1;
    }
}

/* The steps that spor train makes, on SPOR_ISA=baseline, end in the bits that the file expects. */
static bool steps_as_train(spor_model *model, const char *path) {
    spor_bound *bound = spor_model_bind(model, BATCH, true);
    uint64_t state = 1;
    char code[32];
    for (int s = 0; s < C_STEPS; s++) {
        draw_batch(bound, &state);
        ck_assert_msg(spor_model_step(model, bound, (uint64_t)s), "%s", spor_model_error(model));
    }
    snprintf(code, sizeof code, "0x%016" PRIx64, bits_of(spor_model_params(model)));
    return run("grep -q 'step_bits.*%s' %s", code, path) == 0;
}

static void trains(const char *name, spor_model *model, int64_t rows, void *user) {
    const compiler *by = user;
    (void)rows;
    bool other = strstr(name, "networks_") != NULL;
    if (strstr(name, "outside_") || (!by->all && other)) return;
    if (cost_of(model) > MOST_COST) {
        printf("%s is not compiled: its self-test would take seconds\n", name);
        return;
    }
    opened_run exported = {.options = model_spec_of(model)->options, .model = model};
    const export_wishes wishes = {.trains = true, .batch = BATCH};
    spor_text told = {0};
    spor_message message = {""};
    char path[128];
    snprintf(path, sizeof path, "%s.c", name);
    bool done = export_c(&exported, &wishes, path, &told, &message);
    text_free(&told);
    if (!done && strstr(message.text, "has no parameters")) return;
    ck_assert_msg(done, "%s: %.500s", name, message.text);
    int status = run("%s -std=c99 -O%d -Wall -Wextra -pedantic -Werror -DNET_SELFTEST %s -o it && "
                     "./it %s.bin",
                     by->name, other ? 0 : 1, path, name);
    ck_assert_msg(status == 0 && strstr(out, "training: the same bits"), "%s by %s: %.400s%.400s",
                  name, by->name, out, err);
    if (run("grep -q rows_named %s", path) == 0) return;
    const bool alike = run("grep -q 'are those of' %s.h", name) == 0;
    if (!alike) printf("%s: sums in another order than spor train's\n", name);
    ck_assert_msg(steps_as_train(model, path) == alike, "%s: beside spor train", name);
}

START_TEST(a_step_of_each_network_has_the_same_bits) {
    compiler by[] = {{"gcc", true}, {"clang", false}};
    if (run("%s --version", by[_i].name) != 0) {
        printf("not run: there is no %s\n", by[_i].name);
        return;
    }
    setenv("SPOR_ISA", "baseline", 1);
    const int count = each_network(source(), trains, &by[_i]);
    unsetenv("SPOR_ISA");
    ck_assert_int_gt(count, 40);
}
END_TEST

/* ---- by the command ---- */

/* Makes a run of a network by what train(...) is given besides. */
static void train(const char *name, const char *net, const char *rest) {
    char script[1000], path[64];
    snprintf(path, sizeof path, "%s.spor", name);
    snprintf(script, sizeof script,
             "include \"layers.spor\"\ndef net(x):\n    return %s\n"
             "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"mean\"), %s, "
             "batch=64, epochs=1)\n",
             net, rest);
    write_file(path, script);
    expect_status(run("SPOR_MODELS=$M spor train %s --quiet --force --out %s", path, name), 0);
}

static void expect_same_at(int level, const char *path) {
    int status =
        run("gcc -std=c99 -O%d -Wall -Wextra -pedantic -Werror -DNET_SELFTEST %s -o it && ./it",
            level, path);
    ck_assert_msg(status == 0 && strstr(out, "training: the same bits"), "-O%d: %.400s%.400s",
                  level, out, err);
}

static void expect_same(const char *path) {
    expect_same_at(1, path);
}

#define SMALL "dense(dense(flatten(x), 6, act=tanh), 10)"

/* The defs of models/optimizers.spor that begin with these operands. */
static int each_rule(const char *operands, const char *format) {
    char path[1200], line[400], name[64], rest[200];
    int count = 0;
    snprintf(path, sizeof path, "%s/models/optimizers.spor", source());
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        const char *at = strstr(line, operands);
        if (strncmp(line, "def ", 4) != 0 || !at) continue;
        snprintf(name, sizeof name, "%.*s", (int)(at - line - 4), line + 4);
        snprintf(rest, sizeof rest, format, name);
        train("rule", SMALL, rest);
        expect_status(run("spor export rule --c net.c --train --batch 5"), 0);
        expect_same("net.c");
        count++;
    }
    fclose(file);
    return count;
}

START_TEST(every_rule_has_the_same_bits) {
    ck_assert_int_ge(each_rule("(w, dw", "optimizer=%s(rate=0.01)"), 7);
    ck_assert_int_ge(each_rule("(gradients", "optimizer=momentum(rate=0.01), clip=%s(0.1)"), 2);
    train("rule", SMALL, "optimizer=sgd(rate=0.01, l2=0.001, biases=False), schedule=linear()");
    expect_status(run("spor export rule --c net.c --train"), 0);
    expect_same("net.c");
}
END_TEST

/* Kernels are turned within the arena. gcc 12 has made wrong loops of that from -O2 on, where it knew both places. */
START_TEST(optimized_steps_have_the_same_bits) {
    static const char *const net[] = {
        "dense(flatten(conv_transpose(reshape(x, [shape(x)[0], 2, 4, 8]), 32, kernel=3, "
        "stride=2)), 10)",
        "dense(flatten(conv_transpose(reshape(x, [shape(x)[0], 4, 4, 4]), 6, kernel=3, stride=2)), "
        "10)",
        "dense(flatten(maxpool(conv(x, 6, kernel=3, act=relu), size=2)), 10)"};
    train("turned", net[_i], "optimizer=sgd(rate=0.01)");
    expect_status(run("spor export turned --c net.c --train --batch 3"), 0);
    for (int level = 1; level <= 3; level++) expect_same_at(level, "net.c");
}
END_TEST

/* What a program does with net.h: NaN, another that is not finite, states that are kept. */
static const char uses[] =
    "#include \"net.h\"\n#include <string.h>\n#include <stdio.h>\n"
    "static float x[NET_BATCH * NET_INPUTS], t[NET_BATCH * NET_TARGETS], kept[NET_PARAMETERS];\n"
    "static float y[NET_OUTPUTS], first[NET_OUTPUTS];\n"
    "static int same(void) { return !memcmp(kept, net_parameters(), sizeof kept); }\n"
    "int main(void) {\n    volatile float zero = 0;\n    float loss;\n    int k;\n"
    "    for (k = 0; k < NET_BATCH * NET_INPUTS; k++) x[k] = (float)(k % 7) / 7;\n"
    "    for (k = 0; k < NET_BATCH; k++) t[k * NET_TARGETS + k % NET_TARGETS] = 1;\n"
    "    net_predict(x, first);\n    memcpy(kept, net_parameters(), sizeof kept);\n"
    "    t[0] = zero / zero;\n    loss = net_train(x, t, 0.1f);\n"
    "    if (loss == loss || !same()) return 1;\n    t[0] = 1;\n"
    "    loss = net_train(x, t, 1 / zero);\n    if (loss == loss || !same()) return 2;\n"
    "    x[3] = zero / zero;\n    loss = net_train(x, t, 0.1f);\n"
    "    if (loss == loss || !same()) return 3;\n    x[3] = (float)3 / 7;\n"
    "    loss = net_train(x, t, 0.1f);\n    if (loss != loss || same()) return 4;\n"
    "    net_predict(x, y);\n    if (!memcmp(y, first, sizeof y)) return 5;\n"
    "    for (k = 0; k < 20; k++) net_train(x, t, 0.1f);\n"
    "    if (!(net_train(x, t, 0.1f) < loss)) return 6;\n"
    "    memcpy(net_parameters(), kept, sizeof kept);\n    net_predict(x, y);\n"
    "    if (memcmp(y, first, sizeof y)) return 7;\n    net_train(x, t, 0.1f);\n    net_reset();\n"
    "    return same() ? 0 : 8;\n}\n";

START_TEST(what_is_not_finite_changes_nothing) {
    static const char *const nets[] = {
        SMALL, "dense(flatten(maxpool(conv(x, 3, kernel=3, act=relu), size=2)), 10)",
        "dense(flatten(dropout(batch_norm(conv(x, 2, kernel=3, act=sigmoid)), 0.1)), 10)"};
    for (size_t k = 0; k < sizeof nets / sizeof nets[0]; k++) {
        train("small", nets[k], "optimizer=momentum(rate=0.01)");
        expect_status(run("spor export small --c net.c --train --batch 4"), 0);
        write_file("use.c", uses);
        expect_status(
            run("gcc -std=c99 -O1 -fsanitize=undefined -fno-sanitize-recover=all net.c use.c "
                "-o it && ./it"),
            0);
    }
}
END_TEST

/* Each line by which a step calls or hands on something is left out once: the self-test is to see it. */
START_TEST(a_step_that_is_left_out_is_seen) {
    train("small", "dense(flatten(maxpool(conv(x, 3, kernel=3, act=relu), size=2)), 10)",
          "optimizer=momentum(rate=0.01)");
    expect_status(run("spor export small --c net.c --train --batch 4"), 0);
    expect_same("net.c");
    run("awk '/^float net_train/ { on = 1 } on && /^    (net_[a-z].*\\(|memcpy)/ && !/net_begin/ { "
        "print NR } "
        "on && /^}/ { exit }' net.c");
    int seen = 0;
    char lines[MOST], *end;
    snprintf(lines, sizeof lines, "%s", out);
    for (char *at = lines; strtol(at, &end, 10) > 0; at = end, seen++) {
        const long line = strtol(at, NULL, 10);
        run("sed '%lds/.*/ /' net.c > less.c", line);
        ck_assert_int_eq(run("gcc -std=c99 -w -O0 -DNET_SELFTEST less.c -o it"), 0);
        run("./it");
        ck_assert_msg(!strstr(out, "training: the same bits"), "line %ld is not missed", line);
    }
    ck_assert_int_ge(seen, 10);
}
END_TEST

/* A setting that can't be called so in C, or in C++, which includes the header, has another name there. */
START_TEST(settings_and_parameters_of_any_name) {
    static const char *const names[] = {"cost",      "x",          "NULL",      "INT32_MAX",
                                        "net_begin", "net_values", "errno",     "linux",
                                        "asm",       "bool",       "namespace", "1st"};
    char net[200], rest[200];
    const bool cpp = run("g++ --version") == 0;
    if (!cpp) printf("the header is not looked at as C++: there is no g++\n");
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        snprintf(net, sizeof net,
                 "dense(flatten(x), 10) * exp(param([10], init=\"zeros\", name=\"%s\"))\n"
                 "def mine(w, dw, rate): return w - setting(\"%s\", rate) * dw\n",
                 names[k], names[k]);
        snprintf(rest, sizeof rest, "optimizer=mine(0.01)");
        train("named", net, rest);
        expect_status(run("spor export named --c net.c --train --batch 3"), 0);
        expect_same("net.c");
        if (cpp)
            expect_status(run("g++ -Wall -Werror -fsyntax-only -include net.h -x c++ - <net.h"), 0);
    }
}
END_TEST

/* Winners of windows whose cells a byte can't count. */
START_TEST(large_windows_have_a_step) {
    train("large", "dense(flatten(maxpool(concat([x, x, x, 2 * x], axis=2), size=[8, 32])), 10)",
          "optimizer=sgd(rate=0.01)");
    expect_status(run("spor export large --c net.c --train --batch 3"), 0);
    expect_same("net.c");
    train("larger",
          "dense(flatten(maxpool(pad(x, [[9, 9], [9, 9]], 0), size=[17, 17], stride=3)), 10)",
          "optimizer=sgd(rate=0.01)");
    expect_status(run("spor export larger --c net.c --train --batch 3"), 0);
    expect_same("net.c");
}
END_TEST

/* Nothing is read of weights that were not given. */
static const char unloaded[] =
    "#include \"net.h\"\n#include <stdlib.h>\n"
    "static float x[NET_BATCH * NET_INPUTS], t[NET_BATCH * NET_TARGETS], y[NET_OUTPUTS];\n"
    "int main(void) {\n    float *all = malloc(NET_WEIGHT_BYTES), loss;\n    int k;\n"
    "    for (k = 0; k < 2; k++) {\n        net_reset();\n        if (net_parameters()) return 1;\n"
    "        loss = net_train(x, t, 0.1f);\n        if (loss == loss) return 2;\n"
    "        net_predict(x, y);\n        if (y[0] == y[0] || y[NET_OUTPUTS - 1] == y[0]) return "
    "3;\n"
    "        if (net_load(all, 7)) return 4;\n    }\n"
    "    for (k = 0; k < NET_PARAMETERS; k++) all[k] = 0;\n"
    "    if (!net_load(all, NET_WEIGHT_BYTES)) return 5;\n    loss = net_train(x, t, 0.1f);\n"
    "    if (loss != loss || !net_parameters()) return 6;\n    net_predict(x, y);\n"
    "    return y[0] == y[0] ? 0 : 7;\n}\n";

START_TEST(weights_that_were_not_loaded) {
    train("wide", "dense(dense(flatten(x), 4000, act=relu), 10)", "optimizer=sgd(rate=0.01)");
    expect_status(run("spor export wide --c net.c --train --batch 2"), 0);
    ck_assert(exists("net.bin"));
    write_file("use.c", unloaded);
    expect_status(run("gcc -std=c99 -O1 -fsanitize=undefined -fno-sanitize-recover=all net.c use.c "
                      "-o it && ./it"),
                  0);
    train("plain", "dense(flatten(x), 10)", "optimizer=sgd(rate=0.01)");
    expect_status(run("spor export plain --c net.c --train --batch 2"), 0);
    expect_in(out, "net.bin is not of this export");
    expect_same("net.c");
}
END_TEST

/* What could not be compared is not said to be the same: the first pixel of digits is always 0, of drawn numbers not. */
START_TEST(steps_that_are_not_finite_are_not_compared) {
    char header[MOST];
    train("far", "dense(flatten(x), 10) + log(0.001 - flatten(x)[:, 0:1])",
          "optimizer=sgd(rate=0.01)");
    expect_status(run("spor export far --c net.c --train --batch 4"), 0);
    read_file("net.h", header);
    expect_in(header, "are not finite: they were not compared");
    expect_in(out, "not compared");
    ck_assert(!strstr(out, "the bits of"));
}
END_TEST

START_TEST(what_cannot_be_written_is_told) {
    train("plain", "dense(flatten(x), 10)", "optimizer=sgd(rate=0.01)");
    static const char *const wrong[][2] = {
        {"--onnx net.onnx --train", "--train and --batch are with --c"},
        {"--onnx net.onnx --batch 3", "--train and --batch are with --c"},
        {"--c net.c --batch 3", "--batch is with --train"},
        {"--c net.c --train --batch 0", "batch"},
        {"--c net.c --train --batch -1", "batch"},
        {"--c net.c --train --batch 9223372036854775807", "rows"},
        {"--c net.c --train --batch 100000000", "too large"},
        {"--c no/net.c --train", "no/"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        expect_status(run("spor export plain %s", wrong[k][0]), 2);
        expect_in(err, wrong[k][1]);
        ck_assert(!exists("net.c") && !exists("net.h"));
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("exported_training");
    tcase_add_loop_test(shell_case(suite, "networks"), a_step_of_each_network_has_the_same_bits, 0,
                        2);
    TCase *command = shell_case(suite, "command");
    tcase_add_loop_test(command, optimized_steps_have_the_same_bits, 0, 3);
    tcase_add_test(command, every_rule_has_the_same_bits);
    tcase_add_test(command, what_is_not_finite_changes_nothing);
    tcase_add_test(command, a_step_that_is_left_out_is_seen);
    tcase_add_test(command, settings_and_parameters_of_any_name);
    tcase_add_test(command, large_windows_have_a_step);
    tcase_add_test(command, weights_that_were_not_loaded);
    tcase_add_test(command, steps_that_are_not_finite_are_not_compared);
    tcase_add_test(command, what_cannot_be_written_is_told);
    return suite;
}
