#include "train/metrics.h"

#include <math.h>

double metrics_standard_error(double p, int64_t n) {
    return n > 0 ? sqrt(p * (1 - p) / (double)n) : nan("");
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
