/* spor predict: what a trained network says of new rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/pool.h"
#include "base/shape.h"
#include "cli/cli.h"
#include "data/file.h"
#include "data/like.h"
#include "data/npy.h"
#include "data/npz.h"
#include "kernels/element.h"
#include "run/run.h"
#include "train/model.h"

typedef struct {
    const char *run, *in, *out;
    int64_t top;
} arguments;

/* Predictions of some rows. */
typedef struct {
    const arguments *given;
    opened_run run;
    spor_data *rows;
    int64_t columns; /* of a prediction */
    double *value;   /* [rows, columns] */
    bool classes;    /* a row has a number for each class, or one for two */
    int *order;      /* [classes] of a row, likely ones first */
} predictions;

static bool complain(const char *text) {
    return command_fail(&spor_command_predict, "%s", text), false;
}

/* ---- predicting ---- */

static bool open_run(predictions *p) {
    spor_message message = {""};
    if (!run_open(&p->run, p->given->run, &message)) return complain(message.text);
    p->run.options.threads = pool_cores();
    return run_model(&p->run, &message) || complain(run_error(&p->run, &message));
}

static bool read_rows(predictions *p) {
    static const spor_table_form found = {0};
    spor_message message = {""};
    const spor_own_data *own = script_declaration(p->run.script)->own;
    const spor_table_form *form = own && own->form ? own->form : &found;
    p->rows = like_read(p->given->in, form, p->run.like, &message);
    return p->rows || complain(message.text);
}

static bool predict(predictions *p) {
    const spor_data *like = p->run.like;
    p->columns = spor_model_columns(p->run.model);
    p->classes = like->classes && !script_declaration(p->run.script)->target_is_x &&
                 (p->columns == like->classes || (like->classes == 2 && p->columns == 1));
    p->value = malloc(bytes_for(p->rows->rows, bytes_for(p->columns, sizeof *p->value)));
    p->order = calloc((size_t)like->classes + 1, sizeof *p->order);
    if (!p->value || !p->order) return complain("out of memory");
    return model_predict_rows(p->run.model, p->rows, NULL, p->rows->rows, p->value) ||
           complain(spor_model_error(p->run.model));
}

/* ---- a table ---- */

static void add_number(const predictions *p, spor_text *text, double value) {
    if (p->run.options.scalar == SPOR_F32)
        text_float(text, (float)value);
    else
        text_real(text, value);
}

/* Of a row: a column for each class; of one number, that of class 1, a probability or a score with 0
 * between the classes. */
static double likelihood(const predictions *p, const double row[], int class) {
    if (p->columns > 1) return row[class];
    return class ? row[0] : model_link(p->run.model) ? 1 - row[0] : -row[0];
}

/* The first `count` of the classes by how likely they are, of equals the first one first. */
static void sort_classes(const predictions *p, const double row[], int count) {
    int classes = p->run.like->classes;
    for (int k = 0; k < classes; k++) p->order[k] = k;
    for (int k = 0; k < count; k++) {
        int best = k;
        for (int other = k + 1; other < classes; other++)
            if (likelihood(p, row, p->order[other]) > likelihood(p, row, p->order[best]))
                best = other;
        int class = p->order[best];
        memmove(p->order + k + 1, p->order + k, (size_t)(best - k) * sizeof *p->order);
        p->order[k] = class;
    }
}

static void add_class(const predictions *p, spor_text *text, int class) {
    if (p->run.like->class_name)
        text_csv(text, p->run.like->class_name[class]);
    else
        text_add(text, "%d", class);
}

static int classes_shown(const predictions *p) {
    int64_t classes = p->run.like->classes;
    return (int)(p->given->top < classes ? p->given->top : classes);
}

/* class,probability,class2,probability2 */
static void add_class_table(const predictions *p, spor_text *text) {
    const char *what = model_link(p->run.model) ? "probability" : "score";
    int shown = classes_shown(p);
    for (int k = 0; k < shown; k++)
        if (k)
            text_add(text, ",class%d,%s%d", k + 1, what, k + 1);
        else
            text_add(text, "class,%s", what);
    text_add(text, "\n");
    for (int64_t n = 0; n < p->rows->rows; n++) {
        const double *row = p->value + n * p->columns;
        sort_classes(p, row, shown);
        for (int k = 0; k < shown; k++) {
            if (k) text_add(text, ",");
            add_class(p, text, p->order[k]);
            text_add(text, ",");
            add_number(p, text, likelihood(p, row, p->order[k]));
        }
        text_add(text, "\n");
    }
}

/* The names of what is predicted, if it has some; y0,y1 */
static char *const *names_of(const predictions *p) {
    const spor_data *like = p->run.like;
    bool targets = like->y.column && shape_size(&like->y.shape) == p->columns;
    return targets ? like->y.column : model_mirrors(p->run.model) ? like->x.column : NULL;
}

static void add_number_table(const predictions *p, spor_text *text) {
    char *const *name = names_of(p);
    for (int64_t k = 0; k < p->columns; k++) {
        if (k) text_add(text, ",");
        if (name)
            text_csv(text, name[k]);
        else
            text_add(text, "y%lld", (long long)k);
    }
    text_add(text, "\n");
    for (int64_t k = 0; k < p->rows->rows * p->columns; k++) {
        add_number(p, text, p->value[k]);
        text_add(text, (k + 1) % p->columns ? "," : "\n");
    }
}

/* ---- files ---- */

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), size = strlen(end);
    return length >= size && !strcasecmp(text + length - size, end);
}

/* [rows, numbers of a prediction], in what the network computes in. */
static bool write_array(const predictions *p, spor_message *message) {
    spor_scalar scalar = p->run.options.scalar;
    spor_shape shape = SPOR_SHAPE(p->rows->rows, p->columns);
    int64_t count = shape_size(&shape);
    if (scalar == SPOR_F64) return npy_write(p->given->out, &shape, scalar, p->value, message);
    float *single = malloc(bytes_for(count, sizeof *single));
    if (!single) return message_complain(message, "out of memory");
    for (int64_t k = 0; k < count; k++) single[k] = (float)p->value[k];
    bool done = npy_write(p->given->out, &shape, scalar, single, message);
    free(single);
    return done;
}

static bool write_table(const predictions *p, spor_message *message) {
    spor_text text = {0};
    (p->classes ? add_class_table : add_number_table)(p, &text);
    if (p->given->out) return file_write_text(&text, p->given->out, message);
    bool done = !text.failed && fwrite(text.at, 1, text.size, stdout) == text.size;
    if (text.failed) message_complain(message, "out of memory");
    text_free(&text);
    return done || *message->text == 0; /* main tells what is wrong with standard output */
}

static int write_predictions(const predictions *p) {
    spor_message message = {""};
    const char *out = p->given->out;
    bool array = out && ends_with(out, ".npy");
    if (!(array ? write_array : write_table)(p, &message))
        return complain(message.text), SPOR_EXIT_BAD;
    if (out) printf("%s: %lld rows\n", out, (long long)p->rows->rows);
    return SPOR_EXIT_DONE;
}

/* What is read stays. */
static bool check_out(const predictions *p) {
    const arguments *a = p->given;
    if (!a->out) return true;
    if (file_is_same(a->out, p->run.kept.path))
        return complain("--out is the run itself: give another file");
    return strcmp(a->in, "-") == 0 || !npz_reads(a->in, a->out) ||
           complain("--out is the file of the rows, --in: give another one");
}

static int run(int argc, char **argv) {
    arguments a = {.top = 1};
    const spor_option options[] = {
        {"in", "FILE", "new rows: a table, or an array (.npy, .npz); - is standard input",
         SPOR_OPTION_TEXT, &a.in, 0, NULL},
        {"out", "FILE", "where predictions go: y.csv, or y.npy with all numbers (default: shown)",
         SPOR_OPTION_TEXT, &a.out, 0, NULL},
        {"top", "K", "the K likeliest classes of a row (default 1)", SPOR_OPTION_INTEGER, &a.top, 1,
         NULL},
        {0},
    };
    int status = options_read(&spor_command_predict, options, 1, 1, &a.run, argc, argv);
    if (status != SPOR_EXIT_NOT_YET) return status;
    if (!a.in) return command_fail(&spor_command_predict, "--in says which rows: --in rows.csv");
    predictions p = {.given = &a};
    status = open_run(&p) && check_out(&p) && read_rows(&p) && predict(&p) ? write_predictions(&p)
                                                                           : SPOR_EXIT_BAD;
    free(p.value);
    free(p.order);
    spor_data_free(p.rows);
    run_close(&p.run);
    return status;
}

const spor_command spor_command_predict = {
    .name = "predict",
    .operands = "RUN",
    .summary = "Says what a trained network predicts for new rows.",
    .help =
        "RUN is the folder that `spor train` has left; neither the script nor the data that it "
        "was\n"
        "trained on are needed. New rows are scaled and standardized as those were. In a table "
        "with a\n"
        "line of names columns are found by them, others are not looked at; without one a line "
        "has\n"
        "the numbers of a sample and no more. An array is [rows, shape of a sample], or one "
        "sample;\n"
        "of several in a .npz file it is the one that is called x, data, images ..., alone or "
        "with test,\n"
        "if no other is, or that named behind a colon, rows.npz:NAME.\n"
        "What is told are class and probability where the loss is cross-entropy (with\n"
        "another loss the score), else the numbers that are predicted. y.npy has all numbers of\n"
        "a row, in the order of the classes.\n"
        "\n"
        "Examples\n"
        "  spor predict runs/iris --in new.csv\n"
        "  spor predict runs/iris --in new.csv --top 3 --out y.csv\n"
        "  echo 5.1,3.5,1.4,0.2 | spor predict runs/iris --in -\n"
        "  spor predict runs/densenet2_20 --in x.npy --out y.npy\n"
        "  spor predict runs/densenet2_20 --in mnist.npz:x_test --out y.npy\n",
    .run = run,
};
