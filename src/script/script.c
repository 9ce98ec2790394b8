/*
 * Scripts: loading, recording, explaining. See script.h.
 */
#include "script/private.h"

#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/nearest.h"
#include "base/plain.h"
#include "data/file.h"
#include "script/parser.h"
#include "tape/tape.h"

/* ---- guarded work ---------------------------------------------------------------------------- */

bool pass_attempt(spor_pass *run, spor_guarded *work, void *context) {
    if (!run->number) run->number = ++run->script->passes;
    if (setjmp(run->ground.out)) return false;
    work(run, context);
    return true;
}

/* The first pass that comes by a place has it. */
static bool speaks(spor_pass *run, spor_spot place) {
    spor_printer *known = run->script->printers;
    while (known && (known->place.source != place.source || known->place.line != place.line ||
                     known->place.column != place.column))
        known = known->next;
    if (known) return known->pass == run->number;
    known = arena_take(&run->script->arena, sizeof *known);
    if (!known) return false;
    *known = (spor_printer){run->script->printers, place, run->number};
    run->script->printers = known;
    return true;
}

void script_print(spor_pass *run, spor_spot place, char *line) {
    if (!speaks(run, place)) return;
    plain_text(line);
    fprintf(stderr, "%s\n", line);
}

/* "dense" in front of what went wrong inside of it, unless that begins so. */
static const char *in_front(const char *called, const char *message) {
    size_t length = called ? strlen(called) : 0;
    bool said = !strncmp(message, called ? called : "", length) && strchr(": ", message[length]);
    return called && !said ? called : "";
}

/* The calls around, and the line inside of an included file that does not work with what the call gave. */
static void note_way(const spor_pass *run, spor_note *note, const char *called, spor_spot inside) {
    pass_trace(run, note);
    if (!called) return;
    note_add(note, "\n      inside of %s, at %s:%d:%d", called, inside.source->file, inside.line,
             inside.column);
    note_point(note, inside);
}

/* file:line:column: message, the line, a caret, the calls around */
static void keep_error(spor_pass *run, char *out, size_t size) {
    spor_note note = {out, size, 0};
    const char *called, *message = run->ground.message;
    spor_spot inside = run->ground.place, at = pass_leave_included(run, inside, &called);
    if (at.source) note_add(&note, "%s:%d:%d: ", at.source->file, at.line, at.column);
    if (at.source && at.source->hidden) {
        note_add(&note, "this is no script; what is wrong is shown of files that end in .spor");
        return;
    }
    const char *front = in_front(called, message);
    note_add(&note, "%s%s%s", front, *front ? ": " : "", message);
    note_point(&note, at);
    note_way(run, &note, called, inside);
}

/* ---- sources ---- */

static spor_source *add_source(spor_pass *run, spor_spot place, const char *file, const char *text,
                               size_t length) {
    spor_script *script = run->script;
    if (script->files == SPOR_LIMIT_FILES)
        pass_fail(run, place, "a script has at most %d files", SPOR_LIMIT_FILES);
    if (length > SPOR_LIMIT_SOURCE)
        pass_fail(run, place, "%s is longer than %d bytes", file, SPOR_LIMIT_SOURCE);
    if (length > 1 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
        pass_fail(run, place, "%s is UTF-16; save it in UTF-8", file);
    if (memchr(text, 0, length)) pass_fail(run, place, "%s holds a zero byte: no script", file);
    char *copy = ground_take(&run->ground, length + 2, 1);
    memcpy(copy, text, length);
    copy[length] = '\n';
    int mark = strncmp(copy, "\xef\xbb\xbf", 3) ? 0 : 3;
    spor_source *source = ground_take(&run->ground, 1, sizeof *source);
    *source = (spor_source){.next = script->sources,
                            .file = ground_take_text(&run->ground, file, strlen(file)),
                            .text = copy + mark,
                            .length = length + 1 - (size_t)mark,
                            .mark = mark};
    script->sources = source;
    script->files++;
    return source;
}

/* The file among those that were kept; NULL with a message if it isn't. */
static spor_source *keep_source(spor_pass *run, spor_spot place, const char *file,
                                spor_message *message) {
    const spor_script *script = run->script;
    for (int k = 0; k < script->kept_files; k++)
        if (!strcmp(script->kept[k].file, file))
            return add_source(run, place, file, script->kept[k].text, strlen(script->kept[k].text));
    message_complain(message, "%s: is not among the files that were kept", file);
    return NULL;
}

static const char *const script_ending[] = {".spor", NULL};

static spor_source *load_source(spor_pass *run, spor_spot place, const char *file,
                                spor_message *message) {
    unsigned char *bytes = NULL;
    size_t size = 0;
    bool file_alone =
        place.source || file_ends_in(file, script_ending); /* else a pipe may give it */
    if (!(file_alone ? file_bytes : file_stream_bytes)(file, SPOR_LIMIT_SOURCE, &bytes, &size,
                                                       message))
        return NULL;
    char *text = arena_take(run->ground.arena, size + 1);
    if (text) memcpy(text, bytes, size);
    free(bytes);
    if (!text) pass_fail(run, place, "out of memory");
    return add_source(run, place, file, text, size);
}

/* NULL with a message if the file can't be read. */
static spor_source *read_source(spor_pass *run, spor_spot place, const char *file,
                                spor_message *message) {
    spor_source *source =
        (run->script->kept ? keep_source : load_source)(run, place, file, message);
    if (source) source->read = true;
    return source;
}

/* The file of this name that was read last; NULL: none. */
static const spor_source *source_of(const spor_script *script, const char *file) {
    const spor_source *s = file ? script->sources : NULL;
    while (s && strcmp(s->file, file) != 0) s = s->next;
    return s;
}

/* A file that is no script is not read: what it says would be seen in messages. */
static void refuse_others(spor_pass *run, const spor_syntax *include, const char *path) {
    if (!file_ends_in(include->text, script_ending))
        pass_fail(run, include->place,
                  "include takes a script: the name of its file ends in .spor");
    if (!run->script->kept && !file_leads_to(path, script_ending))
        pass_fail(run, include->place,
                  "include takes a script: this name leads to a file that does not end in .spor");
}

/* The file of an include: beside the including one, else among the installed models. */
static const spor_source *find_include(spor_pass *run, const spor_syntax *include, bool *done) {
    spor_message beside = {""}, installed = {""};
    const char *from = include->place.source->file, *slash = strrchr(from, '/');
    int folder = slash && include->text[0] != '/' ? (int)(slash - from) + 1 : 0;
    const char *path = ground_take_format(&run->ground, "%.*s%s", folder, from, include->text);
    const char *layers = run->script->layers;
    const char *other = layers && include->text[0] != '/'
                            ? ground_take_format(&run->ground, "%s/%s", layers, include->text)
                            : path;
    *done = source_of(run->script, path) || source_of(run->script, other);
    if (*done) return NULL;
    refuse_others(run, include, path);
    spor_source *source = read_source(run, include->place, path, &beside);
    if (!source && other != path) source = read_source(run, include->place, other, &installed);
    if (source) source->included = true;
    if (!source)
        pass_fail(run, include->place, "%.400s%s%.400s%s", beside.text, *installed.text ? "\n" : "",
                  installed.text,
                  *installed.text ? "\nSPOR_MODELS may name another folder to look in." : "");
    return source;
}

static spor_syntax *parse_source(spor_pass *run, const spor_source *source) {
    return parse_script(&run->ground, &run->script->names, run->script->dialect, source);
}

void script_include(spor_pass *run, const spor_syntax *include) {
    bool done;
    const spor_source *source = find_include(run, include, &done);
    if (!done) pass_top(run, run->script->globals, parse_source(run, source));
}

bool script_layer(spor_pass *run, const char *name) {
    const char *folder = run->script->layers;
    if (!folder) return false;
    const char *path = ground_take_format(&run->ground, "%s/layers.spor", folder);
    const char *def = ground_take_format(&run->ground, "\ndef %s(", name);
    unsigned char *bytes = NULL;
    size_t size = 0, length = strlen(def);
    if (!file_bytes(path, SPOR_LIMIT_SOURCE, &bytes, &size, NULL)) return false;
    bool found = false;
    for (size_t k = 0; k + length <= size && !found; k++) found = !memcmp(bytes + k, def, length);
    free(bytes);
    return found;
}

/* ---- loading ---- */

static void add_builtins(spor_pass *run, const spor_builtin *table) {
    spor_script *script = run->script;
    for (; table->name; table++) {
        const char *name =
            ground_intern(&run->ground, &script->names, table->name, strlen(table->name));
        env_set(run, script->builtins, name, (spor_value){.kind = VALUE_BUILTIN, .builtin = table});
    }
}

/* All ops but those whose name a built-in has, and those that a caller in C makes: input, array. */
static void add_ops(spor_pass *run) {
    spor_script *script = run->script;
    for (const spor_op *const *op = spor_ops; *op; op++) {
        char text[SPOR_NAME];
        int length = op_name(*op, text, sizeof text);
        const char *name = ground_intern(&run->ground, &script->names, text, (size_t)length);
        if ((*op)->traits & SPOR_GIVEN || (*op)->address || env_find(script->builtins, name))
            continue;
        env_set(run, script->builtins, name, (spor_value){.kind = VALUE_OP, .op = *op});
    }
}

static void add_names(spor_pass *run) {
    spor_script *script = run->script;
    script->builtins = ground_take(&run->ground, 1, sizeof *script->builtins);
    script->prelude = ground_take(&run->ground, 1, sizeof *script->prelude);
    script->prelude->parent = script->builtins;
    script->globals = ground_take(&run->ground, 1, sizeof *script->globals);
    script->globals->parent = script->prelude;
    add_builtins(run, spor_plain_builtins);
    add_builtins(run, spor_tensor_builtins);
    add_builtins(run, spor_reduce_builtins);
    add_builtins(run, spor_order_builtins);
    add_builtins(run, spor_einsum_builtins);
    add_builtins(run, spor_array_builtins);
    add_builtins(run, spor_leaf_builtins);
    add_builtins(run, spor_declaration_builtins);
    add_builtins(run, declare_sets(run));
    if (script->dialect) add_builtins(run, script->dialect->builtins);
    add_ops(run);
}

/* ---- --set name=value ------------------------------------------------------------------------ */

/* Names that the top level of the script assigns. */
static int assigned_names(spor_pass *run, const spor_syntax *tree, const char ***names) {
    int n = 0;
    *names = ground_take(&run->ground, (size_t)tree->n, sizeof **names);
    for (int k = 0; k < tree->n; k++)
        if (tree->child[k]->kind == NODE_ASSIGN && tree->child[k]->child[0]->kind == NODE_NAME)
            (*names)[n++] = tree->child[k]->child[0]->text;
    return n;
}

static _Noreturn void unknown_setting(spor_pass *run, const char *name, int n,
                                      const char *const names[]) {
    char out[400] = "";
    spor_note note = {out, sizeof out, 0};
    const char *near = nearest_name(name, n, names);
    for (int k = 0; k < n; k++) note_add(&note, "%s%s", k ? ", " : "; it sets ", names[k]);
    pass_fail(run, (spor_spot){0}, "--set %.70s: the script sets no such name%s%s%s%s", name,
              near ? "; did you mean " : "", near ? near : "", near ? "?" : "",
              n ? out : " at its top level");
}

static void read_settings(spor_pass *run, const spor_syntax *tree, int n,
                          const spor_set settings[]) {
    spor_script *script = run->script;
    int count = script->assigned = assigned_names(run, tree, &script->assigns);
    const char **names = script->assigns;
    script->replacement = ground_take(&run->ground, (size_t)n, sizeof *script->replacement);
    for (int k = 0; k < n; k++) {
        const char *name =
            ground_intern(&run->ground, &script->names, settings[k].name, strlen(settings[k].name));
        int at = 0;
        while (at < count && names[at] != name) at++;
        if (at == count) unknown_setting(run, name, count, names);
        const spor_source *source =
            add_source(run, (spor_spot){0}, ground_take_format(&run->ground, "--set %.70s", name),
                       settings[k].value, strlen(settings[k].value));
        script->files--;
        const spor_syntax *value =
            parse_expression(&run->ground, &script->names, script->dialect, source);
        script->replacement[script->replacements++] = (spor_replacement){name, value, false};
    }
}

/* ---- script.h ---- */

/* Files of models/, put into the program by the build. */
extern const char script_optimizers[], script_schedules[];

/* What every script knows without include; its own names come first. */
static void run_prelude(spor_pass *run, const char *file, const char *text) {
    spor_source *source = add_source(run, (spor_spot){0}, file, text, strlen(text));
    source->included = true;
    run->script->files--;
    pass_top(run, run->script->prelude, parse_source(run, source));
}

typedef struct {
    const char *path, *text; /* text NULL: read the file */
    int n;
    const spor_set *settings;
    int files;
    const script_file *kept; /* NULL: files are on disk */
} loading;

static void load(spor_pass *run, void *context) {
    const loading *l = context;
    spor_message message = {""};
    add_names(run);
    run_prelude(run, "optimizers.spor", script_optimizers);
    run_prelude(run, "schedules.spor", script_schedules);
    run->steps = 0; /* the script's own are counted */
    spor_source *source = l->text
                              ? add_source(run, (spor_spot){0}, l->path, l->text, strlen(l->text))
                              : read_source(run, (spor_spot){0}, l->path, &message);
    if (!source) pass_fail(run, (spor_spot){0}, "%s", message.text);
    source->hidden = !l->text && !l->kept && !file_leads_to(l->path, script_ending);
    const spor_syntax *tree = parse_source(run, source);
    source->hidden = false;
    read_settings(run, tree, l->n, l->settings);
    pass_top(run, run->script->globals, tree);
}

static spor_script *new_script(loading *l, const char *layers, const spor_dialect *dialect) {
    spor_script *script = calloc(1, sizeof *script);
    if (!script) return NULL;
    script->dialect = dialect;
    script->kept = l->kept;
    script->kept_files = l->files;
    script->layers = layers ? arena_text(&script->arena, layers) : NULL;
    spor_pass run = {.ground = {.arena = &script->arena}, .script = script};
    if (!pass_attempt(&run, load, l)) keep_error(&run, script->error, sizeof script->error);
    script->kept = NULL;
    return script;
}

spor_script *script_load(const char *path, const char *layers, const spor_dialect *dialect, int n,
                         const spor_set settings[]) {
    return new_script(&(loading){.path = path, .n = n, .settings = settings}, layers, dialect);
}

spor_script *script_load_kept(const char *layers, const spor_dialect *dialect, int n,
                              const spor_set settings[], int files, const script_file file[]) {
    loading l = {.path = file[0].file, .n = n, .settings = settings, .files = files, .kept = file};
    return new_script(&l, layers, dialect);
}

spor_script *script_read(const char *name, const char *text, const char *layers,
                         const spor_dialect *dialect) {
    return new_script(&(loading){.path = name, .text = text}, layers, dialect);
}

void script_free(spor_script *script) {
    if (!script) return;
    arena_free(&script->arena);
    free(script);
}

/* Sources lie the last one first. */
script_file script_file_at(const spor_script *script, int k) {
    int later = -1 - k; /* files to be behind it */
    for (const spor_source *s = script ? script->sources : NULL; s; s = s->next) later += s->read;
    if (later < 0) return (script_file){0};
    const spor_source *found = script->sources;
    for (; !found->read || later > 0; found = found->next) later -= found->read;
    return (script_file){found->file, found->text - found->mark};
}

bool script_assigns(const spor_script *script, const char *name) {
    int k = 0;
    if (!script) return false;
    while (k < script->assigned && strcmp(script->assigns[k], name) != 0) k++;
    return k < script->assigned;
}

const char *script_error(const spor_script *script) {
    if (!script) return "out of memory";
    return *script->error ? script->error : NULL;
}

const spor_declaration *script_declaration(const spor_script *script) {
    return script && script->declared ? &script->declaration : NULL;
}

spor_shape script_target(const spor_declaration *d) {
    return d->target_is_x ? d->sample : d->classes ? SPOR_SHAPE(d->classes) : d->y;
}

/* ---- recording ---- */

typedef struct {
    spor_value callee;
    const spor_partial *partial; /* the callee has waited in it; NULL: it has not */
    spor_spot place;
    int n;
    const spor_var *args;
    int most, results; /* a list of tensors is taken if there is room for several */
    spor_var *result;
} recording;

/* A tensor, or a list of them where one is wanted. */
static void take_results(spor_pass *run, recording *r, const spor_value *returned) {
    bool several = r->most > 1 && returned->kind == VALUE_LIST && returned->list.n > 0;
    int n = several ? returned->list.n : 1;
    bool tensors = n <= r->most;
    for (int k = 0; k < n && tensors; k++) {
        const spor_value *one = several ? &returned->list.item[k] : returned;
        tensors = one->kind == VALUE_TENSOR;
        if (tensors) r->result[k] = one->t.var;
    }
    if (!tensors)
        pass_fail(run, r->place, "%s must return a tensor%s but returns %s",
                  r->callee.function->def->name, r->most > 1 ? ", or several," : "",
                  value_describe(&run->ground, returned));
    r->results = n;
}

static void record(spor_pass *run, void *context) {
    recording *r = context;
    size_t n = (size_t)r->n;
    spor_value *value = ground_take(&run->ground, n, sizeof *value);
    const char **keyword = ground_take(&run->ground, n, sizeof *keyword);
    spor_spot *at = ground_take(&run->ground, n, sizeof *at);
    for (size_t k = 0; k < n; k++) {
        value[k] = value_of_tensor(r->args[k], NULL);
        at[k] = r->place;
    }
    spor_arguments arguments = {r->place, r->n, value, keyword, at};
    spor_value result =
        r->partial ? partial_call(run, r->partial, value) : pass_call(run, &r->callee, &arguments);
    take_results(run, r, &result);
}

/* Where a tape failed. */
static spor_spot failed_at(const spor_script *script, const spor_tape *tape) {
    spor_spot at;
    const char *file;
    spor_error_place(tape, &file, &at.line, &at.column);
    at.source = source_of(script, file);
    return at;
}

/* Puts the error of a pass on its tape, and keeps the calls around it for script_explain. */
static void keep_failure(spor_pass *run, spor_script *script) {
    spor_note note = {script->trace, sizeof script->trace, 0};
    const char *called;
    spor_spot inside = run->tape_failed ? failed_at(script, run->tape) : run->ground.place;
    spor_spot at = pass_leave_included(run, inside, &called);
    script->trace[0] = 0;
    note_way(run, &note, called, inside);
    spor_tape_place(run->tape, at.source ? at.source->file : NULL, at.line, at.column);
    if (!run->tape_failed) tape_reject(run->tape, "%s", run->ground.message);
    if (called) tape_lead_out(run->tape, in_front(called, run->tape->complaint));
}

static bool record_all(spor_script *script, spor_tape *tape, bool training, recording *r) {
    if (!tape || spor_error(tape)) return false;
    spor_arena arena = {NULL};
    spor_pass run = {
        .ground = {.arena = &arena}, .script = script, .tape = tape, .training = training};
    bool done = pass_attempt(&run, record, r);
    if (!done) keep_failure(&run, script);
    arena_free(&arena);
    spor_tape_place(tape, NULL, 0, 0);
    return done;
}

static spor_var record_on(spor_script *script, spor_tape *tape, bool training, recording *r) {
    spor_var result;
    r->most = 1;
    r->result = &result;
    return record_all(script, tape, training, r) ? result : (spor_var){tape, 0};
}

bool script_guard(spor_script *script, spor_tape *tape, void *own, spor_guarded *work,
                  void *context) {
    spor_arena arena = {NULL};
    spor_pass run = {
        .ground = {.arena = &arena}, .script = script, .tape = tape, .training = true, .own = own};
    bool done = pass_attempt(&run, work, context);
    if (!done) keep_failure(&run, script);
    arena_free(&arena);
    return done;
}

bool script_record_rule(spor_script *script, spor_tape *tape, spor_guarded *work, void *context) {
    spor_arena arena = {NULL};
    if (!tape || spor_error(tape)) return false;
    spor_pass run = {.ground = {.arena = &arena}, .script = script, .tape = tape, .ruling = true};
    bool done = pass_attempt(&run, work, context);
    if (!done) keep_failure(&run, script);
    arena_free(&arena);
    spor_tape_place(tape, NULL, 0, 0);
    return done;
}

void script_name_values(spor_script *script) {
    script->naming = true;
}

static spor_var reject(spor_tape *tape, const char *message) {
    return tape_reject(tape, "%s", message);
}

spor_var script_net(spor_var x, bool training, void *user) {
    spor_script *script = user;
    if (!script->declared) return reject(x.tape, "the script has no train(...)");
    recording r = {.callee = script->net, .place = script->train, .n = 1, .args = &x};
    return record_on(script, x.tape, training, &r);
}

spor_var script_loss(spor_var prediction, spor_var target, void *user) {
    spor_script *script = user;
    spor_var args[] = {prediction, target};
    spor_spot at = script->train;
    if (!script->declared) return reject(prediction.tape, "the script has no train(...)");
    if (!script->declaration.record) {
        recording r = {.callee = script->loss, .place = at, .n = 2, .args = args};
        if (script->loss.kind == VALUE_LOSS_CALL) {
            r.partial = script->loss.partial;
            r.callee = (spor_value){.kind = VALUE_FUNCTION, .function = r.partial->function};
        }
        return record_on(script, prediction.tape, false, &r);
    }
    spor_tape_place(prediction.tape, at.source->file, at.line, at.column);
    spor_var cost = script->declaration.record(prediction, target, NULL);
    spor_tape_place(prediction.tape, NULL, 0, 0);
    return cost;
}

/* A def among the globals, or NULL. */
static const spor_value *find_def(const spor_script *script, const char *name) {
    for (int k = 0; k < script->globals->n; k++) {
        const spor_binding *b = &script->globals->binding[k];
        if (!strcmp(b->name, name) && b->value.kind == VALUE_FUNCTION) return &b->value;
    }
    return NULL;
}

const char *script_nearest_def(const spor_script *script, const char *name) {
    enum { MOST_NAMES = 256 };
    const char *names[MOST_NAMES];
    int count = 0;
    for (int k = 0; k < script->globals->n && count < MOST_NAMES; k++) {
        const spor_binding *b = &script->globals->binding[k];
        if (b->value.kind == VALUE_FUNCTION) names[count++] = b->name;
    }
    return nearest_name(name, count, names);
}

spor_var script_call(spor_script *script, const char *name, spor_tape *tape, bool training, int n,
                     const spor_var args[]) {
    const spor_value *def = find_def(script, name);
    if (!def) return tape_reject(tape, "the script has no def %.64s", name);
    recording r = {.callee = *def, .n = n, .args = args};
    r.place = def->function->def->place;
    return record_on(script, tape, training, &r);
}

int script_call_all(spor_script *script, const char *name, spor_tape *tape, int n,
                    const spor_var args[], int most, spor_var result[]) {
    const spor_value *def = find_def(script, name);
    if (!def) return tape_reject(tape, "the script has no def %.64s", name), 0;
    recording r = {.callee = *def, .n = n, .args = args, .most = most, .result = result};
    r.place = def->function->def->place;
    return record_all(script, tape, false, &r) ? r.results : 0;
}

/* The last line of the def, if that returns names. */
int script_results(const spor_script *script, const char *name, int most, const char *names[]) {
    const spor_value *value = find_def(script, name);
    const spor_syntax *body = value ? value->function->def->body : NULL;
    const spor_syntax *last = body && body->n ? body->child[body->n - 1] : NULL;
    const spor_syntax *list = last && last->kind == NODE_RETURN && last->n ? last->child[0] : NULL;
    if (!list || list->kind != NODE_LIST || list->n > most) return 0;
    for (int k = 0; k < list->n; k++) {
        if (list->child[k]->kind != NODE_NAME) return 0;
        names[k] = list->child[k]->text;
        for (int j = 0; j < k; j++)
            if (names[j] == names[k]) return 0;
    }
    return list->n;
}

int script_parameters(const spor_script *script, const char *name, int most, const char *names[]) {
    const spor_value *value = find_def(script, name);
    const spor_def *def = value ? value->function->def : NULL;
    for (int k = 0; def && k < def->parameters && k < most; k++) names[k] = def->parameter[k].name;
    return def ? def->parameters : -1;
}

void pass_error(spor_pass *run, char *out, size_t size) {
    const char *file = NULL;
    int line, column;
    if (!run->tape_failed) {
        keep_error(run, out, size);
        return;
    }
    keep_failure(run, run->script);
    spor_error_place(run->tape, &file, &line, &column);
    script_explain(run->script, spor_error(run->tape), file, line, column, out, size);
}

void script_explain(const spor_script *script, const char *message, const char *file, int line,
                    int column, char *out, size_t size) {
    spor_note note = {out, size, 0};
    if (size) out[0] = 0;
    note_add(&note, "%s", message);
    const spor_source *source = source_of(script, file);
    if (!source) return;
    note_point(&note, (spor_spot){source, line, column});
    note_add(&note, "%s", script->trace);
}
