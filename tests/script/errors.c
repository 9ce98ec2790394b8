/* Messages: each with file, line, column, the line and a caret; limits that end every script. */
#include "../suite.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 400, ROOM = 8192 };

/* A block of errors.txt; see there. */
typedef struct {
    char *script, *message;
    bool records, updates;
    int n;
    spor_shape shape[4];
} block;

static char *read_file(const char *name) {
    char path[1200];
    snprintf(path, sizeof path, "%s/tests/script/%s", getenv("SPOR_SOURCE"), name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    char *text = calloc(1, 1 << 20);
    ck_assert(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

/* " [2, 3] [2, 2]", or " update" */
static void read_shapes(const char *at, block *b) {
    b->updates = !strncmp(at, " update\n", 8);
    if (b->updates) return;
    while (*at != '\n') {
        while (*at == ' ' || *at == '[' || *at == ',') at++;
        spor_shape *shape = &b->shape[b->n++];
        while (*at != ']') {
            char *end;
            shape->n[shape->rank++] = strtol(at, &end, 10);
            at = end;
            while (*at == ' ' || *at == ',') at++;
        }
        at++;
        b->records = true;
    }
}

/* Cuts the text into blocks, in place; returns how many. */
static int read_blocks(char *text, block blocks[]) {
    int n = 0;
    for (char *at = strstr(text, "\n===="); at && n < MOST; n++) {
        char *line = at + 5, *script = strchr(line, '\n') + 1;
        char *middle = strstr(script, "----\n");
        ck_assert(middle != NULL);
        blocks[n] = (block){.script = script, .message = middle + 5};
        read_shapes(line, &blocks[n]);
        at = strstr(blocks[n].message, "\n====");
        *middle = 0;
        if (at)
            *at = 0;
        else
            blocks[n].message[strlen(blocks[n].message) - 1] = 0;
    }
    return n;
}

/* Writes the folder of the models as @. */
static void hide_folder(char *text) {
    const char *folder = models_folder();
    size_t length = strlen(folder);
    for (char *at; (at = strstr(text, folder));) {
        *at = '@';
        memmove(at + 1, at + length, strlen(at + length) + 1);
    }
}

START_TEST(messages) {
    char *text = read_file("errors.txt"), out[ROOM];
    block *blocks = calloc(MOST, sizeof *blocks);
    int n = read_blocks(text, blocks), wrong = 0;
    ck_assert_int_ge(n, 200);
    for (int k = 0; k < n; k++) {
        const block *b = &blocks[k];
        if (b->records)
            record_message(b->script, true, b->n, b->shape, out, sizeof out);
        else if (b->updates)
            update_message(b->script, out, sizeof out);
        else
            load_message(b->script, out, sizeof out);
        hide_folder(out);
        if (!strcmp(out, b->message)) continue;
        wrong++;
        fprintf(stderr, "%s---- says\n%s\n---- and not\n%s\n\n", b->script, out, b->message);
    }
    ck_assert_int_eq(wrong, 0);
    free(blocks);
    free(text);
}
END_TEST

/* A script that must be refused with this in its message. */
static void refuse(const char *text, const char *message) {
    char out[ROOM];
    load_message(text, out, sizeof out);
    ck_assert_msg(strstr(out, message) != NULL, "%.200s\nsays %s\nand not %s", text, out, message);
}

static char *append(char *at, const char *text) {
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

/* head, then unit n times, then middle, then closing n times */
static char *repeated(const char *head, const char *unit, const char *middle, const char *closing,
                      int n) {
    size_t room = strlen(head) + strlen(middle) + (size_t)n * (strlen(unit) + strlen(closing)) + 2;
    char *text = calloc(1, room), *at = text;
    ck_assert_ptr_nonnull(text);
    at = append(at, head);
    for (int k = 0; k < n; k++) at = append(at, unit);
    at = append(at, middle);
    for (int k = 0; k < n; k++) at = append(at, closing);
    append(at, "\n");
    return text;
}

START_TEST(nesting_is_limited) {
    static const char *parts[][4] = {
        {"a = ", "(", "1", ")"},
        {"a = ", "[", "", "]"},
        {"a = ", "-", "1", ""},
        {"a = ", "not ", "True", ""},
        {"a = 1", " + 1", "", ""},
        {"a = ", "1 if True else ", "1", ""},
        {"a = ", "len(", "[]", ")"},
        {"a = l", "[0]", "", ""},
        {"a = True", " and True", "", ""},
        {"a = f", "(1)", "", ""},
    };
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        char *deep = repeated(parts[k][0], parts[k][1], parts[k][2], parts[k][3], 10000);
        refuse(deep, "nested deeper than 100");
        free(deep);
    }
}
END_TEST

START_TEST(blocks_are_limited) {
    char *text = calloc(1, 200000), *at = text, out[ROOM];
    ck_assert_ptr_nonnull(text);
    for (int k = 0; k < 150; k++) at += sprintf(at, "%*sif True:\n", k, "");
    sprintf(at, "%*spass\n", 150, "");
    refuse(text, "deeper than 100");
    free(text);
    load_message("if True:\n if True:\n  if True:\n   pass\n", out, sizeof out);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(calls_are_limited) {
    char text[4096], *at = text;
    for (int k = 0; k < 40; k++) at += sprintf(at, "def f%d(x): return f%d(x)\n", k, k + 1);
    sprintf(at, "def f40(x): return x\nf0(1)\n");
    refuse(text, "s.spor:32:20: defs call each other deeper than 32");
}
END_TEST

START_TEST(sources_are_limited) {
    char out[ROOM], *text = malloc(1 << 19);
    ck_assert_ptr_nonnull(text);
    memset(text, '#', 1 << 19);
    text[(1 << 19) - 1] = 0;
    load_message(text, out, sizeof out);
    ck_assert_str_eq(out, "s.spor is longer than 262144 bytes");
    free(text);
    spor_script *script = script_load("/nowhere/at/all.spor", NULL, &claims_dialect, 0, NULL);
    ck_assert_str_eq(script_error(script),
                     "/nowhere/at/all.spor: cannot be opened: No such file or directory");
    script_free(script);
}
END_TEST

/* Long lines are shown around the caret. */
START_TEST(long_lines_are_cut) {
    char out[ROOM], *text = repeated("a = [", "1, ", "nothing_of_this_name]", "", 1000);
    load_message(text, out, sizeof out);
    ck_assert(strlen(out) < 400);
    ck_assert_ptr_nonnull(strstr(out, "1, nothing_of_this_name]"));
    ck_assert_ptr_nonnull(strstr(out, " ^~~~~~~~~~~~~~~~~~~~"));
    free(text);
}
END_TEST

START_TEST(odd_bytes_are_named) {
    refuse("a = \x01\n", "s.spor:1:5: the character with code 1 means nothing here");
    refuse("a = \xc3\xb8\n", "s.spor:1:5: '\u00f8' means nothing here\n");
    refuse("a = \u201ctext\u201d\n",
           "s.spor:1:5: '\u201c' means nothing here: a text stands in plain quotes, \"text\"\n");
    refuse("a = \u00bbtext\u00ab\n", "'\u00bb' means nothing here: a text stands in plain quotes");
    refuse("a = \xe2\x80", "the character with code 226 means nothing here");
    refuse("a = [1 2]", "s.spor:1:8: expected ',' or ']' but found a number");
    refuse("\xff", "the character with code 255 means nothing here");
}
END_TEST

/* One script records many times; an error of one recording is not the next one's. */
START_TEST(recordings_do_not_share_errors) {
    spor_script *script =
        script_read("s.spor", "def f(x): return reshape(x, [2])\n", NULL, &claims_dialect);
    for (int64_t k = 1; k <= 3; k++) {
        spor_tape *tape = spor_tape_new();
        spor_var x = spor_input(tape, "x", SPOR_SHAPE(k));
        spor_var y = script_call(script, "f", tape, true, 1, &x);
        ck_assert_int_eq(y.id != 0, k == 2);
        ck_assert_int_eq(spor_error(tape) == NULL, k == 2);
        spor_tape_free(tape);
    }
    ck_assert_ptr_null(script_error(script));
    script_free(script);
}
END_TEST

/* Without train(...), or on a tape that failed before, recording is refused and not a crash. */
START_TEST(recording_may_be_refused) {
    spor_script *script = script_read("s.spor", "def f(x): return x\n", NULL, &claims_dialect);
    ck_assert_ptr_null(script_declaration(script));
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(2));
    ck_assert_uint_eq(script_net(x, true, script).id, 0);
    ck_assert_ptr_nonnull(strstr(spor_error(tape), "the script has no train(...)"));
    ck_assert_uint_eq(script_loss(x, x, script).id, 0);
    ck_assert_uint_eq(script_call(script, "f", tape, true, 1, &x).id, 0);
    ck_assert_uint_eq(script_call(script, "f", NULL, true, 1, &x).id, 0);
    spor_tape_free(tape);
    tape = spor_tape_new();
    x = spor_input(tape, "x", SPOR_SHAPE(2));
    script_call(script, "g", tape, true, 1, &x);
    ck_assert_ptr_nonnull(strstr(spor_error(tape), "the script has no def g"));
    spor_tape_free(tape);
    script_free(script);
    script_free(NULL);
    ck_assert_str_eq(script_error(NULL), "out of memory");
}
END_TEST

/* Messages are cut to the room there is. */
START_TEST(explaining_keeps_to_its_room) {
    spor_script *script = script_read("s.spor", "def f(x): return x\n", NULL, &claims_dialect);
    char out[16];
    for (size_t size = 0; size <= sizeof out; size++) {
        memset(out, 'x', sizeof out);
        script_explain(script, "a message", "s.spor", 1, 18, out, size);
        for (size_t k = size; k < sizeof out; k++) ck_assert_int_eq(out[k], 'x');
        if (size) ck_assert_ptr_nonnull(memchr(out, 0, size));
    }
    char room[200];
    script_explain(script, "a message", "other.spor", 1, 1, room, sizeof room);
    ck_assert_str_eq(room, "a message");
    script_explain(script, "a message", "s.spor", 99, 99, room, sizeof room);
    ck_assert_int_lt((int)strlen(room), 100);
    script_free(script);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("script errors");
    TCase *test = tcase_create("errors");
    tcase_add_test(test, messages);
    tcase_add_test(test, nesting_is_limited);
    tcase_add_test(test, blocks_are_limited);
    tcase_add_test(test, calls_are_limited);
    tcase_add_test(test, sources_are_limited);
    tcase_add_test(test, long_lines_are_cut);
    tcase_add_test(test, odd_bytes_are_named);
    tcase_add_test(test, recordings_do_not_share_errors);
    tcase_add_test(test, recording_may_be_refused);
    tcase_add_test(test, explaining_keeps_to_its_room);
    suite_add_tcase(suite, test);
    return suite;
}
