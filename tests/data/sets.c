/* The table of data sets, row by row, without a line about any of them; then what is read of some. */
#include "../suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/matlab.h"
#include "data/part.h"
#include "data/sets.h"
#include "data/values.h"
#include "scratch.h"

enum { SETS = 16, MOST = 1 << 16 };

static int sets_count(void) {
    int count = 0;
    while (data_sets[count].name) count++;
    return count;
}

/* ---- what a row has ---- */

/* "md5 0123..." */
static void check_sum(const char *sum) {
    bool md5 = !strncmp(sum, "md5 ", 4), sha = !strncmp(sum, "sha256 ", 7);
    const char *digits = strchr(sum, ' ') + 1;
    ck_assert(md5 || sha);
    ck_assert_uint_eq(strlen(digits), md5 ? 32 : 64);
    ck_assert_uint_eq(strspn(digits, "0123456789abcdef"), strlen(digits));
}

START_TEST(a_row_is_whole) {
    const data_set *set = &data_sets[_i];
    ck_assert_ptr_eq(sets_find(set->name), set);
    ck_assert(set->title && set->folder && set->get && set->origin && set->terms && set->read);
    ck_assert(set->classes >= 2 && set->rows > 0 && set->scale > 0 && set->shape.rank >= 1);
    ck_assert(!*set->folder || set->folder[strlen(set->folder) - 1] == '/');
    int files = sets_files(set);
    ck_assert(files >= 1 && files <= DATA_FILES);
    for (int k = 0; k < files; k++) {
        ck_assert_int_gt(set->file[k].size, 0);
        check_sum(set->file[k].sum);
        ck_assert_msg(!k || set->file[k].test >= set->file[k - 1].test, "what tests comes last");
    }
}
END_TEST

START_TEST(names_are_found_whole) {
    ck_assert_ptr_null(sets_find("mnis"));
    ck_assert_ptr_null(sets_find(""));
}
END_TEST

/* ---- what the commands make of it ---- */

static char out[MOST];

/* The first MOST bytes of what a line of shell prints on either stream; its status. */
static int run(const char *line) {
    FILE *pipe = popen(line, "r");
    ck_assert_ptr_nonnull(pipe);
    out[fread(out, 1, MOST - 1, pipe)] = 0;
    int status = pclose(pipe);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect(const char *part) {
    ck_assert_msg(strstr(out, part) != NULL, "no \"%s\" in:\n%.3000s", part, out);
}

/* A script that trains on the set and its path. */
static const char *write_script(const data_set *set) {
    char text[1024];
    int length =
        snprintf(text, sizeof text,
                 "def net(x):\n"
                 "    W = param([size(x) // shape(x)[0], %d], init=\"glorot\", name=\"W\")\n"
                 "    return flatten(x) @ W\n"
                 "train(net, data=%s(), loss=cross_entropy(reduction=\"mean\"),\n"
                 "      optimizer=sgd(rate=0.01), batch=8, epochs=1)\n",
                 set->classes, set->name);
    return scratch_file("net.spor", text, (size_t)length);
}

static bool is_here(const data_set *set) {
    char line[256];
    snprintf(line, sizeof line, "\"$SPOR_PROGRAM\" data %s 2>&1", set->name);
    ck_assert_int_eq(run(line), 0);
    return strstr(out, "The files are in ") != NULL;
}

static void expect_files(const data_set *set) {
    for (int k = 0; k < sets_files(set); k++) {
        char size[32];
        snprintf(size, sizeof size, "%lld bytes", (long long)set->file[k].size);
        expect(set->file[k].name);
        expect(size);
        expect(set->file[k].sum);
    }
}

START_TEST(spor_data_tells_of_it) {
    const data_set *set = &data_sets[_i];
    is_here(set);
    expect(set->title);
    expect(set->origin);
    expect(set->terms);
    expect_files(set);
    ck_assert_int_eq(run("\"$SPOR_PROGRAM\" data 2>&1"), 0);
    expect(set->name);
}
END_TEST

/* What is not here is told of by a program that looks nowhere; what is here is read. */
START_TEST(commands_know_it) {
    const data_set *set = &data_sets[_i];
    char line[2048], name[128];
    bool here = is_here(set);
    const char *script = write_script(set), *place = scratch_path("");
    snprintf(name, sizeof name, "net on %s: ", set->name);
    snprintf(line, sizeof line, "\"$SPOR_PROGRAM\" show '%s' 2>&1", script);
    ck_assert_int_eq(run(line), 0);
    expect(name);
    snprintf(line, sizeof line,
             "\"$SPOR_PROGRAM\" train '%s' --limit 16 --out '%s/out' 2>&1; e=$?; rm -rf '%s/out'; "
             "exit $e",
             script, place, place);
    ck_assert_int_eq(run(line), here ? 0 : 2);
    if (!here) {
        expect_files(set);
        expect(set->get);
        expect("SPOR_DATA");
    }
    snprintf(line, sizeof line, "\"$SPOR_PROGRAM\" verify '%s' 2>&1", script);
    ck_assert_int_eq(run(line), 0);
    snprintf(name, sizeof name, here ? " rows of %s and " : "%s", set->name);
    expect(name);
    if (!here) expect("random rows were");
}
END_TEST

/* ---- what is read ---- */

/* The files of a set in the source tree; false if it has none. */
static bool find_in_source(const data_set *set, char *path[DATA_FILES]) {
    char folder[1024];
    snprintf(folder, sizeof folder, "%s", source_path(set->folder));
    return sets_find_files(set, folder, false, path, NULL) == sets_files(set);
}

/* Of coreutils, so that spor needs none of its own. */
START_TEST(files_of_the_source_tree_have_their_checksums) {
    const data_set *set = &data_sets[_i];
    char *path[DATA_FILES], line[2048];
    if (!find_in_source(set, path)) return;
    for (int k = 0; k < sets_files(set); k++) {
        const char *sum = set->file[k].sum;
        ck_assert_ptr_nonnull(sum);
        snprintf(line, sizeof line, "%.*ssum < '%s'", (int)strcspn(sum, " "), sum, path[k]);
        ck_assert_int_eq(run(line), 0);
        expect(strchr(sum, ' ') + 1);
    }
    ck_assert(sets_are_published(set, path));
    sets_free_files(path);
}
END_TEST

START_TEST(sets_of_the_source_tree_have_their_rows) {
    const data_set *set = &data_sets[_i];
    char *path[DATA_FILES];
    spor_message why = {""};
    if (!find_in_source(set, path)) return;
    spor_data *data = sets_read(set, (const char *const *)path, set->scale, &why);
    ck_assert_msg(data != NULL, "%s", why.text);
    ck_assert_int_eq(data->rows, set->rows);
    ck_assert_str_eq(data->name, set->name);
    ck_assert(data->scale == set->scale && data->classes == set->classes);
    ck_assert((data->test_rows > 0) == set->file[sets_files(set) - 1].test);
    spor_data_free(data);
    sets_free_files(path);
}
END_TEST

/*
 * python3: x = gzip.open(f + "-images-idx3-ubyte.gz").read()[16:], y likewise [8:];
 * sum((k % 784 + 1) * v for k, v in enumerate(x)), [y.count(k) for k in range(10)]
 */
START_TEST(mnist_is_whole) {
    static const double sums[] = {637784654393, 107790167391};
    static const int64_t counts[][10] = {
        {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
        {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}};
    const data_set *set = sets_find("mnist");
    char *path[DATA_FILES];
    ck_assert(find_in_source(set, path));
    spor_data *data = sets_read(set, (const char *const *)path, 1, NULL);
    ck_assert(data && data->test_rows == 10000 && data->x.keep == SPOR_KEEP_U8);
    const unsigned char *x = data->x.value;
    double sum[2] = {0};
    int64_t count[2][10] = {{0}};
    for (int64_t r = 0; r < data->rows; r++) {
        int part = r >= 60000;
        count[part][data->label[r]]++;
        for (int64_t k = 0; k < 784; k++) sum[part] += (double)((k + 1) * x[784 * r + k]);
    }
    ck_assert(sum[0] == sums[0] && sum[1] == sums[1]);
    ck_assert_mem_eq(count, counts, sizeof counts);
    spor_data_free(data);
    sets_free_files(path);
}
END_TEST

/* ---- files of one's own in SVHN's form ---- */

enum { PIXELS = 32 * 32 * 3, TRAIN = 5, TEST = 3 };

/* Pixel i, j, c of image n, told by three hashes that tell all apart. */
static unsigned char pixel(int i, int j, int c, int n) {
    return (unsigned char)(7 * i + 3 * j + 101 * c + 57 * n + i * j);
}

static const char *write_crops(const char *name, int rows, const void *labels, int labels_count) {
    unsigned char *x = malloc((size_t)rows * PIXELS), *to = x;
    ck_assert_ptr_nonnull(x);
    for (int n = 0; n < rows; n++)
        for (int c = 0; c < 3; c++)
            for (int j = 0; j < 32; j++)
                for (int i = 0; i < 32; i++) *to++ = pixel(i, j, c, n);
    matlab_array X = {.name = "X", .kind = MATLAB_UINT8, .type = MATLAB_UINT8_TYPE, .axes = 4};
    matlab_array y = {.name = "y", .kind = MATLAB_UINT8, .type = MATLAB_UINT8_TYPE, .axes = 2};
    X.n[0] = X.n[1] = 32, X.n[2] = 3, X.n[3] = rows;
    X.numbers = x, X.size = (size_t)rows * PIXELS, X.packed = true;
    y.n[0] = labels_count, y.n[1] = 1;
    y.numbers = labels, y.size = (size_t)labels_count, y.packed = true;
    matlab_file file;
    matlab_begin(&file);
    matlab_add(&file, &X);
    matlab_add(&file, &y);
    const char *path = scratch_file(name, file.bytes, file.size);
    free(file.bytes);
    free(x);
    return path;
}

static const unsigned char many_labels[40] = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
};
static const unsigned char labels[] = {10, 1, 9, 2, 10}, test_labels[] = {3, 10, 4};

START_TEST(crops_are_read_in_row_major_order) {
    const data_set *set = sets_find("svhn");
    char *path[DATA_FILES];
    spor_message why = {""};
    write_crops("my_train.mat", TRAIN, labels, TRAIN);
    write_crops("my_test.mat", TEST, test_labels, TEST);
    ck_assert_int_eq(sets_find_files(set, scratch_path(""), false, path, &why), 0);
    ck_assert_int_eq(sets_find_files(set, scratch_path(""), true, path, &why), 2);
    ck_assert(!sets_are_published(set, path));
    spor_data *data = sets_read(set, (const char *const *)path, set->scale, &why);
    ck_assert_msg(data != NULL, "%s", why.text);
    ck_assert(data->rows == TRAIN + TEST && data->test_rows == TEST);
    ck_assert_int_eq(data->x.keep, SPOR_KEEP_U8);
    const unsigned char *x = data->x.value;
    for (int n = 0; n < TRAIN + TEST; n++) {
        int label = n < TRAIN ? labels[n] : test_labels[n - TRAIN];
        ck_assert_int_eq(data->label[n], label % 10);
        for (int k = 0; k < PIXELS; k++)
            ck_assert_int_eq(x[n * PIXELS + k],
                             pixel(k / 96, k / 3 % 32, k % 3, n < TRAIN ? n : n - TRAIN));
    }
    spor_data_free(data);
    sets_free_files(path);
}
END_TEST

/* They have the name of their folder. */
START_TEST(files_of_ones_own_are_not_called_svhn) {
    const data_set *set = sets_find("svhn");
    char line[1024], name[1024];
    const char *place = scratch_path("");
    write_crops("my_train.mat", 40, many_labels, 40);
    write_crops("my_test.mat", TEST, test_labels, TEST);
    snprintf(line, sizeof line,
             "\"$SPOR_PROGRAM\" train '%s' --data 'svhn:%s' --out '%s/out' 2>&1; e=$?; "
             "grep '\"data\"' '%s/out/summary.json'; rm -rf '%s/out'; exit $e",
             write_script(set), place, place, place, place);
    ck_assert_int_eq(run(line), 0);
    const char *last = strrchr(place, '/');
    while (last > place && last[-1] != '/') last--; /* the path ends with a slash */
    int length = (int)strcspn(last, "/");
    snprintf(name, sizeof name,
             "; %.*s (files of the form of svhn): 36 rows to train, 4 to validate, 3 to test",
             length, last);
    expect(name);
    snprintf(name, sizeof name, "\"data\": \"%.*s\"", length, last);
    expect(name);
}
END_TEST

START_TEST(a_network_is_verified_on_files_of_ones_own) {
    const data_set *set = sets_find("svhn");
    char line[1024];
    const char *script = write_script(set), *place = scratch_path("");
    write_crops("my_train.mat", 40, many_labels, 40);
    write_crops("my_test.mat", TEST, test_labels, TEST);
    snprintf(line, sizeof line, "\"$SPOR_PROGRAM\" verify '%s' --data 'svhn:%s' 2>&1", script,
             place);
    ck_assert_int_eq(run(line), 0);
    expect(" rows of spor-test-");
    expect("36 to train, 4 to validate, 3 to test");
    snprintf(line, sizeof line, "\"$SPOR_PROGRAM\" verify '%s' --data svhn:/nowhere 2>&1", script);
    ck_assert_int_eq(run(line), 2);
    expect("/nowhere: has no train_32x32.mat and no file like *train*.mat");
}
END_TEST

static void check_refused(const char *train, const char *test, const char *part) {
    const char *const path[] = {train, test};
    const data_set *set = sets_find("svhn");
    spor_message why = {""};
    ck_assert_ptr_null(sets_read(set, path, 1, &why));
    ck_assert_msg(strstr(why.text, part) != NULL, "\"%s\" lacks \"%s\"", why.text, part);
}

START_TEST(crops_that_do_not_fit_are_refused) {
    static const unsigned char wrong[] = {10, 1, 11};
    const char *train = write_crops("train_32x32.mat", TRAIN, labels, TRAIN);
    const char *test = write_crops("a.mat", TEST, wrong, TEST);
    check_refused(train, test, "a.mat: row 3 has label 11: none of 0..9");
    test = write_crops("b.mat", TEST, labels, TRAIN);
    check_refused(train, test, "b.mat: is not of SVHN's form");
    check_refused(scratch_file("train_32x32.mat", "MATLAB", 6), test,
                  "train_32x32.mat has 6 bytes; as published it has 182040794. Fetch it again.");
    check_refused("/dev/zero", test, "is a device");
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("sets");
    TCase *rows = tcase_create("rows"), *own = tcase_create("own");
    int count = sets_count();
    tcase_add_checked_fixture(rows, scratch_begin, scratch_end);
    tcase_add_loop_test(rows, a_row_is_whole, 0, count);
    tcase_add_loop_test(rows, spor_data_tells_of_it, 0, count);
    tcase_add_loop_test(rows, commands_know_it, 0, count);
    tcase_add_loop_test(rows, files_of_the_source_tree_have_their_checksums, 0, count);
    tcase_add_loop_test(rows, sets_of_the_source_tree_have_their_rows, 0, count);
    tcase_add_test(rows, names_are_found_whole);
    tcase_add_test(rows, mnist_is_whole);
    tcase_add_checked_fixture(own, scratch_begin, scratch_end);
    tcase_add_test(own, crops_are_read_in_row_major_order);
    tcase_add_test(own, files_of_ones_own_are_not_called_svhn);
    tcase_add_test(own, a_network_is_verified_on_files_of_ones_own);
    tcase_add_test(own, crops_that_do_not_fit_are_refused);
    suite_add_tcase(suite, rows);
    suite_add_tcase(suite, own);
    return suite;
}
