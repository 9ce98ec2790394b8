/*
 * A name is read as words, X_train as x and train, whatever stands between them: one of the words says what the
 * array is, another one, or none, which rows it has.
 */
#include "data/npz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/message.h"
#include "data/file.h"
#include "data/npy.h"
#include "data/text.h"
#include "data/zip.h"

/* ---- names ---- */

static const char *const samples[] = {"x",      "data",    "images",   "image",   "input",
                                      "inputs", "feature", "features", "samples", NULL};
static const char *const targets[] = {"y", "label", "labels", "target", "targets", NULL};
static const char *const parts[ARRAYS_PARTS][5] = {
    [ARRAYS_TRAIN] = {"train", "training", NULL},
    [ARRAYS_VALIDATION] = {"val", "valid", "validation", "dev", NULL},
    [ARRAYS_TEST] = {"test", "testing", NULL}};

/* The length of the word that a name begins with, 0 if it is none of these; the longest. */
static size_t begins_with(const char *name, const char *const word[]) {
    size_t longest = 0;
    for (; *word; word++) {
        size_t length = strlen(*word);
        if (length > longest && !strncasecmp(name, *word, length)) longest = length;
    }
    return longest;
}

/* Is the name one of these words? */
static bool is_alone(const char *name, const char *const word[]) {
    size_t length = begins_with(name, word);
    return length && !name[length];
}

/* Is the name one word, then what may stand between, then the other? */
static bool is_pair(const char *name, const char *const one[], const char *const other[]) {
    size_t length = begins_with(name, one);
    const char *rest = name + length;
    if (!length) return false;
    rest += *rest == '_' || *rest == '-' || *rest == '.' || *rest == ' ' || *rest == '/';
    size_t second = begins_with(rest, other);
    return second && !rest[second];
}

static bool is_called(const char *name, const char *const what[], int part) {
    return (part == ARRAYS_TRAIN && is_alone(name, what)) || is_pair(name, what, parts[part]) ||
           is_pair(name, parts[part], what);
}

/* ---- the arrays of a file ---- */

/* What a member is called without ".npy"; false: it is no array. */
static bool array_name(const char *member, char *name, size_t size) {
    static const char *const ending[] = {".npy", NULL};
    size_t length = strlen(member);
    if (!file_ends_in(member, ending) || length - 4 >= size) return false;
    snprintf(name, size, "%.*s", (int)(length - 4), member);
    return true;
}

/* Their names, one behind the other, each with its 0. */
static bool add_name(const char *member, const unsigned char *bytes, size_t size, void *user) {
    char name[NPZ_NAME];
    (void)bytes, (void)size;
    if (array_name(member, name, sizeof name)) text_bytes(user, name, strlen(name) + 1);
    return true;
}

typedef struct {
    const char *path;
    const unsigned char *bytes;
    size_t size;
} npz_file;

static bool each_member(const npz_file *file, zip_on_member *on_member, void *user,
                        spor_message *message) {
    if (!zip_recognize(file->bytes, file->size))
        return message_complain(message,
                                "%s: is no .npz file, as numpy.savez writes it; one array in a "
                                ".npy file is npy(x=..., y=...)",
                                file->path);
    return zip_each(file->path, file->bytes, file->size, SPOR_FILE_LIMIT, on_member, user, message);
}

/* The names of its arrays, one behind the other. */
static bool read_names(const npz_file *file, spor_text *names, spor_message *message) {
    return each_member(file, add_name, names, message) &&
           (!names->failed || message_complain(message, "%s: out of memory", file->path));
}

/* "A, b" of what there is, for a message. */
static void list_names(const spor_text *names, char *out, size_t size) {
    size_t used = 0;
    const char *at = names->at, *end = at ? at + names->size : at;
    snprintf(out, size, "%s", at ? "" : "no arrays");
    for (; at && at < end; at += strlen(at) + 1) {
        int wrote = snprintf(out + used, size - used, "%s%s", used ? ", " : "", at);
        if (used + (size_t)wrote + 8 > size) {
            snprintf(out + used, size - used, ", ...");
            return;
        }
        used += (size_t)wrote;
    }
}

/* ---- which is which ---- */

/* The names that were chosen. */
typedef struct {
    char x[ARRAYS_PARTS][NPZ_NAME], y[ARRAYS_PARTS][NPZ_NAME];
} npz_names;

typedef struct {
    array_files *arrays;
    const char *path;
    spor_text names;
    spor_message *message;
} choice;

/* How many may be meant, the first of them in found. */
static int find(const choice *c, const char *const what[], int part, char found[NPZ_NAME]) {
    const char *at = c->names.at, *end = at ? at + c->names.size : at;
    int count = 0;
    for (; at && at < end; at += strlen(at) + 1)
        if (is_called(at, what, part) && !count++) snprintf(found, NPZ_NAME, "%s", at);
    return count;
}

static bool refuse(const choice *c, const char *word, const char *also, int count) {
    char list[400];
    list_names(&c->names, list, sizeof list);
    return message_complain(
        c->message,
        "%s: %s of its arrays is %s, as far as names say: it has %s; say which, "
        "%s=\"NAME\"%s",
        c->path, count ? "more than one" : "none", word, list, word, also);
}

static bool find_in_training(const choice *c, const char *const what[], const char *word,
                             const char *also, const char **name, char kept[NPZ_NAME]) {
    if (*name) return true;
    int count = find(c, what, ARRAYS_TRAIN, kept);
    *name = kept;
    return count == 1 || refuse(c, word, also, count);
}

/* Rows of the same file, where x and what is to be predicted are both there. */
static void find_part(const choice *c, int part, npz_names *kept) {
    array_files *a = c->arrays;
    bool y = a->y[ARRAYS_TRAIN];
    if (a->x[part] || find(c, samples, part, kept->x[part]) != 1) return;
    if (y && find(c, targets, part, kept->y[part]) != 1) return;
    a->x[part] = a->x[ARRAYS_TRAIN];
    a->x_name[part] = kept->x[part];
    a->y[part] = a->y[ARRAYS_TRAIN];
    a->y_name[part] = y ? kept->y[part] : NULL;
}

/* In other files they are called as in the first one. */
static void name_parts(array_files *a) {
    for (int part = ARRAYS_VALIDATION; part < ARRAYS_PARTS; part++) {
        if (!a->x[part]) continue;
        a->x_name[part] = a->x_name[ARRAYS_TRAIN];
        a->y_name[part] = a->y_name[ARRAYS_TRAIN];
    }
}

static bool choose(array_files *a, npz_names *kept, spor_message *message) {
    choice c = {.arrays = a, .path = a->x[ARRAYS_TRAIN], .message = message};
    bool said = a->x_name[ARRAYS_TRAIN] || a->y_name[ARRAYS_TRAIN];
    unsigned char *bytes = NULL;
    size_t size;
    bool done = file_bytes(c.path, SPOR_FILE_LIMIT, &bytes, &size, message) &&
                read_names(&(npz_file){c.path, bytes, size}, &c.names, message) &&
                find_in_training(&c, samples, "x", "", &a->x_name[ARRAYS_TRAIN], kept->x[0]) &&
                (!a->y[ARRAYS_TRAIN] ||
                 find_in_training(&c, targets, "y", ", or y=False if there is nothing to predict",
                                  &a->y_name[ARRAYS_TRAIN], kept->y[0]));
    if (done) name_parts(a);
    for (int part = ARRAYS_VALIDATION; done && !said && part < ARRAYS_PARTS; part++)
        find_part(&c, part, kept);
    text_free(&c.names);
    free(bytes);
    return done;
}

/* "mnist:x_train,y_train", if there is room. */
static void name_data(const array_files *a, spor_data *data) {
    const char *y = a->y_name[ARRAYS_TRAIN];
    char name[sizeof data->name];
    int length = snprintf(name, sizeof name, "%s:%s%s%s", data->name, a->x_name[ARRAYS_TRAIN],
                          y ? "," : "", y ? y : "");
    if (length < (int)sizeof name) memcpy(data->name, name, (size_t)length + 1);
}

spor_data *npz_data(const array_files *said, spor_message *message) {
    array_files arrays = *said;
    npz_names names;
    spor_data *data = choose(&arrays, &names, message) ? arrays_read(&arrays, message) : NULL;
    if (data) name_data(&arrays, data);
    return data;
}

/* ---- an array ---- */

typedef struct {
    const npz_file *file;
    const char *name;
    spor_npy *array;
    bool found;
    spor_message *message;
} wanted;

static bool take_array(const char *member, const unsigned char *bytes, size_t size, void *user) {
    wanted *w = user;
    char name[NPZ_NAME];
    spor_message why = {{0}};
    if (w->found || !array_name(member, name, sizeof name) || strcmp(name, w->name) != 0)
        return true;
    w->found = true;
    return npy_parse(member, bytes, size, w->array, &why) ||
           message_complain(w->message, "%s: %.900s", w->file->path, why.text);
}

static bool refuse_name(const wanted *w) {
    char list[400] = "no arrays";
    spor_text names = {0};
    if (read_names(w->file, &names, w->message)) list_names(&names, list, sizeof list);
    text_free(&names);
    return message_complain(w->message, "%s: no array is called %.60s: it has %s", w->file->path,
                            w->name, list);
}

static bool read_array(const npz_file *file, const char *name, spor_npy *array,
                       spor_message *message) {
    wanted w = {.file = file, .name = name, .array = array, .message = message};
    *array = (spor_npy){0};
    if (!each_member(file, take_array, &w, message)) return npy_free(array), false;
    return w.found || refuse_name(&w);
}

bool npz_read(const char *path, const char *name, spor_npy *array, spor_message *message) {
    unsigned char *bytes = NULL;
    size_t size;
    *array = (spor_npy){0};
    bool done = file_bytes(path, SPOR_FILE_LIMIT, &bytes, &size, message) &&
                read_array(&(npz_file){path, bytes, size}, name, array, message);
    free(bytes);
    return done;
}

/* ---- samples alone ---- */

static bool is_any(const char *name) {
    return *name;
}
static bool is_samples(const char *name) {
    return is_alone(name, samples);
}
static bool is_samples_of_a_part(const char *name) {
    bool is = false;
    for (int part = 0; part < ARRAYS_PARTS; part++) is = is || is_called(name, samples, part);
    return is;
}

/* True if one name alone is like this. */
static bool find_only(const spor_text *names, bool (*is_like)(const char *name),
                      char found[NPZ_NAME]) {
    const char *at = names->at, *end = at ? at + names->size : at;
    int count = 0;
    for (; at && at < end; at += strlen(at) + 1)
        if (is_like(at) && !count++) snprintf(found, NPZ_NAME, "%s", at);
    return count == 1;
}

static bool find_samples(const npz_file *file, char found[NPZ_NAME], spor_message *message) {
    char list[400];
    spor_text names = {0};
    bool read = read_names(file, &names, message);
    bool done = read && (find_only(&names, is_any, found) || find_only(&names, is_samples, found) ||
                         find_only(&names, is_samples_of_a_part, found));
    list_names(&names, list, sizeof list);
    if (read && !names.at)
        message_complain(message, "%s: it has no arrays", file->path);
    else if (read && !done)
        message_complain(message,
                         "%s: names do not say which of its arrays has the rows: it has %s; one "
                         "is given by its name as in rows.npz:%s",
                         file->path, list, names.at);
    text_free(&names);
    return done;
}

bool npz_samples(const char *path, const unsigned char *bytes, size_t size, const char *name,
                 npz_array *found, spor_message *message) {
    const npz_file file = {path, bytes, size};
    *found = (npz_array){.name = ""};
    if (name)
        snprintf(found->name, sizeof found->name, "%s", name);
    else if (!find_samples(&file, found->name, message))
        return false;
    return read_array(&file, name ? name : found->name, &found->array, message);
}

const char *npz_name_in(const char *path, size_t *length) {
    const char *at = strrchr(path, ':');
    if (!at || !at[1] || at - path < 5 || strncasecmp(at - 4, ".npz", 4) != 0 ||
        access(path, F_OK) == 0)
        return NULL;
    *length = (size_t)(at - path);
    return at + 1;
}

bool npz_reads(const char *path, const char *file) {
    size_t length = strlen(path);
    npz_name_in(path, &length);
    char *read = strdup(path);
    if (read) read[length] = 0;
    bool is = read && file_is_same(file, read);
    free(read);
    return is;
}
