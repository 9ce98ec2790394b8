/* After training: evaluated, new rows predicted, in the shell and in C. */
#include "suite.h"
#include "shell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../data/scratch.h"
#include "data/file.h"
#include "data/npy.h"
#include "data/zip.h"

#define NET(outputs)                                                                               \
    "include \"layers.spor\"\nhidden = 8\n"                                                        \
    "def net(x):\n    return dense(dense(x, hidden, act=tanh), " outputs ")\n"
#define IRIS "csv(\"iris.csv\", label=\"species\", standardize=\"train\")"
#define TRAIN(data, loss, rest)                                                                    \
    "train(net, data=" data ", loss=" loss                                                         \
    ",\n      optimizer=adam(rate=0.02), batch=16, epochs=12" rest ")\n"
#define CROSS_ENTROPY "cross_entropy(reduction=\"mean\")"

static void enter_with_iris(void) {
    enter_folder();
    ck_assert_int_eq(
        run("cp $M/layers.spor $M/../tests/data/iris.csv $M/../tests/data/diabetes.csv ."), 0);
    write_file("iris.spor", NET("3") TRAIN(IRIS, CROSS_ENTROPY, ""));
}

/* The line that begins with these words, without its end. */
static void line_of(const char *text, const char *words, char line[256]) {
    expect_in(text, words);
    const char *at = strstr(text, words);
    snprintf(line, 256, "%.*s", (int)strcspn(at, "\n"), at);
}

static void expect_same_line(const char *text, const char *line) {
    char found[256], words[32];
    snprintf(words, sizeof words, "%.*s", (int)strcspn(line, " ") + 1, line);
    line_of(text, words, found);
    ck_assert_str_eq(found, line);
}

/* Columns of iris.csv in another order, one of them no input, and a class less. */
#define OTHER_IRIS                                                                                 \
    "awk -F, 'NR == 1 || $5 != \"setosa\" { print $5 \",\" (NR == 1 ? \"id\" : NR) \",\" $4 "      \
    "\",\" $3 \",\" $2 \",\" $1 }' iris.csv"

/* ---- evaluation ---- */

START_TEST(what_training_tested_is_evaluated_again) {
    static const char *const options[] = {"", "--best", "--double --seed 3", "--set hidden=5",
                                          "--patience 2 --epochs 40"};
    char line[256];
    expect_status(run("spor train iris.spor %s --out run", options[_i]), 0);
    line_of(out, "test accuracy", line);
    expect_status(run("rm iris.spor layers.spor; spor eval run"), 0);
    expect_same_line(out, line);
    expect_status(run("mkdir elsewhere; cd elsewhere; spor eval ../run --quiet"), 0);
    expect_same_line(out, line);
    ck_assert_int_eq(count_of(out, "\n"), 1);
}
END_TEST

START_TEST(other_rows_are_known_by_their_names) {
    expect_status(run("spor train iris.spor --out run --best; " OTHER_IRIS " >other.csv; "
                      "spor eval run --rows all --data iris.csv"),
                  0);
    expect_in(out, "iris, 150 rows, those that it was trained on among them\n");
    expect_in(out, "0 setosa     |  ");
    expect_status(run("spor eval run --data other.csv"), 0);
    expect_in(out, "run: weights of epoch ");
    expect_in(out, ", which validated best; other, 100 rows\n");
    expect_in(out, "other accuracy 0.9");
    expect_in(out, "0 setosa     |   .   .   .       -\n");
}
END_TEST

/* What the script leaves out other rows need not have, in whatever order they come. */
START_TEST(other_rows_lack_what_is_dropped) {
    static const char *const said[] = {
        "drop=[\"sepal_width\", \"petal_width\"]",
        "drop=[1, -2]",
        "inputs=[\"sepal_length\", \"petal_length\"], drop=\"petal_width\"",
    };
    char script[1024], line[256];
    expect_status(run("awk -F, '{ print $5 \",\" $3 \",\" $1 }' iris.csv >less.csv"), 0);
    for (size_t k = 0; k < sizeof said / sizeof *said; k++) {
        snprintf(script, sizeof script,
                 NET("3") TRAIN("csv(\"iris.csv\", label=\"species\", %s)", CROSS_ENTROPY, ""),
                 said[k]);
        write_file("t.spor", script);
        expect_status(run("spor train t.spor --out t --force; spor eval t --rows all"), 0);
        line_of(out, "iris accuracy", line);
        expect_status(run("spor eval t --data less.csv"), 0);
        expect_in(out, line + strlen("iris"));
    }
}
END_TEST

START_TEST(rows_are_those_of_the_run) {
    expect_status(run("spor train iris.spor --out run --seed 5; spor eval run --rows validation"),
                  0);
    expect_in(out, "iris, 12 rows for validation\nvalidation accuracy ");
    expect_status(run("spor eval run"), 0);
    expect_in(out, "iris, 30 rows for test\n");
    expect_status(run("echo 5,3,1,0.2,setosa >>iris.csv; spor eval run"), 2);
    expect_in(err, "the data have changed since this run began");
    expect_in(err, "--data evaluates other rows");
    expect_status(run("spor eval run --data iris.csv"), 0);
    expect_in(out, "iris, 151 rows\n");
    expect_status(run("spor eval run --data iris.csv --rows test"), 2);
    expect_in(err, "not the data that the run split");
}
END_TEST

/* Running statistics are weights; dropout is for training. */
START_TEST(normalised_networks_are_evaluated_as_they_were) {
    char line[256];
    write_file("n.spor", "include \"layers.spor\"\n"
                         "def net(x):\n"
                         "    x = relu(batch_norm(dense(x, 12)))\n"
                         "    return dense(dropout(x, 0.2), 3)\n" TRAIN(IRIS, CROSS_ENTROPY, ""));
    expect_status(run("spor train n.spor --out run"), 0);
    line_of(out, "test accuracy", line);
    expect_status(run("spor eval run"), 0);
    expect_same_line(out, line);
}
END_TEST

/* The reduction that training found out is the run's. */
START_TEST(a_loss_of_ones_own_is_evaluated) {
    char line[256];
    write_file("own.spor",
               NET("3") "def loss(l, y):\n"
                        "    return -mean(sum(y * log_softmax(l, axis=1), axis=1))\n" TRAIN(
                            IRIS, "loss", ""));
    expect_status(run("spor train own.spor --out run"), 0);
    line_of(out, "test accuracy", line);
    expect_status(run("spor eval run"), 0);
    expect_same_line(out, line);
    expect_status(run("head -3 iris.csv | spor predict run --in -"), 0);
    expect_in(out, "class,score\n");
}
END_TEST

/* ---- predictions ---- */

START_TEST(new_rows_are_predicted) {
    static char again[MOST];
    expect_status(run("spor train iris.spor --out run >log; " OTHER_IRIS " | cut -d, -f2- >new.csv;"
                      "spor predict run --in new.csv"),
                  0);
    ck_assert_int_eq(count_of(out, "\n"), 101);
    expect_in(out, "class,probability\n");
    ck_assert_int_ge(count_of(out, "versicolor,0."), 40);
    ck_assert_int_ge(count_of(out, "virginica,0."), 40);
    strcpy(again, out);
    expect_status(run("cat new.csv | spor predict run --in - --out y.csv"), 0);
    ck_assert_str_eq(out, "y.csv: 100 rows\n");
    read_file("y.csv", out);
    ck_assert_str_eq(out, again);
    expect_status(run("spor predict run --in new.csv --top 3 | head -2"), 0);
    ck_assert_int_eq(count_of(out, ","), 10);
    expect_in(out, "class,probability,class2,probability2,class3,probability3\n");
    expect_status(run("echo 6.3,3.3,6,2.5 | spor predict run --in - | tail -1"), 0);
    ck_assert(!strncmp(out, "virginica,0.", 12));
}
END_TEST

/* A number of the table is the mean over the rows trained on; without its own mean it is far off. */
START_TEST(numbers_are_predicted_by_the_names_of_targets) {
    write_file("d.spor", NET("1") TRAIN("csv(\"diabetes.csv\", targets=\"progression\", "
                                        "standardize=\"train\")",
                                        "squared_error(reduction=\"mean\")", ""));
    expect_status(run("spor train d.spor --rate 1 --epochs 60 --out run"), 0);
    expect_status(run("spor eval run"), 0);
    expect_in(out, "test RMSE ");
    expect_status(run("head -40 diabetes.csv | spor predict run --in -"), 0);
    expect_in(out, "progression\n");
    double sum = 0;
    char *at = strchr(out, '\n');
    for (int k = 0; k < 39; k++) sum += strtod(at, &at);
    ck_assert_double_ge(sum / 39, 80);
    ck_assert_double_le(sum / 39, 250);
}
END_TEST

/* What is predicted is x itself, in the units of the file. */
START_TEST(samples_are_predicted_in_their_units) {
    write_file("a.spor",
               "include \"layers.spor\"\n"
               "def net(x):\n    return dense(x, 4, init=\"zeros\")\n"
               "train(net, data=csv(\"iris.csv\", label=False, drop=[\"species\"], "
               "scale=0.5, standardize=\"train\"), loss=squared_error(reduction=\"mean\"), "
               "target=\"x\", optimizer=sgd(rate=0.1), batch=32, epochs=1)\n");
    expect_status(run("spor train a.spor --rate 0 --out run >log; spor predict run --in iris.csv "
                      "--out y.csv"),
                  0);
    read_file("y.csv", out);
    double a, b, c, d;
    char *row = strchr(out, '\n');
    expect_in(out, "sepal_length,sepal_width,petal_length,petal_width\n");
    ck_assert_int_eq(sscanf(row, "%lf,%lf,%lf,%lf", &a, &b, &c, &d), 4);
    ck_assert(fabs(a - 5.85) < 0.2 && fabs(b - 3.05) < 0.2 && fabs(c - 3.76) < 0.3 &&
              fabs(d - 1.2) < 0.2); /* the means of the table */
    /* and so is what they are off by */
    static char table[MOST];
    read_file("iris.csv", table);
    char *x = strchr(table, '\n') + 1, *y = row + 1;
    double sum = 0;
    for (int n = 0; n < 150; n++, x = strchr(x, '\n') + 1)
        for (int k = 0; k < 4; k++, x++, y++) {
            double error = strtod(x, &x) - strtod(y, &y);
            sum += error * error / 600;
        }
    expect_status(run("spor eval run --rows all --quiet"), 0);
    ck_assert(fabs(strtod(strstr(out, "RMSE ") + 5, NULL) - sqrt(sum)) < 1e-4);
}
END_TEST

/* The rows of iris.csv as [150, 4] and the first of them alone, as f8; and three rows of 5. */
static void write_arrays(void) {
    static char table[MOST];
    double x[150 * 4], five[2 * 5] = {0};
    read_file("iris.csv", table);
    char *at = strchr(table, '\n') + 1;
    for (int n = 0; n < 150; n++, at = strchr(at, '\n') + 1)
        for (int k = 0; k < 4; k++, at++) x[n * 4 + k] = strtod(at, &at);
    scratch_npy("x.npy", "<f8", false, "(150, 4)", x, sizeof x);
    scratch_npy("one.npy", "<f8", false, "(4,)", x, 4 * sizeof *x);
    scratch_npy("five.npy", "<f8", false, "(2, 5)", five, sizeof five);
}

START_TEST(arrays_are_predicted) {
    static char table[MOST];
    spor_message message = {""};
    spor_npy y;
    write_arrays();
    expect_status(run("spor train iris.spor --out run >log; cut -d, -f1-4 iris.csv >new.csv;"
                      "spor predict run --in new.csv --top 3"),
                  0);
    strcpy(table, out);
    expect_status(run("spor predict run --in x.npy --top 3"), 0);
    ck_assert_str_eq(out, table);
    expect_status(run("spor predict run --in one.npy --top 3"), 0);
    ck_assert_int_eq(count_of(out, "\n"), 2);
    expect_status(run("spor predict run --in x.npy --out Y.NPY"), 0);
    ck_assert_msg(npy_read_doubles("Y.NPY", &y, &message), "%s", message.text);
    ck_assert(y.shape.rank == 2 && y.shape.n[0] == 150 && y.shape.n[1] == 3);
    const double *p = y.value;
    for (int n = 0; n < 150; n++)
        ck_assert(fabs(p[3 * n] + p[3 * n + 1] + p[3 * n + 2] - 1) < 1e-6);
    npy_free(&y);
    expect_status(run("spor predict run --in five.npy"), 2);
    expect_in(err, "five.npy: is [2, 5]; a sample is [4], and rows of samples have one axis more");
}
END_TEST

/* Adds the array of a .npy file to an .npz file by a name. */
static void pack(zip_writer *npz, const char *from, const char *name) {
    unsigned char *bytes;
    size_t size;
    spor_message message = {""};
    ck_assert_msg(file_bytes(from, 1 << 20, &bytes, &size, &message), "%s", message.text);
    char member[80];
    snprintf(member, sizeof member, "%s.npy", name);
    zip_add(npz, member, bytes, size);
    free(bytes);
}

/* An .npz file of arrays: their files and names, in turn. */
static void write_npz(const char *path, const char *const array[]) {
    spor_text text = {0};
    spor_message message = {""};
    zip_writer npz = {.text = &text};
    for (int k = 0; array[k]; k += 2) pack(&npz, array[k], array[k + 1]);
    zip_end(&npz);
    ck_assert_msg(file_write_text(&text, path, &message), "%s", message.text);
}

static void write_npz_files(void) {
    write_npz("only.npz", (const char *[]){"x.npy", "arr_0", NULL});
    write_npz("named.npz",
              (const char *[]){"five.npy", "x_test", "x.npy", "Data", "one.npy", "y", NULL});
    write_npz("part.npz", (const char *[]){"one.npy", "y_test", "x.npy", "X_test", NULL});
    write_npz("parts.npz", (const char *[]){"five.npy", "x_train", "x.npy", "x_test", NULL});
    write_npz("none.npz", (const char *[]){NULL});
    write_npz("b.npz:x", (const char *[]){"x.npy", "x", NULL});
}

static const struct {
    const char *line, *message;
} unclear[] = {
    {"spor predict run --in parts.npz",
     "parts.npz: names do not say which of its arrays has the rows: it has x_train, x_test; one "
     "is given by its name as in rows.npz:x_train"},
    {"cat parts.npz | spor predict run --in -",
     "standard input: names do not say which of its arrays has"},
    {"spor predict run --in parts.npz:x_train",
     "parts.npz:x_train: is [2, 5]; a sample is [4], and"},
    {"spor predict run --in parts.npz:x",
     "parts.npz: no array is called x: it has x_train, x_test"},
    {"spor predict run --in none.npz", "none.npz: it has no arrays"},
    {"spor predict run --in nix.npz:x", "nix.npz: cannot be opened"},
    {"spor predict run --in x.npy:x", "x.npy:x: cannot be opened"},
    {"cp x.npy n.npz; spor predict run --in n.npz:x", "n.npz: is no .npz file"},
    {"head -c 900 parts.npz >half.npz; spor predict run --in half.npz",
     "half.npz: this .zip or .npz file is damaged"},
    {"spor predict run --in parts.npz:x_test --out ./parts.npz", "--out is the file of the rows"},
};

START_TEST(arrays_of_one_file_are_predicted_by_their_names) {
    static const char *const rows[] = {
        "only.npz",         "only.npz:arr_0",        "named.npz", "named.npz:Data", "part.npz",
        "parts.npz:x_test", "$PWD/parts.npz:x_test", "b.npz:x"};
    static char table[MOST];
    char line[200];
    write_arrays();
    write_npz_files();
    expect_status(run("spor train iris.spor --out run >log; spor predict run --in x.npy --top 3"),
                  0);
    strcpy(table, out);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        snprintf(line, sizeof line, "spor predict run --in %s --top 3", rows[k]);
        expect_status(run("%s", line), 0);
        ck_assert_msg(!strcmp(out, table), "%s: %s", rows[k], out);
    }
    expect_status(run("cat named.npz | spor predict run --in - --top 3"), 0);
    ck_assert_str_eq(out, table);
    for (size_t k = 0; k < sizeof unclear / sizeof *unclear; k++) {
        expect_status(run("%s", unclear[k].line), 2);
        expect_in(err, unclear[k].message);
    }
    expect_status(run("spor export run --c n.c --int8 --calibrate parts.npz:x_test"), 0);
    expect_in(out, "all 150 rows of parts.npz:x_test");
}
END_TEST

/* One logit is the probability of class 1. */
START_TEST(one_logit_tells_both_classes) {
    write_file("b.spor",
               NET("1") TRAIN("csv(\"two.csv\", label=\"species\", standardize=\"train\")",
                              "binary_cross_entropy(reduction=\"mean\")", ""));
    expect_status(
        run("grep -v virginica iris.csv >two.csv; spor train b.spor --epochs 30 --out run >log;"
            "spor predict run --in two.csv --top 2"),
        0);
    char *at = strchr(out, '\n') + 1;
    for (int k = 0; k < 100; k++, at = strchr(at, '\n') + 1) {
        char one[32], two[32];
        double p, q;
        ck_assert_int_eq(sscanf(at, "%31[^,],%lf,%31[^,],%lf", one, &p, two, &q), 4);
        ck_assert_str_eq(one, k < 50 ? "setosa" : "versicolor");
        ck_assert(p > q && fabs(p + q - 1) < 1e-6);
    }
}
END_TEST

/* A score of a loss of one's own has 0 between the classes, as eval counts them. */
START_TEST(one_score_is_judged_by_its_sign) {
    write_file("s.spor", NET("1") "def hinge(s, y):\n"
                                  "    sign = y[:, 1:2] - y[:, 0:1]\n"
                                  "    return mean(maximum(0.4 - sign * s, 0))\n" TRAIN(
                                      "csv(\"two.csv\", label=\"species\", standardize=\"train\")",
                                      "hinge", ", reduction=\"mean\""));
    expect_status(
        run("grep -v virginica iris.csv >two.csv; spor train s.spor --epochs 30 --out run "
            ">log; spor eval run --rows all --quiet"),
        0);
    char *of = strstr(out, " of 100");
    ck_assert(of != NULL);
    while (of[-1] >= '0' && of[-1] <= '9') of--;
    int right = atoi(of), found = 0;
    expect_status(run("spor predict run --in two.csv | tail -n +2"), 0);
    char *at = out;
    for (int k = 0; k < 100; k++, at = strchr(at, '\n') + 1)
        found += !strncmp(at, k < 50 ? "setosa," : "versicolor,", k < 50 ? 7 : 11);
    ck_assert_int_eq(found, right);
}
END_TEST

/* As many outputs as inputs are no autoencoder: probabilities sum to 1, numbers are those of the targets. */
START_TEST(as_many_outputs_as_inputs_are_not_the_sample) {
    char *at;
    write_file("c.spor",
               NET("3") TRAIN("csv(\"three.csv\", label=\"species\", standardize=\"train\")",
                              CROSS_ENTROPY, ""));
    expect_status(run("cut -d, -f2-5 iris.csv >three.csv; spor train c.spor --out run >log;"
                      "spor predict run --in three.csv --top 3 | tail -n +2"),
                  0);
    at = out;
    for (int k = 0; k < 150; k++, at = strchr(at, '\n') + 1) {
        double p, q, r;
        ck_assert_int_eq(sscanf(at, "%*[^,],%lf,%*[^,],%lf,%*[^,],%lf", &p, &q, &r), 3);
        ck_assert(fabs(p + q + r - 1) < 1e-5);
    }
    write_file("r.spor", NET("1") TRAIN("csv(\"line.csv\", targets=\"t\", standardize=\"train\")",
                                        "squared_error(reduction=\"mean\")", ""));
    expect_status(
        run("{ echo x,t; seq 1000 10 1990 | awk '{ print $1 \",\" $1 / 1000 }'; } >line.csv;"
            "spor train r.spor --epochs 100 --out line >log;"
            "spor predict line --in line.csv | tail -n +2"),
        0);
    at = out;
    for (int k = 0; k < 100; k++) {
        double y = strtod(at, &at);
        ck_assert_msg(fabs(y - (1 + 0.01 * k)) < 0.5, "%g in row %d", y, k);
    }
}
END_TEST

/* ---- what is wrong ---- */

static const struct {
    const char *line, *message;
} mistakes[] = {
    {"spor eval", "RUN is missing"},
    {"spor predict run", "--in says which rows"},
    {"spor eval nowhere", "nowhere: cannot be opened"},
    {"spor predict iris.spor --in iris.csv", "A run is a folder that `spor train` has left"},
    {"spor eval .", "./checkpoint.safetensors: cannot be opened"},
    {"spor eval run --rows some", "--rows wants one of test validation all"},
    {"spor eval run --data digits", "digits: has 10 classes, not the 3 of iris"},
    {"spor eval run --data nix.csv", "nix.csv: cannot be opened"},
    {"spor eval run --data nowhere", "there is no data set nowhere"},
    {"cut -d, -f1-4 iris.csv >x.csv; spor eval run --data x.csv",
     "no column is called \"species\""},
    {"sed s/setosa/rosa/ iris.csv >x.csv; spor eval run --data x.csv",
     "the label rosa is none of setosa, versicolor, virginica"},
    {"echo 1,2,3 | spor predict run --in -", "has 3 columns without names"},
    {"cut -d, -f1-3 iris.csv | spor predict run --in -", "no column is called \"petal_width\""},
    {"sed 3s/,/,x/ iris.csv | spor predict run --in -",
     "standard input:3:2: sepal_width: 'x3' is not a number; inputs are numbers: mend it\n"},
    {"printf '\\211PNG\\r\\n' >a.png; spor predict run --in a.png",
     "a.png: is an image; arrays are read"},
    {"spor predict run --in /dev/null", "/dev/null: is a device"},
    {"printf '' | spor predict run --in -", "the file has no rows"},
    {"spor predict run --in iris.csv --out no/y.csv", "no/y.csv: cannot be written"},
    {"spor predict run --in iris.csv --out no/y.npy", "no/y.npy: cannot be written"},
    {"cp iris.csv x.csv; spor predict run --in x.csv --out ./x.csv",
     "--out is the file of the rows"},
    {"spor predict run --in iris.csv --out run/checkpoint.safetensors", "--out is the run itself"},
    {"spor predict run --in iris.csv --top 0", "--top wants a whole number of at least 1"},
    {"spor predict run --in iris.csv >/dev/full", "standard output: No space left on device"},
    {"dd if=run/checkpoint.safetensors of=half bs=1000 count=2; spor predict half --in iris.csv",
     "half: is "},
};
enum { MISTAKES = sizeof mistakes / sizeof mistakes[0] };

START_TEST(mistakes_are_told) {
    expect_status(run("spor train iris.spor --epochs 1 --out run"), 0);
    for (int k = 0; k < MISTAKES; k++) {
        expect_status(run("%s", mistakes[k].line), 2);
        expect_in(err, mistakes[k].message);
    }
}
END_TEST

/* What is written first is larger than a file may be; nothing of it stays. */
START_TEST(files_that_may_not_grow_are_told) {
    static const char *const lines[] = {
        "spor predict run --in iris.csv --out new/y.csv",
        "spor predict run --in iris.csv --out new/y.npy",
        "spor export run --c new/y.c",
        "spor export run --c new/y.c --train",
        "spor export run --onnx new/y.onnx",
        "spor run iris.spor --call net --in x=x.npy --out y=new/y.npy",
        "spor verify claim.spor --html new/y.html",
        "SPOR_MODELS=. spor import y.onnx --script new/y.spor --weights new/y.safetensors",
        "spor show iris.spor >shown",
    };
    write_file("claim.spor", "verify a * (b + c) == a * b + a * c\n");
    expect_status(run("spor train iris.spor --epochs 1 --out run; spor export run --onnx y.onnx; "
                      "spor predict run --in iris.csv --out x.npy; mkdir new"),
                  0);
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        expect_status(run("(ulimit -f 0; (%s) 2>&1; echo status $?) | cat", lines[k]), 0);
        expect_in(out, ": File too large\n");
        expect_in(out, "status 2\n");
        expect_status(run("rmdir new; mkdir new"), 0);
    }
}
END_TEST

/* ---- an evening, and the day after ---- */

/* The probabilities of rows in C are those of the shell, number for number. */
static void expect_same_in_c(void) {
    static char table[MOST];
    expect_status(run("spor predict best --in new.csv --top 3 | tail -n +2"), 0);
    strcpy(table, out);
    expect_status(run("tail -n +2 new.csv | tr , ' ' | $SPOR_EXAMPLES/predict best"), 0);
    char *row = table, *numbers = out;
    for (; *row; row = strchr(row, '\n') + 1) {
        float told = strtof(strchr(row, ',') + 1, NULL), largest = 0;
        for (int c = 0; c < 3; c++) largest = fmaxf(largest, strtof(numbers, &numbers));
        ck_assert_msg(!(told < largest) && !(told > largest), "%g in the shell, %g in C",
                      (double)told, (double)largest);
    }
    ck_assert_int_eq(count_of(out, "\n"), count_of(table, "\n"));
}

/* Trained, searched, the best one chosen by validation, evaluated, new rows predicted in the shell and in C;
 * and the day after it goes on. */
START_TEST(an_evening) {
    char line[256];
    expect_status(run("spor train iris.spor --epochs 3"), 0);
    expect_status(run("spor sweep iris.spor --set hidden=1,8 --rate 0.0001,0.02 --seed 0..1 "
                      "--epochs 20 --best --quiet"),
                  0);
    out[strcspn(out, "\n")] = 0;
    expect_in(out, "hidden=8,rate=0.02,seed=0");
    expect_status(run("mv '%.200s' best; spor eval best", out), 0);
    line_of(out, "test accuracy", line);
    expect_status(run("spor train --resume best --test"), 0);
    expect_same_line(out, line);
    expect_status(run("sed -n '1p;60,70p;140,150p' iris.csv | cut -d, -f1-4 >new.csv"), 0);
    expect_same_in_c();
    expect_status(run("spor train --resume best --epochs 30"), 0);
    expect_status(run("spor eval best --rows validation"), 0);
    expect_in(out, ", which validated best; iris, 12 rows for validation\n");
    expect_same_in_c();
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("after");
    TCase *tests = tcase_create("training");
    tcase_add_checked_fixture(tests, enter_with_iris, leave_folder);
    tcase_add_loop_test(tests, what_training_tested_is_evaluated_again, 0, 5);
    tcase_add_test(tests, other_rows_are_known_by_their_names);
    tcase_add_test(tests, other_rows_lack_what_is_dropped);
    tcase_add_test(tests, rows_are_those_of_the_run);
    tcase_add_test(tests, normalised_networks_are_evaluated_as_they_were);
    tcase_add_test(tests, a_loss_of_ones_own_is_evaluated);
    tcase_add_test(tests, new_rows_are_predicted);
    tcase_add_test(tests, numbers_are_predicted_by_the_names_of_targets);
    tcase_add_test(tests, samples_are_predicted_in_their_units);
    tcase_add_test(tests, arrays_are_predicted);
    tcase_add_test(tests, arrays_of_one_file_are_predicted_by_their_names);
    tcase_add_test(tests, one_logit_tells_both_classes);
    tcase_add_test(tests, one_score_is_judged_by_its_sign);
    tcase_add_test(tests, as_many_outputs_as_inputs_are_not_the_sample);
    tcase_add_test(tests, mistakes_are_told);
    tcase_add_test(tests, files_that_may_not_grow_are_told);
    tcase_add_test(tests, an_evening);
    suite_add_tcase(suite, tests);
    return suite;
}
