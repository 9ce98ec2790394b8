/*
 * Every block of code in models/README.md is run. The words after ```spor say how:
 *
 *     (nothing)                      loads; if it declares training, net and loss are recorded
 *     values [statement]             each line is an expression and, after #, its value
 *     record [2, 3] ... -> [2]       the last def is recorded with these inputs and has this shape
 *     verify                         loads here; verify.c verifies its claims
 *     error, error record [2, 3]     is refused with the message of the block that follows
 */
#include "../suite.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "script/dialect.h"

enum { ROOM = 1 << 16 };

static char *read_page(void) {
    char path[1200];
    snprintf(path, sizeof path, "%s/README.md", models_folder());
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    char *text = calloc(1, ROOM);
    ck_assert_ptr_nonnull(text);
    size_t size = fread(text, 1, ROOM - 1, file);
    ck_assert(size > 1000 && size < ROOM - 1);
    fclose(file);
    return text;
}

/* Ends the block that begins at text; returns what follows it. */
static char *end_block(char *text) {
    char *end = strstr(text, "\n```");
    ck_assert_msg(end != NULL, "this block does not end:\n%.100s", text);
    end[1] = 0;
    return end + 4;
}

static const char *read_shape(const char *at, spor_shape *shape) {
    *shape = SPOR_SCALAR_SHAPE;
    while (*at == ' ' || *at == '[') at++;
    while (*at != ']' && *at) {
        char *end;
        shape->n[shape->rank++] = strtol(at, &end, 10);
        at = end + strspn(end, ", ");
    }
    return *at ? at + 1 : at;
}

static void last_def(const char *text, char name[64]) {
    const char *def = NULL;
    for (const char *at = strstr(text, "def "); at; at = strstr(at + 1, "\ndef ")) def = at;
    ck_assert_msg(def != NULL, "no def in\n%s", text);
    sscanf(strstr(def, "def ") + 4, "%63[a-z_0-9]", name);
}

static void write_error(const spor_script *script, const spor_tape *tape, char *out, size_t size) {
    const char *file;
    int line, column;
    spor_error_place(tape, &file, &line, &column);
    *out = 0;
    if (spor_error(tape)) script_explain(script, spor_error(tape), file, line, column, out, size);
}

/* Records the last def with the inputs of "[2, 3] [3]"; the message if it fails. */
static spor_shape record(spor_script *script, const char *text, const char *shapes, char *message,
                         size_t size) {
    char name[64] = "";
    spor_var args[4];
    int n = 0;
    last_def(text, name);
    spor_tape *tape = spor_tape_new();
    for (const char *at = strchr(shapes, '['); at && *at == '[' && n < 4;) {
        spor_shape shape;
        at = read_shape(at, &shape);
        at += strspn(at, " ");
        args[n] = spor_input(tape, (char[]){(char)('p' + n), 0}, shape);
        n++;
    }
    spor_var y = script_call(script, name, tape, true, n, args);
    spor_shape result = spor_shape_of(y);
    write_error(script, tape, message, size);
    spor_tape_free(tape);
    return result;
}

static void record_declared(spor_script *script, char *message, size_t size) {
    const spor_declaration *d = script_declaration(script);
    if (!d) return;
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", shape_rows(5, &d->sample));
    spor_var y = script_net(x, true, script);
    script_loss(y, d->target_is_x ? x : spor_input(tape, "y", SPOR_SHAPE(5, d->classes)), script);
    write_error(script, tape, message, size);
    spor_tape_free(tape);
    if (!*message) record_optimizer(script, message, size);
}

/* The message of a block, "" if it is fine. */
static void run_block(const char *how, const char *text, char *message, size_t size) {
    spor_script *script = script_read("example.spor", text, models_folder(), &claims_dialect);
    const char *error = script_error(script), *shapes = strstr(how, "record");
    snprintf(message, size, "%s", error ? error : "");
    if (!error && shapes) {
        spor_shape expected, found = record(script, text, shapes, message, size);
        const char *arrow = strstr(shapes, "->");
        if (arrow) {
            read_shape(arrow + 2, &expected);
            ck_assert_msg(!*message, "%s\nsays %s", text, message);
            ck_assert_int_eq(found.rank, expected.rank);
            for (int k = 0; k < found.rank; k++) ck_assert_int_eq(found.n[k], expected.n[k]);
        }
    } else if (!error) {
        record_declared(script, message, size);
    }
    script_free(script);
}

/* Lines "expression   # value"; returns how many. */
static int check_values(const char *statement, char *text) {
    int n = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char script[512], message[2048], expected[300];
        char *comment = strstr(line, " # ");
        ck_assert_msg(comment != NULL, "no value in %s", line);
        *comment = 0;
        snprintf(script, sizeof script, "%s\nfail(%s)\n", statement, line);
        snprintf(expected, sizeof expected, "s.spor:2:1: %s\n", comment + 3);
        load_message(script, message, sizeof message);
        ck_assert_msg(!strncmp(message, expected, strlen(expected)), "%s is not %s but\n%s", line,
                      comment + 3, message);
        n++;
    }
    return n;
}

/* The block ```text that comes next, without its last line end. */
static char *next_message(char **at) {
    char *text = strstr(*at, "```text\n");
    ck_assert(text != NULL);
    text += 8;
    *at = end_block(text);
    text[strlen(text) - 1] = 0;
    return text;
}

START_TEST(blocks_run) {
    char *page = read_page(), message[8192];
    int scripts = 0, values = 0, errors = 0;
    for (char *at = strstr(page, "```spor"); at; at = strstr(at, "```spor")) {
        char *how = at + 7, *text = strchr(how, '\n');
        *text++ = 0;
        at = end_block(text);
        if (strstr(how, " values") == how) {
            values += check_values(how + 7 + strspn(how + 7, " "), text);
            continue;
        }
        run_block(how, text, message, sizeof message);
        bool error = strstr(how, " error") == how;
        const char *expected = error ? next_message(&at) : "";
        ck_assert_msg(!strcmp(message, expected), "%s---- says\n%s\n---- and not\n%s", text,
                      message, expected);
        if (error)
            errors++;
        else
            scripts++;
    }
    ck_assert_int_ge(scripts, 8);
    ck_assert_int_ge(values, 20);
    ck_assert_int_ge(errors, 4);
    free(page);
}
END_TEST

/* The page tells of every built-in and every layer, as name( or `name`. */
static void tells_of(const char *page, const char *name) {
    char call[80], alone[80];
    snprintf(call, sizeof call, "%s(", name);
    snprintf(alone, sizeof alone, "`%s`", name);
    ck_assert_msg(strstr(page, call) || strstr(page, alone), "README.md does not tell of %s", name);
}

/* And of what every script knows. */
static void tells_of_rules(const char *page, const char *name) {
    static char text[1 << 15];
    memset(text, 0, sizeof text);
    snprintf(text, sizeof text, "%s/%s", models_folder(), name);
    FILE *file = fopen(text, "rb");
    ck_assert(file != NULL && fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    for (const char *at = strstr(text, "\ndef "); at; at = strstr(at + 1, "\ndef ")) {
        char def[64];
        snprintf(def, sizeof def, "%.*s", (int)strcspn(at + 5, "("), at + 5);
        const char *first = at + 5 + strlen(def) + 1;
        if (!strncmp(first, "w, dw", 5) || !strncmp(first, "gradients", 9) ||
            !strncmp(first, "epoch, step, epochs, steps,", 27) || !strncmp(first, "losses,", 7))
            tells_of(page, def);
    }
}

START_TEST(page_is_complete) {
    const spor_builtin *const tables[] = {spor_plain_builtins,       spor_tensor_builtins,
                                          spor_reduce_builtins,      spor_leaf_builtins,
                                          spor_declaration_builtins, claims_dialect.builtins};
    static const char *const layers[] = {"dense",   "conv",       "maxpool",
                                         "avgpool", "batch_norm", "dropout"};
    char *page = read_page();
    for (size_t k = 0; k < sizeof tables / sizeof *tables; k++)
        for (const spor_builtin *b = tables[k]; b->name; b++) tells_of(page, b->name);
    for (size_t k = 0; k < sizeof layers / sizeof *layers; k++) tells_of(page, layers[k]);
    tells_of_rules(page, "optimizers.spor");
    tells_of_rules(page, "schedules.spor");
    free(page);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("script page");
    TCase *test = tcase_create("page");
    tcase_add_test(test, blocks_run);
    tcase_add_test(test, page_is_complete);
    suite_add_tcase(suite, test);
    return suite;
}
