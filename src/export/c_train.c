/*
 * A step of training in C: forward, loss, backward and the optimizer's rule of one batch. Parameters and states are
 * arrays of the file then, which take their next values together or not at all.
 */
#include "export/c_train.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "kernels/element.h"
#include "train/model.h"

static const char *type_of(const c_training *t) {
    return c_type(&t->c.functions);
}

/* ---- the program ---- */

static bool fails(const spor_program *program, spor_message *message) {
    return spor_program_error(program) &&
           !message_complain(message, "%s", spor_program_error(program));
}

/* The optimizer's states belong to the weights that it left last. */
static bool load_states(c_training *t, opened_run *run, spor_message *message) {
    const spor_progress *at = &run->kept.progress;
    const int64_t best = run->kept.best.epoch;
    t->resumes = run->kept.path && (!best || (best == at->epoch && at->step == at->steps));
    return !t->resumes || checkpoint_load(&run->kept, spor_model_params(run->model), message);
}

static spor_program *compile(const c_training *t, opened_run *run, bool portable) {
    const spor_model_spec *spec = model_spec_of(run->model);
    const spor_options options = {
        .scalar = run->options.scalar, .isa = "baseline", .portable = portable};
    return spor_compile_update(t->bound->cost, !portable, &t->bound->prediction,
                               spor_model_params(run->model), spec->optimizer, spec->user,
                               &options);
}

/* ---- parameters ---- */

static void copy_values(const c_training *t, void *to, const void *from) {
    const size_t width = scalar_width(t->parameters.params->scalar);
    for (int k = 0; k < t->parameters.count; k++) {
        spor_entry entry = spor_params_entry(t->parameters.params, k);
        const size_t at = (size_t)t->parameters.first[k] * width;
        const size_t bytes = (size_t)shape_size(&entry.shape) * width;
        if (to)
            memcpy((char *)to + at, entry.value, bytes);
        else
            memcpy(entry.value, (const char *)from + at, bytes);
    }
}

/* One entry behind the other. */
static bool lay_parameters(c_training *t, spor_params *params) {
    c_parameters *p = &t->parameters;
    if (!params_settle(params)) return false;
    p->params = params;
    p->count = spor_params_count(params);
    p->first = calloc((size_t)p->count + 1, sizeof *p->first);
    p->next = calloc((size_t)p->count + 1, sizeof *p->next);
    if (!p->first || !p->next) return false;
    for (int k = 0; k < p->count; k++) {
        const int64_t size = params->entry[k].size;
        const bool written = k < t->program->entries && t->program->writes[k];
        p->first[k] = p->elements;
        p->next[k] = written ? p->written : -1;
        p->elements += size;
        p->written += written ? size : 0;
    }
    const size_t width = scalar_width(params->scalar);
    t->initial = malloc(bytes_for(p->elements + 1, width));
    t->portable.after = malloc(bytes_for(p->elements + 1, width));
    t->usual.after = malloc(bytes_for(p->elements + 1, width));
    if (!t->initial || !t->portable.after || !t->usual.after) return false;
    copy_values(t, t->initial, NULL);
    return true;
}

/* C has no words for other numbers. */
static bool are_finite(const c_training *t, spor_message *message) {
    const c_parameters *p = &t->parameters;
    for (int k = 0; k < p->count; k++)
        for (int64_t j = 0; j < p->params->entry[k].size; j++)
            if (!isfinite(scalar_value_at(t->initial, p->params->scalar, p->first[k] + j)))
                return message_complain(message, "%s has a number that is not finite",
                                        p->params->entry[k].name);
    return true;
}

/* ---- arguments ---- */

/* What a parameter of a function can't be called: words of C and of C++, whose programs include the header too, names
 * of net_train's own, and macros, which are in capitals or those of usual headers. */
static bool is_word_of_c(const char *name) {
    static const char *const words[] = {
        "alignas",   "alignof",   "and",           "and_eq",       "arena",
        "asm",       "auto",      "bitand",        "bitor",        "bool",
        "break",     "case",      "catch",         "char",         "class",
        "co_await",  "co_return", "co_yield",      "compl",        "complex",
        "concept",   "const",     "const_cast",    "consteval",    "constexpr",
        "constinit", "continue",  "cost",          "decltype",     "default",
        "delete",    "do",        "double",        "dynamic_cast", "else",
        "enum",      "errno",     "explicit",      "export",       "extern",
        "false",     "float",     "for",           "friend",       "goto",
        "i386",      "if",        "imaginary",     "inline",       "int",
        "linux",     "long",      "main",          "memcpy",       "mutable",
        "namespace", "new",       "noexcept",      "noreturn",     "not",
        "not_eq",    "nullptr",   "operator",      "or",           "or_eq",
        "private",   "protected", "public",        "register",     "reinterpret_cast",
        "requires",  "restrict",  "return",        "short",        "signed",
        "sizeof",    "size_t",    "static",        "stderr",       "stdin",
        "stdout",    "struct",    "static_assert", "static_cast",  "switch",
        "target",    "template",  "this",          "thread_local", "throw",
        "true",      "try",       "typedef",       "typeid",       "typename",
        "typeof",    "unix",      "union",         "unsigned",     "using",
        "virtual",   "void",      "volatile",      "wchar_t",      "while",
        "x",         "xor",       "xor_eq"};
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
        if (!strcmp(name, words[k])) return true;
    const bool capitals = !strpbrk(name, "abcdefghijklmnopqrstuvwxyz");
    return !isalpha((unsigned char)*name) || capitals || !strncmp(name, "net_", 4);
}

static const c_setting *find_setting(const c_training *t, const char *name) {
    for (int k = 0; k < t->settings; k++)
        if (!strcmp(t->setting[k].setting, name)) return &t->setting[k];
    return NULL;
}

static bool is_argument(const c_training *t, const char *name) {
    for (int k = 0; k < t->settings; k++)
        if (!strcmp(t->setting[k].name, name)) return true;
    return false;
}

static const c_setting *take_setting(c_training *t, const spor_dial *dial) {
    const c_setting *known = find_setting(t, dial->name);
    if (known) return known;
    c_setting taken = {.setting = dial->name, .value = dial->value};
    char name[32];
    c_name(dial->name, name, sizeof name);
    snprintf(taken.name, sizeof taken.name, is_word_of_c(name) ? "setting_%s" : "%s", name);
    for (int same = 2; is_argument(t, taken.name); same++)
        snprintf(taken.name, sizeof taken.name, "setting_%d_%.24s", same, name);
    t->setting[t->settings] = taken;
    return &t->setting[t->settings++];
}

/* x, the target, and all nodes of the settings. */
static bool find_arguments(c_training *t) {
    const spor_tape *tape = t->program->graph.tape;
    const uint32_t *map = t->program->graph.map;
    t->outside = calloc((size_t)tape->settings + 2, sizeof *t->outside);
    t->setting = calloc((size_t)tape->settings + 1, sizeof *t->setting);
    if (!t->outside || !t->setting) return false;
    int count = 0;
    t->outside[count++] = (c_outside){map[t->bound->input.id], "x", false};
    t->outside[count++] = (c_outside){map[t->bound->target.id], "target", false};
    for (uint32_t k = 0; k < tape->settings; k++) {
        c_outside *outside = &t->outside[count++];
        outside->node = tape->setting[k].id;
        snprintf(outside->name, sizeof outside->name, "&%s",
                 take_setting(t, &tape->setting[k])->name);
    }
    t->c = (c_program){.program = t->program,
                       .outside = t->outside,
                       .outsides = count,
                       .parameters = &t->parameters};
    return true;
}

/* ---- making it ---- */

static void find_targets(c_training *t, opened_run *run) {
    const spor_model_spec *spec = model_spec_of(run->model);
    t->size = shape_size(&spec->sample);
    t->columns = shape_size(&spec->target);
    t->sums = spec->reduction == SPOR_REDUCTION_SUM;
    t->mirrors = model_mirrors(run->model) && t->size == t->columns;
    t->one_hot = !t->mirrors && spec->classes > 0 && t->columns == spec->classes;
}

bool c_training_make(c_training *t, opened_run *run, int64_t rows, spor_message *message) {
    spor_model *model = run->model;
    if (!model_spec_of(model)->optimizer)
        return message_complain(message, "training needs a model with an optimizer");
    if (!model_says_reduction(model))
        return message_complain(message, "%s", spor_model_error(model));
    if (!spor_params_size(spor_model_params(model)))
        return message_complain(message, "the network has no parameters: nothing can be trained");
    t->rows = rows;
    t->bound = model_plan(model, rows, true);
    if (!t->bound) return message_complain(message, "%s", spor_model_error(model));
    if (!load_states(t, run, message)) return false;
    find_targets(t, run);
    t->program = compile(t, run, true);
    if (fails(t->program, message)) return false;
    t->named = malloc(bytes_for(t->size + 1, sizeof *t->named));
    bool done =
        t->named && lay_parameters(t, spor_model_params(model)) && find_arguments(t) &&
        index_named(t->bound->input, t->bound->target, spor_model_params(model), t->size, t->named);
    if (!done) return message_complain(message, "out of memory");
    return are_finite(t, message);
}

bool c_training_write(c_training *t, const c_program *before, spor_message *message) {
    t->c.before = before;
    return c_write_program(&t->c, message);
}

/* How far apart the two programs are. */
static void compare(c_training *t) {
    const c_parameters *p = &t->parameters;
    const spor_scalar scalar = p->params->scalar;
    t->off = 0;
    for (int k = 0; k < p->count; k++) {
        double most = 0, apart = 0;
        for (int64_t j = p->first[k]; j < p->first[k] + p->params->entry[k].size; j++) {
            const double a = scalar_value_at(t->portable.after, scalar, j);
            most = fmax(most, fabs(a));
            apart = fmax(apart, fabs(a - scalar_value_at(t->usual.after, scalar, j)));
        }
        if (apart > 0) t->off = fmax(t->off, apart / fmax(most, 1e-300));
    }
}

bool c_training_try(c_training *t, opened_run *run, spor_message *message) {
    spor_program *usual = compile(t, run, false);
    bool done = !fails(usual, message) && c_training_run(t, t->program, &t->portable, message) &&
                c_training_run(t, usual, &t->usual, message);
    spor_program_free(usual);
    if (done) compare(t);
    return done;
}

void c_training_end(c_training *t) {
    c_program_end(&t->c);
    spor_program_free(t->program);
    free(t->parameters.first);
    free(t->parameters.next);
    free(t->initial);
    free(t->portable.after);
    free(t->usual.after);
    free(t->outside);
    free(t->setting);
    free(t->named);
    *t = (c_training){0};
}

/* ---- the code ---- */

bool c_training_draws(const c_training *t) {
    return c_has_word(&t->c.functions.text, "net_steps");
}

void c_training_add_values(const c_training *t, bool loaded, spor_text *text) {
    text_add(
        text,
        "void net_reset(void) {\n%s    memcpy(net_values, net_exported, sizeof net_values);\n%s"
        "    net_begun = 1;\n}\n\n",
        loaded ? "    if (!net_exported) return;\n" : "",
        c_training_draws(t) ? "    net_steps = 0;\n" : "");
    text_add(text,
             loaded ? "/* 0: there are no weights */\nstatic int net_begin(void) {\n"
                      "    if (!net_begun) net_reset();\n    return net_begun;\n}\n\n"
                      "%s *net_parameters(void) {\n    return net_begin() ? net_values : 0;\n}\n\n"
                    : "static void net_begin(void) {\n    if (!net_begun) net_reset();\n}\n\n"
                      "%s *net_parameters(void) {\n    net_begin();\n    return net_values;\n}\n\n",
             type_of(t));
}

/* All together: neighbours in both arrays in one. */
static void add_taking(const c_training *t, spor_text *text) {
    const c_parameters *p = &t->parameters;
    for (int k = 0; k < p->count;) {
        const int from = k;
        int64_t count = 0;
        for (; k < p->count && p->next[k] >= 0; k++) count += p->params->entry[k].size;
        if (count)
            text_add(text,
                     "    memcpy(net_values + %" PRId64 ", net_next + %" PRId64 ", %" PRId64
                     " * sizeof *net_values);\n",
                     p->first[from], p->next[from], count);
        else
            k++;
    }
}

void c_training_add_signature(const c_training *t, spor_text *text) {
    text_add(text, "%s net_train(const %s *x, const %s *target", type_of(t), type_of(t),
             type_of(t));
    for (int k = 0; k < t->settings; k++) text_add(text, ", %s %s", type_of(t), t->setting[k].name);
    text_add(text, ")");
}

void c_training_add(const c_training *t, bool loaded, spor_text *text) {
    c_program *c = (c_program *)(uintptr_t)&t->c;
    text_add(text, "\n");
    c_training_add_signature(t, text);
    text_add(text, " {\n    %s cost;\n", type_of(t));
    c_add_arena_place(text, type_of(t), "arena", &t->c.calls.text);
    if (!loaded) text_add(text, "    net_begin();\n");
    for (int k = 0; k < t->settings; k++)
        if (!c_has_word(&t->c.calls.text, t->setting[k].name))
            text_add(text, "    (void)%s;\n", t->setting[k].name);
    if (!c_has_word(&t->c.calls.text, "x")) text_add(text, "    (void)x;\n");
    if (!c_has_word(&t->c.calls.text, "target")) text_add(text, "    (void)target;\n");
    if (loaded) text_add(text, "    if (!net_begin()) return net_not_a_number();\n");
    text_bytes(text, t->c.calls.text.at, t->c.calls.text.size);
    text_add(text, "    cost = *(%s);\n", c_place_of(c, t->program->cost).text);
    text_add(text, "    if (!net_are_finite(&cost, 1)%s)\n        return net_not_a_number();\n",
             t->parameters.written ? " || !net_are_finite(net_next, NET_NEXT)" : "");
    add_taking(t, text);
    if (c_training_draws(t)) text_add(text, "    net_steps++;\n");
    text_add(text, t->sums ? "    return cost / NET_BATCH;\n}\n\n" : "    return cost;\n}\n\n");
}
