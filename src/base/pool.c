/*
 * The phases of a step last some ten microseconds to some milliseconds, so that handing them out must cost
 * less than one. Each worker has a part of a round's tasks, always the same for as many tasks, so that
 * what a phase wrote is mostly read by the core that wrote it; who has done its own part takes from the
 * others'. A part is a ticket: the round in its upper half, in its lower half how many of its tasks are not
 * begun. A worker reads what is to be done, then takes a task by exchanging the ticket; if the round is
 * over by then the exchange fails. So nobody waits for a worker that sleeps or was put aside by the
 * system, and the next round may begin without it.
 *
 * A system may keep two threads that spin and yield on one core beside an idle one. A worker that finds
 * itself on the core of another therefore moves to one that has none, and is bound to nothing afterwards.
 */
#define _GNU_SOURCE /* sched_getaffinity, sched_getcpu */

#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often a worker looks for work, and a caller for the last tasks' end, before the one sleeps and the
 * other lets go of the core: some 50 microseconds. */
enum { LOOKS = 4000 };
static const uint64_t tasks_mask = (UINT64_C(1) << 32) - 1;

/* A worker's part of the tasks; a line of memory of its own, as all write it. */
typedef struct {
    _Alignas(64) _Atomic uint64_t ticket;
    _Atomic int64_t end; /* behind its last task */
    _Atomic int core;    /* where its worker was seen last */
} pool_part;

struct spor_pool {
    _Alignas(64) _Atomic int64_t done; /* tasks of the round that have ended */
    _Alignas(64) _Atomic uint64_t round;
    _Atomic(pool_work *) work;
    _Atomic(void *) user;
    _Atomic int sleepers;
    _Atomic bool ending;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int workers;       /* with the caller */
    int parts;         /* as many as workers were asked for */
    pthread_t *thread; /* [workers - 1] */
    pool_part *part;   /* [parts] */
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

/* Runs tasks of a part until none is left to begin: those of the next round, too, if that begins meanwhile. */
static void work_off_part(spor_pool *pool, pool_part *part, pool_worker *worker, uint64_t *round) {
    uint64_t ticket = atomic_load_explicit(&part->ticket, memory_order_acquire);
    while (ticket & tasks_mask) {
        pool_work *work = atomic_load_explicit(&pool->work, memory_order_relaxed);
        void *user = atomic_load_explicit(&pool->user, memory_order_relaxed);
        int64_t end = atomic_load_explicit(&part->end, memory_order_relaxed);
        if (!atomic_compare_exchange_weak_explicit(&part->ticket, &ticket, ticket - 1,
                                                   memory_order_acq_rel, memory_order_acquire))
            continue;
        if (ticket >> 32 != *round) worker->before = 0;
        *round = ticket >> 32;
        int64_t task = end - (int64_t)(ticket & tasks_mask);
        work(user, task, worker);
        worker->before = task + 1;
        atomic_fetch_add_explicit(&pool->done, 1, memory_order_release);
        ticket = atomic_load_explicit(&part->ticket, memory_order_acquire);
    }
}

/* Its own part, then those of the others. */
static void work_off(spor_pool *pool, int number) {
    pool_worker worker = {.number = number};
    uint64_t round = 0; /* of the last task; none yet */
    for (int k = 0; k < pool->parts; k++)
        work_off_part(pool, &pool->part[(number + k) % pool->parts], &worker, &round);
}

/* ---- cores ---- */

/* Moves to a core that no worker is on, if this one is another's, too. */
static void find_own_core(spor_pool *pool, int worker) {
    int here = sched_getcpu();
    cpu_set_t taken, allowed, vacant;
    CPU_ZERO(&taken);
    for (int k = 0; k < pool->parts; k++) {
        int core = atomic_load_explicit(&pool->part[k].core, memory_order_relaxed);
        if (k != worker && core >= 0) CPU_SET((size_t)core, &taken);
    }
    atomic_store_explicit(&pool->part[worker].core, here, memory_order_relaxed);
    if (here < 0 || !CPU_ISSET((size_t)here, &taken)) return;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) return;
    CPU_AND(&vacant, &allowed, &taken); /* which are allowed and not taken */
    CPU_XOR(&vacant, &allowed, &vacant);
    if (!CPU_COUNT(&vacant) || sched_setaffinity(0, sizeof vacant, &vacant)) return;
    atomic_store_explicit(&pool->part[worker].core, sched_getcpu(), memory_order_relaxed);
    sched_setaffinity(0, sizeof allowed, &allowed);
}

/* ---- workers ---- */

static bool has_news(spor_pool *pool, uint64_t seen) {
    return atomic_load(&pool->round) != seen || atomic_load(&pool->ending);
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
    while (!atomic_load(&s.pool->ending)) {
        uint64_t round = atomic_load(&s.pool->round);
        find_own_core(s.pool, s.worker);
        work_off(s.pool, s.worker);
        wait_for_news(s.pool, round);
    }
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

static spor_pool *take_pool(int workers) {
    size_t count = workers > 1 ? (size_t)workers : 1;
    spor_pool *pool = aligned_alloc(64, sizeof *pool);
    pool_part *part = aligned_alloc(64, count * sizeof *part);
    pthread_t *thread = calloc(count, sizeof *thread);
    if (pool && part && thread) {
        memset(part, 0, count * sizeof *part);
        for (size_t k = 0; k < count; k++) part[k].core = k ? -1 : sched_getcpu();
        *pool = (spor_pool){.workers = 1, .parts = (int)count, .thread = thread, .part = part};
        return pool;
    }
    free(pool);
    free(part);
    free(thread);
    return NULL;
}

spor_pool *pool_new(int workers) {
    if (workers > POOL_MOST) workers = POOL_MOST;
    spor_pool *pool = take_pool(workers);
    if (!pool) return NULL;
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
    free(pool->part);
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

/* The tasks in parts, one after the other, as even as can be. */
static void hand_out(spor_pool *pool, uint64_t round, int64_t count) {
    int64_t first = 0;
    for (int k = 0; k < pool->workers; k++) {
        int64_t end = count * (k + 1) / pool->workers;
        atomic_store_explicit(&pool->part[k].end, end, memory_order_relaxed);
        atomic_store_explicit(&pool->part[k].ticket, (round << 32) + (uint64_t)(end - first),
                              memory_order_release);
        first = end;
    }
}

void pool_run(spor_pool *pool, int64_t count, pool_work *work, void *user) {
    if (pool_workers(pool) == 1 || count < 2) {
        for (pool_worker alone = {0}; alone.before < count; alone.before++)
            work(user, alone.before, &alone);
        return;
    }
    uint64_t round = atomic_load_explicit(&pool->round, memory_order_relaxed) + 1;
    atomic_store_explicit(&pool->work, work, memory_order_relaxed);
    atomic_store_explicit(&pool->user, user, memory_order_relaxed);
    atomic_store_explicit(&pool->part[0].core, sched_getcpu(), memory_order_relaxed);
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    hand_out(pool, round, count);
    atomic_store(&pool->round, round);
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
