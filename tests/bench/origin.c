/* Where figures come from: machine, compiler, commit. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <spor/spor.h>

/* ---- asking programs ---- */

/* The child: argument's output goes into the pipe. */
static void become(const char *const argument[], bool quiet, const int ends[2]) {
    int nowhere = quiet ? open("/dev/null", O_WRONLY) : -1;
    if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    char *copy[16] = {NULL};
    for (int k = 0; k < 15 && argument[k]; k++) copy[k] = strdup(argument[k]);
    execvp(copy[0], copy);
    _exit(127);
}

int origin_ask(const char *const argument[], bool quiet, char *text, size_t size) {
    int ends[2], status = -1;
    text[0] = 0;
    if (pipe(ends)) return -1;
    fflush(NULL);
    pid_t child = fork();
    if (!child) become(argument, quiet, ends);
    close(ends[1]);
    size_t used = 0;
    for (ssize_t got = 1; child > 0 && got > 0 && used<size; used += got> 0 ? (size_t)got : 0)
        got = read(ends[0], text + used, size - used);
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child || used >= size) {
        text[0] = 0;
        return -1;
    }
    text[used] = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

/* ---- the columns ---- */

/* Copies the text up to its first line's end; what would break a table becomes a blank. */
static void copy_plain(char *to, size_t size, const char *text) {
    size_t length = strcspn(text, "\r\n");
    snprintf(to, size, "%.*s", (int)length, text);
    for (char *at = to; *at; at++)
        if (*at == '\t') *at = ' ';
    if (!*to) snprintf(to, size, "unknown");
}

void origin_commit(const char *source, char *commit, size_t size) {
    static const char history[] = ":(exclude)tests/bench/history.tsv";
    char above[4096], id[256], changes[1 << 16];
    /* a repository that merely contains the folder is not asked */
    snprintf(above, sizeof above, "%s/..", source);
    char *ceiling = realpath(above, NULL);
    if (ceiling) setenv("GIT_CEILING_DIRECTORIES", ceiling, 1);
    free(ceiling);
    bool known =
        !origin_ask((const char *[]){"git", "-C", source, "rev-parse", "--short", "HEAD", NULL},
                    true, id, sizeof id);
    copy_plain(commit, size, known ? id : "");
    if (!known) return;
    int status = origin_ask((const char *[]){"git", "-C", source, "status", "--porcelain",
                                             "--untracked-files=no", "--", ".", history, NULL},
                            true, changes, sizeof changes);
    if (status || *changes) strncat(commit, "-dirty", size - strlen(commit) - 1);
}

static void find_machine(char *machine, size_t size) {
    char line[512];
    struct utsname system;
    FILE *file = fopen("/proc/cpuinfo", "r");
    copy_plain(machine, size, uname(&system) < 0 ? "" : system.machine);
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) || !colon) continue;
        copy_plain(machine, size, colon + 1 + strspn(colon + 1, " "));
        break;
    }
    if (file) fclose(file);
}

/* The instruction set of a program that is compiled here. */
static void find_isa(char *isa, size_t size) {
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(1));
    spor_program *program = spor_compile(tape, 1, &x, NULL, NULL);
    copy_plain(isa, size, spor_program_error(program) ? "" : spor_program_isa(program));
    spor_program_free(program);
    spor_tape_free(tape);
}

void origin_find(const char *source, bench_origin *origin) {
    time_t now = time(NULL);
    strftime(origin->date, sizeof origin->date, "%Y-%m-%d %H:%M", gmtime(&now));
    find_machine(origin->machine, sizeof origin->machine);
    copy_plain(origin->compiler, sizeof origin->compiler, SPOR_COMPILER);
    origin_commit(source, origin->commit, sizeof origin->commit);
    find_isa(origin->isa, sizeof origin->isa);
    origin->cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
}
