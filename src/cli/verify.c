/* spor verify: do the derivations and claims of scripts hold, and do networks compute them? */
#include "cli/verify.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run/run.h"

enum { MOST_OPERANDS = 64, PATH_SIZE = 4096 };

/* ---- one statement ---- */

/* An error while the formula was evaluated, and nothing else: no verdict on numbers. */
static bool is_broken(const spor_verdict *found) {
    const spor_counterexample *e = &found->example;
    return found->outcome == SPOR_FAILS && e->dispute == SPOR_DOES_NOT_RECORD && !e->misfit &&
           !e->others;
}

static spor_row_state state_of(const spor_script_claim *claim, const spor_verdict *found) {
    if (found->outcome == SPOR_NOTHING_EXAMINED) return SPOR_ROW_UNFINISHED;
    bool failed = found->outcome == SPOR_FAILS;
    if (claim->fails) return failed ? SPOR_ROW_EXPECTED : SPOR_ROW_WRONG;
    if (failed) return is_broken(found) ? SPOR_ROW_BROKEN : SPOR_ROW_WRONG;
    return claim->unproved ? SPOR_ROW_UNFINISHED : SPOR_ROW_HOLDS;
}

static const char *verdict_of(const spor_script_claim *claim, const spor_verdict *found) {
    switch (state_of(claim, found)) {
    case SPOR_ROW_HOLDS:
        return "holds";
    case SPOR_ROW_EXPECTED:
        return "fails as stated";
    case SPOR_ROW_WRONG:
        return claim->fails ? "HOLDS" : found->ties_only ? "WRONG AT TIES" : "DOES NOT HOLD";
    case SPOR_ROW_BROKEN:
        return "NOT EVALUATED";
    default:
        return "UNFINISHED";
    }
}

/* What a statement that is not decided lacks, or that it holds against what it says. */
static void complain_of(const spor_script_claim *claim, const spor_verdict *found, char *text,
                        size_t size) {
    *text = 0;
    if (claim->unproved && found->outcome != SPOR_FAILS)
        snprintf(text, size, "still to be filled in: %s",
                 claim->unproved_what ? claim->unproved_what : "...");
    else if (found->outcome == SPOR_NOTHING_EXAMINED && *found->unjudged)
        snprintf(text, size,
                 "no element of %s could be judged: %" PRId64 " undecided, %" PRId64
                 " outside the domain%s",
                 found->unjudged, found->undecided, found->outside,
                 found->outside ? "; say where it is defined: p[N] in 0.5..2.0" : "");
    else if (found->outcome == SPOR_NOTHING_EXAMINED && found->comparisons)
        snprintf(text, size, "all that was judged is 0 on both sides");
    else if (found->outcome == SPOR_NOTHING_EXAMINED)
        snprintf(text, size, "nothing was examined%s%.*s", *claim->refusal ? ": " : "",
                 (int)strcspn(claim->refusal, "\n"), claim->refusal);
    else if (claim->fails && found->outcome == SPOR_HOLDS)
        snprintf(text, size, "it is said to fail; take `fails` away");
}

static bool is_reserved(const spor_script_claim *claim, const spor_verdict *found) {
    return state_of(claim, found) == SPOR_ROW_HOLDS && found->unmet;
}

/* One statement is too large; the others are still judged. */
static void complain_of_memory(spor_verification *v, const char *label, const char *place,
                               const spor_verdict *found) {
    char error[PATH_SIZE + 1024];
    const char *message = *found->example.message ? found->example.message : "out of memory";
    snprintf(error, sizeof error, "%s: %s: %s", place, label, message);
    verify_refuse(v, label, error);
}

/* Shows what was found; false if memory runs out. */
static bool show_claim(spor_verification *v, const spor_judged *judged) {
    const spor_script_claim *claim = judged->claim;
    const spor_verdict *found = judged->found;
    char place[PATH_SIZE], complaint[640], label[160];
    snprintf(place, sizeof place, "%s:%d:%d", claim->file, claim->line, claim->column);
    snprintf(label, sizeof label, "%s", claim->label ? claim->label : claim->statement->name);
    if (!judged->finished) {
        complain_of_memory(v, label, place, found);
        return true;
    }
    complain_of(claim, found, complaint, sizeof complaint);
    char *summary = verify_summary(v, claim->statement, found);
    char *detail = verify_detail(v, claim, found, label, place);
    verify_show(v, &(spor_verify_row){.state = state_of(claim, found),
                                      .label = label,
                                      .verdict = verdict_of(claim, found),
                                      .summary = *complaint ? complaint : summary,
                                      .detail = detail,
                                      .kind = claim->def ? "derive" : "claim",
                                      .place = place,
                                      .statement = claim->statement,
                                      .reserved = is_reserved(claim, found),
                                      .found = found});
    bool done = summary && detail;
    free(summary);
    free(detail);
    return done;
}

/* ---- one script ---- */

static bool is_asked_for(const spor_verification *v, const spor_script_claim *claim, bool own) {
    const char *only = v->given->only;
    if (own && strcmp(claim->file, v->path) != 0) return false; /* the included file shows it */
    if (!only) return true;
    return (claim->label && !strcmp(claim->label, only)) ||
           (claim->def && !strcmp(claim->def, only)) || !strcmp(claim->statement->name, only);
}

/* own: leaves out what included files state. */
static bool verify_claims(spor_verification *v, spor_workpiece *piece, bool own) {
    int count = claims_count(piece->script), asked = 0;
    int *number = calloc((size_t)count + 1, sizeof *number);
    for (int k = 0; number && k < count; k++)
        if (is_asked_for(v, claims_at(piece->script, k), own)) number[asked++] = k;
    spor_jury *jury = number ? verify_judge(v, piece, asked, number) : NULL;
    bool done = jury;
    for (int k = 0; done && k < asked; k++) done = show_claim(v, verify_judged(jury, k));
    verify_dismiss(jury);
    free(number);
    return done;
}

static bool verify_script(spor_verification *v, spor_workpiece *piece, bool own) {
    if (v->given->emit || v->given->exec) return verify_probes(v, piece);
    if (v->given->call) return verify_call(v, piece);
    if (!verify_claims(v, piece, own)) {
        command_fail(&spor_command_verify, "out of memory");
        return false;
    }
    if (script_declaration(piece->script) && !v->given->only) verify_network(v, piece);
    return true;
}

static void verify_path(spor_verification *v, const char *path, bool own) {
    spor_workpiece piece = {0};
    verify_file(v, path);
    const char *error = workpiece_read(&piece, &spor_command_verify, path, &v->given->settings);
    if (error)
        verify_unreadable(v, "script", error);
    else if (!workpiece_choose_data(&piece, v->given->data) || !verify_script(v, &piece, own))
        v->broken = true;
    workpiece_close(&piece);
}

/* ---- folders ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_script(const char *name) {
    size_t length = strlen(name);
    return *name != '.' && length > 5 && !strcmp(name + length - 5, ".spor");
}

/* The scripts of a folder; their number, -1 with errno. */
static int list_folder(const char *folder, char ***names) {
    DIR *dir = opendir(folder);
    int count = 0;
    *names = NULL;
    for (struct dirent *entry; dir && count >= 0 && (entry = readdir(dir));) {
        if (!is_script(entry->d_name)) continue;
        size_t size = strlen(folder) + strlen(entry->d_name) + 2;
        char **grown = realloc(*names, (size_t)(count + 1) * sizeof *grown);
        if (grown) *names = grown;
        char *path = grown ? malloc(size) : NULL;
        if (path) snprintf(path, size, "%s/%s", folder, entry->d_name);
        if (path) grown[count] = path;
        count = path ? count + 1 : -1;
    }
    int trouble = errno;
    if (dir) closedir(dir);
    errno = trouble;
    if (!dir) count = -1;
    if (count > 0) qsort(*names, (size_t)count, sizeof **names, by_name);
    return count;
}

static void verify_folder(spor_verification *v, const char *folder) {
    char trimmed[PATH_SIZE], **names;
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') length--;
    snprintf(trimmed, sizeof trimmed, "%.*s", (int)length, folder);
    int count = list_folder(trimmed, &names);
    if (count < 0) {
        char error[PATH_SIZE + 256];
        snprintf(error, sizeof error, "%s: cannot be read: %s", trimmed, strerror(errno));
        verify_file(v, trimmed);
        verify_unreadable(v, "folder", error);
    }
    if (!count) fprintf(stderr, "spor verify: %s has no scripts (*.spor)\n", folder);
    for (int k = 0; k < count; k++) {
        verify_path(v, names[k], true);
        free(names[k]);
    }
    free(names);
}

/* ---- the command ---- */

static bool is_folder(const char *path) {
    struct stat status;
    return !stat(path, &status) && S_ISDIR(status.st_mode);
}

/* What does not go together; NULL: nothing. */
static const char *complaint(const spor_verify_given *given, const char *const operand[]) {
    bool arrays =
        given->arrays || given->in.count || given->against.count || given->emit || given->exec;
    if (!given->call && arrays) return "arrays are of which def? --call DEF";
    if (given->github && given->json)
        return "--json prints one object and nothing else: --github can't be given with it";
    if (given->call && operand[1])
        return "--call takes one script; arrays are given as NAME=FILE.npy";
    return NULL;
}

static spor_hint hint_of(const char *name) {
    if (name && !strcmp(name, "none")) return SPOR_HINT_NONE;
    return name && !strcmp(name, "pattern") ? SPOR_HINT_PATTERN : SPOR_HINT_FULL;
}

static int verify(spor_verify_given *given, const char *const operand[]) {
    spor_verification v = {.given = given, .hint = hint_of(given->hint_name)};
    char weights[RUN_PATH];
    const char *wrong = complaint(given, operand);
    if (wrong) return command_fail(&spor_command_verify, "%s", wrong);
    if (given->weights) given->weights = folder_weights(given->weights, weights);
    verify_begin(&v);
    for (int k = 0; k < MOST_OPERANDS && operand[k]; k++) {
        if (is_folder(operand[k]))
            verify_folder(&v, operand[k]);
        else
            verify_path(&v, operand[k], false);
    }
    if (given->only && !v.report.count)
        fprintf(stderr,
                "spor verify: no statement has the label or is the def %s; without --only all are "
                "shown with theirs\n",
                given->only);
    return verify_end(&v);
}

/* The table of what can be given. */
static int read_given(spor_verify_given *given, const char *operand[], int argc, char **argv) {
    const spor_option options[] = {
        {"only", "LABEL", "this statement alone, by its label or its def", SPOR_OPTION_TEXT,
         &given->only, 0, NULL},
        {"threads", "N",
         "that judge statements of a script, or layers, side by side (default: the cores)",
         SPOR_OPTION_INTEGER, &given->threads, 1, NULL},
        {"seed", "N", "of shapes and data (default 0)", SPOR_OPTION_INTEGER, &given->seed, 0, NULL},
        {"shapes", "N", "examine at most N shapes a statement (default 300)", SPOR_OPTION_INTEGER,
         &given->shapes, 1, NULL},
        {"hint", "HOW", "of what is wrong tell: none, pattern or full (default)", SPOR_OPTION_TEXT,
         &given->hint_name, 0, "none pattern full"},
        {"json", NULL, "print one JSON object and nothing else", SPOR_OPTION_FLAG, &given->json, 0,
         NULL},
        {"html", "FILE", "write a page too", SPOR_OPTION_TEXT, &given->html, 0, NULL},
        {"junit", "FILE", "write JUnit XML too, for what gathers test results", SPOR_OPTION_TEXT,
         &given->junit, 0, NULL},
        {"github", NULL, "print a line for each fault too, which GitHub shows at its place",
         SPOR_OPTION_FLAG, &given->github, 0, NULL},
        {"strict", NULL, "exit with 1 also if something holds with a reservation only",
         SPOR_OPTION_FLAG, &given->strict, 0, NULL},
        {"ties", "HOW", "spor: at ties and kinks what spor chooses is binding", SPOR_OPTION_TEXT,
         &given->ties, 0, "spor"},
        {"quiet", NULL, "print what is wrong and the tally", SPOR_OPTION_FLAG, &given->quiet, 0,
         NULL},
        {"set", "NAME=VALUE", "another value for a name of the script; may be repeated",
         SPOR_OPTION_SETTING, &given->settings, 0, NULL},
        {"data", "NAME:FOLDER", "verify the network on other data, as of spor train",
         SPOR_OPTION_TEXT, &given->data, 0, NULL},
        {"weights", "RUN", "verify the network at the weights of this run's folder, or of a file",
         SPOR_OPTION_TEXT, &given->weights, 0, NULL},
        {"call", "DEF", "judge arrays that other code computed for this def", SPOR_OPTION_TEXT,
         &given->call, 0, NULL},
        {"in", "NAME=FILE", "an operand of the def, or d and the name of its result, as .npy",
         SPOR_OPTION_SETTING, &given->in, 0, NULL},
        {"against", "dX=FILE", "a gradient, or a result, as other code computed it, as .npy",
         SPOR_OPTION_SETTING, &given->against, 0, NULL},
        {"arrays", "FILE",
         "all of them by name: .safetensors or .npz; every dX and result is judged",
         SPOR_OPTION_TEXT, &given->arrays, 0, NULL},
        {"before", "dX=FILE",
         "what was there before code added its dX to it: a file, a name of --arrays, or the name "
         "of an array of probes",
         SPOR_OPTION_SETTING, &given->before, 0, NULL},
        {"integers", "TYPE", "whole numbers of probes: int64 (default) or int32", SPOR_OPTION_TEXT,
         &given->whole, 0, "int64 int32"},
        {"emit", "DIR", "write probes of the def: inputs that decide", SPOR_OPTION_TEXT,
         &given->emit, 0, NULL},
        {"exec", "COMMAND", "run a command on the probes, in folders {in} and {out}, and judge it",
         SPOR_OPTION_TEXT, &given->exec, 0, NULL},
        {"block", "N", "sizes of blocks in that code, 64 or 32,128: sizes around are probed",
         SPOR_OPTION_TEXT, &given->blocks, 0, NULL},
        {"timeout", "S", "seconds that a run of it may take (default 60)", SPOR_OPTION_INTEGER,
         &given->timeout, 1, NULL},
        {"ulps", "N", "of arrays: what is within N units in the last place is right",
         SPOR_OPTION_REAL, &given->ulps, 0, NULL},
        {"rtol", "R",
         "of arrays: what is within this share of the value, or of its array, is right",
         SPOR_OPTION_REAL, &given->rtol, 0, NULL},
        {0},
    };
    return options_read(&spor_command_verify, options, 1, MOST_OPERANDS, operand, argc, argv);
}

static int run(int argc, char **argv) {
    spor_verify_given *given = calloc(1, sizeof *given);
    const char *operand[MOST_OPERANDS];
    if (!given) return command_fail(&spor_command_verify, "out of memory");
    given->timeout = 60;
    int status = read_given(given, operand, argc, argv);
    if (status == SPOR_EXIT_NOT_YET) status = verify(given, operand);
    free(given);
    return status;
}

const spor_command spor_command_verify = {
    .name = "verify",
    .operands = "SCRIPT...",
    .summary = "Says whether derivations, claims, networks and arrays hold.",
    .help =
        "Each derive and claim of the scripts, or of all in a folder, is examined on shapes from\n"
        "the smallest on, against the tape's own gradients and complex steps; what fails is made\n"
        "small and shown with both values and what the mistake looks like. `fails` in a script "
        "turns\n"
        "its verdict round.\n"
        "A script that trains has its network verified: each layer's fast path against the tape,\n"
        "the tape against complex steps, and the rules of training.\n"
        "Gradients that other code computed are judged for a def, --call: arrays of files, by "
        "name, or\n"
        "what a command writes that --exec runs on probes. {in} is a folder with the inputs as "
        "NAME.npy,\n"
        "arrays.npz and arrays.safetensors; in {out} dNAME.npy are to be overwritten, or, with "
        "--before\n"
        "dNAME=OLD, have what is to be added to, which {in} has as OLD.npy.\n"
        "Arrays are right within what rounding does in the definition itself, wrong "
        "beyond\n"
        "what it can do at worst, and unfinished between: --ulps or --rtol settles that.\n"
        "Exit status: 0 all as stated, 1 something is wrong, unfinished or not examined, 2 bad "
        "input:\n"
        "a file that can't be read, while the others are still judged.\n"
        "\n"
        "Examples\n"
        "  spor verify models/report                       every equation of the report\n"
        "  spor verify models/report --html report.html    and a page of it\n"
        "  spor verify models --junit report.xml           and a file for a CI server\n"
        "  spor verify mine.spor --only \"Eq. 49\" --seed 7\n"
        "  spor verify models/convnet1_3.spor --weights runs/convnet1_3/weights.safetensors\n"
        "  spor verify models/lenet2.spor --data svhn:downloads\n"
        "  spor verify exercise.spor --hint none           right or wrong, nothing else\n"
        "  spor verify conv.spor --call layer --in A=A.npy K=K.npy dY=d.npy --against "
        "dK=mine.npy\n"
        "  spor verify ln.spor --call layer_norm --arrays dump.safetensors    x, gamma, dY, dx, "
        "...\n"
        "  spor verify ln.spor --call layer_norm --arrays dump.npz --before dgamma=old.npy\n"
        "  spor verify ln.spor --call layer_norm --block 64 --emit probes     and probes.txt\n"
        "  spor verify ln.spor --call layer_norm --block 64 \\\n"
        "      --exec \"python3 kernel.py {in} {out}\" --github --html kernel.html\n"
        "  spor verify rows.spor --call embedding --before dE=dE_before \\\n"
        "      --exec \"./kernel {in} {out}\" --integers int32\n",
    .run = run,
};
