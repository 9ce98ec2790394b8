/* spor: dispatches to its commands. */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/nearest.h"

static const spor_command *const commands[] = {
    &spor_command_train,   &spor_command_sweep,  &spor_command_eval,
    &spor_command_predict, &spor_command_verify, &spor_command_show,
    &spor_command_ops,     &spor_command_bench,  &spor_command_data,
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
    const char *names[COMMANDS];
    for (int k = 0; k < COMMANDS; k++) names[k] = commands[k]->name;
    const char *near = nearest_name(name, COMMANDS, names);
    fprintf(stderr, "spor: there is no command %s", name);
    if (near) fprintf(stderr, "; did you mean %s?", near);
    fputs("\nspor --help lists the commands.\n", stderr);
    return SPOR_EXIT_BAD;
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) return help(stderr), SPOR_EXIT_BAD;
    const char *name = argv[1];
    if (!strcmp(name, "--version")) return printf("spor %s\n", spor_version()), SPOR_EXIT_DONE;
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
        return help(stdout), SPOR_EXIT_DONE;
    for (int k = 0; k < COMMANDS; k++)
        if (!strcmp(name, commands[k]->name)) return commands[k]->run(argc - 1, argv + 1);
    return unknown(name);
}

int main(int argc, char **argv) {
    int status = dispatch(argc, argv);
    errno = 0;
    if ((fflush(stdout) || ferror(stdout)) && status != SPOR_EXIT_BAD) {
        fprintf(stderr, "spor: standard output: %s\n", errno ? strerror(errno) : "write error");
        return SPOR_EXIT_BAD;
    }
    return status;
}
