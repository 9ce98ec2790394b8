/* Data of one's own: small real tables are learned, and what is wrong is told with a way on. */
#include "suite.h"
#include "shell.h"
#include "../data/savez.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYERS "include \"layers.spor\"\n"
#define NET(outputs)                                                                               \
    LAYERS "def net(x):\n    return dense(dense(flatten(x), 16, act=tanh), " outputs ")\n"
#define TRAIN(data, loss, rest)                                                                    \
    "train(net, data=" data ", loss=" loss                                                         \
    ",\n      optimizer=sgd(rate=0.1), batch=16, epochs=" rest ")\n"
#define CROSS_ENTROPY "cross_entropy(reduction=\"mean\")"

static void enter_with_layers(void) {
    enter_folder();
    ck_assert_int_eq(run("cp $M/layers.spor $M/optimizers.spor ."), 0);
}

static double number_after(const char *text, const char *words) {
    expect_in(text, words);
    return strtod(strstr(text, words) + strlen(words), NULL);
}

/* ---- small real tables ---- */

#define HIDDEN(outputs) "dense(dense(x, 16, act=tanh), " outputs ")"

static const struct {
    const char *file, *says, *net, *loss, *rate;
    const char *figure; /* what the run tells at its end */
    double floor;       /* far below what is usual */
} tables[] = {
    {"iris", "label=\"species\"", HIDDEN("3"), CROSS_ENTROPY, "0.01", "test accuracy ", 0.85},
    {"wine", "label=\"cultivar\"", HIDDEN("3"), CROSS_ENTROPY, "0.01", "test accuracy ", 0.9},
    {"breast_cancer", "label=\"diagnosis\"", HIDDEN("2"), CROSS_ENTROPY, "0.01", "test accuracy ",
     0.9},
    {"diabetes", "targets=\"progression\"", "dense(x, 1)", "squared_error(reduction=\"mean\")", "1",
     "R² ", 0.3},
};
enum { TABLES = sizeof tables / sizeof tables[0] };

START_TEST(small_tables_are_learned) {
    char script[2048];
    snprintf(script, sizeof script,
             LAYERS "def net(x):\n    return %s\n"
                    "train(net, data=csv(\"%s.csv\", %s, standardize=\"train\"), loss=%s,\n"
                    "      optimizer=adam(rate=%s), batch=16, epochs=40)\n",
             tables[_i].net, tables[_i].file, tables[_i].says, tables[_i].loss, tables[_i].rate);
    write_file("t.spor", script);
    ck_assert_int_eq(run("cp $M/../tests/data/%s.csv .", tables[_i].file), 0);
    for (int seed = 0; seed < 2; seed++) {
        expect_status(run("spor train t.spor --seed %d", seed), 0);
        ck_assert_double_ge(number_after(out, tables[_i].figure), tables[_i].floor);
    }
}
END_TEST

START_TEST(classes_have_their_names) {
    static char svg[MOST];
    write_file("t.spor", NET("3") TRAIN("csv(\"iris.csv\", label=-1, standardize=\"train\")",
                                        CROSS_ENTROPY, "5"));
    expect_status(run("cp $M/../tests/data/iris.csv .; spor train t.spor"), 0);
    expect_in(out, "\n  true            |predicted as   recall\n"
                   "                  |   0   1   2\n");
    expect_in(out, "\n     0 setosa     | ");
    expect_in(out, "\n     2 virginica  | ");
    read_file("runs/net/confusion.svg", svg);
    expect_in(svg, ">1 versicolor</text>");
    write_file("u.spor", NET("3") TRAIN("csv(\"u.csv\", drop=0)", CROSS_ENTROPY, "5"));
    expect_status(run("sed -e 's/setosa/<a>/; s/versicolor/b/; s/virginica/c/' iris.csv >u.csv; "
                      "spor train u.spor --out u"),
                  0);
    expect_in(out, "\n  true |predicted as   recall\n       | <a>   b   c\n");
    expect_in(out, "\n   <a> | ");
    read_file("u/confusion.svg", svg);
    expect_in(svg, ">&lt;a&gt;</text>");
}
END_TEST

/* ---- files ---- */

START_TEST(parts_are_used_as_they_are) {
    write_file("t.spor", NET("3") TRAIN("csv(\"a.csv\", validation=\"b.csv\", test=\"c.csv\")",
                                        CROSS_ENTROPY, "1"));
    expect_status(run("I=$M/../tests/data/iris.csv; cp $I a.csv; cp $I b.csv; "
                      "head -61 $I >c.csv; spor train t.spor"),
                  0);
    expect_in(out, "a: 150 rows to train, 150 to validate, 60 to test");
}
END_TEST

START_TEST(files_are_looked_for_beside_the_script) {
    write_file("layers.txt", "");
    expect_status(run("mkdir s d; cp layers.spor optimizers.spor s; "
                      "awk 'NR %% 2' $M/../tests/data/iris.csv >iris.csv"),
                  0);
    write_file("s/t.spor", NET("3") TRAIN("csv(\"iris.csv\")", CROSS_ENTROPY, "1"));
    expect_status(run("spor train s/t.spor"), 0);
    expect_in(out, "54 rows to train");
    expect_status(run("cp $M/../tests/data/iris.csv s; spor train s/t.spor"), 0);
    expect_in(out, "108 rows to train");
    expect_status(run("rm iris.csv; mv s/iris.csv d; spor train s/t.spor"), 2);
    expect_in(err, "s/t.spor:4:17: there is no file s/iris.csv");
    expect_in(err, "./iris.csv");
    expect_in(err, "^~~");
    expect_status(run("SPOR_DATA=d spor train s/t.spor"), 0);
}
END_TEST

/* A network whose shapes the file says is shown, timed and verified as any other one. */
START_TEST(commands_know_the_shapes_of_the_file) {
    write_file("t.spor",
               NET("3") TRAIN("csv(\"iris.csv\", standardize=\"train\")", CROSS_ENTROPY, "1"));
    static const char *const commands[] = {"show", "bench", "verify"};
    for (int k = 0; k < 3; k++) {
        expect_status(run("rm -f iris.csv; spor %s t.spor", commands[k]), 2);
        expect_in(err, "there is no file iris.csv");
        expect_status(run("cp $M/../tests/data/iris.csv .; spor %s t.spor", commands[k]), 0);
    }
    expect_in(out, "columns are scaled              4 columns times 1");
    expect_status(run("spor show t.spor"), 0);
    expect_in(out, "net on csv: [4] to 3 classes, loss cross_entropy(reduction=\"mean\")\n"
                   "classes: setosa, versicolor, virginica\n\n");
    write_file("t.spor", NET("3") TRAIN("csv(\"iris.csv\", [4], 3)", CROSS_ENTROPY, "1"));
    expect_status(run("rm iris.csv; spor show t.spor"), 0);
}
END_TEST

/* A number may be larger than a float where the run computes in double, or in float after it is standardized. */
START_TEST(numbers_beyond_a_float_are_for_double) {
    char rows[4096] = "a,b,y\n";
    for (int k = 0; k < 40; k++)
        snprintf(rows + strlen(rows), 64, "%de39,%d,%d\n", k % 7, k % 3, k % 2);
    write_file("big.csv", rows);
    write_file("t.spor", NET("2") TRAIN("csv(\"big.csv\")", CROSS_ENTROPY, "1"));
    expect_status(run("spor train t.spor"), 2);
    expect_in(err, "big: number 0 of row ");
    expect_in(
        err,
        "e+39: too large for a float; a network that is trained with --double computes with it");
    ck_assert(!exists("runs"));
    expect_status(run("spor verify t.spor"), 2);
    expect_in(err, "too large for a float");
    expect_status(run("spor train t.spor --double && spor eval runs/net && "
                      "spor predict runs/net --in big.csv"),
                  0);
    write_file("u.spor",
               NET("2") TRAIN("csv(\"big.csv\", standardize=\"train\")", CROSS_ENTROPY, "1"));
    expect_status(run("spor train u.spor --out u && spor eval u && spor predict u --in big.csv"),
                  0);
    /* new rows of a run in floats */
    expect_status(run("sed -E 's/^(.)e39/\\1/' big.csv >small.csv; sed -i s/big/small/ t.spor; "
                      "spor train t.spor --out v && spor predict v --in big.csv"),
                  2);
    expect_in(err, "too large for a float");
}
END_TEST

START_TEST(verify_leads_on_to_double) {
    char rows[4096] = "x,y\n";
    for (int k = 0; k < 40; k++)
        snprintf(rows + strlen(rows), 64, "%d,%d\n", 1700000000 + k % 2 * 8, k % 2);
    write_file("t.csv", rows);
    write_file("t.spor", LAYERS "def net(x):\n    return dense(x - 1700000000, 2)\n" TRAIN(
                             "csv(\"t.csv\")", CROSS_ENTROPY, "1"));
    expect_status(run("spor verify t.spor"), 1);
    expect_in(out, "net/dense[0]/W does not move in 8 steps of 8 rows in float; in double it does: "
                   "`spor train --double` trains so");
    write_file("u.spor", LAYERS "def net(x):\n    return dense(0 * x, 2)\n" TRAIN(
                             "csv(\"t.csv\")", CROSS_ENTROPY, "1"));
    expect_status(run("spor verify u.spor"), 1);
    expect_in(out, "does not move in 8 steps of 8 rows in float\n");
}
END_TEST

START_TEST(wrong_words_are_told_at_their_place) {
    static const struct {
        const char *says, *message;
    } wrong[] = {
        {"label=\"specie\"", "iris.csv: no column is called \"specie\"; did you mean \"species\"?"},
        {"label=5", "iris.csv: there is no column 5; they are 0 to 4, and -1 is the last one"},
        {"drop=\"species\"", "iris.csv: species can be one thing only: label (the last column if "},
        {"targets=\"species\"", "iris.csv:2:5: species: 'setosa' is not a number"},
        {"label=0",
         "iris.csv:2:1: the label 5.1 is not a whole number; numbers to predict are said "
         "by targets=[\"sepal_length\"]"},
        {"classes=4", "iris.csv: species: there are 3 different labels and not 4: setosa, "
                      "versicolor, virginica"},
        {"shape=[5]", "iris.csv: a sample should have 5 numbers, but there are 4 columns"},
        {"header=False", "iris.csv:1:1: column 0 of 0..4: 'sepal_length' is not a number"},
        {"test=\"iris.spor\"", "there is no file iris.spor"},
    };
    char script[1024];
    ck_assert_int_eq(run("cp $M/../tests/data/iris.csv ."), 0);
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        snprintf(script, sizeof script, NET("3") TRAIN("csv(\"iris.csv\", %s)", CROSS_ENTROPY, "1"),
                 wrong[k].says);
        write_file("t.spor", script);
        expect_status(run("spor train t.spor"), 2);
        expect_in(err, wrong[k].message);
        expect_in(err, "t.spor:4:17: ");
        expect_in(err, "^~~");
    }
}
END_TEST

/* Whatever a spreadsheet has left, no advice costs a sample. */
START_TEST(a_missing_value_is_told) {
    write_file("t.spor", NET("2") TRAIN("csv(\"t.csv\")", CROSS_ENTROPY, "1"));
    write_file("t.csv", "age,weight,ill\n30,60,yes\n40,,no\n50,70,yes\n60,80,no\n");
    expect_status(run("spor train t.spor"), 2);
    expect_in(err, "t.csv:3:2: weight has no value here; fill it in, or leave the column out with "
                   "drop=[\"weight\"]");
    ck_assert(!strstr(err, "delete") && !strstr(err, "remove"));
}
END_TEST

/* What NumPy's savez has written: A [2, 3] and b [2], booleans. */
START_TEST(arrays_of_one_file_are_told_by_name) {
    FILE *file = fopen("a.npz", "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(npz_deflated, 1, sizeof npz_deflated, file), sizeof npz_deflated);
    ck_assert_int_eq(fclose(file), 0);
    write_file("t.spor", NET("2") TRAIN("npz(\"a.npz\")", CROSS_ENTROPY, "1"));
    expect_status(run("spor show t.spor"), 2);
    expect_in(err, "t.spor:4:17: a.npz: none of its arrays is x, as far as names say: it has A, b; "
                   "say which, x=\"NAME\"\n");
    expect_in(err, "^~~");
    write_file("t.spor", NET("2") TRAIN("npz(\"a.npz\", x=\"A\", y=\"b\", validation=\"a.npz\", "
                                        "test=\"a.npz\")",
                                        CROSS_ENTROPY, "1"));
    expect_status(run("spor show t.spor"), 0);
    expect_in(out, "net on npz: [3] to 2 classes");
    expect_status(run("spor train t.spor"), 0);
    expect_in(out, "; a:A,b: ");
    expect_in(out, " 2 to test\n");
    expect_status(run("spor eval runs/net --data a.npz"), 0);
}
END_TEST

/* ---- values and targets ---- */

START_TEST(values_stay_as_they_are_read) {
    write_file("t.spor", LAYERS "def net(x):\n    return dense(x - 1700000000, 2)\n" TRAIN(
                             "csv(\"t.csv\")", CROSS_ENTROPY, "30"));
    expect_status(run("for k in $(seq 100); do echo $((1700000000 + k %% 2)),$((k %% 2)); done "
                      ">t.csv; spor train t.spor --double"),
                  0);
    ck_assert_double_ge(number_after(out, "test accuracy "), 1);
}
END_TEST

/* By the training rows alone, whose mean is 2 and deviation 1, and kept with the weights. */
START_TEST(standardized_columns_are_kept_with_the_weights) {
    write_file("t.spor",
               NET("2") TRAIN("csv(\"a.csv\", standardize=\"train\", validation=\"b.csv\", "
                              "test=\"b.csv\")",
                              CROSS_ENTROPY, "1"));
    expect_status(run("for k in $(seq 20); do echo 1,0; echo 3,1; done >a.csv; "
                      "(echo 100,0; echo 300,1) >b.csv; spor train t.spor --out r; "
                      "head -c 80 r/weights.safetensors | tail -c 72 >note"),
                  0);
    static char note[MOST];
    read_file("note", note);
    expect_in(note, "{\"__metadata__\":{\"x.mean\":\"2\",\"x.factor\":\"1\"}");
    expect_status(run("sed 's/standardize=.train., //' t.spor >u.spor; "
                      "spor verify u.spor --weights r/weights.safetensors"),
                  1);
    expect_in(out, "1 columns times 1; column 1 reaches farthest: -1 .. 298");
}
END_TEST

/* Weights of another run bring their mean and factor, also to a run that goes on without their file. */
START_TEST(weights_bring_what_they_were_trained_with) {
    static char note[MOST];
    write_file("t.spor",
               NET("2") TRAIN("csv(\"a.csv\", standardize=\"train\")", CROSS_ENTROPY, "3"));
    expect_status(run("for k in $(seq 20); do echo 1,0; echo 3,1; done >a.csv; "
                      "spor train t.spor --out r; sed 's/3,1/5,1/' a.csv >b; mv b a.csv; "
                      "spor train t.spor --out s --weights r --epochs 1; "
                      "spor train t.spor --out whole --weights r; rm -r r; "
                      "spor train --resume s --epochs 3; "
                      "head -c 80 s/weights.safetensors | tail -c 72 >note"),
                  0);
    read_file("note", note);
    expect_in(note, "{\"__metadata__\":{\"x.mean\":\"2\",\"x.factor\":\"1\"}");
    expect_status(run("cmp s/weights.safetensors whole/weights.safetensors"), 0);
}
END_TEST

START_TEST(samples_without_targets_are_their_own) {
    write_file("t.spor", NET("4") "train(net, data=csv(\"iris.csv\", drop=-1, label=False), "
                                  "loss=squared_error(reduction=\"mean\"), target=\"x\",\n"
                                  "      optimizer=sgd(rate=0.01), batch=16, epochs=2)\n");
    expect_status(run("cp $M/../tests/data/iris.csv .; spor train t.spor"), 0);
    expect_status(run("spor show t.spor"), 0);
    expect_in(out, "net on csv: [4] to itself");
}
END_TEST

/* Four inputs and four classes: the target of target="x" is x all the same. */
START_TEST(a_target_of_x_is_never_the_label) {
    write_file("t.spor", "def net(x):\n    return x * param([4], init=\"ones\", name=\"w\")\n"
                         "train(net, data=csv(\"t.csv\", [4], 4), target=\"x\",\n"
                         "      loss=squared_error(reduction=\"mean\"), optimizer=sgd(rate=0.01), "
                         "batch=2, epochs=1)\n");
    expect_status(run("for k in $(seq 40); do echo $k,2,3,4,$((k %% 4)); done >t.csv; "
                      "spor train t.spor"),
                  0);
    expect_in(out, "loss 0.0000");
}
END_TEST

/* y = 2 x + 1, exactly: whatever reaches the loss beside the prediction is y. */
/* y is 0 or 1e-9, and 1e8 is predicted: R² has 35 digits before its point. */
START_TEST(an_r2_beyond_measure_is_short) {
    write_file("t.spor", "def net(x): return x\n" TRAIN("csv(\"t.csv\", targets=\"y\")",
                                                        "squared_error(reduction=\"mean\")", "1"));
    write_file("t.csv", "x,y\n1e8,1e-9\n1e8,0\n1e8,1e-9\n1e8,0\n1e8,1e-9\n1e8,0\n1e8,1e-9\n1e8,0\n"
                        "1e8,1e-9\n1e8,0\n1e8,1e-9\n1e8,0\n1e8,1e-9\n1e8,0\n1e8,1e-9\n1e8,0\n");
    expect_status(run("spor train t.spor"), 0);
    expect_in(out, "test RMSE 1e+08, R² -");
    expect_in(out, "e+34, loss 1e+16");
}
END_TEST

START_TEST(numbers_are_learned) {
    write_file("t.spor",
               LAYERS "def net(x):\n    return dense(x, 1)\n" TRAIN(
                   "csv(\"t.csv\", targets=\"y\")", "squared_error(reduction=\"mean\")", "40"));
    expect_status(run("echo x,y >t.csv; for k in $(seq 100); do "
                      "echo $((k %% 7 - 3)),$((2 * (k %% 7 - 3) + 1)); done >>t.csv; "
                      "spor train t.spor"),
                  0);
    expect_in(out, "epoch 40/40  loss 0.0000");
    expect_status(run("spor show t.spor"), 0);
    expect_in(out, "net on csv: [1] to numbers [1]");
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("own data");
    TCase *tests = tcase_create("own data");
    tcase_add_checked_fixture(tests, enter_with_layers, leave_folder);
    tcase_add_loop_test(tests, small_tables_are_learned, 0, TABLES);
    tcase_add_test(tests, classes_have_their_names);
    tcase_add_test(tests, parts_are_used_as_they_are);
    tcase_add_test(tests, files_are_looked_for_beside_the_script);
    tcase_add_test(tests, commands_know_the_shapes_of_the_file);
    tcase_add_test(tests, numbers_beyond_a_float_are_for_double);
    tcase_add_test(tests, verify_leads_on_to_double);
    tcase_add_test(tests, wrong_words_are_told_at_their_place);
    tcase_add_test(tests, a_missing_value_is_told);
    tcase_add_test(tests, arrays_of_one_file_are_told_by_name);
    tcase_add_test(tests, values_stay_as_they_are_read);
    tcase_add_test(tests, standardized_columns_are_kept_with_the_weights);
    tcase_add_test(tests, weights_bring_what_they_were_trained_with);
    tcase_add_test(tests, samples_without_targets_are_their_own);
    tcase_add_test(tests, a_target_of_x_is_never_the_label);
    tcase_add_test(tests, an_r2_beyond_measure_is_short);
    tcase_add_test(tests, numbers_are_learned);
    suite_add_tcase(suite, tests);
    return suite;
}
