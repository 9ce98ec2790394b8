/* spor: dispatches to its commands. */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/nearest.h"
#include "data/file.h"

static const spor_command *const commands[] = {
    &spor_command_train,  &spor_command_sweep, &spor_command_eval,   &spor_command_predict,
    &spor_command_verify, &spor_command_run,   &spor_command_show,   &spor_command_ops,
    &spor_command_bench,  &spor_command_data,  &spor_command_export, &spor_command_import,
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

int command_fail(const spor_command *command, const char *format, ...) {
    va_list arguments;
    fflush(stdout);
    fprintf(stderr, "spor %s: ", command->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return SPOR_EXIT_BAD;
}

static void help(FILE *out) {
    fputs("spor: networks as tapes that can be recorded, differentiated, printed and run\n\n", out);
    for (int k = 0; k < COMMANDS; k++)
        fprintf(out, "  spor %-7s %-9s %s\n", commands[k]->name, commands[k]->operands,
                commands[k]->summary);
    fputs("\n"
          "Begin with\n"
          "  spor show models/densenet2_20.spor          see a network: layers, tape, fast paths\n"
          "  spor train models/densenet2_20.spor         train it on the digits in data/\n"
          "  spor ops correlate2d                        the definition of an op\n"
          "\n"
          "  spor COMMAND --help                         a command's options, by example\n"
          "  spor --version\n"
          "\n"
          "Exit status: 0 done, 1 the answer is no (training diverged or was stopped),\n"
          "2 bad usage or bad input.\n",
          out);
}

static int unknown(const char *name) {
    static const char *const script[] = {".spor", NULL};
    const char *names[COMMANDS];
    for (int k = 0; k < COMMANDS; k++) names[k] = commands[k]->name;
    const char *near = nearest_name(name, COMMANDS, names);
    fprintf(stderr, "spor: there is no command %s", name);
    if (near) fprintf(stderr, "; did you mean %s?", near);
    if (file_ends_in(name, script)) fprintf(stderr, "; did you mean spor train %s?", name);
    fputs("\nspor --help lists the commands.\n", stderr);
    return SPOR_EXIT_BAD;
}

static const spor_command *find(const char *name) {
    for (int k = 0; k < COMMANDS; k++)
        if (!strcmp(name, commands[k]->name)) return commands[k];
    return NULL;
}

/* `spor help train` is `spor train --help`. */
static int help_of(const char *name) {
    char word[] = "help", option[] = "--help", *argv[] = {word, option, NULL};
    const spor_command *command = find(name);
    return command ? command->run(2, argv) : unknown(name);
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) return help(stderr), SPOR_EXIT_BAD;
    const char *name = argv[1];
    if (!strcmp(name, "--version")) return printf("spor %s\n", spor_version()), SPOR_EXIT_DONE;
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
        return argc > 2 ? help_of(argv[2]) : (help(stdout), SPOR_EXIT_DONE);
    const spor_command *command = find(name);
    return command ? command->run(argc - 1, argv + 1) : unknown(name);
}

/* A command whose output is lost has not done what was asked. */
static int check_output(int status) {
    errno = 0;
    if (status == SPOR_EXIT_BAD || (!fflush(stdout) && !ferror(stdout))) return status;
    fprintf(stderr, "spor: standard output: %s\n", errno ? strerror(errno) : "write error");
    return SPOR_EXIT_BAD;
}

int main(int argc, char **argv) {
    spor_screen screen;
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a disk that is full */
    if (!screen_begin(&screen)) return SPOR_EXIT_BAD;
    int status = check_output(dispatch(argc, argv));
    screen_end(&screen);
    return status;
}
