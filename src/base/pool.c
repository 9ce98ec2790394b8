/*
 * The phases of a step last some ten microseconds to some milliseconds, so that handing them out must cost
 * less than one. Tasks are taken from a ticket: the round in its upper half, in its lower half how many
 * tasks of it are not begun. A worker reads what is to be done, then takes a task by exchanging the
 * ticket; if the round is over by then the exchange fails. So nobody waits for a worker that sleeps or
 * was put aside by the system, and the next round may begin without it.
 */
#define _GNU_SOURCE /* sched_getaffinity */

#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* How often a worker looks for work, and a caller for the last tasks' end, before the one sleeps and the
 * other lets go of the core: some 50 microseconds. */
enum { LOOKS = 4000 };
static const uint64_t round_one = UINT64_C(1) << 32, tasks_mask = (UINT64_C(1) << 32) - 1;

struct spor_pool {
    /* lines of memory of their own: what all write, what is written once a round */
    _Alignas(64) _Atomic uint64_t ticket;
    _Alignas(64) _Atomic int64_t done; /* tasks of the round that have ended */
    _Alignas(64) _Atomic(pool_work *) work;
    _Atomic(void *) user;
    _Atomic int sleepers;
    _Atomic bool ending;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int workers;       /* with the caller */
    pthread_t *thread; /* [workers - 1] */
};

typedef struct {
    spor_pool *pool;
    int worker;
} starter;

/* ---- taking tasks ---- */

static void look_again(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Runs tasks until none is left to begin; the ticket then. */
static uint64_t work_off(spor_pool *pool, int worker) {
    uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    while (ticket & tasks_mask) {
        pool_work *work = atomic_load_explicit(&pool->work, memory_order_relaxed);
        void *user = atomic_load_explicit(&pool->user, memory_order_relaxed);
        if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket - 1,
                                                   memory_order_acq_rel, memory_order_acquire))
            continue;
        work(user, (int64_t)(ticket & tasks_mask) - 1, worker);
        atomic_fetch_add_explicit(&pool->done, 1, memory_order_release);
        ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    }
    return ticket;
}

/* ---- workers ---- */

static bool has_news(spor_pool *pool, uint64_t seen) {
    return atomic_load(&pool->ticket) != seen || atomic_load(&pool->ending);
}

static void wait_for_news(spor_pool *pool, uint64_t seen) {
    for (int k = 0; k < LOOKS; k++) {
        if (has_news(pool, seen)) return;
        look_again();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while (!has_news(pool, seen)) pthread_cond_wait(&pool->wake, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void *worker_main(void *argument) {
    starter s = *(starter *)argument;
    free(argument);
    while (!atomic_load(&s.pool->ending)) wait_for_news(s.pool, work_off(s.pool, s.worker));
    return NULL;
}

/* A sleeper either sees the news before it sleeps, or is counted before they are told. */
static void tell(spor_pool *pool) {
    if (!atomic_load(&pool->sleepers)) return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

/* ---- the pool ---- */

static bool start_worker(spor_pool *pool) {
    starter *s = malloc(sizeof *s);
    if (!s) return false;
    *s = (starter){pool, pool->workers};
    if (!pthread_create(&pool->thread[pool->workers - 1], NULL, worker_main, s))
        return ++pool->workers;
    free(s);
    return false;
}

spor_pool *pool_new(int workers) {
    if (workers > POOL_MOST) workers = POOL_MOST;
    spor_pool *pool = aligned_alloc(64, sizeof *pool);
    pthread_t *thread = calloc(workers > 1 ? (size_t)workers : 1, sizeof *thread);
    if (!pool || !thread) {
        free(pool);
        free(thread);
        return NULL;
    }
    *pool = (spor_pool){.workers = 1, .thread = thread};
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    while (pool->workers < workers && start_worker(pool)) continue;
    return pool;
}

void pool_free(spor_pool *pool) {
    if (!pool) return;
    atomic_store(&pool->ending, true);
    tell(pool);
    for (int k = 0; k < pool->workers - 1; k++) pthread_join(pool->thread[k], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool->thread);
    free(pool);
}

int pool_workers(const spor_pool *pool) {
    return pool ? pool->workers : 1;
}

/* ---- a round ---- */

static void wait_for_end(spor_pool *pool, int64_t count) {
    for (int k = 0; atomic_load_explicit(&pool->done, memory_order_acquire) < count; k++)
        if (k < LOOKS)
            look_again();
        else
            sched_yield();
}

void pool_run(spor_pool *pool, int64_t count, pool_work *work, void *user) {
    if (pool_workers(pool) == 1 || count < 2) {
        for (int64_t task = 0; task < count; task++) work(user, task, 0);
        return;
    }
    uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_relaxed);
    atomic_store_explicit(&pool->work, work, memory_order_relaxed);
    atomic_store_explicit(&pool->user, user, memory_order_relaxed);
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    atomic_store(&pool->ticket, (ticket & ~tasks_mask) + round_one + (uint64_t)count);
    tell(pool);
    work_off(pool, 0);
    wait_for_end(pool, count);
}

int pool_cores(void) {
    cpu_set_t allowed;
    if (!sched_getaffinity(0, sizeof allowed, &allowed)) return CPU_COUNT(&allowed);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores < POOL_MOST ? (int)cores : POOL_MOST;
}
