/*
 * How often is the verifier wrong? The derivations of models/derivations are right; each is changed
 * in one place, in many ways, and what numbers show to be wrong must be told wrong, what is right
 * must hold. SPOR_MUTANTS_EVERY=k looks at every k-th mutant.
 */
#include "../suite.h"
#include "mutants.h"

#include <dirent.h>
#include <spor/verify.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOW
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SLOW
#endif

#if defined(SLOW)
enum { EVERY = 20 };
#elif !defined(__OPTIMIZE__)
enum { EVERY = 5 };
#else
enum { EVERY = 1 };
#endif

enum { OF_A_KIND = 8, SHAPES = 100, LEAST_POINTS = 8 };
enum { MOST_FILES = 64, PATH_SIZE = 1400, TIMEOUT = 300 };

/* ---- counting ---- */

/** What became of mutants: of a script, of a kind, of all. */
typedef struct {
    int derivations, made, judged[TRUTH_JUDGEMENTS];
    int told, held, undecided; /* of those that are wrong */
    int hinted, named; /* of those told wrong: with a hint, with one that names the change */
    int misled;        /* of those told wrong: the pair that is named is right */
    int accused;       /* of those that give the same numbers */
} tally;

/** All that is looked at. */
typedef struct {
    int every, seen;
    tally all, kind[MUTANT_KINDS];
    int right, holding, accused, unfinished; /* the derivations themselves */
    int unsure;                              /* that differences contradict, or at few points */
    FILE *list;
} census;

static void add_tally(tally *sum, const tally *t) {
    sum->derivations += t->derivations;
    sum->made += t->made;
    for (int k = 0; k < TRUTH_JUDGEMENTS; k++) sum->judged[k] += t->judged[k];
    sum->told += t->told;
    sum->held += t->held;
    sum->undecided += t->undecided;
    sum->hinted += t->hinted;
    sum->named += t->named;
    sum->misled += t->misled;
    sum->accused += t->accused;
}

static void print_head(const char *what) {
    printf("%-22s %6s %7s %9s | %5s %7s | %7s | %5s %5s %5s %9s | %6s %5s %5s\n", what, "layers",
           "mutants", "no record", "same", "accused", "unclear", "wrong", "told", "hold",
           "undecided", "misled", "hints", "named");
}

static void print_tally(const char *name, const tally *t) {
    const int *j = t->judged;
    printf("%-22.22s %6d %7d %9d | %5d %7d | %7d | %5d %5d %5d %9d | %6d %5d %5d\n", name,
           t->derivations, t->made, j[TRUTH_NO_RECORD], j[TRUTH_EQUIVALENT], t->accused,
           j[TRUTH_UNCLEAR], j[TRUTH_WRONG], t->told, t->held, t->undecided, t->misled, t->hinted,
           t->named);
}

/* ---- one statement ---- */

static void verify(const spor_statement *statement, spor_verdict *verdict) {
    ck_assert(spor_verify(statement, &(spor_effort){.seed = 1, .shapes = SHAPES}, verdict));
}

/* Small letters only, as the words of hints are looked for. */
static void lower(char *text) {
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z') *text = (char)(*text - 'A' + 'a');
}

static void count_verdict(tally *t, int kind, spor_verdict *verdict) {
    bool told = verdict->outcome == SPOR_FAILS, held = verdict->outcome == SPOR_HOLDS;
    t->told += told;
    t->held += held;
    t->undecided += !told && !held;
    if (!told || !*verdict->example.pattern) return;
    lower(verdict->example.pattern);
    t->hinted++;
    t->named += mutant_is_named(kind, verdict->example.pattern);
}

static void list_mutant(const census *c, const mutation *change, const char *what) {
    char text[300] = "";
    mutation_print(change, text, sizeof text);
    fprintf(c->list, "  %-10s %-18s %s\n", what, mutant_kind(change->kind), text);
}

/* The example is of a line that is right, or of the tape, which is. */
static bool misleads(const truth_finding *found, const spor_verdict *verdict) {
    const spor_counterexample *e = &verdict->example;
    if (verdict->outcome != SPOR_FAILS || e->dispute == SPOR_DOES_NOT_RECORD) return false;
    return e->dispute == SPOR_TAPE_ORACLE || !truth_blames(found, e->pair_name);
}

static void verify_wrong(census *c, tally *t, const truth_finding *found,
                         const spor_asserted *derive, const mutation *change) {
    spor_verdict verdict;
    verify(&derive->statement, &verdict);
    count_verdict(t, change->kind, &verdict);
    t->misled = misleads(found, &verdict);
    if (t->misled) list_mutant(c, change, "misled");
    if (t->held) list_mutant(c, change, "HOLDS");
    if (t->undecided) list_mutant(c, change, "undecided");
}

/* Same numbers at all points that were tried: no proof, so that it is only told. */
static void verify_same(census *c, tally *t, const spor_asserted *derive, const mutation *change) {
    spor_verdict verdict;
    verify(&derive->statement, &verdict);
    t->accused = verdict.outcome == SPOR_FAILS;
    if (t->accused) list_mutant(c, change, "accused");
}

static void look_at(census *c, tally *script, const truth *right, const spor_asserted *derive,
                    const mutation *change) {
    tally one = {.made = 1};
    mutation_apply(change);
    truth_finding found;
    truth_judge(right, &derive->statement, &found);
    one.judged[found.judgement]++;
    if (found.judgement == TRUTH_WRONG) verify_wrong(c, &one, &found, derive, change);
    if (found.judgement == TRUTH_EQUIVALENT) verify_same(c, &one, derive, change);
    mutation_undo(change);
    add_tally(script, &one);
    add_tally(&c->kind[change->kind], &one);
}

/* The derivation as it stands: must hold. */
static void look_at_right(census *c, const truth *right, const spor_asserted *derive) {
    spor_verdict verdict;
    verify(&derive->statement, &verdict);
    bool held = verdict.outcome == SPOR_HOLDS, accused = verdict.outcome == SPOR_FAILS;
    const char *name = derive->statement.name;
    c->right++;
    c->holding += held;
    c->accused += accused;
    c->unfinished += !held && !accused;
    if (!held) printf("right, but %s: %s\n", accused ? "ACCUSED" : "not decided", name);
    if (right->points >= LEAST_POINTS && !right->wrong) return;
    c->unsure++;
    printf("NOT RIGHT by differences: %s (%d of %d points)\n", name, right->wrong, right->checked);
}

static void look_at_derive(census *c, tally *script, spor_asserted *derive) {
    truth right;
    mutants m;
    truth_make(&derive->statement, &right);
    look_at_right(c, &right, derive);
    mutants_make(derive, &m);
    ck_assert_ptr_nonnull(m.made);
    ck_assert_int_lt(m.n, MUTANT_MOST);
    mutants_thin(&m, OF_A_KIND);
    script->derivations++;
    for (int k = 0; k < m.n; k++)
        if (c->seen++ % c->every == 0) look_at(c, script, &right, derive, &m.made[k]);
    mutants_free(&m);
    truth_free(&right);
}

/* ---- scripts ---- */

static void folder_path(char path[PATH_SIZE]) {
    const char *source = getenv("SPOR_SOURCE");
    snprintf(path, PATH_SIZE, "%s/models", source ? source : ".");
}

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

/* The names of the folder's scripts in order; their number. */
static int list_scripts(const char *folder, char names[MOST_FILES][64]) {
    int n = 0;
    DIR *dir = opendir(folder);
    ck_assert_msg(dir != NULL, "%s cannot be opened", folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name);
        if (length < 6 || length > 63 || strcmp(entry->d_name + length - 5, ".spor")) continue;
        ck_assert_int_lt(n, MOST_FILES);
        memcpy(names[n++], entry->d_name, length + 1);
    }
    closedir(dir);
    qsort(names, (size_t)n, sizeof names[0], by_name);
    return n;
}

static void look_at_script(census *c, const char *models, const char *name) {
    char path[PATH_SIZE + 80];
    tally sum = {0};
    snprintf(path, sizeof path, "%s/derivations/%.64s", models, name);
    spor_script *script = script_load(path, models, &claims_dialect, 0, NULL);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    for (spor_asserted *a = claims_first(script); a; a = a->next)
        if (a->function && !a->shown.fails) look_at_derive(c, &sum, a);
    script_free(script);
    print_tally(name, &sum);
    add_tally(&c->all, &sum);
}

static void look_at_all(census *c) {
    char models[PATH_SIZE], folder[PATH_SIZE + 16], names[MOST_FILES][64];
    folder_path(models);
    snprintf(folder, sizeof folder, "%s/derivations", models);
    print_head("script");
    int n = list_scripts(folder, names);
    for (int k = 0; k < n; k++) look_at_script(c, models, names[k]);
    print_tally("all", &c->all);
    print_head("kind");
    for (int k = 0; k < MUTANT_KINDS; k++) print_tally(mutant_kind(k), &c->kind[k]);
}

/* What was written to the list, after the table. */
static void print_list(FILE *list) {
    char line[400];
    rewind(list);
    while (fgets(line, sizeof line, list)) fputs(line, stdout);
    fclose(list);
}

static int every_which(void) {
    const char *text = getenv("SPOR_MUTANTS_EVERY");
    long every = text ? strtol(text, NULL, 10) : EVERY;
    return every > 0 && every < 100000 ? (int)every : EVERY;
}

/* The census in words. */
static void print_census(census *c) {
    const tally *all = &c->all;
    printf("looked at every %d of %d mutants; wrong and not told so, told wrong by a pair that is "
           "right, or accused though they give the same numbers:\n",
           c->every, c->seen);
    print_list(c->list);
    printf("right derivations: %d hold, %d are accused, %d are not decided, of %d\n", c->holding,
           c->accused, c->unfinished, c->right);
    printf("wrong mutants: %d told wrong, %d hold, %d undecided, of %d; of those told %d have a "
           "hint, and %d of these name the change\n",
           all->told, all->held, all->undecided, all->judged[TRUTH_WRONG], all->hinted, all->named);
}

static bool demand(bool fine, const char *what) {
    if (!fine) printf("NOT SO: %s\n", what);
    return fine;
}

START_TEST(wrong_ones_are_told_and_right_ones_hold) {
    census c = {.every = every_which(), .list = tmpfile()};
    ck_assert_ptr_nonnull(c.list);
    look_at_all(&c);
    print_census(&c);
    int wrong = c.all.judged[TRUTH_WRONG];
    bool fine = demand(wrong > 10 * c.right / c.every, "there are enough mutants");
    fine &= demand(c.unsure == 0, "all derivations are right by differences");
    fine &= demand(c.all.held == 0, "nothing wrong holds");
    fine &= demand(c.accused == 0, "nothing right is accused");
    fine &= demand(c.all.misled == 0, "what is told wrong names what is wrong");
    fine &= demand(100 * c.all.told >= 95 * wrong, "95 % of the wrong are told wrong");
    fine &= demand(100 * c.holding >= 95 * c.right, "95 % of the right hold");
    fine &= demand(100 * c.all.hinted >= 70 * c.all.told, "70 % of those told have a hint");
    fine &= demand(100 * c.all.named >= 90 * c.all.hinted, "90 % of the hints name the change");
    fflush(stdout);
    ck_assert_msg(fine, "see NOT SO above");
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("mutants");
    TCase *all = tcase_create("mutants");
    tcase_set_timeout(all, TIMEOUT);
    tcase_add_test(all, wrong_ones_are_told_and_right_ones_hold);
    suite_add_tcase(suite, mutants_planted());
    suite_add_tcase(suite, all);
    return suite;
}
