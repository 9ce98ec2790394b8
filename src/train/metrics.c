#include "train/metrics.h"

#include <math.h>

double spor_standard_error(double p, int64_t n) {
    return n > 0 ? sqrt(p * (1 - p) / (double)n) : nan("");
}

spor_class_score spor_class_score_of(const spor_evaluation *evaluation, int label) {
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

double spor_balanced_accuracy(const spor_evaluation *evaluation) {
    double sum = 0;
    int occur = 0;
    for (int k = 0; k < evaluation->classes; k++) {
        spor_class_score s = spor_class_score_of(evaluation, k);
        if (!s.rows) continue;
        sum += s.recall;
        occur++;
    }
    return occur ? sum / occur : nan("");
}
