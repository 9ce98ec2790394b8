/* Names that were meant, and texts as they may be shown. */
#include "suite.h"

#include <string.h>

#include "base/message.h"
#include "base/nearest.h"
#include "base/plain.h"

/* ---- did you mean ...? ---- */

START_TEST(slips_of_the_keyboard_are_seen) {
    static const struct {
        const char *word, *meant;
    } slips[] = {
        {"trian", "train"},
        {"epoch", "epochs"},
        {"colerate2d", "correlate2d"},
        {"tnah", "tanh"},
        {"conv2d", "conv"},
        {"adm", "adam"},
        {"densenet2-20", "densenet2_20"},
        {"bacth", "batch"},
        {"Relu", "relu"},
        {"crossentropy", "cross_entropy"},
        {"lenght", "length"},
    };
    for (size_t k = 0; k < sizeof slips / sizeof *slips; k++) {
        const char *near = nearest_name(slips[k].word, 1, &slips[k].meant);
        ck_assert_msg(near == slips[k].meant, "%s is far from %s", slips[k].word, slips[k].meant);
    }
}
END_TEST

START_TEST(other_words_are_other_words) {
    static const char *const names[] = {"x",     "W",     "db",   "exp",     "sgd",
                                        "adam",  "ops",   "data", "eval",    "neg",
                                        "train", "batch", "rate", "predict", "label"};
    enum { NAMES = sizeof names / sizeof *names };
    static const char *const words[] = {
        "",         "y",
        "dW",       "abs",
        "foo",      "sum",
        "cat",      "net",
        "help",     "run",
        "momentum", "learning_rate",
        "print",    "species",
        "weights",  "convolution",
        "kitten",   "a_name_that_is_long_enough_to_be_near_of_everything_by_a_share_of_its_length"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        const char *near = nearest_name(words[k], NAMES, names);
        ck_assert_msg(!near, "%s is taken for %s", words[k], near);
    }
}
END_TEST

START_TEST(the_nearest_is_meant) {
    static const char *const names[] = {"label", "labels", "table", "lapel"};
    ck_assert_str_eq(nearest_name("lables", 4, names), "labels");
    ck_assert_str_eq(nearest_name("lable", 4, names), "label");
    ck_assert_str_eq(nearest_name("label", 4, names), "label");
    /* as large or small letters may be, rather than by another one */
    static const char *const cases[] = {"gelu", "relu", "selu"};
    ck_assert_str_eq(nearest_name("Relu", 3, cases), "relu");
    ck_assert_str_eq(nearest_name("Delu", 3, cases), "gelu");
}
END_TEST

/* ---- as a terminal may show it ---- */

START_TEST(what_is_obeyed_is_not_shown) {
    static const struct {
        const char *text, *shown;
    } texts[] = {
        {"plain\ttext\n", "plain\ttext\n"},
        {"\033[2J\007\r\010\177", "?[2J????"},
        {"\302\205 \302\233 \302\240", "? ? \302\240"},
        {"\330\234\342\200\216\342\200\217", "???"},
        {"\342\200\250\342\200\251\342\200\252\342\200\256", "????"},
        {"\342\201\246\342\201\251", "??"},
        {"\342\200\215\342\200\260\342\201\245", "\342\200\215\342\200\260\342\201\245"},
        {"na\303\257ve \342\202\254 \360\237\214\262",
         "na\303\257ve \342\202\254 \360\237\214\262"},
        {"\233\377\300\200\355\240\200", "???????"},
        {"\303", "?"},
        {"\342\202", "??"},
    };
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        char text[64];
        spor_message message;
        strcpy(text, texts[k].text);
        plain_text(text);
        ck_assert_str_eq(text, texts[k].shown);
        message_complain(&message, "%s", texts[k].text);
        ck_assert_str_eq(message.text, texts[k].shown);
    }
}
END_TEST

/* In two pieces, cut anywhere, bytes come out as in one. */
START_TEST(a_cut_does_not_matter) {
    static const char whole[] = "\302\233a\342\202\254\360\237\214\262\342\200\256z\303\257";
    for (size_t cut = 0; cut < sizeof whole; cut++) {
        char out[64] = "", second[64];
        size_t held = 0;
        memcpy(out, whole, cut);
        size_t plain = plain_bytes(out, cut, &held);
        memcpy(second, out + plain, held);
        strcpy(second + held, whole + cut);
        plain_text(second);
        memcpy(out + plain, second, strlen(second) + 1);
        ck_assert_str_eq(out, "?a\342\202\254\360\237\214\262?z\303\257");
        ck_assert_uint_le(held, 3);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("words");
    TCase *tests = tcase_create("words");
    tcase_add_test(tests, slips_of_the_keyboard_are_seen);
    tcase_add_test(tests, other_words_are_other_words);
    tcase_add_test(tests, the_nearest_is_meant);
    tcase_add_test(tests, what_is_obeyed_is_not_shown);
    tcase_add_test(tests, a_cut_does_not_matter);
    suite_add_tcase(suite, tests);
    return suite;
}
