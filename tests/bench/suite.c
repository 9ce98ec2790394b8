/* The file of figures: its lines, adding to it, comparing; where figures come from. No times. */
#include "suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "data/scratch.h"

static const bench_figure example = {
    {"2026-11-25 14:03", "Some Processor 3000", "gcc 12.2.0 release", "715c40e", "avx2", 8},
    "lenet2",
    "train",
    32,
    1,
    7,
    10.5,
    10.125,
    10.25,
    11};

static const char line[] = "2026-11-25 14:03\tSome Processor 3000\t8\tgcc 12.2.0 release\t715c40e\t"
                           "avx2\tlenet2\ttrain\t32\t1\t7\t10.500000\t10.125000\t10.250000\t"
                           "11.000000\n";

static int count_of(const char *text, char what) {
    int count = 0;
    for (; *text; text++) count += *text == what;
    return count;
}

static void expect_in(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text);
}

/* To be freed. */
static char *text_of(const char *path) {
    size_t size;
    return scratch_read(path, &size);
}

/* Adds figures; the file's text, to be freed. */
static char *added(const char *path, const bench_figure figure[], size_t count) {
    spor_message message = {""};
    ck_assert_msg(history_append(path, figure, count, &message), "%s", message.text);
    return text_of(path);
}

/* ---- lines ---- */

START_TEST(a_line_is_read_back) {
    char text[512], again[512];
    bench_figure figure;
    history_line(&example, text, sizeof text);
    ck_assert_str_eq(text, line);
    ck_assert(history_parse(text, &figure));
    history_line(&figure, again, sizeof again);
    ck_assert_str_eq(again, line);
    ck_assert_str_eq(figure.origin.machine, example.origin.machine);
    ck_assert_double_eq(figure.upper, 11);
}
END_TEST

START_TEST(what_is_no_line_is_refused) {
    static const char *const wrong[] = {
        "",
        "\n",
        "2026-11-25 14:03\tSome Processor 3000\t8\n",
        "date\tmachine\tcores\tcompiler\tcommit\tset\tnetwork\tmode\tbatch\t1\t2\t3\t4\t5\t6\n",
        "d\tm\t8\tc\t7\ta\tn\ttrain\t32\t1\t7\t10.5\t10\t10\t11", /* torn */
        "d\tm\t8\tc\t7\ta\tn\ttrain\t32\t1\t7\t10.5\t10\t10\t11\t12\n",
        "d\tm\t8\tc\t7\ta\tn\ttrain\t32\t1\t7\t10.5\t0\t10\t11\n",
    };
    bench_figure figure;
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
        ck_assert_msg(!history_parse(wrong[k], &figure), "%s", wrong[k]);
}
END_TEST

/* ---- adding ---- */

START_TEST(figures_are_added_behind_one_header) {
    const char *path = scratch_path("history.tsv");
    bench_figure two[] = {example, example};
    strcpy(two[1].network, "densenet2_20");
    char *first = added(path, NULL, 0), *second = added(path, two, 2),
         *third = added(path, &example, 1);
    ck_assert_int_eq(count_of(first, '\n'), 1);
    ck_assert_int_eq(count_of(first, '\t'), count_of(line, '\t'));
    ck_assert(!strncmp(first, "date\t", 5));
    ck_assert(!strncmp(second, first, strlen(first)));
    ck_assert_int_eq(count_of(second, '\n'), 3);
    ck_assert(!strncmp(third, second, strlen(second)));
    ck_assert_str_eq(third + strlen(second), line);
    bench_history history;
    spor_message message = {""};
    ck_assert_msg(history_read(path, &history, &message), "%s", message.text);
    ck_assert_uint_eq(history.count, 3);
    ck_assert_str_eq(history.figure[1].network, "densenet2_20");
    history_free(&history);
    free(first);
    free(second);
    free(third);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_told) {
    spor_message message = {""};
    ck_assert(!history_append("/no/such/folder/h.tsv", &example, 1, &message));
    expect_in(message.text, "/no/such/folder/h.tsv: No such file or directory");
    expect_in(message.text, "-f names another file");
    ck_assert(!history_append("/", &example, 1, &message));
}
END_TEST

/* A disk that is full in the middle of a line. */
START_TEST(what_does_not_fit_leaves_the_file_as_it_was) {
    const char *path = scratch_path("history.tsv");
    char *before = added(path, &example, 1);
    struct rlimit limit, small;
    spor_message message = {""};
    ck_assert(!getrlimit(RLIMIT_FSIZE, &limit));
    small = limit;
    small.rlim_cur = strlen(before) + 10;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    /* Check's own notes may be in a file of this process: none is made meanwhile */
    bool set = !setrlimit(RLIMIT_FSIZE, &small), done = history_append(path, &example, 1, &message);
    set = !setrlimit(RLIMIT_FSIZE, &limit) && set;
    signal(SIGXFSZ, handler);
    ck_assert(set && !done);
    expect_in(message.text, path);
    char *after = text_of(path);
    ck_assert_str_eq(after, before);
    free(before);
    free(after);
}
END_TEST

START_TEST(a_file_that_is_no_history_is_told) {
    bench_history history;
    spor_message message = {""};
    ck_assert(history_read(scratch_path("missing"), &history, &message));
    ck_assert_uint_eq(history.count, 0);
    ck_assert(!history_read(scratch_file("letter", "Dear Anna,\n", 11), &history, &message));
    expect_in(message.text, "letter is no history of this version");
    char *text = added(scratch_path("history.tsv"), &example, 1);
    const char *torn = scratch_file("torn", text, strlen(text) - 3);
    ck_assert(!history_read(torn, &history, &message));
    expect_in(message.text, "torn:2: not a line of a history");
    history_free(&history);
    free(text);
}
END_TEST

/* ---- comparing ---- */

static bench_figure figure_of(double median, const char *commit) {
    bench_figure f = example;
    f.median = median;
    f.least = f.lower = median - 0.25;
    f.upper = median + 0.25;
    snprintf(f.origin.commit, sizeof f.origin.commit, "%s", commit);
    return f;
}

START_TEST(a_figure_is_held_against_the_last_two_of_its_kind) {
    char text[256];
    bench_figure old[] = {figure_of(5, "a"),  figure_of(8, "b"),  figure_of(10.25, "c"),
                          figure_of(99, "d"), figure_of(99, "e"), figure_of(99, "f")};
    bench_history history = {old, sizeof old / sizeof *old};
    strcpy(old[3].origin.machine, "Another Processor");
    strcpy(old[4].mode, "infer");
    old[5].batch = 64;
    bench_figure now = figure_of(10, "g");
    history_compare(&history, &now, text, sizeof text);
    ck_assert_str_eq(text, "0.98~ of 2026-11-25 14:03 c, 1.25 of 2026-11-25 14:03 b");
    history_compare(&history, &now, text, 40); /* too short: what fits */
    ck_assert(!strncmp(text, "0.98~ of 2026-11-25 14:03 c", 27));
    strcpy(now.network, "new");
    history_compare(&history, &now, text, sizeof text);
    ck_assert_str_eq(text, "the first of its kind here");
}
END_TEST

/* ---- where figures come from ---- */

static void expect_plain(const char *text) {
    ck_assert_str_ne(text, "");
    ck_assert_msg(!strpbrk(text, "\t\r\n"), "%s", text);
}

START_TEST(every_column_is_filled) {
    bench_origin o;
    int year, month, day, hour, minute, used = 0;
    origin_find(getenv("SPOR_SOURCE"), &o);
    expect_plain(o.machine);
    expect_plain(o.compiler);
    expect_plain(o.commit);
    expect_plain(o.isa);
    ck_assert_int_ge(o.cores, 1);
    ck_assert_int_eq(
        sscanf(o.date, "%4d-%2d-%2d %2d:%2d%n", &year, &month, &day, &hour, &minute, &used), 5);
    ck_assert_int_eq(used, 16);
}
END_TEST

START_TEST(a_folder_without_git_is_of_an_unknown_commit) {
    char commit[64], inside[1024];
    scratch_file("file", "", 0);
    snprintf(inside, sizeof inside, "%.*s", (int)strlen(scratch_path("file")) - 5,
             scratch_path("file"));
    origin_commit(inside, commit, sizeof commit);
    ck_assert_str_eq(commit, "unknown");
    char *path = strdup(getenv("PATH"));
    setenv("PATH", inside, 1); /* no git at all */
    origin_commit(getenv("SPOR_SOURCE"), commit, sizeof commit);
    setenv("PATH", path, 1);
    free(path);
    ck_assert_str_eq(commit, "unknown");
}
END_TEST

/* Runs a line of shell in a repository at $R. */
static void in_repository(const char *folder, const char *shell) {
    char command[2048];
    snprintf(command, sizeof command,
             "R='%s'; git() { command git -C \"$R\" -c user.name=a -c user.email=a@b \"$@\"; }; "
             "{ %s; } >/dev/null 2>&1",
             folder, shell);
    ck_assert_msg(!system(command), "%s", shell);
}

START_TEST(changed_files_mark_the_commit) {
    if (system("git --version >/dev/null 2>&1")) return; /* nothing to ask */
    char commit[64], changed[64], folder[] = "/tmp/spor-bench-XXXXXX";
    ck_assert(mkdtemp(folder) != NULL);
    in_repository(folder, "git init && mkdir -p $R/tests/bench && echo 1 >$R/file &&"
                          "echo 1 >$R/tests/bench/history.tsv && git add . && git commit -m one");
    in_repository(folder, "echo 2 >$R/tests/bench/history.tsv; echo 1 >$R/new");
    origin_commit(folder, commit, sizeof commit);
    ck_assert_str_ne(commit, "unknown");
    ck_assert_msg(!strstr(commit, "dirty"), "%s", commit);
    in_repository(folder, "echo 2 >$R/file");
    origin_commit(folder, changed, sizeof changed);
    ck_assert(!strncmp(changed, commit, strlen(commit)));
    ck_assert_str_eq(changed + strlen(commit), "-dirty");
    snprintf(changed, sizeof changed, "%s/tests", folder); /* in a repository, not its top */
    origin_commit(changed, commit, sizeof commit);
    in_repository(folder, "rm -rf \"$R\"");
    ck_assert_str_eq(commit, "unknown");
}
END_TEST

/* ---- the program ---- */

static int run_bench(const char *arguments) {
    char command[4096];
    snprintf(command, sizeof command, "'%s' -r 2 -s 0 %s >'%s' 2>'%s'", getenv("SPOR_BENCH"),
             arguments, scratch_path("out"), scratch_path("err"));
    return system(command);
}

START_TEST(a_run_adds_a_line_a_use) {
    char arguments[2048], path[1024];
    snprintf(path, sizeof path, "%s", scratch_path("history.tsv"));
    snprintf(arguments, sizeof arguments, "-p '%s' -f '%s' '%s/models/densenet2_20.spor'",
             getenv("SPOR_PROGRAM"), path, getenv("SPOR_SOURCE"));
    ck_assert_int_eq(run_bench(arguments), 0);
    ck_assert_int_eq(run_bench(arguments), 0);
    bench_history history;
    spor_message message = {""};
    ck_assert_msg(history_read(path, &history, &message), "%s", message.text);
    ck_assert_uint_eq(history.count, 6);
    ck_assert_str_eq(history.figure[0].mode, "train");
    ck_assert_int_eq(history.figure[0].batch, 10);
    ck_assert_int_eq(history.figure[5].batch, 256);
    ck_assert_int_eq(history.figure[5].rounds, 2);
    char *out = text_of(scratch_path("out"));
    expect_in(out, history.figure[0].origin.date);
    free(out);
    history_free(&history);
}
END_TEST

START_TEST(a_run_that_fails_adds_nothing) {
    char arguments[2048], path[1024];
    snprintf(path, sizeof path, "%s", scratch_path("history.tsv"));
    snprintf(arguments, sizeof arguments,
             "-p '%s' -f '%s' '%s/models/densenet2_20.spor' /no/such.spor", getenv("SPOR_PROGRAM"),
             path, getenv("SPOR_SOURCE"));
    ck_assert_int_ne(run_bench(arguments), 0);
    char *err = text_of(scratch_path("err")), *text = text_of(path);
    expect_in(err, "nothing was added to");
    ck_assert_int_eq(count_of(text, '\n'), 1);
    free(err);
    free(text);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("bench_history");
    TCase *tests = tcase_create("history");
    tcase_add_checked_fixture(tests, scratch_begin, scratch_end);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, a_line_is_read_back);
    tcase_add_test(tests, what_is_no_line_is_refused);
    tcase_add_test(tests, figures_are_added_behind_one_header);
    tcase_add_test(tests, a_file_that_cannot_be_written_is_told);
    tcase_add_test(tests, what_does_not_fit_leaves_the_file_as_it_was);
    tcase_add_test(tests, a_file_that_is_no_history_is_told);
    tcase_add_test(tests, a_figure_is_held_against_the_last_two_of_its_kind);
    tcase_add_test(tests, every_column_is_filled);
    tcase_add_test(tests, a_folder_without_git_is_of_an_unknown_commit);
    tcase_add_test(tests, changed_files_mark_the_commit);
    tcase_add_test(tests, a_run_adds_a_line_a_use);
    tcase_add_test(tests, a_run_that_fails_adds_nothing);
    return suite;
}
