/* Real crops of SVHN, from $SPOR_DATA/svhn_sample: skipped where they are not. */
#include "../suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/sets.h"

enum { TRAIN = 50, TEST = 100, SIZE = 32 * 32 * 3 };

static char folder[1024];

/*
 * A reader of its own in python3 (struct and zlib), at(i, j, c, n) being
 * x[i + 32 * (j + 32 * (c + 3 * n))]: the sum over n and row-major places k of (k + 1) (n + 1) at,
 * the first labels, at(3, 20, 2, 7) and at(31, 0, 1, N - 1).
 */
static const struct {
    int64_t first, rows;
    double sum;
    int32_t label[8];
    int inside, corner;
} parts[] = {{0, TRAIN, 718007130841, {8, 8, 0, 9, 4, 3, 5, 0}, 110, 72},
             {TRAIN, TEST, 2922485335868, {5, 2, 1, 0, 6, 1, 9, 1}, 68, 88}};

START_TEST(real_crops_are_read) {
    const data_set *set = sets_find("svhn");
    char *path[DATA_FILES];
    spor_message why = {""};
    ck_assert_msg(sets_find_files(set, folder, true, path, &why) == 2, "%s", why.text);
    spor_data *data = sets_read(set, (const char *const *)path, set->scale, &why);
    ck_assert_msg(data != NULL, "%s", why.text);
    ck_assert(data->rows == TRAIN + TEST && data->test_rows == TEST);
    for (int p = 0; p < 2; p++) {
        const unsigned char *x = (const unsigned char *)data->x.value + parts[p].first * SIZE;
        double sum = 0;
        for (int64_t n = 0; n < parts[p].rows; n++)
            for (int64_t k = 0; k < SIZE; k++) sum += (double)((k + 1) * (n + 1) * x[n * SIZE + k]);
        ck_assert(sum == parts[p].sum);
        ck_assert_mem_eq(data->label + parts[p].first, parts[p].label, sizeof parts[p].label);
        ck_assert_int_eq(x[7 * SIZE + (3 * 32 + 20) * 3 + 2], parts[p].inside);
        ck_assert_int_eq(x[(parts[p].rows - 1) * SIZE + 31 * 32 * 3 + 1], parts[p].corner);
    }
    spor_data_free(data);
    sets_free_files(path);
}
END_TEST

Suite *spor_suite(void) {
    const char *data = getenv("SPOR_DATA");
    snprintf(folder, sizeof folder, "%s/svhn_sample", data ? data : "");
    if (!data || access(folder, F_OK)) {
        printf("svhn: skipped: no svhn_sample in $SPOR_DATA, which is %s\n",
               data ? data : "not set");
        return NULL;
    }
    Suite *suite = suite_create("svhn");
    TCase *tests = tcase_create("svhn");
    tcase_add_test(tests, real_crops_are_read);
    suite_add_tcase(suite, tests);
    return suite;
}
