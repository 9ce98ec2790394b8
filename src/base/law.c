#include "base/law.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/random.h"

static double constant(double spread, uint64_t seed, uint64_t element) {
    (void)seed, (void)element;
    return spread;
}
static double zero(double spread, uint64_t seed, uint64_t element) {
    (void)spread, (void)seed, (void)element;
    return 0;
}
static double normal(double spread, uint64_t seed, uint64_t element) {
    return spread * random_gaussian(seed, element);
}
static double uniform(double spread, uint64_t seed, uint64_t element) {
    return spread * (2 * random_uniform(seed, element, 0) - 1);
}

static double as_given(double fan_in, double fan_out) {
    (void)fan_in, (void)fan_out;
    return 1;
}
static double glorot(double fan_in, double fan_out) {
    return sqrt(6 / (fan_in + fan_out));
}
static double he(double fan_in, double fan_out) {
    (void)fan_out;
    return sqrt(2 / fan_in);
}
static double lecun(double fan_in, double fan_out) {
    (void)fan_out;
    return 1 / sqrt(fan_in);
}

static const spor_law laws[] = {{"constant", constant, as_given},
                                {"zeros", zero, as_given},
                                {"ones", constant, as_given},
                                {"normal", normal, as_given},
                                {"uniform", uniform, as_given},
                                {"glorot", uniform, glorot},
                                {"he", normal, he},
                                {"lecun", normal, lecun}};

const spor_law *law_find(const char *name) {
    for (size_t k = 0; name && k < sizeof laws / sizeof *laws; k++)
        if (!strcmp(laws[k].name, name)) return &laws[k];
    return NULL;
}

const char *law_names(void) {
    return "constant, zeros, ones, normal, uniform, glorot, he, lecun";
}
