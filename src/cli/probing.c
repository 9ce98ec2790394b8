/* Probes as files. See probing.h. */
#include "cli/probing.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "data/file.h"
#include "data/safetensors.h"
#include "data/zip.h"
#include "run/run.h"

bool probing_fail(const char *format, ...) {
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    command_fail(&spor_command_verify, "%s", text);
    return false;
}

/* ---- the def ---- */

/* Sizes of blocks: "64" or "64,128". */
static bool read_blocks(probes *p, const char *text) {
    for (char *end; text; text = *end ? end + 1 : NULL) {
        long size = strtol(text, &end, 10);
        if (end == text || (*end && *end != ',') || size < 2 || size > 4096 ||
            p->blocks == PROBE_BLOCKS)
            return probing_fail("--block wants at most %d sizes of 2 to 4096: --block 64 or "
                                "--block 32,128",
                                PROBE_BLOCKS);
        p->block[p->blocks++] = size;
    }
    return true;
}

bool probing_open(probing *p, spor_verification *v, spor_workpiece *piece) {
    char error[2048];
    const char *def = v->given->call;
    *p = (probing){.v = v, .piece = piece};
    if (!claims_def(piece->script, def, &p->def, error, sizeof error))
        return fprintf(stderr, "%s\n", error), false;
    p->probes = (probes){.statement = p->def.statement, .seed = (uint64_t)v->given->seed};
    if (!read_blocks(&p->probes, v->given->blocks)) return false;
    if (probes_choose(&p->probes)) return true;
    const char *why = *p->def.why_not ? p->def.why_not : p->probes.message;
    return probing_fail("%s: %s", def, *why ? why : "out of memory");
}

void probing_close(probing *p) {
    probes_free(&p->probes);
}

/* ---- files ---- */

/* A NaN that no arithmetic gives. */
static const uint32_t blank_bits = 0x7fc5b0a5;

static float blank(void) {
    float number;
    memcpy(&number, &blank_bits, sizeof number);
    return number;
}

bool probing_is_blank(double number) {
    double wide = (double)blank();
    return !memcmp(&number, &wide, sizeof wide);
}

static spor_text *add_file(probing_files *files, const char *name) {
    snprintf(files->name[files->count], sizeof files->name[0], "%s", name);
    return &files->text[files->count++];
}

static bool all_there(const probing_files *files) {
    for (int k = 0; k < files->count; k++)
        if (files->text[k].failed) return probing_fail("out of memory");
    return true;
}

static void add_npy(probing_files *files, const char *name, const spor_shape *shape,
                    const float number[]) {
    char file[160];
    snprintf(file, sizeof file, "%.150s.npy", name);
    npy_add(add_file(files, file), shape, SPOR_F32, number);
}

/* Each array that was added, once more in one file of NumPy's. */
static void add_npz(probing_files *files) {
    int arrays = files->count;
    zip_writer zip = {.text = add_file(files, PROBING_NPZ)};
    for (int k = 0; k < arrays; k++)
        zip_add(&zip, files->name[k], files->text[k].at, files->text[k].size);
    zip_end(&zip);
}

static const char *input_name(const probing *p, const probe_case *c, int k) {
    return k >= c->in.dy ? p->def.cotangent[k - c->in.dy] : p->def.tensor[k];
}

bool probing_inputs(const probing *p, const probe_case *c, probing_files *files) {
    safetensor tensor[SPOR_INPUTS];
    bool done = true;
    *files = (probing_files){0};
    for (int k = 0; k < c->in.inputs; k++) {
        spor_shape shape = spor_shape_of(c->in.input[k]);
        int64_t size = shape_size(&shape);
        float *number = malloc(bytes_for(size + 1, sizeof *number));
        tensor[k] = (safetensor){input_name(p, c, k), shape, SPOR_F32, number};
        for (int64_t i = 0; number && i < size; i++) number[i] = (float)c->data[k][i];
        if (number) add_npy(files, tensor[k].name, &shape, number);
        done = done && number;
    }
    if (done) add_npz(files);
    if (done) safetensors_write(add_file(files, PROBING_TENSORS), NULL, 0, tensor, c->in.inputs);
    for (int k = 0; k < c->in.inputs; k++) free(tensor[k].value);
    return done ? all_there(files) : probing_fail("out of memory");
}

bool probing_blanks(const probing *p, const probe_case *c, probing_files *files) {
    (void)p;
    *files = (probing_files){0};
    for (int k = 0; k < c->in.pairs; k++) {
        spor_shape shape = spor_shape_of(c->in.pair[k].expected);
        int64_t size = shape_size(&shape);
        float *number = malloc(bytes_for(size + 1, sizeof *number));
        if (!number) return probing_fail("out of memory");
        for (int64_t i = 0; i < size; i++) number[i] = blank();
        add_npy(files, c->in.pair[k].name, &shape, number);
        free(number);
    }
    return all_there(files);
}

/* What is gone in a moment need not outlast a power cut. */
static bool write_plainly(const file_piece *piece) {
    FILE *file = fopen(piece->path, "wb");
    bool done = file && fwrite(piece->bytes, 1, piece->size, file) == piece->size;
    if (file) done = !fclose(file) && done;
    return done || probing_fail("%s: cannot be written: %s", piece->path, strerror(errno));
}

bool probing_lay(const probing_files *files, const char *folder) {
    spor_message message = {""};
    bool done = file_make_folder(folder, &message) || probing_fail("%s", message.text);
    for (int k = 0; done && k < files->count; k++) {
        char path[RUN_PATH];
        snprintf(path, sizeof path, "%s/%s", folder, files->name[k]);
        done = write_plainly(&(file_piece){path, files->text[k].at, files->text[k].size});
    }
    return done;
}

bool probing_write(const probing_files *files, const char *folder) {
    char path[SPOR_INPUTS + 2][RUN_PATH];
    file_piece piece[SPOR_INPUTS + 2];
    spor_message message = {""};
    if (!file_make_folder(folder, &message)) return probing_fail("%s", message.text);
    for (int k = 0; k < files->count; k++) {
        snprintf(path[k], sizeof path[k], "%s/%s", folder, files->name[k]);
        piece[k] = (file_piece){path[k], files->text[k].at, files->text[k].size};
    }
    return file_write_together(files->count, piece, &message) || probing_fail("%s", message.text);
}

const char *probing_changed(const probing_files *files, const char *folder) {
    for (int k = 0; k < files->count; k++) {
        char path[RUN_PATH];
        unsigned char *bytes = NULL;
        size_t size = 0;
        const spor_text *was = &files->text[k];
        snprintf(path, sizeof path, "%s/%s", folder, files->name[k]);
        bool same = file_bytes(path, SPOR_FILE_LIMIT, &bytes, &size, NULL) && size == was->size &&
                    !memcmp(bytes, was->at, size);
        free(bytes);
        if (!same) return files->name[k];
    }
    return NULL;
}

void probing_free(probing_files *files) {
    for (int k = 0; k < files->count; k++) text_free(&files->text[k]);
    *files = (probing_files){0};
}

bool verify_probes(spor_verification *v, spor_workpiece *piece) {
    probing p;
    bool done = probing_open(&p, v, piece);
    if (done && v->given->emit) done = v->wrote = probing_emit(&p, v->given->emit);
    if (done && v->given->exec) done = probing_exec(&p);
    probing_close(&p);
    return done;
}
