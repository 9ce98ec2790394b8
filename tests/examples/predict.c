/* What a trained network predicts: predict RUN, with the numbers of samples on standard input. */
#include <spor/spor.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    spor_model *model = spor_model_load(argc > 1 ? argv[1] : "runs/net"); /* needs no data */
    int64_t columns = spor_model_columns(model), size = spor_model_sample(model);
    if (spor_model_error(model)) return fprintf(stderr, "%s\n", spor_model_error(model)), 2;
    double *x = calloc((size_t)size, sizeof *x), *y = calloc((size_t)columns, sizeof *y);
    for (int64_t k = 0; x && y && scanf("%lf", &x[k]) == 1;) {
        if (++k < size) continue;
        k = 0;
        if (!spor_model_predict(model, 1, x, y)) break;
        for (int64_t c = 0; c < columns; c++) printf("%s%.9g", c ? " " : "", y[c]);
        putchar('\n');
    }
    spor_model_free(model);
    free(x), free(y);
}
