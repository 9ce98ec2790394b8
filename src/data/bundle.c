#include "data/bundle.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/file.h"
#include "data/safetensors.h"
#include "data/values.h"
#include "data/zip.h"

typedef struct {
    const char *path;
    spor_bundle *bundle;
    spor_message *message;
} reading;

/* ---- one array ---- */

/* Room for one more of this name; NULL after a complaint. */
static spor_npy *add(const reading *r, const char *name) {
    spor_bundle *b = r->bundle;
    if (strlen(name) >= BUNDLE_NAME)
        return message_complain(r->message, "%s: %.40s...: a name has at most %d bytes", r->path,
                                name, BUNDLE_NAME - 1),
               NULL;
    if (bundle_find(b, name))
        return message_complain(r->message, "%s: %s occurs twice", r->path, name), NULL;
    if (b->count == BUNDLE_MOST)
        return message_complain(r->message, "%s: has more than %d arrays", r->path, BUNDLE_MOST),
               NULL;
    if (!b->item) b->item = calloc(BUNDLE_MOST, sizeof *b->item);
    if (!b->item) return message_complain(r->message, "%s: out of memory", r->path), NULL;
    bundle_item *item = &b->item[b->count++];
    memcpy(item->name, name, strlen(name) + 1);
    return &item->array;
}

static bool add_tensor(const char *name, raw_type type, const spor_shape *shape,
                       const unsigned char *numbers, void *user) {
    const reading *r = user;
    spor_npy *a = add(r, name);
    int64_t count = shape_size(shape);
    if (!a) return false;
    *a = (spor_npy){.shape = *shape, .type = type, .keep = raw_keep(type)};
    a->value = malloc(bytes_for(count + 1, values_types[a->keep].width));
    if (!a->value) return message_complain(r->message, "%s: out of memory", r->path);
    int64_t large = raw_read(type, numbers, count, a->value);
    if (large >= 0)
        return message_complain(r->message,
                                "%s: %s: number %" PRId64 " is an integer that no double holds",
                                r->path, name, large);
    return npy_widen(r->path, a, r->message);
}

/* "A.npy" is the array A. */
static bool add_member(const char *member, const unsigned char *bytes, size_t size, void *user) {
    const reading *r = user;
    static const char *const ending[] = {".npy", NULL};
    char name[BUNDLE_NAME];
    spor_message why = {{0}};
    size_t length = strlen(member);
    if (!file_ends_in(member, ending))
        return message_complain(r->message, "%s: %s is no array: a .npz file has .npy files alone",
                                r->path, member);
    memcpy(name, member, length - 4);
    name[length - 4] = 0;
    spor_npy *a = add(r, name);
    if (!a) return false;
    return (npy_parse(member, bytes, size, a, &why) && npy_widen(member, a, &why)) ||
           message_complain(r->message, "%s: %.900s", r->path, why.text);
}

/* ---- all of them ---- */

bool bundle_parse(const char *path, const unsigned char *bytes, size_t size, spor_bundle *bundle,
                  spor_message *message) {
    reading r = {path, bundle, message};
    *bundle = (spor_bundle){0};
    safetensors_file file = {path, bytes, size};
    bool done;
    if (npy_recognize(bytes, size))
        done = message_complain(message,
                                "%s: is one array, and it has no name: give it one, NAME=%s, or "
                                "save all: numpy.savez(file, A=A, dA=dA)",
                                path, path);
    else if (zip_recognize(bytes, size))
        done = zip_each(path, bytes, size, SPOR_FILE_LIMIT, add_member, &r, message);
    else
        done = safetensors_each(&file, add_tensor, &r, message);
    if (!done) bundle_free(bundle);
    return done;
}

bool bundle_read(const char *path, spor_bundle *bundle, spor_message *message) {
    unsigned char *bytes;
    size_t size;
    *bundle = (spor_bundle){0};
    if (!file_bytes(path, SPOR_FILE_LIMIT, &bytes, &size, message)) return false;
    bool done = bundle_parse(path, bytes, size, bundle, message);
    free(bytes);
    return done;
}

spor_npy *bundle_find(const spor_bundle *bundle, const char *name) {
    for (int k = 0; k < bundle->count; k++)
        if (!strcmp(bundle->item[k].name, name)) return &bundle->item[k].array;
    return NULL;
}

void bundle_free(spor_bundle *bundle) {
    for (int k = 0; k < bundle->count; k++) npy_free(&bundle->item[k].array);
    free(bundle->item);
    *bundle = (spor_bundle){0};
}
