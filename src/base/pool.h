/*
 * Threads that run the tasks of a phase together. Which of them runs a task is nobody's business: what
 * tasks compute must not depend on it.
 */
#ifndef SPOR_BASE_POOL_H
#define SPOR_BASE_POOL_H

#include <stdint.h>

typedef struct spor_pool spor_pool;

/** More workers than this are not started. */
enum { POOL_MOST = 1024 };

/** Who runs a task: worker 0 is the thread that called pool_run. */
typedef struct {
    int number;
    int64_t before; /* its last task of this call, counted from 1; 0: none, or not known */
} pool_worker;

/** One of the tasks. */
typedef void pool_work(void *user, int64_t task, const pool_worker *worker);

/** So many workers, the caller of pool_run one of them; fewer if the system grants no more threads. They
 *  start once, wait for work awake for a short while, and sleep then. NULL: out of memory. */
spor_pool *pool_new(int workers);
/** Ends the threads. NULL is ignored. */
void pool_free(spor_pool *pool);
/** How many work together; 1 for NULL. */
int pool_workers(const spor_pool *pool);

/**
 * Runs the tasks 0 .. count-1, each once, in any order, and returns when all are done: what they wrote is then
 * there for the caller, and what the caller wrote before was there for them. count < 2^31. One call at
 * a time. With pool NULL the caller runs them alone.
 */
void pool_run(spor_pool *pool, int64_t count, pool_work *work, void *user);

/** How many cores this process may use. */
int pool_cores(void);

#endif
