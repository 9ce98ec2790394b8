/*
 * Mutated scripts: bytes and tokens of the models exchanged, dropped, doubled. Each must end, with
 * an error or without, and neither crash nor leak.
 */
#include "../suite.h"
#include "support.h"

#include <spor/verify.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/shape.h"

enum { ROOM = 1 << 16, MUTANTS = 600 };

static const char *const models[] = {"densenet2_20",  "convnet1_3", "densenet4_300",
                                     "convkeras4_20", "lenet2",     "convkeras12_32"};
enum { MODELS = sizeof models / sizeof *models };

/* What a mutation may put in. */
static const char *const words[] = {"(",
                                    ")",
                                    "[",
                                    "]",
                                    ":",
                                    ",",
                                    "=",
                                    "+",
                                    "-",
                                    "*",
                                    "/",
                                    "//",
                                    "%",
                                    "@",
                                    "==",
                                    "<",
                                    "...",
                                    "\n",
                                    "\n    ",
                                    "\"",
                                    "#",
                                    "0",
                                    "-1",
                                    "1",
                                    "3",
                                    "1e9",
                                    "100000",
                                    "9223372036854775807",
                                    "if ",
                                    "else",
                                    "for ",
                                    " in ",
                                    "def ",
                                    "return ",
                                    "not ",
                                    "and ",
                                    "x",
                                    "K",
                                    "True",
                                    "range",
                                    "x = x + x\n",
                                    "conv(x, 3, 3)",
                                    "dense",
                                    "param([3], init=1)",
                                    "state([2])",
                                    "[[x]]",
                                    "x[:, 0]",
                                    "\"same\"",
                                    "training",
                                    "max",
                                    "sum",
                                    "random([3])",
                                    "split(x, 2)",
                                    "concat([x, x])",
                                    "reshape(x, [-1])",
                                    "pair",
                                    "expand(x, 0, [2])",
                                    "dilate(x, 1000000)",
                                    "pad(x, 1099511627776)",
                                    "maxpool2d",
                                    "route",
                                    "gather",
                                    "spread2d",
                                    "ratio(1, 0)",
                                    "transpose(x)",
                                    "softmax",
                                    "fail(1)",
                                    "...",
                                    "..",
                                    "none",
                                    "where",
                                    "sum(W[i] for i)",
                                    "\xff",
                                    "\t"};
enum { WORDS = sizeof words / sizeof *words };

/* Layers and a model in one text, so that both are mutated. */
static void read_model(int k, char text[ROOM]) {
    const char *files[] = {"layers", models[k]};
    size_t used = 0;
    for (int f = 0; f < 2; f++) {
        char path[1200];
        snprintf(path, sizeof path, "%s/%s.spor", models_folder(), files[f]);
        FILE *file = fopen(path, "rb");
        ck_assert_msg(file != NULL, "%s cannot be opened", path);
        used += fread(text + used, 1, ROOM / 2 - used - 1, file);
        fclose(file);
    }
    text[used] = 0;
    char *include = strstr(text, "include \"layers.spor\"");
    ck_assert(include != NULL);
    *include = '#';
}

/* Replaces length bytes at a place by others. */
static void splice(char text[ROOM], size_t at, size_t length, const char *other, size_t size) {
    size_t total = strlen(text);
    if (at + length > total || total + size >= ROOM) return;
    memmove(text + at + size, text + at + length, total - at - length + 1);
    memcpy(text + at, other, size);
}

static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A token, roughly: a name, a number or one sign. */
static size_t token_length(const char *at) {
    size_t n = 0;
    while (is_name(at[n])) n++;
    return n || !*at ? n : 1;
}

static void mutate(char text[ROOM], uint64_t seed) {
    size_t total = strlen(text);
    if (!total) return;
    size_t at = (size_t)(random_hash(seed, 1, 0) % total);
    size_t from = (size_t)(random_hash(seed, 2, 0) % total);
    while (at > 0 && is_name(text[at]) && is_name(text[at - 1])) at--;
    while (from > 0 && is_name(text[from]) && is_name(text[from - 1])) from--;
    const char *word = words[random_hash(seed, 3, 0) % WORDS];
    char taken[128];
    size_t length = token_length(text + from);
    if (length > sizeof taken) length = sizeof taken;
    memcpy(taken, text + from, length);
    switch (random_hash(seed, 4, 0) % 6) {
    case 0:
        text[at] = (char)(1 + random_hash(seed, 5, 0) % 255);
        break;
    case 1:
        splice(text, at, token_length(text + at), "", 0);
        break;
    case 2:
        splice(text, at, token_length(text + at), word, strlen(word));
        break;
    case 3:
        splice(text, at, 0, word, strlen(word));
        break;
    case 4:
        splice(text, at, token_length(text + at), taken, length);
        break;
    default:
        splice(text, at, 0, taken, length);
    }
}

/* Loads and, where that goes well, records the net and the loss. Returns how far it came. */
static int digest(const char *text) {
    spor_script *script = script_read("fuzz.spor", text, models_folder(), &claims_dialect);
    ck_assert(script != NULL);
    const spor_declaration *d = script_declaration(script);
    int came = script_error(script) ? 0 : d ? 2 : 1;
    if (came == 2) {
        spor_tape *tape = spor_tape_new();
        spor_var x = spor_input(tape, "x", shape_rows(3, &d->sample));
        spor_var y = script_net(x, true, script);
        script_loss(y, spor_input(tape, "y", SPOR_SHAPE(3, d->classes)), script);
        if (spor_error(tape)) {
            char message[2000];
            const char *file;
            int line, column;
            spor_error_place(tape, &file, &line, &column);
            script_explain(script, spor_error(tape), file, line, column, message, sizeof message);
        } else {
            came = 3;
        }
        spor_tape_free(tape);
    }
    script_free(script);
    return came;
}

/* The same words where nothing but the plain language is known. */
static void digest_plainly(const char *text) {
    spor_script *script = script_read("fuzz.spor", text, models_folder(), NULL);
    ck_assert_int_eq(claims_count(script), 0);
    script_free(script);
}

START_TEST(mutants_end) {
    char *text = malloc(ROOM);
    int came[4] = {0};
    for (uint64_t k = 0; k < MUTANTS; k++) {
        read_model(_i, text);
        uint64_t seed = random_hash(20, (uint64_t)_i, k);
        for (uint64_t m = 0; m <= random_hash(seed, 0, 0) % 4; m++)
            mutate(text, random_hash(seed, m, 1));
        came[digest(text)]++;
    }
    /* neither all refused at once nor all taken: the mutations reach the recording */
    ck_assert_int_gt(came[0], MUTANTS / 10);
    ck_assert_int_gt(came[2], 0);
    ck_assert_int_gt(came[3], MUTANTS / 10);
    free(text);
}
END_TEST

/* Random words and bytes, without any script to start from. */
START_TEST(noise_ends) {
    char text[2048];
    for (uint64_t k = 0; k < 2000; k++) {
        size_t used = 0;
        uint64_t n = random_hash(21, k, 0) % 60;
        for (uint64_t w = 0; w < n && used < 1900; w++) {
            uint64_t pick = random_hash(22, k, w);
            const char *word = words[pick % WORDS];
            if (pick >> 32 & 1)
                used += (size_t)sprintf(text + used, "%s", word);
            else
                text[used++] = (char)(1 + (pick >> 40) % 255);
        }
        text[used] = 0;
        digest(text);
        digest_plainly(text);
    }
}
END_TEST

/* Every beginning of a script. */
START_TEST(truncated_scripts_end) {
    char *text = malloc(ROOM);
    read_model(4, text);
    for (size_t length = strlen(text); length > 0; length -= length > 40 ? 37 : 1) {
        text[length] = 0;
        digest(text);
    }
    free(text);
}
END_TEST

/* ---- derivations and claims ------------------------------------------------------------------ */

static const char claims[] =
    "def layer(A[N, n], W[n, m], b[m], act, s=1) where N > 1:\n    Z = A @ W + b\n"
    "    return s * act(Z)\n"
    "derive layer \"46\" (A, W, b, act in [tanh, relu], m in 1..3) -> (Y, dY) where n < 4 fails:\n"
    "    dZ = s * derivative(act, A @ W + b) * dY   # (46)\n    dA = dZ @ transpose(W)\n"
    "    if N > 2:\n        dW = transpose(A) @ dZ\n    else:\n        dW = 0\n"
    "    db = none\n"
    "trust derive layer (A, W, b, act in [tanh]) -> (Y, dY):\n    dA = ...\n    dW = Y\n"
    "    db = sum(dY, axis=\"N\")\n    ...\n"
    "claim \"1\" (A[H, W], K[k, 2], p in 0..k) where k <= H and p < 3:\n"
    "    Z = correlate2d(A, K)\n"
    "    Z[i, j] == sum(K[u, v] * A[i + u, j + v] for u, v)\n"
    "    Z[i, j] == sum(K[u, v] * A[i + u, j + v] for u in range(k) for v)\n"
    "    grad(sum(any_like(Z) * tanh(Z)), Z) == vjp(Z, Z, Z)\n    p <= 3 and [k] == [k, p]\n"
    "claim \"84\" (W in 1..12, w in 1..W, S in [1, 2, \"x\"]) fails:\n"
    "    W - w - ((W - w) // S) * S == (W - w) % S\n";

/* Records the statement at small, odd and large values; how often that went well. */
static int record_claim(const spor_statement *s) {
    int recorded = 0;
    for (int round = 0; round < 4; round++) {
        int64_t value[SPOR_QUANTITIES] = {0};
        for (int k = 0; k < s->quantities; k++) {
            const spor_quantity *q = &s->quantity[k];
            uint64_t span = (uint64_t)(q->most - q->least) + 1;
            value[k] = q->least +
                       (int64_t)(round ? random_hash(23, (uint64_t)round, (uint64_t)k) % span : 0);
        }
        spor_tape *tape = spor_tape_new();
        spor_instance instance = {0};
        recorded += s->record(s->user, tape, value, &instance) == SPOR_RECORDED;
        spor_tape_free(tape);
    }
    return recorded;
}

START_TEST(mutated_claims_end) {
    char *text = malloc(ROOM);
    int loaded = 0, recorded = 0;
    for (uint64_t k = 0; k < 2 * MUTANTS; k++) {
        strcpy(text, claims);
        uint64_t seed = random_hash(24, k, 0);
        for (uint64_t m = 0; m < random_hash(seed, 0, 0) % 4; m++)
            mutate(text, random_hash(seed, m, 1));
        digest_plainly(text);
        spor_script *script = script_read("fuzz.spor", text, models_folder(), &claims_dialect);
        loaded += !script_error(script);
        for (int c = 0; c < claims_count(script); c++)
            recorded += record_claim(claims_at(script, c)->statement);
        script_free(script);
    }
    ck_assert_int_gt(loaded, MUTANTS / 5);
    ck_assert_int_gt(recorded, MUTANTS);
    free(text);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("script fuzz");
    TCase *test = tcase_create("fuzz");
    tcase_add_loop_test(test, mutants_end, 0, MODELS);
    tcase_add_test(test, mutated_claims_end);
    tcase_add_test(test, noise_ends);
    tcase_add_test(test, truncated_scripts_end);
    suite_add_tcase(suite, test);
    return suite;
}
