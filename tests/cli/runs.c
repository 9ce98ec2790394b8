/*
 * Runs of spor train: folders, signals, kills, going on. Each test runs in an empty folder of its own.
 */
#include "../suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../data/scratch.h"
#include "base/random.h"
#include "train/checkpoint.h"

static char *out, *err; /* of the last line of shell */

/* ---- running ---------------------------------------------------------------------------------- */

static char *text_of(const char *path) {
    size_t size;
    return scratch_read(path, &size);
}

/* Runs a line of shell in which spor is the program, $N the net and $M the folder of models. */
static int run(const char *format, ...) {
    char line[2048], command[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    snprintf(command, sizeof command,
             "exec >out 2>err; M='%s/models'; N=net.spor; spor() { '%s' \"$@\"; }; %s",
             getenv("SPOR_SOURCE"), getenv("SPOR_PROGRAM"), line);
    int status = system(command);
    free(out);
    free(err);
    out = text_of("out");
    err = text_of("err");
    ck_assert_msg(WIFEXITED(status), "killed: %s\n%s", line, err);
    return WEXITSTATUS(status);
}

static void expect(int status, int expected) {
    ck_assert_msg(status == expected, "status %d instead of %d; stdout:\n%.1500s\nstderr:\n%.1500s",
                  status, expected, out, err);
}

static void expect_in(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%.3000s", part, text);
}

static bool exists(const char *name) {
    return !access(name, F_OK);
}

/* What steps differ by: states of the optimizer, running averages, masks, the rate. */
static const char net[] =
    "include \"layers.spor\"\n"
    "units = 6\n"
    "def net(x):\n"
    "    x = dropout(tanh(batch_norm(dense(flatten(x), units))), 0.2)\n"
    "    return dense(x, 10)\n"
    "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"mean\"),\n"
    "      optimizer=adam(rate=0.01), schedule=warm_up(3), batch=16, epochs=4)\n";

static void write_text(const char *name, const char *text) {
    FILE *file = fopen(name, "wb");
    ck_assert(file && fputs(text, file) >= 0 && !fclose(file));
}

static void enter(void) {
    char command[2100];
    scratch_begin();
    snprintf(command, sizeof command, "mkdir %s && cp '%s/models/layers.spor' %s",
             scratch_path("work"), getenv("SPOR_SOURCE"), scratch_path("work"));
    ck_assert(!system(command) && !chdir(scratch_path("work")));
    snprintf(command, sizeof command, "%s/data", getenv("SPOR_SOURCE"));
    setenv("SPOR_DATA", command, 1);
    setenv("SPOR_MODELS", "/nowhere", 1);
    write_text("net.spor", net);
}

static void leave(void) {
    char command[1100];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch_path("work"));
    ck_assert(!chdir("/") && !system(command));
    scratch_end();
}

/* ---- the same run ----------------------------------------------------------------------------- */

static void file_in(const char *folder, const char *name, char path[256]) {
    snprintf(path, 256, "%s/%s", folder, name);
}

/* The bytes of a checkpoint but for the times, which end it, its checksum and the command line. */
static char *essence(const char *folder, size_t *size) {
    enum { SUM_AT = 37, SUM = 16 };
    char path[256];
    spor_message message = {""};
    spor_checkpoint c;
    file_in(folder, "checkpoint.safetensors", path);
    char *bytes = scratch_read(path, size);
    ck_assert_msg(checkpoint_open(&c, path, &message), "%s", message.text);
    size_t times = ((size_t)c.history.count + 1) * 2 * sizeof(double);
    checkpoint_free(&c);
    *size -= times;
    memset(bytes + SUM_AT, '0', SUM);
    return bytes;
}

static bool same_history(const char *a, const char *b) {
    return !run("cut -d, -f1-6 %s/history.csv > h1; cut -d, -f1-6 %s/history.csv > h2; cmp h1 h2",
                a, b);
}

/* All but the times. The folders were made by the same words but for what is said in place of XX. */
static void check_same_run(const char *a, const char *b) {
    size_t size[2];
    char *bytes[] = {essence(a, &size[0]), essence(b, &size[1])};
    ck_assert_uint_eq(size[0], size[1]);
    for (size_t k = 0; k < size[0]; k++)
        if (bytes[0][k] != bytes[1][k])
            ck_assert_msg(false, "%s and %s differ at byte %zu: %.60s / %.60s", a, b, k,
                          bytes[0] + k, bytes[1] + k);
    free(bytes[0]);
    free(bytes[1]);
    expect(run("cmp %s/weights.safetensors %s/weights.safetensors", a, b), 0);
    ck_assert(same_history(a, b));
}

/* An uninterrupted run of these options, moved to the folder "whole". */
static void train_whole(const char *options) {
    expect(run("spor train $N --out run --quiet %s && mv run whole", options), 0);
}

static void expect_finished(const char *folder, const char *whole) {
    static const char *const names[] = {"confusion.svg", "history.svg", "summary.json",
                                        "script/net.spor", "script/layers.spor"};
    char path[256];
    for (int k = 0; k < 5; k++) {
        file_in(folder, names[k], path);
        ck_assert_msg(exists(path), "%s is missing", path);
    }
    expect(run("ls -A %s | grep spor-", folder), 1);
    check_same_run(folder, whole);
}

/* ---- processes -------------------------------------------------------------------------------- */

/* Starts spor with these words, split at blanks, in the background. */
static pid_t start(const char *format, ...) {
    char line[1024], *argv[32] = {getenv("SPOR_PROGRAM")};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    int count = 1;
    for (char *word = strtok(line, " "); word && count < 31; word = strtok(NULL, " "))
        argv[count++] = word;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child) return child;
    int sink = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(sink, STDERR_FILENO);
    dup2(open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
    execv(argv[0], argv);
    _exit(127);
}

static void doze(double seconds) {
    struct timespec time = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&time, NULL);
}

static int wait_end(pid_t child) {
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    free(err);
    err = text_of("err");
    return status;
}

static void wait_for_file(const char *path) {
    for (int k = 0; k < 12000 && !exists(path); k++) doze(0.005);
    ck_assert_msg(exists(path), "%s does not come", path);
}

static double seconds_of(const char *options) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    train_whole(options);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

/* ---- folders ----------------------------------------------------------------------------------- */

START_TEST(no_run_overwrites_another_in_silence) {
    expect(run("for k in 1 2 3; do spor train $N --limit 40 --quiet || exit; done"), 0);
    for (int k = 1; k < 4; k++) {
        char path[64] = "runs/net/weights.safetensors";
        if (k > 1) snprintf(path, sizeof path, "runs/net-%d/weights.safetensors", k);
        ck_assert_msg(exists(path), "no %s", path);
    }
    check_same_run("runs/net", "runs/net-3");
    expect(run("spor train $N --limit 40 --out a --quiet; cp -r a kept"), 0);
    expect(run("spor train $N --limit 40 --out a --epochs 1"), 2);
    expect_in(err,
              "a/ holds a run. Go on with it by --resume a, give another folder with --out, or "
              "replace it with --force.");
    ck_assert(!strstr(out, "epoch "));
    expect(run("diff -r a kept"), 0);
    expect(run("spor train $N --limit 40 --out a --epochs 1 --force --quiet"), 0);
    ck_assert(!same_history("a", "kept"));
    expect(
        run("mkdir -p empty && touch empty/notes.txt && "
            "spor train $N --limit 40 --epochs 1 --out empty --quiet && test -e empty/notes.txt"),
        0);
}
END_TEST

START_TEST(a_folder_is_for_one_training_at_a_time) {
    pid_t child = start("train net.spor --epochs 1000000 --limit 20");
    wait_for_file("runs/net/checkpoint.safetensors");
    expect(run("spor train --resume runs/net"), 2);
    expect_in(err, "runs/net: another training is writing here");
    expect(run("spor train --repeat runs/net --epochs 1 --out once --quiet"), 0);
    expect(run("spor train $N --out runs/net --force"), 2);
    expect_in(err, "another training is writing here");
    expect(run("spor train $N --limit 20 --quiet && test -e runs/net-2/weights.safetensors"), 0);
    ck_assert(!kill(child, SIGKILL));
    wait_end(child);
    expect(run("spor train --resume runs/net --test --quiet"), 0); /* the lock died with it */
}
END_TEST

START_TEST(what_killed_writers_left_is_swept) {
    expect(run("spor train $N --limit 40 --epochs 1 --out a --quiet; "
               "touch a/checkpoint.safetensors.spor-aB3xYz a/history.csv.spor-000000 "
               "a/history.csv.backup a/my.spor"),
           0);
    expect(run("spor train --resume a --quiet"), 0);
    expect(run("ls -A a | grep spor-"), 1);
    ck_assert(exists("a/history.csv.backup") && exists("a/my.spor"));
}
END_TEST

/* ---- stopping and going on --------------------------------------------------------------------- */

static const char stopped_options[] = "--epochs 60 --limit 300";

/* Stops a run by a signal again and again at moments drawn, until it is through. */
static void check_signal(int number) {
    for (int k = 0;; k++) {
        pid_t child = k ? start("train --resume run")
                        : start("train net.spor --out run --quiet %s", stopped_options);
        doze(0.02 + 0.1 * random_uniform(7, (uint64_t)k, (uint64_t)number));
        if (!exists("run/checkpoint.safetensors")) wait_for_file("run/checkpoint.safetensors");
        kill(child, number);
        int status = wait_end(child);
        /* before it has taken over the signal, or after it has begun to end */
        if (WIFSIGNALED(status) && WTERMSIG(status) == number) continue;
        ck_assert_msg(WIFEXITED(status), "died: %s", err);
        if (WEXITSTATUS(status) == 0) break;
        ck_assert_msg(WEXITSTATUS(status) == 1, "status %d: %s", WEXITSTATUS(status), err);
        expect_in(err, "stopped in epoch ");
        ck_assert(exists("run/weights.safetensors") && exists("run/history.csv"));
        ck_assert(!exists("run/confusion.svg"));
        ck_assert_int_lt(k, 200);
    }
    expect_finished("run", "whole");
    expect(run("rm -r run"), 0);
}

START_TEST(signals_stop_and_runs_go_on) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    train_whole(stopped_options);
    for (int k = 0; k < 3; k++) check_signal(signals[k]);
}
END_TEST

/* A training that would go on for long, while it trains. */
static pid_t start_long(void) {
    pid_t child = start("train net.spor --epochs 1000000 --limit 20 --checkpoint 0 --out run");
    wait_for_file("run/checkpoint.safetensors");
    for (int k = 0; k < 12000; k++) {
        spor_checkpoint c;
        bool begun =
            checkpoint_open(&c, "run/checkpoint.safetensors", NULL) && c.progress.epoch > 1;
        checkpoint_free(&c);
        if (begun) return child;
        doze(0.005);
    }
    ck_abort_msg("it does not train");
}

START_TEST(a_stop_tells_how_to_go_on_and_to_test) {
    pid_t child = start_long();
    ck_assert(!kill(child, SIGTERM));
    int status = wait_end(child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    expect_in(err, "the test set was not evaluated");
    expect_in(err,
              "spor train --resume run goes on from there; with --test, it tests what there is");
    expect(run("cp -r run before; spor train --resume run --test"), 0);
    expect_in(out, "goes on after step ");
    expect_in(out, "test accuracy 0.");
    ck_assert(exists("run/confusion.svg"));
    check_same_run("run", "before"); /* testing is no training */
    expect(run("spor train --resume run --epochs 1 --quiet"), 2);
    expect_in(err, "--epochs must be at least that.\n--test tests it as it stands.");
    expect(run("grep '\"test_accuracy\": 0' run/summary.json"), 0);
}
END_TEST

/* Both are there when it wakes up. */
START_TEST(a_second_signal_ends_at_once) {
    pid_t child = start_long();
    ck_assert(!kill(child, SIGSTOP) && !kill(child, SIGINT) && !kill(child, SIGTERM) &&
              !kill(child, SIGCONT));
    int status = wait_end(child);
    ck_assert(WIFSIGNALED(status));
    expect(run("spor train --resume run --test --quiet"), 0);
}
END_TEST

START_TEST(a_signal_to_be_ignored_stays_ignored) {
    signal(SIGHUP, SIG_IGN);
    pid_t child = start_long();
    signal(SIGHUP, SIG_DFL);
    ck_assert(!kill(child, SIGHUP));
    doze(0.1);
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    ck_assert(!kill(child, SIGINT));
    int status = wait_end(child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}
END_TEST

START_TEST(a_reader_that_goes_away_ends_no_training) {
    train_whole("--epochs 30 --limit 100");
    expect(run("(spor train $N --epochs 30 --limit 100 --out run; echo $? > status) | head -n 1; "
               "test $(cat status) = 0"),
           0);
    ck_assert(!*err);
    expect(run("sed -i 's/x/x/' whole/history.csv; test -e run/confusion.svg"), 0);
    ck_assert(same_history("run", "whole"));
    expect(run("cmp run/weights.safetensors whole/weights.safetensors"), 0);
}
END_TEST

/* ---- kill -9 ------------------------------------------------------------------------------------ */

enum { KILLS = SANITIZED ? 25 : 100 }; /* which is slow */

/* Killed at a moment drawn, or already through. */
static void kill_at_random(int k, double seconds) {
    pid_t child = exists("run/checkpoint.safetensors")
                      ? start("train --resume run --checkpoint 0 --quiet")
                      : start("train net.spor --out run --quiet --checkpoint 0 --epochs 30 "
                              "--limit 120");
    doze(seconds * random_uniform(11, (uint64_t)k, 0));
    kill(child, SIGKILL);
    wait_end(child);
}

START_TEST(a_run_survives_being_killed) {
    spor_message message = {""};
    int resumed = 0;
    double seconds = seconds_of("--checkpoint 0 --epochs 30 --limit 120");
    for (int k = 0; k < KILLS; k++) {
        spor_checkpoint c = {0};
        kill_at_random(k, seconds);
        if (!exists("run/checkpoint.safetensors")) continue;
        bool whole = checkpoint_open(&c, "run/checkpoint.safetensors", &message);
        ck_assert_msg(whole, "%s", message.text);
        bool done = c.progress.epoch == 30 && c.progress.step == c.progress.steps;
        resumed += c.progress.epoch > 0 && !done;
        checkpoint_free(&c);
        if (!done && k < KILLS - 1) continue;
        expect(run("spor train --resume run --quiet"), 0);
        expect_finished("run", "whole");
        expect(run("rm -r run"), 0);
    }
    ck_assert_int_gt(resumed, KILLS / 10);
}
END_TEST

/* ---- the best epoch ----------------------------------------------------------------------------- */

static int best_epoch(void) {
    const char *text = "weights of epoch ", *at = strstr(out, text);
    ck_assert_msg(at != NULL, "%s", out);
    return atoi(at + strlen(text));
}

/* What is left of an epoch that validated best is what a run to this epoch leaves. */
START_TEST(the_best_epoch_is_the_result) {
    static const char options[] = "--limit 60 --epochs 60 --rate 0.2";
    expect(run("spor train $N %s --patience 4 --out run", options), 0);
    int best = best_epoch();
    expect(run("test $(wc -l < run/history.csv) = %d", best + 1 + 4), 0);
    expect(run("spor train $N --limit 60 --rate 0.2 --epochs %d --out short", best), 0);
    expect(run("cmp run/weights.safetensors short/weights.safetensors && "
               "grep test_loss run/summary.json > a && grep test_loss short/summary.json > b && "
               "cmp a b && grep '\"validation_loss\"' run/summary.json > a && "
               "grep '\"validation_loss\"' short/summary.json > b && cmp a b"),
           0);
    expect(run("cp run/weights.safetensors w; cp run/checkpoint.safetensors c; "
               "spor train --resume run && cmp w run/weights.safetensors && "
               "cmp c run/checkpoint.safetensors"),
           0);
    ck_assert_int_eq(best_epoch(), best);
    expect(
        run("spor train $N %s --best --out all && test $(wc -l < all/history.csv) = 61", options),
        0);
    best_epoch();
    expect(run("sed -i 's/epochs=4/epochs=60, patience=4/' $N; "
               "spor train $N --limit 60 --rate 0.2 --out script --quiet && "
               "cmp run/weights.safetensors script/weights.safetensors"),
           0);
}
END_TEST

/* ---- what a run takes from its folder ----------------------------------------------------------- */

/* Rates that adapt do so to the losses of the history, and data of a folder are found again. */
START_TEST(what_a_run_saw_is_known_when_it_goes_on) {
    expect(run("mkdir copy && gunzip -c $M/../data/digits.csv.gz | sed '5s/^0/1/' | gzip > "
               "copy/digits.csv.gz; sed -i 's/warm_up(3)/plateau(1, factor=0.5)/' $N"),
           0);
    train_whole("--epochs 12 --limit 50 --rate 0.3 --data digits:copy");
    expect(
        run("spor train $N --epochs 5 --limit 50 --rate 0.3 --data digits:copy --out run --quiet; "
            "spor train --resume run --epochs 12 --quiet"),
        0);
    ck_assert(same_history("run", "whole"));
    expect(run("cmp run/weights.safetensors whole/weights.safetensors"), 0);
}
END_TEST

START_TEST(a_run_goes_further_than_it_was_to) {
    train_whole("--epochs 6 --limit 50");
    expect(run("spor train $N --epochs 2 --limit 50 --out run --quiet; "
               "spor train --resume run --quiet; spor train --resume run --epochs 6 --quiet"),
           0);
    ck_assert(same_history("run", "whole"));
    expect(run("cmp run/weights.safetensors whole/weights.safetensors"), 0);
    expect(run("spor train --resume run --epochs 6"), 0);
    expect_in(out, "goes on after step 4 of 4 in epoch 6");
}
END_TEST

/* No step, but a run all the same: what it was given is kept, evaluated and gone on from. */
START_TEST(a_run_without_a_step_keeps_what_it_was_given) {
    expect(run("spor train $N --epochs 2 --limit 50 --out a --quiet && "
               "spor train $N --epochs 0 --limit 50 --out none --weights a > told; "
               "cmp a/weights.safetensors none/weights.safetensors"),
           0);
    expect(run("test $(wc -l < none/history.csv) = 1 && ! test -e none/history.svg && "
               "test -e none/confusion.svg && grep 'Not drawn: no epoch was trained' "
               "none/index.html && grep '\"weights_of_epoch\": 0' none/summary.json && "
               "grep '\"finished\": true' none/summary.json && grep '^validation acc' told"),
           0);
    expect(run("for r in a none; do spor eval $r --rows validation --quiet; "
               "grep -E '(train|validation|test)_(loss|accuracy)\"' $r/summary.json; done | "
               "sort | uniq -u | grep ."),
           1); /* both have the same scores */
    expect(run("spor train --resume none --quiet > again && spor train --resume none --test "
               "--quiet > tested && cmp again tested && spor train --repeat none --out twice "
               "--quiet && cmp a/weights.safetensors twice/weights.safetensors"),
           0);
    expect(run("gunzip -c $M/../data/digits.csv.gz | cut -d, -f1-64 > x.csv; "
               "spor predict none --in x.csv > p && test $(wc -l < p) -gt 1000 "
               "&& spor export none --c net.c --onnx net.onnx"),
           0);
    expect(run("spor train $N --epochs 3 --limit 50 --weights a --out whole --quiet && "
               "spor train --resume none --epochs 3 --quiet && "
               "cmp none/weights.safetensors whole/weights.safetensors"),
           0);
    ck_assert(same_history("none", "whole"));
    expect(run("spor train --resume none --epochs 0"), 2);
    expect_in(err, "the run stands in epoch 3: --epochs must be at least that");
    expect(run("sed -i 's/epochs=4/epochs=0/' $N; spor train $N --limit 50 --weights a --out s "
               "--best --quiet && cmp a/weights.safetensors s/weights.safetensors"),
           0);
}
END_TEST

START_TEST(a_run_is_repeated_from_its_folder_alone) {
    expect(run("spor train $N --epochs 3 --limit 50 --seed 4 --set units=7 --rate 0.02 --double "
               "--quiet --out run; rm $N layers.spor; mkdir -p elsewhere; cd elsewhere; "
               "spor train --repeat ../run --out there --quiet"),
           0);
    check_same_run("run", "elsewhere/there");
    expect(run("grep '\"command\": \"spor train net.spor --epochs 3 --limit 50 --seed 4 --set "
               "units=7' elsewhere/there/summary.json && grep '\"data_read\": \"digits: 1797 rows, "
               "checksum ' elsewhere/there/summary.json"),
           0);
    expect(run("cd elsewhere/there; grep '\"rate\": 0.02' summary.json && "
               "grep '\"seed\": 4' summary.json"),
           0);
    expect(run("cd elsewhere; spor train --repeat there --quiet; test -e runs/net/summary.json"),
           0);
    expect(run("mv run elsewhere; cd elsewhere; spor train --resume run --epochs 4 --quiet; mv run "
               ".."),
           0);
    expect(run("spor train --resume run --quiet --epochs 4"), 0);
    expect(run("spor train run/script/net.spor --limit 40 --epochs 1 --quiet"), 0);
}
END_TEST

/* --weights may name a file that is another one by now. */
START_TEST(a_run_is_repeated_with_the_weights_of_then) {
    expect(run("spor train $N --epochs 1 --limit 50 --out a --quiet; "
               "spor train $N --epochs 1 --limit 50 --weights a --out b --quiet; "
               "spor train --repeat b --out again --quiet"),
           0);
    check_same_run("b", "again");
    expect(run("spor train $N --epochs 2 --limit 50 --out a --force --quiet; "
               "spor train --repeat b --out once_more --quiet"),
           2);
    expect_in(err, "the weights that this run began with have changed");
    expect_in(err, "Put a back, or train anew: spor train ");
    expect(run("test -e once_more"), 1);
    expect(run("spor train --resume b --epochs 2 --quiet"), 0); /* has its own */
}
END_TEST

START_TEST(what_has_changed_since_is_told) {
    expect(run("printf '# \\344\\366\\374 in Latin-1\\n' >> $N; "
               "spor train $N --epochs 1 --limit 50 --out latin --quiet; "
               "spor train --resume latin --epochs 2 --quiet"),
           0);
    expect(run("spor train $N --epochs 2 --limit 50 --out run --quiet; cp -r run kept; "
               "sed -i 's/0.2/0.3/' $N"),
           0);
    for (int k = 0; k < 2; k++) {
        expect(run("spor train --%s run --epochs 3", k ? "repeat" : "resume"), 2);
        expect_in(err, "net.spor:4: has changed since this run began.");
        expect_in(err, "run/script: --force goes on with that.");
    }
    expect(run("diff -r run kept"), 0);
    expect(run("spor train --resume run --epochs 3 --force --quiet"), 0);
    expect(run("cp $M/../data/digits.csv.gz . && gunzip digits.csv.gz && sed -i '5s/^0/1/' "
               "digits.csv && gzip digits.csv && rm -r run && cp -r kept run && "
               "SPOR_DATA=. spor train --resume run --epochs 3 --force"),
           2);
    expect_in(err,
              "the data have changed since this run began\n  then  digits: 1797 rows, checksum ");
    expect_in(err, "train anew: spor train net.spor");
    expect(run("diff -r run kept"), 0);
}
END_TEST

START_TEST(what_a_run_began_with_stays) {
    static const struct {
        const char *words, *why;
    } wrong[] = {
        {"--resume run --batch 3", "leave out --batch"},
        {"--resume=run --set units=3", "leave out --set"},
        {"--resume run --rate=0.1", "leave out --rate"},
        {"--resume run --double", "leave out --double"},
        {"--repeat run --seed 1", "leave out --seed"},
        {"--resume run --out there", "leave out --out"},
        {"net.spor --resume run", "the folder has the script"},
        {"--resume run --repeat run", "only one of them"},
        {"--repeat run --test", "--test goes with --resume"},
        {"net.spor --test", "--test goes with --resume"},
        {"--resume nowhere", "nowhere/ holds no checkpoint.safetensors"},
        {"--resume net.spor", "net.spor/ holds no checkpoint.safetensors"},
        {"--resume", "--resume wants"},
        {"", "SCRIPT is missing, or --resume FOLDER"},
    };
    expect(run("spor train $N --epochs 1 --limit 50 --out run --quiet; cp -r run kept"), 0);
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        expect(run("spor train %s", wrong[k].words), 2);
        expect_in(err, wrong[k].why);
        ck_assert(!*out);
    }
    expect(run("diff -r run kept"), 0);
}
END_TEST

START_TEST(a_damaged_checkpoint_is_told_and_stays) {
    expect(run("spor train $N --epochs 1 --limit 50 --out run --quiet; "
               "printf x | dd of=run/checkpoint.safetensors bs=1 seek=4000 conv=notrunc; "
               "cp -r run kept"),
           0);
    expect(run("spor train --resume run"), 2);
    expect_in(err, "run/checkpoint.safetensors: is damaged");
    expect(run("diff -r run kept"), 0);
    expect(run("cp run/weights.safetensors run/checkpoint.safetensors; spor train --resume run"),
           2);
    expect_in(err, "run/checkpoint.safetensors: is no checkpoint");
}
END_TEST

START_TEST(a_disk_that_fills_up_ends_no_training) {
    expect(run("spor train $N --epochs 1 --limit 50 --out run --quiet; cp -r run kept"), 0);
    expect(run("(ulimit -f 1; spor train $N --out run --force --epochs 2 --quiet)"), 2);
    expect_in(err, "checkpoint.safetensors");
    expect(run("diff -r run kept"), 0); /* the old one is there as long as the new one can't be */
    expect(run("(ulimit -f 1; spor train --resume run --epochs 2 --quiet)"), 2);
    expect(run("diff -r run kept"), 0);
    /* the history grows until the file is too long */
    expect(run("(ulimit -f $(($(stat -c %%s run/checkpoint.safetensors) / 512 + 32)); "
               "spor train $N --limit 20 --out long --epochs 2000 --checkpoint 0 --quiet)"),
           2);
    expect_in(err, "The training goes on; an earlier checkpoint is kept.");
    ck_assert_ptr_null(strstr(strstr(err, "goes on") + 1, "goes on"));
    /* of what lacks a file no summary says that it is finished */
    expect(run("grep '\"finished\": false' long/summary.json"), 0);
    expect(run("spor train --resume long --epochs 2000 --quiet && wc -l < long/history.csv && "
               "grep -q '\"finished\": true' long/summary.json"),
           0);
    expect_in(out, "2001");
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("runs");
    TCase *tests = tcase_create("runs");
    tcase_add_checked_fixture(tests, enter, leave);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, no_run_overwrites_another_in_silence);
    tcase_add_test(tests, a_folder_is_for_one_training_at_a_time);
    tcase_add_test(tests, what_killed_writers_left_is_swept);
    tcase_add_test(tests, signals_stop_and_runs_go_on);
    tcase_add_test(tests, a_stop_tells_how_to_go_on_and_to_test);
    tcase_add_test(tests, a_second_signal_ends_at_once);
    tcase_add_test(tests, a_signal_to_be_ignored_stays_ignored);
    tcase_add_test(tests, a_reader_that_goes_away_ends_no_training);
    tcase_add_test(tests, a_run_survives_being_killed);
    tcase_add_test(tests, the_best_epoch_is_the_result);
    tcase_add_test(tests, what_a_run_saw_is_known_when_it_goes_on);
    tcase_add_test(tests, a_run_goes_further_than_it_was_to);
    tcase_add_test(tests, a_run_without_a_step_keeps_what_it_was_given);
    tcase_add_test(tests, a_run_is_repeated_from_its_folder_alone);
    tcase_add_test(tests, a_run_is_repeated_with_the_weights_of_then);
    tcase_add_test(tests, what_has_changed_since_is_told);
    tcase_add_test(tests, what_a_run_began_with_stays);
    tcase_add_test(tests, a_damaged_checkpoint_is_told_and_stays);
    tcase_add_test(tests, a_disk_that_fills_up_ends_no_training);
    suite_add_tcase(suite, tests);
    return suite;
}
