/*
 * Backward passes as one writes them in C, for `spor verify --exec`:
 *
 *     spor verify kernels.spor --call layer_norm --block 64 --exec "./kernels {in} {out} layer_norm f32"
 *
 * Arrays are read from {in}/NAME.npy and gradients are written to {out}/dNAME.npy, in f32, or each result rounded to
 * bf16. The last argument plants a mistake, to see it found. With --before dE=dE_before the embedding's gradient is
 * added to that.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- .npy files ---- */

typedef struct {
    int n[4]; /* sizes; 1 behind the last axis */
    float *at;
} array;

static const char *in, *out; /* folders */
static bool bf16;

static float *taken[16]; /* all memory; given back at the end */
static int takes;

static void fail(const char *what, const char *name) {
    fprintf(stderr, "%s: %s\n", name, what);
    exit(1);
}

static float *take(size_t count) {
    float *numbers = calloc(count + 1, sizeof *numbers);
    if (!numbers) fail("out of memory", "kernels");
    return taken[takes++] = numbers;
}

static int size_of(const array *a) {
    return a->n[0] * a->n[1] * a->n[2] * a->n[3];
}

/* Shape and file of an array, row-major, as spor writes it, once its numbers are next:
 * {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
static FILE *begin(const char *name, const char *type, array *a) {
    char path[4096], head[4096] = "";
    unsigned char preamble[10];
    snprintf(path, sizeof path, "%s/%s.npy", in, name);
    FILE *file = fopen(path, "rb");
    if (!file || fread(preamble, 1, 10, file) != 10) fail("cannot be read", path);
    size_t length = (size_t)(preamble[8] | preamble[9] << 8);
    if (length >= sizeof head || fread(head, 1, length, file) != length)
        fail("cannot be read", path);
    const char *shape = strstr(head, "'shape': (");
    if (!shape || !strstr(head, type)) fail("has numbers of another type", path);
    shape += strlen("'shape': (");
    *a = (array){{1, 1, 1, 1}, NULL};
    for (int k = 0; k < 4 && *shape != ')'; k++) {
        char *end;
        a->n[k] = (int)strtol(shape, &end, 10);
        shape = end + strspn(end, ", ");
    }
    a->at = take((size_t)size_of(a));
    return file;
}

static array get(const char *name) {
    array a;
    FILE *file = begin(name, "<f4", &a);
    size_t count = (size_t)size_of(&a);
    if (fread(a.at, sizeof *a.at, count, file) != count) fail("is cut off", name);
    fclose(file);
    return a;
}

/* Labels and numbers of rows are int64; floats hold them here. */
static array get_whole(const char *name) {
    array a;
    FILE *file = begin(name, "<i8", &a);
    for (int k = 0; k < size_of(&a); k++) {
        int64_t number;
        if (fread(&number, sizeof number, 1, file) != 1) fail("is cut off", name);
        a.at[k] = (float)number;
    }
    fclose(file);
    return a;
}

static bool is_given(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.npy", in, name);
    FILE *file = fopen(path, "rb");
    return file && !fclose(file);
}

static array like(const array *a) {
    array d = *a;
    d.at = take((size_t)size_of(a));
    return d;
}

/* To the nearest, to even where two are. */
static uint16_t rounded(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* NumPy has no bfloat16; two bytes without a type are read as it. */
static void put(const char *name, int rank, const array *a) {
    char path[4096], head[118], shape[64] = "";
    for (int k = 0; k < rank; k++)
        snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%d, ", a->n[k]);
    snprintf(path, sizeof path, "%s/%s.npy", out, name);
    int used = snprintf(head, sizeof head, "{'descr': '%s', 'fortran_order': False, 'shape': (%s)}",
                        bf16 ? "<V2" : "<f4", shape);
    memset(head + used, ' ', sizeof head - (size_t)used);
    head[sizeof head - 1] = '\n';
    FILE *file = fopen(path, "wb");
    if (!file) fail("cannot be written", path);
    fwrite("\x93NUMPY\1\0\x76\0", 1, 10, file);
    fwrite(head, 1, sizeof head, file);
    for (int k = 0; k < size_of(a); k++) {
        uint16_t narrow = rounded(a->at[k]);
        fwrite(bf16 ? (const void *)&narrow : &a->at[k], bf16 ? 2 : 4, 1, file);
    }
    if (fclose(file)) fail("cannot be written", path);
}

/* ---- kernels; mistake is 0 in the right ones ---- */

/* 1: what goes through the mean is left out; 2: a block of 64 channels and no more gets dgamma; 3: the variance is
 * that of a sample, over C - 1. */
static void layer_norm(int mistake) {
    array x = get("x"), gamma = get("gamma"), beta = get("beta"), dY = get("dY");
    array dx = like(&x), dgamma = like(&gamma), dbeta = like(&beta);
    int N = x.n[0], C = x.n[1];
    for (int n = 0; n < N; n++) {
        const float *row = x.at + n * C, *dy = dY.at + n * C;
        float mean = 0, square = 0, through_mean = 0, through_deviation = 0;
        for (int c = 0; c < C; c++) mean += row[c] / (float)C;
        int over = mistake == 3 && C > 1 ? C - 1 : C;
        for (int c = 0; c < C; c++) square += (row[c] - mean) * (row[c] - mean) / (float)over;
        float deviation = sqrtf(square + 0.001F);
        for (int c = 0; c < C; c++) {
            float y = (row[c] - mean) / deviation, g = gamma.at[c] * dy[c];
            through_mean += g / (float)C;
            through_deviation += g * y / (float)C;
            if (mistake != 2 || c < 64) dgamma.at[c] += y * dy[c];
            dbeta.at[c] += dy[c];
        }
        if (mistake == 1) through_mean = 0;
        for (int c = 0; c < C; c++) {
            float y = (row[c] - mean) / deviation, g = gamma.at[c] * dy[c];
            dx.at[n * C + c] = (g - through_mean - y * through_deviation) / deviation;
        }
    }
    put("dx", 2, &dx);
    put("dgamma", 1, &dgamma);
    put("dbeta", 1, &dbeta);
}

/* 1: row i sees row i + 1 too; 2: dQ and dK lack the factor 1 / sqrt(d); 3: dS = P dP, without the row's sum. */
static void attention(int mistake) {
    array Q = get("Q"), K = get("K"), V = get("V"), dY = get("dY");
    array dQ = like(&Q), dK = like(&K), dV = like(&V);
    int N = Q.n[0], d = Q.n[1], e = V.n[1];
    float scale = 1 / sqrtf((float)d), back = mistake == 2 ? 1 : scale;
    float *P = take((size_t)N * 2), *dP = P + N;
    for (int i = 0; i < N; i++) {
        int seen = mistake == 1 && i + 1 < N ? i + 2 : i + 1;
        float most = -HUGE_VALF, sum = 0, D = 0;
        for (int j = 0; j < seen; j++) {
            P[j] = 0;
            for (int k = 0; k < d; k++) P[j] += scale * Q.at[i * d + k] * K.at[j * d + k];
            most = fmaxf(most, P[j]);
        }
        for (int j = 0; j < seen; j++) sum += P[j] = expf(P[j] - most);
        for (int j = 0; j < seen; j++) {
            P[j] /= sum;
            dP[j] = 0;
            for (int k = 0; k < e; k++) dP[j] += dY.at[i * e + k] * V.at[j * e + k];
            D += P[j] * dP[j];
        }
        for (int j = 0; j < seen; j++) {
            float dS = P[j] * (dP[j] - (mistake == 3 ? 0 : D)) * back;
            for (int k = 0; k < e; k++) dV.at[j * e + k] += P[j] * dY.at[i * e + k];
            for (int k = 0; k < d; k++) dQ.at[i * d + k] += dS * K.at[j * d + k];
            for (int k = 0; k < d; k++) dK.at[j * d + k] += dS * Q.at[i * d + k];
        }
    }
    put("dQ", 2, &dQ);
    put("dK", 2, &dK);
    put("dV", 2, &dV);
}

/* 1: ignored rows have a gradient; 2: the cotangent is taken for 1; 3: labels from 64 on are not found. */
static void cross_entropy(int mistake) {
    array z = get("z"), t = get_whole("t"), m = get("m"), dY = get("dY");
    array dz = like(&z);
    int N = z.n[0], K = z.n[1];
    for (int n = 0; n < N; n++) {
        const float *row = z.at + n * K;
        float most = row[0], sum = 0;
        float weight = (mistake == 1 ? 1 : m.at[n]) * (mistake == 2 ? 1 : dY.at[0]);
        for (int k = 0; k < K; k++) most = fmaxf(most, row[k]);
        for (int k = 0; k < K; k++) sum += expf(row[k] - most);
        for (int k = 0; k < K; k++) {
            float label = k == (int)t.at[n] && (mistake != 3 || k < 64) ? 1 : 0;
            dz.at[n * K + k] = weight * (expf(row[k] - most) / sum - label);
        }
    }
    put("dz", 2, &dz);
}

/* 1: of two rows with one label the later one stays; 2: label 0 is taken for padding; 3: tokens behind the first 64
 * are lost; 4: what was there before is overwritten. */
static void embedding(int mistake) {
    array E = get("E"), i = get_whole("i"), dY = get("dY");
    bool added = is_given("dE_before") && mistake != 4;
    array dE = added ? get("dE_before") : like(&E);
    int D = E.n[1], N = i.n[0];
    for (int n = 0; n < N; n++) {
        int label = (int)i.at[n];
        if ((mistake == 2 && !label) || (mistake == 3 && n >= 64)) continue;
        for (int k = 0; k < D; k++) {
            float *to = &dE.at[label * D + k];
            *to = (mistake == 1 ? 0 : *to) + dY.at[n * D + k];
        }
    }
    put("dE", 2, &dE);
}

/* 1: dK is rotated; 2: dx lacks its last column; 3: rows are taken to be H long. */
static void depthwise(int mistake) {
    array x = get("x"), K = get("K"), dY = get("dY");
    array dx = like(&x), dK = like(&K);
    int N = x.n[0], H = x.n[1], W = x.n[2], C = x.n[3], k = K.n[0], l = K.n[1];
    int P = H - k + 1, Q = W - l + 1;
    for (int n = 0; n < N; n++)
        for (int i = 0; i < P; i++)
            for (int j = 0; j < Q; j++)
                for (int u = 0; u < k; u++)
                    for (int v = 0; v < l; v++)
                        for (int c = 0; c < C; c++) {
                            int row = mistake == 3 ? H : W;
                            int at = ((n * H + i + u) * W + j + v) * C + c;
                            int from = ((n * H + i + u) * row + j + v) * C + c;
                            int weight = (u * l + v) * C + c;
                            int to = mistake == 1 ? ((k - 1 - u) * l + l - 1 - v) * C + c : weight;
                            float dy = dY.at[((n * P + i) * Q + j) * C + c];
                            if (from < N * H * W * C) dK.at[to] += dy * x.at[from];
                            if (mistake != 2 || j + v + 1 < W) dx.at[at] += dy * K.at[weight];
                        }
    put("dx", 4, &dx);
    put("dK", 3, &dK);
}

static const struct {
    const char *name;
    void (*run)(int mistake);
} kernels[] = {{"layer_norm", layer_norm},
               {"attention", attention},
               {"cross_entropy", cross_entropy},
               {"embedding", embedding},
               {"depthwise", depthwise}};

int main(int count, char **argument) {
    if (count < 5) fail("IN OUT KERNEL f32|bf16 [MISTAKE]", argument[0]);
    in = argument[1];
    out = argument[2];
    bf16 = !strcmp(argument[4], "bf16");
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++)
        if (!strcmp(kernels[k].name, argument[3])) {
            kernels[k].run(count > 5 ? atoi(argument[5]) : 0);
            while (takes) free(taken[--takes]);
            return 0;
        }
    fail("no such kernel", argument[3]);
    return 1;
}
