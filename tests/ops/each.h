/* Loops over the registry for generic tests. */
#ifndef SPOR_TESTS_EACH_H
#define SPOR_TESTS_EACH_H

#include "../support/opcheck.h"
#include "../suite.h"

/** Fails with the op's name and the verdict. what is the sample's number. */
static inline void expect(const spor_op *op, int what, opcheck_verdict v) {
    char name[SPOR_NAME];
    op_name(op, name, sizeof name);
    ck_assert_msg(v.passed, "%s, number %d: %s", name, what, v.what);
    ck_assert_msg(v.examined > 0, "%s, number %d: nothing was examined", name, what);
}

/** Applies a check to all samples of an op; returns how many there are. */
static inline int each_sample(const spor_op *op,
                              opcheck_verdict check(const spor_op *, const spor_sample *)) {
    int k = 0;
    for (; op->samples[k].in[0].rank >= 0; k++) expect(op, k, check(op, &op->samples[k]));
    return k;
}

static inline int count_ops(void) {
    int count = 0;
    while (spor_ops[count]) count++;
    return count;
}

#endif
