/*
 * Files that are broken, or meant to harm: a message that names the file, and nothing that crashes.
 */
#include "../suite.h"
#include "../support/failing.h"
#include "imported.h"
#include "import/protobuf.h"
#include "tiny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"

static const import_wish wish = {.path = "net.onnx", .def = "net"};

/* The bytes in memory of their own size, so that a sanitizer sees one too far. */
static bool read_exact(const char *bytes, size_t size, import_result *made, spor_message *message) {
    unsigned char *copy = malloc(size ? size : 1);
    ck_assert(copy != NULL);
    if (size) memcpy(copy, bytes, size);
    message->text[0] = 0;
    const bool done = import_onnx(&wish, copy, size, made, message);
    free(copy);
    if (!done)
        ck_assert_msg(!strncmp(message->text, "net.onnx: ", 10), "message: %s", message->text);
    return done;
}

/* What is accepted can be recorded, or is refused there; nothing crashes. */
static bool try_bytes(const char *bytes, size_t size) {
    import_result made;
    spor_message message;
    imported m;
    const bool done = read_exact(bytes, size, &made, &message);
    if (done) {
        imported_open(&m, &made, 3, SPOR_F32);
        imported_close(&m);
    }
    import_free(&made);
    return done;
}

START_TEST(every_cut_is_told) {
    tiny t;
    tiny_network(&t);
    ck_assert(try_bytes(t.bytes.at, t.bytes.size));
    for (size_t size = 0; size < t.bytes.size; size++) ck_assert(!try_bytes(t.bytes.at, size));
    tiny_free(&t);
}
END_TEST

START_TEST(every_bit_is_flipped) {
    tiny t;
    int accepted = 0, refused = 0;
    tiny_network(&t);
    for (size_t k = 0; k < 8 * t.bytes.size; k++) {
        t.bytes.at[k / 8] ^= (char)(1 << k % 8);
        *(try_bytes(t.bytes.at, t.bytes.size) ? &accepted : &refused) += 1;
        t.bytes.at[k / 8] ^= (char)(1 << k % 8);
    }
    printf("bits flipped: %d accepted, %d refused\n", accepted, refused);
    ck_assert_int_gt(accepted, 100);
    ck_assert_int_gt(refused, 1000);
    tiny_free(&t);
}
END_TEST

/* ---- one by one ---- */

static void expect(tiny *t, const char *message_part) {
    import_result made;
    spor_message message;
    tiny_end(t);
    const bool done = read_exact(t->bytes.at, t->bytes.size, &made, &message);
    ck_assert_msg(!done, "accepted, not: %s\n%s", message_part, done ? made.script.at : "");
    ck_assert_msg(strstr(message.text, message_part) != NULL, "%s\n  is not: %s", message.text,
                  message_part);
    ck_assert(made.script.at == NULL || !done);
    import_free(&made);
    tiny_free(t);
}

static void begin(tiny *t) {
    tiny_begin(t, 17);
    tiny_input(t, "x", 2, (const int64_t[]){-1, 4});
}

START_TEST(hostile_files_are_told) {
    const int64_t huge[] = {INT64_C(1) << 40, INT64_C(1) << 40}, negative[] = {-2, 4};
    const int64_t four[] = {4}, square[] = {4, 4};
    tiny t;
    tiny_begin(&t, 17);
    expect(&t, "has no inputs");
    begin(&t);
    expect(&t, "has no output");
    begin(&t), tiny_output(&t, "y");
    expect(&t, "nothing makes its output 'y'");
    begin(&t), tiny_floats(&t, "W", 2, huge, 1), tiny_node(&t, "MatMul", "x W", "y", NULL, 0),
        tiny_output(&t, "y");
    expect(&t, "'W' has more than 2^31 elements");
    begin(&t), tiny_floats(&t, "W", 2, negative, 1), tiny_output(&t, "x");
    expect(&t, "'W' has a negative size");
    begin(&t), tiny_floats(&t, "W", 2, square, 15), tiny_node(&t, "MatMul", "x W", "y", NULL, 0),
        tiny_output(&t, "y");
    expect(&t, "node 'MatMul' (MatMul): tensor 'W' has 60 bytes for 16 numbers of 4 bytes each");
    begin(&t), tiny_node(&t, "Relu", "b", "a", NULL, 0), tiny_node(&t, "Relu", "a", "b", NULL, 0),
        tiny_output(&t, "b");
    expect(&t, "node 'Relu' (Relu): reads 'b', which nothing before it makes");
    begin(&t), tiny_node(&t, "Relu", "x", "x", NULL, 0), tiny_output(&t, "x");
    expect(&t, "'x' is there twice");
    begin(&t), tiny_node(&t, "Relu", "x", "a", NULL, 0), tiny_node(&t, "Tanh", "x", "a", NULL, 0),
        tiny_output(&t, "a");
    expect(&t, "'a' is there twice");
    begin(&t), tiny_node(&t, "Loop", "x", "a", NULL, 0), tiny_output(&t, "a");
    expect(&t, "node 'Loop' (Loop): spor has nothing for this op");
    begin(&t), tiny_node(&t, "Relu", "x", "a", "strength", 2), tiny_output(&t, "a");
    expect(&t, "attribute 'strength' is none that spor understands");
    begin(&t), tiny_node(&t, "ArgMax", "x", "a", "select_last_index", 1), tiny_output(&t, "a");
    expect(&t, "select_last_index = 1: spor has only select_last_index = 0");
    begin(&t), tiny_node(&t, "Add", "x", "a", NULL, 0), tiny_output(&t, "a");
    expect(&t, "has 1 inputs");
    begin(&t), tiny_integers(&t, "to", 3, (const int64_t[]){1 << 30, 1 << 30, 1 << 30});
    tiny_node(&t, "ConstantOfShape", "to", "z", NULL, 0), tiny_node(&t, "Add", "x z", "a", NULL, 0),
        tiny_output(&t, "a");
    expect(&t, "known numbers would be more than 2^28");
    begin(&t), tiny_integers(&t, "to", 2, (const int64_t[]){-1, -1}),
        tiny_node(&t, "Reshape", "x to", "a", NULL, 0), tiny_output(&t, "a");
    expect(&t, "two sizes are left open");
    begin(&t), tiny_integers(&t, "to", 2, (const int64_t[]){7, -1}),
        tiny_node(&t, "Reshape", "x to", "a", NULL, 0), tiny_output(&t, "a");
    expect(&t, "can't be divided so");
    begin(&t), tiny_floats(&t, "v", 1, four, 4), tiny_node(&t, "Relu", "v", "a", NULL, 0),
        tiny_input(&t, "open", 2, (const int64_t[]){3, -1}), tiny_output(&t, "a");
    expect(&t, "axis 1 of input 'open' is open (N)");
    tiny_begin(&t, 17), tiny_input(&t, "x", -1, NULL), tiny_output(&t, "x");
    expect(&t, "input 'x' has no shape");
    tiny_begin(&t, 3), tiny_input(&t, "x", 1, four), tiny_output(&t, "x");
    expect(&t, "is of opset 3, and spor knows 6 to 28");
}
END_TEST

START_TEST(too_many_nodes_are_told) {
    tiny t;
    begin(&t);
    for (int k = 0; k < 1000000; k++) tiny_node(&t, "Relu", "x", "y", NULL, 0);
    expect(&t, "a graph has more than 20000 entries of one kind");
    begin(&t);
    char from[16] = "x", to[16];
    for (int k = 0; k < 3000; k++) {
        snprintf(to, sizeof to, "v%d", k);
        tiny_node(&t, "Abs", from, to, NULL, 0);
        memcpy(from, to, sizeof from);
    }
    tiny_output(&t, from);
    expect(&t, "more than 990 lines");
}
END_TEST

START_TEST(numbers_that_are_not_as_many_are_told) {
    int64_t value[64] = {0};
    static const int64_t sizes[] = {1, 3, 5, 64, 65, 1000000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        tiny t;
        if (sizes[k] == 64) continue;
        begin(&t);
        tiny_lying(&t, "to", sizes[k], 64, value);
        tiny_node(&t, "Reshape", "x to", "a", NULL, 0);
        tiny_output(&t, "a");
        expect(&t, sizes[k] < 64 ? "has other or more than the" : "has fewer than the");
    }
}
END_TEST

/* ---- the reader of fields ---- */

/* Every kind of field, cut anywhere: BROKEN, or END between two, and never a byte too far. */
START_TEST(fields_end_where_the_bytes_do) {
    static const unsigned char fields[] = {0x08, 0x96, 0x01, /* 1: varint 150 */
                                           0x11, 1,    0,    0,    0,
                                           0,    0,    0,    0x80,        /* 2: 8 bytes */
                                           0x1a, 2,    'a',  'b',         /* 3: 2 bytes */
                                           0x25, 0,    0,    0x80, 0x3f}; /* 4: 1.0f */
    static const size_t ends[] = {0, 3, 12, 16, 21};
    for (size_t size = 0; size <= sizeof fields; size++) {
        proto_range range = {fields, fields + size};
        proto_field field;
        proto_step step;
        int count = 0;
        while ((step = proto_next(&range, &field)) == PROTO_FIELD) {
            count++;
            ck_assert(range.at <= fields + size);
            if (count == 1) ck_assert_uint_eq(field.value, 150);
            if (count == 2) ck_assert(field.value == (UINT64_C(1) << 63 | 1));
            if (count == 3) ck_assert_uint_eq(proto_size(field.bytes), 2);
            if (count == 4) ck_assert(proto_float(&field) == 1.0f);
        }
        bool whole = false;
        for (int k = 0; k < 5; k++) whole = whole || (ends[k] == size && count == k);
        ck_assert_msg(step == (whole ? PROTO_END : PROTO_BROKEN), "%zu bytes", size);
    }
}
END_TEST

START_TEST(fields_of_no_kind_are_broken) {
    static const unsigned char wrong[][12] = {
        {0x00, 1},     /* number 0 */
        {0x0b, 0},     /* a group */
        {0x0f, 0},     /* kind 7 */
        {0x0a, 11, 0}, /* longer than what is left */
        {0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, /* 2^64 - 1 bytes */
        {0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}, /* more than 64 bits */
        {0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        proto_range range = {wrong[k], wrong[k] + 12};
        proto_field field;
        ck_assert_msg(proto_next(&range, &field) == PROTO_BROKEN, "case %zu", k);
    }
}
END_TEST

/* ---- names ---- */

/* Each name that a file may have ends up as a variable that the language takes. */
START_TEST(names_of_files_are_harmless) {
    static const char *const names[] = {
        "and",
        "N",
        "net",
        "where",
        "conv",
        "relu",
        "x",
        "batch",
        "9",
        "..",
        "/a//b/",
        "a\nimport os",
        "\"\"\"",
        "\x1b[31m",
        "\xc3\xa9t\xc3\xa9",
        "a b",
        "train",
        "True",
        "param",
        "a:0",
        "_",
        "__",
        "1abc",
        "derive",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "\xff\xfe",
        "dense",
        "full",
        "zeros",
        "identity",
        "tanh",
    };
    enum { NAMES = sizeof names / sizeof *names };
    for (int k = 0; k < NAMES; k++)
        for (int j = k; j < k + 2; j++) {
            tiny t;
            import_result made;
            spor_message message;
            imported m;
            char first[256], second[256], pair[600];
            if (strchr(names[k], ' ') || strchr(names[j % NAMES], ' ')) continue;
            snprintf(first, sizeof first, "%s", names[k]);
            snprintf(second, sizeof second, "%s%s", names[j % NAMES], j == k ? "2" : "");
            snprintf(pair, sizeof pair, "%s W", first);
            tiny_begin(&t, 17);
            tiny_input(&t, first, 2, (const int64_t[]){-1, 4});
            tiny_floats(&t, "W", 2, (const int64_t[]){4, 4}, 16);
            tiny_node(&t, "MatMul", pair, second, NULL, 0);
            snprintf(pair, sizeof pair, "%s W", second);
            tiny_node(&t, "MatMul", pair, "sum", NULL, 0);
            tiny_node(&t, "Relu", "sum", "out", NULL, 0);
            tiny_output(&t, "out");
            tiny_end(&t);
            const bool done = read_exact(t.bytes.at, t.bytes.size, &made, &message);
            ck_assert_msg(done, "%s", message.text);
            ck_assert_msg(imported_open(&m, &made, 4, SPOR_F32), "'%s' and '%s': %s\n%s", first,
                          second, m.why, made.script.at);
            ck_assert(!strchr(made.script.at, '\x1b') && !strchr(made.told.at, '\x1b'));
            imported_close(&m);
            import_free(&made);
            tiny_free(&t);
        }
}
END_TEST

/* ---- memory ---- */

START_TEST(no_memory_is_told) {
    tiny t;
    import_result usual, made;
    spor_message message = {""};
    if (!failing_can) {
        puts("memory: no allocation can be made to fail here: not looked at");
        return;
    }
    tiny_network(&t);
    failing_begin(0, false);
    bool done =
        import_onnx(&wish, (const unsigned char *)t.bytes.at, t.bytes.size, &usual, &message);
    const long count = failing_end();
    ck_assert_msg(done, "%s", message.text);
    ck_assert_int_gt(count, 5);
    long refused = 0;
    for (long at = 1; at <= count; at++)
        for (int for_good = 0; for_good < 2; for_good++) {
            failing_begin(at, for_good);
            done = import_onnx(&wish, (const unsigned char *)t.bytes.at, t.bytes.size, &made,
                               &message);
            failing_end();
            if (done)
                ck_assert(made.script.size == usual.script.size &&
                          !memcmp(made.script.at, usual.script.at, usual.script.size) &&
                          made.weights.size == usual.weights.size &&
                          !memcmp(made.weights.at, usual.weights.at, usual.weights.size));
            else
                refused++, ck_assert_msg(strstr(message.text, "memory"), "allocation %ld: %s", at,
                                         message.text);
            import_free(&made);
        }
    ck_assert_int_gt(refused, count);
    import_free(&usual);
    tiny_free(&t);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("import_broken");
    TCase *tests = tcase_create("broken");
    tcase_add_test(tests, every_cut_is_told);
    tcase_add_test(tests, every_bit_is_flipped);
    tcase_add_test(tests, hostile_files_are_told);
    tcase_add_test(tests, too_many_nodes_are_told);
    tcase_add_test(tests, numbers_that_are_not_as_many_are_told);
    tcase_add_test(tests, fields_end_where_the_bytes_do);
    tcase_add_test(tests, fields_of_no_kind_are_broken);
    tcase_add_test(tests, names_of_files_are_harmless);
    tcase_add_test(tests, no_memory_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}
