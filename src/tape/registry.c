/* The registry: the list of ops/meson.build in C. */
#include "tape/op.h"

#include <string.h>

#include "registry.h"

#define DECLARE(name) extern const spor_op spor_op_##name;
#define ENTRY(name) &spor_op_##name,

SPOR_EACH_OP(DECLARE)

const spor_op *const spor_ops[] = {SPOR_EACH_OP(ENTRY) NULL};

int op_name(const spor_op *op, char *name, int size) {
    int length = (int)strcspn(op->signature, "(");
    snprintf(name, (size_t)size, "%.*s", length, op->signature);
    return length;
}

const spor_op *op_find(const char *name) {
    size_t length = strlen(name);
    for (int k = 0; spor_ops[k]; k++)
        if (!strncmp(spor_ops[k]->signature, name, length) && spor_ops[k]->signature[length] == '(')
            return spor_ops[k];
    return NULL;
}
