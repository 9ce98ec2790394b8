/* Which trials a sweep has: lists taken apart, their product, a name and a command line for each. */
#include "cli/sweep.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"

static bool complain(const char *text, const char *axis, const char *detail) {
    command_fail(&spor_command_sweep, "%s: %s%s%s", axis, text, *detail ? " " : "", detail);
    return false;
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* Behind a string that begins here. */
static const char *skip_string(const char *at) {
    char quote = *at++;
    for (; *at && *at != quote; at++)
        if (*at == '\\' && at[1]) at++;
    return *at ? at + 1 : NULL;
}

/* The comma that ends a value, or the end of the text: brackets and strings hold theirs. NULL if one of
 * these is left open. */
static const char *end_of_value(const char *at) {
    int depth = 0;
    while (*at && (depth || *at != ',')) {
        depth += strchr("([{", *at) ? 1 : strchr(")]}", *at) ? -1 : 0;
        if (depth < 0) return NULL;
        at = strchr("\"'", *at) ? skip_string(at) : at + 1;
        if (!at) return NULL;
    }
    return depth ? NULL : at;
}

static bool has_control(const char *text) {
    while (*text && !iscntrl((unsigned char)*text)) text++;
    return *text;
}

/* A copy without blanks at its ends. */
static char *trimmed(const char *from, const char *to) {
    while (from < to && *from == ' ') from++;
    while (to > from && to[-1] == ' ') to--;
    return strndup(from, (size_t)(to - from));
}

static bool add_value(sweep_axis *axis, char *value) {
    char **more = realloc(axis->value, (size_t)(axis->values + 1) * sizeof *more);
    if (more) axis->value = more;
    if (!more || !value) return free(value), complain("out of memory", axis->name, "");
    axis->value[axis->values++] = value;
    for (int k = 0; k < axis->values - 1; k++)
        if (!strcmp(axis->value[k], value)) return complain("twice the value", axis->name, value);
    return *value || complain("a value is missing in the list", axis->name, "");
}

static bool read_list(sweep_axis *axis, const char *list) {
    if (has_control(list)) return complain("values are on one line", axis->name, "");
    for (const char *at = list;; at++) {
        const char *end = end_of_value(at);
        if (!end) return complain("a bracket or a quote is left open in", axis->name, list);
        if (axis->values == SWEEP_MOST) return complain("too many values", axis->name, "");
        if (!add_value(axis, trimmed(at, end))) return false;
        at = end;
        if (!*end) return true;
    }
}

/* ---- axes ----------------------------------------------------------------------------------- */

const sweep_handed sweep_handed_on[SWEEP_HANDED] = {
    {.name = "rate", .value = "LIST", .help = "the optimizer's setting rate", .list = true},
    {.name = "l2", .value = "LIST", .help = "its setting l2", .list = true},
    {.name = "epochs", .value = "LIST", .help = "passes over the training rows", .list = true},
    {.name = "batch", .value = "LIST", .help = "rows of a step", .list = true},
    {.name = "limit", .value = "LIST", .help = "rows to train with, drawn at random", .list = true},
    {.name = "split",
     .value = "N",
     .help = "draws the rows that test and validate, the same in all trials (default 0)",
     .otherwise = "0"},
    {.name = "data", .value = "NAME:FOLDER", .help = "another data set, or its files in a folder"},
    {.name = "weights", .value = "RUN", .help = "trials begin with the weights of this run"},
    {.name = "patience",
     .value = "N",
     .help = "ends a trial after N epochs without a lower validation loss; implies --best"},
    {.name = "best", .help = "judges the weights of the epoch that validated best"},
    {.name = "double", .help = "double precision"},
    {.name = "reference", .help = "reference kernels, no fast paths: the same, slower"},
    {.name = "threads",
     .value = "N",
     .help = "that run a step of a trial; the numbers are the same (default 1)",
     .otherwise = "1",
     .beside = true},
    {.name = "checkpoint",
     .value = "S",
     .help = "seconds between checkpoints at least (default 2)",
     .beside = true},
};

static bool may_vary(const char *name) {
    for (int k = 0; k < SWEEP_HANDED; k++)
        if (sweep_handed_on[k].list && !strcmp(sweep_handed_on[k].name, name)) return true;
    return false;
}

static bool add_axis(sweep_space *s, const char *name, bool option, const char *list) {
    for (int k = 0; k < s->axes; k++)
        if (!strcmp(s->axis[k].name, name)) return complain("is given twice", name, "");
    s->axis[s->axes] = (sweep_axis){.name = name, .option = option};
    return read_list(&s->axis[s->axes++], list);
}

/* Of the script first, so that its names are never hidden by options. */
static bool read_axes(sweep_space *s, const spor_script *script) {
    const sweep_arguments *given = s->given;
    for (int k = 0; k < given->settings.count; k++) {
        const char *name = given->settings.name[k];
        bool option = !script_assigns(script, name) && may_vary(name);
        if (!add_axis(s, name, option, given->settings.setting[k].value)) return false;
    }
    for (int k = 0; k < SWEEP_HANDED; k++)
        if (sweep_handed_on[k].list && given->handed[k] &&
            !add_axis(s, sweep_handed_on[k].name, true, given->handed[k]))
            return false;
    return true;
}

/* ---- seeds ---------------------------------------------------------------------------------- */

/* A seed, or a range of them, and the comma behind it. */
static bool read_range(const char **at, int64_t *from, int64_t *to) {
    char *end;
    errno = 0;
    *from = *to = strtoll(*at, &end, 10);
    bool done = isdigit((unsigned char)**at);
    if (done && !strncmp(end, "..", 2)) {
        *at = end + 2;
        *to = strtoll(*at, &end, 10);
        done = isdigit((unsigned char)**at);
    }
    *at = *end == ',' ? end + 1 : end;
    return done && !errno && *to >= *from && *to < INT64_MAX && (!*end || *end == ',') &&
           !(*end == ',' && !end[1]);
}

/* How many there are; 0: it is no list of seeds. */
static int64_t count_seeds(const char *list) {
    int64_t count = 0, from, to;
    for (const char *at = list; *at || !count;) {
        if (!read_range(&at, &from, &to)) return 0;
        if (__builtin_add_overflow(count, to - from + 1, &count)) return INT64_MAX;
    }
    return count;
}

static bool read_seeds(sweep_space *s, const char *list) {
    int64_t count = 0, from, to;
    s->seed = calloc((size_t)s->seeds, sizeof *s->seed);
    if (!s->seed) return complain("out of memory", "--seed", "");
    for (const char *at = list; count < s->seeds && read_range(&at, &from, &to);)
        for (int64_t seed = from; seed <= to; seed++) {
            for (int64_t k = 0; k < count; k++)
                if (s->seed[k] == seed) return complain("a seed is given twice in", "--seed", list);
            s->seed[count++] = seed;
        }
    return true;
}

/* ---- the product ---------------------------------------------------------------------------- */

/* "2 hidden x 3 rate x 5 seeds" */
static bool refuse(const sweep_space *s, bool countable) {
    spor_text text = {0};
    for (int k = 0; k < s->axes; k++)
        text_add(&text, "%d %s x ", s->axis[k].values, s->axis[k].name);
    text_add(&text, "%" PRId64 " seeds", s->seeds);
    command_fail(&spor_command_sweep,
                 "there would be %s%.0" PRId64 " trials: %s. At most %d are run; leave out values.",
                 countable ? "" : "more than ", countable ? s->trials : INT64_MAX,
                 text.failed ? "" : text.at, SWEEP_MOST);
    text_free(&text);
    return false;
}

static bool count_trials(sweep_space *s) {
    bool countable = true;
    s->trials = s->seeds;
    s->settings = 1;
    for (int k = 0; k < s->axes && countable; k++)
        countable = !__builtin_mul_overflow(s->trials, (int64_t)s->axis[k].values, &s->trials);
    if (!countable || s->trials > SWEEP_MOST) return refuse(s, countable);
    s->settings = s->trials / s->seeds;
    return true;
}

bool space_make(sweep_space *s, const sweep_arguments *given, const spor_script *script) {
    const char *seeds = given->seeds ? given->seeds : "0";
    s->given = given;
    s->seeds = count_seeds(seeds);
    if (!s->seeds) return complain("wants seeds as in 0..4 or 0,3,7, not", "--seed", seeds);
    return read_axes(s, script) && count_trials(s) && read_seeds(s, seeds);
}

void space_free(sweep_space *s) {
    for (int k = 0; k < s->axes; k++) {
        for (int i = 0; i < s->axis[k].values; i++) free(s->axis[k].value[i]);
        free(s->axis[k].value);
    }
    free(s->seed);
}

const char *space_value(const sweep_space *s, int64_t setting, int axis) {
    for (int k = s->axes - 1; k > axis; k--) setting /= s->axis[k].values;
    return s->axis[axis].value[setting % s->axis[axis].values];
}

/* ---- names ---------------------------------------------------------------------------------- */

/* Axes by their names: in whatever order they are given, a trial is the same. */
static int by_name(const void *a, const void *b) {
    const sweep_axis *const *first = a, *const *second = b;
    return strcmp((*first)->name, (*second)->name);
}

/* hidden=10,rate=0.1 */
static void raw_name(const sweep_space *s, int64_t setting, spor_text *text) {
    const sweep_axis *axis[SWEEP_AXES];
    for (int k = 0; k < s->axes; k++) axis[k] = &s->axis[k];
    qsort(axis, (size_t)s->axes, sizeof *axis, by_name);
    for (int k = 0; k < s->axes; k++)
        text_add(text, "%s=%s,", axis[k]->name, space_value(s, setting, (int)(axis[k] - s->axis)));
}

/* What no file system and no shell minds stays; a name that lost something has a checksum of all. */
void space_trial_name(const sweep_space *s, int64_t trial, char name[SWEEP_NAME]) {
    static const char kept[] = "+-.=,_";
    enum { LONGEST = 100 };
    spor_text raw = {0};
    raw_name(s, trial / s->seeds, &raw);
    int length = 0;
    bool lost = raw.failed || raw.size > LONGEST;
    for (size_t k = 0; k < raw.size && length < LONGEST; k++) {
        unsigned char c = (unsigned char)raw.at[k];
        bool fine = c < 128 && (isalnum(c) || strchr(kept, c));
        if (fine || (length && name[length - 1] != '_')) name[length++] = fine ? (char)c : '_';
        lost = lost || !fine;
    }
    if (lost)
        length += snprintf(name + length, 24, "%016" PRIx64 ",", checksum_add(0, raw.at, raw.size));
    snprintf(name + length, (size_t)(SWEEP_NAME - length), "seed=%" PRId64,
             s->seed[trial % s->seeds]);
    text_free(&raw);
}

const char *space_trial_file(const sweep_space *s, int64_t trial, const char *file,
                             char path[RUN_PATH]) {
    char name[SWEEP_NAME];
    space_trial_name(s, trial, name);
    int length = snprintf(path, RUN_PATH, "%s/%s%s%s", s->folder, name, *file ? "/" : "", file);
    if (length >= RUN_PATH) path[0] = 0; /* no file has this name */
    return path;
}

void space_setting_text(const sweep_space *s, int64_t setting, char *text, size_t size) {
    size_t used = 0;
    *text = 0;
    for (int k = 0; k < s->axes && used < size; k++)
        if (s->axis[k].values > 1)
            used += (size_t)snprintf(text + used, size - used, "%s%s=%s", used ? " " : "",
                                     s->axis[k].name, space_value(s, setting, k));
}

/* ---- command lines -------------------------------------------------------------------------- */

void words_add(sweep_words *w, const char *format, ...) {
    va_list given;
    va_start(given, format);
    int size = vsnprintf(NULL, 0, format, given);
    va_end(given);
    char *word = size < 0 || w->count == SWEEP_WORDS ? NULL : malloc((size_t)size + 1);
    if (!word) {
        w->failed = true;
        return;
    }
    va_start(given, format);
    vsnprintf(word, (size_t)size + 1, format, given);
    va_end(given);
    w->word[w->count++] = word;
    w->word[w->count] = NULL;
}

void words_free(sweep_words *w) {
    for (int k = 0; k < w->count; k++) free(w->word[k]);
    *w = (sweep_words){0};
}

static void add_axis_words(const sweep_space *s, int64_t setting, sweep_words *w) {
    for (int k = 0; k < s->axes; k++) {
        const char *name = s->axis[k].name, *value = space_value(s, setting, k);
        words_add(w, "--%s", s->axis[k].option ? name : "set");
        if (s->axis[k].option)
            words_add(w, "%s", value);
        else
            words_add(w, "%s=%s", name, value);
    }
}

/* Options of all trials: those that make a trial what it is, or those beside. */
static void add_handed_words(const sweep_space *s, bool beside, sweep_words *w) {
    for (int k = 0; k < SWEEP_HANDED; k++) {
        const sweep_handed *h = &sweep_handed_on[k];
        const char *value = s->given->handed[k] ? s->given->handed[k] : h->otherwise;
        if (h->list || h->beside != beside || !(value || s->given->flag[k])) continue;
        words_add(w, "--%s", h->name);
        if (value) words_add(w, "%s", value);
    }
}

void space_begin_words(const sweep_space *s, int64_t trial, sweep_words *w) {
    char path[RUN_PATH];
    *w = (sweep_words){0};
    words_add(w, "train");
    words_add(w, "%s", s->given->script);
    add_axis_words(s, trial / s->seeds, w);
    add_handed_words(s, false, w);
    words_add(w, "--seed");
    words_add(w, "%" PRId64, s->seed[trial % s->seeds]);
    words_add(w, "--no-test");
    w->same = w->count;
    words_add(w, "--quiet");
    add_handed_words(s, true, w);
    words_add(w, "--out");
    words_add(w, "%s", space_trial_file(s, trial, "", path));
}

void space_resume_words(const sweep_space *s, int64_t trial, sweep_words *w) {
    char path[RUN_PATH];
    *w = (sweep_words){0};
    words_add(w, "train");
    words_add(w, "--resume");
    words_add(w, "%s", space_trial_file(s, trial, "", path));
    words_add(w, "--quiet");
    add_handed_words(s, true, w);
}
