/*
 * Values in words: see value.h.
 */
#include "data/text.h"
#include "script/interpret.h"

#include <string.h>

const char *value_kind_name(const spor_value *v) {
    static const char *const names[] = {
        [VALUE_NOTHING] = "nothing",  [VALUE_INT] = "integer",         [VALUE_REAL] = "real",
        [VALUE_BOOL] = "boolean",     [VALUE_STRING] = "string",       [VALUE_LIST] = "list",
        [VALUE_TENSOR] = "tensor",    [VALUE_FUNCTION] = "function",   [VALUE_BUILTIN] = "function",
        [VALUE_OP] = "function",      [VALUE_DATA] = "data",           [VALUE_LOSS] = "loss",
        [VALUE_LOSS_CALL] = "loss",   [VALUE_OPTIMIZER] = "optimizer", [VALUE_CLIP] = "clip",
        [VALUE_SCHEDULE] = "schedule"};
    return names[v->kind];
}

static void write_shape(spor_note *note, spor_shape shape) {
    note_add(note, "[");
    for (int k = 0; k < shape.rank; k++) note_add(note, "%s%" PRId64, k ? ", " : "", shape.n[k]);
    note_add(note, "]");
}

static const char *callable_name(const spor_value *v, char op[SPOR_NAME]) {
    if (v->kind == VALUE_FUNCTION) return v->function->def->name;
    if (v->kind == VALUE_BUILTIN) return v->builtin->name;
    op_name(v->op, op, SPOR_NAME);
    return op;
}

const char *value_describe(spor_ground *ground, const spor_value *v) {
    char out[160], name[SPOR_NAME];
    spor_note note = {out, sizeof out, 0};
    out[0] = 0;
    switch (v->kind) {
    case VALUE_NOTHING:
        return "nothing (a def without return)";
    case VALUE_INT:
        note_add(&note, "the integer %" PRId64, v->i);
        break;
    case VALUE_REAL:
        note_add(&note, "the real "), value_write(&note, v);
        break;
    case VALUE_BOOL:
        return v->b ? "True" : "False";
    case VALUE_STRING:
        note_add(&note, "the string \"%.60s\"", v->s);
        break;
    case VALUE_LIST:
        note_add(&note, "a list of %d", v->list.n);
        break;
    case VALUE_TENSOR:
        note_add(&note, "a tensor ");
        write_shape(&note, spor_shape_of(v->t.var));
        break;
    case VALUE_FUNCTION:
    case VALUE_BUILTIN:
    case VALUE_OP:
        note_add(&note, "the function %s", callable_name(v, name));
        break;
    case VALUE_DATA:
        return "a data set";
    case VALUE_LOSS:
    case VALUE_LOSS_CALL:
        return "a loss";
    case VALUE_OPTIMIZER:
        return "an optimizer";
    case VALUE_CLIP:
        return "a clip";
    case VALUE_SCHEDULE:
        return "a schedule";
    }
    return ground_take_text(ground, out, strlen(out));
}

/* A real always shows a point or an exponent. */
static void write_real(spor_note *note, double r) {
    spor_text text = {0};
    text_real(&text, r);
    bool whole =
        !text.failed && !memchr(text.at, '.', text.size) && !memchr(text.at, 'e', text.size);
    if (!text.failed) note_add(note, "%.*s%s", (int)text.size, text.at, whole ? ".0" : "");
    text_free(&text);
}

static void write_list(spor_note *note, const spor_list *list) {
    note_add(note, "[");
    for (int k = 0; k < list->n && note->used + 1 < note->size; k++) {
        if (k) note_add(note, ", ");
        value_write(note, &list->item[k]);
    }
    note_add(note, "]");
}

void value_write(spor_note *note, const spor_value *v) {
    char name[SPOR_NAME];
    switch (v->kind) {
    case VALUE_INT:
        note_add(note, "%" PRId64, v->i);
        break;
    case VALUE_REAL:
        write_real(note, v->r);
        break;
    case VALUE_BOOL:
        note_add(note, "%s", v->b ? "True" : "False");
        break;
    case VALUE_STRING:
        note_add(note, "%s", v->s);
        break;
    case VALUE_LIST:
        write_list(note, &v->list);
        break;
    case VALUE_TENSOR:
        note_add(note, "tensor ");
        write_shape(note, spor_shape_of(v->t.var));
        break;
    case VALUE_FUNCTION:
    case VALUE_BUILTIN:
    case VALUE_OP:
        note_add(note, "%s", callable_name(v, name));
        break;
    default:
        note_add(note, "%s", value_kind_name(v));
    }
}
