/* Reading a command line by a table. */
#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/nearest.h"

/** Room for the longest table of a command. */
enum { OPTIONS = 32 };

static int try_help(const spor_command *command) {
    fprintf(stderr, "spor %s --help shows its options.\n", command->name);
    return SPOR_EXIT_BAD;
}

static void show_help(const spor_command *command, const spor_option options[]) {
    printf("spor %s %s [OPTION]...\n\n%s\n\n", command->name, command->operands, command->summary);
    for (const spor_option *option = options; option->name; option++) {
        char left[40];
        snprintf(left, sizeof left, "--%s %s", option->name, option->value ? option->value : "");
        printf("  %-20s %s\n", left, option->help);
    }
    printf("\n%s", command->help);
}

/* Length of the name in --name or --name=value. */
static size_t name_length(const char *word) {
    return strcspn(word, "=");
}

static const spor_option *find(const spor_option options[], const char *word) {
    size_t length = name_length(word);
    for (const spor_option *option = options; option->name; option++)
        if (strlen(option->name) == length && !strncmp(option->name, word, length)) return option;
    return NULL;
}

static int unknown(const spor_command *command, const spor_option options[], const char *word) {
    const char *names[OPTIONS];
    char name[64];
    int count = 0;
    for (; count < OPTIONS && options[count].name; count++) names[count] = options[count].name;
    snprintf(name, sizeof name, "%.*s", (int)name_length(word), word);
    const char *near = nearest_name(name, count, names);
    command_fail(command, "unknown option --%s%s%s%s", name, near ? "; did you mean --" : "",
                 near ? near : "", near ? "?" : "");
    return try_help(command);
}

/* ---- one reader a kind: false if the text is not such a value ---- */

static bool read_integer(const spor_option *option, const char *text) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || (double)value < option->least) return false;
    *(int64_t *)option->target = value;
    return true;
}

static bool read_real(const spor_option *option, const char *text) {
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (errno == ERANGE && !(fabs(value) > 0)) return false; /* a number that is not 0 */
    if (end == text || *end || !isfinite(value) || value < option->least) return false;
    *(double *)option->target = value;
    return true;
}

static bool read_text(const spor_option *option, const char *text) {
    if (!*text) return false;
    if (option->choices) {
        const char *at = strstr(option->choices, text);
        size_t length = strlen(text);
        if (!at || (at > option->choices && at[-1] != ' ') || (at[length] && at[length] != ' '))
            return false;
    }
    *(const char **)option->target = text;
    return true;
}

static bool read_setting(const spor_option *option, const char *text) {
    spor_settings *settings = option->target;
    enum { MOST = sizeof settings->setting / sizeof settings->setting[0] };
    size_t length = name_length(text);
    if (!length || !text[length] || length >= sizeof settings->name[0] || settings->count == MOST)
        return false;
    char *name = settings->name[settings->count];
    memcpy(name, text, length);
    name[length] = 0;
    settings->setting[settings->count++] = (spor_set){name, text + length + 1};
    return true;
}

static bool read_flag(const spor_option *option, const char *text) {
    (void)text;
    *(bool *)option->target = true;
    return true;
}

/* What a value must be, for the message. */
static const char *wanted(const spor_option *option, const char *value, char *out, size_t size) {
    const char *least = option->least >= 0 ? "a number of at least" : "a number above";
    switch (option->kind) {
    case SPOR_OPTION_INTEGER:
        snprintf(out, size, "a whole number of at least %.0f%s", option->least,
                 value && strlen(value) > 18 ? " that is less than 2^63" : "");
        break;
    case SPOR_OPTION_REAL:
        snprintf(out, size, "%s %g", least, option->least);
        break;
    case SPOR_OPTION_SETTING:
        snprintf(out, size, "name=%s, as in --%s %s",
                 strstr(option->value, "FILE") ? "file" : "value", option->name,
                 strstr(option->value, "FILE") ? "x=x.npy" : "rate=0.1");
        break;
    case SPOR_OPTION_TEXT:
    case SPOR_OPTION_FLAG:
        snprintf(out, size, "%s%s", option->choices ? "one of " : "a ",
                 option->choices ? option->choices : option->value);
        break;
    }
    return out;
}

static bool read_value(const spor_option *option, const char *text) {
    static bool (*const readers[])(const spor_option *, const char *) = {
        [SPOR_OPTION_FLAG] = read_flag,       [SPOR_OPTION_INTEGER] = read_integer,
        [SPOR_OPTION_REAL] = read_real,       [SPOR_OPTION_TEXT] = read_text,
        [SPOR_OPTION_SETTING] = read_setting,
    };
    return readers[option->kind](option, text);
}

/* Reads argv[*at], which begins with two dashes, and its value. The option, or NULL after a complaint. */
static const spor_option *read_option(const spor_command *command, const spor_option options[],
                                      int argc, char **argv, int *at) {
    const char *word = argv[*at] + 2;
    const char *value = word + name_length(word);
    const spor_option *option = find(options, word);
    bool flag = option && option->kind == SPOR_OPTION_FLAG;
    if (!option) return unknown(command, options, word), NULL;
    if (flag && *value) {
        command_fail(command, "--%s takes no value", option->name);
        return NULL;
    }
    if (*value) {
        value++;
    } else if (!flag) {
        value = *at + 1 < argc ? argv[++*at] : NULL;
    }
    char must[128];
    if (value && read_value(option, value)) return option;
    command_fail(command, "--%s wants %s%s%s", option->name,
                 wanted(option, value, must, sizeof must), value ? ", not " : "",
                 value ? value : "");
    return NULL;
}

/* A word NAME=VALUE right behind settings is one more of them: --set a=1 b=2. */
static bool goes_on(const spor_option *settings, const char *word) {
    size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return settings && settings->kind == SPOR_OPTION_SETTING && length && word[length] == '=' &&
           read_value(settings, word);
}

static bool asks_for_help(int argc, char **argv) {
    for (int k = 1; k < argc && strcmp(argv[k], "--"); k++)
        if (!strcmp(argv[k], "--help") || !strcmp(argv[k], "-h")) return true;
    return false;
}

/* slip: the name of an option among the operands, or NULL. */
static int count_operands(const spor_command *command, int least, int most, int count,
                          const spor_option *slip) {
    if (count >= least && count <= most) return SPOR_EXIT_NOT_YET;
    command_fail(command,
                 count < least ? "%s is missing%s%s%s" : "only %s is expected, and options%s%s%s",
                 command->operands, slip ? "; did you mean --" : "", slip ? slip->name : "",
                 slip ? "?" : "");
    return try_help(command);
}

int options_read(const spor_command *command, const spor_option options[], int least, int most,
                 const char *operand[], int argc, char **argv) {
    int count = 0;
    bool ended = false;
    const spor_option *slip = NULL;
    const spor_option *last = NULL; /* behind nothing but its values */
    for (int k = 0; k < most; k++) operand[k] = NULL;
    if (asks_for_help(argc, argv)) return show_help(command, options), SPOR_EXIT_DONE;
    for (int k = 1; k < argc; k++) {
        const char *word = argv[k];
        if (!ended && !strcmp(word, "--")) {
            ended = true;
        } else if (!ended && word[0] == '-' && word[1] == '-') {
            last = read_option(command, options, argc, argv, &k);
            if (!last) return SPOR_EXIT_BAD;
        } else if (!ended && word[0] == '-' && word[1]) {
            command_fail(command, "options are spelt out: %s is none", word);
            return try_help(command);
        } else if (ended || !goes_on(last, word)) {
            if (count < most) operand[count] = word;
            if (!slip && !ended) slip = find(options, word);
            count++;
            last = NULL;
        }
    }
    return count_operands(command, least, most, count, slip);
}
