/* Threads that run tasks: each task once, all done at the end, round after round. */
#include "suite.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/pool.h"

enum { MOST_TASKS = 1000 };

typedef struct {
    int runs[MOST_TASKS]; /* plain numbers: the pool orders them */
    struct {
        int round;
        int64_t task;  /* counted from 1 */
    } last[7];         /* of each worker */
    int round;         /* counted from 0 */
    _Atomic int known; /* tasks of which it was known what ran before */
    int workers;
    _Atomic int wrong;
} board;

static void mark(void *user, int64_t task, const pool_worker *worker) {
    board *b = user;
    if (b->runs[task] != b->round || worker->number < 0 || worker->number >= b->workers) {
        atomic_store(&b->wrong, 1);
        return;
    }
    bool first = b->last[worker->number].round != b->round + 1;
    if (worker->before && (first || worker->before != b->last[worker->number].task))
        atomic_store(&b->wrong, 1);
    b->known += worker->before > 0;
    b->last[worker->number].round = b->round + 1;
    b->last[worker->number].task = task + 1;
    b->runs[task]++;
}

static void check_rounds(int workers, int rounds) {
    static board b;
    memset(&b, 0, sizeof b);
    spor_pool *pool = pool_new(workers);
    ck_assert(pool != NULL);
    b.workers = pool_workers(pool);
    ck_assert_int_eq(b.workers, workers);
    for (b.round = 0; b.round < rounds; b.round++) {
        int64_t tasks = 1 + (b.round * 7) % MOST_TASKS;
        pool_run(pool, tasks, mark, &b);
        for (int64_t k = 0; k < MOST_TASKS; k++) {
            ck_assert_int_eq(b.runs[k], k < tasks ? b.round + 1 : b.round);
            b.runs[k] = b.round + 1;
        }
    }
    ck_assert(!b.wrong);
    pool_free(pool);
}

START_TEST(each_task_is_run_once) {
    static const int workers[] = {1, 2, 3, 7};
    check_rounds(workers[_i], 300);
}
END_TEST

/* A worker may come from one round into the next before it looks up: what it ran there is not of this one. One that looks
 * up in the middle of a round does not know what it ran before. */
START_TEST(what_ran_before_is_of_the_round) {
    static board b;
    enum { TASKS = 6, ROUNDS = 30000 };
    spor_pool *pool = pool_new(3);
    memset(&b, 0, sizeof b);
    b.workers = 3;
    for (b.round = 0; b.round < ROUNDS; b.round++) pool_run(pool, TASKS, mark, &b);
    for (int k = 0; k < TASKS; k++) ck_assert_int_eq(b.runs[k], ROUNDS);
    ck_assert(!b.wrong);
    ck_assert_int_gt(b.known, 0);
    pool_free(pool);
}
END_TEST

/* Workers that fell asleep are woken, and end when asked to. */
START_TEST(sleepers_wake) {
    static board b;
    const struct timespec nap = {.tv_nsec = 3000000};
    spor_pool *pool = pool_new(3);
    memset(&b, 0, sizeof b);
    b.workers = 3;
    for (b.round = 0; b.round < 30; b.round++) {
        nanosleep(&nap, NULL);
        pool_run(pool, MOST_TASKS, mark, &b);
    }
    for (int k = 0; k < MOST_TASKS; k++) ck_assert_int_eq(b.runs[k], 30);
    ck_assert(!b.wrong);
    nanosleep(&nap, NULL);
    pool_free(pool);
}
END_TEST

/* A task that lasts: the others are run by those that are free. */
static void last(void *user, int64_t task, const pool_worker *worker) {
    const struct timespec nap = {.tv_nsec = 20000000};
    (void)worker;
    if (!task) nanosleep(&nap, NULL);
    ((int *)user)[task]++;
}

START_TEST(the_end_waits_for_the_last_task) {
    int runs[8] = {0};
    spor_pool *pool = pool_new(2);
    for (int round = 1; round <= 5; round++) {
        pool_run(pool, 8, last, runs);
        for (int k = 0; k < 8; k++) ck_assert_int_eq(runs[k], round);
    }
    pool_free(pool);
}
END_TEST

START_TEST(without_a_pool_the_caller_works) {
    static board b;
    memset(&b, 0, sizeof b);
    b.workers = 1;
    pool_run(NULL, 5, mark, &b);
    ck_assert(!b.wrong);
    ck_assert_int_eq(b.known, 4);
    for (int k = 0; k < 6; k++) ck_assert_int_eq(b.runs[k], k < 5);
    pool_run(NULL, 0, mark, &b);
    ck_assert_int_eq(pool_workers(NULL), 1);
    pool_free(NULL);
    ck_assert_int_ge(pool_cores(), 1);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("pool");
    TCase *tests = tcase_create("threads");
    tcase_add_loop_test(tests, each_task_is_run_once, 0, 4);
    tcase_add_test(tests, what_ran_before_is_of_the_round);
    tcase_add_test(tests, sleepers_wake);
    tcase_add_test(tests, the_end_waits_for_the_last_task);
    tcase_add_test(tests, without_a_pool_the_caller_works);
    suite_add_tcase(suite, tests);
    return suite;
}
