/* spor run: a def of a script at the arrays of files, its value and its gradients. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/pool.h"
#include "cli/calling.h"
#include "data/file.h"
#include "data/npz.h"
#include "kernels/element.h"
#include "run/run.h"

enum { GRADIENTS = 64, RESULTS = GRADIENTS + SPOR_RESULTS };

/* A command line that was read. */
typedef struct {
    const char *call, *weights;
    bool wide, reference;
    int64_t seed;
    spor_settings settings, in, out, grad, cotangent;
} arguments;

/* A run: a call, compiled. */
typedef struct {
    const arguments *given;
    spor_workpiece piece;
    calling call;
    spor_options options;
    spor_params *params;
    spor_program *program;
    spor_var wrt[GRADIENTS], dy; /* dy.id 0: no cotangent */
    spor_text text[RESULTS];
    file_piece file[RESULTS];
    int files;
} running;

/* ---- what is asked for ---- */

static const spor_set *result_at(const arguments *given, int k) {
    return k < given->out.count ? &given->out.setting[k]
                                : &given->grad.setting[k - given->out.count];
}

/* NULL, or the name of a result whose file is another one's too. */
static const char *same_file(const arguments *given) {
    for (int k = 0; k < given->out.count + given->grad.count; k++)
        for (int j = 0; j < k; j++)
            if (file_is_same(result_at(given, j)->value, result_at(given, k)->value))
                return result_at(given, k)->name;
    return NULL;
}

static bool is_read_by(const spor_settings *from, const char *path) {
    for (int k = 0; k < from->count; k++)
        if (npz_reads(from->setting[k].value, path)) return true;
    return false;
}

/* What is read stays: the name of a result that would take its place, or NULL. */
static const char *read_file(const arguments *given, const char *script) {
    char weights[RUN_PATH];
    const char *kept = given->weights ? folder_weights(given->weights, weights) : NULL;
    for (int k = 0; k < given->out.count + given->grad.count; k++) {
        const char *path = result_at(given, k)->value;
        if (is_read_by(&given->in, path) || is_read_by(&given->cotangent, path) ||
            file_is_same(script, path) || (kept && file_is_same(kept, path)))
            return result_at(given, k)->name;
    }
    return NULL;
}

static int examine(const arguments *given, const char *script) {
    const spor_command *command = &spor_command_run;
    const char *twice = same_file(given), *read = read_file(given, script);
    if (!given->call) return command_fail(command, "which def? --call DEF");
    if (!given->out.count && !given->grad.count)
        return command_fail(command, "nothing is asked for: --out Y=FILE.npy, --grad dX=FILE.npy");
    if (given->cotangent.count && !given->grad.count)
        return command_fail(command, "--cotangent is for gradients: --grad dX=FILE.npy");
    if (twice)
        return command_fail(command, "%s would overwrite another result: give it a file of its own",
                            twice);
    if (read)
        return command_fail(command, "%s would overwrite a file that is read: give it another one",
                            read);
    return SPOR_EXIT_NOT_YET;
}

/* ---- reading ---- */

static bool read_cotangent(running *r, const spor_set *given) {
    const spor_settings *out = &r->given->out;
    if (!calling_is_cotangent(&r->call, given->name))
        return calling_fail(
            &r->call,
            "--cotangent %.60s: d and the name of %s result is expected, d%.60s, which is "
            "no operand's",
            given->name, r->call.names ? "a" : "the", r->call.names ? r->call.name[0] : "Y");
    if (!r->call.names && out->count && strcmp(out->setting[0].name, given->name + 1) != 0)
        return calling_fail(&r->call, "--cotangent %.60s: by --out the result is called %.60s",
                            given->name, out->setting[0].name);
    return calling_read(&r->call, given);
}

static bool read_all(running *r) {
    const arguments *given = r->given;
    for (int k = 0; k < given->in.count; k++)
        if (!calling_read(&r->call, &given->in.setting[k])) return false;
    if (given->cotangent.count > 1 && !r->call.names)
        return calling_fail(&r->call, "--cotangent is one file: %.60s returns one tensor",
                            given->call);
    for (int k = 0; k < given->cotangent.count; k++)
        if (!read_cotangent(r, &given->cotangent.setting[k])) return false;
    return true;
}

/* ---- parameters ---- */

static bool load_weights(const running *r) {
    char path[RUN_PATH];
    spor_message message = {""};
    if (spor_weights_load(r->params, folder_weights(r->given->weights, path), &message))
        return true;
    return calling_fail(&r->call, "%s", message.text);
}

/* Values of the parameters that the def makes, if it makes some. */
static bool make_parameters(running *r) {
    r->params = spor_params_new(r->options.scalar, (uint64_t)r->given->seed);
    if (!spor_params_join(r->params, r->call.tape))
        return calling_fail(&r->call, "%s", spor_params_error(r->params));
    if (r->given->weights) return load_weights(r);
    if (spor_params_count(r->params))
        fprintf(
            stderr,
            "spor run: %s makes %d parameters, at their initial values of seed %lld; --weights RUN "
            "has trained ones\n",
            r->given->call, spor_params_count(r->params), (long long)r->given->seed);
    return true;
}

/* ---- gradients ---- */

/* The parameter of this name, "net/dense[0]/W"; id 0 if there is none. */
static spor_var parameter_of(const running *r, const char *name) {
    spor_tape *tape = r->call.tape;
    for (uint32_t k = 0; k < tape->leaves; k++)
        if (!strcmp(tape->node[tape->leaf[k].id].name, name))
            return spor_tape_var(tape, tape->leaf[k].id);
    return (spor_var){tape, 0};
}

static bool find_variable(running *r, int k) {
    const char *name = r->given->grad.setting[k].name;
    int operand = calling_gradient(&r->call, name);
    for (int j = 0; j < k; j++)
        if (!strcmp(r->given->grad.setting[j].name, name))
            return calling_fail(&r->call, "--grad %.60s is given twice", name);
    if (operand >= r->call.inputs)
        return calling_fail(&r->call, "--grad %.60s: %.60s must be given, --in %.60s=FILE.npy",
                            name, name + 1, name + 1);
    r->wrt[k] =
        operand >= 0 ? r->call.input[operand] : parameter_of(r, *name == 'd' ? name + 1 : "");
    return r->wrt[k].id ||
           calling_fail(
               &r->call,
               "--grad %.60s: d and the name of an operand of %.60s, or of a parameter that it "
               "makes, is expected",
               name, r->given->call);
}

/* y itself, or the sum of y dy. */
static bool record_cost(running *r, spor_var *cost) {
    spor_tape *tape = r->call.tape;
    spor_shape shape = spor_shape_of(r->call.y);
    char text[128];
    *cost = r->call.y;
    if (r->call.cotangent) {
        r->dy = spor_input(tape, "dy", shape);
        *cost = spor_mul(*cost, r->dy);
        if (shape.rank) *cost = spor_sum(*cost, SPOR_AXIS(shape.rank) - 1);
    } else if (r->call.results > 1) {
        return calling_fail(
            &r->call,
            "%.60s returns %d tensors: give a cotangent, --cotangent d%.60s=FILE.npy; "
            "those left out are zero",
            r->given->call, r->call.results, r->call.name[0]);
    } else if (shape.rank) {
        tape_shape_text(&shape, NULL, text, sizeof text);
        return calling_fail(&r->call,
                            "%.60s returns %s, and only a scalar has a gradient by itself: give a "
                            "cotangent of this shape, --cotangent dY=FILE.npy, or sum in the def",
                            r->given->call, text);
    }
    return !spor_error(tape) || calling_fail(&r->call, "%s", spor_error(tape));
}

/* ---- running ---- */

/* What --out names are results, each once. */
static bool examine_results(const running *r) {
    const spor_settings *out = &r->given->out;
    const calling *c = &r->call;
    if (out->count > 1 && c->results == 1)
        return calling_fail(c, "--out is one file: %.60s returns one tensor", c->def);
    for (int k = 0; k < out->count; k++) {
        const char *name = out->setting[k].name;
        const char *near = nearest_name(name, c->names, c->name);
        if (calling_result(c, name) < 0)
            return calling_fail(c, "--out %.60s: %.60s has no result of this name%s%.60s%s", name,
                                c->def, near ? "; did you mean " : "", near ? near : "",
                                near ? "?" : "");
        for (int j = 0; j < k; j++)
            if (!strcmp(out->setting[j].name, name))
                return calling_fail(c, "--out %.60s is given twice", name);
    }
    return true;
}

static bool compile(running *r) {
    const calling *c = &r->call;
    spor_var cost;
    int n = r->given->grad.count;
    for (int k = 0; k < n; k++)
        if (!find_variable(r, k)) return false;
    if (n && !record_cost(r, &cost)) return false;
    r->program =
        n ? spor_compile_gradient(cost, n, r->wrt, c->results, c->result, r->params, &r->options)
          : spor_compile(c->tape, c->results, c->result, r->params, &r->options);
    const char *error = spor_program_error(r->program);
    return !error || calling_fail(&r->call, "%s", error);
}

/* Numbers of a file into an input, rounded once. */
static bool fill(const running *r, spor_var x, const char *name, const double *value) {
    spor_arg to = spor_program_arg(r->program, x);
    if (!to.data) return calling_fail(&r->call, "%s", spor_program_error(r->program));
    for (int64_t k = 0; k < shape_size(&to.shape); k++) {
        if (!r->given->wide && isfinite(value[k]) && fabs(value[k]) > (double)FLT_MAX)
            return calling_fail(&r->call, "%.60s has %g, which no float holds: --double", name,
                                value[k]);
        element_types[r->options.scalar]->set(to.data, k, value[k]);
    }
    return true;
}

static bool compute(running *r) {
    for (int k = 0; k < r->call.inputs; k++)
        if (!fill(r, r->call.input[k], r->call.parameter[k], r->call.value[k].value)) return false;
    if (r->dy.id && !fill(r, r->dy, "the cotangent", r->call.cotangent)) return false;
    if (spor_run(r->program, 0)) return true;
    const char *error = spor_program_error(r->program);
    return calling_fail(&r->call, "%s", error ? error : "out of memory");
}

/* ---- writing ---- */

/* Numbers that are none are written as they are, and told. */
static void tell_bad(const running *r, const char *name, const spor_arg *array) {
    int64_t size = shape_size(&array->shape), bad = 0, first = 0;
    char text[128];
    for (int64_t k = size - 1; k >= 0; k--)
        if (!isfinite(element_types[r->options.scalar]->value(array->data, k))) bad++, first = k;
    if (!bad) return;
    spor_shape index = {.rank = array->shape.rank};
    shape_unravel(&array->shape, first, index.n);
    tape_shape_text(&index, NULL, text, sizeof text);
    fprintf(stderr, "spor run: %s: %lld of %lld numbers are not finite, the first is %g at %s\n",
            name, (long long)bad, (long long)size,
            element_types[r->options.scalar]->value(array->data, first), text);
}

static bool add_file(running *r, const spor_set *to, spor_arg array) {
    spor_text *text = &r->text[r->files];
    if (array.data) npy_add(text, &array.shape, raw_of(r->options.scalar), array.data);
    r->file[r->files++] = (file_piece){to->value, text->at, text->size};
    if (!array.data || text->failed)
        return calling_fail(&r->call, "%.60s: out of memory", to->name);
    tell_bad(r, to->name, &array);
    return true;
}

static spor_var result_of(const running *r, int out) {
    return r->call.result[calling_result(&r->call, r->given->out.setting[out].name)];
}

static bool write_all(running *r) {
    const arguments *given = r->given;
    spor_message message = {""};
    for (int k = 0; k < given->out.count; k++)
        if (!add_file(r, &given->out.setting[k], spor_program_arg(r->program, result_of(r, k))))
            return false;
    for (int k = 0; k < given->grad.count; k++)
        if (!add_file(r, &given->grad.setting[k], spor_program_gradient(r->program, k)))
            return false;
    return file_write_together(r->files, r->file, &message) ||
           calling_fail(&r->call, "%s", message.text);
}

/* ---- the command ---- */

static int run_script(const arguments *given, const char *path) {
    running *r = calloc(1, sizeof *r);
    if (!r) return command_fail(&spor_command_run, "out of memory");
    r->given = given;
    r->options = (spor_options){.scalar = given->wide ? SPOR_F64 : SPOR_F32,
                                .reference = given->reference,
                                .threads = pool_cores()};
    bool done = workpiece_open(&r->piece, &spor_command_run, path, &given->settings) &&
                calling_open(&r->call, &r->piece, given->call) && read_all(r) &&
                calling_record(&r->call) && examine_results(r) && make_parameters(r) &&
                compile(r) && compute(r) && write_all(r);
    for (int k = 0; k < r->files; k++) text_free(&r->text[k]);
    spor_program_free(r->program);
    spor_params_free(r->params);
    calling_close(&r->call);
    workpiece_close(&r->piece);
    free(r);
    return done ? SPOR_EXIT_DONE : SPOR_EXIT_BAD;
}

static int run(int argc, char **argv) {
    arguments *given = calloc(1, sizeof *given);
    const char *path;
    if (!given) return command_fail(&spor_command_run, "out of memory");
    const spor_option options[] = {
        {"call", "DEF", "the def to run", SPOR_OPTION_TEXT, &given->call, 0, NULL},
        {"in", "X=FILE", "an operand of the def, as .npy; more may follow", SPOR_OPTION_SETTING,
         &given->in, 0, NULL},
        {"out", "Y=FILE", "writes its value, whatever it is called; of several results those named",
         SPOR_OPTION_SETTING, &given->out, 0, NULL},
        {"grad", "dX=FILE", "writes the gradient of an operand, or of a parameter; more may follow",
         SPOR_OPTION_SETTING, &given->grad, 0, NULL},
        {"cotangent", "dY=FILE",
         "the cotangent of the value; without it that is a scalar. Of several results one each, or "
         "0",
         SPOR_OPTION_SETTING, &given->cotangent, 0, NULL},
        {"double", NULL, "computes and writes double, not float", SPOR_OPTION_FLAG, &given->wide, 0,
         NULL},
        {"reference", NULL, "without fast paths: the definition", SPOR_OPTION_FLAG,
         &given->reference, 0, NULL},
        {"weights", "RUN", "values of the def's parameters: a run's folder, or a file",
         SPOR_OPTION_TEXT, &given->weights, 0, NULL},
        {"seed", "N", "of their initial values (default 0)", SPOR_OPTION_INTEGER, &given->seed, 0,
         NULL},
        {"set", "NAME=VALUE", "another value for a name of the script; more may follow",
         SPOR_OPTION_SETTING, &given->settings, 0, NULL},
        {0},
    };
    int status = options_read(&spor_command_run, options, 1, 1, &path, argc, argv);
    if (status == SPOR_EXIT_NOT_YET) status = examine(given, path);
    if (status == SPOR_EXIT_NOT_YET) status = run_script(given, path);
    free(given);
    return status;
}

const spor_command spor_command_run = {
    .name = "run",
    .operands = "SCRIPT",
    .summary = "Computes a def of a script, and its gradients, from and to .npy files.",
    .help =
        "The def is called with arrays that other programs wrote (numpy.save), in the order of "
        "its\n"
        "operands; what is left out has its default. Its value and gradients are computed in "
        "float,\n"
        "by fast paths where there are any, and written as .npy: all files, or none. A network is\n"
        "run as it evaluates, on x as it is given. A gradient is that of the sum of value times\n"
        "cotangent, by the ops' own derivatives: derivations of the script are held against it by\n"
        "spor verify. A file that is read is never written.\n"
        "Numbers that are not finite are written, and told. Exit status: 0 done, 2 bad input.\n"
        "\n"
        "Examples\n"
        "  spor run conv.spor --call layer --in A=A.npy K=K.npy --out Y=Y.npy\n"
        "  spor run conv.spor --call layer --in A=A.npy K=K.npy --cotangent dY=dY.npy \\\n"
        "      --grad dA=dA.npy dK=dK.npy --double\n"
        "  spor run models/densenet2_20.spor --call densenet2_20 --weights runs/densenet2_20 \\\n"
        "      --in x=digits.npy --out scores=scores.npy\n",
    .run = run,
};
