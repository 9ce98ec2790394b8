/* The map of a search: the best is marked, colours and heights are the numbers, what is missing is told. */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure/map.h"

enum { VALUES = 20, SETTINGS = VALUES * VALUES };

static const char *const words[VALUES] = {
    "1",  "0.1", "0.01", "[10, 20]", "\"a < b & c\"",
    "5",  "6",   "7",    "8",        "9",
    "10", "11",  "12",   "13",       "a value of forty letters, forty-one of it",
    "15", "16",  "17",   "18",       "\xff"};

static double mean[SETTINGS], low[SETTINGS], high[SETTINGS];
static int64_t rank[SETTINGS];
static const char *note[SETTINGS];

/* A search over axes of so many values, whose numbers are to be filled in. */
static map_search search_of(int axes, map_axis axis[]) {
    int64_t n = 1;
    for (int k = 0; k < axes; k++) n *= axis[k].values;
    for (int64_t k = 0; k < n; k++) mean[k] = low[k] = high[k] = 0.5, note[k] = "";
    return (map_search){.quantity = "validation accuracy",
                        .rises = true,
                        .share = true,
                        .about = "mean of 3 seeds",
                        .axes = axes,
                        .axis = axis,
                        .mean = mean,
                        .low = low,
                        .high = high,
                        .rank = rank,
                        .note = note};
}

static bool stands_before(const map_search *s, int64_t a, int64_t b) {
    if (isnan(mean[a]) != isnan(mean[b])) return isnan(mean[b]);
    if (mean[a] < mean[b] || mean[a] > mean[b]) return (mean[a] > mean[b]) == s->rises;
    return a < b;
}

static void rank_all(const map_search *s) {
    int64_t n = 1;
    for (int k = 0; k < s->axes; k++) n *= s->axis[k].values;
    for (int64_t k = 0; k < n; k++) {
        rank[k] = 0;
        for (int64_t i = 0; i < n; i++) rank[k] += i != k && stands_before(s, i, k);
    }
}

static char *draw_ranked(const map_search *s);

static char *draw(const map_search *s) {
    rank_all(s);
    return draw_ranked(s);
}

/* Every "<name" is closed, and no number is none. */
static char *draw_ranked(const map_search *s) {
    spor_text svg = {0};
    int depth = 0;
    ck_assert(map_draw(&svg, "a search", s) && !svg.failed);
    for (const char *c = svg.at; *c; c++) {
        if (*c == '<') depth += c[1] == '/' ? -1 : 1;
        if (*c == '/' && c[1] == '>') depth--;
        ck_assert_int_ge(depth, 0);
    }
    ck_assert_int_eq(depth, 0);
    ck_assert_ptr_null(strstr(svg.at, "nan"));
    ck_assert_ptr_null(strstr(svg.at, "inf"));
    ck_assert_ptr_nonnull(strstr(svg.at, "</svg>"));
    return svg.at;
}

static int count_of(const char *text, const char *part) {
    int count = 0;
    for (; (text = strstr(text, part)); text += strlen(part)) count++;
    return count;
}

static void expect_in(const char *svg, const char *part) {
    ck_assert_msg(strstr(svg, part) != NULL, "no %s in:\n%s", part, svg);
}

/* Where the frame of the best begins, and the cell that is filled with the deepest colour. */
static void check_best(const char *svg) {
    int x, y, bx, by;
    const char *frame = strstr(svg, "stroke=\"#c24e00\""), *cell = strstr(svg, "fill=\"#084081\"");
    ck_assert(frame && cell);
    while (strncmp(frame, "<rect", 5) != 0) frame--;
    while (strncmp(cell, "<rect", 5) != 0) cell--;
    ck_assert_int_eq(sscanf(frame, "<rect x=\"%d\" y=\"%d\"", &x, &y), 2);
    ck_assert_int_eq(sscanf(cell, "<rect x=\"%d\" y=\"%d\"", &bx, &by), 2);
    ck_assert(x == bx && y == by);
}

START_TEST(the_best_cell_is_marked) {
    map_axis axis[] = {{"rate", 3, words}, {"hidden", 4, words + 5}};
    for (int falls = 0; falls < 2; falls++)
        for (int best = 0; best < 12; best++) {
            map_search s = search_of(2, axis);
            s.rises = !falls;
            for (int k = 0; k < 12; k++) mean[k] = falls ? 0.9 : 0.25;
            mean[best] = 0.625;
            mean[(best + 5) % 12] = (double)NAN;
            note[(best + 5) % 12] = "2 failed";
            char *svg = draw(&s);
            check_best(svg);
            ck_assert_int_eq(count_of(svg, ">0.6250</text>"), 2); /* in its cell and at the scale */
            ck_assert_int_eq(count_of(svg, falls ? ">0.9000</text>" : ">0.2500</text>"), 11);
            ck_assert_int_eq(count_of(svg, ">2 failed</text>"), 1);
            expect_in(svg, ">rate</text>");
            expect_in(svg, ">hidden</text>");
            expect_in(svg, ">validation accuracy, mean of 3 seeds</text>");
            free(svg);
        }
}
END_TEST

/* Of equal means, which is best is for who ranks them to say. */
START_TEST(the_best_of_equals_is_marked_as_ranked) {
    map_axis axis[] = {{"rate", 3, words}, {"hidden", 4, words + 5}};
    for (int best = 0; best < 12; best++) {
        map_search s = search_of(2, axis);
        for (int k = 0; k < 12; k++) rank[k] = (k + 12 - best) % 12;
        char *svg = draw_ranked(&s);
        const char *frame = strstr(svg, "stroke=\"#c24e00\""), *first = strstr(svg, "<rect x=");
        int x, y, left, top, width, height;
        ck_assert(frame && first);
        while (strncmp(frame, "<rect", 5) != 0) frame--;
        ck_assert_int_eq(sscanf(frame, "<rect x=\"%d\" y=\"%d\"", &x, &y), 2);
        ck_assert_int_eq(sscanf(first, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"", &left,
                                &top, &width, &height),
                         4);
        ck_assert_int_eq((y - top) / height * 4 + (x - left) / width, best);
        free(svg);
    }
}
END_TEST

/* Two of four names matter; the cells are the best over the others, and that is said. */
START_TEST(more_names_are_the_best_over_the_others) {
    map_axis axis[] = {{"a", 2, words}, {"b", 3, words}, {"c", 2, words}, {"d", 3, words}};
    map_search s = search_of(4, axis);
    for (int k = 0; k < 36; k++) {
        int a = k / 18, b = k / 6 % 3, c = k / 3 % 2, d = k % 3;
        mean[k] = 0.2 + 0.01 * a + 0.1 * b + 0.005 * c + 0.2 * d;
    }
    char *svg = draw(&s);
    expect_in(svg, ">Each cell is the best over a (2 values), c (2 values)</text>");
    expect_in(svg, ">b</text>");
    expect_in(svg, ">d</text>");
    ck_assert_ptr_null(strstr(svg, ">a</text>"));
    expect_in(svg, ">0.2150</text>"); /* b = d = 0, the best a and c */
    expect_in(svg, ">0.8150</text>");
    check_best(svg);
    free(svg);
}
END_TEST

/* Circles at the means, lines from the lowest to the highest. */
START_TEST(one_name_is_points_with_ranges) {
    map_axis axis = {"rate", 3, words};
    map_search s = search_of(1, &axis);
    const double at[] = {0.5, 0.75, 0.625};
    int x, y[3], from[3], to[3];
    for (int k = 0; k < 3; k++) mean[k] = at[k], low[k] = at[k] - 0.125, high[k] = at[k] + 0.125;
    char *svg = draw(&s), *circle = svg;
    for (int k = 0; k < 3; k++) {
        circle = strstr(circle + 1, "<circle");
        ck_assert(circle && sscanf(circle, "<circle cx=\"%d\" cy=\"%d\"", &x, &y[k]) == 2);
        char key[40], *line;
        snprintf(key, sizeof key, "<path d=\"M%d ", x);
        for (line = strstr(svg, key); line && !strstr(line, "stroke-width=\"24\""); line++)
            continue;
        ck_assert(line && sscanf(line + strlen(key), "%dV%d", &from[k], &to[k]) == 2);
    }
    ck_assert_int_le(abs(2 * y[2] - y[0] - y[1]), 2);         /* of rounding to tenths of a pixel */
    ck_assert_int_le(abs(from[0] - y[0] - (y[0] - y[2])), 2); /* an eighth, both */
    ck_assert_int_le(abs(y[0] - to[0] - (y[0] - y[2])), 2);
    ck_assert_int_gt(y[0] - y[2], 300);
    expect_in(svg, ">best: 0.7500</text>");
    ck_assert_int_eq(count_of(svg, "fill=\"#c24e00\""), 2); /* the point and its number */
    free(svg);
}
END_TEST

/* Any number of values a side, with numbers of all sizes, all alike, or none. */
START_TEST(any_search_is_drawn) {
    for (int rows = 1; rows <= VALUES; rows += rows < 3 ? 1 : 17)
        for (int columns = 0; columns <= VALUES; columns += columns < 3 ? 1 : 17)
            for (int kind = 0; kind < 5; kind++) {
                map_axis axis[] = {
                    {"a name that is as long as names of scripts may be", rows, words},
                    {"b", columns, words}};
                map_search s = search_of(columns ? 2 : 1, axis);
                s.rises = kind % 2;
                s.share = kind == 1;
                for (int k = 0; k < rows * (columns ? columns : 1); k++) {
                    const double values[] = {pow(10, k % 40 - 20), 1.0 / (1 + k), 0.5, -1e9 * k,
                                             (double)NAN};
                    mean[k] = k % 7 == 3 ? (double)NAN : values[kind];
                    low[k] = mean[k], high[k] = 2 * fabs(mean[k]);
                    note[k] = k % 2 ? "1 failed, 2 not there" : NULL;
                }
                free(draw(&s));
            }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("map");
    TCase *tests = tcase_create("map");
    tcase_add_test(tests, the_best_cell_is_marked);
    tcase_add_test(tests, the_best_of_equals_is_marked_as_ranked);
    tcase_add_test(tests, more_names_are_the_best_over_the_others);
    tcase_add_test(tests, one_name_is_points_with_ranges);
    tcase_add_test(tests, any_search_is_drawn);
    suite_add_tcase(suite, tests);
    return suite;
}
