/* spor export: a trained network in the form of others. */
#include <stdio.h>

#include "cli/calibration.h"
#include "data/file.h"
#include "export/export.h"
#include "run/run.h"

/* What a run can become: a row is the option that names its file, and who writes it. */
static const struct {
    const char *name, *value, *help;
    export_format *write;
} formats[] = {
    {"c", "FILE", "C99 without libraries, net.c with its net.h", export_c},
    {"onnx", "FILE", "an ONNX file, net.onnx: for onnxruntime, Netron and others", export_onnx},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

/* The files that were asked for. */
typedef struct {
    const char *run;
    const char *path[FORMATS]; /* NULL: not in this format */
    bool int8;
    const char *calibrate; /* a file of rows; NULL: those that the run was trained with */
} arguments;
enum { AS_C = 0 }; /* the row of the table that --int8 is about */

static int complain(const char *text) {
    return command_fail(&spor_command_export, "%s", text);
}

static bool write_int8(opened_run *run, const arguments *a, spor_text *told,
                       spor_message *message) {
    calibration rows;
    bool done = calibration_read(&rows, run, a->calibrate, message) &&
                export_int8_c(run, a->path[AS_C], &rows.rows, told, message);
    calibration_end(&rows);
    return done;
}

static int write_file(opened_run *run, int format, const arguments *a) {
    const char *path = a->path[format];
    spor_message message = {""};
    spor_text told = {0};
    if (file_is_same(path, run->kept.path))
        return command_fail(&spor_command_export, "%s is the run itself: give another file", path);
    bool done = format == AS_C && a->int8 ? write_int8(run, a, &told, &message)
                                          : formats[format].write(run, path, &told, &message);
    if (done && told.at) fputs(told.at, stdout);
    text_free(&told);
    return done ? SPOR_EXIT_DONE : complain(message.text);
}

/* One format after the other, until one fails. */
static int write_files(opened_run *run, const arguments *a) {
    int status = SPOR_EXIT_DONE;
    for (int k = 0; k < FORMATS && status == SPOR_EXIT_DONE; k++)
        if (a->path[k]) status = write_file(run, k, a);
    return status;
}

static int open_and_write(const arguments *a) {
    opened_run run;
    spor_message message = {""};
    int status = !run_open(&run, a->run, &message) ? complain(message.text)
                 : !run_model(&run, &message)      ? complain(run_error(&run, &message))
                                                   : write_files(&run, a);
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

static int run(int argc, char **argv) {
    arguments a = {0};
    spor_option options[FORMATS + 3] = {
        [FORMATS] = {"int8", NULL, "C in whole numbers: bytes, calibrated by rows of data",
                     SPOR_OPTION_FLAG, &a.int8, 0, NULL},
        [FORMATS + 1] = {"calibrate", "ROWS",
                         "a file of rows to calibrate --int8 with (default: the run's own)",
                         SPOR_OPTION_TEXT, &a.calibrate, 0, NULL}};
    for (int k = 0; k < FORMATS; k++)
        options[k] = (spor_option){.name = formats[k].name,
                                   .value = formats[k].value,
                                   .help = formats[k].help,
                                   .kind = SPOR_OPTION_TEXT,
                                   .target = &a.path[k]};
    int status = options_read(&spor_command_export, options, 1, 1, &a.run, argc, argv);
    if (status != SPOR_EXIT_NOT_YET) return status;
    if (!asks_for_one(&a))
        return complain("an option says which file: --c net.c or --onnx net.onnx");
    if (asks_twice(&a)) return complain("two formats have the same file: give each its own");
    if (a.int8 && !a.path[AS_C]) return complain("--int8 is of C: give --c net.c with it");
    if (a.calibrate && !a.int8) return complain("--calibrate is for --int8");
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
        "  spor export runs/densenet2_20 --c net.c --int8\n"
        "  spor export runs/densenet2_20 --onnx net.onnx\n",
    .run = run,
};
