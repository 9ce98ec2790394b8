/*
 * The processes of a sweep: each trial is a `spor train` of its own, so that one that dies takes none with
 * it. What became of a trial is read from its folder, never from its process, so that it does not matter
 * who ran it.
 */
#include "cli/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/checksum.h"

extern char **environ;

static const char self[] = "/proc/self/exe";

void engine_program(char path[RUN_PATH]) {
    struct stat running, named;
    char name[RUN_PATH];
    ssize_t length = readlink(self, name, sizeof name - 1);
    name[length > 0 ? length : 0] = 0;
    bool same = !stat(self, &running) && !stat(name, &named) && running.st_dev == named.st_dev &&
                running.st_ino == named.st_ino;
    strcpy(path, same ? name : self); /* another file took its name: this one still runs */
}

/* ---- processes ------------------------------------------------------------------------------ */

enum { MOST_JOBS = 1024 };

typedef struct {
    pid_t process;
    int64_t trial;
    FILE *said; /* what it tells on its standard error; NULL: nobody listens */
} job;

typedef enum { WAITS, RUNS, OVER } phase;

typedef struct {
    const sweep_space *space;
    int64_t count;
    const int64_t *trial;
    sweep_trial *result; /* [trials of the space] */
    phase *phase;        /* [trials of the space] */
    int jobs, running;
    job job[MOST_JOBS];
    int64_t over;
    int lock; /* the file in which trials are claimed */
    sigset_t awaited;
    int stops;      /* how often it was asked to stop */
    double stop_at; /* when that is handed on to the trainings */
    bool handed_on;
    bool told_wait;
} engine;

/* ---- claims --------------------------------------------------------------------------------- */

/* A byte of the lock file stands for each trial by its name: it is locked by whoever works at the trial, and
 * free again when that process ends, however it ends. Where a file system knows no locks, all is free. */
static bool lock_byte(const engine *e, int64_t trial, short type) {
    char name[SWEEP_NAME];
    space_trial_name(e->space, trial, name);
    uint64_t at = checksum_add(0, name, strlen(name)) >> 2;
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)at, .l_len = 1};
    return fcntl(e->lock, F_SETLK, &lock) != -1 || (errno != EAGAIN && errno != EACCES);
}

/* True if a training writes there: that of a sweep which was killed, or of a user. */
static bool is_being_trained(const engine *e, int64_t trial) {
    char path[RUN_PATH];
    int folder =
        open(space_trial_file(e->space, trial, "", path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool taken = folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    if (folder >= 0) close(folder);
    return taken;
}

/* ---- telling -------------------------------------------------------------------------------- */

/*  3/20  hidden=10 rate=0.01 seed=2  validation accuracy 0.9375, loss 0.2088 */
static void tell(engine *e, int64_t trial, const char *who) {
    const sweep_space *s = e->space;
    const sweep_trial *t = &e->result[trial];
    char text[400];
    int digits = snprintf(NULL, 0, "%lld", (long long)e->count);
    e->over++;
    if (s->given->quiet) return;
    space_setting_text(s, trial / s->seeds, text, sizeof text);
    printf("%*lld/%lld  %s%sseed=%lld  %s", digits, (long long)e->over, (long long)e->count, text,
           *text ? " " : "", (long long)s->seed[trial % s->seeds], who);
    if (t->state == TRIAL_FINISHED)
        display_validation(t->summary.metric, &t->summary.validation);
    else
        printf("%s: %s\n", sweep_trial_state_text(t->state), t->summary.failure);
    display_flush();
}

static void settle(engine *e, int64_t trial, const char *who) {
    e->phase[trial] = OVER;
    lock_byte(e, trial, F_UNLCK);
    tell(e, trial, who);
}

static void fail(engine *e, int64_t trial, const char *why) {
    sweep_trial *t = &e->result[trial];
    t->state = TRIAL_FAILED;
    snprintf(t->summary.failure, sizeof t->summary.failure, "%s", why);
    t->summary.failure[strcspn(t->summary.failure, "\n")] = 0;
    sweep_trial_keep_failure(e->space, trial, t->summary.failure);
    settle(e, trial, "");
}

/* ---- starting ------------------------------------------------------------------------------- */

/* A process with a group of its own, which ^C at the terminal leaves alone: the sweep hands it on. */
static int spawn(char *const word[], FILE *said, pid_t *process) {
    char program[RUN_PATH];
    posix_spawnattr_t how;
    posix_spawn_file_actions_t files;
    sigset_t none;
    sigemptyset(&none);
    engine_program(program);
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (said)
        posix_spawn_file_actions_adddup2(&files, fileno(said), STDERR_FILENO);
    else
        posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int trouble = posix_spawn(process, program, &files, &how, word, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    return trouble;
}

static void start(engine *e, int64_t trial) {
    sweep_words words;
    job *j = &e->job[e->running];
    *j = (job){.trial = trial, .said = tmpfile()};
    if (j->said) fcntl(fileno(j->said), F_SETFD, FD_CLOEXEC);
    sweep_trial_words(e->space, trial, &e->result[trial], &words);
    sweep_trial_forget(e->space, trial, &e->result[trial]);
    char program[] = "spor", *argv[SWEEP_WORDS + 2] = {program};
    memcpy(argv + 1, words.word, (size_t)(words.count + 1) * sizeof *argv);
    int trouble = words.failed ? ENOMEM : spawn(argv, j->said, &j->process);
    words_free(&words);
    e->result[trial].stale = false;
    e->phase[trial] = RUNS;
    if (!trouble) {
        e->running++;
        return;
    }
    if (j->said) fclose(j->said);
    bool later = (trouble == EAGAIN || trouble == ENOMEM) && e->running; /* when one has ended */
    if (later) {
        e->phase[trial] = WAITS;
        lock_byte(e, trial, F_UNLCK);
    } else {
        fail(e, trial, strerror(trouble));
    }
}

/* True if a trial was started, or found done by somebody else. */
static bool take_up(engine *e, int64_t trial) {
    if (!lock_byte(e, trial, F_WRLCK)) return false;
    if (is_being_trained(e, trial)) return lock_byte(e, trial, F_UNLCK), false;
    bool stale = e->result[trial].stale;
    sweep_trial_examine(e->space, trial, &e->result[trial]);
    if (!stale && e->result[trial].state == TRIAL_FINISHED)
        settle(e, trial, "trained elsewhere: ");
    else
        start(e, trial);
    return true;
}

/* Starts what there is room for; false if what is left is being trained elsewhere. */
static bool start_all(engine *e) {
    bool all = true;
    for (int64_t k = 0; k < e->count && e->running < e->jobs; k++)
        if (e->phase[e->trial[k]] == WAITS) all = take_up(e, e->trial[k]) && all;
    return all;
}

/* ---- ending --------------------------------------------------------------------------------- */

/* The first line of what a process told that is no warning. */
static void first_line(FILE *said, char line[400]) {
    char text[4096] = "";
    if (said) rewind(said);
    while (said && fgets(text, sizeof text, said) && strstr(text, "warning: ")) *text = 0;
    snprintf(line, 400, "%.*s", (int)strcspn(text, "\n"), text);
}

/* What a training was warned of. */
static void hand_on_warnings(FILE *said) {
    char text[4096];
    if (said) rewind(said);
    while (said && fgets(text, sizeof text, said))
        if (strstr(text, "warning: ")) fputs(text, stderr);
}

static void end_of(engine *e, const job *j, int status) {
    char why[400];
    sweep_trial *t = &e->result[j->trial];
    sweep_trial_examine(e->space, j->trial, t);
    first_line(j->said, why);
    /* of the first one, whichever ends first: the others are of the same script */
    if (t->state == TRIAL_FINISHED && j->trial == e->trial[0]) hand_on_warnings(j->said);
    if (t->state == TRIAL_FINISHED || *t->summary.failure)
        settle(e, j->trial, "");
    else if (e->stops || is_being_trained(e, j->trial)) {
        e->phase[j->trial] = WAITS;
        lock_byte(e, j->trial, F_UNLCK);
    } else {
        if (WIFSIGNALED(status))
            snprintf(why, sizeof why, "killed by signal %d: %s%s", WTERMSIG(status),
                     strsignal(WTERMSIG(status)),
                     WTERMSIG(status) == SIGKILL ? ", as where memory runs out" : "");
        else if (!*why)
            snprintf(why, sizeof why, "ended with status %d", WEXITSTATUS(status));
        fail(e, j->trial, why);
    }
}

static void reap(engine *e) {
    int status;
    for (int k = 0; k < e->running;) {
        job *j = &e->job[k];
        if (waitpid(j->process, &status, WNOHANG) != j->process) {
            k++;
            continue;
        }
        end_of(e, j, status);
        if (j->said) fclose(j->said);
        *j = e->job[--e->running];
    }
}

/* They write a checkpoint and end; asked twice, they end at once. */
static void stop_all(engine *e) {
    e->handed_on = true;
    for (int k = 0; k < e->running; k++) kill(e->job[k].process, SIGTERM);
}

/* ---- signals -------------------------------------------------------------------------------- */

static void nothing(int number) {
    (void)number;
}

/* Signals are waited for, not caught in the middle of something; what was to be ignored stays so. */
static void await_signals(engine *e) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = nothing}, before;
    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&e->awaited);
    sigaddset(&e->awaited, SIGCHLD);
    for (size_t k = 0; k < sizeof signals / sizeof *signals; k++)
        if (!sigaction(signals[k], NULL, &before) && before.sa_handler != SIG_IGN)
            sigaddset(&e->awaited, signals[k]);
    sigprocmask(SIG_BLOCK, &e->awaited, NULL);
}

/* Until a process ends or somebody wants a stop, or a quarter of a second is over. A terminal asks the sweep alone;
 * a process may have asked the trainings as well, as clusters do: these have a moment to end by themselves. */
static void wait_signal(engine *e) {
    static const double moment = 1;
    struct timespec quarter = {.tv_nsec = 250000000};
    siginfo_t info;
    int number = sigtimedwait(&e->awaited, &info, &quarter);
    if (number > 0 && number != SIGCHLD) {
        bool by_process = info.si_code <= 0, first = !e->stops++;
        e->stop_at = display_seconds() + (by_process && first ? moment : 0);
        e->handed_on = false;
    }
    if (e->stops && !e->handed_on && display_seconds() >= e->stop_at) stop_all(e);
    reap(e);
}

/* ---- the engine ------------------------------------------------------------------------------ */

/* Leaves out what is finished; the table will tell of it. */
static void pass_over(engine *e) {
    for (int64_t k = 0; k < e->count; k++) {
        sweep_trial *t = &e->result[e->trial[k]];
        bool stale = t->stale;
        sweep_trial_examine(e->space, e->trial[k], t);
        if (stale || t->state != TRIAL_FINISHED) continue;
        e->phase[e->trial[k]] = OVER;
        e->over++;
    }
    if (!e->over || e->space->given->quiet) return;
    printf("%lld of %lld trials are finished already\n", (long long)e->over, (long long)e->count);
    display_flush();
}

static bool run_all(engine *e) {
    pass_over(e);
    while (e->running || (e->over < e->count && !e->stops)) {
        bool all = e->stops || start_all(e);
        if (!all && !e->running && !e->told_wait && !e->space->given->quiet) {
            fprintf(stderr, "spor sweep: waits for trials that are being trained elsewhere\n");
            e->told_wait = true;
        }
        if (e->running || !all) wait_signal(e);
    }
    return e->over == e->count;
}

bool engine_run(const sweep_space *s, int64_t count, const int64_t trial[], int jobs,
                sweep_trial result[]) {
    char path[RUN_PATH];
    engine *e = calloc(1, sizeof *e);
    phase *phases = calloc((size_t)s->trials, sizeof *phases);
    snprintf(path, sizeof path, "%s/.lock", s->folder);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    bool done = e && phases && lock >= 0;
    if (done) {
        *e = (engine){.space = s, .count = count, .trial = trial, .result = result};
        e->phase = phases, e->lock = lock;
        e->jobs = jobs < MOST_JOBS ? jobs : MOST_JOBS;
        await_signals(e);
        done = run_all(e);
    } else {
        command_fail(&spor_command_sweep, "%s: %s", path, lock < 0 ? strerror(errno) : "no memory");
    }
    if (lock >= 0) close(lock);
    free(phases);
    free(e);
    return done;
}
