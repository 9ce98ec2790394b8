/* spor export: a trained network in the form of others. */
#include <stdio.h>

#include "cli/calibration.h"
#include "cli/cli.h"
#include "data/file.h"
#include "export/export.h"
#include "run/run.h"

enum { C, ONNX };

/* What a run can become: a row is the option that names its file, and who writes it. */
static const struct {
    const char *name, *value, *help;
    export_format *write, *int8; /* NULL: not in whole numbers */
} formats[] = {
    [C] = {"c", "FILE", "C99 without libraries, net.c with its net.h", export_c, export_int8_c},
    [ONNX] = {"onnx", "FILE", "an ONNX file, net.onnx: for onnxruntime, Netron and others",
              export_onnx, NULL},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

/* The files that were asked for. */
typedef struct {
    const char *run;
    const char *path[FORMATS]; /* NULL: not in this format */
    export_wishes wishes;
    bool int8;
    const char *calibrate; /* a file of rows; NULL: those that the run was trained with */
} arguments;

static int complain(const char *text) {
    return command_fail(&spor_command_export, "%s", text);
}

static int write_file(opened_run *run, const export_wishes *wishes, export_format *write,
                      const char *path) {
    spor_message message = {""};
    spor_text told = {0};
    if (file_is_same(path, run->kept.path))
        return command_fail(&spor_command_export, "%s is the run itself: give another file", path);
    bool done = write(run, wishes, path, &told, &message);
    if (done && told.at) fputs(told.at, stdout);
    text_free(&told);
    return done ? SPOR_EXIT_DONE : complain(message.text);
}

/* One format after the other, until one fails. */
static int write_files(opened_run *run, const arguments *a, const export_wishes *wishes) {
    int status = SPOR_EXIT_DONE;
    for (int k = 0; k < FORMATS && status == SPOR_EXIT_DONE; k++) {
        bool whole = wishes->int8 && formats[k].int8;
        export_format *write = whole ? formats[k].int8 : formats[k].write;
        if (a->path[k]) status = write_file(run, wishes, write, a->path[k]);
    }
    return status;
}

/* With the rows that --int8 looks at. */
static int calibrate_and_write(opened_run *run, const arguments *a) {
    calibration rows = {0};
    spor_message message = {""};
    export_wishes wishes = a->wishes;
    bool done = !a->int8 || calibration_read(&rows, run, a->calibrate, &message);
    if (a->int8) wishes.int8 = &rows.rows;
    int status = done ? write_files(run, a, &wishes) : complain(message.text);
    if (a->int8) calibration_end(&rows);
    return status;
}

static int open_and_write(const arguments *a) {
    opened_run run;
    spor_message message = {""};
    int status = !run_open(&run, a->run, &message) ? complain(message.text)
                 : !run_model(&run, &message)      ? complain(run_error(&run, &message))
                                                   : calibrate_and_write(&run, a);
    run_close(&run);
    return status;
}

/* Two formats in one file: the second would replace the first. */
static bool asks_twice(const arguments *a) {
    for (int k = 0; k < FORMATS; k++)
        for (int other = 0; other < k; other++)
            if (a->path[k] && a->path[other] && file_is_same(a->path[k], a->path[other]))
                return true;
    return false;
}

static bool asks_for_one(const arguments *a) {
    for (int k = 0; k < FORMATS; k++)
        if (a->path[k]) return true;
    return false;
}

/* What of the options does not go together; NULL: they do. */
static const char *what_is_wrong(const arguments *a) {
    const export_wishes *w = &a->wishes;
    if (!asks_for_one(a)) return "an option says which file: --c net.c or --onnx net.onnx";
    if ((w->trains || w->batch) && !a->path[C])
        return "--train and --batch are with --c net.c: a step of training is written in C";
    if (w->batch && !w->trains) return "--batch is with --train: the rows of a step";
    if (a->int8 && !a->path[C]) return "--int8 is of C: give --c net.c with it";
    if (a->calibrate && !a->int8) return "--calibrate is for --int8";
    if (a->int8 && w->trains)
        return "a step of training has no whole numbers: give --train or --int8";
    return asks_twice(a) ? "two formats have the same file: give each its own" : NULL;
}

static int run(int argc, char **argv) {
    arguments a = {0};
    spor_option options[FORMATS + 5] = {
        [FORMATS] = {"train", NULL, "with --c: a step of training beside it, net_train",
                     SPOR_OPTION_FLAG, &a.wishes.trains, 0, NULL},
        {"batch", "N", "rows of such a step (default: the script's batch)", SPOR_OPTION_INTEGER,
         &a.wishes.batch, 1, NULL},
        {"int8", NULL, "with --c: in whole numbers, bytes, calibrated by rows of data",
         SPOR_OPTION_FLAG, &a.int8, 0, NULL},
        {"calibrate", "ROWS", "a file of rows to calibrate --int8 with (default: the run's own)",
         SPOR_OPTION_TEXT, &a.calibrate, 0, NULL}};
    for (int k = 0; k < FORMATS; k++)
        options[k] = (spor_option){.name = formats[k].name,
                                   .value = formats[k].value,
                                   .help = formats[k].help,
                                   .kind = SPOR_OPTION_TEXT,
                                   .target = &a.path[k]};
    int status = options_read(&spor_command_export, options, 1, 1, &a.run, argc, argv);
    if (status != SPOR_EXIT_NOT_YET) return status;
    const char *wrong = what_is_wrong(&a);
    if (wrong) return complain(wrong);
    return open_and_write(&a);
}

const spor_command spor_command_export = {
    .name = "export",
    .operands = "RUN",
    .summary = "Writes a trained network for other programs: C, ONNX.",
    .help =
        "RUN is the folder that `spor train` has left; neither the script nor the data that\n"
        "it was trained on are needed. What is written is what `spor predict` computes, with\n"
        "the weights that it uses. A file that is there is replaced, once the new one is whole.\n"
        "\n"
        "C is C99 that calls no library: net_predict of net.h takes one sample, scaled by\n"
        "net_scale, in a static arena, with the bits of SPOR_ISA=baseline spor predict. More\n"
        "than 1 MiB of weights go to net.bin. -DNET_SELFTEST compiles a main that checks three\n"
        "samples.\n"
        "\n"
        "--train adds net_train: a step on a batch, with the loss, the gradients and the update\n"
        "of the run's optimizer, which changes the numbers of net_parameters; net.h says how they\n"
        "lie, what a target is, and whether the step has the bits of spor train.\n"
        "\n"
        "--int8 computes in whole numbers: weights are bytes with a scale of each channel, values\n"
        "bytes with a scale and a zero of each array, sums int32; what has no such form, a "
        "softmax,\n"
        "computes in float, and is named. Scales are found by at most 512 rows that the run was\n"
        "trained with, or by those of --calibrate, read as spor predict --in. What int8 loses is\n"
        "measured on the run's validation and test rows.\n"
        "\n"
        "ONNX is opset 17. The input x has any number of rows, [N, shape of a sample], scaled\n"
        "as the run's data were: metadata_props of the file say how, and the names of the\n"
        "classes. A network that computes with how many rows there are is written for one row.\n"
        "An op that ONNX has no words for is named with its place in the script. A network of\n"
        "--double is written in doubles, for which onnxruntime lacks some kernels (Conv).\n"
        "\n"
        "Examples\n"
        "  spor export runs/densenet2_20 --c net.c\n"
        "  spor export runs/densenet2_20 --c net.c --train --batch 16\n"
        "  spor export runs/densenet2_20 --c net.c --int8\n"
        "  spor export runs/densenet2_20 --onnx net.onnx\n",
    .run = run,
};
