/* spor ops: the ops of the registry and the fast paths, as their descriptors tell them. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include "base/nearest.h"
#include "kernels/element.h"
#include "program/fast.h"

/* ---- the groups of the list ---- */

static bool has_kind(const spor_op *op, unsigned kinds) {
    spor_signature signature = {0};
    signature_parse(op->signature, &signature);
    for (int k = 0; k < signature.attrs; k++)
        if (kinds >> signature.attr[k].kind & 1) return true;
    return false;
}

static bool is_leaf(const spor_op *op) {
    return op->traits & SPOR_LEAF;
}
static bool is_elementwise(const spor_op *op) {
    spor_signature signature = {0};
    signature_parse(op->signature, &signature);
    for (int k = 0; k < signature.operands; k++)
        if (!signature.operand[k].any || signature.operand[k].axes) return false;
    return true;
}
static bool is_along_axes(const spor_op *op) {
    return has_kind(op, 1u << SPOR_KIND_AXIS | 1u << SPOR_KIND_AXES);
}
static bool is_layout(const spor_op *op) {
    return has_kind(op, 1u << SPOR_KIND_SIZES | 1u << SPOR_KIND_PERM | 1u << SPOR_KIND_SHAPE);
}
static bool is_any(const spor_op *op) {
    return op != NULL;
}

/* An op stands in the first group that it belongs to. */
static const struct {
    const char *title;
    bool (*has)(const spor_op *op);
} groups[] = {
    {"Leaves", is_leaf},
    {"Element by element, operands of one shape", is_elementwise},
    {"Along axes", is_along_axes},
    {"Layout", is_layout},
    {"Products and windows", is_any},
};
enum { GROUPS = sizeof groups / sizeof groups[0] };

static int group_of(const spor_op *op) {
    int k = 0;
    while (!groups[k].has(op)) k++;
    return k;
}

/* Signature and equation, side by side if they fit. */
static void list_op(const spor_op *op) {
    enum { EQUATION = 44 };
    bool fits = strlen(op->signature) < EQUATION;
    printf("  %-*s%s", EQUATION, op->signature, fits ? "" : "\n");
    printf("%*s%s\n", fits ? 0 : EQUATION + 2, "", op->equation);
    if (op->convention) printf("%*s(%s)\n", EQUATION + 4, "", op->convention);
}

static void list_ops(void) {
    for (int k = 0; k < GROUPS; k++) {
        printf("%s%s\n", k ? "\n" : "", groups[k].title);
        for (int i = 0; spor_ops[i]; i++) {
            const spor_op *op = spor_ops[i];
            if (group_of(op) != k) continue;
            list_op(op);
        }
    }
}

static void list_fast_paths(void) {
    if (!spor_fast_paths[0]) return;
    puts("\nFast paths: patterns that programs replace by hand-derived code, first match first");
    for (int k = 0; spor_fast_paths[k]; k++) {
        const spor_fast *path = spor_fast_paths[k];
        printf("  %-24s %s\n  %-24s   %s\n", path->name, path->pattern, "", path->equations);
    }
}

/* ---- one op ---- */

static const char *kind_text(spor_kind kind) {
    static const char *const texts[] = {
        [SPOR_KIND_INT] = "an integer",
        [SPOR_KIND_REAL] = "a real number",
        [SPOR_KIND_INT2] = "two integers (height, width), or one for both",
        [SPOR_KIND_INT4] = "four integers (top, bottom, left, right)",
        [SPOR_KIND_AXIS] = "an axis",
        [SPOR_KIND_AXES] = "one axis or a list of axes",
        [SPOR_KIND_SIZES] = "one integer for each axis",
        [SPOR_KIND_PERM] = "a permutation of the axes",
        [SPOR_KIND_SHAPE] = "a shape",
        [SPOR_KIND_VALUES] = "as many numbers as the shape has, of a program in C",
    };
    return texts[kind];
}

static void show_traits(const spor_op *op) {
    static const struct {
        unsigned trait;
        const char *text;
    } texts[] = {
        {SPOR_LINEAR, "linear"},
        {SPOR_BILINEAR, "bilinear: linear in each operand"},
        {SPOR_LINEAR_FIRST, "linear in its first operand"},
        {SPOR_LINEAR_REST, "linear in its operands but the first"},
        {SPOR_KINKED, "not differentiable everywhere"},
        {SPOR_MIXES_SAMPLES, "a row of the result may depend on other rows"},
        {SPOR_ALIAS, "costs nothing: the same numbers in the same order"},
        {SPOR_VALUE_SLOPE, "its derivative is a function of its value"},
        {SPOR_SHARES, "shares: no number is negative, along its axis they add up to 1"},
        {SPOR_CHANCES, "chances: every number lies between 0 and 1"},
    };
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
        if (op->traits & texts[k].trait) printf("  %s\n", texts[k].text);
}

static void show_attributes(const spor_signature *signature) {
    for (int k = 0; k < signature->attrs; k++) {
        const spor_signature_attr *attr = &signature->attr[k];
        printf("  %-10s %s", attr->name, kind_text(attr->kind));
        if (attr->has_default && attr->same_as < 0) printf("; %g if left out", attr->value);
        if (attr->has_default && attr->same_as >= 0)
            printf("; as %s if left out", signature->attr[attr->same_as].name);
        putchar('\n');
    }
}

static void show_op(const spor_op *op) {
    spor_signature signature;
    printf("%s\n\n  %s\n", op->signature, op->equation);
    if (op->convention) printf("  %s\n", op->convention);
    if (signature_parse(op->signature, &signature) && signature.attrs) {
        putchar('\n');
        show_attributes(&signature);
    }
    putchar('\n');
    show_traits(op);
    if (!(op->traits & SPOR_LEAF))
        printf("  %s\n", op->vjp ? "has a derivative" : "has no derivative");
    const char *between = "  runs in ";
    for (int k = 0; k < SPOR_SCALARS; k++) {
        if (!op->reference || !op->reference[k] || !*op->reference[k]) continue;
        printf("%s%s", between, element_types[k]->text);
        between = ", ";
    }
    printf("\n  defined in ops/%s.c\n", signature.name);
}

static int no_such_op(const char *word) {
    char text[128][SPOR_NAME];
    const char *names[128];
    int count = 0;
    for (; count < 128 && spor_ops[count]; count++) {
        op_name(spor_ops[count], text[count], SPOR_NAME);
        names[count] = text[count];
    }
    const char *near = nearest_name(word, count, names);
    return command_fail(&spor_command_ops, "there is no op %s%s%s%s", word,
                        near ? "; did you mean " : "; spor ops lists them", near ? near : "",
                        near ? "?" : "");
}

static int run(int argc, char **argv) {
    const spor_option options[] = {{0}};
    const char *name;
    int status = options_read(&spor_command_ops, options, 0, 1, &name, argc, argv);
    if (status != SPOR_EXIT_NOT_YET) return status;
    if (!name) return list_ops(), list_fast_paths(), SPOR_EXIT_DONE;
    const spor_op *op = op_find(name);
    return op ? (show_op(op), SPOR_EXIT_DONE) : no_such_op(name);
}

const spor_command spor_command_ops = {
    .name = "ops",
    .operands = "[NAME]",
    .summary = "Lists the ops with their equations and conventions, or tells all about one.",
    .help = "x[N,H,W,C] names an operand and its axes; [...] is any shape, the same for all such\n"
            "operands; what follows the semicolon are attributes.\n"
            "\n"
            "Examples\n"
            "  spor ops\n"
            "  spor ops maxpool2d\n",
    .run = run,
};
