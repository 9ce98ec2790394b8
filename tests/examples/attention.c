/* Attention that does not look ahead, of a batch of sequences, and what each of its results depends on. */
#include <math.h>
#include <spor/spor.h>
enum { BATCH = 3, T = 4, D = 5 }; /* sequences, their steps, numbers a step */

/* [B, T, D], [B, T, D], [B, T, D] -> [B, T, D]: step t sees the steps up to t. */
static spor_var attention(spor_var q, spor_var k, spor_var v) {
    double mask[T * T];
    for (int i = 0; i < T * T; i++) mask[i] = i % T > i / T ? -HUGE_VAL : 0;
    spor_var ahead = spor_array(q.tape, SPOR_SHAPE(T, T), mask); /* the tape keeps a copy */
    spor_var scale = spor_constant(q.tape, 1 / sqrt(D));
    spor_shape scores = SPOR_SHAPE(BATCH, T, T);
    spor_var s = spor_batched_matmul(q, spor_transpose(k, (int64_t[]){0, 2, 1}));
    s = spor_mul(s, spor_broadcast(scale, scores));
    return spor_batched_matmul(spor_softmax(spor_add(s, spor_broadcast(ahead, scores)), 2), v);
}

int main(void) {
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(BATCH, T, D)), heads[3];
    double table[D * D];
    for (int h = 0; h < 3; h++) { /* a matrix for all sequences: [B, T, D] @ [D, D] */
        for (int i = 0; i < D * D; i++) table[i] = 0.4 * sin(1.0 + i + 7 * h);
        heads[h] = spor_batched_matmul(x, spor_array(tape, SPOR_SHAPE(D, D), table));
    }
    spor_var out = attention(heads[0], heads[1], heads[2]);
    for (int t = 0; t < T; t++) {
        double chosen[T] = {0};
        chosen[t] = 1;
        spor_var pick = spor_array(tape, SPOR_SHAPE(1, T, 1), chosen);
        spor_var cost = spor_sum(spor_mul(out, spor_broadcast(pick, SPOR_SHAPE(BATCH, T, D))), 7);
        spor_program *program = spor_compile_gradient(cost, 1, &x, 0, NULL, NULL, NULL);
        float *in = spor_program_arg(program, x).data;
        for (int i = 0; in && i < BATCH * T * D; i++) in[i] = (float)cos(i);
        if (!spor_run(program, 0)) return fprintf(stderr, "%s\n", spor_program_error(program)), 1;
        const float *dx = spor_program_gradient(program, 0).data;
        printf("step %d depends on", t);
        for (int s = 0; s < T; s++) {
            float most = 0;
            for (int i = 0; i < D; i++) most = fmaxf(most, fabsf(dx[s * D + i]));
            printf(" %.4f", (double)most);
        }
        printf("\n");
        spor_program_free(program);
    }
    spor_tape_free(tape);
}
