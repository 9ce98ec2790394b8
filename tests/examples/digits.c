/* Trains 64 -> 32 -> 10 units on the first 1440 digits and counts how many of the rest it reads. */
#include <spor/spor.h>
enum { N = 32, TRAIN = 45 * N, EPOCHS = 30 }; /* N rows a step */

static spor_var dense(spor_var x, const char *name, int64_t n, int64_t m) {
    spor_scope_begin(x.tape, name); /* names the parameters: hidden/W, hidden/b */
    spor_var W = spor_param(x.tape, "W", SPOR_SHAPE(n, m), SPOR_INIT("glorot", 1));
    spor_var b = spor_param(x.tape, "b", SPOR_SHAPE(m), SPOR_INIT("constant", 0));
    spor_var z = spor_add(spor_matmul(x, W), spor_broadcast(b, SPOR_SHAPE(N, m)));
    return spor_scope_end(x.tape, z), z;
}

int main(void) {
    spor_message why;
    spor_data *data = spor_data_csv("data/digits.csv.gz", SPOR_SHAPE(64), 10, 1.0 / 16, &why);
    if (!data) return fprintf(stderr, "%s\n", why.text), 2;
    spor_tape *tape = spor_tape_new(); /* records shapes; no numbers yet */
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(N, 64));
    spor_var y = spor_input(tape, "y", SPOR_SHAPE(N, 10));
    spor_var logits = dense(spor_tanh(dense(x, "hidden", 64, 32)), "out", 32, 10);
    spor_var cost = spor_cross_entropy_mean(logits, y, NULL);
    spor_params *params = spor_params_new(SPOR_F32, 1); /* the numbers, drawn with seed 1 */
    spor_program *step = spor_compile_training(cost, 1, &logits, params, NULL);
    float *pixel = spor_program_arg(step, x).data, *target = spor_program_arg(step, y).data;
    const float *s = spor_program_arg(step, logits).data; /* scores, 10 a row */
    int64_t batch[N], right = 0, tested = 0;
    for (int epoch = 1; epoch <= EPOCHS && !spor_program_error(step); epoch++)
        for (int64_t row = 0; row + N <= data->rows; row += N) {
            for (int i = 0; i < N; i++) batch[i] = row + i;
            spor_data_rows(data, batch, N, SPOR_F32, pixel, target);
            if (spor_run(step, 0) && row < TRAIN) spor_params_sgd(params, 0.5, 0, false);
            for (int i = 0, best; row >= TRAIN && epoch == EPOCHS && i < N * 10; i += 10) {
                for (int k = best = 0; k < 10; k++) best = s[i + k] > s[i + best] ? k : best;
                tested++, right += data->label[row + i / 10] == best;
            }
        }
    if (spor_program_error(step)) return fprintf(stderr, "%s\n", spor_program_error(step)), 1;
    printf("%d of %d digits read right\n", (int)right, (int)tested);
    spor_program_free(step), spor_params_free(params), spor_tape_free(tape), spor_data_free(data);
}
