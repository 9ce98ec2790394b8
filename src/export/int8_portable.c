/* What files of --int8 are made of, and what spor runs itself: loops over bytes, in C99 whose results no standard
 * leaves open. A file gets the paragraphs whose functions it calls, with net_ as its own prefix. A value is
 * scale (byte - zero). */

/* (sum factor) / 2^shift to the nearest, of two the upper; |factor| < 2^31, 1 <= shift <= 62. Nothing negative is
 * shifted: 2^62 is added and taken away again. */
static int64_t net_int8_requantize(int32_t sum, int32_t factor, int shift) {
    const uint64_t above = (uint64_t)1 << 62, half = (uint64_t)1 << (shift - 1);
    const uint64_t lifted = (uint64_t)((int64_t)sum * factor) + above + half;
    return (int64_t)(lifted >> shift) - (int64_t)(above >> shift);
}

/* a byte within least and most */
static int8_t net_int8_clamp(int64_t value, int least, int most) {
    return (int8_t)(value < least ? least : value > most ? most : value);
}

/* out[i] = x[i] / scale + zero, to the nearest byte, or, within 2^-14 of the middle of two, either; what is not a
 * number becomes the least */
static void net_int8_quantize(int8_t *restrict out, const float *restrict x, float inverse,
                              int zero, int count) {
    int i;
    for (i = 0; i < count; i++) {
        const float scaled = x[i] * inverse;
        const float kept = !(scaled > -512) ? -512 : scaled > 512 ? 512 : scaled;
        const int up = (int)(kept + 1024.5f);
        out[i] = net_int8_clamp(up - 1024 + zero, -128, 127);
    }
}

static void net_int8_dequantize(float *restrict out, const int8_t *restrict x, float scale,
                                int zero, int count) {
    int i;
    for (i = 0; i < count; i++) out[i] = (float)(x[i] - zero) * scale;
}

/* sum[f] += the sum of x[k] w[f][k], of four rows of w; x is made wider first, for which processors have words */
static void net_int8_dot_four(int32_t sum[4], const int8_t *restrict x, const int8_t *restrict w,
                              int terms) {
    int16_t wide[256];
    int k, i;
    for (k = 0; k < terms; k += 256) {
        const int n = terms - k < 256 ? terms - k : 256;
        const int8_t *w0 = w + k, *w1 = w0 + terms, *w2 = w1 + terms, *w3 = w2 + terms;
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (i = 0; i < n; i++) wide[i] = x[k + i];
        for (i = 0; i < n; i++) {
            s0 += wide[i] * (int16_t)w0[i];
            s1 += wide[i] * (int16_t)w1[i];
            s2 += wide[i] * (int16_t)w2[i];
            s3 += wide[i] * (int16_t)w3[i];
        }
        sum[0] += s0;
        sum[1] += s1;
        sum[2] += s2;
        sum[3] += s3;
    }
}

static int32_t net_int8_dot(const int8_t *restrict x, const int8_t *restrict w, int terms) {
    int32_t sum = 0;
    int k;
    for (k = 0; k < terms; k++) sum += (int16_t)x[k] * (int16_t)w[k];
    return sum;
}

/* out[r][f] of the sum over k of x[r][k] w[f][k], and bias[f] */
static void net_int8_rows(int8_t *restrict out, const int8_t *restrict x, const int8_t *restrict w,
                          const int32_t *restrict bias, const int32_t *restrict factor,
                          const uint8_t *restrict shift, int zero, int least, int most, int rows,
                          int terms, int columns) {
    int r, f, i;
    for (r = 0; r < rows; r++, x += terms, out += columns)
        for (f = 0; f < columns; f += 4) {
            const int n = columns - f < 4 ? columns - f : 4;
            int32_t sum[4] = {0, 0, 0, 0};
            if (n == 4)
                net_int8_dot_four(sum, x, w + f * terms, terms);
            else
                for (i = 0; i < n; i++) sum[i] = net_int8_dot(x, w + (f + i) * terms, terms);
            for (i = 0; i < n; i++)
                out[f + i] = net_int8_clamp(
                    zero + net_int8_requantize(bias[f + i] + sum[i], factor[f + i], shift[f + i]),
                    least, most);
        }
}

/* the same of windows of height x length bytes, the rows of a window `row` bytes apart, which are put in one row of
 * `terms`, with zeros behind them */
static void net_int8_correlate(int8_t *restrict out, const int8_t *restrict x,
                               int8_t *restrict cells, const int8_t *restrict w,
                               const int32_t *restrict bias, const int32_t *restrict factor,
                               const uint8_t *restrict shift, int zero, int least, int most,
                               int terms, int height, int length, int row, int P, int down, int Q,
                               int right, int columns) {
    int p, q, u;
    memset(cells, 0, (size_t)terms);
    for (p = 0; p < P; p++)
        for (q = 0; q < Q; q++, out += columns) {
            const int8_t *from = x + p * down + q * right;
            for (u = 0; u < height; u++) memcpy(cells + u * length, from + u * row, (size_t)length);
            net_int8_rows(out, cells, w, bias, factor, shift, zero, least, most, 1, terms, columns);
        }
}

/* channel by channel: windows of k x l cells, `below` and `beside` bytes apart; w is [k, l, C], or 0 where all are 1 */
static void net_int8_apart(int8_t *restrict out, const int8_t *restrict x, const int8_t *restrict w,
                           const int32_t *restrict bias, const int32_t *restrict factor,
                           const uint8_t *restrict shift, int zero, int least, int most, int k,
                           int below, int l, int beside, int P, int down, int Q, int right, int C) {
    int p, q, u, v, c, i;
    for (p = 0; p < P; p++)
        for (q = 0; q < Q; q++, out += C)
            for (c = 0; c < C; c += 16) {
                const int8_t *from = x + p * down + q * right + c;
                const int n = C - c < 16 ? C - c : 16;
                int32_t sum[16];
                for (i = 0; i < n; i++) sum[i] = bias[c + i];
                for (u = 0; u < k; u++)
                    for (v = 0; v < l; v++) {
                        const int8_t *cell = from + u * below + v * beside;
                        const int8_t *weight = w ? w + (u * l + v) * C + c : cell;
                        for (i = 0; i < n; i++) sum[i] += w ? weight[i] * cell[i] : cell[i];
                    }
                for (i = 0; i < n; i++)
                    out[c + i] = net_int8_clamp(
                        zero + net_int8_requantize(sum[i], factor[c + i], shift[c + i]), least,
                        most);
            }
}

/* the largest of windows of k x l cells, of those that lie in the map [H, W, C] */
static void net_int8_largest(int8_t *restrict out, const int8_t *restrict x, int H, int W, int C,
                             int k, int l, int P, int Q, int down, int right, int top, int left) {
    int p, q, u, v, c;
    for (p = 0; p < P; p++)
        for (q = 0; q < Q; q++, out += C) {
            const int u0 = p * down - top, v0 = q * right - left;
            memset(out, -128, (size_t)C);
            for (u = u0 < 0 ? 0 : u0; u < u0 + k && u < H; u++)
                for (v = v0 < 0 ? 0 : v0; v < v0 + l && v < W; v++) {
                    const int8_t *cell = x + (u * W + v) * C;
                    for (c = 0; c < C; c++) out[c] = cell[c] > out[c] ? cell[c] : out[c];
                }
        }
}

/* out[i] is what the table has for x[i]; out may be x */
static void net_int8_look_up(int8_t *out, const int8_t *x, const int8_t *table, int count) {
    int i;
    for (i = 0; i < count; i++) out[i] = table[x[i] + 128];
}

/* (a - a_zero) a_factor + (b - b_zero) b_factor, of factors below 2^22 in size */
static void net_int8_add(int8_t *out, const int8_t *a, const int8_t *b, int a_zero,
                         int32_t a_factor, int b_zero, int32_t b_factor, int shift, int zero,
                         int least, int most, int count) {
    int i;
    for (i = 0; i < count; i++)
        out[i] = net_int8_clamp(
            zero + net_int8_requantize((a[i] - a_zero) * a_factor + (b[i] - b_zero) * b_factor, 1,
                                       shift),
            least, most);
}

/* (a - a_zero) (b - b_zero) factor */
static void net_int8_multiply(int8_t *out, const int8_t *a, const int8_t *b, int a_zero, int b_zero,
                              int sign, int32_t factor, int shift, int zero, int least, int most,
                              int count) {
    int i;
    for (i = 0; i < count; i++)
        out[i] = net_int8_clamp(
            zero + net_int8_requantize(sign * (a[i] - a_zero) * (b[i] - b_zero), factor, shift),
            least, most);
}
