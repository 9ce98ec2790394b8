/*
 * The script around the lines, and the weights' file.
 */
#include <string.h>

#include "data/safetensors.h"
#include "import/graph.h"

/* ---- what is said of the file ---- */

static const char *face_sizes(import_graph *g, const import_face *face, bool as_in_file) {
    import_size size[SPOR_RANK];
    for (int k = 0; k < face->rank; k++)
        size[as_in_file ? face->from[k] : k] = (import_size){face->size[k], face->rows[k]};
    return import_shape_text(g, face->rank, size, NULL);
}

static const char *face_text(import_graph *g, const import_face *face, const char *in_file) {
    const char *text = import_say(g, "%s is %s", face->name, face_sizes(g, face, false));
    if (face->maps)
        text = import_say(g, "%s: %s; %s of the file is %s", text,
                          face->rank == 4 ? "height, width, channels" : "channels last",
                          import_comment(g, in_file), face_sizes(g, face, true));
    else
        text = import_say(g, "%s%s, %s of the file", text, face->whole ? " of whole numbers" : "",
                          import_comment(g, in_file));
    return text;
}

static const import_value *input_value(const import_graph *g, int k) {
    int j = 0;
    for (;; j++) {
        const import_value *v = import_find(g, g->model.input[j].name);
        if (!v->numbers && !k--) return v;
    }
}

/* Comments of the head, which are also told. */
static void say(import_graph *g, const char *text) {
    text_add(&g->result->script, "# %s\n", text);
    import_tell(g, "%s", text);
}

static void say_input(import_graph *g, int k) {
    const import_value *v = input_value(g, k);
    const import_face *face = &g->result->input[k];
    say(g, face_text(g, face, import_say(g, "'%s'", v->name)));
    if (v->names)
        say(g,
            import_say(g,
                       "%s names rows: whole numbers, 0 to %lld. Others, negative ones too, make "
                       "rows of NaN.",
                       face->name, (long long)v->names - 1));
}

static void write_head(import_graph *g) {
    const onnx_model *m = &g->model;
    import_result *r = g->result;
    const char *by =
        *m->producer ? import_say(g, ", made by %s", import_comment(g, m->producer)) : "";
    text_add(&r->script, "# The network of %s%s, as spor import reads it.\n",
             import_comment(g, g->wish->path), by);
    for (int k = 0; k < r->inputs; k++) say_input(g, k);
    for (int k = 0; k < r->outputs; k++)
        if (r->output[k].maps)
            say(g, face_text(g, &r->output[k], import_say(g, "'%s'", m->output[k].name)));
    if (g->file_rows)
        say(g, import_say(g, "The file has %lld %s; the script takes any number.",
                          (long long)g->file_rows, g->file_rows == 1 ? "row" : "rows"));
    if (!g->has_rows)
        say(g, "The file fixes how many rows there are; exported with an open first axis it takes "
               "any number.");
    if (g->names_rows)
        say(g, "Rows are named by computed numbers: negative ones count from the end, and one that "
               "names no row makes a row of NaN.");
    if (g->rounds) say(g, "The file rounds some numbers to 16 bits; the script does not.");
    if (g->wide) say(g, "The file computes in double: spor run --double.");
    if (g->left_softmax)
        say(g, "The file ends in a softmax, which is left to the loss: the net returns logits.");
    for (int k = 0; k < m->tensors; k++) {
        const import_value *v = import_find(g, m->tensor[k].name);
        bool shared = !v->known || !v->known->trained || v->known->count < 2 || v->readers < 2;
        for (uint32_t j = 0; j < g->weights && !shared; j++)
            shared = g->weight[j].variable && g->weight[j].value == v->known->a;
        if (!shared)
            say(g, import_say(g,
                              "%d nodes of the file share '%s'; in the script each has its own, "
                              "and in training they part.",
                              v->readers, import_comment(g, v->name)));
    }
    for (int k = 0; k < m->notes; k++)
        text_add(&r->script, "# The file says: %s = %s\n", import_comment(g, m->note[k].key),
                 import_comment(g, m->note[k].value));
}

/* ---- the def ---- */

static void write_def(import_graph *g) {
    import_result *r = g->result;
    spor_text *script = &r->script;
    text_add(script, "include \"layers.spor\"\n\ndef %s(", g->wish->def);
    for (int k = 0; k < r->inputs; k++) text_add(script, "%s%s", k ? ", " : "", r->input[k].name);
    text_add(script, "):\n");
    for (int k = 0; k < r->inputs && g->uses_rows; k++) {
        const import_face *face = &r->input[k];
        if (!face->rank || face->rows[0] != 1) continue;
        text_add(script, "    N = batch(%s)\n", face->name);
        break;
    }
    if (g->body.at) text_bytes(script, g->body.at, g->body.size);
}

static bool ends_in_softmax(const import_graph *g) {
    return !strcmp(import_find(g, g->model.output[0].name)->op, "Softmax");
}

static void write_training(import_graph *g) {
    const import_result *r = g->result;
    spor_text *script = &g->result->script;
    const bool trains = g->wish->data, one = r->inputs == 1 && r->outputs == 1;
    const char *loss = r->outputs && r->output[0].rank == 2 ? "cross_entropy" : "squared_error";
    const char *before = trains ? "" : "# ";
    if (trains && !one) import_refuse(g, "train(...) takes a network of one input and one output");
    if (!one) return;
    if (!trains) text_add(script, "\n# To train on, with data of yours:\n");
    if (!trains && ends_in_softmax(g))
        text_add(
            script,
            "# (the loss takes what is before the softmax: return that, or import with --data)\n");
    text_add(script,
             "%s%strain(%s, data=%s, loss=%s(reduction=\"mean\"),\n"
             "%s      optimizer=adam(rate=0.001), batch=32, epochs=5)\n",
             trains ? "\n" : "", before, g->wish->def,
             trains ? g->wish->data : "digits(scale=1/16)", loss, before);
}

/* ---- weights ---- */

static void *narrowed(import_graph *g, const import_weight *w, int64_t count) {
    if (w->wide) return (void *)(uintptr_t)w->value;
    float *value = import_take(g, (size_t)count, sizeof *value);
    for (int64_t k = 0; k < count; k++) value[k] = (float)w->value[k];
    return value;
}

static void write_weights(import_graph *g) {
    safetensor *tensor = import_take(g, g->weights, sizeof *tensor);
    for (uint32_t k = 0; k < g->weights; k++) {
        const import_weight *w = &g->weight[k];
        int64_t count = 1;
        tensor[k] = (safetensor){.name = w->name,
                                 .shape = {.rank = w->rank},
                                 .type = {RAW_REAL, w->wide ? 8 : 4, false}};
        for (int j = 0; j < w->rank; j++) {
            tensor[k].shape.n[j] = w->size[j];
            count *= w->size[j];
        }
        tensor[k].value = narrowed(g, w, count);
        g->result->numbers += count;
    }
    g->result->tensors = (int)g->weights;
    safetensors_write(&g->result->weights, NULL, 0, tensor, (int)g->weights);
}

void import_write(import_graph *g) {
    write_head(g);
    write_def(g);
    write_training(g);
    write_weights(g);
    g->result->lines = g->lines;
    if (g->result->script.failed || g->result->weights.failed || g->body.failed) import_exhaust(g);
}
