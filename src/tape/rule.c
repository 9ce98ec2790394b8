/* What shape rules share. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tape/tape.h"

bool rule_fail(spor_rule *rule, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(rule->message, sizeof rule->message, format, arguments);
    va_end(arguments);
    return false;
}

int tape_shape_text(const spor_shape *shape, const spor_signature_operand *names, char *text,
                    size_t size) {
    size_t used = (size_t)snprintf(text, size, "[");
    int unnamed = names ? shape->rank - names->axes : shape->rank;
    for (int k = 0; k < shape->rank && used + 32 < size; k++) {
        const char *name = unnamed >= 0 && k >= unnamed ? names->axis[k - unnamed] : "";
        used += (size_t)snprintf(text + used, size - used, "%s%s%s%" PRId64, k ? ", " : "", name,
                                 *name ? "=" : "", shape->n[k]);
    }
    return (int)(used + (size_t)snprintf(text + used, size - used, "]"));
}

bool rule_rank(spor_rule *rule, int operand, int rank) {
    if (rule->in[operand].rank == rank) return true;
    spor_signature signature = {0};
    signature_parse(rule->op->signature, &signature);
    const spor_signature_operand *names = &signature.operand[operand];
    char axes[SPOR_RANK * (SPOR_NAME + 2)] = "";
    for (int k = 0; k < names->axes; k++) {
        strcat(axes, k ? ", " : "");
        strcat(axes, names->axis[k]);
    }
    return rule_fail(rule, "%s has %d axes but %s expects %d [%s]", names->name,
                     rule->in[operand].rank, signature.name, rank, axes);
}

bool rule_elementwise(spor_rule *rule) {
    for (int k = 1; k < rule->operands; k++) {
        if (shape_equal(&rule->in[0], &rule->in[k])) continue;
        spor_signature signature = {0};
        signature_parse(rule->op->signature, &signature);
        return rule_fail(rule, "%s and %s must have one shape; broadcast one of them first",
                         signature.operand[0].name, signature.operand[k].name);
    }
    rule->out = rule->in[0];
    return true;
}
