#include "cli/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

extern char **environ;

/* ---- signals ---- */

static void nothing(int number) {
    (void)number;
}

/* What was to be ignored stays so. */
void outside_begin(outside *o) {
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = nothing}, was;
    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, &o->child);
    sigemptyset(&o->awaited);
    sigaddset(&o->awaited, SIGCHLD);
    for (size_t k = 0; k < sizeof stops / sizeof *stops; k++)
        if (!sigaction(stops[k], NULL, &was) && was.sa_handler != SIG_IGN)
            sigaddset(&o->awaited, stops[k]);
    sigprocmask(SIG_BLOCK, &o->awaited, &o->before);
}

void outside_end_all(outside *o) {
    sigprocmask(SIG_SETMASK, &o->before, NULL);
    sigaction(SIGCHLD, &o->child, NULL);
}

/* ---- a process ---- */

static int spawn(const char *command, FILE *said, pid_t *process) {
    char shell[] = "/bin/sh", option[] = "-c";
    char *const word[] = {shell, option, (char *)(size_t)command, NULL};
    posix_spawnattr_t how;
    posix_spawn_file_actions_t files;
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGXFSZ); /* which main ignores */
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigdefault(&how, &usual);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, fileno(said), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, fileno(said), STDERR_FILENO);
    int trouble = posix_spawn(process, shell, &files, &how, word, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    return trouble;
}

/* Waits until it ends, its time is over or a stop is asked for. */
static outside_end await(const outside *o, pid_t process, double until, int *status) {
    for (;;) {
        if (waitpid(process, status, WNOHANG) == process) return OUTSIDE_DONE;
        double left = until - display_seconds();
        if (left <= 0) return OUTSIDE_TOO_LONG;
        struct timespec moment = {.tv_nsec = left < 0.25 ? (long)(left * 1e9) : 250000000};
        siginfo_t info;
        int number = sigtimedwait(&o->awaited, &info, &moment);
        if (number > 0 && number != SIGCHLD) return OUTSIDE_STOPPED;
    }
}

/* Asked to end; it has a moment for that. */
static void stop(const outside *o, pid_t process, int *status) {
    kill(-process, SIGTERM);
    if (await(o, process, display_seconds() + 1, status) == OUTSIDE_DONE) return;
    kill(-process, SIGKILL);
    while (waitpid(process, status, 0) < 0 && errno == EINTR) continue;
}

/* ---- what it said ---- */

/* The last lines, as many as there is room for. */
static void read_end(FILE *said, char text[OUTSIDE_SAID]) {
    long length = fseek(said, 0, SEEK_END) ? 0 : ftell(said);
    long from = length < OUTSIDE_SAID ? 0 : length - OUTSIDE_SAID + 1;
    size_t got = fseek(said, from, SEEK_SET) ? 0 : fread(text, 1, OUTSIDE_SAID - 1, said);
    text[got] = 0;
    for (size_t k = 0; k < got; k++)
        if (!text[k]) text[k] = ' ';
    char *line = from ? strchr(text, '\n') : NULL;
    if (line) memmove(text, line + 1, strlen(line + 1) + 1);
}

static void tell_end(int status, outside_result *r) {
    if (r->end == OUTSIDE_DONE && status) r->end = OUTSIDE_FAILED;
    if (WIFSIGNALED(status))
        snprintf(r->how, sizeof r->how, "was killed by signal %d: %s", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(r->how, sizeof r->how, "ended with status %d", WEXITSTATUS(status));
}

void outside_run(const outside *o, const char *command, double seconds, outside_result *r) {
    pid_t process = 0;
    int status = 0;
    FILE *said = tmpfile();
    *r = (outside_result){.end = OUTSIDE_NOT_STARTED};
    int trouble = said ? 0 : errno;
    if (said) fcntl(fileno(said), F_SETFD, FD_CLOEXEC);
    if (said) trouble = spawn(command, said, &process);
    if (trouble) {
        snprintf(r->how, sizeof r->how, "could not be started: %s", strerror(trouble));
    } else {
        r->end = await(o, process, display_seconds() + seconds, &status);
        if (r->end != OUTSIDE_DONE) stop(o, process, &status);
        kill(-process, SIGKILL); /* what it left behind */
        tell_end(status, r);
        if (r->end == OUTSIDE_TOO_LONG)
            snprintf(r->how, sizeof r->how, "was not done after %g seconds", seconds);
        read_end(said, r->said);
    }
    if (said) fclose(said);
}

bool outside_quote(const char *word, char *text, size_t size) {
    size_t used = strlen(text);
    if (used + 3 > size) return false;
    text[used++] = '\'';
    for (; *word && used + 6 < size; word++) {
        if (*word == '\'') {
            memcpy(text + used, "'\\''", 4);
            used += 4;
        } else {
            text[used++] = *word;
        }
    }
    text[used++] = '\'';
    text[used] = 0;
    return !*word;
}
