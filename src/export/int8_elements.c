/* Functions of one number: what a chain of elementwise nodes makes of some, by its reference kernels in double. */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/shape.h"
#include "export/int8.h"

/* Values of one node at all points. */
static void apply(const int8_graph *g, uint32_t id, bool channels, int64_t n, double *const made[],
                  double *out) {
    const spor_node *node = int8_node_of(g, id);
    spor_arg in[SPOR_OPERANDS];
    spor_call call = {.out = {.data = out, .shape = SPOR_SHAPE(n), .stride = {1}},
                      .in = in,
                      .operands = node->op->operands,
                      .attr = node->attr};
    for (int k = 0; k < call.operands; k++) {
        uint32_t from = int8_operand(g, id, k);
        double *value = made[from] ? made[from] : g->node[from].value;
        in[k] = (spor_arg){.data = value, .shape = SPOR_SHAPE(n)};
        in[k].stride[0] = made[from] || channels;
    }
    (*node->op->reference[SPOR_F64])(&call);
}

bool int8_evaluate(const int8_graph *g, uint32_t id, uint32_t source, bool channels, int64_t n,
                   const double x[], double y[]) {
    double **made = calloc((size_t)id + 1, sizeof *made);
    bool *wanted = calloc((size_t)id + 1, sizeof *wanted);
    bool done = made && wanted;
    if (done) {
        wanted[id] = true;
        made[source] = (double *)(uintptr_t)x; /* read only */
    }
    for (uint32_t at = id; done && at > source; at--)
        for (int k = 0; wanted[at] && k < int8_node_of(g, at)->op->operands; k++)
            if (!g->node[int8_operand(g, at, k)].constant) wanted[int8_operand(g, at, k)] = true;
    for (uint32_t at = source + 1; done && at <= id; at++) {
        if (!wanted[at]) continue;
        made[at] = malloc(bytes_for(n, sizeof(double)));
        done = made[at] != NULL;
        if (done) apply(g, at, channels, n, made, made[at]);
    }
    for (int64_t k = 0; done && k < n; k++) y[k] = made[id][k];
    for (uint32_t at = source + 1; made && at <= id; at++) free(made[at]);
    free(made);
    free(wanted);
    return done;
}
