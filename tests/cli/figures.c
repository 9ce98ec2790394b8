/*
 * What trainings leave to be looked at, and spor show --dot. The files are those that a training says it has:
 * one that is added later is walked, too.
 */
#include "../suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/xml.h"
#include "shell.h"
#include "train/pictures.h"

static char text[MOST];

/* ---- runs --------------------------------------------------------------------------------------- */

enum { MOST_LISTED = 32 };

/* The files that the last training says its folder has. */
static int listed(const char *folder, char name[MOST_LISTED][64]) {
    char key[80];
    int count = 0, used;
    snprintf(key, sizeof key, "\n%s/ has", folder);
    const char *at = strstr(out, key);
    ck_assert_msg(at != NULL, "no list of files in: %.500s", out);
    for (at += strlen(key);
         count < MOST_LISTED && sscanf(at, " %63[^ \n]%n", name[count], &used) == 1; at += used)
        count++;
    return count;
}

static bool ends(const char *name, const char *with) {
    size_t length = strlen(name), end = strlen(with);
    return length > end && !strcmp(name + length - end, with);
}

/* All that is listed is there; what is to be looked at is well formed and on the page; nothing else is
 * there but what stays from no earlier run. */
static int check_listed(const char *folder) {
    char name[MOST_LISTED][64], path[160];
    int count = listed(folder, name), figures = 0;
    for (int k = 0; k < count; k++) {
        snprintf(path, sizeof path, "%.80s/%.63s", folder, name[k]);
        ck_assert_msg(exists(path), "%s is missing", path);
        figures += ends(name[k], ".svg");
        if (!ends(name[k], ".svg") && !ends(name[k], ".html")) continue;
        read_file(path, text);
        ck_assert_uint_lt(strlen(text), MOST - 1);
        xml_check(text, strlen(text));
    }
    ck_assert_str_eq(name[count - 2], "index.html");
    ck_assert_str_eq(name[count - 1], "summary.json"); /* says that all else is there */
    ck_assert_int_eq(count_of(text, "<svg "), figures);
    ck_assert_int_eq(run("test $(ls -A %s | wc -l) = %d", folder, count + 1), 0); /* and script/ */
    return figures;
}

/* Testing once more remakes all of them, to the byte, and so does a quiet run. */
static void check_remade(const char *folder, const char *command) {
    char name[MOST_LISTED][64];
    int count = listed(folder, name);
    expect_status(
        run("cp -r %s copy && rm -f %s/*.svg %s/*.html && spor train --resume %s --test --quiet",
            folder, folder, folder, folder),
        0);
    for (int k = 0; k < count; k++)
        if (!ends(name[k], "checkpoint.safetensors"))
            expect_status(run("cmp copy/%s %s/%s", name[k], folder, name[k]), 0);
    expect_status(run("mv %s loud; rm -r copy; %s --quiet --out %s", folder, command, folder), 0);
    for (int k = 0; k < count; k++)
        if (ends(name[k], ".svg") || ends(name[k], "weights.safetensors"))
            expect_status(run("cmp loud/%s %s/%s", name[k], folder, name[k]), 0);
}

static void write_tables(void) {
    FILE *file = fopen("kinds.csv", "wb");
    for (int k = 0; file && k < 60; k++)
        fprintf(file, "%d,%d,%d,\"<b>&%s\"\n", k % 7, k % 5, k % 3,
                k % 3 == 0   ? "'rose"
                : k % 3 == 1 ? "\xc3\xa5\xe6\xb0\xb4"
                             : "lily");
    ck_assert(file && !fclose(file));
    file = fopen("numbers.csv", "wb");
    for (int k = 0; file && k < 60; k++)
        fprintf(file, "%d,%d,%.2f\n", k % 7, k % 5, 0.5 * (k % 7) - 3.0 * (k % 5));
    ck_assert(file && !fclose(file));
}

static void write_net(const char *name, const char *def, const char *training) {
    char script[1000];
    snprintf(script, sizeof script, "include \"layers.spor\"\n%s\ntrain(net, %s, batch=8)\n", def,
             training);
    write_file(name, script);
}

static const char plain[] = "def net(x): return dense(flatten(x), units)";

static void write_nets(void) {
    char def[200];
    expect_status(run("cp $M/layers.spor ."), 0);
    write_tables();
    write_net("maps.spor", "def net(x): return dense(flatten(conv(x, 3, kernel=3, act=tanh)), 10)",
              "data=digits(), loss=cross_entropy(reduction=\"mean\"), optimizer=sgd(rate=0.01), "
              "epochs=2");
    snprintf(def, sizeof def, "units = 3\n%s", plain);
    write_net("classes.spor", def,
              "data=csv(\"kinds.csv\"), loss=cross_entropy(reduction=\"mean\"), "
              "optimizer=sgd(rate=0.01), "
              "epochs=45");
    snprintf(def, sizeof def, "units = 1\n%s", plain);
    write_net("numbers.spor", def,
              "data=csv(\"numbers.csv\", targets=[2]), loss=squared_error(reduction=\"mean\"), "
              "optimizer=sgd(rate=0.01), epochs=3");
}

/* Which figures are there for images, tables and numbers; all say why others are not. */
START_TEST(trainings_leave_figures_and_a_page) {
    static const struct {
        const char *net;
        int figures;
    } runs[] = {{"maps", 6}, {"classes", 3}, {"numbers", 2}};
    write_nets();
    for (int k = 0; k < 3; k++) {
        char command[80];
        snprintf(command, sizeof command, "spor train %s.spor", runs[k].net);
        expect_status(run("%s --out %s", command, runs[k].net), 0);
        int figures = check_listed(runs[k].net);
        ck_assert_msg(figures == runs[k].figures, "%s has %d figures: %s", runs[k].net, figures,
                      out);
        expect_status(run("%s --force --out %s", command, runs[k].net), 0);
        check_remade(runs[k].net, command);
        expect_status(run("rm -r loud %s", runs[k].net), 0);
    }
}
END_TEST

/* Nor beside the weights that a run has gone on to: whatever can't be drawn any more is removed. */
START_TEST(figures_of_an_earlier_state_do_not_stay) {
    char path[160];
    write_nets();
    expect_status(run("spor train classes.spor --out run --epochs 3"), 0);
    for (int k = 0; k < PICTURES; k++) {
        snprintf(path, sizeof path, "run/%s", pictures[k].file);
        write_file(path, "of an earlier state");
    }
    expect_status(run("spor train --resume run --test"), 0);
    ck_assert_int_eq(check_listed("run"), 3);
    expect_status(run("grep -ls earlier run/*.*"), 1);
}
END_TEST

/* Names of classes are text in the figures and on the page. */
START_TEST(names_of_classes_are_escaped) {
    write_nets();
    expect_status(run("spor train classes.spor --out run"), 0);
    read_file("run/index.html", text);
    ck_assert_ptr_null(strstr(text, "<b>&"));
    expect_in(text, "<td>&lt;b&gt;&amp;\xc3\xa5\xe6\xb0\xb4</td>");
    read_file("run/confusion.svg", text);
    expect_in(text, "&lt;b&gt;&amp;\xc3\xa5\xe6\xb0\xb4</text>");
}
END_TEST

/* Of one logit for two classes: what a row was taken for has at least one half, and of several classes the
 * largest share, as spor predict tells it. */
START_TEST(mistakes_have_their_probabilities) {
    static char predicted[MOST];
    char key[200], class[64];
    double probability;
    int mistakes = 0, row;
    expect_status(run("cp $M/layers.spor ."), 0);
    FILE *file = fopen("coin.csv", "wb");
    ck_assert(file && fputs("a,b,side\n", file) >= 0);
    for (int k = 0; k < 200; k++)
        fprintf(file, "%d,%d,%s\n", k % 7, k % 5, k * k % 11 % 2 ? "heads" : "tails");
    fclose(file);
    write_net("coin.spor", "def net(x): return dense(flatten(x), 1)",
              "data=csv(\"coin.csv\"), loss=binary_cross_entropy(reduction=\"mean\"), "
              "optimizer=sgd(rate=0.01), epochs=3");
    expect_status(
        run("spor train coin.spor --out run && spor predict run --in coin.csv --out y.csv"), 0);
    read_file("y.csv", predicted);
    read_file("run/mistakes.svg", text);
    for (const char *at = text; (at = strstr(at, ">as ")); mistakes++, at++) {
        ck_assert_int_eq(sscanf(at, ">as %63[a-z], %lf</text>", class, &probability), 2);
        ck_assert_double_ge(probability, 0.5);
        ck_assert(sscanf(strstr(at, ">row "), ">row %d", &row) == 1);
        const char *line = predicted;
        for (int k = 0; k <= row; k++)
            line = strchr(line, '\n') + 1; /* a line of names, then rows */
        double told = strtod(strchr(line, ',') + 1, NULL);
        snprintf(key, sizeof key, "%s,", class);
        ck_assert_msg(!strncmp(line, key, strlen(key)), "row %d: %s and %.40s", row, class, line);
        ck_assert_double_eq_tol(probability, told, 0.00501);
    }
    ck_assert_int_gt(mistakes, 5);
}
END_TEST

/* The epoch that is marked is the one whose weights --best takes. */
START_TEST(the_best_epoch_is_that_of_the_training) {
    char key[64];
    int epoch;
    write_nets();
    expect_status(run("spor train classes.spor --out run --best --epochs 12 --rate 0.5"), 0);
    const char *at = strstr(out, "weights of epoch ");
    ck_assert(at && sscanf(at, "weights of epoch %d", &epoch) == 1);
    snprintf(key, sizeof key, "Best epoch %d: its validation loss is the lowest", epoch);
    read_file("run/history.svg", text);
    expect_in(text, key);
    snprintf(key, sizeof key, ">best epoch %d</text>", epoch);
    ck_assert_int_eq(count_of(text, key), 2);
    read_file("run/index.html", text);
    snprintf(key, sizeof key, "<tr><th>weights of epoch</th><td>%d</td></tr>", epoch);
    expect_in(text, key);
}
END_TEST

/* A training that diverges has a page that says so, and no figure of what was there before. */
START_TEST(figures_of_an_earlier_run_do_not_stay) {
    write_nets();
    expect_status(run("spor train maps.spor --out run"), 0);
    ck_assert(exists("run/samples.svg") && exists("run/maps.svg") && exists("run/mistakes.svg"));
    expect_status(run("spor train numbers.spor --out run --force --rate 1e30"), 1);
    check_listed("run");
    ck_assert(!exists("run/samples.svg") && !exists("run/maps.svg") && !exists("run/mistakes.svg"));
    ck_assert(!exists("run/residuals.svg") && !exists("run/confusion.svg"));
    read_file("run/index.html", text);
    expect_in(text, "stopped in epoch ");
    expect_in(text, "not tested");
    expect_in(text, "error: ");
    expect_in(text, "Not drawn: the test rows were not evaluated.");
}
END_TEST

/* What was warned of stands on the page, after testing once more as well. */
START_TEST(warnings_stand_on_the_page) {
    write_nets();
    expect_status(run("spor train maps.spor --out run --epochs 1 --set none=1"), 2);
    write_net("twice.spor", "def net(x): return softmax(dense(flatten(x), 10), axis=1)",
              "data=digits(), loss=cross_entropy(reduction=\"mean\"), optimizer=sgd(rate=0.01), "
              "epochs=1");
    expect_status(run("spor train twice.spor --out run"), 0);
    expect_in(err, "the network ends in softmax");
    read_file("run/index.html", text);
    expect_in(text, "<h2>Warnings</h2>");
    expect_in(text, "the network ends in softmax");
    expect_status(run("cp run/index.html . && spor train --resume run --test && cmp index.html "
                      "run/index.html"),
                  0);
}
END_TEST

/* ---- graphs ------------------------------------------------------------------------------------- */

static const char *const networks[] = {"densenet2_20",  "convnet1_3", "densenet4_300",
                                       "convkeras4_20", "lenet2",     "convkeras12_32",
                                       "derived",       "pairs"};
enum { NETWORKS = sizeof networks / sizeof *networks };

/* One node for each line of the tape, one arrow for each operand, braces that close. */
START_TEST(graphs_have_the_nodes_of_the_tape) {
    for (int k = 0; k < 2; k++) {
        expect_status(run("spor show $M/convnet1_3.spor %s", k ? "--grad" : ""), 0);
        const char *tape = strstr(out, "\nThe tape"), *end = strstr(out, "\nThe update");
        ck_assert(tape && end);
        int nodes = 0, operands = 0;
        for (const char *at = tape; at < end; at++) nodes += !strncmp(at, " = ", 3);
        expect_status(run("spor show $M/convnet1_3.spor --dot %s", k ? "--grad" : ""), 0);
        ck_assert_int_eq(count_of(out, "label=\"") - count_of(out, "subgraph "), nodes);
        ck_assert_int_eq(count_of(out, "{\n"), count_of(out, "}\n"));
        for (const char *at = out; (at = strstr(at, " -> n")); at++) operands++;
        if (k) ck_assert_int_gt(operands, nodes);
        if (!k) ck_assert_int_eq(operands, 25);
        ck_assert_int_eq(count_of(out, "shape=cylinder"), 6);
        expect_in(out, "subgraph cluster_2 {\nlabel=\"conv[0]\";\n");
        expect_in(out, "label=\"K\\nparam\\n[3, 3, 1, 3]\"");
        memcpy(text, out, sizeof text);
        expect_status(run("spor show $M/convnet1_3.spor --dot %s", k ? "--grad" : ""), 0);
        ck_assert_str_eq(text, out);
    }
}
END_TEST

START_TEST(graphviz_takes_all_networks) {
    if (run("command -v dot")) {
        printf("run_figures: skipped: graphviz_takes_all_networks: no dot; apt-get install "
               "graphviz\n");
        return;
    }
    for (int k = 0; k < 2; k++) {
        expect_status(run("set -e; spor show $M/%s.spor --dot %s > net.dot; dot -Tsvg net.dot",
                          networks[_i], k ? "--grad" : ""),
                      0);
        ck_assert_str_eq(err, "");
        expect_in(out, "</svg>");
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("run_figures");
    TCase *runs = tcase_create("runs"), *graphs = tcase_create("graphs");
    tcase_add_checked_fixture(runs, enter_folder, leave_folder);
    tcase_add_test(runs, trainings_leave_figures_and_a_page);
    tcase_add_test(runs, figures_of_an_earlier_state_do_not_stay);
    tcase_add_test(runs, names_of_classes_are_escaped);
    tcase_add_test(runs, mistakes_have_their_probabilities);
    tcase_add_test(runs, the_best_epoch_is_that_of_the_training);
    tcase_add_test(runs, figures_of_an_earlier_run_do_not_stay);
    tcase_add_test(runs, warnings_stand_on_the_page);
    tcase_add_checked_fixture(graphs, enter_folder, leave_folder);
    tcase_add_test(graphs, graphs_have_the_nodes_of_the_tape);
    tcase_add_loop_test(graphs, graphviz_takes_all_networks, 0, NETWORKS);
    suite_add_tcase(suite, runs);
    suite_add_tcase(suite, graphs);
    return suite;
}
