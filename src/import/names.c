/*
 * Names of the file as names of the script. Files say anything; what comes out is an identifier that no word of the
 * language is, nothing that import writes a call of, and nothing that the def has.
 */
#include <ctype.h>
#include <string.h>

#include "base/plain.h"
#include "base/random.h"
#include "import/graph.h"

/* Words of the language, and what lines call: a variable of such a name would hide it. */
static const char *const taken[] = {"and",
                                    "or",
                                    "not",
                                    "if",
                                    "elif",
                                    "else",
                                    "for",
                                    "in",
                                    "def",
                                    "return",
                                    "pass",
                                    "include",
                                    "True",
                                    "False",
                                    "where",
                                    "while",
                                    "break",
                                    "continue",
                                    "lambda",
                                    "import",
                                    "from",
                                    "class",
                                    "None",
                                    "is",
                                    "try",
                                    "raise",
                                    "assert",
                                    "with",
                                    "yield",
                                    "global",
                                    "nonlocal",
                                    "del",
                                    "training",
                                    "claim",
                                    "derive",
                                    "trust",
                                    "N",
                                    "abs",
                                    "argmax",
                                    "avgpool",
                                    "batch",
                                    "batch_norm",
                                    "broadcast",
                                    "concat",
                                    "conv",
                                    "conv_layer",
                                    "conv_transpose",
                                    "cos",
                                    "correlate2d",
                                    "cumsum",
                                    "dense",
                                    "depthwise2d",
                                    "depthwise_conv",
                                    "einsum",
                                    "elu",
                                    "embedding",
                                    "erf",
                                    "exp",
                                    "expm1",
                                    "flatten",
                                    "flip",
                                    "full",
                                    "gelu",
                                    "gelu_tanh",
                                    "group_norm",
                                    "gru",
                                    "hard_sigmoid",
                                    "hard_swish",
                                    "identity",
                                    "iota",
                                    "layer_norm",
                                    "leaky_relu",
                                    "log",
                                    "log1p",
                                    "log_softmax",
                                    "logsumexp",
                                    "lstm",
                                    "max",
                                    "maximum",
                                    "maxpool",
                                    "mean",
                                    "min",
                                    "minimum",
                                    "one_hot",
                                    "ones",
                                    "pad",
                                    "param",
                                    "prod",
                                    "projection",
                                    "relu",
                                    "reshape",
                                    "rms_norm",
                                    "scatter_add",
                                    "sigmoid",
                                    "silu",
                                    "sin",
                                    "softmax",
                                    "softplus",
                                    "sparse_conv_layer",
                                    "split",
                                    "sqrt",
                                    "state",
                                    "step",
                                    "sum",
                                    "take",
                                    "take_along",
                                    "tanh",
                                    "top_k",
                                    "train",
                                    "transpose",
                                    "tri",
                                    "upsample",
                                    "zeros",
                                    "range",
                                    "shape",
                                    "sort",
                                    "argsort"};

enum { LONGEST = 28 };

bool import_is_taken(const char *name) {
    for (size_t k = 0; k < sizeof taken / sizeof *taken; k++)
        if (!strcmp(name, taken[k])) return true;
    return false;
}

/* Components that say nothing of what a tensor is: the op's name and a number, what exporters put around it. */
static bool says_nothing(const char *word, size_t size, const char *op) {
    static const char *const words[] = {"StatefulPartitionedCall",
                                        "BiasAdd",
                                        "PartitionedCall",
                                        "functional",
                                        "model",
                                        "output_0",
                                        "onnx",
                                        ""};
    const size_t length = strlen(op);
    if (!strncmp(word, "functional_", 11) || !strncmp(word, "sequential_", 11)) return true;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strlen(words[k]) == size && !strncmp(words[k], word, size)) return true;
    return length && size >= length && !strncmp(op, word, length) &&
           strspn(word + length, "_0123456789") >= size - length;
}

/* Letters, digits and single underscores of one component. */
static size_t add_word(char *to, size_t at, size_t room, const char *word, size_t size) {
    if (at && at < room && to[at - 1] != '_') to[at++] = '_';
    for (size_t k = 0; k < size && at < room; k++) {
        const bool fits = (unsigned char)word[k] < 128 && isalnum((unsigned char)word[k]);
        if (fits)
            to[at++] = word[k];
        else if (at && to[at - 1] != '_')
            to[at++] = '_';
    }
    return at;
}

/* "/layer1/conv1/Conv_output_0" is layer1_conv1. */
static size_t clean(const char *name, const char *op, char *to, size_t room) {
    size_t at = 0, length = strlen(name);
    const char *ending = strstr(name, "_output_");
    if (ending && strspn(ending + 8, "0123456789") == strlen(ending + 8))
        length = (size_t)(ending - name);
    const char *colon = strrchr(name, ':'); /* "dense/MatMul:0" */
    if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1))
        length = (size_t)(colon - name) < length ? (size_t)(colon - name) : length;
    for (size_t k = 0; k < length;) {
        const size_t size =
            strcspn(name + k, "/:") < length - k ? strcspn(name + k, "/:") : length - k;
        if (!says_nothing(name + k, size, op)) {
            if (at + size > LONGEST) at = 0; /* the last words say most */
            at = add_word(to, at, room, name + k, size);
        }
        k += size + 1;
    }
    while (at && to[at - 1] == '_') at--;
    to[at] = 0;
    return at;
}

static bool has_letter(const char *text) {
    while (*text && !isalpha((unsigned char)*text)) text++;
    return *text;
}

static import_word *word_of(import_graph *g, const char *text) {
    import_word **bucket = &g->word[random_hash_text(1, text) % BUCKETS], *word = *bucket;
    while (word && strcmp(word->text, text) != 0) word = word->next;
    if (word) return word;
    word = import_take(g, 1, sizeof *word);
    *word = (import_word){.next = *bucket, .text = import_say(g, "%s", text)};
    return *bucket = word;
}

/* The first of base1, base2, ... that is not there. */
static const char *numbered(import_graph *g, const char *base) {
    import_word *word = word_of(g, base);
    for (;;) {
        import_word *other = word_of(g, import_say(g, "%s%d", base, ++word->count));
        if (!other->count++) return other->text;
    }
}

/* The last words of a long name, from the start of one on where there are several. */
static const char *last_words(const char *text, size_t size) {
    const char *from = size > LONGEST ? text + size - LONGEST : text;
    const char *word = from > text && from[-1] != '_' ? strchr(from, '_') : NULL;
    if (word && has_letter(word)) from = word;
    while (*from == '_') from++;
    return from;
}

const char *import_name(import_graph *g, const char *name, const char *op) {
    char text[512];
    size_t size = clean(name, op, text, sizeof text - 1);
    const bool of_op = !has_letter(text);
    if (of_op) size = clean(op, "", text, sizeof text - 1);
    for (size_t k = 0; of_op && k < size; k++) text[k] = (char)tolower((unsigned char)text[k]);
    if (!has_letter(text)) memcpy(text, "value", 6), size = 5;
    const char *from = last_words(text, size);
    const char *base = import_say(g, "%s%s", isdigit((unsigned char)*from) ? "v" : "", from);
    if (of_op) return numbered(g, base);
    if (import_is_taken(base) || !strcmp(base, g->wish->def)) base = import_say(g, "%s_", base);
    import_word *word = word_of(g, base);
    return word->count++ ? numbered(g, import_say(g, "%s_", base)) : word->text;
}

const char *import_comment(import_graph *g, const char *text) {
    char *plain = import_say(g, "%.300s", text);
    plain_text(plain);
    for (char *at = plain; *at; at++)
        if (*at == '\n' || *at == '\r' || *at == '\t') *at = ' ';
    return plain;
}
