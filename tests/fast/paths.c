/*
 * Every fast path against the reference, by what its descriptor says: nothing here knows a path.
 * Recordings are the samples, the first samples with one number changed, and numbers drawn; small samples and
 * every second drawn one also where cotangents meet, with the operands in the cost by themselves.
 */
#include "../suite.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/fastcheck.h"
#include "../support/sets.h"
#include "base/random.h"

/* Multiply-adds and elements of a recording that was not chosen by hand. */
static const double affordable = 12000;
enum {
    DRAWN = 1000, /* recordings of a path by numbers drawn */
    VARIED = 3,   /* its first samples, of which each number is changed in turn */
    VALUES = 32   /* of a choice, at most */
};

static int count_paths(void) {
    int count = 0;
    while (spor_fast_paths[count]) count++;
    return count;
}

static int count_choices(const spor_fast *path) {
    int count = 0;
    while (path->choices[count].name) count++;
    return count;
}

/* ---- recordings ---- */

typedef struct {
    const spor_fast *path;
    fastcheck_tally tally;
    bool shared; /* what is added next */
    int64_t agreed, shapes, large;
    int64_t met[SPOR_CHOICES][VALUES]; /* recordings with this value of this choice */
} survey;

static void meet_values(survey *s, const int64_t number[]) {
    for (int k = 0; k < count_choices(s->path); k++)
        for (int v = 0; v < s->path->choices[k].count; v++)
            s->met[k][v] += s->path->choices[k].values[v] == number[k];
}

static void survey_add(survey *s, const int64_t number[], int gradient, double most) {
    fastcheck_subject subject = {.path = s->path,
                                 .number = number,
                                 .record = s->path->record,
                                 .gradient = gradient,
                                 .shared = s->shared};
    fastcheck_verdict v = fastcheck_compare(&subject, most, &s->tally);
    ck_assert_msg(v.outcome != FASTCHECK_DIFFERS, "%s", v.what);
    s->agreed += v.outcome == FASTCHECK_AGREES;
    s->shapes += v.outcome == FASTCHECK_SHAPES;
    s->large += v.outcome == FASTCHECK_LARGE;
    if (v.outcome == FASTCHECK_AGREES) meet_values(s, number);
}

/* Each number of a sample in turn at each of the values worth trying. */
static void survey_vary(survey *s, const int64_t sample[], int gradient, double most) {
    int64_t number[SPOR_CHOICES];
    for (int k = 0; k < count_choices(s->path); k++)
        for (int v = 0; v < s->path->choices[k].count; v++) {
            memcpy(number, sample, sizeof number);
            number[k] = s->path->choices[k].values[v];
            survey_add(s, number, gradient, most);
        }
}

/* Some fused op of the first sample, trained, rounds no sums of integers. */
static bool says_exact(const spor_fast *path) {
    fastcheck_subject subject = {.path = path, .number = path->samples[0], .record = path->record};
    fastcheck_look look = fastcheck_open(&subject, true);
    bool says = false;
    for (uint32_t id = 1; look.program && id < look.program->graph.tape->count; id++) {
        const spor_op *op = look.program->graph.tape->node[id].op;
        says |= op->fused && op->traits & SPOR_EXACT_ON_INTEGERS;
    }
    fastcheck_close(&look);
    return says;
}

static void survey_draw(survey *s, int64_t count) {
    int64_t number[SPOR_CHOICES] = {0}, tries = 0;
    for (int64_t until = s->agreed + count; s->agreed < until; tries++) {
        ck_assert_msg(tries < 100 * count, "%s: numbers drawn seldom go together", s->path->name);
        for (int k = 0; k < count_choices(s->path); k++) {
            const spor_choice *c = &s->path->choices[k];
            uint64_t bits = random_hash(17, (uint64_t)tries, (uint64_t)k);
            number[k] = c->values[bits % (uint64_t)c->count];
        }
        s->shared = tries % 2;
        survey_add(s, number, 0, affordable);
    }
}

/* ---- what the comparison can see ---- */

static int64_t percent(int64_t part, int64_t rest) {
    return part + rest ? 100 * part / (part + rest) : 100;
}

static void survey_print(const survey *s, const char *what) {
    int sets = 0;
    while (instruction_sets()[sets]) sets++;
    printf("%s: %lld %s x %d instruction sets x %d types (%lld do not go together, %lld are too "
           "large); seen where off by a hundredth:",
           s->path->name, (long long)s->agreed, what, sets, FASTCHECK_TYPES, (long long)s->shapes,
           (long long)s->large);
    for (int type = 0; type < FASTCHECK_TYPES; type++)
        for (int array = 0; array < FASTCHECK_ARRAYS; array++) {
            int64_t seen = s->tally.seen[type][array], blind = s->tally.blind[type][array];
            if (seen + blind) printf(" %lld%%", (long long)percent(seen, blind));
        }
    printf("\n");
}

/* Where rounding decides what wins or which side of a kink a sum is on, nothing can be said of an
 * element: of few. */
static void check_sight(const survey *s) {
    for (int type = 0; type < FASTCHECK_TYPES; type++)
        for (int array = 0; array < FASTCHECK_ARRAYS; array++) {
            int64_t seen = s->tally.seen[type][array], blind = s->tally.blind[type][array];
            ck_assert_int_ge(percent(seen, blind), type == SPOR_F64 ? 75 : 50);
        }
}

static void check_values_met(const survey *s) {
    for (int k = 0; k < count_choices(s->path); k++)
        for (int v = 0; v < s->path->choices[k].count; v++)
            ck_assert_msg(s->met[k][v] >= 20, "%s: %s %lld is met %lld times only", s->path->name,
                          s->path->choices[k].name, (long long)s->path->choices[k].values[v],
                          (long long)s->met[k][v]);
}

static void check_descriptor(const spor_fast *path) {
    ck_assert_msg(path->choices && path->record && path->samples && path->refusals,
                  "%s: a fast path without samples would be tested by nothing", path->name);
    ck_assert_int_le(count_choices(path), SPOR_CHOICES);
    for (int k = 0; k < count_choices(path); k++) ck_assert_int_le(path->choices[k].count, VALUES);
}

START_TEST(recordings_agree_with_the_reference) {
    survey s = {.path = spor_fast_paths[_i]};
    check_descriptor(s.path);
    for (int k = 0; s.path->samples[k][0]; k++) {
        survey_add(&s, s.path->samples[k], 0, 0);
        ck_assert_msg(s.agreed == k + 1, "%s: sample %d is not recorded", s.path->name, k);
    }
    s.shared = true;
    for (int k = 0; s.path->samples[k][0]; k++) survey_add(&s, s.path->samples[k], 0, affordable);
    s.shared = false;
    for (int k = 0; k < VARIED && s.path->samples[k][0]; k++)
        survey_vary(&s, s.path->samples[k], 0, affordable);
    survey_draw(&s, DRAWN);
    survey_print(&s, "recordings");
    check_sight(&s);
    check_values_met(&s);
    if (says_exact(s.path)) ck_assert_int_gt(s.tally.exact, s.agreed);
}
END_TEST

/* Of gradients recorded in ordinary ops, in which paths are taken where they are found. */
START_TEST(second_derivatives_agree_with_the_reference) {
    survey s = {.path = spor_fast_paths[_i]};
    for (int gradient = 1; gradient < SPOR_OPERANDS; gradient++) {
        for (int k = 0; s.path->samples[k][0]; k++)
            survey_add(&s, s.path->samples[k], gradient, 8 * affordable);
        survey_vary(&s, s.path->samples[0], gradient, 8 * affordable);
    }
    survey_print(&s, "gradients' gradients");
    ck_assert_int_gt(s.agreed, 50);
}
END_TEST

/* ---- matching ---- */

/* What was said when regions were left alone. */
typedef struct {
    char why[64][160];
    int count;
} reasons;

static void keep_reason(reasons *kept, const char *why) {
    for (int k = 0; k < kept->count; k++)
        if (!strcmp(kept->why[k], why)) return;
    ck_assert_int_lt(kept->count, 64);
    snprintf(kept->why[kept->count++], sizeof kept->why[0], "%s", why);
}

/* The path was tried on node root and said so, or was taken there: then why is empty. NULL: neither. */
static const char *answer_at(const spor_program *program, const spor_fast *path, uint32_t root) {
    for (uint32_t k = 0; k < program->graph.taken_count; k++) {
        const spor_taken *taken = &program->graph.taken[k];
        if (taken->fast == path && taken->root == root) return taken->why;
    }
    return NULL;
}

static void check_printed(const spor_program *program, const char *name, const char *why) {
    char text[8192] = "";
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    spor_program_print(program, out);
    fclose(out);
    ck_assert_msg(strstr(text, name) && strstr(text, why), "no %s, \"%s\" in:\n%s", name, why,
                  text);
}

/* Taken once, where the pattern ends, trained or not; and it says so. */
static void check_taken(const fastcheck_subject *subject, bool trained) {
    fastcheck_look look = fastcheck_open(subject, trained);
    ck_assert_ptr_nonnull(look.program);
    const char *why = answer_at(look.program, subject->path, look.root.id);
    ck_assert_msg(why && !*why, "%s is not taken: %s", subject->path->name, why ? why : "");
    ck_assert_int_eq(spor_program_fast(look.program, subject->path->name), 1);
    check_printed(look.program, subject->path->name, subject->path->equations);
    fastcheck_close(&look);
}

/* A node of the region that is read from outside too stays, and the path goes without it or says
 * why it can't. */
static void check_read(const fastcheck_subject *subject, reasons *met) {
    fastcheck_look look = fastcheck_open(subject, false);
    const char *why = answer_at(look.program, subject->path, look.root.id);
    ck_assert_msg(why, "%s says nothing where node %" PRIu32 " is read from outside",
                  subject->path->name, subject->also);
    if (*why) keep_reason(met, why);
    fastcheck_close(&look);
    fastcheck_verdict v = fastcheck_compare(subject, affordable, NULL);
    ck_assert_msg(v.outcome != FASTCHECK_DIFFERS, "%s", v.what);
}

static void check_inside(const fastcheck_subject *subject, reasons *met) {
    fastcheck_look look = fastcheck_open(subject, false);
    for (uint32_t id = 1; id < look.root.id; id++) {
        fastcheck_subject read = *subject;
        read.also = id;
        if (!look.program->graph.map[id]) check_read(&read, met);
    }
    fastcheck_close(&look);
}

static void check_match(const spor_fast *path, const int64_t number[], reasons *met) {
    fastcheck_subject subject = {.path = path, .number = number, .record = path->record};
    fastcheck_look look = fastcheck_open(&subject, false);
    bool recorded = look.program;
    fastcheck_close(&look);
    if (!recorded) return;
    for (int trained = 0; trained < 2; trained++) check_taken(&subject, trained);
    check_inside(&subject, met);
}

static void check_refusal(const spor_fast *path, const spor_refusal *refusal, reasons *met) {
    fastcheck_subject subject = {
        .path = path, .number = path->samples[0], .record = refusal->record};
    fastcheck_look look = fastcheck_open(&subject, false);
    ck_assert_msg(look.program, "%s: %s", path->name, spor_error(look.tape));
    const char *why = answer_at(look.program, path, look.root.id);
    ck_assert_msg(why && !strcmp(why, refusal->why), "%s says \"%s\" instead of \"%s\"", path->name,
                  why ? why : "nothing", refusal->why);
    check_printed(look.program, path->name, refusal->why);
    keep_reason(met, why);
    fastcheck_close(&look);
    fastcheck_verdict v = fastcheck_compare(&subject, 0, NULL);
    ck_assert_msg(v.outcome == FASTCHECK_AGREES, "%s", v.what);
}

static void check_matches(const spor_fast *path, reasons *met) {
    for (int k = 0; path->samples[k][0]; k++) check_match(path, path->samples[k], met);
    for (int k = 0; k < count_choices(path); k++)
        for (int v = 0; v < path->choices[k].count; v++) {
            int64_t number[SPOR_CHOICES];
            memcpy(number, path->samples[0], sizeof number);
            number[k] = path->choices[k].values[v];
            check_match(path, number, met);
        }
    for (int k = 0; path->refusals[k].why; k++) check_refusal(path, &path->refusals[k], met);
}

/* ---- reasons in the sources ---- */

/* True if what stands between the conversions of format stands in text in this order. */
static bool is_made_of(const char *text, const char *format) {
    while (*format) {
        char part[200] = "";
        size_t length = strcspn(format, "%");
        snprintf(part, sizeof part, "%.*s", (int)length, format);
        const char *at = strstr(text, part);
        if (!at) return false;
        text = at + length;
        format += length;
        if (*format) format += 2; /* %s, %d, %u */
    }
    return true;
}

static void check_text(const char *file, const char *text, const reasons *met) {
    for (int k = 0; k < met->count; k++)
        if (is_made_of(met->why[k], text)) return;
    ck_abort_msg("%s: no refusal of a descriptor leads to \"%s\"", file, text);
}

/* The texts of one call that hands a match on, from behind its "(" to its ")". */
static int check_call(const char *file, const char *call, const reasons *met) {
    int texts = 0;
    for (int depth = 1; depth && *call; call++) {
        depth += (*call == '(') - (*call == ')');
        if (*call != '"') continue;
        char text[200];
        size_t length = strcspn(++call, "\"");
        snprintf(text, sizeof text, "%.*s", (int)length, call);
        check_text(file, text, met);
        call += length;
        texts++;
    }
    return texts;
}

static int check_source(const char *file, const char *source, const reasons *met) {
    static const char *const calls[] = {"(m, ", "(match, "};
    int texts = 0;
    for (int k = 0; k < 2; k++)
        for (const char *at = source; (at = strstr(at, calls[k])); at++)
            texts += check_call(file, at + 1, met);
    return texts;
}

static char *read_source(const char *folder, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "r");
    char *text = calloc(1, 1 << 20);
    if (in && text) ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, in), 0);
    if (in) fclose(in);
    return text;
}

static int check_sources(const reasons *met) {
    char folder[512];
    const char *source = getenv("SPOR_SOURCE");
    snprintf(folder, sizeof folder, "%s/ops/fast", source ? source : ".");
    DIR *files = opendir(folder);
    ck_assert_ptr_nonnull(files);
    int texts = 0;
    for (struct dirent *entry; (entry = readdir(files));) {
        if (entry->d_name[0] == '.') continue;
        char *text = read_source(folder, entry->d_name);
        ck_assert_ptr_nonnull(text);
        texts += check_source(entry->d_name, text, met);
        free(text);
    }
    closedir(files);
    return texts;
}

START_TEST(regions_are_taken_or_left_with_a_reason) {
    static reasons met;
    for (int k = 0; spor_fast_paths[k]; k++) check_matches(spor_fast_paths[k], &met);
    int texts = check_sources(&met);
    printf("%d reasons met, %d texts in the sources\n", met.count, texts);
    ck_assert_int_gt(texts, 10);
}
END_TEST

/* ---- faults ---- */

/* Step s computes a fused op, or what one is made of that groups compute. A group that makes the cost
 * alone is of no path. */
static bool is_of_path(const spor_program *program, uint32_t s, bool by_groups) {
    const program_step *step = &program->step[s];
    uint32_t cost = program_home(program, program->cost);
    if (!step->group) return program->graph.tape->node[step->node[0]].op->fused;
    return by_groups && (step_writes(step) > 1 || step_written(step, 0) != cost);
}

static bool has_parts(const spor_program *program, spor_var root) {
    return program->graph.tape->node[program->graph.map[root.id]].op->parts;
}

/* A hundredth more in one element of what a step of the path computes, in one training program. Of what is
 * shared several groups make the cost, so that what groups compute can't be told to be of the path. */
static int check_faults(const spor_fast *path, const int64_t number[], bool shared) {
    fastcheck_subject subject = {
        .path = path, .number = number, .record = path->record, .shared = shared};
    fastcheck_look look = fastcheck_open(&subject, true);
    int faults = 0;
    for (uint32_t k = 0; look.program && k < look.program->steps; k++) {
        if (!is_of_path(look.program, k, !shared && has_parts(look.program, look.root))) continue;
        subject.fault = k + 1;
        fastcheck_verdict v = fastcheck_compare(&subject, 0, NULL);
        ck_assert_msg(v.outcome == FASTCHECK_DIFFERS,
                      "%s: nobody sees a wrong step %" PRIu32 ", %s", path->name, k,
                      look.program->graph.tape->node[look.program->step[k].node[0]].op->signature);
        faults++;
    }
    fastcheck_close(&look);
    return faults;
}

START_TEST(one_element_off_by_a_hundredth_is_seen) {
    const spor_fast *path = spor_fast_paths[_i];
    int faults = 0;
    for (int k = 0; k < VARIED && path->samples[k][0]; k++)
        for (int shared = 0; shared < 2; shared++)
            faults += check_faults(path, path->samples[k], shared);
    printf("%s: %d planted faults seen\n", path->name, faults);
    ck_assert_int_ge(faults, 2 * VARIED); /* a forward and a backward op each */
}
END_TEST

/* ---- what is kept from run to run ---- */

/* The pattern with operand k as an input and the others as parameters, and a program of its value. */
typedef struct {
    spor_sketch sketch;
    spor_params *params;
    spor_program *program;
    spor_var root;
} kept;

static kept open_kept(const spor_fast *path, const int64_t number[], int given, spor_workspace *w) {
    kept k = {
        .sketch = {.tape = spor_tape_new(), .number = number, .trained = true, .given = given},
        .params = spor_params_new(SPOR_F32, 1)};
    k.root = path->record(&k.sketch);
    k.program = spor_compile(k.sketch.tape, 1, &k.root, k.params, &(spor_options){.workspace = w});
    return k;
}

static void close_kept(kept *k) {
    spor_program_free(k->program);
    spor_params_free(k->params);
    spor_tape_free(k->sketch.tape);
}

static void draw_array(void *data, int64_t count, uint64_t seed) {
    for (int64_t e = 0; e < count; e++)
        ((float *)data)[e] = (float)(random_uniform(seed, 0, (uint64_t)e) - 0.5);
}

/* Other numbers for the parameters, if any seed is given, and for the input. */
static void draw_kept(kept *k, uint64_t params, uint64_t input) {
    for (int e = 0; params && e < spor_params_count(k->params); e++) {
        spor_entry entry = spor_params_entry(k->params, e);
        draw_array(entry.value, shape_size(&entry.shape), params + (uint64_t)e);
    }
    if (params) spor_params_touch(k->params);
    spor_arg x = spor_program_arg(k->program, k->sketch.operand[k->sketch.given - 1]);
    ck_assert_ptr_nonnull(x.data);
    draw_array(x.data, shape_size(&x.shape), input);
}

static void check_same(kept *once, kept *often, const char *what) {
    ck_assert(spor_run(once->program, 0) && spor_run(often->program, 0));
    spor_arg a = spor_program_arg(once->program, once->root);
    spor_arg b = spor_program_arg(often->program, often->root);
    ck_assert_msg(!memcmp(a.data, b.data, (size_t)shape_size(&a.shape) * sizeof(float)),
                  "what was prepared is not made anew: %s", what);
}

/* A program that runs again on other numbers is what a new one is on them. */
static int check_kept(const spor_fast *path, const int64_t number[], int given) {
    spor_workspace *both = spor_workspace_new();
    kept often = open_kept(path, number, given, both);
    bool there =
        given <= often.sketch.operands && often.program && !spor_program_error(often.program);
    kept other = open_kept(path, number, given, both);
    static const char *const what[] = {"first", "another input", "other parameters",
                                       "another program in its memory"};
    for (int k = 0; there && k < 4; k++) {
        kept once = open_kept(path, number, given, NULL);
        uint64_t params = k < 2 ? 100 : 200, input = 7 + (uint64_t)k;
        if (k == 3) draw_kept(&other, 1, 1), ck_assert(spor_run(other.program, 0));
        draw_kept(&once, params, input);
        draw_kept(&often, k == 1 || k == 3 ? 0 : params, input);
        check_same(&once, &often, what[k]);
        close_kept(&once);
    }
    close_kept(&other);
    close_kept(&often);
    spor_workspace_free(both);
    return there;
}

START_TEST(what_is_prepared_once_follows_its_operands) {
    const spor_fast *path = spor_fast_paths[_i];
    int checked = 0;
    for (int k = 0; path->samples[k][0]; k++)
        for (int given = 1; given <= SPOR_OPERANDS; given++)
            checked += check_kept(path, path->samples[k], given);
    ck_assert_int_gt(checked, 0);
}
END_TEST

/* ---- what has no derivative ---- */

/* The gradients of the fused op, differentiated again: in ops, or an error that names the op. */
static int check_twice(const spor_fast *path, int operand) {
    fastcheck_subject subject = {.path = path, .number = path->samples[0], .record = path->record};
    fastcheck_look look = fastcheck_open(&subject, false);
    spor_tape *tape = look.program->graph.tape;
    spor_var root = {tape, look.program->graph.map[look.root.id]}, wrt[SPOR_OPERANDS];
    spor_var d[SPOR_OPERANDS], twice[SPOR_OPERANDS];
    int operands = 0;
    for (uint32_t id = 1; id < tape->count; id++)
        if (node_is_named_leaf(&tape->node[id])) wrt[operands++] = (spor_var){tape, id};
    bool asked = operand < operands;
    if (asked) {
        ck_assert(spor_vjp(root, spor_input(tape, "ybar", spor_shape_of(root)), operands, wrt, d));
        spor_var bar = spor_input(tape, "dbar", spor_shape_of(d[operand]));
        bool differentiates = spor_vjp(d[operand], bar, operands, wrt, twice);
        ck_assert_msg(differentiates || strstr(spor_error(tape), "has no derivative"), "%s: %s",
                      path->name, differentiates ? "" : spor_error(tape));
    }
    fastcheck_close(&look);
    return asked;
}

START_TEST(what_has_no_derivative_says_so) {
    int asked = 0;
    for (int operand = 0; operand < SPOR_OPERANDS; operand++)
        asked += check_twice(spor_fast_paths[_i], operand);
    ck_assert_int_gt(asked, 0);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("fast paths");
    int paths = count_paths();
    TCase *values = tcase_create("values");
    tcase_set_timeout(values, 280);
    tcase_add_loop_test(values, recordings_agree_with_the_reference, 0, paths);
    tcase_add_loop_test(values, second_derivatives_agree_with_the_reference, 0, paths);
    tcase_add_loop_test(values, what_is_prepared_once_follows_its_operands, 0, paths);
    suite_add_tcase(suite, values);
    TCase *matching = tcase_create("matching");
    tcase_add_test(matching, regions_are_taken_or_left_with_a_reason);
    tcase_add_loop_test(matching, what_has_no_derivative_says_so, 0, paths);
    suite_add_tcase(suite, matching);
    TCase *faults = tcase_create("faults");
    tcase_add_loop_test(faults, one_element_off_by_a_hundredth_is_seen, 0, paths);
    suite_add_tcase(suite, faults);
    return suite;
}
