/*
 * spor export --c --int8 as a command: what it tells and measures, rows that are none, what can't be written.
 */
#include "../cli/shell.h"
#include "../suite.h"

#include <stdio.h>

#include "base/random.h"

static void train(const char *name, const char *net, const char *rest) {
    char script[1000], path[64];
    snprintf(path, sizeof path, "%s.spor", name);
    snprintf(script, sizeof script,
             "include \"layers.spor\"\ndef net(x):\n    return %s\n"
             "train(net, data=csv(\"rows.csv\", %s, optimizer=sgd(rate=0.01), batch=8, epochs=2)\n",
             net, rest);
    write_file(path, script);
    ck_assert_msg(!run("SPOR_MODELS=$M spor train %s --quiet --out %s", path, name), "%s%s", out,
                  err);
}

/* Two numbers, and a class or a number. */
static void write_table(int rows, bool classes) {
    FILE *file = fopen("rows.csv", "w");
    fprintf(file, "a,b,c\n");
    for (int k = 0; k < rows; k++) {
        const double a = random_uniform(1, 0, (uint64_t)k), b = random_uniform(2, 0, (uint64_t)k);
        if (classes)
            fprintf(file, "%.4f,%.4f,%s\n", a, b, a > b ? "more" : "less");
        else
            fprintf(file, "%.4f,%.4f,%.4f\n", a, b, 3 * a - b);
    }
    fclose(file);
}

#define CLASSES "shape=[2]), loss=cross_entropy(reduction=\"mean\")"
#define NUMBERS "targets=[\"c\"]), loss=squared_error(reduction=\"mean\")"

START_TEST(what_int8_loses_is_measured) {
    char header[MOST];
    write_table(100, true);
    train("classes", "dense(dense(x, 8, act=relu), 2)", CLASSES);
    expect_status(run("spor export classes --c net.c --int8"), 0);
    expect_in(out, "rows that rows trained with");
    expect_in(out, "in float    softmax behind the network");
    expect_in(out, "validation accuracy 0.");
    expect_in(out, " in int8 (20 rows)");
    expect_status(run("gcc -std=c99 -DNET_SELFTEST net.c -o it && ./it"), 0);
    expect_in(out, "net: 3 samples: the same numbers");
    read_file("net.h", header);
    expect_in(header, "#define NET_X_SCALE ");
    write_file("new.csv", "a,b\n0.1,0.2\n0.9,0.3\n");
    expect_status(run("spor export classes --c net.c --int8 --calibrate new.csv"), 0);
    expect_in(out, "calibrated by all 2 rows of new.csv");
    expect_in(out, " in int8 (20 rows)");
    write_table(100, false);
    train("numbers", "dense(dense(x, 8, act=relu), 1)", NUMBERS);
    expect_status(run("spor export numbers --c net.c --int8"), 0);
    expect_in(out, "test RMSE ");
    expect_status(run("spor export classes --c net.c --int8"), 2); /* other data now */
    expect_in(err, "--calibrate FILE");
    expect_status(run("spor export classes --c net.c --int8 --calibrate new.csv"), 0);
    expect_in(out, "what int8 loses was not measured");
}
END_TEST

START_TEST(a_network_that_computes_with_the_batch_is_told) {
    write_table(60, true);
    train("batched", "dense(x, 2) * batch(x)", CLASSES);
    expect_status(run("spor export batched --c net.c --int8"), 0);
    expect_in(out, "one row alone: among others it is predicted otherwise");
}
END_TEST

START_TEST(rows_that_are_none) {
    write_table(60, true);
    train("net", "dense(dense(x, 8, act=tanh), 2)", CLASSES);
    static const struct {
        const char *rows, *message; /* NULL: it is written */
    } given[] = {
        {"a,b\n", "no"},
        {"a,b\n0.1,nan\n", "net"},
        {"a,b\n1e39,0\n", "net"},
        {"a\n1\n", "b"},
        {"a,b\n0.5,0.5\n", NULL},
        {"a,b\n0,0\n0,0\n", NULL},
        {"a,b\n1e30,-1e30\n", NULL},
        {"a,b\n1e-40,0\n", NULL},
    };
    for (size_t k = 0; k < sizeof given / sizeof *given; k++) {
        write_file("new.csv", given[k].rows);
        run("rm -f net.c net.h");
        int status = run("spor export net --c net.c --int8 --calibrate new.csv");
        ck_assert_msg(status == (given[k].message ? 2 : 0), "%s: %d %s", given[k].rows, status,
                      err);
        ck_assert_int_eq(exists("net.c"), !given[k].message);
        if (given[k].message) continue;
        expect_status(run("gcc -std=c99 -DNET_SELFTEST net.c -o it && ./it"), 0);
        expect_in(out, "the same numbers");
    }
}
END_TEST

/* Tokens of so many words, a number, a class that is that of the first token's parity. */
static void write_words(int rows, int words) {
    FILE *file = fopen("rows.csv", "w");
    fprintf(file, "a,b,u,c\n");
    for (int k = 0; k < rows; k++) {
        const int a = k * 7 % words, b = k % words;
        fprintf(file, "%d,%d,%.4f,%s\n", a, b, random_uniform(3, 0, (uint64_t)k),
                a % 2 ? "odd" : "even");
    }
    fclose(file);
}

/* All rows, predicted in floats and in bytes: the largest difference. */
static const char compares[] =
    "#include <stdio.h>\n#include <string.h>\n#include <math.h>\n#include \"net.h\"\n"
    "#include \"real.h\"\n"
    "int main(void) {\n    float x[3], y[2], z[2];\n    double off = 0, u;\n    char line[99];\n   "
    " int a, b;\n"
    "    FILE *file = fopen(\"rows.csv\", \"r\");\n    fgets(line, 99, file);\n"
    "    while (fgets(line, 99, file)) {\n        sscanf(line, \"%d,%d,%lf\", &a, &b, &u);\n"
    "        x[0] = (float)a, x[1] = (float)b, x[2] = (float)u;\n"
    "        net_predict(x, y);\n        real_predict(x, z);\n"
    "        off = fmax(off, fmax(fabs(y[0] - z[0]), fabs(y[1] - z[1])));\n    }\n"
    "    printf(\"%g\\n\", off);\n    return !(off < 0.03);\n}\n";

/* Whole numbers are no others as bytes: what names a row, what is compared, of columns that are both. */
START_TEST(whole_numbers_stay_whole) {
    static const char *const nets[] = {
        "dense(flatten(embedding(x[:, 0:2], 9, 4)), 2)",
        "dense(flatten(embedding(x[:, 0:2], 200, 4)), 2)",
        "dense(flatten(embedding(x[:, 0], 9, 4)), 2) + x[:, 2:3]",
        "dense(concat([x[:, 0:2] == 3, x[:, 2:3]], axis=1), 2)",
        "dense(one_hot(x[:, 0], 9), 2) + dense(one_hot(argmax(dense(x, 4), axis=1), 4), 2)",
        "dense(flatten(embedding(flip(x[:, 0:2], axis=1), 9, 4)), 2)",
    };
    write_words(90, 9);
    for (size_t k = 0; k < sizeof nets / sizeof nets[0]; k++) {
        run("rm -rf net");
        train("net", nets[k], "shape=[3]), loss=cross_entropy(reduction=\"mean\")");
        expect_status(run("spor export net --c net.c --int8 && spor export net --c real.c"), 0);
        write_file("main.c", compares);
        const int status = run("gcc -std=c99 net.c real.c main.c -lm -o it && ./it");
        ck_assert_msg(!status, "%s: off by %s%s", nets[k], out, err);
    }
    write_words(90, 300);
    run("rm -rf net");
    train("net", "dense(flatten(embedding(x[:, 0:2], 300, 4)), 2)",
          "shape=[3]), loss=cross_entropy(reduction=\"mean\")");
    expect_status(run("spor export net --c more.c --int8"), 2);
    expect_in(err, "layers.spor:");
    expect_in(err, "take of rows 0 to 299: a byte tells only 256 apart");
    ck_assert(!exists("more.c"));
    run("rm -rf net"); /* an index that is made in float */
    train("net", "dense(embedding(argmax(dense(x[:, 2:3], 300), axis=1), 300, 4), 2)",
          "shape=[3]), loss=cross_entropy(reduction=\"mean\")");
    expect_status(run("spor export net --c more.c --int8"), 0);
}
END_TEST

/* Mean and variance of a norm are made in float, with what is divided by them: squares as bytes are 0 where one is large. */
START_TEST(norms_are_in_float) {
    static const char *const norms[] = {"layer_norm(y)", "rms_norm(y)",
                                        "group_norm(reshape(y, [batch(x), 2, 2, 4]), 2)"};
    char net[200];
    write_table(60, true);
    for (size_t k = 0; k < sizeof norms / sizeof norms[0]; k++) {
        run("rm -rf net");
        snprintf(net, sizeof net,
                 "norm(x, exp(2 * reshape(dense(x, 16), [batch(x), 4, 4])))\n"
                 "def norm(x, y): return dense(flatten(%s), 2)\n",
                 norms[k]);
        train("net", net, CLASSES);
        expect_status(run("spor export net --c net.c --int8"), 0);
        expect_in(out, "div at layers.spor:");
        ck_assert_msg(run("grep -q int8_multiply net.c"), "%s squares bytes", norms[k]);
        expect_status(run("gcc -std=c99 -DNET_SELFTEST net.c -o it && ./it"), 0);
    }
}
END_TEST

/* What was nothing but 0 on all rows has no scale, and needs none. */
START_TEST(arrays_of_zeros) {
    static const char *const nets[] = {
        "dense(relu(-1 - abs(dense(x, 8))), 2)",
        "1e-15 * dense(relu(x - 9), 2)",
        "1e-15 * (relu(x - 9) + x)",
        "1e-15 * x * relu(x - 9) + x",
        "relu(1e-20 * x + 1e-20 * x * x - 1)",
    };
    write_table(60, true);
    for (size_t k = 0; k < sizeof nets / sizeof nets[0]; k++) {
        run("rm -rf net");
        train("net", nets[k], CLASSES);
        ck_assert_msg(!run("spor export net --c net.c --int8"), "%s: %s", nets[k], err);
        expect_status(run("gcc -std=c99 -DNET_SELFTEST net.c -o it && ./it"), 0);
        expect_in(out, "the same numbers");
    }
}
END_TEST

static const char unloaded[] =
    "#include \"net.h\"\n#include <stdint.h>\n"
    "int main(void) {\n    float x[NET_INPUTS] = {0}, y[NET_OUTPUTS];\n"
    "    int8_t x8[NET_INPUTS] = {0}, y8[NET_OUTPUTS];\n    int32_t few;\n"
    "    if (net_load(&few, sizeof few)) return 1;\n    net_predict(x, y);\n"
    "    net_predict_int8(x8, y8);\n    return y[0] == y[0] || y8[0] != NET_Y_ZERO;\n}\n";

/* What is in float has its weights in the file, too; without them nothing is read. */
START_TEST(weights_of_floats_lie_apart) {
    write_table(60, true);
    train("net",
          "dense(softmax(x @ softmax(param([2, 300000], init=\"normal\", name=\"W\") * sum(x) / "
          "sum(x), axis=0))"
          "[:, 0:8], 2)",
          CLASSES);
    expect_status(run("spor export net --c net.c --int8"), 0);
    expect_in(out, "net.bin");
    expect_status(run("test $(wc -c <net.c) -lt 200000"), 0);
    expect_status(run("gcc -std=c99 -Wall -Wextra -pedantic -Werror -DNET_SELFTEST net.c -o it && "
                      "./it net.bin"),
                  0);
    expect_in(out, "the same numbers");
    write_file("use.c", unloaded);
    expect_status(run("gcc -std=c99 -fsanitize=undefined -fno-sanitize-recover=all net.c use.c -o "
                      "it && ./it"),
                  0);
    train("small", "dense(x, 2)", CLASSES);
    expect_status(run("spor export small --c net.c --int8"), 0);
    expect_in(out, "net.bin is not of this export");
}
END_TEST

START_TEST(numbers_too_large_for_a_float) {
    write_table(60, true);
    write_file("net.spor",
               "include \"layers.spor\"\ndef net(x):\n    return dense(x * 1e60 * 1e-60, 2)\n"
               "train(net, data=csv(\"rows.csv\", " CLASSES ", optimizer=sgd(rate=0.01), batch=8, "
               "epochs=1)\n");
    expect_status(run("SPOR_MODELS=$M spor train net.spor --double --quiet --out net"), 0);
    expect_status(run("spor export net --c net.c --int8"), 2);
    expect_in(err, "net.spor:3:");
    expect_in(err, "too large for a float");
    ck_assert(!exists("net.c"));
}
END_TEST

START_TEST(what_cannot_be_written_is_told) {
    write_table(60, true);
    train("net", "dense(x, 2)", CLASSES);
    train("drawn", "dense(x * random(shape(x)), 2)", CLASSES);
    static const char *const wrong[][2] = {
        {"net --onnx net.onnx --int8", "--int8 is of C"},
        {"net --c net.c --calibrate rows.csv", "--calibrate is for --int8"},
        {"net --c net.c --int8 --calibrate none.csv", "none.csv"},
        {"net --c net.cc --int8", "give a file that ends in .c"},
        {"drawn --c net.c --int8", "random has no loops in C"},
        {"net --c no/net.c --int8", "no/"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        expect_status(run("spor export %s", wrong[k][0]), 2);
        expect_in(err, wrong[k][1]);
        ck_assert(!exists("net.c") && !exists("net.h"));
    }
    expect_status(run("ln -s /dev/full net.c"), 0);
    expect_status(run("spor export net --c net.c --int8"), 2);
    ck_assert(!exists("net.h"));
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("int8_command");
    TCase *command = tcase_create("command");
    tcase_add_checked_fixture(command, enter_folder, leave_folder);
    tcase_set_timeout(command, 120);
    suite_add_tcase(suite, command);
    tcase_add_test(command, what_int8_loses_is_measured);
    tcase_add_test(command, a_network_that_computes_with_the_batch_is_told);
    tcase_add_test(command, rows_that_are_none);
    tcase_add_test(command, whole_numbers_stay_whole);
    tcase_add_test(command, norms_are_in_float);
    tcase_add_test(command, arrays_of_zeros);
    tcase_add_test(command, weights_of_floats_lie_apart);
    tcase_add_test(command, numbers_too_large_for_a_float);
    tcase_add_test(command, what_cannot_be_written_is_told);
    return suite;
}
