/*
 * Inputs and outputs of the graph: their sizes, names, and in which order of axes they are in the script.
 */
#include <stdio.h>
#include <string.h>

#include "import/graph.h"

/* ---- inputs ---- */

static import_size open_size(import_graph *g, const onnx_value_info *info, int axis) {
    const char *name = info->axis[axis].name;
    if (info->axis[axis].size > INT32_MAX)
        import_refuse(g, "input '%.200s' has more than 2^31 elements along an axis", info->name);
    if (g->opens && !axis && info->rank > 1 && info->axis[0].size > 0) {
        g->file_rows = info->axis[0].size;
        g->has_rows = true;
        return (import_size){0, 1};
    }
    if (info->axis[axis].size >= 0) return import_fixed(info->axis[axis].size);
    if (axis)
        import_refuse(
            g,
            "axis %d of input '%.200s' is open (%.100s), and only the first one, the rows, may be: "
            "export the network with a fixed size there",
            axis, info->name, *name ? name : "without a name");
    if (g->rows_name && *g->rows_name && *name && strcmp(name, g->rows_name) != 0)
        import_refuse(g, "two inputs have different open sizes, '%.100s' and '%.100s'",
                      g->rows_name, name);
    if (!g->rows_name || !*g->rows_name) g->rows_name = name;
    g->has_rows = true;
    return (import_size){0, 1};
}

static void add_input(import_graph *g, const onnx_value_info *info) {
    import_result *result = g->result;
    import_value *v = import_add(g, info->name);
    if (info->rank < 0)
        import_refuse(g, "input '%.200s' has no shape: export the network with sizes", info->name);
    if (result->inputs == IMPORT_INPUTS) import_refuse(g, "has more than %d inputs", IMPORT_INPUTS);
    v->type = info->type;
    v->rank = info->rank;
    for (int k = 0; k < v->rank; k++) v->size[k] = open_size(g, info, k);
    v->there = true;
    v->given = v;
    g->wide = g->wide || v->type == ONNX_IS_DOUBLE;
    result->inputs++;
}

static bool is_tensor(const import_graph *g, const char *name) {
    for (int k = 0; k < g->model.tensors; k++)
        if (!strcmp(g->model.tensor[k].name, name)) return true;
    return false;
}

void import_add_inputs(import_graph *g) {
    int count = 0;
    for (int k = 0; k < g->model.inputs; k++) count += !is_tensor(g, g->model.input[k].name);
    g->opens = g->opens && count == 1;
    for (int k = 0; k < g->model.inputs; k++)
        if (!is_tensor(g, g->model.input[k].name)) add_input(g, &g->model.input[k]);
}

/* What a value is outside of the script. */
static void describe(const import_value *v, const char *name, const int order[],
                     import_face *face) {
    int maps[SPOR_RANK];
    held_channels_order(v->rank, maps);
    *face = (import_face){.rank = v->rank, .maps = v->rank > 2};
    snprintf(face->name, sizeof face->name, "%s", name);
    for (int k = 0; k < v->rank; k++) {
        face->from[k] = order[k];
        face->size[k] = v->size[order[k]].a;
        face->rows[k] = v->size[order[k]].b;
        face->maps = face->maps && order[k] == maps[k];
    }
    face->whole = !onnx_is_real(v->type);
}

void import_name_inputs(import_graph *g) {
    import_result *result = g->result;
    const bool alone = result->inputs == 1;
    int k = 0;
    for (int j = 0; j < g->model.inputs; j++) {
        import_value *v = import_find(g, g->model.input[j].name);
        int order[SPOR_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
        if (v->numbers) continue;
        if (v->maps && v->rank > 2) held_channels_order(v->rank, order);
        const char *name = import_name(g, alone ? "x" : v->name, "input");
        held_keep(v, name, order);
        describe(v, name, order, &result->input[k++]);
    }
    if (!k) import_refuse(g, "has no inputs: it is one number, not a network");
}

/* ---- outputs ---- */

/* Maps stay maps; anything else goes out as the file has it. */
static const char *output_text(import_call *c, import_value *v, int order[]) {
    static const int maps[] = {0, 2, 3, 1}, plain[] = {0, 1, 2, 3, 4, 5, 6, 7};
    import_known *known = import_known_of(c->g, v);
    bool lies = v->rank == 4 && v->forms;
    for (int k = 0; k < 4 && lies; k++) lies = v->form[0].order[k] == maps[k];
    for (int k = 0; k < v->rank; k++) order[k] = lies ? maps[k] : plain[k];
    return known ? held_tensor(c, known) : held_reach(c, v, order);
}

/* A variable that is an input or another output gets a name of its own: a result's name is its file's. */
static const char *name_apart(import_graph *g, const import_value *v, const char *text,
                              const int order[], int outputs, const char *const output[]) {
    bool taken = false;
    for (int k = 0; k < outputs; k++) taken = taken || !strcmp(output[k], text);
    for (int k = 0; k < g->result->inputs && g->model.outputs > 1; k++)
        taken = taken || !strcmp(g->result->input[k].name, text);
    if (!taken) return text;
    const char *name = import_name(g, v->name, "output");
    import_add_line(g, name, text, v->rank, v->size, order);
    return name;
}

void import_give_outputs(import_graph *g) {
    const onnx_model *m = &g->model;
    const onnx_node nobody = {.name = "", .op = ""};
    import_call c = {.g = g, .node = &nobody};
    if (!m->outputs) import_refuse(g, "has no output");
    if (m->outputs > IMPORT_OUTPUTS)
        import_refuse(g, "has %d outputs, and a def returns at most %d", m->outputs,
                      IMPORT_OUTPUTS);
    const char *list = "", *output[IMPORT_OUTPUTS];
    for (int k = 0; k < m->outputs; k++) {
        int order[SPOR_RANK];
        import_value *v = import_find(g, m->output[k].name);
        if (!v->there) import_refuse(g, "nothing makes its output '%.200s'", v->name);
        const char *text = output_text(&c, v, order);
        output[k] = text = name_apart(g, v, text, order, k, output);
        describe(v, text, order, &g->result->output[k]);
        list = import_say(g, "%s%s%s", list, k ? ", " : "", text);
    }
    g->result->outputs = m->outputs;
    text_add(&g->body, "    return %s\n", list);
}
