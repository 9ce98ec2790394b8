/* Tables as spreadsheets write them: ends of lines, separators, quotes, headers; what is wrong in
 * them is told where it is. */
#include "../suite.h"

#include <stdlib.h>
#include <string.h>

#include "data/table.h"
#include "scratch.h"

static const spor_table_form found = {0};

static bool read_text(spor_table *table, const char *text, const spor_table_form *form,
                      spor_message *message) {
    const char *path = scratch_file("t.csv", text, strlen(text));
    return table_read(table, path, form, message);
}

/* All fields, "a|b/c|d/": as they are read. */
static void check_fields(const spor_table *table, const char *expected) {
    char seen[512] = "";
    spor_message message = {{0}};
    spor_field f;
    spor_table_cursor c = table_begin(table);
    while (table_next(&c, &f)) {
        char *text = table_text(table, &f, &message);
        ck_assert_msg(text != NULL, "%s", message.text);
        ck_assert_uint_lt(strlen(seen) + strlen(text) + 2, sizeof seen);
        strcat(strcat(seen, text), f.last ? "/" : "|");
        free(text);
    }
    ck_assert_str_eq(seen, expected);
}

static void check_read(const char *text, int64_t rows, const char *names, const char *fields) {
    spor_table table;
    spor_message message = {{0}};
    char seen[256] = "";
    ck_assert_msg(read_text(&table, text, &found, &message), "%s in %s", message.text, text);
    ck_assert_int_eq(table.rows, rows);
    for (int64_t k = 0; table.name && k < table.columns; k++)
        strcat(strcat(seen, table.name[k]), "|");
    ck_assert_str_eq(seen, names);
    check_fields(&table, fields);
    table_free(&table);
}

static void check_refused_as(const spor_table_form *form, const char *text, const char *why) {
    spor_table table;
    spor_message message = {{0}};
    ck_assert_msg(!read_text(&table, text, form, &message), "%s is read", text);
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
    ck_assert_ptr_null(table.bytes);
}

static void check_refused(const char *text, const char *why) {
    check_refused_as(&found, text, why);
}

START_TEST(lines_end_in_three_ways) {
    check_read("1,2\n3,4\n", 2, "", "1|2/3|4/");
    check_read("1,2\r\n3,4\r\n", 2, "", "1|2/3|4/");
    check_read("1,2\r3,4\r", 2, "", "1|2/3|4/");
    check_read("1,2\n3,4", 2, "", "1|2/3|4/");
    check_read("1,2\r\n3,4\r\n\r\n\n", 2, "", "1|2/3|4/");
    check_read("1,2\n3,", 2, "", "1|2/3|/");
    check_read("\xef\xbb\xbf"
               "1,2\n3,4\n",
               2, "", "1|2/3|4/");
}
END_TEST

START_TEST(separators_are_found) {
    check_read("1;2\n3;4\n", 2, "", "1|2/3|4/");
    check_read("1\t2\n3\t4\n", 2, "", "1|2/3|4/");
    check_read("1, 2\n 3 ,\t4 \n", 2, "", "1|2/3|4/");
    check_read("1 \t 2\n3\t\n", 2, "", "1|2/3|/");
    check_read("1,5;2,5;0\n2,5;1,5;1\n", 2, "", "1,5|2,5|0/2,5|1,5|1/"); /* decimal commas */
    check_read("a, b;1;2\nc, d;3;4\n", 2, "", "a, b|1|2/c, d|3|4/");
    check_read("x;y,1,2\nu;v,3,4\n", 2, "", "x;y|1|2/u;v|3|4/");
    check_refused("a,b;c,d\ne,f;g,h\n", "t.csv:1:1: \",\" or \";\" may separate the fields");
    const spor_table_form semicolon = {.separator = ';'};
    spor_table table;
    ck_assert(read_text(&table, "a,b;c,d\ne,f;g,h\n", &semicolon, NULL));
    check_fields(&table, "a,b|c,d/e,f|g,h/");
    table_free(&table);
}
END_TEST

START_TEST(a_first_line_says_the_separator) {
    check_read("sep=;\na,b;c,d\ne,f;g,h\n", 2, "", "a,b|c,d/e,f|g,h/");
    check_read("SEP=,\r\na,b;c,d\r\ne,f;g,h\r\n", 2, "", "a|b;c|d/e|f;g|h/");
    check_read("sep=\t\r1\t2\r", 1, "", "1|2/");
    check_read("\xef\xbb\xbfsep=;\nname;n\nu,v;1\n", 1, "name|n|", "u,v|1/");
    check_read("sep=;\n1\n2\n", 2, "", "1/2/");            /* one column */
    check_read("sep=;x,n\n1,2\n", 1, "sep=;x|n|", "1|2/"); /* a name */
    check_read("sepal,n\n1,2\n", 1, "sepal|n|", "1|2/");
    const spor_table_form semicolon = {.separator = ';'}, comma = {.separator = ','};
    spor_table table;
    ck_assert(read_text(&table, "sep=;\n1,5;2\n", &semicolon, NULL));
    check_fields(&table, "1,5|2/");
    table_free(&table);
    check_refused_as(&comma, "sep=;\n1;2\n",
                     "t.csv:1:5: this line says that \";\" separates the fields, but "
                     "separator=\",\" is said of the file");
    check_refused("sep=|\n1|2\n", "t.csv:1:5: sep= says which character separates the fields, and "
                                  "that can be a comma, a semicolon or a tab but is '|'");
    check_refused_as(&semicolon, "sep=|\n1|2\n", "a tab but is '|'");
    check_refused("sep=\n1,2\n", "a tab but is nothing");
    check_refused("sep=", "a tab but is nothing");
    check_refused("sep=\x01\n", "a tab but is byte 1");
    check_refused("sep=;", "the file has no rows");
    check_refused("sep=;\n1;2\n3\n", "t.csv:3:1: the row has fewer fields");
}
END_TEST

START_TEST(quotes_hold_what_they_hold) {
    check_read("\"1\",\"2\"\n3,4\n", 2, "", "1|2/3|4/");
    check_read("1,\"a, \"\"b\"\"\"\n3, \"c\" \n", 2, "", "1|a, \"b\"/3|c/");
    check_read("1,\" a \"\n3,\"\"\n", 2, "", "1| a /3|/");
    check_read("1,\"a\nb\"\n3,\"c\r\nd\re\"\n", 2, "", "1|a b/3|c  d e/");
    check_read("1,a \"b\" c\n2,\"\"\"\"\n", 2, "", "1|a \"b\" c/2|\"/");
    check_refused("1,2\n3,\"4\n5,6\n", "t.csv:2:2: the quote that opens here is never closed");
    check_refused("1,2\n\"3\"4,5\n", "t.csv:2:1: something follows the closing quote");
    check_refused("1,2\n\"a\nb\",3\n\n5,6\n", "t.csv:4:1: the line is empty");
    check_refused("1,2\n\"a\r\nb\",3\r4\r\n", "t.csv:4:1: the row has fewer fields");
}
END_TEST

START_TEST(a_line_of_names_is_recognized) {
    check_read("a,b\n1,2\n", 1, "a|b|", "1|2/");
    check_read("a,b,kind\n1,2,x\n3,4,y\n", 2, "a|b|kind|", "1|2|x/3|4|y/");
    check_read(",\"b \"\"c\"\"\"\n1,2\n", 1, "|b \"c\"|", "1|2/");
    check_read("1,2,x\n3,4,y\n", 2, "", "1|2|x/3|4|y/");
    check_read("NA,2\n3,4\n", 2, "", "NA|2/3|4/");
    check_read("a;b\n1,5;2\n", 1, "a|b|", "1,5|2/");
    check_read("a,b\n", 1, "", "a|b/");
    check_refused("0,1,label\n1,2,0\n", "t.csv:1:1: this line has numbers, and texts");
    check_refused("1O,2,0\n1,2,0\n", "header=True or header=False");
    const spor_table_form with = {.header = 1}, without = {.header = -1};
    spor_table table;
    ck_assert(read_text(&table, "0,1,label\n1,2,0\n", &with, NULL));
    ck_assert(table.rows == 1 && !strcmp(table.name[2], "label"));
    table_free(&table);
    ck_assert(read_text(&table, "a,b\n1,2\n", &without, NULL));
    ck_assert(table.rows == 2 && !table.name);
    table_free(&table);
    check_refused_as(&with, "a,b\n", "has names of columns and no rows");
}
END_TEST

START_TEST(what_is_wrong_is_named_with_its_place) {
    check_refused("", "t.csv:1:1: the file has no rows");
    check_refused("\n\n", "no rows");
    check_refused("1,2,0\n\n1,2,1\n", "t.csv:2:1: the line is empty");
    check_refused("1,2,0\n1,2\n", "t.csv:2:2: the row has fewer fields than the first one, which "
                                  "has 3");
    check_refused("a,b\n1,2,\n",
                  "t.csv:2:3: the row has more fields than the first one, which has 2: it "
                  "ends in a separator, as the first one does not");
    check_refused("# by hand\na,b\n1,2\n",
                  "t.csv:2:2: the row has more fields than the first one, which "
                  "has 1; a line above the table that is no part of it must go");
    check_refused("1,2,0\n1,2,0,0\n", "t.csv:2:4: the row has more fields");
    check_refused("\xff\xfe"
                  "1\0",
                  "UTF-16");
    spor_message message = {{0}};
    spor_table table;
    const char *path = scratch_file("t.csv", "1,2\0,0\n", 7);
    ck_assert(!table_read(&table, path, &found, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "t.csv: the file holds a zero byte"));
}
END_TEST

/* What table_number says of the last field. */
static void check_number_refused(const char *text, const char *why) {
    spor_table table;
    spor_message message = {{0}};
    double value;
    ck_assert_msg(read_text(&table, text, &found, &message), "%s", message.text);
    spor_table_cursor c = table_begin(&table);
    spor_field f;
    while (table_next(&c, &f)) continue;
    ck_assert_msg(!table_number(&table, &f, &value, &message), "%s is a number", text);
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
    ck_assert_ptr_null(strstr(message.text, "delete"));
    ck_assert_ptr_null(strstr(message.text, "remove"));
    table_free(&table);
}

START_TEST(what_is_no_number_is_told_as_what_it_is) {
    check_number_refused("a,b\n0,1\n1,\n", "t.csv:3:2: b has no value here");
    check_number_refused("0,1\n1,NaN\n", "t.csv:2:2: column 1 of 0..1 has no value here, only "
                                         "'NaN'");
    check_number_refused("0;1\n1;2,5\n", "t.csv:2:2: column 1 of 0..1: '2,5' has a decimal comma");
    check_number_refused("0,1\n1,\"2,5\"\n", "decimal=\",\"");
    check_number_refused("0,1\n1,x\n", "t.csv:2:2: column 1 of 0..1: 'x' is not a number");
    check_number_refused("0,1\n1,1 2\n", "'1 2' is not a number");
    check_number_refused("0,1\n1,inf\n", "'inf' is not a number");
    check_number_refused("0,1\n1,0x10\n", "'0x10' is not a number");
    check_number_refused("0,1\n1,1e999\n", "'1e999' is not a number");
    check_number_refused("0,1\n1,1\x01\x1b\n", "'1\?\?' is not a number");
    check_number_refused("0,1\n1,123456789012345678901234567890x\n",
                         "'12345678901234567890...' is not a number");
}
END_TEST

START_TEST(decimal_commas_are_read_when_said) {
    const spor_table_form comma = {.decimal = ','};
    spor_table table;
    spor_message message = {{0}};
    spor_field f;
    double value, sum = 0;
    ck_assert(read_text(&table, "a;b\n1,5;-2e1\n,25;1e-2\n", &comma, &message));
    spor_table_cursor c = table_begin(&table);
    while (table_next(&c, &f)) {
        ck_assert_msg(table_number(&table, &f, &value, &message), "%s", message.text);
        sum += value;
    }
    ck_assert_double_eq(sum, 1.5 - 20 + 0.25 + 0.01);
    table_free(&table);
    ck_assert(read_text(&table, "a;b\n1;1.234,5\n", &comma, &message));
    for (c = table_begin(&table); table_next(&c, &f);) continue;
    ck_assert(!table_number(&table, &f, &value, &message));
    table_free(&table);
}
END_TEST

static void check_column(const spor_table *table, const char *name, int64_t column,
                         const char *why) {
    spor_message message = {{0}};
    ck_assert_int_eq(table_column(table, name, &message), column);
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
}

START_TEST(columns_are_known_by_name) {
    spor_table table;
    ck_assert(read_text(&table, "length,width,width\n1,2,3\n", &found, NULL));
    check_column(&table, "length", 0, "");
    check_column(&table, "lenght", -1, "no column is called \"lenght\"; did you mean \"length\"?");
    check_column(&table, "colour", -1, "no column is called \"colour\"");
    check_column(&table, "width", -1, "columns 1 and 2, counted from 0, are both called \"width\"");
    table_free(&table);
    ck_assert(read_text(&table, "1,2\n", &found, NULL));
    check_column(&table, "length", -1, "the first line has no names");
    table_free(&table);
}
END_TEST

START_TEST(texts_are_utf_8) {
    spor_table table;
    spor_message message = {{0}};
    spor_field f;
    ck_assert(read_text(&table, "1,gr\xc3\xbcn\n2,gr\xfcn\n", &found, &message));
    spor_table_cursor c = table_begin(&table);
    for (int k = 0; k < 2; k++) table_next(&c, &f);
    char *text = table_text(&table, &f, &message);
    ck_assert_str_eq(text, "gr\xc3\xbcn");
    free(text);
    for (int k = 0; k < 2; k++) table_next(&c, &f);
    ck_assert_ptr_null(table_text(&table, &f, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "t.csv:2:2: the text is not UTF-8"));
    table_free(&table);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("table");
    tcase_add_checked_fixture(tests, scratch_begin, scratch_end);
    tcase_add_test(tests, lines_end_in_three_ways);
    tcase_add_test(tests, separators_are_found);
    tcase_add_test(tests, a_first_line_says_the_separator);
    tcase_add_test(tests, quotes_hold_what_they_hold);
    tcase_add_test(tests, a_line_of_names_is_recognized);
    tcase_add_test(tests, what_is_wrong_is_named_with_its_place);
    tcase_add_test(tests, what_is_no_number_is_told_as_what_it_is);
    tcase_add_test(tests, decimal_commas_are_read_when_said);
    tcase_add_test(tests, columns_are_known_by_name);
    tcase_add_test(tests, texts_are_utf_8);
    suite_add_tcase(suite, tests);
    return suite;
}
