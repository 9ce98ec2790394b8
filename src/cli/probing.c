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

/* True of what can be the name of an array that no other one has. */
static bool is_new_name(const probing *p, const probe_case *c, const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    probing_array array[PROBING_ARRAYS];
    int count = probing_arrays(p, c, array);
    bool is_new = *name && strspn(name, letters) && strlen(name) < BUNDLE_NAME / 2 &&
                  name[strspn(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
                                    "XYZ_")] == 0;
    for (int k = 0; k < count; k++) is_new = is_new && strcmp(array[k].name, name) != 0;
    for (int k = 0; k < c->in.pairs; k++) {
        is_new = is_new && strcmp(c->in.pair[k].name, name) != 0;
        is_new = is_new && (!p->before[k] || strcmp(p->before[k], name) != 0);
    }
    return is_new;
}

/* --before dX=NAME: dX is added to what was there, which the code is given as NAME too. */
static bool name_before(probing *p, const probe_case *c, const spor_set *given) {
    int k = 0;
    while (k < c->in.pairs && strcmp(c->in.pair[k].name, given->name) != 0) k++;
    if (k == c->in.pairs)
        return probing_fail("--before %.60s: %.60s has no such gradient", given->name,
                            p->v->given->call);
    if (p->before[k]) return probing_fail("--before %.60s twice", given->name);
    if (!is_new_name(p, c, given->value))
        return probing_fail("--before %.60s=%.60s: probes have what was there before as an array "
                            "of its own; give it a name that no other one has, %.60s_before say",
                            given->name, given->value, given->name);
    p->before[k] = given->value;
    p->probes.before[k] = true;
    return true;
}

static bool read_before(probing *p) {
    probe_case c;
    const spor_settings *before = &p->v->given->before;
    if (!before->count) return true;
    bool done = probe_make(&p->probes, p->probes.at[0].value, p->probes.at[0].draw, &c) ||
                probing_fail("out of memory");
    for (int k = 0; done && k < before->count; k++) done = name_before(p, &c, &before->setting[k]);
    probe_free(&c);
    return done;
}

bool probing_open(probing *p, spor_verification *v, spor_workpiece *piece) {
    char error[2048];
    const char *def = v->given->call, *whole = v->given->whole;
    *p = (probing){.v = v, .piece = piece, .whole = {RAW_SIGNED, 8, false}};
    if (whole && !strcmp(whole, "int32")) p->whole.width = 4;
    if (!claims_def(piece->script, def, &p->def, error, sizeof error))
        return fprintf(stderr, "%s\n", error), false;
    p->probes = (probes){.statement = p->def.statement, .seed = (uint64_t)v->given->seed};
    if (!read_blocks(&p->probes, v->given->blocks)) return false;
    if (probes_choose(&p->probes)) return read_before(p);
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

static void add_npy(probing_files *files, const char *name, const spor_shape *shape, raw_type type,
                    const void *number) {
    char file[160];
    snprintf(file, sizeof file, "%.150s.npy", name);
    npy_add(add_file(files, file), shape, type, number);
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

int probing_arrays(const probing *p, const probe_case *c, probing_array array[PROBING_ARRAYS]) {
    int n = 0;
    for (int k = 0; k < c->in.inputs; k++) {
        bool whole = c->in.range[k].kind == SPOR_RANGE_WHOLE;
        array[n++] = (probing_array){input_name(p, c, k), spor_shape_of(c->in.input[k]),
                                     whole ? p->whole : raw_of(SPOR_F32), c->data[k]};
    }
    for (int k = 0; k < c->in.pairs; k++)
        if (p->before[k] && c->before[k])
            array[n++] = (probing_array){p->before[k], spor_shape_of(c->in.pair[k].expected),
                                         raw_of(SPOR_F32), c->before[k]};
    return n;
}

/* Its numbers as files have them, to be freed. */
static void *as_stored(const probing_array *a) {
    int64_t size = shape_size(&a->shape);
    void *to = malloc(bytes_for(size + 1, sizeof(double)));
    for (int64_t i = 0; to && i < size; i++) {
        if (!raw_is_whole(a->type))
            ((float *)to)[i] = (float)a->number[i];
        else if (a->type.width == 4)
            ((int32_t *)to)[i] = (int32_t)a->number[i];
        else
            ((int64_t *)to)[i] = (int64_t)a->number[i];
    }
    return to;
}

bool probing_inputs(const probing *p, const probe_case *c, probing_files *files) {
    probing_array array[PROBING_ARRAYS];
    safetensor tensor[PROBING_ARRAYS];
    bool done = true;
    int count = probing_arrays(p, c, array);
    *files = (probing_files){0};
    for (int k = 0; k < count; k++) {
        void *number = as_stored(&array[k]);
        tensor[k] = (safetensor){array[k].name, array[k].shape, array[k].type, number};
        if (number) add_npy(files, array[k].name, &array[k].shape, array[k].type, number);
        done = done && number;
    }
    if (done) add_npz(files);
    if (done) safetensors_write(add_file(files, PROBING_TENSORS), NULL, 0, tensor, count);
    for (int k = 0; k < count; k++) free(tensor[k].value);
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
        for (int64_t i = 0; i < size; i++)
            number[i] = c->before[k] ? (float)c->before[k][i] : blank();
        add_npy(files, c->in.pair[k].name, &shape, raw_of(SPOR_F32), number);
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
    char path[PROBING_FILES][RUN_PATH];
    file_piece piece[PROBING_FILES];
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
