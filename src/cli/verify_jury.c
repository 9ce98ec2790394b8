/*
 * Statements are judged side by side. Recording one runs the script, so that each thread has the script for
 * itself: the first one that which is there, the others copies, read when they first have something to
 * do. Statements have the same numbers in all of them.
 */
#include "cli/verify.h"

#include <stdlib.h>

#include "base/pool.h"

struct spor_jury {
    const spor_verification *v;
    spor_workpiece *piece; /* of the first worker */
    spor_workpiece *copy;  /* [workers]; the first is not used */
    int workers, count;
    const int *number; /* of the statements, in the script */
    spor_judged *judged;
};

/* NULL if there is none to be had: memory ran out, or the file is another one by now. */
static spor_workpiece *piece_of(spor_jury *jury, int worker) {
    spor_workpiece *copy = &jury->copy[worker], *piece = jury->piece;
    if (!worker) return piece;
    if (copy->script) return copy;
    const char *error =
        workpiece_read(copy, piece->command, piece->path, &jury->v->given->settings);
    if (!error && claims_count(copy->script) == claims_count(piece->script)) return copy;
    workpiece_close(copy);
    *copy = (spor_workpiece){0};
    return NULL;
}

static void judge(void *user, int64_t k, const pool_worker *worker) {
    spor_jury *jury = user;
    const spor_verify_given *given = jury->v->given;
    spor_judged *judged = &jury->judged[k];
    spor_workpiece *piece = piece_of(jury, worker->number);
    spor_effort effort = {
        .seed = (uint64_t)given->seed, .shapes = given->shapes, .ties_bind = given->ties != NULL};
    if (!piece) return; /* it is shown as not examined */
    judged->claim = claims_at(piece->script, jury->number[k]);
    judged->finished = spor_verify(judged->claim->statement, &effort, judged->found);
}

static bool take_room(spor_jury *jury) {
    jury->judged = calloc((size_t)jury->count + 1, sizeof *jury->judged);
    jury->copy = calloc((size_t)jury->workers, sizeof *jury->copy);
    for (int k = 0; jury->judged && k < jury->count; k++) {
        jury->judged[k].claim = claims_at(jury->piece->script, jury->number[k]);
        jury->judged[k].found = calloc(1, sizeof *jury->judged[k].found);
        if (!jury->judged[k].found) return false;
    }
    return jury->judged && jury->copy;
}

spor_jury *verify_judge(const spor_verification *v, spor_workpiece *piece, int count,
                        const int number[]) {
    spor_jury *jury = calloc(1, sizeof *jury);
    if (!jury) return NULL;
    int64_t wanted = v->given->threads ? v->given->threads : pool_cores();
    wanted = wanted < count ? wanted : count;
    spor_pool *pool = wanted > 1 ? pool_new((int)wanted) : NULL;
    *jury = (spor_jury){
        .v = v, .piece = piece, .workers = pool_workers(pool), .count = count, .number = number};
    bool done = take_room(jury);
    if (done) pool_run(pool, count, judge, jury);
    pool_free(pool);
    if (done) return jury;
    verify_dismiss(jury);
    return NULL;
}

const spor_judged *verify_judged(const spor_jury *jury, int k) {
    return &jury->judged[k];
}

void verify_dismiss(spor_jury *jury) {
    if (!jury) return;
    for (int k = 0; jury->judged && k < jury->count; k++) free(jury->judged[k].found);
    for (int k = 1; jury->copy && k < jury->workers; k++) workpiece_close(&jury->copy[k]);
    free(jury->judged);
    free(jury->copy);
    free(jury);
}
