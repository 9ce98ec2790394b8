#include "train/metrics.h"

#include <math.h>
#include <string.h>

const metric_kind *metric_of(spor_metric metric) {
    static const metric_kind kinds[] = {
        [SPOR_METRIC_FITTING] = {0},
        [SPOR_METRIC_ACCURACY] = {"accuracy", "accuracy", true, true},
        [SPOR_METRIC_RMSE] = {"rmse", "RMSE", false, false},
        [SPOR_METRIC_NONE] = {0},
    };
    return &kinds[metric];
}

spor_metric metric_named(const char *name) {
    spor_metric metric = SPOR_METRIC_FITTING;
    while (metric != SPOR_METRIC_NONE &&
           !(metric_of(metric)->name && !strcmp(metric_of(metric)->name, name)))
        metric++;
    return metric;
}

spor_score metrics_score(const spor_evaluation *e) {
    return (spor_score){.loss = e->loss,
                        .metric = e->metric == SPOR_METRIC_ACCURACY ? e->accuracy : e->rmse};
}

metrics_interval metrics_wilson(int64_t right, int64_t n) {
    const double z = 1.959963984540054; /* 0.975 of a normal distribution lie below */
    if (n <= 0) return (metrics_interval){nan(""), nan("")};
    double rows = (double)n, q = (double)right / rows, weight = z * z / rows;
    double middle = q + weight / 2, half = z * sqrt(q * (1 - q) / rows + weight / rows / 4);
    return (metrics_interval){fmax((middle - half) / (1 + weight), 0),
                              fmin((middle + half) / (1 + weight), 1)};
}

spor_class_score metrics_class_score(const spor_evaluation *evaluation, int label) {
    int classes = evaluation->classes;
    spor_class_score s = {.right = evaluation->confusion[label * classes + label]};
    for (int k = 0; k < classes; k++) {
        s.rows += evaluation->confusion[label * classes + k];
        s.predicted += evaluation->confusion[k * classes + label];
    }
    s.recall = s.rows ? (double)s.right / (double)s.rows : nan("");
    s.precision = s.predicted ? (double)s.right / (double)s.predicted : nan("");
    return s;
}

double metrics_balanced_accuracy(const spor_evaluation *evaluation) {
    double sum = 0;
    int occur = 0;
    for (int k = 0; k < evaluation->classes; k++) {
        spor_class_score s = metrics_class_score(evaluation, k);
        if (!s.rows) continue;
        sum += s.recall;
        occur++;
    }
    return occur ? sum / occur : nan("");
}
