/* How samples were standardized comes back from the weights' file to the bit. */
#include "../suite.h"

#include <stdlib.h>
#include <string.h>

#include <spor/spor.h>

#include "data/safetensors.h"
#include "scratch.h"

enum { ROWS = 4, COLUMNS = 3 };

static spor_data *data_of(int columns) {
    char line[64], text[256] = "";
    spor_message message = {""};
    for (int r = 0; r < ROWS; r++) {
        for (int k = 0; k < columns; k++) {
            snprintf(line, sizeof line, "%d.%d,", (r * 7 + k) % 5, (r + 3 * k) % 10);
            strcat(text, line);
        }
        strcat(text, r % 2 ? "1\n" : "0\n");
    }
    const char *path = scratch_file("data.csv", text, strlen(text));
    spor_data *data = spor_data_csv(path, SPOR_SHAPE(columns), 2, 1, &message);
    ck_assert_msg(data != NULL, "%s", message.text);
    return data;
}

static spor_params *params_of(void) {
    spor_params *params = spor_params_new(SPOR_F32, 1);
    spor_tape *tape = spor_tape_new();
    spor_param(tape, "W", SPOR_SHAPE(COLUMNS, 2), SPOR_INIT("normal", 1));
    ck_assert(spor_params_join(params, tape));
    spor_tape_free(tape);
    return params;
}

START_TEST(weights_bring_back_what_was_standardized) {
    spor_message message = {""};
    static const int64_t train[] = {0, 2, 3};
    spor_data *trained = data_of(COLUMNS), *loaded = data_of(COLUMNS);
    spor_params *params = params_of();
    const char *path = scratch_path("weights.safetensors");
    double x[ROWS * COLUMNS], again[ROWS * COLUMNS];
    ck_assert_msg(spor_data_standardize(trained, train, 3, &message), "%s", message.text);
    ck_assert_msg(spor_weights_save_for(params, trained, path, &message), "%s", message.text);
    ck_assert_msg(spor_weights_load(params, path, &message), "%s", message.text);
    for (int k = 0; k < 2; k++) { /* it takes the place of another one, too */
        ck_assert_msg(spor_weights_standardize(loaded, path, &message), "%s", message.text);
        ck_assert(spor_data_rows(trained, NULL, ROWS, SPOR_F64, x, NULL));
        ck_assert(spor_data_rows(loaded, NULL, ROWS, SPOR_F64, again, NULL));
        ck_assert_mem_eq(x, again, sizeof x);
        ck_assert(spor_data_standardize(loaded, NULL, ROWS, &message));
    }
    spor_data_free(trained);
    spor_data_free(loaded);
    spor_params_free(params);
}
END_TEST

START_TEST(weights_that_say_nothing_change_nothing) {
    spor_message message = {""};
    spor_data *data = data_of(COLUMNS);
    spor_params *params = params_of();
    const char *path = scratch_path("weights.safetensors");
    ck_assert(spor_weights_save_for(params, data, path, &message));
    ck_assert_msg(spor_weights_standardize(data, path, &message), "%s", message.text);
    ck_assert_ptr_null(data->x.mean);
    ck_assert(spor_data_standardize(data, NULL, ROWS, &message));
    double mean = data->x.mean[1];
    ck_assert(spor_weights_standardize(data, path, &message));
    ck_assert_double_eq(data->x.mean[1], mean);
    spor_data_free(data);
    spor_params_free(params);
}
END_TEST

static void check_refused(const safetensors_note note[], int notes, const char *why) {
    spor_message message = {""};
    spor_data *data = data_of(COLUMNS);
    spor_params *params = params_of();
    const char *path = scratch_path("weights.safetensors");
    ck_assert(safetensors_save_weights(params, note, notes, path, &message));
    ck_assert_msg(!spor_weights_standardize(data, path, &message), "%s is read", note->text);
    ck_assert_msg(strstr(message.text, why) != NULL, "%s", message.text);
    ck_assert(!data->x.mean && !data->x.factor);
    spor_data_free(data);
    spor_params_free(params);
}

START_TEST(notes_of_other_columns_are_refused) {
    static const char *const wrong[] = {"", "1 2", "1 2 3 4", "1 2 3 ", "1 2 x", "1  2 3", "1,2,3"};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        const safetensors_note notes[] = {{"x.mean", wrong[k]}, {"x.factor", "1 2 3"}};
        check_refused(notes, 2, "the note x.mean has not one number for each of the 3 columns");
    }
    const safetensors_note alone[] = {{"x.factor", "1 2 3"}};
    check_refused(alone, 1, "has one of the notes x.mean and x.factor");
    const safetensors_note twice[] = {{"x.mean", "1 2 3"}, {"x.factor", "1 2 3"}, {"x.mean", "1"}};
    check_refused(twice, 3, "x.mean");
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("standardize");
    TCase *tests = tcase_create("standardize");
    tcase_add_checked_fixture(tests, scratch_begin, scratch_end);
    tcase_add_test(tests, weights_bring_back_what_was_standardized);
    tcase_add_test(tests, weights_that_say_nothing_change_nothing);
    tcase_add_test(tests, notes_of_other_columns_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
