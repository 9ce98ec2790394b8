#include "cases.h"

#include "networks.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/shape.h"
#include "claims/claims.h"
#include "export/export.h"
#include "run/run.h"
#include "tape/tape.h"
#include "train/model.h"

/* Ends the program if that is false: the cases are made without Check, too. */
static void demand(bool is, const char *format, ...) {
    va_list arguments;
    if (is) return;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

/* ---- single tapes ---- */

/* Exports out of x with fixed sizes, runs it by reference on the machine's numbers and shows it. */
static void show_tape(const char *name, opcheck_machine *m, export_look *look, void *user) {
    spor_text bytes = {0};
    onnx_outcome outcome;
    spor_message message = {""};
    const onnx_source source = {.name = name, .output = m->out[0], .scalar = m->scalar};
    demand(onnx_of_tape(&source, &bytes, &outcome, &message), "%s: %s", name, message.text);
    const bool ran = opcheck_run(m);
    demand(ran, "%s: %s", name, spor_program_error(m->program));
    export_case c = {.scalar = m->scalar, .bytes = &bytes, .inputs = m->inputs, .y = m->y[0]};
    snprintf(c.name, sizeof c.name, "%s", name);
    for (int k = 0; k < m->inputs; k++) {
        snprintf(c.input[k], sizeof c.input[k], "%s", tape_node_of(m->in[k])->name);
        c.x_shape[k] = spor_shape_of(m->in[k]);
        c.x[k] = m->x[k];
    }
    c.y_shape = spor_shape_of(m->out[0]);
    look(&c, user);
    text_free(&bytes);
}

/* ---- ops ---- */

static bool has_mapping(const spor_op *op) {
    return op->operands && (op->onnx || op->onnx_op);
}

/* What stands in the place of an op's sample that its mapping refuses. */
static bool is_refused(const opcheck_record *r) {
    spor_text bytes = {0};
    onnx_outcome outcome;
    spor_message message = {""};
    const onnx_source source = {.name = "sample", .output = r->out};
    bool done = onnx_of_tape(&source, &bytes, &outcome, &message);
    text_free(&bytes);
    if (!done) demand(strstr(message.text, "ONNX has nothing for"), "%s", message.text);
    return !done;
}

static void show_sample(const spor_op *op, int k, spor_scalar scalar, export_look *look,
                        void *user) {
    char name[SPOR_NAME], text[64];
    opcheck_record r = opcheck_record_op(op, op->samples[k].in, op->samples[k].attr);
    opcheck_machine m;
    op_name(op, name, sizeof name);
    snprintf(text, sizeof text, "%s_%d_%s", name, k, scalar == SPOR_F32 ? "f32" : "f64");
    demand(opcheck_build(&m, scalar, op->operands, r.in, 1, &r.out), "%s: not built", text);
    opcheck_draw(&m, op->operands, op->domain, (uint64_t)k + 1);
    if (!is_refused(&r)) show_tape(text, &m, look, user);
    opcheck_free(&m);
    spor_tape_free(r.tape);
}

int cases_of_ops(export_look *look, void *user) {
    int count = 0;
    for (int k = 0; spor_ops[k]; k++) {
        const spor_op *op = spor_ops[k];
        for (int s = 0; has_mapping(op) && op->samples[s].in[0].rank >= 0; s++, count++) {
            show_sample(op, s, SPOR_F32, look, user);
            show_sample(op, s, SPOR_F64, look, user);
        }
    }
    return count;
}

/* ---- layers, their weights given ---- */

enum { OPERANDS = 4, LINE = 8192 };

static spor_shape read_shape(const char **at) {
    spor_shape shape = {0};
    char *end = strchr(*at, '[') + 1;
    while (*end != ']') {
        shape.n[shape.rank++] = strtoll(end, &end, 10);
        end += strspn(end, ", ");
    }
    *at = end + 1;
    return shape;
}

/* False of one that makes its own weights, as those of networks.spor do. */
static bool show_layer(const char *call, int n, const spor_shape shape[], int number,
                       const char *models, export_look *look, void *user) {
    char text[400], name[64];
    spor_var x[OPERANDS], y;
    opcheck_machine m;
    snprintf(text, sizeof text, "include \"layers.spor\"\ndef f(%.*s):\n    return %.300s\n",
             3 * n - 2, "a, b, c, d", call);
    snprintf(name, sizeof name, "layer_%d_%.*s", number, (int)strcspn(call, "("), call);
    spor_script *script = script_read("s.spor", text, models, &claims_dialect);
    spor_tape *tape = spor_tape_new();
    for (int k = 0; k < n; k++) {
        const char letter[] = {(char)('a' + k), 0};
        x[k] = spor_input(tape, letter, shape[k]);
    }
    y = script_call(script, "f", tape, false, n, x);
    demand(!spor_error(tape), "%s: %s", call, spor_error(tape));
    if (tape->leaves) {
        spor_tape_free(tape);
        script_free(script);
        return false;
    }
    bool built = opcheck_build(&m, SPOR_F32, n, x, 1, &y);
    demand(built, "%s: %s", call, spor_program_error(m.program));
    for (int k = 0; k < n; k++) /* as tests/numpy/layers.py has them */
        for (int64_t j = 0; j < m.nx[k]; j++)
            m.x[k][j] = (double)((7 * j + 3 * k + 1) % 11 - 5) / 4;
    show_tape(name, &m, look, user);
    opcheck_free(&m);
    spor_tape_free(tape);
    script_free(script);
    return true;
}

int cases_of_layers(const char *source, export_look *look, void *user) {
    static char line[LINE];
    char path[1200], models[1200];
    int count = 0;
    snprintf(path, sizeof path, "%s/tests/script/layers.txt", source);
    snprintf(models, sizeof models, "%s/models", source);
    FILE *file = fopen(path, "r");
    demand(file != NULL, "%s", path);
    while (fgets(line, sizeof line, file)) {
        const char *at = line;
        spor_shape shape[OPERANDS];
        int n = 0;
        if (strncmp(line, "====", 4) != 0) continue;
        while (strchr(at, '[')) shape[n++] = read_shape(&at);
        demand(fgets(line, sizeof line, file) != NULL, "%s", "a case can't be made");
        line[strcspn(line, "\n")] = 0;
        count += show_layer(line, n, shape, count, models, look, user);
    }
    fclose(file);
    return count;
}

/* ---- networks ---- */

/* Double copies of floats. */
static double *doubles_of(const spor_arg *arg) {
    double *copy = calloc((size_t)shape_size(&arg->shape) + 1, sizeof *copy);
    demand(copy != NULL, "%s", "a case can't be made");
    for (int64_t j = 0; j < shape_size(&arg->shape); j++) copy[j] = (double)((float *)arg->data)[j];
    return copy;
}

/* What is asked to look at a case. */
typedef struct {
    export_look *look;
    void *user;
} looker;

static void show_network(const char *name, spor_model *model, int64_t rows, void *user) {
    const looker *by = user;
    spor_text bytes = {0};
    onnx_outcome outcome;
    spor_message message = {""};
    demand(onnx_of_model(model, name, 0, NULL, &bytes, &outcome, &message), "%s: %s", name,
           message.text);
    spor_bound *bound = model_bind_for(model, rows, MODEL_PREDICTS);
    demand(bound != NULL, "%s: %s", name, spor_model_error(model));
    for (int64_t j = 0; j < shape_size(&bound->x.shape); j++)
        ((float *)bound->x.data)[j] = (float)random_uniform(3, 0, (uint64_t)j);
    demand(spor_model_run(model, bound), "%s", "a case can't be made");
    double *x = doubles_of(&bound->x), *y = doubles_of(&bound->logits);
    export_case c = {.bytes = &bytes, .inputs = 1, .input = {"x"}, .open = !*message.text, .y = y};
    snprintf(c.name, sizeof c.name, "%s", name);
    c.x[0] = x;
    c.x_shape[0] = bound->x.shape;
    c.y_shape = bound->logits.shape;
    by->look(&c, by->user);
    free(x);
    free(y);
    text_free(&bytes);
}

int cases_of_networks(const char *source, export_look *look, void *user) {
    looker by = {look, user};
    return each_network(source, show_network, &by);
}
