/*
 * A model: one network and loss, recorded once per (rows, training), over one set of parameters.
 */
#include "train/model.h"
#include "base/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "kernels/element.h"
#include "kernels/kernel.h"
#include "program/program.h"

/* A value that was given to the settings of this name. */
typedef struct chosen {
    struct chosen *next;
    char *name;
    double value;
} chosen;

typedef struct binding {
    struct binding *next;
    model_use use;
    spor_bound bound;
} binding;

/* What lives as long as the model. */
typedef struct owned {
    struct owned *next;
    void *thing;
    model_release *release;
} owned;

struct spor_model {
    spor_model_spec spec;
    spor_params *params;
    spor_workspace *workspace; /* NULL if the spec brings one */
    binding *bindings;
    chosen *settings;
    owned *owned; /* the last one first */
    bool failed;
    char error[2048];
    const char *file;
    int line, column;
};

/* ---- errors --------------------------------------------------------------------------------- */

bool model_fail(spor_model *model, const char *format, ...) {
    if (!model || model->failed) return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(model->error, sizeof model->error, format, arguments);
    va_end(arguments);
    model->failed = true;
    return false;
}

bool model_fail_of(spor_model *model, spor_var at, const char *format, ...) {
    if (!model || model->failed) return false;
    const spor_place place = at.tape->node[at.id].place;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    model->file = place.file;
    model->line = place.line;
    model->column = place.column;
    return place.file
               ? model_fail(model, "%.300s:%d:%d: %s", place.file, place.line, place.column, text)
               : model_fail(model, "%s", text);
}

bool model_fail_at(spor_model *model, const char *where) {
    char text[sizeof model->error];
    memcpy(text, model->error, sizeof text);
    snprintf(model->error, sizeof model->error, "%s: %.1900s", where, text);
    return false;
}

bool model_fail_in(spor_model *model, const char *what, int64_t rows) {
    size_t used = model ? strlen(model->error) : 0;
    if (used)
        snprintf(model->error + used, sizeof model->error - used,
                 " (%s has batches of %" PRId64 " row%s)", what, rows, rows == 1 ? "" : "s");
    return false;
}

const char *spor_model_error(const spor_model *model) {
    return !model ? "out of memory" : model->failed ? model->error : NULL;
}

void spor_model_error_place(const spor_model *model, const char **file, int *line, int *column) {
    if (file) *file = model ? model->file : NULL;
    if (line) *line = model ? model->line : 0;
    if (column) *column = model ? model->column : 0;
}

static bool fail_tape(spor_model *model, const spor_tape *tape) {
    if (!model->failed) spor_error_place(tape, &model->file, &model->line, &model->column);
    return model_fail(model, "%s", spor_error(tape));
}

static bool check_program(spor_model *model, const spor_program *program) {
    if (!program) return model_fail(model, "out of memory");
    const char *error = spor_program_error(program);
    if (!error) return true;
    if (program->graph.tape && spor_error(program->graph.tape))
        return fail_tape(model, program->graph.tape); /* with its place */
    return model_fail(model, "%s", error);
}

/* ---- life ----------------------------------------------------------------------------------- */

spor_model *spor_model_new(const spor_model_spec *spec) {
    spor_model *model = spec ? calloc(1, sizeof *model) : NULL;
    if (!model) return NULL;
    model->spec = *spec;
    model->params = spor_params_new(spec->options.scalar, spec->seed);
    if (!spec->options.workspace)
        model->spec.options.workspace = model->workspace = spor_workspace_new();
    if (!model->params || !model->spec.options.workspace) {
        spor_model_free(model);
        return NULL;
    }
    if (!spec->net || !spec->loss) model_fail(model, "a model needs a net and a loss");
    if (spec->sample.rank >= SPOR_RANK || spec->target.rank >= SPOR_RANK)
        model_fail(model, "a sample and its target have at most %d axes", SPOR_RANK - 1);
    return model;
}

void spor_model_free(spor_model *model) {
    if (!model) return;
    for (binding *b = model->bindings, *next; b; b = next) {
        next = b->next;
        spor_program_free(b->bound.program);
        spor_tape_free(b->bound.tape);
        free(b);
    }
    for (chosen *c = model->settings, *next; c; c = next) {
        next = c->next;
        free(c->name);
        free(c);
    }
    spor_params_free(model->params);
    spor_workspace_free(model->workspace);
    for (owned *o = model->owned, *next; o; o = next) {
        next = o->next;
        o->release(o->thing);
        free(o);
    }
    free(model);
}

bool model_own(spor_model *model, void *thing, model_release *release) {
    owned *o = calloc(1, sizeof *o);
    if (o) *o = (owned){model->owned, thing, release};
    if (o) return model->owned = o, true;
    release(thing);
    return model_fail(model, "out of memory");
}

spor_params *spor_model_params(spor_model *model) {
    return model ? model->params : NULL;
}

const spor_model_spec *model_spec_of(const spor_model *model) {
    return &model->spec;
}

/* ---- recording and compiling ---- */

static bool check_prediction(spor_model *model, const spor_bound *b) {
    spor_shape shape = spor_shape_of(b->prediction);
    if (!b->prediction.id) return model_fail(model, "the net returned no variable");
    if (b->prediction.tape != b->tape)
        return model_fail(model, "the net returned a variable of another tape");
    if (shape.rank < 1 || shape.n[0] != b->rows)
        return model_fail(model,
                          "the first axis of the prediction must be the %" PRId64
                          " rows of x but is %" PRId64,
                          b->rows, shape.rank ? shape.n[0] : 0);
    return true;
}

static bool check_cost(spor_model *model, const spor_bound *b) {
    if (!b->cost.id) return model_fail(model, "the loss returned no variable");
    return b->cost.tape == b->tape ||
           model_fail(model, "the loss returned a variable of another tape");
}

spor_link *model_link(const spor_model *model) {
    const spor_model_spec *spec = &model->spec;
    return spec->link ? spec->link : loss_link(spec->loss);
}

/* What a number of a target stands for, one and more. */
static const char *target_word(const spor_model_spec *spec, bool one) {
    static const char *const words[][2] = {
        {"classes", "class"}, {"numbers of a sample", "number of a sample"}, {"targets", "target"}};
    return words[spec->classes ? 0 : shape_equal(&spec->target, &spec->sample) ? 1 : 2][one];
}

const char *model_misfit(const spor_model *model, const spor_bound *b, char text[256]) {
    spor_shape have = spor_shape_of(b->prediction), wanted = spor_shape_of(b->target);
    *text = 0;
    if (b->rows < 1 || have.rank < 1 || have.n[0] != b->rows || shape_equal(&have, &wanted))
        return text;
    int64_t outputs = shape_size(&have) / b->rows, targets = shape_size(&wanted) / b->rows;
    snprintf(text, 256, "the network has %" PRId64 " output%s for %" PRId64 " %s: ", outputs,
             outputs == 1 ? "" : "s", targets, target_word(&model->spec, targets == 1));
    size_t used = strlen(text);
    if (outputs == targets)
        snprintf(text + used, 256 - used, "let reshape(...) end it, since the shapes differ");
    else
        snprintf(text + used, 256 - used, "its last layer must have %" PRId64, targets);
    return text;
}

/* An error of net or loss; of a loss with what may be the reason. */
static bool fail_recorded(spor_model *model, const spor_bound *b) {
    char why[256] = "";
    fail_tape(model, b->tape);
    if (b->prediction.id && b->target.id) model_misfit(model, b, why);
    if (!b->input.id)
        snprintf(why, sizeof why, "a batch of %" PRId64 " rows is too large", b->rows);
    size_t used = strlen(model->error);
    if (*why) snprintf(model->error + used, sizeof model->error - used, "\n%s", why);
    return false;
}

/* The loss stands behind what trains and evaluates, the link behind what predicts. */
static bool record(spor_model *model, spor_bound *b, model_use use) {
    const spor_model_spec *spec = &model->spec;
    spor_link *link = model_link(model);
    b->tape = spor_tape_new();
    b->input = spor_input(b->tape, "x", shape_rows(b->rows, &spec->sample));
    if (use != MODEL_PREDICTS)
        b->target = spor_input(b->tape, "y", shape_rows(b->rows, &spec->target));
    b->prediction = spec->net(b->input, b->training, spec->user);
    if (use != MODEL_PREDICTS)
        b->cost = spec->loss(b->prediction, b->target, spec->user);
    else if (link)
        b->prediction = link(b->prediction);
    if (spor_error(b->tape)) return fail_recorded(model, b);
    if (!check_prediction(model, b) || (use != MODEL_PREDICTS && !check_cost(model, b)))
        return false;
    return spor_params_join(model->params, b->tape) ||
           model_fail(model, "%s", spor_params_error(model->params));
}

/* optimizer NULL: gradients only. */
static spor_program *compile(spor_model *model, const spor_bound *b, spor_optimizer *optimizer,
                             const spor_options *options) {
    spor_params *params = model->params;
    spor_var outputs[] = {b->prediction, b->cost};
    spor_program *program =
        !b->training ? spor_compile(b->tape, b->cost.id ? 2 : 1, outputs, params, options)
        : optimizer
            ? spor_compile_update(b->cost, 1, outputs, params, optimizer, model->spec.user, options)
            : spor_compile_training(b->cost, 1, outputs, params, options);
    check_program(model, program);
    for (const chosen *c = model->settings; c; c = c->next)
        spor_program_set(program, c->name, c->value);
    return program;
}

/* Arrays of the program; they move when the workspace grows. */
static bool find_arrays(spor_model *model, spor_bound *b) {
    b->x = spor_program_arg(b->program, b->input);
    b->logits = spor_program_arg(b->program, b->prediction);
    if (b->target.id) b->y = spor_program_arg(b->program, b->target);
    if (b->cost.id) b->loss = spor_program_arg(b->program, b->cost);
    return check_program(model, b->program);
}

static spor_bound *plan(spor_model *model, int64_t rows, model_use use) {
    if (!model || model->failed) return NULL;
    binding *b = model->bindings;
    while (b && (b->bound.rows != rows || b->use != use)) b = b->next;
    if (!b) {
        b = calloc(1, sizeof *b);
        if (!b) {
            model_fail(model, "out of memory");
            return NULL;
        }
        b->use = use;
        b->bound = (spor_bound){.rows = rows, .training = use == MODEL_TRAINS};
        b->next = model->bindings;
        model->bindings = b;
        if (!record(model, &b->bound, use)) return NULL;
        spor_options options = model->spec.options;
        options.rowwise = use == MODEL_PREDICTS;
        b->bound.program = compile(model, &b->bound, model->spec.optimizer, &options);
    }
    return model->failed ? NULL : &b->bound;
}

spor_bound *model_plan(spor_model *model, int64_t rows, bool training) {
    return plan(model, rows, training ? MODEL_TRAINS : MODEL_EVALUATES);
}

spor_bound *model_bind_for(spor_model *model, int64_t rows, model_use use) {
    spor_bound *bound = plan(model, rows, use);
    return bound && find_arrays(model, bound) ? bound : NULL;
}

spor_bound *spor_model_bind(spor_model *model, int64_t rows, bool training) {
    return model_bind_for(model, rows, training ? MODEL_TRAINS : MODEL_EVALUATES);
}

/* ---- running -------------------------------------------------------------------------------- */

double model_number(const spor_model *model, const spor_arg *arg, int64_t k) {
    return scalar_value_at(arg->data, model->spec.options.scalar, k);
}

bool model_says_reduction(spor_model *model) {
    return model->spec.reduction ||
           model_fail(model, "a model that is trained or evaluated must say the reduction of its "
                             "loss: SPOR_REDUCTION_SUM or SPOR_REDUCTION_MEAN");
}

void model_say_reduction(spor_model *model, spor_reduction reduction) {
    model->spec.reduction = reduction;
}

double model_cost(const spor_model *model, const spor_bound *bound) {
    double cost = model_number(model, &bound->loss, 0);
    return model->spec.reduction == SPOR_REDUCTION_SUM ? cost : cost * (double)bound->rows;
}

static size_t bytes_of(const spor_model *model, const spor_arg *arg) {
    return bytes_for(shape_size(&arg->shape), scalar_width(model->spec.options.scalar));
}

static void copy_array(const spor_model *model, const spor_arg *to, const spor_arg *from) {
    if (to->data && from->data) memcpy(to->data, from->data, bytes_of(model, to));
}

/* The same batch by reference with a look at every node: names the first one that is not finite. Where
 * there is no memory for that, what the program itself says has to do. */
static bool name_bad_node(spor_model *model, const spor_bound *b, uint64_t step) {
    spor_options options = {.scalar = model->spec.options.scalar, .reference = true};
    spor_program *program = compile(model, b, NULL, &options);
    if (!model->failed) {
        spor_arg x = spor_program_arg(program, b->input), y = spor_program_arg(program, b->target);
        copy_array(model, &x, &b->x);
        copy_array(model, &y, &b->y);
        if (!x.data && check_program(model, b->program))
            model_fail(model,
                       "the cost or a gradient is not a finite number; there is no memory to "
                       "find out where it begins");
        if (program_run_undelivered(program, step))
            model_fail(model, "the cost or a gradient is not a finite number, though every "
                              "node is one by reference: a fast path overflows");
        check_program(model, program);
    }
    spor_program_free(program);
    return false;
}

/* A number that is not finite in the rule alone is the program's to tell. */
bool spor_model_step(spor_model *model, spor_bound *bound, uint64_t step) {
    if (!model || model->failed) return false;
    if (!bound) return model_fail(model, "out of memory");
    bool done = spor_run(bound->program, step), refused = bound->program->refused;
    if (!done && !refused) return check_program(model, bound->program);
    if (done && bound->program->updates) return true;
    bool bad = refused ? bound->program->bad_slopes
                       : !isfinite(model_number(model, &bound->loss, 0)) ||
                             !spor_params_finite(model->params);
    if (bad) return name_bad_node(model, bound, step);
    return check_program(model, bound->program);
}

static chosen *choose(spor_model *model, const char *name) {
    chosen *c = model->settings;
    while (c && strcmp(c->name, name) != 0) c = c->next;
    if (c) return c;
    c = calloc(1, sizeof *c);
    if (c) c->name = strdup(name);
    if (!c || !c->name) {
        free(c);
        return NULL;
    }
    c->next = model->settings;
    return model->settings = c;
}

bool spor_model_set(spor_model *model, const char *name, double value) {
    bool known = false;
    if (!model || model->failed || !name) return false;
    for (binding *b = model->bindings; b; b = b->next)
        known = spor_program_set(b->bound.program, name, value) || known;
    chosen *c = known ? choose(model, name) : NULL;
    if (c) c->value = value;
    return c || (known && model_fail(model, "out of memory"));
}

bool spor_model_run(spor_model *model, spor_bound *bound) {
    if (!model || model->failed) return false;
    if (!bound) return model_fail(model, "out of memory");
    return spor_run(bound->program, 0) || check_program(model, bound->program);
}
