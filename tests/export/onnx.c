/*
 * spor export --onnx: what every file must have, whoever reads it, and the command. onnx.sh has onnx and
 * onnxruntime look at the same files.
 */
#include "../suite.h"
#include "../cli/shell.h"
#include "cases.h"
#include "walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fields of ONNX's messages. */
enum { MODEL_IR = 1, MODEL_PRODUCER, MODEL_GRAPH = 7, MODEL_OPSET, MODEL_NOTE = 14 };
enum { GRAPH_NODE = 1, GRAPH_KNOWN = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT, GRAPH_VALUE };
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP };
enum { KNOWN_SIZES = 1, KNOWN_TYPE, KNOWN_NAME = 8, KNOWN_BYTES };
enum { VALUE_NAME = 1, VALUE_TYPE };

/* ---- names ---- */

typedef struct {
    char **name;
    int count;
} names;

static bool names_have(const names *n, const char *name) {
    for (int k = 0; k < n->count; k++)
        if (!strcmp(n->name[k], name)) return true;
    return false;
}

/* Adds a name that is not there yet. */
static void names_add(names *n, char *name, const char *what) {
    ck_assert_msg(*name, "%s: a tensor has no name", what);
    ck_assert_msg(!names_have(n, name), "%s: two tensors are called %s", what, name);
    n->name = realloc(n->name, ((size_t)n->count + 1) * sizeof *n->name);
    ck_assert(n->name != NULL);
    n->name[n->count++] = name;
}

static void names_free(names *n) {
    for (int k = 0; k < n->count; k++) free(n->name[k]);
    free(n->name);
}

/* Those of all fields of this number. */
static void add_names(walk_bytes graph, int number, int of, names *n, const char *what) {
    for (walk_field field; walk_next(&graph, &field);)
        if (field.number == number) names_add(n, walk_text(field.bytes, of), what);
}

/* ---- a file ---- */

/* Numbers are as many as the sizes say. */
static void look_at_known(walk_bytes known, const char *what) {
    walk_bytes sizes = walk_find(known, KNOWN_SIZES).bytes;
    const uint64_t type = walk_find(known, KNOWN_TYPE).value;
    size_t count = 1;
    while (sizes.at < sizes.end) {
        uint64_t size = 0;
        for (int shift = 0;; shift += 7) {
            size |= (uint64_t)(*sizes.at & 127) << shift;
            if (*sizes.at++ < 128) break;
        }
        count *= (size_t)size;
    }
    walk_bytes bytes = walk_find(known, KNOWN_BYTES).bytes;
    const size_t width = type == ONNX_BOOL ? 1 : type == ONNX_FLOAT ? 4 : 8;
    ck_assert_msg(type == ONNX_FLOAT || type == ONNX_DOUBLE || type == ONNX_INT64 ||
                      type == ONNX_BOOL,
                  "%s: type %d", what, (int)type);
    ck_assert_msg((size_t)(bytes.end - bytes.at) == count * width, "%s: numbers", what);
}

/* What it reads is there before it, and what it makes has a type and a shape and is read. */
static void look_at_node(walk_bytes node, const names *told, const names *read, names *there,
                         const char *what) {
    int outputs = 0;
    bool is_read = false;
    for (walk_field field; walk_next(&node, &field);) {
        const bool input = field.number == NODE_INPUT;
        if (!input && field.number != NODE_OUTPUT) continue;
        walk_bytes one = {field.bytes.at, field.bytes.end};
        char *name = calloc((size_t)(one.end - one.at) + 1, 1);
        ck_assert(name != NULL);
        memcpy(name, one.at, (size_t)(one.end - one.at));
        if (input) {
            ck_assert_msg(names_have(there, name), "%s: %s is read before it is there", what, name);
            free(name);
            continue;
        }
        ck_assert_msg(names_have(told, name), "%s: %s has no shape", what, name);
        is_read = is_read || names_have(read, name);
        names_add(there, name, what);
        outputs++;
    }
    ck_assert_msg(outputs > 0 && is_read, "%s: a node is for nobody", what);
}

/* What nodes read, and the output. */
static void find_read(walk_bytes graph, names *read) {
    for (walk_field node; walk_next(&graph, &node);) {
        if (node.number == GRAPH_OUTPUT) {
            read->name = realloc(read->name, ((size_t)read->count + 1) * sizeof *read->name);
            read->name[read->count++] = walk_text(node.bytes, VALUE_NAME);
        }
        if (node.number != GRAPH_NODE) continue;
        for (walk_field field; walk_next(&node.bytes, &field);) {
            if (field.number != NODE_INPUT) continue;
            read->name = realloc(read->name, ((size_t)read->count + 1) * sizeof *read->name);
            char *name = calloc((size_t)(field.bytes.end - field.bytes.at) + 1, 1);
            memcpy(name, field.bytes.at, (size_t)(field.bytes.end - field.bytes.at));
            read->name[read->count++] = name;
        }
    }
}

static void look_at_file(const export_case *c, void *user) {
    names there = {0}, told = {0}, read = {0};
    int *files = user;
    const unsigned char *from = (const unsigned char *)c->bytes->at;
    const walk_bytes model = {from, from + c->bytes->size};
    const walk_bytes graph = walk_find(model, MODEL_GRAPH).bytes;
    ck_assert_uint_eq(walk_find(model, MODEL_IR).value, 8);
    ck_assert_uint_eq(walk_find(walk_find(model, MODEL_OPSET).bytes, 2).value, 17);
    ck_assert_int_eq(walk_count(graph, GRAPH_OUTPUT), 1);
    ck_assert_int_ge(walk_count(graph, GRAPH_NODE), 1);
    find_read(graph, &read);
    add_names(graph, GRAPH_VALUE, VALUE_NAME, &told, c->name);
    add_names(graph, GRAPH_OUTPUT, VALUE_NAME, &told, c->name);
    add_names(graph, GRAPH_INPUT, VALUE_NAME, &there, c->name);
    add_names(graph, GRAPH_KNOWN, KNOWN_NAME, &there, c->name);
    for (int k = 0; k < there.count; k++)
        ck_assert_msg(names_have(&read, there.name[k]), "%s: nobody reads %s", c->name,
                      there.name[k]);
    for (walk_bytes rest = graph; rest.at < rest.end;) {
        walk_field field;
        ck_assert(walk_next(&rest, &field));
        if (field.number == GRAPH_NODE) look_at_node(field.bytes, &told, &read, &there, c->name);
        if (field.number == GRAPH_KNOWN) look_at_known(field.bytes, c->name);
    }
    for (int k = 0; k < told.count; k++)
        ck_assert_msg(names_have(&there, told.name[k]), "%s: %s is never made", c->name,
                      told.name[k]);
    names_free(&there);
    names_free(&told);
    names_free(&read);
    ++*files;
}

START_TEST(samples_of_ops_are_whole) {
    int files = 0;
    ck_assert_int_ge(cases_of_ops(look_at_file, &files), 150);
    ck_assert_int_ge(files, 300);
}
END_TEST

START_TEST(layers_are_whole) {
    int files = 0;
    ck_assert_int_ge(cases_of_layers(getenv("SPOR_SOURCE"), look_at_file, &files), 20);
    ck_assert_int_ge(files, 20);
}
END_TEST

START_TEST(networks_are_whole) {
    int files = 0;
    ck_assert_int_ge(cases_of_networks(getenv("SPOR_SOURCE"), look_at_file, &files), 50);
    ck_assert_int_ge(files, 45);
}
END_TEST

/* ---- which layers are tried ---- */

enum { DEFS = 128 };

typedef struct {
    char name[64];
    const char *from, *to; /* its parameters and its body */
    bool reached;
} def;

/* The defs of a script. */
static int find_defs(const char *text, def found[DEFS]) {
    int count = 0;
    for (const char *at = strstr(text, "\ndef "); at; at = strstr(at + 1, "\ndef ")) {
        def *d = &found[count++];
        ck_assert_int_lt(count, DEFS);
        d->from = at + 5 + strcspn(at + 5, "(");
        snprintf(d->name, sizeof d->name, "%.*s", (int)(d->from - at - 5), at + 5);
        const char *next = strstr(d->from, "\ndef ");
        d->to = next ? next : d->from + strlen(d->from);
        d->reached = false;
    }
    return count;
}

/* True if the word stands in the text. */
static bool mentions(const char *from, const char *to, const char *word) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    const size_t size = strlen(word);
    for (const char *at = from; at + size <= to; at++)
        if (!strncmp(at, word, size) && !strchr(letters, at[-1]) && !strchr(letters, at[size]))
            return true;
    return false;
}

/* Reads a file of the project. */
static char *source_text(const char *name) {
    char path[1200];
    static char text[2][MOST];
    static int which;
    snprintf(path, sizeof path, "%s/%s", getenv("SPOR_SOURCE"), name);
    which = !which;
    read_file(path, text[which]);
    return text[which];
}

/* Every def of layers.spor, losses aside, is one of networks.spor's or is called by one that is. */
START_TEST(every_layer_is_exported) {
    static def d[DEFS];
    const char *networks = source_text("tests/export/networks.spor");
    const int count = find_defs(source_text("models/layers.spor"), d);
    ck_assert_int_ge(count, 40);
    for (int k = 0; k < count; k++)
        d[k].reached = mentions(networks + 1, networks + strlen(networks), d[k].name);
    for (int round = 0; round < count; round++)
        for (int k = 0; k < count; k++)
            for (int j = 0; j < count && d[k].reached; j++)
                d[j].reached = d[j].reached || mentions(d[k].from, d[k].to, d[j].name);
    for (int k = 0; k < count; k++)
        ck_assert_msg(d[k].reached || !strncmp(d[k].from, "(prediction", 11),
                      "%s of layers.spor is exported by no network of networks.spor", d[k].name);
}
END_TEST

/* ---- the command ---- */

/* A run of a network whose last layer is followed by what is said. */
static void train(const char *run_name, const char *body) {
    char text[1000];
    snprintf(text, sizeof text,
             "include \"layers.spor\"\n"
             "def net(x):\n"
             "    x = dense(flatten(x), 10)\n"
             "    return %s\n"
             "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"mean\"),\n"
             "      optimizer=sgd(rate=0.01), batch=10, epochs=1)\n",
             body);
    write_file("net.spor", text);
    expect_status(
        run("cp $M/layers.spor .; spor train net.spor --limit 30 --quiet --out %s", run_name), 0);
}

START_TEST(a_run_is_exported) {
    train("r", "x");
    expect_status(run("spor export r --onnx net.onnx"), 0);
    expect_in(out, "net.onnx: ");
    expect_in(out, "any number of rows");
    ck_assert(exists("net.onnx"));
    expect_status(
        run("cp net.onnx first.onnx; spor export r/checkpoint.safetensors --onnx net.onnx &&"
            " cmp net.onnx first.onnx"),
        0);
    expect_status(run("grep -c 'scale' net.onnx && grep -c '0.0625' net.onnx"), 0);
    expect_status(
        run("mkdir away && mv net.spor away && cd away && spor export ../r --onnx net.onnx"
            " && cmp net.onnx ../first.onnx"),
        0);
}
END_TEST

START_TEST(what_can_not_be_exported_is_told) {
    train("r", "x + random([batch(x), 10])");
    expect_status(run("spor export r --onnx net.onnx"), 2);
    expect_in(err, "net.spor:4:16: ONNX has nothing for random");
    ck_assert(!exists("net.onnx"));
    expect_status(run("spor export net.spor --onnx net.onnx"), 2);
    expect_in(err, "net.spor is a script: `spor train` makes a run of it");
    expect_status(run("spor export nowhere --onnx net.onnx"), 2);
    expect_in(err, "nowhere");
    expect_status(run("spor export r"), 2);
    expect_in(err, "--onnx");
}
END_TEST

START_TEST(rows_that_belong_together_are_told) {
    train("r", "x - mean(x, axis=0)");
    expect_status(run("spor export r --onnx net.onnx"), 0);
    expect_in(out, "one row at a time:\n");
    expect_in(out, "depends on how many rows there are");
    ck_assert(exists("net.onnx"));
}
END_TEST

START_TEST(files_are_whole_or_not_there) {
    train("r", "x");
    write_file("old.onnx", "old");
    expect_status(run("spor export r --onnx no/net.onnx"), 2);
    expect_in(err, "no/net.onnx");
    expect_status(run("spor export r --onnx r/checkpoint.safetensors"), 2);
    expect_in(err, "is the run itself");
    if (exists("/dev/full")) {
        expect_status(run("spor export r --onnx /dev/full"), 2);
        expect_in(err, "/dev/full");
    }
    expect_status(run("(ulimit -f 1; trap '' XFSZ; spor export r --onnx old.onnx)"), 2);
    expect_in(err, "old.onnx");
    expect_status(run("grep -qx old old.onnx && ls -A | grep -c spor-"), 1);
    expect_status(run("spor export r --onnx old.onnx && ! grep -qx old old.onnx"), 0);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("onnx");
    TCase *files = tcase_create("files"), *command = tcase_create("command");
    tcase_add_test(files, samples_of_ops_are_whole);
    tcase_add_test(files, layers_are_whole);
    tcase_add_test(files, networks_are_whole);
    tcase_add_test(files, every_layer_is_exported);
    suite_add_tcase(suite, files);
    tcase_add_checked_fixture(command, enter_folder, leave_folder);
    tcase_add_test(command, a_run_is_exported);
    tcase_add_test(command, what_can_not_be_exported_is_told);
    tcase_add_test(command, rows_that_belong_together_are_told);
    tcase_add_test(command, files_are_whole_or_not_there);
    suite_add_tcase(suite, command);
    return suite;
}
