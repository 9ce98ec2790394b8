/* spor verify --emit: probes in folders, and a text that says what each is for. */
#include <stdio.h>
#include <string.h>

#include "cli/probing.h"
#include "data/file.h"
#include "run/run.h"

static void add_shapes(spor_text *text, const probing *p, const probe_case *c) {
    char shape[128];
    probing_array array[PROBING_ARRAYS];
    int count = probing_arrays(p, c, array);
    for (int k = 0; k < count; k++) {
        tape_shape_text(&array[k].shape, NULL, shape, sizeof shape);
        text_add(text, "%s%s %s", k ? ", " : "", array[k].name, shape);
    }
    for (int k = 0; k < c->in.pairs; k++) {
        spor_shape of = spor_shape_of(c->in.pair[k].expected);
        tape_shape_text(&of, NULL, shape, sizeof shape);
        text_add(text, "%s%s %s", k ? ", " : "  ->  ", c->in.pair[k].name, shape);
    }
}

static bool emit_one(const probing *p, const char *folder, int k, spor_text *manifest) {
    char path[RUN_PATH], sizes[256];
    const probe *at = &p->probes.at[k];
    probe_case c;
    probing_files files = {0};
    bool made = probe_make(&p->probes, at->value, at->draw, &c);
    bool done = made && c.recording == SPOR_RECORDED && probing_inputs(p, &c, &files);
    if (!made) probing_fail("out of memory");
    probe_sizes(p->def.statement, at->value, sizes, sizeof sizes);
    snprintf(path, sizeof path, "%s/probe-%03d", folder, k + 1);
    done = done && probing_write(&files, path);
    if (done) {
        text_add(manifest, "probe-%03d  %s: %s\n           ", k + 1, sizes, at->what);
        add_shapes(manifest, p, &c);
        text_add(manifest, "\n");
    }
    probing_free(&files);
    probe_free(&c);
    return done;
}

static void add_head(spor_text *text, const probing *p) {
    const char *path = p->piece->path, *def = p->v->given->call;
    const spor_settings *before = &p->v->given->before;
    text_add(text,
             "Probes of %s of %s, seed %lld: inputs -> gradients that are wanted.\n"
             "Each folder has every input as NAME.npy, and all of them as arrays.npz and "
             "arrays.safetensors,\n"
             "in float, whole numbers as int%d; bfloat16 holds the numbers exactly. %s is the "
             "cotangent. Code that wrote its gradients\n"
             "beside them, or all in one file, is judged by\n\n"
             "    spor verify %s --call %s --arrays probe-001/arrays.npz --against "
             "dX=probe-001/dX.npy",
             def, path, (long long)p->v->given->seed, 8 * p->whole.width, p->def.cotangent[0], path,
             def);
    for (int k = 0; k < before->count; k++)
        text_add(text, " --before %s=%s", before->setting[k].name, before->setting[k].value);
    text_add(text, "\n\n");
    if (p->v->given->exec)
        text_add(text,
                 "The smallest case at which a gradient was found wrong lies in wrong-dX.\n\n");
    if (*p->probes.left_out)
        text_add(text,
                 "Left out, since no sizes were found that %s is for, or they are too large or too "
                 "many: %s.\n\n",
                 def, p->probes.left_out);
}

bool probing_emit(const probing *p, const char *folder) {
    char path[RUN_PATH];
    spor_message message = {""};
    spor_text manifest = {0};
    bool done = true;
    add_head(&manifest, p);
    for (int k = 0; done && k < p->probes.count; k++) done = emit_one(p, folder, k, &manifest);
    snprintf(path, sizeof path, "%s/probes.txt", folder);
    if (done && !file_write_text(&manifest, path, &message))
        done = probing_fail("%s", message.text);
    else if (!done)
        text_free(&manifest);
    if (done && !p->v->given->json)
        printf("%d probes of %s are in %s; probes.txt says what each is for\n", p->probes.count,
               p->v->given->call, folder);
    return done;
}
