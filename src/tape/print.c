/* Tapes as text: one equation a line. */
#include <string.h>

#include "tape/tape.h"

/* Name of a node: its own, or v and its number. */
static void print_name(const spor_tape *tape, uint32_t id, FILE *out) {
    const char *name = tape->node[id].name;
    if (name)
        fputs(name, out);
    else
        fprintf(out, "v%" PRIu32, id);
}

static void print_list(const spor_attr *slot, int count, FILE *out) {
    fputc('[', out);
    for (int k = 0; k < count; k++) fprintf(out, "%s%" PRId64, k ? ", " : "", slot[k].i);
    fputc(']', out);
}

/* axes is a bit mask, printed as a list of axes. */
static void print_axes(int64_t axes, FILE *out) {
    spor_attr list[SPOR_RANK];
    int count = 0;
    for (int k = 0; k < SPOR_RANK; k++)
        if (axes >> k & 1) list[count++].i = k;
    print_list(list, count, out);
}

static void print_attr(const spor_signature_attr *attr, const spor_attr *slot, int rank,
                       FILE *out) {
    fprintf(out, "%s=", attr->name);
    switch (attr->kind) {
    case SPOR_KIND_REAL:
        fprintf(out, "%.17g", slot->r);
        break;
    case SPOR_KIND_AXES:
        print_axes(slot->i, out);
        break;
    case SPOR_KIND_SHAPE:
        print_list(slot + 1, (int)slot->i, out);
        break;
    case SPOR_KIND_SIZES:
    case SPOR_KIND_PERM:
        print_list(slot, rank, out);
        break;
    case SPOR_KIND_INT2:
    case SPOR_KIND_INT4:
        print_list(slot, attr->slots, out);
        break;
    default:
        fprintf(out, "%" PRId64, slot->i);
    }
}

static void print_call(const spor_tape *tape, const spor_node *node, FILE *out) {
    spor_signature signature;
    spor_signature_parse(node->op->signature, &signature);
    fprintf(out, "%s(", signature.name);
    for (int k = 0; k < signature.operands; k++) {
        if (k) fputs(", ", out);
        print_name(tape, node->in[k], out);
    }
    int rank = signature.operands ? tape->node[node->in[0]].shape->rank : 0;
    for (int k = 0; k < signature.attrs; k++) {
        if (k || signature.operands) fputs(", ", out);
        print_attr(&signature.attr[k], node->attr + signature.attr[k].slot, rank, out);
    }
    fputc(')', out);
}

static void print_right_side(const spor_tape *tape, const spor_node *node, FILE *out) {
    const char *infix = node->op->infix;
    if (!infix) {
        print_call(tape, node, out);
        return;
    }
    if (node->op->operands > 1) {
        print_name(tape, node->in[0], out);
        fputc(' ', out);
    }
    fputs(infix, out);
    if (node->op->operands > 1) fputc(' ', out);
    print_name(tape, node->in[node->op->operands - 1], out);
}

void spor_tape_print(const spor_tape *tape, uint32_t first, uint32_t last, FILE *out) {
    if (!tape) return;
    if (!last || last > tape->count) last = tape->count;
    for (uint32_t id = first ? first : 1; id < last; id++) {
        const spor_node *node = &tape->node[id];
        char shape[128];
        spor_shape_text(node->shape, NULL, shape, sizeof shape);
        print_name(tape, id, out);
        fputs(" = ", out);
        print_right_side(tape, node, out);
        fprintf(out, "    # %s", shape);
        const char *path = tape->scope[node->scope].path;
        fprintf(out, "%s%s\n", *path ? " in " : "", path);
    }
}
