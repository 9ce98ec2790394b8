/* Tapes as text: one equation a line, under the scope that recorded it. */
#include <string.h>

#include "tape/tape.h"

/* Where shapes stand: behind the longest line, but for lines that are longer than most. */
enum { SHAPE_COLUMN = 48, MOST_COLUMN = 96 };

/* All functions below return how many characters they wrote. */

/* Length of the part of a full name that scope, or the closest scope around it, says already. */
static size_t said_by_scope(const spor_tape *tape, uint32_t scope, const char *name) {
    for (; scope; scope = tape->scope[scope].parent) {
        const char *path = tape->scope[scope].path;
        size_t length = strlen(path);
        if (!strncmp(name, path, length) && name[length] == '/') return length + 1;
    }
    return 0;
}

/* A node as seen from a scope: its own name, or v and its number. */
static int print_name(const spor_tape *tape, uint32_t scope, uint32_t id, FILE *out) {
    const char *name = tape->node[id].name;
    if (!name) return fprintf(out, "v%" PRIu32, id);
    return fprintf(out, "%s", name + said_by_scope(tape, scope, name));
}

static int print_list(const spor_attr *slot, int count, FILE *out) {
    int written = fprintf(out, "[");
    for (int k = 0; k < count; k++) written += fprintf(out, "%s%" PRId64, k ? ", " : "", slot[k].i);
    return written + fprintf(out, "]");
}

/* axes is a bit mask, printed as a list of axes. */
static int print_axes(int64_t axes, FILE *out) {
    spor_attr list[SPOR_RANK];
    int count = 0;
    for (int k = 0; k < SPOR_RANK; k++)
        if (axes >> k & 1) list[count++].i = k;
    return print_list(list, count, out);
}

/* The first of so many numbers. */
static int print_numbers(const double value[], int64_t count, FILE *out) {
    enum { FIRST = 4 };
    int written = fprintf(out, "[");
    for (int k = 0; k < count && k < FIRST; k++)
        written += fprintf(out, "%s%g", k ? ", " : "", value[k]);
    return written + fprintf(out, count > FIRST ? ", ...]" : "]");
}

/* rank is operand 0's, size the result's. */
static int print_value(const spor_signature_attr *attr, const spor_attr *slot, int rank,
                       int64_t size, FILE *out) {
    switch (attr->kind) {
    case SPOR_KIND_VALUES:
        return print_numbers(slot[1].values, size, out);
    case SPOR_KIND_REAL:
        return fprintf(out, "%.17g", slot->r);
    case SPOR_KIND_AXES:
        return print_axes(slot->i, out);
    case SPOR_KIND_SIZES:
    case SPOR_KIND_PERM:
        return print_list(slot, rank, out);
    case SPOR_KIND_INT2:
    case SPOR_KIND_INT4:
        return print_list(slot, attr->slots, out);
    default:
        return fprintf(out, "%" PRId64, slot->i);
    }
}

/* True if the attribute is what the signature says, or the shape, which stands behind each line. */
static bool goes_without_saying(const spor_signature_attr *attr, const spor_attr *slot, int rank) {
    if (attr->kind == SPOR_KIND_SHAPE) return true;
    if (!attr->has_default || attr->same_as >= 0) return false;
    if (attr->kind == SPOR_KIND_REAL) return !(slot->r < attr->value) && !(slot->r > attr->value);
    int slots = attr->kind == SPOR_KIND_SIZES ? rank : attr->slots;
    for (int k = 0; k < slots; k++)
        if (slot[k].i != (int64_t)attr->value) return false;
    return true;
}

int tape_print_attributes(const spor_tape *tape, const spor_node *node,
                          const spor_signature *signature, int before, FILE *out) {
    int rank = signature->operands ? tape->node[node->in[0]].shape->rank : 0, written = 0;
    for (int k = 0; k < signature->attrs; k++) {
        const spor_attr *slot = node->attr + signature->attr[k].slot;
        if (goes_without_saying(&signature->attr[k], slot, rank)) continue;
        written += fprintf(out, "%s%s=", before++ ? ", " : "", signature->attr[k].name);
        written += print_value(&signature->attr[k], slot, rank, shape_size(node->shape), out);
    }
    return written;
}

static int print_call(const spor_tape *tape, const spor_node *node, FILE *out) {
    spor_signature signature;
    signature_parse(node->op->signature, &signature);
    int written = fprintf(out, "%s(", signature.name), shown = 0;
    for (int k = 0; k < signature.operands; k++) {
        written += fprintf(out, "%s", shown++ ? ", " : "");
        written += print_name(tape, node->scope, node->in[k], out);
    }
    written += tape_print_attributes(tape, node, &signature, shown, out);
    return written + fprintf(out, ")");
}

/* -x, or x + y, or a call. */
static int print_right_side(const spor_tape *tape, const spor_node *node, FILE *out) {
    const char *infix = node->op->infix;
    int written = 0;
    if (!infix) return print_call(tape, node, out);
    if (node->op->operands > 1) written += print_name(tape, node->scope, node->in[0], out);
    written += fprintf(out, node->op->operands > 1 ? " %s " : "%s", infix);
    return written + print_name(tape, node->scope, node->in[node->op->operands - 1], out);
}

/* The setting that the node is, or NULL. */
static const spor_dial *setting_of(const spor_tape *tape, uint32_t id) {
    for (uint32_t k = 0; k < tape->settings; k++)
        if (tape->setting[k].id == id) return &tape->setting[k];
    return NULL;
}

/* name = equation */
static int print_equation(const spor_tape *tape, uint32_t id, FILE *out) {
    const spor_node *node = &tape->node[id];
    const spor_dial *setting = setting_of(tape, id);
    int written = fprintf(out, node->scope ? "  " : "");
    written += print_name(tape, node->scope, id, out);
    written += fprintf(out, " = ");
    return written + (setting ? fprintf(out, "setting(%g)", setting->value)
                              : print_right_side(tape, node, out));
}

/* The column of the shapes of some nodes. What is measured is written nowhere. */
static int shape_column(const spor_tape *tape, uint32_t first, uint32_t last) {
    int column = SHAPE_COLUMN;
    char nothing[4096];
    FILE *nowhere = fmemopen(nothing, sizeof nothing, "w");
    for (uint32_t id = first; nowhere && id < last; id++) {
        int written = print_equation(tape, id, nowhere);
        rewind(nowhere);
        if (written > column && written <= MOST_COLUMN) column = written;
    }
    if (nowhere) fclose(nowhere);
    return column;
}

void spor_tape_print(const spor_tape *tape, uint32_t first, uint32_t last, FILE *out) {
    uint32_t scope = 0;
    if (!tape || !out) return;
    if (!last || last > tape->count) last = tape->count;
    if (!first) first = 1;
    int column = shape_column(tape, first, last);
    for (uint32_t id = first; id < last; id++) {
        uint32_t own = tape->node[id].scope;
        char shape[128];
        if (own && own != scope) fprintf(out, "%s:\n", tape->scope[own].path);
        scope = own;
        int written = print_equation(tape, id, out);
        tape_shape_text(tape->node[id].shape, NULL, shape, sizeof shape);
        fprintf(out, "%*s  # %s\n", written < column ? column - written : 0, "", shape);
    }
}
