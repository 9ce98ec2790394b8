/* spor data: the data sets that spor knows, and where their files are. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "tape/tape.h"

enum { TEXT = 64 };

/* The folder that the files lie in, without a slash at its end; false if they are not here. */
static bool find_folder(const data_set *set, char folder[4096], spor_message *message) {
    char *path[DATA_FILES];
    if (!places_find(set, NULL, NULL, path, message)) return false;
    const char *slash = strrchr(path[0], '/');
    snprintf(folder, 4096, "%.*s", slash ? (int)(slash - path[0]) : 1, slash ? path[0] : ".");
    sets_free_files(path);
    return true;
}

static void list_set(const data_set *set) {
    char folder[4096], shape[TEXT];
    tape_shape_text(&set->shape, NULL, shape, sizeof shape);
    printf("%-14s %7lld  %-12s %7d  ", set->name, (long long)set->rows, shape, set->classes);
    if (find_folder(set, folder, NULL))
        printf("%s\n", folder);
    else
        printf("not here: `spor data %s` tells how to get it\n", set->name);
}

static int list_sets(void) {
    printf("%-14s %7s  %-12s %7s  %s\n", "name", "rows", "sample", "classes", "where");
    for (const data_set *set = data_sets; set->name; set++) list_set(set);
    return SPOR_EXIT_DONE;
}

static void tell_files(const data_set *set, const char *folder) {
    for (const data_file *file = set->file; file->name; file++)
        printf("  %-12s%s  %lld bytes  %s\n", file->test ? "to test" : "to train", file->name,
               (long long)file->size, file->sum);
    printf("The files are in %s\n", folder);
}

static int tell(const data_set *set) {
    char folder[4096], shape[TEXT];
    spor_message message = {""};
    tape_shape_text(&set->shape, NULL, shape, sizeof shape);
    printf("%s: %s\n", set->name, set->title);
    printf("  samples     %lld of %s, %d classes\n", (long long)set->rows, shape, set->classes);
    printf("  in scripts  data=%s(scale=1/%g)\n", set->name, 1 / set->scale);
    printf("  origin      %s\n", set->origin);
    printf("  terms       %s\n", set->terms);
    if (find_folder(set, folder, &message))
        tell_files(set, folder);
    else
        printf("There are %s\n", message.text);
    return SPOR_EXIT_DONE;
}

static int run(int argc, char **argv) {
    const char *name = NULL;
    const spor_option options[] = {{0}};
    int status = options_read(&spor_command_data, options, 0, 1, &name, argc, argv);
    if (status != SPOR_EXIT_NOT_YET) return status;
    if (!name) return list_sets();
    spor_message message = {""};
    const data_set *set = places_set(name, &message);
    return set ? tell(set) : command_fail(&spor_command_data, "%s", message.text);
}

const spor_command spor_command_data = {
    .name = "data",
    .operands = "[NAME]",
    .summary = "Lists the data sets that spor knows, and tells of one.",
    .help = "A name tells of its files, how large they are, who made them, under which terms, and\n"
            "where they are or where they may be put.\n"
            "\n"
            "Examples\n"
            "  spor data                 all of them\n"
            "  spor data svhn            what to fetch for it, and where to put it\n",
    .run = run,
};
