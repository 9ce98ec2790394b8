#include "train/pictures.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/random.h"
#include "base/shape.h"
#include "data/values.h"
#include "figure/axis.h"
#include "figure/figure.h"
#include "program/params.h"
#include "tape/layers.h"
#include "train/batch.h"
#include "train/model.h"

enum { ROWS = 20, FILTERS = 24, CHANNELS = 3, MAPS = 16, LAYERS = 5, LINE = 160 };

static bool out_of_memory(spor_message *why) {
    return message_complain(why, "out of memory");
}

/* ---- the training and its test --------------------------------------------------------------- */

static bool draw_history(const pictures_source *from, spor_text *svg, spor_message *why) {
    return history_draw(from->history, from->best, from->title, svg, why);
}

static bool draw_confusion(const pictures_source *from, spor_text *svg, spor_message *why) {
    if (!from->seen->any) return message_complain(why, "the test rows were not evaluated");
    return confusion_draw(from->test, from->title, svg, why);
}

/* ---- the network at work --------------------------------------------------------------------- */

/* With memory of its own, for one thread: there is little to do. */
static spor_program *compile(const pictures_source *from, int n, const spor_var outputs[]) {
    spor_options options = model_spec_of(from->model)->options;
    options.workspace = NULL;
    options.threads = 0;
    return spor_compile(from->net->tape, n, outputs, spor_model_params(from->model), &options);
}

/* The same sample in each row of x: some networks take no row alone. */
static bool run_row(const pictures_source *from, spor_program *program, int64_t row) {
    spor_arg x = spor_program_arg(program, from->net->x);
    int64_t count = from->net->rows, *rows = malloc(bytes_for(count, sizeof *rows));
    for (int64_t k = 0; rows && k < count; k++) rows[k] = row;
    bool done = x.data && rows &&
                spor_data_rows(from->data, rows, count, model_spec_of(from->model)->options.scalar,
                               x.data, NULL) &&
                spor_run(program, 0);
    free(rows);
    return done;
}

/* ---- pictures of rows ----------------------------------------------------------------------- */

/* [h, w], [h, w, 1] or [h, w, 3] */
static bool image_of(const spor_shape *shape, image_size *size) {
    int64_t channels = shape->rank == 3 ? shape->n[2] : 1;
    *size = (image_size){shape->n[0], shape->n[1], channels == 3 ? 3 : 1};
    return (shape->rank == 2 || shape->rank == 3) && (channels == 1 || channels == 3);
}

/* Rows at once; as many mistakes are kept. */
_Static_assert((int)ROWS >= (int)SEEN_MISTAKES, "a row for each mistake");

/* Rows with their numbers, if these are pictures, and lines of text. */
typedef struct {
    image_size size; /* height 0: no pictures */
    int count;
    figure_tile tile[ROWS];
    char line[ROWS][TILE_LINES][LINE];
    double *number;
} gallery;

/* The numbers of a row as the data have them. */
static void read_row(const spor_values *v, int64_t row, double out[]) {
    int64_t size = shape_size(&v->shape);
    for (int64_t k = 0; k < size; k++)
        out[k] = values_types[v->keep].value(v->value, row * size + k);
}

static bool gallery_begin(gallery *g, const spor_data *data, int count, spor_message *why) {
    int64_t size = shape_size(&data->x.shape);
    if (!image_of(&data->x.shape, &g->size)) g->size = (image_size){0};
    g->number = g->size.height ? malloc(bytes_for(size, (size_t)count * sizeof(double))) : NULL;
    return !g->size.height || g->number || out_of_memory(why);
}

static void gallery_add(gallery *g, const spor_data *data, int64_t row) {
    figure_tile *tile = &g->tile[g->count];
    int64_t size = shape_size(&data->x.shape);
    if (g->number) {
        tile->number = g->number + g->count * size;
        read_row(&data->x, row, g->number + g->count * size);
    }
    for (int k = 0; k < TILE_LINES; k++)
        tile->line[k] = *g->line[g->count][k] ? g->line[g->count][k] : NULL;
    g->count++;
}

static void class_text(const spor_data *data, int label, char out[LINE]) {
    if (data->class_name)
        snprintf(out, LINE, "%s", data->class_name[label]);
    else
        snprintf(out, LINE, "%d", label);
}

/* The class, or the first number of the target. */
static void target_text(const spor_data *data, int64_t row, char out[LINE]) {
    if (data->label)
        class_text(data, data->label[row], out);
    else if (data->y.value)
        axis_digits(
            out, values_types[data->y.keep].value(data->y.value, row * shape_size(&data->y.shape)),
            4);
}

static bool draw_samples(const pictures_source *from, spor_text *svg, spor_message *why) {
    gallery g = {0};
    int64_t rows = from->split->train_rows;
    int count = rows < ROWS ? (int)rows : ROWS;
    image_size size;
    char shape[128], about[200];
    tape_shape_text(&from->data->x.shape, NULL, shape, sizeof shape);
    if (!image_of(&from->data->x.shape, &size))
        return message_complain(why, "a sample is %s, and no image [h, w], [h, w, 1] or [h, w, 3]",
                                shape);
    if (!gallery_begin(&g, from->data, count, why)) return false;
    for (int k = 0; k < count; k++) {
        int64_t first = rows * k / count, part = rows * (k + 1) / count - first;
        uint64_t draw = random_hash(from->seed, (uint64_t)k, 7);
        int64_t row = from->split->train[first + (int64_t)(draw % (uint64_t)part)];
        target_text(from->data, row, g.line[g.count][0]);
        gallery_add(&g, from->data, row);
    }
    const figure_group group = {"Numbers as in the data", size, false, 10, g.count, g.tile};
    snprintf(about, sizeof about, "Training rows of %s, drawn at random, with their targets",
             from->data->name);
    figure_tiles(svg, from->title, about, 1, &group);
    free(g.number);
    return true;
}

/* A class behind a word, cut so that what follows is on the line, too. Returns its bytes. */
static int add_class(const spor_data *data, const char *word, int label, char line[LINE]) {
    enum { LETTERS = 16 };
    char name[LINE];
    class_text(data, label, name);
    bool cut = text_width(name) > LETTERS;
    return snprintf(line, LINE, "%s %.*s%s", word, text_bytes_of(name, cut ? LETTERS - 3 : LETTERS),
                    name, cut ? "..." : "");
}

/* "true rose", "as lily, 0.98", "row 132"; a probability that is not known is negative. */
static void mistake_lines(const spor_data *data, const seen_mistake *m, double probability,
                          char line[TILE_LINES][LINE]) {
    add_class(data, "true", m->label, line[0]);
    int at = add_class(data, "as", m->predicted, line[1]);
    long hundredths = lround(100 * probability);
    if (probability >= 0)
        snprintf(line[1] + at, (size_t)(LINE - at), ", %ld.%02ld", hundredths / 100,
                 hundredths % 100);
    snprintf(line[2], LINE, "row %" PRId64, m->row);
}

/* Of the class that a row was taken for, by the program of the network and its link; one number for two
 * classes is that of class 1. Negative where there is none. */
static double probability_of(const pictures_source *from, spor_program *program,
                             const seen_mistake *m) {
    if (!program || !run_row(from, program, m->row)) return -1;
    spor_arg told = spor_program_arg(program, from->net->told);
    int64_t columns = shape_size(&told.shape) / from->net->rows;
    double first = model_number(from->model, &told, 0);
    double p = columns > 1    ? model_number(from->model, &told, m->predicted)
               : m->predicted ? first
                              : 1 - first;
    return p >= 0 && p <= 1 ? p : -1;
}

static bool draw_mistakes(const pictures_source *from, spor_text *svg, spor_message *why) {
    const spor_seen *seen = from->seen;
    const pictures_net *net = from->net;
    gallery g = {0};
    char about[240];
    if (!seen->any) return message_complain(why, "the test rows were not evaluated");
    if (!from->test->confusion) return message_complain(why, "no classes were tested");
    if (!seen->mistakes) return message_complain(why, "no test row is wrong");
    if (!gallery_begin(&g, from->data, seen->mistakes, why)) return false;
    spor_program *program = net->told.id ? compile(from, 1, &net->told) : NULL;
    for (int k = 0; k < seen->mistakes; k++) {
        const seen_mistake *m = &seen->mistake[k];
        mistake_lines(from->data, m, probability_of(from, program, m), g.line[k]);
        gallery_add(&g, from->data, m->row);
    }
    spor_program_free(program);
    const figure_group group = {g.size.height ? "Numbers as in the data" : "Samples are no images",
                                g.size,
                                false,
                                5,
                                g.count,
                                g.tile};
    snprintf(
        about, sizeof about,
        "Test rows that are most wrong: true class, what it was taken for%s; rows count from 0",
        net->told.id ? " and its probability" : "");
    figure_tiles(svg, from->title, about, 1, &group);
    free(g.number);
    return true;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static void target_name(const spor_data *data, int k, char out[LINE]) {
    char *const *column = data->y.column;
    if (column)
        snprintf(out, LINE, "%.*s", text_bytes_of(column[k], LINE / 4 - 1), column[k]);
    else
        snprintf(out, LINE, shape_size(&data->y.shape) > 1 ? "target %d" : "target", k);
}

static bool draw_residuals(const pictures_source *from, spor_text *svg, spor_message *why) {
    const spor_seen *seen = from->seen;
    char name[SEEN_TARGETS][LINE], note[160];
    figure_residuals target[SEEN_TARGETS];
    if (!seen->any) return message_complain(why, "the test rows were not evaluated");
    if (seen->mirrored) return message_complain(why, "the targets are the samples themselves");
    if (from->data->label) return message_complain(why, "targets are classes");
    if (!seen->targets)
        return message_complain(why, "no numbers are predicted for those of the targets");
    for (int k = 0; k < seen->targets; k++) {
        target_name(from->data, k, name[k]);
        target[k] = (figure_residuals){name[k], seen->rows, seen->truth + k * seen->rows,
                                       seen->predicted + k * seen->rows};
    }
    int at = snprintf(note, sizeof note, "%" PRId64 " test rows", seen->rows);
    if (seen->every > 1)
        at += snprintf(note + at, sizeof note - (size_t)at, ", one in %" PRId64, seen->every);
    if (seen->columns > seen->targets)
        snprintf(note + at, sizeof note - (size_t)at, "; the first %d of %" PRId64 " targets",
                 seen->targets, seen->columns);
    figure_residuals_draw(svg, from->title, note, seen->targets, target);
    return true;
}

/* ---- the network ---------------------------------------------------------------------------- */

static bool record(pictures_net *net, spor_model *model, int64_t rows) {
    const spor_model_spec *spec = model_spec_of(model);
    net->rows = rows;
    net->tape = spor_tape_new();
    net->x = spor_input(net->tape, "x", shape_rows(rows, &spec->sample));
    net->prediction = spec->net(net->x, false, spec->user);
    net->scopes = net->tape ? net->tape->scopes : 0;
    net->told = model_link(model) ? model_link(model)(net->prediction) : (spor_var){0};
    if (!spor_error(net->tape) && layers_find(net->tape, net->scopes, &net->layer) >= 0)
        return true;
    pictures_forget(net);
    return false;
}

void pictures_record(pictures_net *net, spor_model *model, int64_t rows) {
    *net = (pictures_net){0};
    if (!record(net, model, 1)) record(net, model, rows);
}

void pictures_forget(pictures_net *net) {
    spor_tape_free(net->tape);
    free(net->layer);
    *net = (pictures_net){0};
}

static bool is_trained(const spor_tape *tape, uint32_t id) {
    for (uint32_t k = 0; k < tape->leaves; k++)
        if (tape->leaf[k].id == id) return tape->leaf[k].trained;
    return false;
}

/* Weights as kernels over pixels: [height, width, channels, filters], of a convolution or of all the
 * pixels of a sample. */
static bool kernels_of(const spor_tape *tape, const spor_node *node, const spor_shape *sample,
                       image_size *size, int64_t *channels, int64_t *filters) {
    const spor_shape *w = tape->node[node->in[1]].shape;
    if (!(node->op->traits & SPOR_BILINEAR) || !is_trained(tape, node->in[1])) return false;
    if (node->op->traits & SPOR_SLIDES && w->rank == 4) {
        *size = (image_size){w->n[0], w->n[1], 1};
        *channels = w->n[2], *filters = w->n[3];
        return true;
    }
    if (w->rank != 2 || !image_of(sample, size) || w->n[0] != shape_size(sample)) return false;
    *channels = size->channels, *filters = w->n[1];
    size->channels = 1;
    return true;
}

/* The first channels and filters of some weights. */
typedef struct {
    image_size size;
    int64_t channels, filters; /* of the weights */
    int groups, tiles;         /* that are shown */
    const char *name;
    const spor_shape *shape;
    spor_entry entry;
    figure_group group[CHANNELS];
    figure_tile tile[CHANNELS][FILTERS];
    char heading[CHANNELS][40];
    double *number; /* [groups, tiles, height, width] */
} kernels;

static bool find_kernels(const pictures_source *from, kernels *k) {
    const spor_tape *tape = from->net->tape;
    spor_params *params = spor_model_params(from->model);
    uint32_t id = 1, last = tape ? from->net->prediction.id : 0;
    while (id <= last && !(tape->node[id].op->operands == 2 &&
                           kernels_of(tape, &tape->node[id], &from->data->x.shape, &k->size,
                                      &k->channels, &k->filters)))
        id++;
    if (id > last) return false;
    k->name = tape->node[tape->node[id].in[1]].name;
    k->shape = tape->node[tape->node[id].in[1]].shape;
    k->entry = spor_params_entry(params, spor_params_find(params, k->name));
    k->groups = k->channels < CHANNELS ? (int)k->channels : CHANNELS;
    k->tiles = k->filters < FILTERS ? (int)k->filters : FILTERS;
    return true;
}

static bool read_kernels(kernels *k) {
    int64_t each = k->size.height * k->size.width;
    k->number = malloc(bytes_for(each, (size_t)(k->groups * k->tiles) * sizeof *k->number));
    if (!k->entry.value || !k->number) return false;
    for (int c = 0; c < k->groups; c++) {
        for (int f = 0; f < k->tiles; f++) {
            double *own = k->number + (c * k->tiles + f) * each;
            for (int64_t i = 0; i < each; i++)
                own[i] = scalar_value_at(k->entry.value, k->entry.scalar,
                                         (i * k->channels + c) * k->filters + f);
            k->tile[c][f].number = own;
        }
        snprintf(k->heading[c], sizeof *k->heading, "Channel %d", c);
        k->group[c] = (figure_group){
            k->channels > 1 ? k->heading[c] : NULL, k->size, true, 8, k->tiles, k->tile[c]};
    }
    return true;
}

static void draw_kernels(const pictures_source *from, const kernels *k, spor_text *svg) {
    char about[300], shape[128];
    tape_shape_text(k->shape, NULL, shape, sizeof shape);
    int used = snprintf(about, sizeof about, "Weights %.100s %s", k->name, shape);
    if (k->tiles < k->filters || k->groups < k->channels)
        snprintf(about + used, sizeof about - (size_t)used,
                 ": the first %d of %" PRId64 " filters, %d of %" PRId64 " channels", k->tiles,
                 k->filters, k->groups, k->channels);
    figure_tiles(svg, from->title, about, k->groups, k->group);
}

static bool kernels_of_net(const pictures_source *from, spor_text *svg, spor_message *why) {
    kernels k = {0};
    if (!find_kernels(from, &k))
        return message_complain(why,
                                "no layer has kernels, or weights over the pixels of an image");
    bool done = read_kernels(&k) || out_of_memory(why);
    if (done) draw_kernels(from, &k, svg);
    free(k.number);
    return done;
}

/* ---- maps ----------------------------------------------------------------------------------- */

/* Layers with maps, and the program that makes them. */
typedef struct {
    int layers, all;
    uint32_t scope[LAYERS];
    spor_var map[LAYERS];
    spor_program *program;
    image_size size[LAYERS];
    double *number[LAYERS]; /* [MAPS, height, width] of each layer */
    figure_tile tile[LAYERS][MAPS];
    char heading[LAYERS][120];
} maps;

/* Layers with parameters whose result is [N, h, w, C]: the first few of all. */
static void find_maps(const pictures_net *net, maps *m) {
    const spor_tape *tape = net->tape;
    for (uint32_t k = 1; k < net->scopes; k++) {
        if (!net->layer[k] || !layers_have_parameters(tape, k)) continue;
        const spor_shape *shape = tape->node[tape->scope[k].result].shape;
        if (shape->rank != 4 || shape->n[0] != net->rows || shape->n[1] * shape->n[2] < 2) continue;
        if (m->all++ >= LAYERS) continue;
        m->scope[m->layers] = k;
        m->size[m->layers] = (image_size){shape->n[1], shape->n[2], 1};
        m->map[m->layers++] = spor_tape_var(net->tape, tape->scope[k].result);
    }
}

static bool read_maps(const pictures_source *from, maps *m, int layer) {
    spor_arg arg = spor_program_arg(m->program, m->map[layer]);
    int64_t each = arg.shape.n[1] * arg.shape.n[2], channels = arg.shape.n[3];
    int tiles = channels < MAPS ? (int)channels : MAPS;
    double *number = m->number[layer] = malloc(bytes_for(each, (size_t)tiles * sizeof *number));
    if (!number || !arg.data) return false;
    for (int c = 0; c < tiles; c++) {
        for (int64_t k = 0; k < each; k++)
            number[c * each + k] = model_number(from->model, &arg, k * channels + c);
        m->tile[layer][c].number = number + c * each;
    }
    int used = snprintf(m->heading[layer], sizeof *m->heading, "%.60s",
                        layers_name(from->net->tape, m->scope[layer]));
    if (tiles < channels)
        snprintf(m->heading[layer] + used, sizeof *m->heading - (size_t)used,
                 ", the first %d of %" PRId64 " maps", tiles, channels);
    return true;
}

static void draw_maps(const pictures_source *from, const maps *m, int64_t row, spor_text *svg,
                      double *sample) {
    figure_group group[LAYERS + 1];
    figure_tile first = {.number = sample};
    image_size size;
    char line[LINE] = "", about[160];
    int groups = 0;
    target_text(from->data, row, line);
    first.line[0] = *line ? line : NULL;
    if (image_of(&from->data->x.shape, &size))
        group[groups++] = (figure_group){"The sample", size, false, 8, 1, &first};
    for (int k = 0; k < m->layers; k++) {
        int64_t channels = spor_shape_of(m->map[k]).n[3];
        group[groups++] = (figure_group){
            m->heading[k], m->size[k], false, 8, channels < MAPS ? (int)channels : MAPS,
            m->tile[k]};
    }
    int used =
        snprintf(about, sizeof about, "What layers make of the first test row, row %" PRId64, row);
    if (m->all > m->layers)
        snprintf(about + used, sizeof about - (size_t)used, ": the first %d of %d layers with maps",
                 m->layers, m->all);
    figure_tiles(svg, from->title, about, groups, group);
}

static bool maps_of_net(const pictures_source *from, spor_text *svg, spor_message *why) {
    maps m = {0};
    if (!from->net->tape) return message_complain(why, "the network can't be recorded alone");
    find_maps(from->net, &m);
    if (!m.layers)
        return message_complain(why, "no layer with parameters makes maps [h, w, channels]");
    if (!from->split->test_rows) return message_complain(why, "there are no rows to test with");
    int64_t row = from->split->test[0], size = shape_size(&from->data->x.shape);
    double *sample = malloc(bytes_for(size, sizeof *sample));
    if (sample) m.program = compile(from, m.layers, m.map);
    bool done = sample && run_row(from, m.program, row);
    for (int k = 0; done && k < m.layers; k++) done = read_maps(from, &m, k);
    if (done) {
        read_row(&from->data->x, row, sample);
        draw_maps(from, &m, row, svg, sample);
    } else {
        const char *error = spor_program_error(m.program);
        message_complain(why, "%s", error ? error : "out of memory");
    }
    spor_program_free(m.program);
    for (int k = 0; k < m.layers; k++) free(m.number[k]);
    free(sample);
    return done;
}

const pictures_entry pictures[PICTURES] = {
    {"Training", "history.svg", draw_history},
    {"Confusion matrix", "confusion.svg", draw_confusion},
    {"Worst mistakes", "mistakes.svg", draw_mistakes},
    {"Residuals", "residuals.svg", draw_residuals},
    {"Samples", "samples.svg", draw_samples},
    {"Kernels", "kernels.svg", kernels_of_net},
    {"Feature maps", "maps.svg", maps_of_net},
};
