/* What exported files are made of: kernels/vmath.h, the sums of kernels/group.c and the chains of kernels/product.h
 * once more, in C99 that needs no library, with the bits that they have where nothing is fused. A file gets
 * the paragraphs whose functions it calls, with real as float or double, and net_ as its own prefix. */

static whole net_bits(real x) {
    whole bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static real net_of_bits(whole bits) {
    real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static real net_largest(void) {
#if NET_SINGLE
    return 0x1.fffffep127f;
#else
    return 0x1.fffffffffffffp1023;
#endif
}

static real net_infinity(void) {
#if NET_SINGLE
    return net_of_bits(INT32_C(0x7f800000));
#else
    return net_of_bits(INT64_C(0x7ff0000000000000));
#endif
}

static real net_not_a_number(void) {
#if NET_SINGLE
    return net_of_bits(INT32_C(0x7fc00000));
#else
    return net_of_bits(INT64_C(0x7ff8000000000000));
#endif
}

static real net_abs(real x) {
    return x < 0 ? -x : x == 0 ? 0 : x;
}

static uint64_t net_mix(uint64_t z) {
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* U[0, 1) with 24 bits, of (seed, element, step): that of base/random.h */
static real net_random(uint64_t seed, uint64_t element, uint64_t step) {
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t bits =
        net_mix(net_mix(net_mix(seed + golden) ^ (element + golden)) ^ (step + 2 * golden));
    return (real)((double)(bits >> 40) / 16777216.0);
}

/* y >= 0 with the sign of x */
static real net_with_sign(real y, real x) {
    return net_of_bits(net_bits(y) | (net_bits(x) & net_bits((real)-0.0)));
}

/* 2^n of an n within the exponents of normal numbers */
static real net_power_of_two(whole n) {
#if NET_SINGLE
    return net_of_bits((whole)((uint32_t)(n + 127) << 23));
#else
    return net_of_bits((whole)((uint64_t)(n + 1023) << 52));
#endif
}

/* (e^r - 1 - r) / r^2 of |r| <= (ln 2)/2, by Taylor's polynomial */
static real net_exp_rest(real r) {
#if NET_SINGLE
    real p = (float)(1.0 / 5040) * r + (float)(1.0 / 720);
#else
    real p = 1.0 / 6227020800.0 * r + 1.0 / 479001600;
    p = p * r + 1.0 / 39916800;
    p = p * r + 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
#endif
    p = p * r + (real)(1.0 / 120);
    p = p * r + (real)(1.0 / 24);
    p = p * r + (real)(1.0 / 6);
    return p * r + (real)0.5;
}

/* x = n ln 2 + r: returns e^r - 1 */
static real net_exp_reduce(real x, whole *n) {
#if NET_SINGLE
    const float rounder = 0x1.8p23f, high = 0x1.62e4p-1f, low = (float)0x1.7f7d1cf79abcap-20;
#else
    const double rounder = 0x1.8p52, high = 0x1.62e42fefap-1, low = 0x1.cf79abc9e3b3ap-40;
#endif
    const real shifted = x * (real)1.4426950408889634074 + rounder, count = shifted - rounder;
    real r = count * -high + x;
    *n = net_bits(shifted) - net_bits(rounder);
    r = count * -low + r;
    return r * r * net_exp_rest(r) + r;
}

/* x where e^x is neither 0 nor infinite, else the first number where it is; NaN stays */
static real net_exp_clamp(real x) {
#if NET_SINGLE
    const float most = 89, least = -105;
#else
    const double most = 710, least = -746;
#endif
    x = x > most ? most : x;
    return x < least ? least : x;
}

/* 2^n in two factors: n may leave the exponents of normal numbers at either end */
static real net_exp(real x) {
    whole n;
    const real m = net_exp_reduce(net_exp_clamp(x), &n);
    const whole half = n >> 1;
    return (m + 1) * net_power_of_two(half) * net_power_of_two(n - half);
}

/* e^x - 1 = 2^n ((e^r - 1) + (1 - 2^-n)) */
static real net_expm1(real x) {
#if NET_SINGLE
    const float least = -20;
#else
    const double least = -40;
#endif
    const real clamped = net_exp_clamp(x);
    whole n;
    const real m = net_exp_reduce(x < least ? least : clamped, &n);
    const whole half = n >> 1, back = n > 60 ? 60 : n;
    real y = m + (1 - net_power_of_two(-back));
    y = y * net_power_of_two(half) * net_power_of_two(n - half);
    return net_with_sign(net_abs(y), x);
}

/* of t = e^(2|x|) - 1: t / (t + 2), and 1 - 2 / (t + 2) of what is large */
static real net_tanh(real x) {
#if NET_SINGLE
    const float far = 10;
#else
    const double far = 20;
#endif
    const real size = net_abs(x), near = size > far ? far : size;
    const int large = near > (real)0.55;
    whole n;
    const real m = net_exp_reduce(near * 2, &n), scale = net_power_of_two(n);
    const real t = scale * m + (scale - 1), quotient = (large ? -2 : t) / (t + 2);
    return net_with_sign(large ? quotient + 1 : quotient, x);
}

/* of e = e^-|x| <= 1: 1 / (1 + e), or e / (1 + e) for negative x */
static real net_sigmoid(real x) {
    const real e = net_exp(-net_abs(x));
    return (x < 0 ? e : 1) / (e + 1);
}

static real net_relu(real x) {
    return x <= 0 ? 0 : x;
}

static real net_leaky_relu(real x, real slope) {
    return x > 0 ? x : x * slope;
}

/* n ln 2 + ln (1 + f), -1/4 <= f <= 1/2, by s = f / (f + 2): ln (1 + f) = 2 (s + s^3/3 + s^5/5 + ...) */
static real net_log_near(real n, real f) {
    const real s = f / (f + 2), q = s * s;
    real p, small;
#if NET_SINGLE
    const float high = 0x1.62e4p-1f, low = (float)0x1.7f7d1cf79abcap-20;
    p = (float)(2.0 / 11) * q + (float)(2.0 / 9);
#else
    const double high = 0x1.62e42fefap-1, low = 0x1.cf79abc9e3b3ap-40;
    p = 2.0 / 25 * q + 2.0 / 23;
    p = p * q + 2.0 / 21;
    p = p * q + 2.0 / 19;
    p = p * q + 2.0 / 17;
    p = p * q + 2.0 / 15;
    p = p * q + 2.0 / 13;
    p = p * q + 2.0 / 11;
    p = p * q + 2.0 / 9;
#endif
    p = p * q + (real)(2.0 / 7);
    p = p * q + (real)(2.0 / 5);
    p = p * q + (real)(2.0 / 3);
    small = n * low + s * (q * p + -f);
    return n * high + (f + small);
}

/* x = 2^n m with 3/4 <= m < 3/2 */
static whole net_exponent(real x) {
#if NET_SINGLE
    return (net_bits(x) - (126 * ((whole)1 << 23) + ((whole)1 << 22))) >> 23;
#else
    return (net_bits(x) - (1022 * ((whole)1 << 52) + ((whole)1 << 51))) >> 52;
#endif
}

static real net_without_exponent(real x, whole n) {
#if NET_SINGLE
    return net_of_bits(net_bits(x) - n * ((whole)1 << 23));
#else
    return net_of_bits(net_bits(x) - n * ((whole)1 << 52));
#endif
}

/* what is too small to be normal is scaled up first */
static real net_log(real x) {
#if NET_SINGLE
    const float normal = 0x1p-126f, scale = 0x1p23f, shift = 23;
    const float high = 0x1.62e4p-1f, low = (float)0x1.7f7d1cf79abcap-20;
#else
    const double normal = 0x1p-1022, scale = 0x1p52, shift = 52;
    const double high = 0x1.62e42fefap-1, low = 0x1.cf79abc9e3b3ap-40;
#endif
    const int small = x < normal;
    const real scaled = small ? x * scale : x;
    real y;
    whole n;
    if (x != x || x > net_largest()) return x;
    if (x <= 0) return x == 0 ? -net_infinity() : net_not_a_number();
    n = net_exponent(scaled);
    y = net_log_near((real)n, net_without_exponent(scaled, n) - 1);
    return small ? -shift * high + (-shift * low + y) : y;
}

/* ln (1 + x): near 0 of x itself; elsewhere ln u of u, 1 + x as it is rounded, and (1 + x - u) / u */
static real net_log1p(real x) {
    const int near = x > (real)-0.25 && x < (real)0.5;
    const real u = near ? 1 : x + 1, lost = x > 1 ? 1 - (u - x) : x - (u - 1);
    real y;
    whole n;
    if (x != x || x == 0 || x > net_largest()) return x;
    if (x <= -1) return x < -1 ? net_not_a_number() : -net_infinity();
    n = net_exponent(u);
    y = net_log_near((real)n, near ? x : net_without_exponent(u, n) - 1);
    return near ? y : y + lost / u;
}

/* of |x| <= 1 as x P(x^2), of larger ones as 1 - e^-G(|x| - 1) */
static real net_erf(real x) {
#if NET_SINGLE
    static const float near[] = {(float)1.1283791658483509,   (float)-0.37612626666720334,
                                 (float)0.11283594715160218,  (float)-0.026854212010626412,
                                 (float)0.005189087423433974, (float)-0.000801686428716587,
                                 (float)7.875875062685488e-05};
    static const float far[] = {(float)1.8496055173185741,     (float)2.6389667764471114,
                                (float)0.8431186657823877,     (float)0.041499688137878264,
                                (float)-0.00988953285476052,   (float)0.0018253072620843676,
                                (float)-0.00018536212614569296};
    const float one_from = 4;
#else
    static const double near[] = {
        1.1283791670955126,      -0.3761263890318375,     0.11283791670954879,
        -0.026866170645076792,   0.0052239776248180145,   -0.000854832698083379,
        0.0001205533111164271,   -1.4925595266831182e-05, 1.6461000484121368e-06,
        -1.6350312701054695e-07, 1.4659775274047436e-08,  -1.1372848856791674e-09,
        5.957176147748911e-11};
    static const double far[] = {
        1.8496055099332482,      2.638967514234788,      0.8431072563586793,
        0.04156109804175863,     -0.010033825373871208,  0.0019779025643374866,
        -0.00023732246575510705, -2.627792278921287e-05, 2.715921562554032e-05,
        -9.609063690358582e-06,  2.059962512288763e-06,  -1.4304036896269704e-07,
        -9.744117474138277e-08,  5.198742307700236e-08,  -1.4894049647764545e-08,
        2.8598158411861396e-09,  -3.67565506842264e-10,  2.8749814841919963e-11,
        -1.0362489895808562e-12};
    const double one_from = 6;
#endif
    const int nears = (int)(sizeof near / sizeof *near), fars = (int)(sizeof far / sizeof *far);
    const real size = net_abs(x), q = x * x, s = (size > one_from ? one_from : size) - 1;
    real p = near[nears - 1], g = far[fars - 1];
    int k;
    for (k = nears - 2; k >= 0; k--) p = p * q + near[k];
    for (k = fars - 2; k >= 0; k--) g = g * s + far[k];
    return size > 1 ? net_with_sign(1 - net_exp(-g), x) : x * p;
}

/* sin of x + turns pi/2: x less n pi/2 as high + low, by parts of pi/2 of few bits (Cody and Waite), with what each
 * difference rounds kept (Knuth); then Taylor's polynomials. Of |x| up to 4096 (double: 2^20); of a larger one it is
 * not a number */
static real net_turned(real x, whole turns) {
#if NET_SINGLE
    static const float part[] = {0x1.92p+0f, 0x1.fb4p-12f, 0x1.444p-24f, 0x1.68cp-39f,
                                 0x1.1a6264p-54f};
    const float rounder = 0x1.8p23f, most = 4096;
#else
    static const double part[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69,
                                  0x1.b839a252049c1p-104};
    const double rounder = 0x1.8p52, most = 1048576;
#endif
    const int parts = (int)(sizeof part / sizeof *part);
    const real shifted = x * (real)0.63661977236758134308 + rounder, count = shifted - rounder;
    real high = x - count * part[0], low = 0, sum, q, p, y;
    whole n;
    int k;
    if (!(net_abs(x) <= most)) return net_not_a_number();
    n = net_bits(shifted) - net_bits(rounder) + turns;
    for (k = 1; k < parts; k++) {
        const real less = -(count * part[k]), of = (high + less) - high;
        low += (high - ((high + less) - of)) + (less - of);
        high = high + less;
    }
    sum = high + low;
    low = low - (sum - high);
    high = sum;
    q = high * high;
    if (n & 1) {
        const real half = (real)0.5 * q, near = 1 - half;
#if NET_SINGLE
        p = (float)(-1.0 / 3628800) * q + (float)(1.0 / 40320);
#else
        p = 1.0 / 20922789888000.0 * q + -1.0 / 87178291200.0;
        p = p * q + 1.0 / 479001600;
        p = p * q + -1.0 / 3628800;
        p = p * q + 1.0 / 40320;
#endif
        p = p * q + (real)(-1.0 / 720);
        p = p * q + (real)(1.0 / 24);
        y = near + (q * q * p + (-high * low + ((1 - near) - half)));
    } else {
#if NET_SINGLE
        p = (float)(1.0 / 362880) * q + (float)(-1.0 / 5040);
#else
        p = 1.0 / 355687428096000.0 * q + -1.0 / 1307674368000.0;
        p = p * q + 1.0 / 6227020800.0;
        p = p * q + -1.0 / 39916800;
        p = p * q + 1.0 / 362880;
        p = p * q + -1.0 / 5040;
#endif
        p = p * q + (real)(1.0 / 120);
        p = p * q + (real)(-1.0 / 6);
        y = high + (high * q * p + ((real)-0.5 * q * low + low));
    }
    return n & 2 ? -y : y;
}

static real net_sin(real x) {
    return x == 0 ? x : net_turned(x, 0);
}

static real net_cos(real x) {
    return net_turned(x, 1);
}

/* a b less p, which is a b as it is rounded; exactly, by halves of the digits (Veltkamp, Dekker) */
static real net_product_rest(real a, real b, real p) {
#if NET_SINGLE
    const float by = 0x1.001p12f;
#else
    const double by = 0x1.0000002p27;
#endif
    const real wide_a = a * by, a1 = wide_a - (wide_a - a), a2 = a - a1;
    const real wide_b = b * by, b1 = wide_b - (wide_b - b), b2 = b - b1;
    return ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;
}

/* a b of numbers to twice the digits, a[0] + a[1] and b[0] + b[1], into to */
static void net_product_of_two(real to[2], const real a[2], const real b[2]) {
    const real p = a[0] * b[0];
    to[1] = net_product_rest(a[0], b[0], p) + (a[0] * b[1] + a[1] * b[0]);
    to[0] = p;
}

/* a + b of |a| >= |b|, or of a = 0, likewise */
static void net_sum_of_two(real to[2], const real a[2], const real b[2]) {
    const real sum = a[0] + b[0];
    to[1] = ((a[0] - sum) + b[0]) + (a[1] + b[1]);
    to[0] = sum;
}

/* log2 x of a positive, finite x = 2^n m, m between the roots of 1/2 and 2, to twice the digits: with
 * s = (m - 1) / (m + 1) log2 m = s (c0 + c1 s^2 + c2 s^4 + ...), ck = 2 / ln 2 / (2 k + 1) */
static void net_log2(real to[2], real x) {
#if NET_SINGLE
    enum { MANTISSA = 23 };
    const int32_t offset = INT32_C(0x3f3504f3); /* the bits of the root of 1/2 */
    const float tiny = 0x1p-126f, scale = 0x1p23f;
    static const float near[][2] = {{0x1.715476p+1f, 0x1.4ae0cp-25f},
                                    {0x1.ec709ep-1f, -0x1.e2fe02p-28f},
                                    {0x1.2776c6p-1f, -0x1.e20c8p-26f}};
    static const float far[] = {(float)0.4121985831111324, (float)0.3205988979753252,
                                (float)0.2623081892525388, (float)0.22195308321368667};
#else
    enum { MANTISSA = 52 };
    const int64_t offset = INT64_C(0x3fe6a09e667f3bcd);
    const double tiny = 0x1p-1022, scale = 0x1p52;
    static const double near[][2] = {{0x1.71547652b82fep+1, 0x1.777d0ffda0d24p-55},
                                     {0x1.ec709dc3a03fdp-1, 0x1.d27f05548af0cp-55},
                                     {0x1.2776c50ef9bfep-1, 0x1.e4b29ccc535d4p-55}};
    static const double far[] = {0.4121985831111324,  0.3205988979753252,  0.2623081892525388,
                                 0.22195308321368667, 0.19235933878519512, 0.16972882833987804,
                                 0.15186263588304877, 0.1373995277037108,  0.12545174268599682,
                                 0.11541560327111708};
#endif
    const int small = x < tiny;
    const whole bits = net_bits(small ? x * scale : x), n = (bits - offset) >> MANTISSA;
    const real f = net_of_bits(bits - n * ((whole)1 << MANTISSA)) - 1, sum = f + 2,
               lost = f - (sum - 2);
    const real quotient = f / sum, back = quotient * sum;
    real s[2], q[2], last[2] = {0, 0}, p = far[sizeof far / sizeof *far - 1];
    int k;
    s[0] = quotient;
    s[1] = (((f - back) - net_product_rest(quotient, sum, back)) - quotient * lost) / sum;
    net_product_of_two(q, s, s);
    for (k = (int)(sizeof far / sizeof *far) - 2; k >= 0; k--) p = p * q[0] + far[k];
    last[0] = q[0] * p;
    net_sum_of_two(to, near[2], last);
    for (k = 1; k >= 0; k--) {
        net_product_of_two(to, q, to);
        net_sum_of_two(to, near[k], to);
    }
    net_product_of_two(to, s, to);
    last[0] = (real)(n - (small ? MANTISSA : 0));
    net_sum_of_two(to, last, to);
}

/* 2^(e[0] + e[1]), neither beyond what is 0 or infinite: n + r, and 2^r = e^u, u = r ln 2 */
static real net_exp2(const real e[2]) {
#if NET_SINGLE
    static const float ln2[] = {0x1.62e43p-1f, -0x1.05c61p-29f};
    const float rounder = 0x1.8p23f;
#else
    static const double ln2[] = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
    const double rounder = 0x1.8p52;
#endif
    const real shifted = e[0] + rounder;
    const whole n = net_bits(shifted) - net_bits(rounder), half = n >> 1;
    real r[2] = {0, 0}, low[2] = {0, 0}, u[2], y, lost;
    r[0] = e[0] - (shifted - rounder);
    low[0] = e[1];
    net_sum_of_two(r, r, low);
    net_product_of_two(u, r, ln2);
    y = u[0] + 1;
    lost = u[0] - (y - 1);
    y += lost + (u[0] * u[0] * net_exp_rest(u[0]) + u[1] * y);
    return y * net_power_of_two(half) * net_power_of_two(n - half);
}

/* whole numbers, infinities too */
static int net_is_whole(real y) {
#if NET_SINGLE
    const float all_are = 0x1p23f;
#else
    const double all_are = 0x1p52;
#endif
    const real size = net_abs(y);
    return size >= all_are || (size + all_are) - all_are == size;
}

/* x^y = 2^(y log2 |x|), and what C's Annex F says of its ends */
static real net_pow(real x, real y) {
#if NET_SINGLE
    const float most = 0x1p33f, far = 160;
#else
    const double most = 0x1p65, far = 1100;
#endif
    const real size = net_abs(x);
    const int integer = net_is_whole(y), odd = integer && !net_is_whole(y * (real)0.5);
    const int endless = size > net_largest();
    real e[2], by[2] = {0, 0}, z;
    if (y == 0 || x == 1) return 1;
    if (x != x || y != y || (x < 0 && !endless && !integer)) return net_not_a_number();
    if (size == 0 || endless) {
        z = endless != (y < 0) ? net_infinity() : 0;
    } else {
        by[0] = y > most ? most : y < -most ? -most : y;
        net_log2(e, size);
        net_product_of_two(e, e, by);
        if (net_abs(e[0]) > far) {
            e[0] = e[0] > 0 ? far : -far;
            e[1] = 0;
        }
        z = net_exp2(e);
    }
    return odd ? net_with_sign(z, x) : z;
}

/* digit by digit, rounded as the hardware rounds its own: q has bits enough beyond those that are kept, the last
 * of which says whether anything is left */
static real net_sqrt(real x) {
#if NET_SINGLE
    enum { MANTISSA = 23, BIAS = 127, PAIRS = 13, MORE = 15 };
    const float tiny = 0x1p-126f, scale = 0x1p24f, back = 0x1p-12f;
#else
    enum { MANTISSA = 52, BIAS = 1023, PAIRS = 27, MORE = 29 };
    const double tiny = 0x1p-1022, scale = 0x1p54, back = 0x1p-27;
#endif
    const int small = x < tiny;
    whole bits, m, e;
    uint64_t q = 0, rest = 0;
    int k;
    if (!(x > 0) || x > net_largest()) return x < 0 ? net_not_a_number() : x;
    bits = net_bits(small ? x * scale : x);
    m = (bits & (((whole)1 << MANTISSA) - 1)) | ((whole)1 << MANTISSA);
    e = (bits >> MANTISSA) - BIAS - MANTISSA;
    if (e & 1) {
        m *= 2;
        e--;
    }
    for (k = PAIRS - 1; k >= -MORE; k--) {
        const uint64_t trial = q << 2 | 1;
        rest = rest << 2 | (k >= 0 ? (uint64_t)m >> 2 * k & 3 : 0);
        q <<= 1;
        if (rest >= trial) {
            rest -= trial;
            q |= 1;
        }
    }
    q |= rest != 0;
    return (real)(whole)q * net_power_of_two(e / 2 - MORE) * (small ? back : 1);
}

/* out[j] += sum over r of x[r step] w[r][j], one after the other: rows of w lie `row` apart */
static void net_add_products(real *restrict out, int columns, const real *restrict x, int step,
                             const real *restrict w, int row, int terms) {
    int r = 0, j;
    for (; r + 4 <= terms; r += 4, x += 4 * step, w += 4 * row) {
        const real x0 = x[0], x1 = x[step], x2 = x[2 * step], x3 = x[3 * step];
        const real *w1 = w + row, *w2 = w + 2 * row, *w3 = w + 3 * row;
        for (j = 0; j < columns; j++)
            out[j] = (((out[j] + x0 * w[j]) + x1 * w1[j]) + x2 * w2[j]) + x3 * w3[j];
    }
    for (; r < terms; r++, x += step, w += row)
        for (j = 0; j < columns; j++) out[j] = out[j] + x[0] * w[j];
}

/* out[j] += sum over r of x[r] w[j][r], one after the other: rows of w lie `row` apart */
static void net_add_turned(real *restrict out, int columns, const real *restrict x, int terms,
                           const real *restrict w, int row) {
    const int fours = columns - columns % 4;
    int j, r;
    for (j = 0; j < fours; j += 4, w += 4 * row) {
        const real *w1 = w + row, *w2 = w + 2 * row, *w3 = w + 3 * row;
        real y0 = out[j], y1 = out[j + 1], y2 = out[j + 2], y3 = out[j + 3];
        for (r = 0; r < terms; r++) {
            y0 = y0 + x[r] * w[r];
            y1 = y1 + x[r] * w1[r];
            y2 = y2 + x[r] * w2[r];
            y3 = y3 + x[r] * w3[r];
        }
        out[j] = y0;
        out[j + 1] = y1;
        out[j + 2] = y2;
        out[j + 3] = y3;
    }
    for (j = fours; j < columns; j++, w += row) {
        real y = out[j];
        for (r = 0; r < terms; r++) y = y + x[r] * w[r];
        out[j] = y;
    }
}

/* out[r][j] += x[r] y[j] */
static void net_add_outer(real *restrict out, const real *restrict x, int rows,
                          const real *restrict y, int columns) {
    int r, j;
    for (r = 0; r < rows; r++, out += columns)
        for (j = 0; j < columns; j++) out[j] = out[j] + x[r] * y[j];
}

/* the same of four, one after the other: their x lie `step` apart */
static void net_add_outer_four(real *restrict out, const real *restrict x, int step, int rows,
                               const real *restrict y, int columns) {
    const real *y1 = y + columns, *y2 = y1 + columns, *y3 = y2 + columns;
    int r, j;
    for (r = 0; r < rows; r++, out += columns) {
        const real x0 = x[r], x1 = x[r + step], x2 = x[r + 2 * step], x3 = x[r + 3 * step];
        for (j = 0; j < columns; j++)
            out[j] = (((out[j] + x0 * y[j]) + x1 * y1[j]) + x2 * y2[j]) + x3 * y3[j];
    }
}

/* the larger of two, the first of equals; what is not a number is larger than any */
static void net_keep_largest(real *restrict out, const real *restrict x, int count) {
    int j;
    for (j = 0; j < count; j++) out[j] = !(x[j] <= out[j]) && out[j] == out[j] ? x[j] : out[j];
}

/* the same, with the number of who it is */
static void net_keep_winners(real *restrict out, unsigned char *restrict winner,
                             const real *restrict x, int number, int count) {
    int j;
    for (j = 0; j < count; j++) {
        const int wins = !(x[j] <= out[j]) && out[j] == out[j];
        out[j] = wins ? x[j] : out[j];
        winner[j] = (unsigned char)(wins ? number : winner[j]);
    }
}

/* what of the errors is of this number's: elsewhere 0 */
static void net_put_winners(real *restrict out, const unsigned char *restrict winner,
                            const real *restrict error, int number, int count) {
    int j;
    for (j = 0; j < count; j++) {
        const real e = error[j];
        out[j] = winner[j] == number ? e : 0;
    }
}

static void net_add_winners(real *restrict out, const unsigned char *restrict winner,
                            const real *restrict error, int number, int count) {
    int j;
    for (j = 0; j < count; j++) {
        const real e = error[j];
        out[j] += winner[j] == number ? e : 0;
    }
}

static real net_larger(real largest, real x) {
    return !(x <= largest) && largest == largest ? x : largest;
}

/* sum of the lanes of a vector */
static real net_lanes_sum(const real *lane) {
#if NET_SINGLE
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
#else
    return lane[0] + lane[1];
#endif
}

/* sum of a row, in four chains of vectors */
static real net_sum_row(const real *x, int count) {
    real chain[4][NET_LANES] = {{0}}, lane[NET_LANES];
    int i = 0, k, l;
    for (; i + 4 * NET_LANES <= count; i += 4 * NET_LANES)
        for (k = 0; k < 4; k++)
            for (l = 0; l < NET_LANES; l++) chain[k][l] += x[i + k * NET_LANES + l];
    for (; i + NET_LANES <= count; i += NET_LANES)
        for (l = 0; l < NET_LANES; l++) chain[0][l] += x[i + l];
    for (l = 0; i < count; i++, l++) chain[1][l] += x[i];
    for (l = 0; l < NET_LANES; l++)
        lane[l] = (chain[0][l] + chain[1][l]) + (chain[2][l] + chain[3][l]);
    return net_lanes_sum(lane);
}

/* the largest of a row, in the same order */
static real net_largest_of_row(const real *x, int count) {
    real chain[4][NET_LANES], lane[NET_LANES];
    int i = 0, k, l;
    for (k = 0; k < 4; k++)
        for (l = 0; l < NET_LANES; l++) chain[k][l] = -net_infinity();
    for (; i + 4 * NET_LANES <= count; i += 4 * NET_LANES)
        for (k = 0; k < 4; k++)
            for (l = 0; l < NET_LANES; l++)
                chain[k][l] = net_larger(chain[k][l], x[i + k * NET_LANES + l]);
    for (; i + NET_LANES <= count; i += NET_LANES)
        for (l = 0; l < NET_LANES; l++) chain[0][l] = net_larger(chain[0][l], x[i + l]);
    for (l = 0; i < count; i++, l++) chain[1][l] = net_larger(chain[1][l], x[i]);
    for (l = 0; l < NET_LANES; l++)
        lane[l] =
            net_larger(net_larger(chain[0][l], chain[1][l]), net_larger(chain[2][l], chain[3][l]));
#if NET_SINGLE
    return net_larger(net_larger(lane[0], lane[2]), net_larger(lane[1], lane[3]));
#else
    return net_larger(lane[0], lane[1]);
#endif
}

/* sum += x; low, if there is one, += what that loses (Knuth's TwoSum) */
static void net_add(real *sum, real *low, real x) {
    const real before = *sum, after = before + x, added = after - before;
    if (low) *low += (before - (after - added)) + (x - added);
    *sum = after;
}

/* sum[j] += the rows' x[j], in four chains */
static void net_sum_columns(real *sum, real *low, const real *x, int rows, int length) {
    int j;
    for (j = 0; j < length; j++) {
        real chain[4] = {0};
        const real *at = x + j;
        int r = 0, k;
        for (; r + 4 <= rows; r += 4, at += 4 * length)
            for (k = 0; k < 4; k++) chain[k] += at[k * length];
        for (; r < rows; r++, at += length) chain[0] += at[0];
        net_add(sum + j, low ? low + j : 0, (chain[0] + chain[1]) + (chain[2] + chain[3]));
    }
}

/* largest[j] = the larger of it and the rows' x[j], in the same order */
static void net_largest_of_columns(real *largest, const real *x, int rows, int length) {
    int j;
    for (j = 0; j < length; j++) {
        real chain[4];
        const real *at = x + j;
        int r = 0, k;
        for (k = 0; k < 4; k++) chain[k] = -net_infinity();
        for (; r + 4 <= rows; r += 4, at += 4 * length)
            for (k = 0; k < 4; k++) chain[k] = net_larger(chain[k], at[k * length]);
        for (; r < rows; r++, at += length) chain[0] = net_larger(chain[0], at[0]);
        largest[j] = net_larger(
            largest[j], net_larger(net_larger(chain[0], chain[1]), net_larger(chain[2], chain[3])));
    }
}

/* sums with what rounding took of them; where that is no number it is none */
static void net_settle(real *sum, const real *low, int count) {
    int j;
    for (j = 0; j < count; j++) {
        const real both = sum[j] + low[j];
        sum[j] = both == both ? both : sum[j];
    }
}

/* sums of the columns of delta, in blocks of 128 rows; those of 1, 2, 4 ... blocks wait in `level` */
static void net_sum_rows(real *out, const real *delta, int rows, int columns, real *level) {
    int block = 0, left, j;
    for (; block * 128 < rows; block++, delta += 128 * columns)
        for (j = 0; j < columns; j++) {
            const int count = rows - block * 128 < 128 ? rows - block * 128 : 128;
            const real *at = delta + j;
            real chain[4] = {0}, sum, *to = level + j;
            int r = 0, k, before;
            for (; r + 4 <= count; r += 4, at += 4 * columns)
                for (k = 0; k < 4; k++) chain[k] += at[k * columns];
            for (; r < count; r++, at += columns) chain[0] += at[0];
            sum = (chain[0] + chain[1]) + (chain[2] + chain[3]);
            for (before = block; before & 1; before >>= 1, to += columns) sum += *to;
            *to = sum;
        }
    for (j = 0; j < columns; j++) {
        const real *from = level + j;
        real sum = 0;
        for (left = block; left; left >>= 1, from += columns)
            if (left & 1) sum += *from;
        out[j] = sum;
    }
}

/* of a row of logits l and labels y: sum(y) or 1, times logsumexp(l), - sum(y l); A = that times softmax(l), if it
 * is wanted. Sums along a row are made in vectors, 32 at a time; or one after the other */
static real net_cross_entropy(const real *l, const real *y, real *A, int count, int along,
                              int weighted) {
    const int lanes = along ? NET_LANES : 1, block = along ? 32 * NET_LANES : count;
    real all[NET_LANES] = {0}, dot[NET_LANES] = {0}, sum[NET_LANES] = {0};
    real most = l[0], shift, scale, logarithm;
    int from, m, k;
    for (m = 1; m < count; m++) most = net_larger(most, l[m]);
    shift = weighted || most - most >= 0 ? most : 0;
    for (from = 0; from < count; from += block) {
        const int end = count - from < block ? count : from + block;
        real a[NET_LANES] = {0}, d[NET_LANES] = {0}, s[NET_LANES] = {0};
        for (m = from, k = 0; m < end; m++, k = k + 1 < lanes ? k + 1 : 0) {
            const real e = net_exp(l[m] - most);
            a[k] += y[m];
            d[k] += y[m] * (l[m] - shift);
            s[k] += e;
            if (A) A[m] = e;
        }
        for (k = 0; k < lanes; k++) {
            all[k] += a[k];
            dot[k] += d[k];
            sum[k] += s[k];
        }
    }
    if (along) {
        all[0] = net_lanes_sum(all);
        dot[0] = net_lanes_sum(dot);
        sum[0] = net_lanes_sum(sum);
    }
    scale = (weighted ? all[0] : 1) / sum[0];
    if (A)
        for (m = 0; m < count; m++) A[m] *= scale;
    logarithm = net_log(sum[0]);
    if (weighted) return all[0] * logarithm - dot[0];
    return most - most >= 0 ? logarithm - dot[0] + most * (1 - all[0]) : most - dot[0];
}

static int net_are_finite(const real *x, int count) {
    int j;
    for (j = 0; j < count; j++)
        if (!(x[j] - x[j] == 0)) return 0;
    return 1;
}

static void net_fill(real *out, real value, int count) {
    int j;
    for (j = 0; j < count; j++) out[j] = value;
}
