/* Where models and data are: in the source tree for a program that lies in its build folder. */
#include "run/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "base/nearest.h"
#include "data/text.h"

/* True of the very file that was built, wherever one is and whatever its name: a copy that was
 * installed is another file. */
static bool uninstalled(void) {
    struct stat self, built;
    return !stat("/proc/self/exe", &self) && !stat(SPOR_BUILT, &built) &&
           self.st_dev == built.st_dev && self.st_ino == built.st_ino;
}

const char *places_models(void) {
    const char *folder = getenv("SPOR_MODELS");
    if (folder && *folder) return folder;
    return uninstalled() ? SPOR_SOURCE_FOLDER "/models" : SPOR_MODELS_FOLDER;
}

const data_set *places_set(const char *name, spor_message *message) {
    enum { MOST = 64 };
    const data_set *set = sets_find(name);
    const char *names[MOST], *near = NULL;
    int count = 0;
    if (set) return set;
    for (; count < MOST && data_sets[count].name; count++) names[count] = data_sets[count].name;
    near = nearest_name(name, count, names);
    message_complain(message, "there is no data set %s%s%s%s\n`spor data` lists them.", name,
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return NULL;
}

enum { PLACES = 5, PATH_SIZE = 4096 };

typedef struct {
    int count;
    char folder[PLACES][PATH_SIZE];
} places;

/* folder and what is in it; left out if there is no such folder to look in, or if it is too long. */
static void add(places *p, const char *folder, const char *in) {
    char *to = p->folder[p->count];
    const char *slash = folder && *folder && folder[strlen(folder) - 1] != '/' ? "/" : "";
    int length = folder && *folder ? snprintf(to, PATH_SIZE, "%s%s%s", folder, slash, in) : 0;
    if (length > 0 && length < PATH_SIZE) p->count++;
}

static void add_beside(places *p, const char *script, const char *in) {
    char folder[PATH_SIZE];
    const char *slash = script ? strrchr(script, '/') : NULL;
    int length = slash ? (int)(slash - script) + 1 : 0;
    if (script && length < PATH_SIZE - 16) {
        snprintf(folder, sizeof folder, "%.*s../data", length, script);
        add(p, folder, in);
    }
}

/* In the order in which they are looked at. */
static void list(places *p, const data_set *set, const char *script) {
    p->count = 0;
    add(p, getenv("SPOR_DATA"), set->folder);
    add_beside(p, script, set->folder);
    add(p, "data", set->folder);
    add(p, uninstalled() ? SPOR_SOURCE_FOLDER "/data" : SPOR_DATA_FOLDER, set->folder);
    add(p, set->package, "");
}

/* What a user needs to mend it; what is only half there is told first. */
static bool complain(const data_set *set, const places *p, const spor_message *half,
                     spor_message *message) {
    spor_text text = {0};
    const char *data = getenv("SPOR_DATA");
    if (*half->text) text_add(&text, "%.300s\n", half->text);
    text_add(&text, "no files of %s:\n", set->name);
    for (const data_file *file = set->file; file->name; file++)
        text_add(&text, "  %s  %lld bytes  %s\n", file->name, (long long)file->size, file->sum);
    text_add(&text, "To get: %s\nLooked for in\n", set->get);
    if (!data || !*data) text_add(&text, "  (SPOR_DATA is not set)\n");
    for (int k = 0; k < p->count; k++) text_add(&text, "  %s\n", p->folder[k]);
    text_add(&text, "Put them there, or set SPOR_DATA, or give --data %s:FOLDER.", set->name);
    message_complain(message, "%s", text.failed ? "out of memory" : text.at);
    text_free(&text);
    return false;
}

bool places_find(const data_set *set, const char *script, const char *folder,
                 char *path[DATA_FILES], spor_message *message) {
    spor_message half = {""}, why = {""};
    int files = sets_files(set);
    if (folder) return sets_find_files(set, folder, true, path, message) == files;
    places *p = malloc(sizeof *p);
    if (!p) return message_complain(message, "out of memory");
    list(p, set, script);
    bool done = false;
    for (int k = 0; k < p->count && !done; k++) {
        int found = sets_find_files(set, p->folder[k], false, path, &why);
        done = found == files;
        if (found && !*half.text) half = why;
    }
    if (!done) complain(set, p, &half, message);
    free(p);
    return done;
}

/* A name that a script has for a file of its own. */
static void list_own(places *p, const char *name, const char *script) {
    const char *slash = strrchr(script, '/');
    int folder = slash && *name != '/' ? (int)(slash - script) + 1 : 0;
    int length = snprintf(p->folder[0], PATH_SIZE, "%.*s%s", folder, script, name);
    p->count = length < PATH_SIZE;
    if (*name == '/') return;
    add(p, getenv("SPOR_DATA"), name);
    if (folder) add(p, ".", name);
}

bool places_file(const char *name, const char *script, char **path, spor_message *message) {
    spor_text text = {0};
    places *p = malloc(sizeof *p);
    if (!p) return message_complain(message, "out of memory");
    list_own(p, name, script);
    *path = NULL;
    for (int k = 0; k < p->count && !*path; k++) {
        text_add(&text, "%s%s", k ? ",\nnor " : "there is no file ", p->folder[k]);
        if (!access(p->folder[k], F_OK)) *path = strdup(p->folder[k]);
    }
    if (!*path)
        message_complain(message, "%s", text.failed || !text.at ? "out of memory" : text.at);
    text_free(&text);
    free(p);
    return *path != NULL;
}
