/*
 * What train(...) declares: data, loss, optimizer, clip. Declaring does nothing; commands read it.
 */
#include "script/private.h"

#include <string.h>

#include "data/sets.h"

spor_value declare_part(const spor_given *g, spor_value_kind kind) {
    spor_value v = {.kind = kind};
    v.declared = ground_take(&g->run->ground, 1, sizeof *v.declared);
    return v;
}

/* ---- data ---- */

/* A row of the table of data sets. */
static spor_value known_set(const spor_given *g) {
    const data_set *set = sets_find(g->builtin->name);
    spor_value v = declare_part(g, VALUE_DATA);
    v.declared->data = set->name;
    v.declared->set = set;
    v.declared->sample = set->shape;
    v.declared->classes = set->classes;
    v.declared->scale = given_scale(g, 0, set->scale);
    return v;
}

const spor_builtin *declare_sets(spor_pass *run) {
    size_t count = 0;
    while (data_sets[count].name) count++;
    spor_builtin *table = ground_take(&run->ground, count + 1, sizeof *table);
    for (size_t k = 0; k < count; k++)
        table[k] = (spor_builtin){data_sets[k].name, "scale?", known_set};
    table[count] = (spor_builtin){NULL, NULL, NULL};
    return table;
}

/* ---- losses ---- */

/* A loss that is built in. Where predictions are logits, their distance from numbers says nothing:
 * the metric is accuracy or none. */
typedef struct {
    spor_loss *sum, *mean;
    const char *divisor; /* of the mean */
    spor_metric metric;
} loss_kind;

/* The reduction has no default: whether the gradient is summed or averaged over the rows decides
 * what a rate means. */
static spor_value loss(const spor_given *g, const loss_kind *kind) {
    const char *reduction = given_string(g, 0, "");
    bool sum = !strcmp(reduction, "sum");
    if (!sum && strcmp(reduction, "mean") != 0)
        pass_fail(g->run, g->at[0],
                  "%s needs reduction=\"sum\" (over the batch) or reduction=\"mean\" (divided "
                  "by its rows%s)",
                  g->builtin->name, kind->divisor);
    spor_value v = declare_part(g, VALUE_LOSS);
    v.declared->loss =
        ground_take_format(&g->run->ground, "%s(reduction=\"%s\")", g->builtin->name, reduction);
    v.declared->record = sum ? kind->sum : kind->mean;
    v.declared->reduction = sum ? SPOR_REDUCTION_SUM : SPOR_REDUCTION_MEAN;
    v.declared->metric = kind->metric;
    return v;
}

static spor_value cross_entropy(const spor_given *g) {
    return loss(
        g, &(loss_kind){spor_cross_entropy_sum, spor_cross_entropy_mean, "", SPOR_METRIC_ACCURACY});
}

static spor_value binary_cross_entropy(const spor_given *g) {
    return loss(g, &(loss_kind){spor_binary_cross_entropy_sum, spor_binary_cross_entropy_mean, "",
                                SPOR_METRIC_ACCURACY});
}

static spor_value squared_error(const spor_given *g) {
    return loss(g, &(loss_kind){spor_squared_error_sum, spor_squared_error_mean,
                                " and the numbers in a row", SPOR_METRIC_FITTING});
}

/* ---- train ---- */

static const spor_value *part(const spor_given *g, int k, spor_value_kind kind,
                              const char *wanted) {
    if (g->arg[k]->kind != kind)
        pass_fail(g->run, g->at[k], "%s must be %s but is %s", given_what(g, k), wanted,
                  value_describe(&g->run->ground, g->arg[k]));
    return g->arg[k];
}

static int64_t count(const spor_given *g, int k, int64_t least) {
    int64_t n = given_int(g, k, 0);
    if (n < least || n > INT32_MAX)
        pass_fail(g->run, g->at[k], "%s must be %" PRId64 " to 2^31 - 1 but is %" PRId64,
                  given_what(g, k), least, n);
    return n;
}

static bool target_is_x(const spor_given *g, int k) {
    const char *target = given_string(g, k, "label");
    if (strcmp(target, "label") != 0 && strcmp(target, "x") != 0)
        pass_fail(g->run, g->at[k], "train: target must be \"label\" or \"x\" but is \"%.40s\"",
                  target);
    return target[0] == 'x';
}

/* What a def does with the rows is not to be seen in it, and what it reports depends on it: where it is
 * not said, training looks at rows, and asks if they do not tell. */
static spor_reduction reduction_of_def(const spor_given *g, int k, const char *def) {
    const char *reduction = given_string(g, k, NULL);
    if (!reduction) return SPOR_REDUCTION_UNSAID;
    if (!strcmp(reduction, "sum")) return SPOR_REDUCTION_SUM;
    if (!strcmp(reduction, "mean")) return SPOR_REDUCTION_MEAN;
    pass_fail(g->run, g->at[k], SCRIPT_SAY_REDUCTION, def);
}

static void declare_loss(const spor_given *g, spor_script *script) {
    enum { LOSS = 2, REDUCTION = 8 };
    spor_declaration *d = &script->declaration;
    script->loss = *g->arg[LOSS];
    d->loss_source = g->at[LOSS].source->file;
    d->loss_line = g->at[LOSS].line;
    d->loss_column = g->at[LOSS].column;
    bool called = script->loss.kind == VALUE_LOSS_CALL;
    if (called || script->loss.kind == VALUE_FUNCTION) {
        const spor_function *f = called ? script->loss.partial->function : script->loss.function;
        d->loss = called ? partial_text(g->run, script->loss.partial) : f->def->name;
        d->reduction = reduction_of_def(g, REDUCTION, f->def->name);
        return;
    }
    const spor_declaration *own =
        part(g, LOSS, VALUE_LOSS,
             "cross_entropy(reduction=...), binary_cross_entropy(reduction=...), "
             "squared_error(reduction=...) or a def of prediction and target")
            ->declared;
    if (g->arg[REDUCTION])
        pass_fail(g->run, g->at[REDUCTION], "train: %s says its reduction itself", own->loss);
    d->loss = own->loss;
    d->record = own->record;
    d->reduction = own->reduction;
    d->metric = own->metric;
}

static void declare_metric(const spor_given *g, int k, spor_declaration *d) {
    if (!g->arg[k]) return;
    if (strcmp(given_string(g, k, ""), "loss") != 0)
        pass_fail(g->run, g->at[k],
                  "train: metric must be \"loss\", for predictions that are neither classes nor "
                  "the targets' numbers; accuracy and RMSE are chosen without it");
    d->metric = SPOR_METRIC_NONE;
}

static void declare_optimizer(const spor_given *g, spor_script *script) {
    spor_declaration *d = &script->declaration;
    script->optimizer = *part(g, 3, VALUE_OPTIMIZER,
                              "a call such as sgd(rate=0.01), of a def that begins with w, dw,");
    d->optimizer = partial_text(g->run, script->optimizer.partial);
    if (!g->arg[7]) return;
    script->clip = *part(g, 7, VALUE_CLIP,
                         "a call such as clip_norm(1), of a def that begins with gradients,");
    d->clip = partial_text(g->run, script->clip.partial);
}

static void declare_schedule(const spor_given *g, int k, spor_script *script) {
    if (!g->arg[k]) return;
    script->schedule = *part(g, k, VALUE_SCHEDULE,
                             "a call such as cosine(), of a def that begins with epoch, step, "
                             "epochs, steps, or with losses,");
    script->declaration.adapts = script->schedule.partial->waiting == 1;
    script->declaration.schedule = partial_text(g->run, script->schedule.partial);
}

static void declare_frozen(const spor_given *g, int k, spor_declaration *d) {
    if (!g->arg[k]) return;
    const spor_list *list = want_list(g->run, g->at[k], given_what(g, k), g->arg[k]);
    const char **names = ground_take(&g->run->ground, (size_t)list->n, sizeof *names);
    for (int i = 0; i < list->n; i++) {
        if (list->item[i].kind != VALUE_STRING)
            pass_fail(g->run, g->at[k],
                      "train: frozen must be a list of names of parameters, or of layers: "
                      "[\"net/dense[0]\"]");
        names[i] = list->item[i].s;
    }
    d->frozen = names;
    d->frozen_count = list->n;
}

static spor_value train(const spor_given *g) {
    spor_script *script = g->run->script;
    spor_declaration *d = &script->declaration;
    if (g->run->frame) pass_fail(g->run, g->place, "train stands at the top level, not in a def");
    if (script->declared)
        pass_fail(g->run, g->place, "train stands once in a script; the first is at %s:%d",
                  script->train.source->file, script->train.line);
    if (g->arg[0]->kind != VALUE_FUNCTION)
        pass_fail(g->run, g->at[0], "train: net must be a def but is %s",
                  value_describe(&g->run->ground, g->arg[0]));
    *d = *part(g, 1, VALUE_DATA,
               "a data set such as digits(), which `spor data` lists, or csv(\"file\")")
              ->declared;
    declare_optimizer(g, script);
    d->batch = count(g, 4, 1);
    d->epochs = count(g, 5, 0);
    if (g->arg[10]) d->patience = count(g, 10, 1);
    d->target_is_x = target_is_x(g, 6);
    if (d->own && d->own->unlabelled && !d->target_is_x)
        pass_fail(g->run, g->at[1], "train: %s has neither label nor targets; say target=\"x\"",
                  d->data);
    declare_loss(g, script);
    declare_metric(g, 9, d);
    declare_schedule(g, 11, script);
    declare_frozen(g, 12, d);
    if (g->arg[13]) d->threads = count(g, 13, 1);
    d->model = g->arg[0]->function->def->name;
    script->net = *g->arg[0];
    script->train = g->place;
    script->declared = true;
    return (spor_value){.kind = VALUE_NOTHING};
}

const spor_builtin spor_declaration_builtins[] = {
    {"csv",
     "path, shape?, classes?, scale?, label?, targets?, inputs?, drop?, header?, separator?, "
     "decimal?, validation?, test?, standardize?",
     own_csv},
    {"npy", "x, y?, " SPOR_OWN_WORDS ", validation_x?, validation_y?, test_x?, test_y?", own_npy},
    {"idx", "x, y?, " SPOR_OWN_WORDS ", validation_x?, validation_y?, test_x?, test_y?", own_idx},
    {"npz", "path, x?, y?, " SPOR_OWN_WORDS ", validation?, test?", own_npz},
    {"mat", "path, x?, y?, " SPOR_OWN_WORDS ", validation?, test?", own_mat},
    {"cross_entropy", "reduction?", cross_entropy},
    {"binary_cross_entropy", "reduction?", binary_cross_entropy},
    {"squared_error", "reduction?", squared_error},
    {"train",
     "net, data, loss, optimizer, batch, epochs, target?, clip?, reduction?, metric?, "
     "patience?, schedule?, frozen?, threads?",
     train},
    {NULL, NULL, NULL},
};
