/*
 * The commands as a user meets them: exit statuses, messages, files, ^C, full disks.
 *
 * Each test runs in an empty folder of its own. SPOR_PROGRAM is the program, SPOR_SOURCE the
 * project, SPOR_INSTALLED where an installation keeps the digits.
 */
#define _XOPEN_SOURCE 700 /* posix_openpt */
#include "suite.h"
#include "shell.h"

#include <ctype.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_EPOCHS = 64 };

/* ---- usage ---- */

/* Each command of the table, without a line written for it. */
START_TEST(help_teaches) {
    char name[32][32];
    int count = list_commands(name, 32);
    ck_assert_int_ge(count, 5);
    for (int k = 0; k < count; k++) {
        expect_status(run("spor %s --help", name[k]), 0);
        expect_in(out, name[k]);
        expect_in(out, "Examples\n  spor ");
        expect_status(run("spor %s --no-such-option", name[k]), 2);
        expect_in(err, "--no-such-option");
    }
    expect_status(run("spor --version"), 0);
    ck_assert(!strncmp(out, "spor ", 5) && isdigit((unsigned char)out[5]));
}
END_TEST

START_TEST(bad_usage_is_told) {
    static const struct {
        const char *line, *message;
    } wrong[] = {
        {"", "spor train"},
        {"trian x", "did you mean train?"},
        {"train", "SCRIPT is missing"},
        {"train a b", "only SCRIPT"},
        {"train $M/densenet2_20.spor --epoch 3", "did you mean --epochs?"},
        {"train $M/densenet2_20.spor --epochs", "--epochs wants a whole number of at least 0"},
        {"train $M/densenet2_20.spor --epochs -1", "not -1"},
        {"train $M/densenet2_20.spor --batch 0", "not 0"},
        {"train $M/densenet2_20.spor --epochs=3x", "not 3x"},
        {"train $M/densenet2_20.spor --rate 1e-400", "--rate wants a number of at least 0"},
        {"train $M/densenet2_20.spor --rate nan", "--rate wants a number of at least 0"},
        {"train $M/densenet2_20.spor --quiet=1", "--quiet takes no value"},
        {"train $M/densenet2_20.spor --set rate", "name=value"},
        {"train $M/densenet2_20.spor -e 3", "spelt out"},
        {"show nowhere.spor", "nowhere.spor"},
        {"bench $M/lenet2.spor --mode trian", "one of train infer predict"},
        {"bench $M/lenet2.spor --threads 0", "--threads wants a whole number of at least 1"},
        {"ops colerate2d", "did you mean correlate2d?"},
        {"train $M/densenet2_20.spor epochs=3",
         "only SCRIPT is expected, and options; did you mean --epochs?"},
        {"train epochs 3 $M/densenet2_20.spor", "did you mean --epochs?"},
        {"train $M/densenet2_20.spor --epochs 99999999999999999999", "that is less than 2^63"},
        {"train $M/densenet2_20.spor --batch 1000000000000",
         "a batch of 1000000000000 rows is too large"},
        {"train $M/densenet2_20", "densenet2_20.spor?"},
        {"train $M", "A script is a file whose name ends in .spor."},
        {"$M/densenet2_20.spor", "did you mean spor train "},
        {"eval $M/densenet2_20.spor",
         "densenet2_20.spor is a script: `spor train` makes a run of it"},
        {"predict $M/densenet2_20.spor --in x.csv", "is a script: `spor train` makes a run of it"},
        {"help trian", "did you mean train?"},
        {"train --resume", "--resume wants a FOLDER"},
        {"train $M/densenet2_20.spor --out", "--out wants a FOLDER"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        expect_status(run("spor %s", wrong[k].line), 2);
        expect_in(err, wrong[k].message);
        ck_assert_msg(!*out, "%s prints %s", wrong[k].line, out);
    }
}
END_TEST

START_TEST(a_run_is_no_script) {
    static const char *const commands[] = {"train", "show", "bench"};
    expect_status(run("spor train $M/densenet2_20.spor --epochs 1 --limit 20 --quiet"), 0);
    for (int k = 0; k < 3; k++) {
        expect_status(run("spor %s runs/densenet2_20", commands[k]), 2);
        expect_in(err, "runs/densenet2_20 is the folder of a run: `spor eval runs/densenet2_20`");
        expect_in(err, "`spor train --resume runs/densenet2_20`");
    }
    expect_status(run("spor help train"), 0);
    expect_in(out, "--epochs N");
}
END_TEST

START_TEST(script_errors_show_the_place) {
    write_file("wrong.spor", "def net(x):\n"
                             "    return tanh(x) @ param([3, 10], init=\"normal\", name=\"W\")\n"
                             "train(net, data=digits(scale=1/16), "
                             "loss=cross_entropy(reduction=\"sum\"),\n"
                             "      optimizer=sgd(rate=0.01), batch=10, epochs=1)\n");
    write_file("silent.spor", "def net(x):\n    return x\n");
    write_file("unread.spor", "def net(x:\n    return x\n");
    static const char *const commands[] = {"show", "train", "bench"};
    for (int k = 0; k < 3; k++) {
        expect_status(run("SPOR_DATA=$M/../data spor %s wrong.spor", commands[k]), 2);
        expect_in(err, "wrong.spor:2:");
        expect_in(err, "^");
        expect_status(run("spor %s unread.spor", commands[k]), 2);
        expect_in(err, "unread.spor:1:");
        expect_in(err, "^");
        expect_status(run("spor %s silent.spor", commands[k]), 2);
        expect_in(err, "declares no training");
    }
}
END_TEST

/* Without data anywhere near, what `meson install` has put in place is read; before it, the places
 * are told. A copy of the program is not the one that lies in the build folder. */
static void look_where_installed(void) {
    int status = run("mkdir models; cp $M/densenet2_20.spor $M/layers.spor models; "
                     "cp $SPOR_PROGRAM copy; ./copy train models/densenet2_20.spor --epochs 1");
    bool installed = exists(getenv("SPOR_INSTALLED"));
    expect_status(status, installed ? 0 : 2);
    if (installed) return;
    expect_in(err, "digits.csv.gz  57512 bytes");
    expect_in(err, "models/../data");
    expect_in(err, "\n  data/");
    expect_in(err, "/share/spor/data");
    expect_in(err, "SPOR_DATA");
}

START_TEST(data_is_looked_for) {
    look_where_installed();
    expect_status(run("mkdir data; cp $M/../data/digits.csv.gz data; "
                      "./copy train models/densenet2_20.spor --epochs 1"),
                  0);
    expect_in(out, "; digits: ");
    expect_status(run("rm -r data; SPOR_DATA=$M/../data "
                      "./copy train models/densenet2_20.spor --epochs 1"),
                  0);
    expect_status(run("./copy train models/densenet2_20.spor --epochs 1 --data digits:$M/../data"),
                  0);
    expect_status(run("mkdir data; echo 1,2,x > data/digits.csv.gz; "
                      "spor train models/densenet2_20.spor --epochs 1"),
                  2);
    expect_in(err, "digits.csv.gz: a sample should have 64 numbers");
    expect_in(err, "digits.csv.gz has 6 bytes; as published it has 57512. Fetch it again.");
}
END_TEST

/* From any folder; what is beside the script, or named, goes first. */
START_TEST(a_program_that_is_not_installed_finds_its_source_tree) {
    write_file("net.spor", "include \"layers.spor\"\n"
                           "def net(x):\n    return dense(flatten(x), 10)\n"
                           "train(net, data=digits(), loss=cross_entropy(reduction=\"mean\"),\n"
                           "      optimizer=sgd(rate=0.1), batch=8, epochs=1)\n");
    unsetenv("SPOR_MODELS");
    expect_status(run("spor train net.spor"), 0);
    expect_in(out, "digits: 1293 rows to train");
    expect_status(run("cp $SPOR_PROGRAM copy; SPOR_MODELS=/nowhere ./copy show net.spor"), 2);
    expect_in(err, "/nowhere/layers.spor: cannot be opened");
    expect_in(err, "SPOR_MODELS may name another folder");
}
END_TEST

START_TEST(data_that_are_not_here_are_told_of) {
    expect_status(run("cp $SPOR_PROGRAM copy; ./copy train $M/lenet2.spor --data svhn_extra"), 2);
    expect_in(err, "extra_32x32.mat  1329278602 bytes  md5 a93ce644f1a588dc4d68dda5feec44a7");
    expect_in(err, "http://ufldl.stanford.edu/housenumbers/");
    expect_in(err, "--data svhn_extra:FOLDER");
    expect_in(err, "spor bench");
    expect_status(run("mkdir some; touch some/a_test.mat some/b_test.mat some/c_train.mat;"
                      "./copy train $M/lenet2.spor --data svhn:some"),
                  2);
    expect_in(err, "some: has no test_32x32.mat and 2 files like *test*.mat: leave one");
    expect_status(run("rm some/a_test.mat; ./copy train $M/lenet2.spor --data svhn:some"), 2);
    expect_in(err, "some/c_train.mat: is no MATLAB file");
    expect_status(run("./copy train $M/lenet2.spor --data svnh"), 2);
    expect_in(err, "there is no data set svnh; did you mean svhn?");
    expect_status(run("./copy data mnits"), 2);
    expect_in(err, "did you mean mnist?");
}
END_TEST

/* ---- training ---- */

/* history.csv: loss of the steps, two losses and two accuracies of each epoch; how many epochs. */
static int read_history(const char *name, double row[MOST_EPOCHS][5]) {
    static char text[MOST];
    read_file(name, text);
    expect_in(text, "epoch,loss,train_loss,validation_loss,train_accuracy,validation_accuracy,"
                    "train_seconds,evaluate_seconds\n");
    int count = 0, epoch, used;
    double seconds[2];
    for (char *at = strchr(text, '\n') + 1; *at; at += used, count++) {
        double *r = row[count];
        ck_assert_int_lt(count, MOST_EPOCHS);
        ck_assert_int_eq(sscanf(at, "%d,%lf,%lf,%lf,%lf,%lf,%lf,%lf\n%n", &epoch, r, r + 1, r + 2,
                                r + 3, r + 4, seconds, seconds + 1, &used),
                         8);
        ck_assert_int_eq(epoch, count + 1);
    }
    return count;
}

/* True if the folders hold the same weights and the same history but for the seconds. */
static bool same_training(const char *a, const char *b) {
    double rows[2][MOST_EPOCHS][5];
    char name[128];
    snprintf(name, sizeof name, "%s/history.csv", a);
    int count = read_history(name, rows[0]);
    snprintf(name, sizeof name, "%s/history.csv", b);
    ck_assert_int_eq(read_history(name, rows[1]), count);
    bool same = !memcmp(rows[0], rows[1], (size_t)count * sizeof rows[0][0]);
    bool weights = !run("cmp %s/weights.safetensors %s/weights.safetensors", a, b);
    ck_assert_msg(same == weights, "history and weights disagree on being the same");
    return same;
}

START_TEST(a_run_leaves_its_files) {
    static const char *const keys[] = {"model",
                                       "data",
                                       "seed",
                                       "epochs",
                                       "batch",
                                       "optimizer",
                                       "settings",
                                       "threads",
                                       "precision",
                                       "isa",
                                       "parameters",
                                       "metric",
                                       "train_loss",
                                       "validation_loss",
                                       "test_loss",
                                       "train_accuracy",
                                       "validation_accuracy",
                                       "test_accuracy",
                                       "test_accuracy_low",
                                       "test_accuracy_high",
                                       "train_seconds",
                                       "evaluate_seconds"};
    double row[MOST_EPOCHS][5];
    static char text[MOST];
    expect_status(run("spor train $M/densenet2_20.spor --epochs 3"), 0);
    expect_in(out, "1930 parameters");
    expect_in(out, "test accuracy 0.");
    expect_in(out, " (95 %: 0.");
    expect_in(out, "recall");
    expect_in(out, "runs/densenet2_20/ has");
    ck_assert_int_eq(read_history("runs/densenet2_20/history.csv", row), 3);
    ck_assert(row[2][0] < row[0][0]); /* the loss goes down */
    read_file("runs/densenet2_20/summary.json", text);
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        char key[64];
        snprintf(key, sizeof key, "\"%s\":", keys[k]);
        expect_in(text, key);
    }
    expect_in(text, "\"densenet2_20\"");
    expect_in(text, "1930");
    read_file("runs/densenet2_20/history.svg", text);
    expect_in(text, "</svg>");
    read_file("runs/densenet2_20/confusion.svg", text);
    expect_in(text, "</svg>");
    expect_status(run("test $(ls -A runs/densenet2_20 | wc -l) = 11"), 0);
    expect_status(run("cmp runs/densenet2_20/script/densenet2_20.spor $M/densenet2_20.spor && "
                      "cmp runs/densenet2_20/script/layers.spor $M/layers.spor"),
                  0);
}
END_TEST

START_TEST(a_seed_gives_the_bits) {
    expect_status(run("for k in 1 2; do spor train $M/convnet1_3.spor --epochs 2 --seed 5 "
                      "--out same$k --limit 300; done"),
                  0);
    ck_assert(same_training("same1", "same2"));
    expect_status(run("spor train $M/convnet1_3.spor --epochs=2 --seed=6 --out=other --limit=300"),
                  0);
    ck_assert(!same_training("same1", "other"));
}
END_TEST

/* Largest difference of two histories, relative to the loss. */
static double history_distance(int epochs) {
    double rows[2][MOST_EPOCHS][5], worst = 0;
    ck_assert_int_eq(read_history("fast/history.csv", rows[0]), epochs);
    ck_assert_int_eq(read_history("reference/history.csv", rows[1]), epochs);
    for (int k = 0; k < epochs; k++)
        for (int i = 0; i < 5; i++)
            worst = fmax(worst, fabs(rows[0][k][i] - rows[1][k][i]) / fmax(1, rows[1][k][i]));
    return worst;
}

START_TEST(reference_trains_the_same) {
    static const struct {
        const char *model;
        int epochs, limit;
    } runs[] = {{"densenet2_20", 20, 2000}, {"convnet1_3", 4, 400}};
    for (int k = 0; k < 2; k++) {
        expect_status(run("for how in fast reference; do spor train $M/%s.spor --double "
                          "--epochs %d --limit %d --out $how --force --quiet "
                          "$(test $how = fast || echo --reference) || exit; done",
                          runs[k].model, runs[k].epochs, runs[k].limit),
                      0);
        ck_assert_double_le(history_distance(runs[k].epochs), 1e-9);
    }
    expect_status(run("spor train $M/convnet1_3.spor --epochs 4 --limit 400 --out fast --force"),
                  0);
    ck_assert_double_gt(history_distance(4), 1e-9); /* float is not double: the bound can fail */
}
END_TEST

START_TEST(options_reach_the_training) {
    double row[MOST_EPOCHS][5];
    static char text[MOST];
    expect_status(run("spor train $M/densenet2_20.spor --epochs 2 --batch 7 --rate 0.03 --l2 0.5 "
                      "--seed 9 --limit 100 --out there/below --double"),
                  0);
    expect_in(out, "100 rows to train");
    ck_assert_int_eq(read_history("there/below/history.csv", row), 2);
    read_file("there/below/summary.json", text);
    static const char *const parts[] = {"\"batch\": 7,", "\"rate\": 0.03", "\"l2\": 0.5",
                                        "\"seed\": 9,", "\"precision\": \"float64\""};
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) expect_in(text, parts[k]);
    ck_assert(!exists("runs"));
}
END_TEST

/* A network with an optimizer, %s, and what else train takes, %s. */
static void write_optimizer(const char *name, const char *optimizer, const char *rest) {
    char text[2048];
    snprintf(text, sizeof text,
             "include \"%s/models/layers.spor\"\n"
             "def fixed(w, dw, rate): return w - rate * dw\n"
             "def net(x): return dense(dense(flatten(x), 9, act=sigmoid), 10)\n"
             "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"mean\"),\n"
             "      optimizer=%s, batch=32, epochs=2%s)\n",
             getenv("SPOR_SOURCE"), optimizer, rest);
    write_file(name, text);
}

START_TEST(optimizers_of_scripts_train) {
    static char weights[MOST];
    write_optimizer("adam.spor", "adam(rate=0.05)", ", clip=clip_norm(2)");
    write_optimizer("slower.spor", "adam(rate=0.01)", ", clip=clip_norm(2)");
    expect_status(run("SPOR_DATA=$M/../data spor train adam.spor --out a --rate 0.01"), 0);
    expect_in(out, "adam(rate=0.05), clip_norm(most=2): rate 0.01\n");
    expect_status(run("SPOR_DATA=$M/../data spor train slower.spor --out b"), 0);
    ck_assert(same_training("a", "b"));
    expect_status(run("SPOR_DATA=$M/../data spor train adam.spor --out c"), 0);
    ck_assert(!same_training("a", "c"));
    read_file("a/weights.safetensors", weights); /* the length of a header, and that */
    expect_in(weights + 8, "net/dense[1]/b");
    ck_assert(!strstr(weights + 8, "optimizer"));
    expect_status(run("spor show adam.spor"), 0);
    expect_in(out, "The update adam(rate=0.05), clip_norm(most=2), for net/dense[0]/W as w\n");
    expect_in(out, "rate = setting(0.05)");
    expect_in(out, "adam/v takes v_next\n");
    expect_status(run("spor bench adam.spor --seconds 0"), 0);
    expect_status(run("SPOR_DATA=$M/../data spor verify adam.spor"), 0);
    expect_in(out, "the update is the rule");
}
END_TEST

/* Half of a rate by a schedule is half of the rate. */
START_TEST(schedules_multiply_the_rate) {
    write_optimizer("half.spor", "sgd(rate=0.25)", ", schedule=stepwise(every=9, factor=3)");
    write_optimizer("plain.spor", "sgd(rate=0.25)", "");
    expect_status(run("SPOR_DATA=$M/../data spor train half.spor --out a"), 0);
    expect_in(out, "sgd(rate=0.25), rate times stepwise(every=9, factor=3): rate 0.25\n");
    expect_status(run("SPOR_DATA=$M/../data spor train plain.spor --out b"), 0);
    ck_assert(same_training("a", "b"));
    write_optimizer("half.spor", "sgd(rate=0.25)", ", schedule=linear(least=0.25)");
    expect_status(run("SPOR_DATA=$M/../data spor train half.spor --rate 0.5 --out c"), 0);
    ck_assert(!same_training("b", "c"));
    write_optimizer("half.spor", "sgd(rate=0.25)", ", schedule=never(3)");
    expect_status(
        run("echo 'def never(losses, n): return 1 if len(losses) < n else 0' > never.spor; "
            "cat half.spor >> never.spor; "
            "SPOR_DATA=$M/../data spor train never.spor --epochs 2 --out e; "
            "SPOR_DATA=$M/../data spor train never.spor --epochs 5 --out f; "
            "SPOR_DATA=$M/../data spor train plain.spor --epochs 2 --out g; "
            "SPOR_DATA=$M/../data spor train plain.spor --epochs 3 --out h"),
        0);
    ck_assert(same_training("e", "g"));
    expect_status(run("cmp f/weights.safetensors h/weights.safetensors"), 0);
    expect_status(run("SPOR_DATA=$M/../data spor train --resume e --epochs 5"), 0);
    ck_assert(same_training("e", "f"));
    write_optimizer("half.spor", "fixed(0.25)", ", schedule=linear()");
    expect_status(run("SPOR_DATA=$M/../data spor train half.spor --out d"), 2);
    expect_in(err, "a rate over time needs an optimizer with a setting rate");
    write_optimizer("half.spor", "sgd(0.25)", ", schedule=warm_up_cosine(2)");
    expect_status(run("SPOR_DATA=$M/../data spor train half.spor --out d"), 2);
    expect_in(err, "half.spor:5:");
    expect_in(err, ": warm_up_cosine: over must be less than the 2 epochs\n");
    expect_in(err, "^~~~");
    ck_assert(!exists("d"));
}
END_TEST

/* Trained on from another run's weights: nothing but the beginning differs, and it is that end. */
START_TEST(a_training_begins_with_other_weights) {
    static char first[MOST], second[MOST];
    write_optimizer("net.spor", "sgd(rate=0.25)", "");
    write_optimizer("still.spor", "sgd(rate=1e-30)", "");
    expect_status(run("SPOR_DATA=$M/../data spor train net.spor --out a"), 0);
    expect_status(run("SPOR_DATA=$M/../data spor train still.spor --out b --weights a"), 0);
    expect_status(run("cmp a/weights.safetensors b/weights.safetensors"), 0);
    expect_status(run("SPOR_DATA=$M/../data spor train net.spor --out c --epochs 1 "
                      "--weights a/weights.safetensors"),
                  0);
    read_file("a/weights.safetensors", first);
    read_file("c/weights.safetensors", second);
    ck_assert(memcmp(first, second, MOST) != 0);
    expect_status(run("SPOR_DATA=$M/../data spor train --resume c --epochs 2"), 0);
    expect_status(run("rm -r a && SPOR_DATA=$M/../data spor train --resume c --epochs 3"), 0);
    expect_status(run("SPOR_DATA=$M/../data spor train net.spor --out d --weights a"), 2);
    expect_in(err, "a: cannot be opened");
    expect_status(run("spor train $M/densenet2_20.spor --out d --weights b"), 2);
    expect_in(err, "--weights takes the weights of the same network.");
    ck_assert(!exists("d"));
}
END_TEST

/* The first layer stays, the second moves. That is no fault of the network. */
START_TEST(what_is_frozen_stays) {
    static char still[MOST], moved[MOST];
    write_optimizer("net.spor", "sgd(rate=1e-30)", "");
    write_optimizer("part.spor", "adamw(rate=0.01)",
                    ", clip=clip_norm(1), frozen=[\"net/dense[0]\"]");
    write_optimizer("wrong.spor", "adam()", ", frozen=[\"net/dense[0]/W\", \"net/dense\"]");
    expect_status(run("SPOR_DATA=$M/../data spor train net.spor --out a"), 0);
    expect_status(run("SPOR_DATA=$M/../data spor train part.spor --out b"), 0);
    expect_in(out, "test accuracy 0.");
    read_file("a/weights.safetensors", still);
    read_file("b/weights.safetensors", moved);
    /* behind length and header: W [64, 9], b [9] of the first layer, W and b of the second */
    size_t first = 8 + (unsigned char)still[0] + 256 * (size_t)(unsigned char)still[1];
    size_t weights = 4 * 64 * 9, layer = weights + 4 * 9, rest = 4 * (10 + 9 * 10);
    ck_assert(!memcmp(still, moved, first + weights));
    ck_assert(memcmp(still + first + layer, moved + first + layer, rest) != 0);
    expect_status(run("SPOR_DATA=$M/../data spor verify part.spor"), 0);
    expect_in(out, "every parameter moves");
    expect_status(run("SPOR_DATA=$M/../data spor train wrong.spor --out c"), 2);
    expect_in(err, "frozen: the network has no parameter and no layer net/dense; its first "
                   "parameter is net/dense[0]/W.");
    ck_assert(!exists("c"));
}
END_TEST

START_TEST(a_setting_that_is_not_there_is_told) {
    write_optimizer("fixed.spor", "fixed(0.1)", "");
    expect_status(run("SPOR_DATA=$M/../data spor train fixed.spor"), 0);
    expect_status(run("SPOR_DATA=$M/../data spor train fixed.spor --rate 0.2 --out other"), 2);
    expect_in(err, "--rate: the optimizer fixed(rate=0.1) has no setting rate.");
    expect_in(err, "rate = setting(\"rate\", rate)");
    ck_assert(!exists("other"));
    write_optimizer("sgd.spor", "sgd(rate=0.1)", "");
    expect_status(run("SPOR_DATA=$M/../data spor train sgd.spor --l2 0.2"), 2);
    expect_in(err, "--l2: the optimizer sgd(rate=0.1) has no setting l2.");
    write_optimizer("wrong.spor", "sgd(rate=-1)", "");
    expect_status(run("SPOR_DATA=$M/../data spor train wrong.spor"), 2);
    expect_in(err, "wrong.spor:5:17: sgd: rate must be positive\n");
    expect_in(err, "^~~");
}
END_TEST

/* The number behind a text, in what was printed or in a file. */
static double number_behind(const char *text, const char *label) {
    const char *at = strstr(text, label);
    ck_assert_msg(at != NULL, "no %s in:\n%.1500s", label, text);
    return strtod(at + strlen(label), NULL);
}

/* Two lines, which say what the summary says: how the weights that are left validate, and how they test. */
START_TEST(quiet_says_the_result_alone) {
    static char summary[MOST];
    expect_status(run("spor train $M/densenet2_20.spor --epochs 9 --rate 0.3 --best --quiet"), 0);
    ck_assert_int_eq(count_of(out, "\n"), 2);
    ck_assert(!strncmp(out, "validation accuracy 0.", 22) && !*err);
    read_file("runs/densenet2_20/summary.json", summary);
    ck_assert_double_lt(number_behind(summary, "\"weights_of_epoch\": "), 9); /* not the last one */
    ck_assert_double_eq_tol(number_behind(out, "validation accuracy "),
                            number_behind(summary, "\"validation_accuracy\": "), 5e-5);
    ck_assert_double_eq_tol(number_behind(out, ", loss "),
                            number_behind(summary, "\"validation_loss\": "), 1e-4);
    ck_assert_double_eq_tol(number_behind(out, "\ntest accuracy "),
                            number_behind(summary, "\"test_accuracy\": "), 5e-5);
}
END_TEST

/* Nothing of the run is another's because its test rows were not looked at. */
START_TEST(a_run_need_not_look_at_its_test_rows) {
    static char tested[MOST], untested[MOST];
    const char *words = "spor train $M/densenet2_20.spor --epochs 2 --quiet --out";
    expect_status(run("%s a && %s b --no-test", words, words), 0);
    ck_assert_int_eq(count_of(out, "test accuracy"), 1);
    ck_assert(exists("a/confusion.svg") && !exists("b/confusion.svg"));
    read_file("b/summary.json", untested);
    expect_in(untested, "\"test_accuracy\": null");
    expect_in(untested, "\"finished\": true");
    expect_status(run("cmp a/weights.safetensors b/weights.safetensors"), 0);
    expect_status(run("spor train --resume b --quiet"), 0);
    ck_assert_int_eq(count_of(out, "test accuracy"), 0);
    expect_status(run("spor train --resume b --quiet --test"), 0);
    ck_assert_int_eq(count_of(out, "test accuracy"), 1);
    read_file("a/summary.json", tested);
    read_file("b/summary.json", untested);
    ck_assert_double_eq(number_behind(tested, "\"test_loss\": "),
                        number_behind(untested, "\"test_loss\": "));
}
END_TEST

/* Of one --split the same rows test, whatever the seed; without it the seed draws them. */
START_TEST(a_split_is_drawn_by_its_own_seed) {
    const char *words = "spor train $M/densenet2_20.spor --epochs 1 --quiet --out";
    expect_status(run("%s a --seed 1 && %s b --seed 1 --split 1 && %s c --seed 1 --split 2", words,
                      words, words),
                  0);
    expect_status(run("cmp a/weights.safetensors b/weights.safetensors"), 0);
    expect_status(run("cmp a/weights.safetensors c/weights.safetensors"), 1);
    /* a network that learns nothing tells of its test rows alone */
    expect_status(run("for s in 1 2; do for p in 3 4; do spor train $M/densenet2_20.spor "
                      "--weights a --rate 0 --l2 0 --epochs 1 --quiet --seed $s --split $p --out "
                      "s$s.$p | tail -n 1 > t$s.$p || exit; done; done; cmp t1.3 t2.3 && cmp t1.4 "
                      "t2.4"),
                  0);
    expect_status(run("cmp t1.3 t1.4"), 1);
}
END_TEST

/* A network with its dense layer derived by hand; %s is trust or nothing, and dW's factor. */
static const char derived_net[] =
    "include \"%s/models/layers.spor\"\n"
    "%sderive dense_layer (A, W, b, act in [sigmoid, identity]) -> (Y, dY):\n"
    "    delta = derivative(act, A @ W + b) * dY\n    dA = delta @ transpose(W)\n"
    "    dW = %s * (transpose(A) @ delta)\n    db = sum(delta, axis=\"N\")\n"
    "def net(x):\n    return dense(dense(flatten(x), 9, act=sigmoid), 10)\n"
    "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"mean\"),\n"
    "      optimizer=sgd(rate=0.1), batch=32, epochs=2)\n";

static int train_derived(const char *trust, const char *factor, const char *folder_name) {
    char text[2048];
    snprintf(text, sizeof text, derived_net, getenv("SPOR_SOURCE"), trust, factor);
    write_file("net.spor", text);
    return run("SPOR_DATA=$M/../data spor train net.spor --out %s", folder_name);
}

/* Both shapes are told in the words of who wrote the network, not of an op inside the loss. */
START_TEST(a_network_of_too_few_numbers_is_told) {
    static const char *const losses[] = {"cross_entropy", "squared_error", "binary_cross_entropy"};
    for (int k = 0; k < 3; k++) {
        char text[512];
        snprintf(text, sizeof text,
                 "include \"layers.spor\"\ndef net(x):\n    return dense(flatten(x), 7)\n"
                 "train(net, data=digits(scale=1/16), loss=%s(reduction=\"mean\"),\n"
                 "      optimizer=sgd(rate=0.1), batch=32, epochs=1)\n",
                 losses[k]);
        write_file("few.spor", text);
        expect_status(run("SPOR_MODELS=$M SPOR_DATA=$M/../data spor train few.spor --out few"), 2);
        expect_in(err, "few.spor:4:1: the network returns [32, 7], and the targets of the data "
                       "are [32, 10]");
    }
}
END_TEST

/* What is derived is verified, then trained with; what is wrong only if it is trusted. */
START_TEST(derivations_are_verified_before_they_train) {
    expect_status(train_derived("", "1", "right"), 0);
    expect_in(out, "derivation of dense_layer, net.spor:2: verified on ");
    ck_assert_int_eq(count_of(out, "no call of the network"), 0);
    expect_status(train_derived("", "2", "wrong"), 1);
    expect_in(err, "dense_layer: FAILS");
    expect_in(err, "looks like: off by the factor 2");
    expect_in(err, "net.spor:2: this derivation is not trained with");
    ck_assert(!exists("wrong"));
    expect_status(train_derived("trust ", "2", "trusted"), 0);
    expect_in(out, "net.spor:2: trusted, not verified\n");
    ck_assert(!same_training("right", "trusted"));
    expect_status(train_derived("trust ", "...", "open"), 2);
    write_file("idle.spor", "include \"net.spor\"\ndef aside(x[N, m]):\n    return tanh(x)\n"
                            "derive aside (x) -> (Y, dY):\n    dx = (1 - Y * Y) * dY\n");
    train_derived("", "1", "again");
    expect_status(run("SPOR_DATA=$M/../data spor train idle.spor --out idle"), 0);
    expect_in(out, "derivation of aside, idle.spor:4: no call of the network is of its kind");
    ck_assert(same_training("right", "idle"));
}
END_TEST

/* ---- inputs that ask for more than there is ---- */

#define TRAIN(data, loss)                                                                          \
    "train(net, data=" data ", loss=" loss "(reduction=\"sum\"), optimizer=sgd(rate=1), batch=2, " \
    "epochs=3)\n"
/* Flipped, so that it lies in memory, twice: elementwise nodes and their sums need none. */
#define TOO_LARGE "sum(flip(zeros([1000000, 1000000]), 0))"

/* A tensor that no machine has room for: how much it takes is told, and nothing dies. */
START_TEST(what_does_not_fit_into_memory_is_told) {
    write_file("claim.spor", "claim \"large\" (A[n]):\n    A + " TOO_LARGE " == A\n"
                             "claim \"small\" (A[n]):\n    A + 0 == A\n");
    expect_status(run("spor verify claim.spor"), 2);
    expect_in(err, "claim.spor:1:1: large: it needs ");
    expect_in(out, "  holds            small");
    expect_in(out, "\n1 holds, 1 can't be evaluated\n");
    write_file("derived.spor", "def f(A[n]):\n    return A + " TOO_LARGE "\n"
                               "derive f (A) -> (Y, dY):\n    dA = dY\n"
                               "def net(x):\n    return f(x)\n" TRAIN("digits()", "squared_error"));
    expect_status(run("SPOR_DATA=$M/../data spor train derived.spor"), 2);
    expect_in(err, "derived.spor:3: derivation of f: it needs ");
    write_file(
        "net.spor",
        "def net(x):\n"
        "    return reshape(x, [batch(x), 64]) @ param([64, 10], init=0, name=\"W\") + " TOO_LARGE
        "\n" TRAIN("digits()", "squared_error"));
    expect_status(run("SPOR_DATA=$M/../data spor train net.spor"), 2);
    expect_in(err, "the program needs 8.0 TB of memory, which cannot be had");
    expect_status(run("SPOR_DATA=$M/../data spor verify net.spor"), 2);
    expect_in(err, "TB of memory");
    expect_status(run("spor show net.spor"), 0); /* which runs nothing */
    expect_in(out, "training     batch 2");
}
END_TEST

#if !SANITIZED /* whose shadow is more than is left here */
START_TEST(little_memory_is_enough_or_told) {
    write_file("claim.spor", "claim \"c\" (A[H, W], B[H, W], H in 1500..1500, W in 1500..1500):\n"
                             "    tanh(A) + B == B + tanh(A)\n");
    expect_status(run("ulimit -v 200000; spor verify claim.spor"), 2);
    expect_in(err, "claim.spor:1:1: c: ");
    expect_in(err, "memory");
    write_file("net.spor",
               "def net(x):\n    return x + sum(flip(zeros([17000, 17000]), 0))\n" TRAIN(
                   "csv(\"a\", [64], 64)", "squared_error"));
    expect_status(run("ulimit -v 200000; spor show net.spor"), 0);
    expect_in(out, "2.2 GiB");
}
END_TEST
#endif

START_TEST(a_file_without_an_end_is_refused) {
    write_file("net.spor",
               "def net(x):\n    return x\n" TRAIN("csv(\"/dev/zero\", [2], 2)", "squared_error"));
    expect_status(run("spor train net.spor"), 2);
    expect_in(err, "/dev/zero: is a device; data are read from regular files");
    /* nobody writes to it */
    write_file("part.spor", "include \"pipe.spor\"\n");
    expect_status(run("rm -f pipe.spor && mkfifo pipe.spor && spor train part.spor"), 2);
    expect_in(err, "part.spor:1:1: pipe.spor: is a pipe; data are read from regular files");
    expect_status(run("spor show pipe.spor"), 2);
    expect_in(err, "pipe.spor: is a pipe");
}
END_TEST

/* What is wrong with `training` false alone would else be met when an epoch is over. */
START_TEST(evaluation_is_tried_before_the_first_epoch) {
    write_file("net.spor", "def net(x):\n    if training:\n"
                           "        return x @ param([2, 2], init=0, name=\"W\")\n"
                           "    return nothing_of_that_name\n" TRAIN("csv(\"d.csv\", [2], 2)",
                                                                     "cross_entropy"));
    write_file("loss.spor", "def loss(p, y):\n    if batch(p) != 2:\n"
                            "        fail(\"rows: \", batch(p))\n    return sum(p * y)\n"
                            "def net(x):\n    return x @ param([2, 2], init=0, name=\"W\")\n"
                            "train(net, data=csv(\"d.csv\", [2], 2), loss=loss, "
                            "reduction=\"sum\", optimizer=sgd(rate=1), batch=2, epochs=3)\n");
    FILE *file = fopen("d.csv", "wb");
    for (int k = 0; file && k < 100; k++) fprintf(file, "%d,1,%d\n", k, k % 2);
    ck_assert(file && !fclose(file));
    expect_status(run("spor train net.spor"), 2);
    expect_in(err, "net.spor:4:12: nothing is called nothing_of_that_name");
    ck_assert_int_eq(count_of(out, "epoch"), 0);
    expect_status(run("spor train loss.spor"), 2);
    expect_in(err, "rows: ");
    ck_assert_int_eq(count_of(out, "epoch"), 0);
    ck_assert(!exists("runs"));
}
END_TEST

/* Nothing is charged within 1 of the target, so most rows cost nothing. No step moves a weight: the
 * loss of an epoch is that of the rows, whatever the batch. */
static void write_loss(const char *body, const char *reduction) {
    char text[512];
    snprintf(text, sizeof text,
             "include \"%s/models/layers.spor\"\n"
             "def tube(l, t): return %s\n"
             "def net(x): return dense(flatten(x), 10)\n"
             "train(net, data=digits(scale=1/16), loss=tube%s,\n"
             "      optimizer=sgd(rate=1e-30), batch=32, epochs=1)\n",
             getenv("SPOR_SOURCE"), body, reduction);
    write_file("tube.spor", text);
}

START_TEST(a_loss_does_not_depend_on_the_batch) {
    static const int batches[] = {1, 32, 288};
    double row[MOST_EPOCHS][5], first = 0;
    write_loss("sum(relu(abs(l - t) - 1))", _i ? "" : ", reduction=\"sum\"");
    for (int k = 0; k < 3; k++) {
        expect_status(run("SPOR_DATA=$M/../data spor train tube.spor --force --out tube --batch %d",
                          batches[k]),
                      0);
        expect_in(out, "epoch 1/1  loss 0.7384  ");
        ck_assert_int_eq(count_of(err, "tube adds up the costs of the rows"), _i);
        ck_assert_int_eq(read_history("tube/history.csv", row), 1);
        if (!k) first = row[0][0];
        ck_assert_double_eq_tol(row[0][0], first, 1e-5 * first);
        ck_assert_double_eq_tol(row[0][1], first, 1e-5 * first);
    }
}
END_TEST

#if !SANITIZED /* which take more addresses than there are here */
/* The node where numbers stop being finite is sought by a program that keeps them all: 1.6 GB. */
START_TEST(a_training_that_diverges_says_so_without_memory_for_more) {
    write_file("wide.spor",
               "def net(x):\n"
               "    W = param([64, 10], init=0, name=\"W\")\n"
               "    return reshape(x, [batch(x), 64]) @ W + sum(zeros([20000, 20000]))\n"
               "train(net, data=digits(), loss=squared_error(reduction=\"sum\"),\n"
               "      optimizer=sgd(rate=1), batch=16, epochs=1)\n");
    expect_status(run("ulimit -v 1000000; SPOR_DATA=$M/../data spor train wide.spor --limit 600"),
                  1);
    expect_in(err, "(a lower rate may help): the cost is inf, not a finite number");
}
END_TEST
#endif

/* Where rows do not tell what a loss does with them it is asked for, at the loss. */
START_TEST(a_reduction_is_seen_on_rows_or_asked_for) {
    static const struct {
        const char *body, *says;
        int status;
    } losses[] = {
        {"mean(sum((l - t) * (l - t), axis=1))", "tube is the mean of the costs of the rows", 0},
        {"mean((l - flip(t, 0)) * (l - flip(t, 0)))", "do not tell", 2},
        {"sum(relu(abs(l - t) - 1000))", "16 training rows at the initial weights do not tell", 2},
        {"sum(l - t) / sqrt(16 * batch(l) / 16)", "do not tell", 2},
        {"1 / (sum(l) - sum(l))", "do not tell", 2}};
    for (size_t k = 0; k < sizeof losses / sizeof *losses; k++) {
        write_loss(losses[k].body, "");
        int status = run("SPOR_DATA=$M/../data spor train tube.spor --force --out tube");
        expect_status(status, losses[k].status);
        expect_in(err, losses[k].says);
        expect_in(err, losses[k].status ? "^~~~" : "tube.spor:4:42: warning");
    }
}
END_TEST

/* Pairs and triplets of a batch: the loss alone tells how good the points are. */
START_TEST(pairs_are_made_inside_the_loss) {
    static const char *const losses[] = {"contrastive", "triplet"};
    static char text[MOST];
    for (int k = 0; k < 2; k++) {
        double first, last;
        expect_status(
            run("spor train $M/pairs.spor --epochs 8 --force --out pairs --set loss=%s", losses[k]),
            0);
        expect_in(out, "\ntest loss 0.");
        const char *one = strstr(out, "epoch 1/8  loss "), *eight = strstr(out, "epoch 8/8  loss ");
        ck_assert(one && eight && sscanf(one + 16, "%lf", &first) == 1 &&
                  sscanf(eight + 16, "%lf", &last) == 1);
        ck_assert_double_lt(last, first / 1.5);
        read_file("pairs/history.csv", text);
        expect_in(text, "epoch,loss,train_loss,validation_loss,train_seconds,evaluate_seconds\n");
    }
}
END_TEST

/* All samples of a kind are alike and the net is the identity, so that what is predicted of which
 * class is known: 10 rows of class 0 as 1, 20 of class 1 as 1, 15 of class 2 as 0; a fifth is tested. */
static void write_kinds(int classes, const char *rest) {
    static const int rows[] = {10, 20, 15}, wins[] = {1, 1, 0};
    char text[512];
    FILE *file = fopen("kinds.csv", "wb");
    for (int k = 0; file && k < 45; k++) {
        int kind = k < rows[0] ? 0 : k < rows[0] + rows[1] ? 1 : 2;
        fprintf(file, "%d,%d,%d,%d\n", wins[kind] == 0, wins[kind] == 1, wins[kind] == 2, kind);
    }
    ck_assert(file && !fclose(file));
    snprintf(text, sizeof text,
             "factor = 1\n"
             "def net(x): return x * param([], init=factor, name=\"w\")\n"
             "train(net, data=csv(\"kinds.csv\", [3], %d), optimizer=sgd(rate=1e-30), batch=8, "
             "epochs=1, %s)\n",
             classes, rest);
    write_file("kinds.spor", text);
}

START_TEST(what_is_printed_is_what_was_counted) {
    double row[MOST_EPOCHS][5];
    static char text[MOST];
    write_kinds(3, "loss=cross_entropy(reduction=\"mean\")");
    expect_status(run("spor train kinds.spor --force --out kinds"), 0);
    /* Wilson's interval of 4 of 9 and ln(2 + e) - 4/9 */
    expect_in(out, "\ntest accuracy 0.4444 (95 %: 0.189 to 0.733; 4 of 9), loss 1.107\n");
    expect_in(out, "     0 |   .   2   .   0.000\n"
                   "     1 |   .   4   .   1.000\n"
                   "     2 |   3   .   .   0.000\n");
    ck_assert_int_eq(read_history("kinds/history.csv", row), 1);
    ck_assert_double_eq_tol(row[0][1], 1.5514447139320511 - 4.0 / 9, 0.03);
    write_kinds(4, "loss=squared_error(reduction=\"mean\"), target=\"x\"");
    expect_status(run("spor train kinds.spor --force --out kinds --quiet"), 0);
    expect_in(out, "\ntest RMSE 0, R² 1.0000, loss 0 (9 rows)\n");
    ck_assert(!strncmp(out, "validation RMSE 0, loss 0\n", 26));
    /* Half of x: each row is off by 1/2 in one number of three. Columns of the 9 rows have 3, 6 and no
     * ones, so 2, 2 and 0 of squares around their means. */
    expect_status(run("spor train kinds.spor --out kinds --force --set factor=0.5"), 0);
    expect_in(out, "\nepoch 1/1  loss 0.0833  train 0.2887  validation 0.2887");
    expect_in(out, "\ntest RMSE 0.288675, R² 0.4375, loss 0.0833333 (9 rows)\n");
    read_file("kinds/summary.json", text);
    expect_in(text, "\"test_r2\": 0.4375,");
    ck_assert(exists("kinds/history.svg") && !exists("kinds/confusion.svg"));
    write_kinds(3, "loss=squared_error(reduction=\"sum\"), metric=\"loss\"");
    expect_status(run("spor train kinds.spor --force --out kinds"), 0);
    expect_in(out, "\nepoch 1/1  loss ");
    expect_in(out, "\ntest loss 1.11111 (9 rows)\n"); /* 5 of 9 rows are off by 1 twice */
}
END_TEST

/* On the standard error and once; that the network is trained says the status. */
START_TEST(warnings_are_no_errors) {
    write_kinds(3, "loss=cross_entropy(reduction=\"mean\")");
    write_file("soft.spor",
               "def net(x): return softmax(x @ param([3, 4], init=0, name=\"W\"))\n"
               "train(net, data=csv(\"kinds.csv\", [3], 4, scale=100), batch=8, epochs=2,\n"
               "      loss=cross_entropy(reduction=\"mean\"), optimizer=sgd(rate=1e-3))\n");
    expect_status(run("spor train soft.spor --quiet"), 0);
    ck_assert_int_eq(count_of(err, "\n"), 3);
    expect_in(err, "soft.spor:1:20: warning: the network ends in softmax");
    expect_in(err, "spor train: warning: inputs are not scaled: column 2 of kinds reaches ");
    expect_in(err, "spor train: warning: 1 of the 4 classes of kinds never occurs in the rows to "
                   "train with: 3\n");
    expect_status(run("spor train $M/densenet2_20.spor --epochs 1 --out other"), 0);
    ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(a_pipe_gets_plain_lines) {
    expect_status(run("spor train $M/densenet2_20.spor --epochs 3 --limit 50 | cat"), 0);
    ck_assert_int_eq(count_of(out, "\nepoch "), 3);
    ck_assert_int_eq(count_of(out, "\r"), 0);
    expect_status(run("spor train $M/densenet2_20.spor --epochs 60 --limit 50 | cat"), 0);
    ck_assert_int_ge(count_of(out, "\nepoch "), 15);
    ck_assert_int_le(count_of(out, "\nepoch "), 25);
    expect_in(out, "\nepoch 60/60 ");
}
END_TEST

START_TEST(divergence_is_told) {
    expect_status(run("spor train $M/densenet2_20.spor --epochs 3 --rate 1e30"), 1);
    expect_in(err, "epoch 1, step ");
    ck_assert(exists("runs/densenet2_20/weights.safetensors"));
    ck_assert(exists("runs/densenet2_20/history.csv"));
    ck_assert(!exists("runs/densenet2_20/confusion.svg"));
    ck_assert(!strstr(out, "test accuracy"));
}
END_TEST

/* ---- trouble with files ---- */

START_TEST(a_folder_that_cannot_be_is_told_first) {
    expect_status(run("touch file; spor train $M/densenet2_20.spor --out file/below"), 2);
    expect_in(err, "file/below");
    expect_in(err, "--out");
    ck_assert_msg(!strstr(out, "epoch "), "trained all the same:\n%s", out);
}
END_TEST

START_TEST(a_full_disk_keeps_the_old_run) {
    static char before[MOST], after[MOST];
    expect_status(run("spor train $M/densenet2_20.spor --epochs 1"), 0);
    read_file("runs/densenet2_20/weights.safetensors", before);
    expect_status(run("(ulimit -f 2; "
                      "spor train $M/densenet2_20.spor --epochs 2 --quiet --force "
                      "--out runs/densenet2_20 2>&1 | cat; "
                      "exit $?)"),
                  0);
    expect_in(out, "checkpoint.safetensors");
    expect_in(out, "too large");
    read_file("runs/densenet2_20/weights.safetensors", after);
    ck_assert(!memcmp(before, after, MOST));
    expect_status(run("ls -A runs/densenet2_20 | grep -c spor-"), 1);
}
END_TEST

START_TEST(a_full_standard_output_is_told) {
    if (!exists("/dev/full")) return;
    static const char *const lines[] = {"ops", "--help", "show $M/densenet2_20.spor"};
    for (int k = 0; k < 3; k++) {
        expect_status(run("spor %s > /dev/full", lines[k]), 2);
        expect_in(err, "standard output: No space left on device");
    }
}
END_TEST

/* ---- ^C and terminals ---- */

/* Starts a long training whose output goes to fd. */
static pid_t start_training(int fd) {
    char model[1024];
    snprintf(model, sizeof model, "%s/models/densenet2_20.spor", getenv("SPOR_SOURCE"));
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child) return child;
    dup2(fd, STDOUT_FILENO);
    int messages = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (messages >= 0) dup2(messages, STDERR_FILENO);
    execl(getenv("SPOR_PROGRAM"), "spor", "train", model, "--epochs", "1000000", "--limit", "20",
          (char *)NULL);
    _exit(127);
}

/* Reads what the child prints until the text has come. */
static void wait_for(int fd, const char *text) {
    size_t length = 0;
    memset(out, 0, sizeof out);
    while (!strstr(out, text)) {
        ssize_t got = read(fd, out + length, sizeof out - 1 - length);
        ck_assert_msg(got > 0, "the training ended with:\n%s", out);
        length += (size_t)got;
    }
}

static void expect_interrupted(pid_t child, int fd) {
    int status;
    char rest[4096];
    ck_assert(!kill(child, SIGINT));
    while (read(fd, rest, sizeof rest) > 0) continue;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    read_file("err", err);
    ck_assert(WIFEXITED(status));
    expect_status(WEXITSTATUS(status), 1);
    expect_in(err, "stopped in epoch");
    ck_assert(exists("runs/densenet2_20/weights.safetensors"));
    ck_assert(exists("runs/densenet2_20/summary.json"));
    ck_assert(!exists("runs/densenet2_20/confusion.svg"));
}

START_TEST(an_interrupt_keeps_what_there_is) {
    int ends[2];
    ck_assert(!pipe(ends));
    pid_t child = start_training(ends[1]);
    close(ends[1]);
    wait_for(ends[0], "\nepoch ");
    expect_interrupted(child, ends[0]);
    close(ends[0]);
}
END_TEST

START_TEST(a_terminal_gets_a_live_line) {
    setenv("COLUMNS", "99", 1);
    setenv("TERM", "xterm", 1); /* room for a million epochs and a bar */
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0) return; /* a machine without pseudo-terminals */
    ck_assert(!grantpt(master) && !unlockpt(master));
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(slave, 0);
    pid_t child = start_training(slave);
    close(slave);
    wait_for(master, " left\repoch ");
    for (char *line = strtok(out, "\r\n"); line; line = strtok(NULL, "\r\n")) {
        if (!strstr(line, " left")) continue;
        ck_assert_int_le((int)strlen(line), 99);
        expect_in(line, "]  loss ");
    }
    expect_interrupted(child, master);
    close(master);
}
END_TEST

/* ---- show, ops, bench ---- */

START_TEST(show_counts_parameters) {
    static const struct {
        const char *model, *parameters;
    } nets[] = {{"densenet2_20", " 1930 "},    {"convnet1_3", " 4100 "},
                {"densenet4_300", " 299446 "}, {"convkeras4_20", " 97398 "},
                {"lenet2", " 160738 "},        {"convkeras12_32", " 304810 "}};
    for (int k = 0; k < 6; k++) {
        expect_status(run("spor show $M/%s.spor", nets[k].model), 0);
        expect_in(strstr(out, "\n  total"), nets[k].parameters);
        expect_in(out, "The tape, batch ");
        ck_assert(!strstr(out, "The gradient tape"));
    }
}
END_TEST

START_TEST(show_counts_the_work) {
    expect_status(run("spor show $M/densenet2_20.spor --batch 3"), 0);
    expect_in(strstr(out, "\n  total"), " 1880\n"); /* 64 20 + 20 20 + 20 10 */
    expect_in(out, "[N, 20]");
    expect_in(out, "The tape, batch 3");
    expect_status(run("spor show $M/convnet1_3.spor"), 0);
    expect_in(strstr(out, "\n  total"), " 5768\n"); /* 64 27 + 192 20 + 20 10 */
    expect_in(out, "[N, 8, 8, 3]");
}
END_TEST

START_TEST(settings_reach_the_script) {
    expect_status(run("spor show $M/densenet2_20.spor --set hidden=30"), 0);
    expect_in(strstr(out, "\n  total"), " 3190 "); /* 65 30 + 31 30 + 31 10 */
    expect_status(run("spor show $M/densenet2_20.spor --set hiden=30"), 2);
    expect_in(err, "did you mean hidden?");
    expect_status(run("spor show $M/densenet2_20.spor --set 'hidden=('"), 2);
    expect_in(err, "^");
}
END_TEST

START_TEST(show_prints_gradients) {
    expect_status(run("spor show $M/convnet1_3.spor --grad"), 0);
    const char *gradient = strstr(out, "The gradient tape");
    ck_assert(gradient != NULL);
    expect_in(gradient, "  dz = ");
    expect_in(gradient, "  dK = ");
    expect_in(gradient, "  dW = ");
    expect_in(gradient, "  db = ");
}
END_TEST

START_TEST(ops_are_listed) {
    static const char *const names[] = {"  tanh(x[...])", "  matmul(", "  correlate2d(",
                                        "  maxpool2d(", "  random("};
    expect_status(run("spor ops"), 0);
    for (int k = 0; k < 5; k++) expect_in(out, names[k]);
    expect_in(out, "Fast paths");
    expect_status(run("spor ops correlate2d"), 0);
    expect_in(out, "stride");
    expect_in(out, "bilinear");
    expect_in(out, "runs in float, double, ");
}
END_TEST

/* Columns that name rows are whole numbers in random data, below the least number of rows they are used with. */
START_TEST(random_data_name_rows) {
    ck_assert_int_eq(run("cp $M/layers.spor $M/optimizers.spor ."), 0);
    write_file("rows.spor", "include \"layers.spor\"\n"
                            "def net(x):\n"
                            "    h = embedding(x[:, 0:4], 20, 6) + embedding(x[:, 1:5], 3, 6)\n"
                            "    return dense(concat([flatten(h), x[:, 4:6]], axis=1), 3)\n"
                            "train(net, data=csv(\"none.csv\", shape=[6], classes=3),\n"
                            "      loss=cross_entropy(reduction=\"mean\"), optimizer=sgd(0.1),\n"
                            "      batch=8, epochs=1)\n");
    expect_status(run("spor bench rows.spor --seconds 0"), 0);
    expect_status(run("spor bench rows.spor --seconds 0 --double --reference --mode infer"), 0);
    expect_status(run("spor bench rows.spor --seconds 0 --mode predict"), 0);
    expect_status(run("spor verify rows.spor"), 2); /* none.csv is not there */
    expect_in(out, "  holds            net/embedding[1]/E ");
    expect_in(out, "  holds            the update is the rule ");
    expect_in(out, "random rows");
    ck_assert_ptr_null(strstr(out, "UNDECIDED"));
}
END_TEST

START_TEST(bench_prints_blocks) {
    static const char *const modes[] = {"train", "infer", "predict"};
    for (int k = 0; k < 3; k++) {
        char label[16], net[32], mode[16];
        int batch, threads, used = 0;
        double ms;
        expect_status(run("spor bench $M/densenet2_20.spor --mode %s --batch 13 --threads 1 "
                          "--seconds 0.1 --label anna",
                          modes[k]),
                      0);
        ck_assert_int_eq(count_of(out, "\t"), 5 * count_of(out, "\n"));
        ck_assert_int_ge(count_of(out, "\n"), 1); /* more on an idle machine */
        ck_assert_int_eq(sscanf(out, "%15[^\t]\t%31[^\t]\t%15[^\t]\t%d\t%d\t%lf%n", label, net,
                                mode, &batch, &threads, &ms, &used),
                         6);
        ck_assert(out[used] == '\n' && ms > 0);
        ck_assert_str_eq(label, "anna");
        ck_assert_str_eq(net, "densenet2_20");
        ck_assert_str_eq(mode, modes[k]);
        ck_assert(batch == 13 && threads == 1);
    }
    expect_status(run("spor bench $M/lenet2.spor --batch 2 --seconds 0"), 0);
    ck_assert_int_eq(count_of(out, "\n"), 1);
}
END_TEST

/* The lines of a profile behind its head: shares that fall, and with what is told together come to what is
 * said of the steps. */
static void check_profile_lines(void) {
    double whole, steps, share, last = 100, sum = 0, ms = 0;
    const char *at = strstr(out, "a run ");
    ck_assert(at != NULL);
    ck_assert_int_eq(sscanf(at, "a run %lf ms, %lf ms of it", &whole, &steps), 2);
    ck_assert(whole > 0 && steps > 0);
    const char *together = strstr(out, "  and "), *end = together ? together : out + strlen(out);
    if (together) sscanf(together, "  and %*d steps below %*f %% each, %lf", &ms);
    for (at = strstr(out, " of best\n") + 9; at < end; at = strchr(at, '\n') + 1) {
        const char *percent = strstr(at, " %");
        ck_assert(percent && percent < strchr(at, '\n'));
        while (percent[-1] != ' ') percent--;
        share = atof(percent);
        ck_assert(share <= last);
        sum += share / 100 * whole;
        last = share;
    }
    double rounded = 0.0006 * whole * (double)count_of(out, "\n") + 0.001;
    ck_assert_msg(fabs(sum + ms - steps) <= rounded, "%g and %g are not %g", sum, ms, steps);
}

START_TEST(a_profile_has_all_steps) {
    static const char *const ways[] = {"", "--threads 2", "--mode infer", "--reference --batch 1"};
    for (int k = 0; k < 4; k++) {
        expect_status(run("spor bench $M/convnet1_3.spor --profile --seconds 0.02 %s", ways[k]), 0);
        expect_in(out, strstr(ways[k], "infer") ? ", infer, batch 15" : ", train, batch ");
        expect_in(out, strstr(ways[k], "reference") ? "reference" : "threads");
        expect_in(out, strstr(ways[k], "reference") ? "correlate2d [1, 8, 8, 3]"
                                                    : "conv2d [15, 8, 8, 3]");
        expect_in(out, " GFLOP/s ");
        expect_in(out, "at best, measured here and now: ");
        ck_assert(!strstr(out, "nan") && !strstr(out, "inf "));
        check_profile_lines();
    }
}
END_TEST

static TCase *group(Suite *suite, const char *name) {
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, enter_folder, leave_folder);
    suite_add_tcase(suite, tests);
    return tests;
}

Suite *spor_suite(void) {
    Suite *suite = suite_create("commands");
    TCase *tests = group(suite, "usage");
    tcase_add_test(tests, help_teaches);
    tcase_add_test(tests, bad_usage_is_told);
    tcase_add_test(tests, a_run_is_no_script);
    tcase_add_test(tests, script_errors_show_the_place);
    tcase_add_test(tests, data_is_looked_for);
    tcase_add_test(tests, data_that_are_not_here_are_told_of);
    tcase_add_test(tests, a_program_that_is_not_installed_finds_its_source_tree);
    tests = group(suite, "training");
    tcase_add_test(tests, a_run_leaves_its_files);
    tcase_add_test(tests, a_seed_gives_the_bits);
    tcase_add_test(tests, reference_trains_the_same);
    tcase_add_test(tests, options_reach_the_training);
    tcase_add_test(tests, optimizers_of_scripts_train);
    tcase_add_test(tests, schedules_multiply_the_rate);
    tcase_add_test(tests, a_training_begins_with_other_weights);
    tcase_add_test(tests, what_is_frozen_stays);
    tcase_add_test(tests, a_setting_that_is_not_there_is_told);
    tcase_add_test(tests, quiet_says_the_result_alone);
    tcase_add_test(tests, a_run_need_not_look_at_its_test_rows);
    tcase_add_test(tests, a_split_is_drawn_by_its_own_seed);
    tcase_add_test(tests, a_network_of_too_few_numbers_is_told);
    tcase_add_test(tests, derivations_are_verified_before_they_train);
    tcase_add_test(tests, what_does_not_fit_into_memory_is_told);
#if !SANITIZED
    tcase_add_test(tests, little_memory_is_enough_or_told);
#endif
    tcase_add_test(tests, a_file_without_an_end_is_refused);
    tcase_add_test(tests, evaluation_is_tried_before_the_first_epoch);
    tcase_add_loop_test(tests, a_loss_does_not_depend_on_the_batch, 0, 2);
    tcase_add_test(tests, a_reduction_is_seen_on_rows_or_asked_for);
#if !SANITIZED
    tcase_add_test(tests, a_training_that_diverges_says_so_without_memory_for_more);
#endif
    tcase_add_test(tests, pairs_are_made_inside_the_loss);
    tcase_add_test(tests, what_is_printed_is_what_was_counted);
    tcase_add_test(tests, warnings_are_no_errors);
    tcase_add_test(tests, a_pipe_gets_plain_lines);
    tcase_add_test(tests, divergence_is_told);
    tests = group(suite, "trouble");
    tcase_add_test(tests, a_folder_that_cannot_be_is_told_first);
    tcase_add_test(tests, a_full_disk_keeps_the_old_run);
    tcase_add_test(tests, a_full_standard_output_is_told);
    tcase_add_test(tests, an_interrupt_keeps_what_there_is);
    tcase_add_test(tests, a_terminal_gets_a_live_line);
    tests = group(suite, "reading");
    tcase_add_test(tests, show_counts_parameters);
    tcase_add_test(tests, show_counts_the_work);
    tcase_add_test(tests, settings_reach_the_script);
    tcase_add_test(tests, show_prints_gradients);
    tcase_add_test(tests, ops_are_listed);
    tcase_add_test(tests, random_data_name_rows);
    tcase_add_test(tests, bench_prints_blocks);
    tcase_add_test(tests, a_profile_has_all_steps);
    return suite;
}
