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
    tcase_add_test(command, what_cannot_be_written_is_told);
    return suite;
}
