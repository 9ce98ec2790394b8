/* spor import: a network of others, an ONNX file, as a script and its weights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/calling.h"
#include "cli/cli.h"
#include "data/file.h"
#include "data/safetensors.h"
#include "import/import.h"
#include "tape/tape.h"

typedef struct {
    const char *file, *script, *weights, *data, *def;
    bool force, ops;
} arguments;

static int complain(const char *text) {
    return command_fail(&spor_command_import, "%s", text);
}

/* ---- what was made, looked at before it is written ---- */

_Static_assert((int)IMPORT_INPUTS == (int)CALLING_OPERANDS &&
                   (int)IMPORT_OUTPUTS == (int)SPOR_RESULTS,
               "what is imported can be run");

/* Numbers of rows that no size of a network is likely to be. */
enum { ROWS = 3 };

static spor_shape shape_of(const import_face *face) {
    spor_shape shape = {.rank = face->rank};
    for (int k = 0; k < face->rank; k++) shape.n[k] = face->size[k] + ROWS * face->rows[k];
    return shape;
}

/* The results are of the sizes that the file says. */
static const char *examine_results(const import_result *made, int n, const spor_var y[]) {
    if (n != made->outputs) return "it returns another number of tensors";
    for (int k = 0; k < n; k++) {
        const spor_shape is = spor_shape_of(y[k]), must = shape_of(&made->output[k]);
        bool same = is.rank == must.rank;
        for (int j = 0; j < is.rank && same; j++) same = is.n[j] == must.n[j];
        if (!same) return "a result has other sizes than the file says";
    }
    return NULL;
}

/* Each parameter of the script has its numbers, and there are no others. */
static bool examine_weights(const import_result *made, const spor_tape *tape,
                            spor_message *message) {
    const safetensors_file file = {"its weights", (const unsigned char *)made->weights.at,
                                   made->weights.size};
    spor_params *params = spor_params_new(made->wide ? SPOR_F64 : SPOR_F32, 0);
    bool done = spor_params_join(params, tape);
    const int n = done ? spor_params_count(params) : 0;
    safetensor *tensor = calloc((size_t)n + 1, sizeof *tensor);
    for (int k = 0; k < n && tensor; k++) {
        const spor_entry entry = spor_params_entry(params, k);
        tensor[k] = (safetensor){.name = entry.name,
                                 .shape = entry.shape,
                                 .type = raw_of(made->wide ? SPOR_F64 : SPOR_F32),
                                 .value = entry.value};
        done = done && entry.value;
    }
    if (!done || !tensor)
        snprintf(message->text, sizeof message->text, "%s",
                 spor_params_error(params) ? spor_params_error(params) : "out of memory");
    else
        done = safetensors_read(&file, tensor, n, 0, message);
    free(tensor);
    spor_params_free(params);
    return done && tensor;
}

/* Records the script, as spor run will. False with what is wrong, which is a fault of import. */
static bool examine(const arguments *a, const import_result *made, spor_message *message) {
    spor_script *script = script_read(a->script, made->script.at, places_models(), &claims_dialect);
    spor_tape *tape = spor_tape_new();
    spor_var x[IMPORT_INPUTS], y[IMPORT_OUTPUTS];
    const char *error = script ? script_error(script) : "out of memory";
    for (int k = 0; k < made->inputs && !error; k++)
        x[k] = spor_input(tape, made->input[k].name, shape_of(&made->input[k]));
    const int n =
        error ? 0 : script_call_all(script, a->def, tape, made->inputs, x, IMPORT_OUTPUTS, y);
    if (!error) error = spor_error(tape);
    if (!error) error = examine_results(made, n, y);
    if (error) snprintf(message->text, sizeof message->text, "%s", error);
    const bool done = !error && examine_weights(made, tape, message);
    spor_tape_free(tape);
    script_free(script);
    return done;
}

/* ---- the files ---- */

/* A file that is there is replaced only if that was said. */
static bool is_free(const arguments *a, const char *path) {
    if (a->force || access(path, F_OK)) return true;
    command_fail(&spor_command_import, "%s is there: --force replaces it", path);
    return false;
}

static int write_files(const arguments *a, const import_result *made) {
    spor_message message = {""};
    const file_piece piece[] = {{a->script, made->script.at, made->script.size},
                                {a->weights, made->weights.at, made->weights.size}};
    if (!is_free(a, a->script) || !is_free(a, a->weights)) return SPOR_EXIT_BAD;
    return file_write_together(2, piece, &message) ? SPOR_EXIT_DONE : complain(message.text);
}

static void tell(const arguments *a, const import_result *made) {
    char size[24];
    printf("%s: %d nodes became %d lines of %s, and %lld numbers in %d tensors of %s, %s\n",
           a->file, made->nodes, made->lines, a->script, (long long)made->numbers, made->tensors,
           a->weights, bytes_text(made->weights.size, size));
    if (made->told.at) fputs(made->told.at, stdout);
    printf("\nRun it       spor run %s --call %s --weights %s%s --in", a->script, a->def,
           a->weights, made->wide ? " --double" : "");
    for (int k = 0; k < made->inputs; k++)
        printf(" %s=%s.npy", made->input[k].name, made->input[k].name);
    printf(" --out");
    for (int k = 0; k < made->outputs; k++)
        printf(" %s=%s.npy", made->outputs > 1 ? made->output[k].name : "y",
               made->outputs > 1 ? made->output[k].name : "y");
    printf("\n");
    if (a->data)
        printf("See it       spor show %s\nTrain on     spor train %s --weights %s\n"
               "As a run     spor train %s --weights %s --epochs 0\n",
               a->script, a->script, a->weights, a->script, a->weights);
    else if (made->inputs == 1 && made->outputs == 1)
        printf("Train on     take the # from the last lines of %s, or import with --data, then\n"
               "             spor train %s --weights %s\n",
               a->script, a->script, a->weights);
}

static int import_file(const arguments *a) {
    const import_wish wish = {.path = a->file, .def = a->def, .data = a->data};
    unsigned char *bytes = NULL;
    size_t size;
    spor_message message = {""};
    import_result made = {.inputs = 0};
    int status = SPOR_EXIT_BAD;
    if (!file_bytes(a->file, IMPORT_FILE_LIMIT, &bytes, &size, &message) ||
        !import_onnx(&wish, bytes, size, &made, &message))
        complain(message.text);
    else if (!examine(a, &made, &message))
        command_fail(&spor_command_import, "%s: what import makes of it can't be recorded: %s",
                     a->file, message.text);
    else
        status = write_files(a, &made);
    if (status == SPOR_EXIT_DONE) tell(a, &made);
    import_free(&made);
    free(bytes);
    return status;
}

/* ---- the command ---- */

static int list_ops(void) {
    for (int k = 0; k < import_ops(); k++) printf("%s\n", import_op_name(k));
    return SPOR_EXIT_DONE;
}

/* Names that would be one file, or no script's. */
static int examine_names(const arguments *a) {
    static const char *const ending[] = {".spor", NULL};
    if (!a->file) return complain("an ONNX file is expected: spor import net.onnx");
    if (!a->script || !a->weights)
        return complain("two options say which files: --script net.spor --weights net.safetensors");
    if (!file_ends_in(a->script, ending))
        return command_fail(&spor_command_import, "--script %s: a script's name ends in .spor",
                            a->script);
    if (file_is_same(a->script, a->weights) || file_is_same(a->script, a->file) ||
        file_is_same(a->weights, a->file))
        return complain(
            "script, weights and the ONNX file are three files: give each its own name");
    return is_free(a, a->script) && is_free(a, a->weights) ? SPOR_EXIT_NOT_YET : SPOR_EXIT_BAD;
}

static int run(int argc, char **argv) {
    arguments a = {.def = "net"};
    const spor_option options[] = {
        {"script", "FILE", "the script that is written, net.spor", SPOR_OPTION_TEXT, &a.script, 0,
         NULL},
        {"weights", "FILE", "its weights, net.safetensors", SPOR_OPTION_TEXT, &a.weights, 0, NULL},
        {"data", "TEXT", "the script ends in train(...) with these data: 'digits(scale=1/16)'",
         SPOR_OPTION_TEXT, &a.data, 0, NULL},
        {"ops", NULL, "lists the ops of ONNX that are understood", SPOR_OPTION_FLAG, &a.ops, 0,
         NULL},
        {"force", NULL, "replaces files that are there", SPOR_OPTION_FLAG, &a.force, 0, NULL},
        {0},
    };
    int status = options_read(&spor_command_import, options, 0, 1, &a.file, argc, argv);
    if (status == SPOR_EXIT_NOT_YET && a.ops) return list_ops();
    if (status == SPOR_EXIT_NOT_YET) status = examine_names(&a);
    return status == SPOR_EXIT_NOT_YET ? import_file(&a) : status;
}

const spor_command spor_command_import = {
    .name = "import",
    .operands = "FILE",
    .summary = "Reads a network that Keras, PyTorch and others wrote, an ONNX file, as a script.",
    .help =
        "FILE is an ONNX file of one network, opset 6 to 28, its weights within it or in a file\n"
        "beside it. What is written is a script as one would write it, with the layers of\n"
        "layers.spor, and the weights by the names that it gives its parameters. Both files, or\n"
        "none.\n"
        "\n"
        "ONNX's maps are [N, channels, height, width], spor's [N, height, width, channels]: where\n"
        "an input is maps it has spor's order, which is told, and weights are turned to fit.\n"
        "A last softmax stays; with --data it is left to the loss, which takes logits.\n"
        "An op that spor has nothing for is named with its node, and nothing is written.\n"
        "\n"
        "From PyTorch: torch.onnx.export(model, (x,), \"net.onnx\"), from Keras:\n"
        "model.export(\"net.onnx\", format=\"onnx\"). Where the file fixes the number of rows, "
        "the\n"
        "script takes any if all sizes agree with that.\n"
        "\n"
        "Examples\n"
        "  spor import net.onnx --script net.spor --weights net.safetensors\n"
        "  spor run net.spor --call net --weights net.safetensors --in x=x.npy --out y=y.npy\n"
        "  spor import net.onnx --script net.spor --weights net.safetensors \\\n"
        "      --data 'digits(scale=1/16)'\n"
        "  spor train net.spor --weights net.safetensors --epochs 3\n"
        "  spor train net.spor --weights net.safetensors --epochs 0     a run of it as it is, to\n"
        "                                                   predict, test and export\n",
    .run = run,
};
