/* einsum("ij,jk->ik", x, y): Einstein's sums. */
#include "tape/einsum.h"

#include "script/interpret.h"

/* An axis of the result has the name of the first operand's axis of this label that has one. */
static const spor_axes *result_axes(spor_pass *run, const einsum_plan *plan,
                                    const spor_value operand[]) {
    spor_axes *axes = ground_take(&run->ground, 1, sizeof *axes);
    for (int k = 0; k < plan->out.n; k++)
        for (int j = plan->operands - 1; j >= 0; j--)
            for (int a = 0; a < plan->of[j].n && operand[j].t.axes; a++)
                if (plan->of[j].label[a] == plan->out.label[k] && operand[j].t.axes->symbol[a])
                    axes->symbol[k] = operand[j].t.axes->symbol[a];
    return axes;
}

static spor_value einsum(const spor_given *g) {
    const spor_arguments *a = g->all;
    spor_value operand[EINSUM_OPERANDS];
    spor_var x[EINSUM_OPERANDS];
    spor_shape shape[EINSUM_OPERANDS];
    einsum_plan plan;
    spor_message message = {""};
    if (a->n < 2)
        pass_fail(g->run, g->place,
                  "einsum takes subscripts and tensors: einsum(\"ij,jk->ik\", x, y)");
    const char *subscripts = want_string(g->run, a->at[0], "einsum: subscripts", &a->value[0]);
    int n = a->n - 1;
    for (int k = 0; k < n && k < EINSUM_OPERANDS; k++) {
        operand[k] = want_tensor(g->run, a->at[k + 1], "einsum: an operand", &a->value[k + 1]);
        x[k] = operand[k].t.var;
        shape[k] = spor_shape_of(x[k]);
    }
    if (!einsum_read(subscripts, n, shape, &plan, &message))
        pass_fail(g->run, a->at[0], "%s", message.text);
    pass_record(g->run, g->place);
    spor_var z = pass_recorded(g->run, einsum_record(&plan, x));
    return value_of_tensor(z, result_axes(g->run, &plan, operand));
}

const spor_builtin spor_einsum_builtins[] = {{"einsum", "*", einsum}, {NULL, NULL, NULL}};
