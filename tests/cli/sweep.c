/*
 * spor sweep: which trials there are, how it chooses, that nothing is done twice and nothing lost, whatever is
 * stopped or killed. Each test runs in an empty folder of its own.
 */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "shell.h"

static char text[MOST];

/* A network of two names, on a few of the digits. */
static const char net[] =
    "units = 4\n"
    "act = tanh\n"
    "def net(x):\n"
    "    x = act(reshape(x, [-1, 64]) @ param([64, units], init=\"glorot\", name=\"W\"))\n"
    "    return x @ param([units, 10], init=\"glorot\", name=\"V\")\n"
    "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"mean\"),\n"
    "      optimizer=sgd(rate=0.1), batch=16, epochs=3)\n";

static void enter(void) {
    char data[1100];
    enter_folder();
    snprintf(data, sizeof data, "%s/data", getenv("SPOR_SOURCE"));
    setenv("SPOR_DATA", data, 1);
    write_file("net.spor", net);
}

/* The lists of most tests: 2 x 2 settings, 2 seeds. */
#define SPACE "net.spor --set units=3,6 --set rate=0.01,0.3 --seed 0..1 --limit 40"
enum { TRIALS = 8 };

static void sweep(int status, const char *options) {
    expect_status(run("spor sweep %s", options), status);
}

/* What a sweep that nobody disturbed comes to, in the folder "whole". */
static void sweep_whole(void) {
    sweep(0, SPACE " --out whole");
}

static void expect_same(const char *folder) {
    expect_status(run("cmp %s/table.csv whole/table.csv && cmp %s/trials.csv whole/trials.csv && "
                      "cmp %s/map.svg whole/map.svg",
                      folder, folder, folder),
                  0);
    expect_status(run("cd whole; for t in *=*; do cmp $t/weights.safetensors "
                      "../%s/$t/weights.safetensors && ls $t > ../ls1 && ls ../%s/$t > ../ls2 && "
                      "cmp ../ls1 ../ls2 || exit; done",
                      folder, folder),
                  0);
}

/* ---- which trials ------------------------------------------------------------------------------- */

START_TEST(trials_are_the_product) {
    static const char *const units[] = {"3", "6"}, *const rate[] = {"0.01", "0.3"};
    char line[400];
    sweep(0, SPACE " --out s --list");
    ck_assert_int_eq(count_of(out, "\n"), TRIALS);
    const char *at = out;
    for (int k = 0; k < TRIALS; k++) {
        snprintf(line, sizeof line,
                 "/spor train net.spor --set units=%s --rate %s --limit 40 --split 0 --seed %d "
                 "--no-test --quiet --threads 1 --out s/limit=40,rate=%s,units=%s,seed=%d\n",
                 units[k / 4], rate[k / 2 % 2], k % 2, rate[k / 2 % 2], units[k / 4], k % 2);
        ck_assert_msg(strstr(at, line) != NULL, "no %s in:\n%s", line, at);
        at = strstr(at, line);
    }
    ck_assert(!exists("s")); /* a list makes nothing */
    /* whatever the order of the options, a trial has the same name */
    sweep(0, "net.spor --rate 0.01,0.3 --limit 40 --set units=6,3 --seed 1,0 --out s --list");
    for (int k = 0; k < TRIALS; k++) {
        snprintf(line, sizeof line, "--out s/limit=40,rate=%s,units=%s,seed=%d\n", rate[k / 2 % 2],
                 units[k / 4], k % 2);
        ck_assert_int_eq(count_of(out, line), 1);
    }
}
END_TEST

/* A name of the script is the script's, even if train has such an option. */
START_TEST(names_of_the_script_go_first) {
    sweep(0, "net.spor --set rate=0.1,0.2 --list");
    ck_assert_int_eq(count_of(out, " --rate 0."), 2);
    expect_status(
        run("sed 's/^units/rate = 0.1\\nunits/; s/rate=0.1/rate=rate/' net.spor > r.spor; "
            "spor sweep r.spor --set rate=0.1,0.2 --list"),
        0);
    ck_assert_int_eq(count_of(out, " --set rate=0."), 2);
}
END_TEST

START_TEST(commas_part_values_outside_of_brackets_and_quotes) {
    write_file("lists.spor", "widths = [3]\nword = \"a\"\n"
                             "def net(x):\n"
                             "    x = reshape(x, [-1, 64])\n    n = 64\n"
                             "    for units in widths:\n"
                             "        x = tanh(x @ param([n, units], init=\"glorot\"))\n"
                             "        n = units\n"
                             "    return x @ param([n, 10], init=\"glorot\")\n"
                             "train(net, data=digits(scale=1/16), batch=16, epochs=1,\n"
                             "      loss=cross_entropy(reduction=\"mean\"), optimizer=sgd(0.1))\n");
    expect_status(run("spor sweep lists.spor --set 'widths=[3, 4], [5],[6,7,8]' --set "
                      "\"word='a,b', \\\"c\\\",\\\"it's]\\\"\" --out s --limit 40"),
                  0);
    expect_in(out, "settings 9 x seeds 1 = 9 trials");
    expect_in(out, "1/9  ");
    expect_in(out, "widths=[6,7,8] word=\"it's]\" seed=0  validation accuracy ");
    expect_status(run("ls s"), 0);
    ck_assert_int_eq(count_of(out, ",seed=0\n"), 9);
    for (const char *c = out; *c; c++) /* nothing that a shell or a file system minds */
        ck_assert_msg(*c == '\n' || strchr("+-.=,_", *c) || (*c >= '0' && *c <= '9') ||
                          ((*c | 32) >= 'a' && (*c | 32) <= 'z'),
                      "%s", out);
    expect_status(
        run("spor sweep lists.spor --set 'widths=[3, 4], [5],[6,7,8]' --set "
            "\"word='a,b', \\\"c\\\",\\\"it's]\\\"\" --out t --limit 40 --list | sh >log && "
            "for t in s/*=*; do cmp $t/weights.safetensors t/${t#s/}/weights.safetensors "
            "|| exit; done"),
        0);
}
END_TEST

/* Values of any length, and those that differ only where a name is cut or has to leave something out. */
START_TEST(names_are_safe_and_differ) {
    expect_status(
        run("long=$(printf '%%0200d' 0); spor sweep net.spor --set "
            "\"units=4+$long,5+$long,(4),(4 ),4*1,4+0\" --limit 40 --epochs 1 --out s --quiet"),
        0);
    expect_status(run("ls s | grep -c seed=0; ls s | awk 'length > 160' | wc -l"), 0);
    ck_assert_str_eq(out, "6\n0\n");
}
END_TEST

START_TEST(what_is_wrong_is_told_before_anything_is_trained) {
    static const struct {
        const char *options, *why;
    } wrong[] = {
        {"", "SCRIPT is missing"},
        {"nowhere.spor", "nowhere.spor"},
        {"net.spor --set unit=3,4", "did you mean units?"},
        {"net.spor --set units=3,-1", "-1"},
        {"net.spor --set units=3,hidden", "hidden"},
        {"net.spor --set 'units=[3,4'", "a bracket or a quote is left open in [3,4"},
        {"net.spor --set 'units=3),4'", "a bracket or a quote is left open"},
        {"net.spor --set units=3,,4", "units: a value is missing in the list"},
        {"net.spor --set units=", "units: a value is missing in the list"},
        {"net.spor --set units=3,4,3", "units: twice the value 3"},
        {"net.spor --set units=3 --set units=4", "units: is given twice"},
        {"net.spor --set rate=0.1 --rate 0.2", "rate: is given twice"},
        {"net.spor --rate 0.1,x", "--rate wants a number of at least 0, not x"},
        {"net.spor --epochs 2,-1", "--epochs wants a whole number of at least 0, not -1"},
        {"net.spor --l2 0,1", "has no setting l2"},
        {"net.spor --seed 4..0", "wants seeds as in 0..4 or 0,3,7, not 4..0"},
        {"net.spor --seed 0,", "wants seeds"},
        {"net.spor --seed 1..", "wants seeds"},
        {"net.spor --seed -1", "wants seeds"},
        {"net.spor --seed 1,0..3", "a seed is given twice in 1,0..3"},
        {"net.spor --seed 0..999999999", "there would be 1000000000 trials: 1000000000 seeds."},
        {"net.spor --set units=1,2 --batch 1,2,3 --seed 0..999999999",
         "there would be 6000000000 trials: 2 units x 3 batch x 1000000000 seeds. At most 10000"},
        {"net.spor --set units=1,2 --seed 0..9223372036854775806", "there would be more than "},
        {"net.spor --task 0/4", "--task wants I/N, 1 <= I <= N"},
        {"net.spor --task 5/4", "--task wants I/N"},
        {"net.spor --task 3", "--task wants I/N"},
        {"net.spor --task 1/2x", "--task wants I/N"},
        {"net.spor --task /", "--task wants I/N"},
        {"net.spor --list --collect", "--list and --collect: only one of them"},
        {"net.spor --task 1/2 --collect", "--collect is of all tasks"},
        {"net.spor --collect", "there is no sweeps/net/ to collect from"},
        {"net.spor --jobs 0", "--jobs wants a whole number of at least 1"},
        {"net.spor --data nowhere", "there is no data set nowhere"},
        {"net.spor --out net.spor/below", "net.spor"},
        {"net.spor --out /dev/null/below", "Give another folder with --out"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        sweep(2, wrong[k].options);
        expect_in(err, wrong[k].why);
        ck_assert_msg(!exists("sweeps"), "%s", wrong[k].options);
    }
    sweep(2, "net.spor --set units=3,-1");
    expect_in(err, "that is so with units=-1; nothing was trained");
}
END_TEST

/* One row of each class: none can be spared to validate with. */
START_TEST(without_rows_to_validate_nothing_is_chosen) {
    write_file("two.csv", "0,0,0,0\n1,1,1,1\n");
    write_file("two.spor", "def net(x): return x @ param([3, 2], init=0, name=\"W\")\n"
                           "train(net, data=csv(\"two.csv\", [3], 2), batch=1, epochs=1,\n"
                           "      loss=cross_entropy(reduction=\"mean\"), optimizer=sgd(0.1))\n");
    sweep(2, "two.spor --rate 0.1,0.2");
    expect_in(err, "leaves the part empty");
    ck_assert(!exists("sweeps"));
}
END_TEST

/* ---- the choice --------------------------------------------------------------------------------- */

/* Writes other numbers into the summary of a trial. */
static void plant(const char *setting, int seed, double validation, double train, double test) {
    expect_status(run("sed -i 's/\"validation_accuracy\": [^,]*/\"validation_accuracy\": %g/; "
                      "s/\"train_accuracy\": [^,]*/\"train_accuracy\": %g/; "
                      "s/\"test_accuracy\": [^,]*/\"test_accuracy\": %g/' "
                      "s/%s,seed=%d/summary.json",
                      validation, train, test, setting, seed),
                  0);
}

static void plant_losses(int units, double loss) {
    expect_status(run("sed -i 's/\"validation_loss\": [^,]*/\"validation_loss\": %g/' "
                      "s/epochs=1,limit=40,units=%d,seed=*/summary.json",
                      loss, units),
                  0);
}

static void expect_chosen(const char *setting) {
    char line[80];
    sweep(0, "net.spor --set units=3,4,5,6 --seed 0..2 --limit 40 --epochs 1 --out s --collect");
    snprintf(line, sizeof line, "chosen by the validation rows: units=%s, ", setting);
    expect_in(out, line);
    snprintf(line, sizeof line, "\n* %s  ", setting);
    expect_in(out, line);
    expect_status(run("grep -c ,yes$ s/table.csv; grep ^%s,.*,yes$ s/table.csv", setting), 0);
    ck_assert(!strncmp(out, "1\n", 2));
}

/* Each setting is the best by something else; only the mean of the validation rows counts. */
START_TEST(the_mean_of_the_validation_rows_chooses) {
    static const double validation[4][3] = {
        {0.80, 0.80, 0.80}, {0.60, 0.60, 0.95}, {0.96, 0.50, 0.60}, {0.70, 0.70, 0.70}};
    expect_status(run("spor sweep net.spor --set units=3,4,5,6 --seed 0..2 --limit 40 --epochs 1 "
                      "--out s --quiet"),
                  0);
    for (int unit = 0; unit < 4; unit++)
        for (int seed = 0; seed < 3; seed++) {
            char setting[60];
            snprintf(setting, sizeof setting, "epochs=1,limit=40,units=%d", unit + 3);
            plant(setting, seed, validation[unit][seed], unit == 2 ? 1 : 0.5, unit == 3 ? 1 : 0.5);
        }
    expect_chosen("3");
    sweep(0, "net.spor --set units=3,4,5,6 --seed 0..2 --limit 40 --epochs 1 --out s --collect");
    expect_in(out, "* 3      0.8000 ± 0.0000 ");
    /* by hand: sqrt((2 * 0.1167^2 + 0.2333^2) / 2) */
    expect_in(out, "  4      0.7167 ± 0.2021 ");
    expect_in(out, "  5      0.6867 ± 0.2419 ");
    ck_assert_ptr_null(strstr(out, "test_"));
    /* of equal ones that of the lower loss, then the first */
    for (int seed = 0; seed < 3; seed++) plant("epochs=1,limit=40,units=6", seed, 0.8, 0, 0);
    plant_losses(3, 0.5);
    plant_losses(6, 0.25);
    expect_chosen("6");
    plant_losses(6, 0.5);
    expect_chosen("3");
    for (int seed = 0; seed < 3; seed++) plant("epochs=1,limit=40,units=3", seed, 0.1, 1, 1);
    for (int seed = 0; seed < 3; seed++) plant("epochs=1,limit=40,units=6", seed, 0.9, 0, 0);
    expect_chosen("6");
    /* a mean over fewer seeds is no better one */
    expect_status(run("rm -r s/epochs=1,limit=40,units=6,seed=1"), 0);
    expect_chosen("4");
    sweep(0, "net.spor --set units=3,4,5,6 --seed 0..2 --limit 40 --epochs 1 --out s --collect");
    expect_in(out, "1 of 12 trials are missing, or begun and not finished");
    expect_in(out, "  6      1 not there\n");
}
END_TEST

/* The less the better, of RMSE and of losses. */
START_TEST(what_is_judged_by_follows_from_the_script) {
    write_file("line.csv", "a,y\n0,0\n1,2\n2,4\n3,6\n4,8\n5,10\n6,12\n7,14\n8,16\n9,18\n");
    static const char script[] =
        "def net(x): return x @ param([1, 1], init=0, name=\"W\")\n"
        "train(net, data=csv(\"line.csv\", targets=[\"y\"]), batch=4, epochs=3,%s\n"
        "      loss=squared_error(reduction=\"mean\"), optimizer=sgd(0.001))\n";
    static const char *const metrics[][2] = {{"", "RMSE"}, {"metric=\"loss\",", "loss"}};
    for (int k = 0; k < 2; k++) {
        snprintf(text, sizeof text, script, metrics[k][0]);
        write_file("line.spor", text);
        expect_status(
            run("rm -rf s; spor sweep line.spor --rate 1e-6,0.01,1e-3 --seed 0..1 --out s"), 0);
        snprintf(text, sizeof text, "chosen by the validation rows: rate=0.01, %s ", metrics[k][1]);
        expect_in(out, text);
        snprintf(text, sizeof text, "\n%s of the validation rows, mean ", metrics[k][1]);
        expect_in(out, text);
    }
}
END_TEST

/* With files of their own the test rows can be exchanged, and nothing of the search may change. */
START_TEST(test_rows_change_nothing) {
    static const char *const labels[] = {"0 1 2 0 1 2", "2 2 2 0 0 0"};
    write_file("own.spor",
               "units = 3\n"
               "def net(x): return tanh(x @ param([3, units], init=\"glorot\", "
               "name=\"W\")) @ param([units, 3], init=\"glorot\", name=\"V\")\n"
               "train(net, data=csv(\"train.csv\", [3], 3, test=\"test.csv\"), batch=4, "
               "epochs=3,\n      loss=cross_entropy(reduction=\"mean\"), "
               "optimizer=sgd(0.1))\n");
    expect_status(run("for k in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $((k %% 3)),$k,$((k * k)),1; "
                      "done > train.csv"),
                  0);
    for (int k = 0; k < 2; k++) {
        expect_status(run("for k in %s; do echo $k,$k,1,0; done > test.csv; spor sweep own.spor "
                          "--set units=2,3,4 --rate 0.1,0.5 --seed 0..2 --jobs 1 --out s%d | sed "
                          "'s/s%d/s/' > "
                          "out%d",
                          labels[k], k, k, k),
                      0);
        expect_status(run("! grep -i test s%d/*.csv s%d/map.svg", k, k), 0);
        expect_status(run("cat s%d/*/summary.json | grep -c '\"test_accuracy\": null'", k), 0);
        ck_assert_str_eq(out, "18\n");
        expect_status(run("ls s%d/*/confusion.svg", k), 2);
    }
    expect_status(
        run("cmp s0/table.csv s1/table.csv && cmp s0/map.svg s1/map.svg && cmp out0 out1"), 0);
    read_file("out0", text);
    expect_in(text, "The rows to test were not looked at");
    ck_assert_ptr_null(strstr(text, "test accuracy"));
}
END_TEST

/* The rows that test are the same in all trials; none of them trains or validates in any. */
START_TEST(all_trials_leave_out_the_same_rows) {
    sweep(0, SPACE " --list");
    ck_assert_int_eq(count_of(out, " --split 0 "), TRIALS);
    sweep(0, SPACE " --split 7 --list");
    ck_assert_int_eq(count_of(out, " --split 7 "), TRIALS);
}
END_TEST

START_TEST(quiet_names_the_chosen_one) {
    sweep_whole();
    expect_status(run("grep ,yes$ whole/table.csv | cut -d, -f1,2 | tr -d '\\n'"), 0);
    char units = out[0], rate[8];
    snprintf(rate, sizeof rate, "%.7s", out + 2);
    sweep(0, SPACE " --out whole --quiet");
    snprintf(text, sizeof text, "whole/limit=40,rate=%s,units=%c,seed=0\n", rate, units);
    ck_assert_str_eq(out, text);
    ck_assert_str_eq(err, "");
    expect_status(run("spor train --resume $(spor sweep " SPACE " --out whole --quiet) --test "
                      "--quiet"),
                  0);
    expect_in(out, "test accuracy 0.");
    expect_status(run("cp -r whole before; spor sweep " SPACE " --out whole"), 0);
    expect_same("before"); /* that one was tested is no difference to the search */
    /* as the search ends by saying; the seed would have drawn other rows */
    expect_status(run("t=whole/limit=40,rate=0.3,units=6,seed=1; spor eval $t --quiet >a; "
                      "spor train --resume $t --test --quiet | tail -n 1 >b; cmp a b && "
                      "grep 'test accuracy' a"),
                  0);
}
END_TEST

/* ---- nothing twice, nothing lost ---------------------------------------------------------------- */

START_TEST(what_is_finished_is_not_repeated) {
    sweep(0, SPACE " --out s");
    ck_assert_int_eq(count_of(out, "validation accuracy 0."), TRIALS);
    expect_status(run("stat -c '%%n %%i %%y' s/*/* > before; spor sweep " SPACE " --out s >log && "
                      "stat -c '%%n %%i %%y' s/*/* | cmp before && cat log"),
                  0);
    expect_in(out, "8 of 8 trials are finished already");
    ck_assert_int_eq(count_of(out, "validation accuracy 0."), 0);
    sweep_whole();
    expect_same("s");
    /* what is missing is made, and what is added */
    expect_status(run("rm -r s/limit=40,rate=0.3,units=6,seed=1; spor sweep " SPACE " --out s"), 0);
    expect_in(out, "7 of 8 trials are finished already");
    ck_assert_int_eq(count_of(out, "validation accuracy 0."), 1);
    expect_same("s");
    sweep(0, "net.spor --set units=3,6,7 --set rate=0.01,0.3 --seed 0..1 --limit 40 --out s");
    expect_in(out, "8 of 12 trials are finished already");
}
END_TEST

/* Kills each spor of this folder whose command line has the word. */
#define KILL_ALL                                                                                   \
    "kill_all() { for f in /proc/[0-9]*; do "                                                      \
    "if [ \"$(readlink $f/cwd) $(readlink $f/exe)\" = \"$PWD $SPOR_PROGRAM\" ] && "                \
    "tr '\\0' ' ' <$f/cmdline | grep -qe \" $2 \"; then kill -$1 ${f#/proc/}; fi; "                \
    "done 2>/dev/null; true; }; "

/* A sweep in the background, of which something is killed after what is waited for. */
static void disturb(const char *options, const char *wait, const char *kill) {
    expect_status(run(KILL_ALL "\"$SPOR_PROGRAM\" sweep %s >log 2>&1 & p=$!; %s; %s; "
                               "wait $p; echo $?",
                      options, wait, kill),
                  0);
}

#define LONGER SPACE " --epochs 30 --checkpoint 0 --jobs 2"

static void check_disturbed(const char *kill, uint64_t stream) {
    enum { MOMENTS = SANITIZED ? 2 : 6 };
    for (int k = 0; k < MOMENTS; k++) {
        char nap[24];
        snprintf(nap, sizeof nap, "sleep %.3f", 0.4 * random_uniform(3, (uint64_t)k, stream));
        disturb(LONGER " --out s", nap, kill);
    }
    sweep(0, LONGER " --out s");
    expect_same("s");
    expect_status(run("ls -A s/* | grep -c spor-"), 1);
    expect_status(run("rm -r s"), 0);
}

/* The sweep, or its trainings, or both: a second start ends in the same table. */
START_TEST(kills_and_stops_change_nothing) {
    static const char *const kills[] = {"kill -9 $p", "kill -TERM $p", "kill_all 9 train",
                                        "kill_all 9 --checkpoint"};
    sweep(0, LONGER " --out whole");
    for (int k = 0; k < 4; k++) check_disturbed(kills[k], (uint64_t)k);
}
END_TEST

/* Asked of the sweep, or, as by a cluster, of all processes: trainings end in order, with all their files. */
START_TEST(a_stop_is_told_and_goes_on) {
    static const char *const kills[] = {"kill -TERM $p", "kill_all TERM --limit"};
    for (int k = 0; k < 2; k++) {
        disturb("net.spor --epochs 3,1000000 --limit 40 --jobs 2 --out s",
                "until grep -q ^1/2 log && [ -e s/*1000000*/checkpoint.safetensors ]; "
                "do sleep 0.05; done; sleep 0.2",
                kills[k]);
        ck_assert_str_eq(out, "1\n");
        read_file("log", text);
        expect_in(text, "stopped: 1 of 2 trials are finished; the same command goes on\n");
        ck_assert_ptr_null(strstr(text, "killed"));
        expect_status(
            run("grep '\"finished\": false' s/epochs=1000000,limit=40,seed=0/summary.json"), 0);
        /* what is not whole has no number in the table */
        expect_status(run("spor sweep net.spor --epochs 3,1000000 --limit 40 --out s --collect"),
                      0);
        expect_in(out, "1 of 2 trials are missing, or begun and not finished\n");
        expect_in(out, "  1000000  1 not there\n");
        expect_status(run("grep -c ,begun, s/trials.csv && rm -r s"), 0);
        ck_assert_str_eq(out, "1\n");
    }
}
END_TEST

START_TEST(two_sweeps_share_the_work) {
    sweep(0, LONGER " --out whole");
    for (int k = 0; k < (SANITIZED ? 1 : 4); k++) {
        expect_status(run("for k in 1 2 3; do \"$SPOR_PROGRAM\" sweep " LONGER
                          " --out s >log$k 2>&1 & done; wait; cat log1 log2 log3 >all; "
                          "grep ' seed=' all | grep -v elsewhere | cut -d' ' -f3- | sort >own; "
                          "uniq -d own; grep -c . own"),
                      0);
        ck_assert_str_eq(out, "8\n"); /* each trained by one of them */
        expect_same("s");
        for (int i = 1; i < 4; i++) {
            char name[8];
            snprintf(name, sizeof name, "log%d", i);
            read_file(name, text);
            expect_in(text, "chosen by the validation rows: "); /* each knows the whole table */
        }
        expect_status(run("rm -r s"), 0);
    }
}
END_TEST

/* One that is being trained by somebody else is waited for. */
START_TEST(a_training_elsewhere_is_waited_for) {
    expect_status(run("spor sweep " LONGER " --out s --list | head -n 1 | sed 's/--epochs 30/"
                      "--epochs 30/' >one; sh one >log 2>&1 & spor sweep " LONGER " --out s; "
                      "s=$?; wait; cat log; exit $s"),
                  0);
    sweep(0, LONGER " --out whole");
    expect_same("s");
}
END_TEST

/* ---- failures ----------------------------------------------------------------------------------- */

START_TEST(what_fails_stops_nothing_else) {
    sweep(0, "net.spor --rate 0.1,1e30,0.2 --set act=tanh,relu --seed 0..1 --limit 40 --out s");
    expect_in(out, "4/12 ");
    expect_in(out, "12/12 ");
    expect_in(out, "chosen by the validation rows: act=");
    expect_in(out, "2 failed\n");
    expect_in(out, "failed: act=relu,limit=40,rate=1e30,seed=1: ");
    expect_in(out, "epoch 1, step 2 (a lower rate may help)");
    expect_status(run("grep -c ,failed, s/trials.csv"), 0);
    ck_assert_int_eq(atoi(out), 2);
    expect_status(run("cp s/table.csv t; cp s/trials.csv r; spor sweep net.spor --rate "
                      "0.1,1e30,0.2 --set act=tanh,relu --seed 0..1 --limit 40 --out s && cmp t "
                      "s/table.csv && cmp r s/trials.csv"),
                  0);
    expect_in(out, "10 of 12 trials are finished already");
    /* nothing but failures: there is no choice */
    sweep(1, "net.spor --set act=relu --rate 1e30,1e31 --limit 40 --out none");
    expect_in(out, "Nothing is chosen: no setting has all its seeds.");
    sweep(1, "net.spor --set act=relu --rate 1e30,1e31 --limit 40 --out none --quiet");
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(a_killed_training_is_a_failure) {
    disturb(SPACE " --out s --epochs 3,1000000 --jobs 2",
            "until ls s/*1000000*/checkpoint.safetensors >/dev/null 2>&1; do sleep 0.05; done; "
            "sleep 0.5",
            "for k in 1 2 3 4 5 6 7 8; do kill_all 9 1000000; sleep 0.1; done; "
            "while kill -0 $p 2>/dev/null; do kill_all 9 1000000; sleep 0.1; done");
    ck_assert_str_eq(out, "0\n");
    read_file("log", text);
    expect_in(text, "failed: killed by signal 9: Killed, as where memory runs out\n");
    expect_in(text, "chosen by the validation rows: units=6 rate=0.3 epochs=3, accuracy ");
    expect_status(run("spor sweep " SPACE " --out s --epochs 3,1000000 --collect"), 0);
    ck_assert_int_eq(count_of(out, "\nfailed: "), 8);
    expect_in(out, ": killed by signal 9: Killed");
}
END_TEST

START_TEST(memory_that_runs_out_is_a_failure) {
    if (SANITIZED) return; /* which reserves all addresses */
    expect_status(
        run("(ulimit -v 60000; spor sweep net.spor --set units=3,5000000 --limit 40 --out "
            "s --jobs 1)"),
        0);
    expect_in(out, "chosen by the validation rows: units=3");
    expect_in(out, "failed: limit=40,units=5000000,seed=0: ");
    expect_in(out, "memory");
}
END_TEST

START_TEST(a_full_disk_is_told_and_mended) {
    sweep_whole();
    expect_status(run("(ulimit -f 1; spor sweep " SPACE " --out s 2>&1)"), 2);
    expect_in(out, "failed: ");
    expect_in(out, "cannot be written: File too large");
    sweep(0, SPACE " --out s");
    expect_same("s");
    expect_status(run("(ulimit -f 0; spor sweep " SPACE " --out t 2>&1)"), 2);
    sweep(0, SPACE " --out t");
    expect_same("t");
}
END_TEST

/* ---- what has changed since --------------------------------------------------------------------- */

START_TEST(what_has_changed_since_is_refused) {
    sweep(0, SPACE " --out s");
    expect_status(run("cp -r s kept; sed -i 's/act(reshape/1 * act(reshape/' net.spor"), 0);
    for (int k = 0; k < 2; k++) {
        expect_status(run("spor sweep " SPACE " --out s %s", k ? "--collect" : ""), 2);
        expect_in(err,
                  "s/limit=40,rate=0.01,units=3,seed=0: net.spor:4: has changed since this run "
                  "began.\n--force trains such trials anew, --out makes another sweep.");
        expect_status(run("diff -r s kept"), 0);
    }
    /* what can't be trained anew is not what it was, either */
    expect_status(run("cp -r s again; (ulimit -f 1; spor sweep " SPACE " --out again --force)"), 2);
    ck_assert_int_eq(count_of(out, "validation accuracy 0."), 0);
    expect_status(run("spor sweep " SPACE " --out again --collect"), 2);
    expect_status(run("spor sweep " SPACE " --out s --force"), 0);
    ck_assert_int_eq(count_of(out, "validation accuracy 0."), TRIALS);
    sweep(0, SPACE " --out s");
    expect_in(out, "8 of 8 trials are finished already");
    /* other data */
    expect_status(run("gunzip -c $SPOR_DATA/digits.csv.gz | sed '5s/^0/1/' | gzip > digits.csv.gz; "
                      "SPOR_DATA=. spor sweep " SPACE " --out s"),
                  2);
    expect_in(err, "the data have changed since this run began\n  then  digits: 1797 rows");
    /* another command, that would make trials of the same name */
    sweep(2, SPACE " --out s --double");
    expect_in(err, "another command began this run: spor train net.spor --set units=3 --rate 0.01");
    sweep(2, SPACE " --out s --split 3");
    expect_in(err, "another command began this run");
    /* a trial that went on by itself says nothing beside the others */
    expect_status(run("spor train --resume s/limit=40,rate=0.3,units=6,seed=1 --epochs 5 --quiet; "
                      "spor sweep " SPACE " --out s"),
                  2);
    expect_in(err, "rate=0.3,units=6,seed=1: this run has gone on to epoch 5 since");
    sweep(0, SPACE " --out s --force");
    expect_in(out, "7 of 8 trials are finished already");
}
END_TEST

/* ---- other engines ------------------------------------------------------------------------------ */

START_TEST(a_list_is_what_the_sweep_does) {
    sweep_whole();
    expect_status(run("spor sweep " SPACE " --out s --list | sh >log && test -z "
                      "\"$(spor sweep " SPACE " --out s --list)\" && spor sweep " SPACE
                      " --out s --collect"),
                  0);
    expect_in(out, "chosen by the validation rows: ");
    expect_same("s");
    /* what was stopped goes on */
    expect_status(run("rm s/*seed=1/summary.json; spor sweep " SPACE " --out s --list >list; "
                      "grep -c -- '--resume s/limit=40,rate=0.*,seed=1 --quiet --threads 1$' list; "
                      "sh list >log"),
                  0);
    ck_assert_int_eq(atoi(out), 4);
    expect_same("s");
}
END_TEST

START_TEST(xargs_and_parallel_run_a_list) {
    sweep_whole();
    expect_status(run("mkdir \"it's here\"; mv net.spor \"it's here\"; spor sweep \"it's here/"
                      "net.spor\" --set units=3,6 --set rate=0.01,0.3 --seed 0..1 --limit 40 "
                      "--out s --list >list; xargs -d '\\n' -n 1 -P 2 sh -c <list >log; mv \"it's "
                      "here/net.spor\" .; spor sweep " SPACE " --out s --collect"),
                  0);
    expect_same("s");
    if (run("command -v parallel")) {
        fprintf(stderr, "skipped: a list run by GNU parallel, which is not here\n");
        return;
    }
    expect_status(run("rm -r s; spor sweep " SPACE " --out s --list | parallel --will-cite -j 2 "
                      ">log && spor sweep " SPACE " --out s --collect"),
                  0);
    expect_same("s");
}
END_TEST

/* As in array jobs: shares are disjoint, and together they are all. */
START_TEST(tasks_are_shares) {
    sweep_whole();
    for (int tasks = 1; tasks <= 9; tasks += 2) {
        expect_status(run("for k in $(seq %d); do spor sweep " SPACE " --out t --list --task "
                          "$k/%d; done | sort >shares; spor sweep " SPACE
                          " --out t --list | sort | cmp shares",
                          tasks, tasks),
                      0);
    }
    expect_status(run("for k in 3 1 2; do spor sweep " SPACE " --out s --task $k/3 || exit; done"),
                  0);
    expect_in(out, "3 of 8 trials, 0 failed; the same command with --collect");
    expect_in(out, "2 of 8 trials, 0 failed;");
    ck_assert_int_eq(count_of(out, "validation accuracy 0."), TRIALS);
    ck_assert_ptr_null(strstr(out, "chosen by"));
    sweep(0, SPACE " --out s --collect");
    expect_same("s");
    sweep(0, SPACE " --out s --task 9/9"); /* nothing is left for it */
    sweep(1, "net.spor --set act=relu --rate 0.1,1e30 --limit 40 --out f --task 2/2");
    expect_in(out, "1 of 2 trials, 1 failed;");
}
END_TEST

START_TEST(warnings_of_the_trials_are_told_once) {
    expect_status(
        run("sed s,1/16,1, net.spor >raw.spor; spor sweep raw.spor --set units=3,6 --seed 0..1 "
            "--limit 40 --epochs 1 --out s"),
        0);
    ck_assert_int_eq(count_of(err, "warning: inputs are not scaled"), 1);
    sweep(0, SPACE " --out t");
    ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(collect_tells_what_is_missing) {
    expect_status(
        run("spor sweep " SPACE " --out s --task 1/2 >log; spor sweep " SPACE " --out s --collect"),
        1);
    expect_in(out, "4 of 8 trials are missing, or begun and not finished");
    expect_in(out, "1 not there\n");
    expect_in(out, "Nothing is chosen");
    expect_status(run("grep -c ,missing, s/trials.csv"), 0);
    ck_assert_int_eq(atoi(out), 4);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("sweep");
    TCase *tests = tcase_create("sweep");
    tcase_add_checked_fixture(tests, enter, leave_folder);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, trials_are_the_product);
    tcase_add_test(tests, names_of_the_script_go_first);
    tcase_add_test(tests, commas_part_values_outside_of_brackets_and_quotes);
    tcase_add_test(tests, names_are_safe_and_differ);
    tcase_add_test(tests, what_is_wrong_is_told_before_anything_is_trained);
    tcase_add_test(tests, without_rows_to_validate_nothing_is_chosen);
    tcase_add_test(tests, the_mean_of_the_validation_rows_chooses);
    tcase_add_test(tests, what_is_judged_by_follows_from_the_script);
    tcase_add_test(tests, test_rows_change_nothing);
    tcase_add_test(tests, all_trials_leave_out_the_same_rows);
    tcase_add_test(tests, quiet_names_the_chosen_one);
    tcase_add_test(tests, what_is_finished_is_not_repeated);
    tcase_add_test(tests, kills_and_stops_change_nothing);
    tcase_add_test(tests, a_stop_is_told_and_goes_on);
    tcase_add_test(tests, two_sweeps_share_the_work);
    tcase_add_test(tests, a_training_elsewhere_is_waited_for);
    tcase_add_test(tests, what_fails_stops_nothing_else);
    tcase_add_test(tests, a_killed_training_is_a_failure);
    tcase_add_test(tests, memory_that_runs_out_is_a_failure);
    tcase_add_test(tests, a_full_disk_is_told_and_mended);
    tcase_add_test(tests, what_has_changed_since_is_refused);
    tcase_add_test(tests, a_list_is_what_the_sweep_does);
    tcase_add_test(tests, xargs_and_parallel_run_a_list);
    tcase_add_test(tests, tasks_are_shares);
    tcase_add_test(tests, warnings_of_the_trials_are_told_once);
    tcase_add_test(tests, collect_tells_what_is_missing);
    suite_add_tcase(suite, tests);
    return suite;
}
