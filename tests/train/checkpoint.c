/* Runs that stop and go on, and files that are no such run. */
#define _GNU_SOURCE /* memmem */
#include "../suite.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../data/scratch.h"
#include "../script/support.h"
#include "../support/stored.h"
#include "base/checksum.h"
#include "train/checkpoint.h"

enum { EPOCHS = 3, ROWS = 52, BATCH = 12, STEPS = 5 }; /* 4 steps of 12 rows and one of 4 */
enum { SUM_AT = 37, SUM = 16 };                        /* where a file has its checksum */

/* ---- a training ------------------------------------------------------------------------------ */

static const char *const nets[] = {
    "def net(x): return dense(tanh(dense(flatten(x), 5)), 10)\n"
    "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"sum\"), "
    "optimizer=sgd(rate=0.01, l2=0.01), batch=12, epochs=3)\n",
    "def net(x): return dense(tanh(dense(flatten(x), 5)), 10)\n"
    "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"mean\"), "
    "optimizer=adam(rate=0.01), clip=clip_norm(1), batch=12, epochs=3)\n",
    "def net(x): return dense(tanh(batch_norm(dense(flatten(x), 5))), 10)\n"
    "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"mean\"), "
    "optimizer=momentum(rate=0.05), batch=12, epochs=3)\n",
    "def net(x): return dense(dropout(tanh(dense(flatten(x), 5)), 0.5), 10)\n"
    "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"mean\"), "
    "optimizer=rmsprop(rate=0.01), batch=12, epochs=3)\n",
};
enum { NETS = sizeof nets / sizeof *nets };

typedef struct {
    spor_script *script;
    spor_model *model;
    spor_data *data;
    spor_split split;
    spor_schedule schedule;
    spor_checkpoint run;
    int told, stop_at; /* calls; 0: never */
} training;

static void start(training *t, int net, spor_scalar scalar) {
    char text[2048];
    snprintf(text, sizeof text, "include \"layers.spor\"\n%s", nets[net]);
    *t = (training){.script = script_read("net.spor", text, models_folder(), &claims_dialect)};
    ck_assert_msg(!script_error(t->script), "%s", script_error(t->script));
    spor_model_spec spec = {.net = script_net,
                            .loss = script_loss,
                            .optimizer = script_optimizer,
                            .reduction = script_declaration(t->script)->reduction,
                            .user = t->script,
                            .sample = SPOR_SHAPE(8, 8, 1),
                            .target = SPOR_SHAPE(10),
                            .seed = 3,
                            .options = {.scalar = scalar}};
    t->model = spor_model_new(&spec);
    t->data = spor_data_csv(source_path("digits.csv.gz"), spec.sample, 10, 1.0 / 16, NULL);
    ck_assert(t->data && spor_split_draw(t->data, 0.2, 0.1, 1, &t->split, NULL));
    t->split.train_rows = ROWS;
    t->split.validation_rows = 20;
    t->schedule =
        (spor_schedule){.epochs = EPOCHS, .batch = BATCH, .seed = 5, .from = &t->run.progress};
    ck_assert(spor_model_bind(t->model, BATCH, true));
}

static void end(training *t) {
    checkpoint_free(&t->run);
    spor_model_free(t->model);
    spor_split_free(&t->split);
    spor_data_free(t->data);
    script_free(t->script);
}

static bool listen(const spor_progress *progress, void *user) {
    training *t = user;
    t->run.progress = *progress;
    if (progress->step == progress->steps) ck_assert(history_add(&t->run.history, progress));
    return ++t->told != t->stop_at;
}

static bool train(training *t) {
    bool done = spor_train(t->model, t->data, &t->split, &t->schedule, listen, t);
    ck_assert_msg(!spor_model_error(t->model), "%s", spor_model_error(t->model));
    return done;
}

static void save(training *t, const char *path) {
    spor_message message = {""};
    ck_assert_msg(checkpoint_write(&t->run, spor_model_params(t->model), path, &message), "%s",
                  message.text);
}

static void load(training *t, const char *path) {
    spor_message message = {""};
    ck_assert_msg(checkpoint_open(&t->run, path, &message) &&
                      checkpoint_load(&t->run, spor_model_params(t->model), &message),
                  "%s", message.text);
}

/* The bytes of a checkpoint with zeros for the times, which end it, and for its checksum. */
static char *timeless(const char *path, size_t *size) {
    char *bytes = scratch_read(path, size);
    spor_checkpoint run;
    ck_assert(checkpoint_open(&run, path, NULL));
    size_t times = ((size_t)run.history.count + 1) * 2 * sizeof(double);
    checkpoint_free(&run);
    memset(bytes + *size - times, 0, times);
    memset(bytes + SUM_AT, '0', SUM);
    return bytes;
}

static void check_same_files(const char *a, const char *b) {
    size_t size[2];
    char *bytes[] = {timeless(a, &size[0]), timeless(b, &size[1])};
    ck_assert_uint_eq(size[0], size[1]);
    ck_assert_mem_eq(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
}

/* ---- going on -------------------------------------------------------------------------------- */

/* A run that is stopped after this many calls, in a model of its own, and goes on in another. */
static void check_stop(int net, spor_scalar scalar, int stop_at, const char *whole) {
    training first, second;
    start(&first, net, scalar);
    first.stop_at = stop_at;
    ck_assert(!train(&first));
    save(&first, scratch_path("stopped"));
    end(&first);
    start(&second, net, scalar);
    load(&second, scratch_path("stopped"));
    ck_assert(train(&second));
    ck_assert_int_eq(second.told, EPOCHS * STEPS - stop_at);
    save(&second, scratch_path("resumed"));
    end(&second);
    check_same_files(whole, scratch_path("resumed"));
}

/* Stopped at every step and at the end of every epoch. */
START_TEST(a_run_that_stopped_ends_in_the_same_bytes) {
    int net = _i / 2;
    training t;
    char whole[1024];
    start(&t, net, (spor_scalar)(_i % 2));
    snprintf(whole, sizeof whole, "%s", scratch_path("whole"));
    ck_assert(train(&t));
    ck_assert_int_eq(t.told, EPOCHS * STEPS);
    ck_assert_int_eq(t.run.history.count, EPOCHS);
    save(&t, whole);
    end(&t);
    for (int stop_at = 1; stop_at < EPOCHS * STEPS; stop_at++)
        check_stop(net, (spor_scalar)(_i % 2), stop_at, whole);
}
END_TEST

/* What goes on is what was written: without the optimizer's states, or the place, it is another. */
START_TEST(states_and_place_are_of_the_run) {
    for (int what = 0; what < 2; what++) {
        training first, second;
        start(&first, 1, SPOR_F32);
        first.stop_at = 7;
        ck_assert(!train(&first));
        save(&first, scratch_path("stopped"));
        first.stop_at = 0;
        ck_assert(train(&first));
        save(&first, scratch_path("whole"));
        start(&second, 1, SPOR_F32);
        load(&second, scratch_path("stopped"));
        spor_params *params = spor_model_params(second.model);
        for (int k = 0; k < spor_params_count(params) && !what; k++) {
            spor_entry e = spor_params_entry(params, k);
            if (e.kind == SPOR_OPTIMIZER_STATE && e.shape.rank > 0) *(float *)e.value += 1;
        }
        if (what) second.run.progress.step--, second.run.progress.rows -= BATCH;
        spor_params_touch(params);
        ck_assert(train(&second));
        save(&second, scratch_path("resumed"));
        size_t size[2];
        char *bytes[] = {timeless(scratch_path("whole"), &size[0]),
                         timeless(scratch_path("resumed"), &size[1])};
        ck_assert(size[0] != size[1] || memcmp(bytes[0], bytes[1], size[0]) != 0);
        free(bytes[0]);
        free(bytes[1]);
        end(&first);
        end(&second);
    }
}
END_TEST

START_TEST(a_finished_run_goes_further) {
    training longer, shorter;
    start(&longer, 1, SPOR_F32);
    longer.schedule.epochs = EPOCHS + 2;
    ck_assert(train(&longer));
    save(&longer, scratch_path("whole"));
    start(&shorter, 1, SPOR_F32);
    ck_assert(train(&shorter));
    save(&shorter, scratch_path("resumed"));
    end(&shorter);
    start(&shorter, 1, SPOR_F32);
    load(&shorter, scratch_path("resumed"));
    ck_assert(train(&shorter)); /* nothing is left to do */
    ck_assert_int_eq(shorter.told, 0);
    shorter.schedule.epochs = EPOCHS + 2;
    ck_assert(train(&shorter));
    ck_assert_int_eq(shorter.told, 2 * STEPS);
    save(&shorter, scratch_path("resumed"));
    check_same_files(scratch_path("whole"), scratch_path("resumed"));
    end(&shorter);
    end(&longer);
}
END_TEST

/* The epoch with the lowest validation loss is known; a run ends that long after it. */
START_TEST(patience_ends_and_knows_the_best_epoch) {
    enum { LONG = 400, PATIENCE = 3 };
    training t, stopped;
    start(&t, 0, SPOR_F64);
    t.schedule.epochs = LONG;
    t.schedule.patience = PATIENCE;
    ck_assert(spor_model_set(t.model, "rate", 0.1));
    ck_assert(train(&t));
    const spor_history *h = &t.run.history;
    int64_t best = 0;
    ck_assert_int_lt(h->count, LONG);
    for (int64_t k = 0; k < h->count; k++) {
        if (h->epochs[k].validation.loss < h->epochs[best].validation.loss) best = k;
        ck_assert_int_eq(h->epochs[k].best_epoch, best + 1);
        ck_assert(h->epochs[k].best_loss == h->epochs[best].validation.loss);
        ck_assert(k + 1 == h->count || k - best < PATIENCE);
    }
    ck_assert_int_eq(h->count, best + 1 + PATIENCE);
    save(&t, scratch_path("whole"));
    start(&stopped, 0, SPOR_F64);
    stopped.schedule = t.schedule;
    stopped.schedule.from = &stopped.run.progress;
    stopped.stop_at = (int)(h->count - 1) * STEPS + 2;
    ck_assert(spor_model_set(stopped.model, "rate", 0.1) && !train(&stopped));
    stopped.stop_at = 0;
    ck_assert(train(&stopped) && train(&stopped)); /* which has nothing left to do */
    save(&stopped, scratch_path("resumed"));
    check_same_files(scratch_path("whole"), scratch_path("resumed"));
    t.split.validation_rows = 0;
    ck_assert(!spor_train(t.model, t.data, &t.split, &t.schedule, listen, &t));
    ck_assert_ptr_nonnull(strstr(spor_model_error(t.model), "no rows to validate with"));
    end(&stopped);
    end(&t);
}
END_TEST

START_TEST(a_place_that_is_none_is_refused) {
    static const spor_progress wrong[] = {
        {.epoch = 4, .step = 1, .steps = STEPS, .rows = BATCH},
        {.epoch = 1, .step = 6, .steps = STEPS, .rows = ROWS},
        {.epoch = 1, .step = 1, .steps = STEPS, .rows = BATCH + 1},
        {.epoch = 1, .step = 1, .steps = STEPS + 1, .rows = BATCH},
        {.epoch = 1, .step = -1, .steps = STEPS, .rows = -BATCH},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        training t;
        start(&t, 0, SPOR_F32);
        t.run.progress = wrong[k];
        ck_assert(!spor_train(t.model, t.data, &t.split, &t.schedule, listen, &t));
        ck_assert_ptr_nonnull(strstr(spor_model_error(t.model), "is no place in 3 epochs of 52 "
                                                                "rows in batches of 12"));
        end(&t);
    }
}
END_TEST

/* ---- the pair of functions ------------------------------------------------------------------- */

START_TEST(a_model_is_saved_and_goes_on) {
    training first, second;
    spor_progress progress;
    spor_message message = {""};
    const char *path = scratch_path("model");
    start(&first, 2, SPOR_F64);
    first.stop_at = 8;
    ck_assert(!train(&first));
    ck_assert(spor_checkpoint_save(first.model, &first.run.progress, path, &message));
    start(&second, 2, SPOR_F64);
    ck_assert_msg(spor_checkpoint_load(second.model, &progress, path, &message), "%s",
                  message.text);
    ck_assert(progress.epoch == 2 && progress.step == 3 && progress.rows == 3 * BATCH);
    ck_assert(progress.cost == first.run.progress.cost);
    ck_assert(progress.train.metric == first.run.progress.train.metric);
    second.run.progress = progress;
    first.stop_at = 0;
    ck_assert(train(&first) && train(&second));
    ck_assert(first.run.progress.loss == second.run.progress.loss);
    ck_assert(!spor_checkpoint_save(NULL, &progress, path, &message));
    ck_assert(!spor_checkpoint_load(NULL, &progress, path, &message));
    end(&first);
    end(&second);
}
END_TEST

/* ---- files that are no run ------------------------------------------------------------------- */

/* Refused with this part of a message, and no value of the model is another one after it. */
static void check_refused(training *t, const void *bytes, size_t size, const char *why) {
    size_t before_size, after_size;
    spor_message message = {""};
    spor_progress progress = {.epoch = 77};
    void *before = stored_values(spor_model_params(t->model), &before_size);
    const char *path = scratch_file("bad", bytes, size);
    ck_assert_msg(!spor_checkpoint_load(t->model, &progress, path, &message), "loaded, though %s",
                  why);
    ck_assert_msg(strstr(message.text, why) && strstr(message.text, path), "\"%s\" lacks \"%s\"",
                  message.text, why);
    void *after = stored_values(spor_model_params(t->model), &after_size);
    ck_assert_mem_eq(before, after, before_size);
    ck_assert_int_eq(progress.epoch, 77);
    free(before);
    free(after);
}

/* A training with a file of its own, stopped in its second epoch. */
static char *run_in_file(training *t, int net, size_t *size) {
    start(t, net, SPOR_F32);
    t->stop_at = 7;
    ck_assert(!train(t));
    save(t, scratch_path("good"));
    return scratch_read(scratch_path("good"), size);
}

START_TEST(a_file_cut_anywhere_is_refused) {
    training t;
    size_t size;
    char *bytes = run_in_file(&t, 1, &size);
    for (size_t length = 0; length < size; length += length < 2500 ? 1 : 37)
        check_refused(&t, bytes, length, length < SUM_AT + SUM ? "is no checkpoint" : "is damaged");
    check_refused(&t, bytes, size - 1, "is damaged");
    free(bytes);
    end(&t);
}
END_TEST

START_TEST(a_byte_that_flipped_anywhere_is_told) {
    training t;
    size_t size;
    char *bytes = run_in_file(&t, 1, &size);
    for (size_t at = 0; at < size; at += at < 2500 ? 1 : 13) {
        bytes[at] ^= (char)(1 << at % 7);
        check_refused(&t, bytes, size, at >= 8 && at < SUM_AT ? "is no checkpoint" : "is damaged");
        bytes[at] ^= (char)(1 << at % 7);
    }
    free(bytes);
    end(&t);
}
END_TEST

/* Gives bytes that were forged the checksum that they need. */
static void seal(char *bytes, size_t size) {
    char sum[SUM + 1];
    memset(bytes + SUM_AT, '0', SUM);
    snprintf(sum, sizeof sum, "%016" PRIx64, checksum_add(0, bytes, size));
    memcpy(bytes + SUM_AT, sum, SUM);
}

/* Puts text in the place of as much of the header, which has it. */
static void check_forged(training *t, const char *good, size_t size, const char *from,
                         const char *to, const char *why) {
    char *bytes = malloc(size);
    ck_assert(bytes && strlen(from) == strlen(to));
    memcpy(bytes, good, size);
    char *at = memmem(bytes, size, from, strlen(from));
    ck_assert_msg(at != NULL, "no %s", from);
    memcpy(at, to, strlen(to));
    seal(bytes, size);
    check_refused(t, bytes, size, why);
    free(bytes);
}

START_TEST(what_is_not_the_run_is_refused) {
    static const char *const forged[][3] = {
        {"checkpoint 1", "checkpoint 2", "has the format \"spor checkpoint 2\""},
        {"\"format\":", "\"Format\":", "its numbers do not fit each other"},
        {"\"epoch\":\"2\"", "\"epoch\":\"9\"", "its numbers do not fit each other"},
        {"\"epoch\":\"2\"", "\"epoch\":\"x\"", "its epoch is \"x\""},
        {"\"epochs\":\"3\"", "\"epochs\":\"-\"", "its epochs is \"-\""},
        {"\"steps\":\"5\"", "\"rowss\":\"5\"", "its numbers do not fit each other"},
        {"\"steps\":\"5\"", "\"epoch\":\"2\"", "its epoch is \"2\", a second time"},
        {"\"step\":\"2\"", "\"step\":\"6\"", "its numbers do not fit each other"},
        {"\"history\":\"1\"", "\"history\":\"0\"",
         "tensor :progress is [2, 7] but the model has [1, 7]"},
        {"\"best\":\"0\"", "\"best\":\"1\"", "has no tensor :best/net/"},
        {"\"best\":\"0\"", "\"best\":\"3\"", "its numbers do not fit each other"},
        {"dense[1]/W\"", "dense[2]/W\"", "dense[2]/W is not a parameter of the model"},
        {"adam/m\"", "adam/n\"", "is not a parameter of the model"},
        {"\"shape\":[64,5]", "\"shape\":[5,64]", "is [5, 64] but the model has [64, 5]"},
        {"\"F32\"", "\"F64\"", "is in double precision but must not be"},
        {":seconds", ":Seconds", ":Seconds is not a parameter of the model"},
        {"data_offsets", "data-offsets", "are expected once each"},
        {"{\"__metadata__\":{\"checksum\"", "{\"__metadata__\":{\"chickens\"", "is no checkpoint"},
    };
    training t;
    size_t size;
    char *good = run_in_file(&t, 1, &size);
    for (size_t k = 0; k < sizeof forged / sizeof *forged; k++)
        check_forged(&t, good, size, forged[k][0], forged[k][1], forged[k][2]);
    training other; /* sgd has no states: the file's are too many, and the other way round */
    size_t other_size;
    char *fewer = run_in_file(&other, 0, &other_size);
    check_refused(&other, good, size, "is not a parameter of the model");
    check_refused(&t, fewer, other_size, "has no tensor optimizer/");
    ck_assert(spor_weights_save(spor_model_params(t.model), scratch_path("weights"), NULL));
    free(fewer);
    fewer = scratch_read(scratch_path("weights"), &other_size);
    check_refused(&t, fewer, other_size, "is no checkpoint");
    check_refused(&t, "", 0, "is no checkpoint");
    free(fewer);
    free(good);
    end(&other);
    end(&t);
}
END_TEST

/* ---- notes, best weights, full disks ---------------------------------------------------------- */

START_TEST(notes_come_back_in_order) {
    training t, back;
    start(&t, 0, SPOR_F32);
    ck_assert(checkpoint_add(&t.run, "command", "[\"a b\",\"--set\"]"));
    ck_assert(checkpoint_add(&t.run, "script:a.spor", "x = \"\\\"\n\t# \xc3\xa9\n"));
    ck_assert(checkpoint_add(&t.run, "empty", ""));
    save(&t, scratch_path("notes"));
    start(&back, 0, SPOR_F32);
    load(&back, scratch_path("notes"));
    ck_assert_int_eq(back.run.notes, 3);
    for (int k = 0; k < 3; k++) {
        ck_assert_str_eq(back.run.note[k].name, t.run.note[k].name);
        ck_assert_str_eq(back.run.note[k].text, t.run.note[k].text);
    }
    ck_assert_str_eq(checkpoint_note(&back.run, "empty"), "");
    ck_assert_ptr_null(checkpoint_note(&back.run, "other"));
    ck_assert_str_eq(back.run.version, spor_version());
    save(&back, scratch_path("again"));
    check_same_files(scratch_path("notes"), scratch_path("again"));
    end(&t);
    end(&back);
}
END_TEST

START_TEST(the_best_weights_are_of_the_run) {
    training t, back;
    size_t size;
    start(&t, 1, SPOR_F32);
    t.stop_at = STEPS;
    ck_assert(!train(&t));
    void *then = stored_values(spor_model_params(t.model), &size);
    ck_assert(best_keep(&t.run.best, spor_model_params(t.model), 1));
    t.stop_at = 0;
    ck_assert(train(&t));
    save(&t, scratch_path("best"));
    start(&back, 1, SPOR_F32);
    load(&back, scratch_path("best"));
    ck_assert_int_eq(back.run.best.epoch, 1);
    save(&back, scratch_path("again"));
    check_same_files(scratch_path("best"), scratch_path("again"));
    best_restore(&back.run.best, spor_model_params(back.model));
    best_restore(&t.run.best, spor_model_params(t.model));
    void *a = stored_values(spor_model_params(t.model), &size),
         *b = stored_values(spor_model_params(back.model), &size);
    ck_assert_mem_eq(a, b, size);
    ck_assert_mem_eq(a, then,
                     (64 * 5 + 5 + 5 * 10 + 10) * sizeof(float)); /* the weights come first */
    ck_assert(memcmp(a, then, size) != 0); /* the optimizer's states are not those of then */
    free(a);
    free(b);
    free(then);
    end(&t);
    end(&back);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_checkpoint) {
    training t;
    size_t size, now;
    spor_message message = {""};
    char *before = run_in_file(&t, 1, &size);
    struct rlimit limit, small = {.rlim_cur = 2048};
    ck_assert(!getrlimit(RLIMIT_FSIZE, &limit));
    small.rlim_max = limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    bool set = !setrlimit(RLIMIT_FSIZE, &small); /* Check's notes may be in a file, too */
    t.stop_at = 0;
    bool trained = train(&t);
    bool saved =
        checkpoint_write(&t.run, spor_model_params(t.model), scratch_path("good"), &message);
    set = !setrlimit(RLIMIT_FSIZE, &limit) && set;
    ck_assert(set && trained && !saved);
    ck_assert_msg(strstr(message.text, "too large") != NULL, "%s", message.text);
    char *after = scratch_read(scratch_path("good"), &now);
    ck_assert_uint_eq(size, now);
    ck_assert_mem_eq(before, after, size);
    ck_assert_int_eq(scratch_count(), 1); /* nothing is left over */
    ck_assert(!checkpoint_write(&t.run, spor_model_params(t.model), "/dev/full", &message));
    free(before);
    free(after);
    end(&t);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("checkpoint");
    TCase *tests = tcase_create("going on");
    tcase_add_checked_fixture(tests, scratch_begin, scratch_end);
    tcase_add_loop_test(tests, a_run_that_stopped_ends_in_the_same_bytes, 0, 2 * NETS);
    tcase_add_test(tests, states_and_place_are_of_the_run);
    tcase_add_test(tests, a_finished_run_goes_further);
    tcase_add_test(tests, patience_ends_and_knows_the_best_epoch);
    tcase_add_test(tests, a_place_that_is_none_is_refused);
    tcase_add_test(tests, a_model_is_saved_and_goes_on);
    suite_add_tcase(suite, tests);
    tests = tcase_create("files");
    tcase_add_checked_fixture(tests, scratch_begin, scratch_end);
    tcase_add_test(tests, a_file_cut_anywhere_is_refused);
    tcase_add_test(tests, a_byte_that_flipped_anywhere_is_told);
    tcase_add_test(tests, what_is_not_the_run_is_refused);
    tcase_add_test(tests, notes_come_back_in_order);
    tcase_add_test(tests, the_best_weights_are_of_the_run);
    tcase_add_test(tests, a_full_disk_leaves_the_old_checkpoint);
    suite_add_tcase(suite, tests);
    return suite;
}
