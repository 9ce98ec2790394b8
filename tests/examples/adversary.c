/* Trains on digits, then moves each pixel of the others a little to where the cost grows, and reads again. */
#include <spor/spor.h>
enum { N = 32, TRAIN = 45 * N, EPOCHS = 20 }; /* N rows a step */
#define STEP 0.1f                             /* of a pixel, which is 0 .. 1 */

static spor_var dense(spor_var x, const char *name, int64_t n, int64_t m) {
    spor_scope_begin(x.tape, name);
    spor_var W = spor_param(x.tape, "W", SPOR_SHAPE(n, m), SPOR_INIT("glorot", 1));
    spor_var b = spor_param(x.tape, "b", SPOR_SHAPE(m), SPOR_INIT("zeros", 1));
    spor_var z = spor_add(spor_matmul(x, W), spor_broadcast(b, SPOR_SHAPE(N, m)));
    return spor_scope_end(x.tape, z), z;
}

static int right(const float *score, const spor_data *data, int64_t row) {
    int count = 0;
    for (int i = 0, best = 0; i < N; i++, best = 0, score += 10) {
        for (int k = 0; k < 10; k++) best = score[k] > score[best] ? k : best;
        count += data->label[row + i] == best;
    }
    return count;
}

int main(void) {
    spor_message why;
    spor_data *data = spor_data_csv("data/digits.csv.gz", SPOR_SHAPE(64), 10, 1.0 / 16, &why);
    if (!data) return fprintf(stderr, "%s\n", why.text), 2;
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(N, 64));
    spor_var y = spor_input(tape, "y", SPOR_SHAPE(N, 10));
    spor_var logits = dense(spor_tanh(dense(x, "hidden", 64, 32)), "out", 32, 10);
    spor_var cost = spor_cross_entropy_mean(logits, y, NULL);
    spor_params *params = spor_params_new(SPOR_F32, 1);
    spor_program *train = spor_compile_training(cost, 0, NULL, params, NULL);
    spor_program *slope = spor_compile_gradient(cost, 1, &x, 1, &logits, params, NULL);
    int64_t batch[N];
    int read = 0, after = 0;
    for (int64_t row = 0, step = 0; step < EPOCHS * 45; row = ++step % 45 * N) {
        for (int i = 0; i < N; i++) batch[i] = row + i;
        spor_data_rows(data, batch, N, SPOR_F32, spor_program_arg(train, x).data,
                       spor_program_arg(train, y).data);
        if (spor_run(train, 0)) spor_params_sgd(params, 0.5, 0, false);
    }
    float *pixel = spor_program_arg(slope, x).data, *target = spor_program_arg(slope, y).data;
    for (int64_t row = TRAIN; row + N <= data->rows; row += N) {
        for (int i = 0; i < N; i++) batch[i] = row + i;
        spor_data_rows(data, batch, N, SPOR_F32, pixel, target);
        if (!spor_run(slope, 0)) break;
        read += right(spor_program_arg(slope, logits).data, data, row);
        const float *dx = spor_program_gradient(slope, 0).data;
        for (int i = 0; i < N * 64; i++) pixel[i] += dx[i] > 0 ? STEP : dx[i] < 0 ? -STEP : 0;
        spor_run(slope, 0);
        after += right(spor_program_arg(slope, logits).data, data, row);
    }
    if (spor_program_error(slope)) return fprintf(stderr, "%s\n", spor_program_error(slope)), 1;
    printf("%d of 352 digits read right, %d once each pixel moved by %g\n", read, after,
           (double)STEP);
    spor_program_free(slope), spor_program_free(train), spor_params_free(params);
    spor_tape_free(tape), spor_data_free(data);
}
