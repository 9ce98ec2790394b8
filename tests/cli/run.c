/* spor run as a user meets it: arrays in, arrays out, and what each mistake says. */
#include "suite.h"
#include "shell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/shape.h"
#include "data/npy.h"

#define CONV                                                                                       \
    "k = 2\n"                                                                                      \
    "def affine(A[N, n], W[n, m], b=0):\n    return tanh(A @ W + b) * k\n"                         \
    "def half(x):\n    return sum(x * x) / 2\n"                                                    \
    "def inverse(x):\n    return 1 / x\n"                                                          \
    "def same(x):\n    return x\n"                                                                 \
    "def two(x):\n    return x, x\n"                                                               \
    "def halves(x):\n    s = x * x\n    t = x / 2\n    return s, t\n"                              \
    "def number(x):\n    return 3\n"                                                               \
    "def nothing(x):\n    pass\n"                                                                  \
    "def net(x):\n    W = param([2, 3], \"glorot\", \"W\")\n"                                      \
    "    return x @ W + param([3], \"ones\", \"b\")\n"

static void save_doubles(const char *name, spor_shape shape, const double value[]) {
    spor_message message;
    ck_assert_msg(npy_write(name, &shape, SPOR_F64, value, &message), "%s", message.text);
}

/* The numbers of a file, of this type and shape. */
static void expect_array(const char *name, int width, spor_shape shape, const double want[],
                         double allowed) {
    spor_npy array;
    spor_message message = {""};
    ck_assert_msg(npy_read_doubles(name, &array, &message), "%s", message.text);
    ck_assert_int_eq(array.type.width, width);
    ck_assert_msg(shape_equal(&array.shape, &shape), "%s has rank %d", name, array.shape.rank);
    for (int64_t k = 0; k < shape_size(&shape); k++)
        ck_assert_msg(fabs(((double *)array.value)[k] - want[k]) <= allowed,
                      "%s[%d] is %.17g, not %.17g", name, (int)k, ((double *)array.value)[k],
                      want[k]);
    npy_free(&array);
}

static const double a[] = {0.5, -1, 0.25, 2}, w[] = {1, -0.5, 0.75, 0.25}, dy[] = {1, 2, -1, 0.5};

static void enter(void) {
    enter_folder();
    write_file("s.spor", CONV);
    save_doubles("a.npy", SPOR_SHAPE(2, 2), a);
    save_doubles("w.npy", SPOR_SHAPE(2, 2), w);
    save_doubles("dy.npy", SPOR_SHAPE(2, 2), dy);
}

/* y = 2 tanh(a w); dA = 2 dy (1 - tanh^2) w', dW = a' 2 dy (1 - tanh^2) */
static void expected(double y[4], double da[4], double dw[4]) {
    double delta[4];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            double t = tanh(a[2 * i] * w[j] + a[2 * i + 1] * w[2 + j]);
            y[2 * i + j] = 2 * t;
            delta[2 * i + j] = 2 * dy[2 * i + j] * (1 - t * t);
        }
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            da[2 * i + j] = delta[2 * i] * w[2 * j] + delta[2 * i + 1] * w[2 * j + 1];
            dw[2 * i + j] = a[i] * delta[j] + a[2 + i] * delta[2 + j];
        }
}

START_TEST(values_and_gradients_are_those_by_hand) {
    static const struct {
        const char *options;
        int width;
        double allowed;
    } rows[] = {{"", 4, 1e-6},
                {"--reference", 4, 1e-6},
                {"--double", 8, 1e-14},
                {"--double --reference", 8, 1e-14}};
    double y[4], da[4], dw[4];
    expected(y, da, dw);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        expect_status(
            run("spor run s.spor --call affine --in A=a.npy W=w.npy --cotangent dY=dy.npy --out "
                "Y=y.npy --grad dA=da.npy --grad dW=dw.npy %s",
                rows[k].options),
            0);
        ck_assert_str_eq(out, "");
        ck_assert_str_eq(err, "");
        expect_array("y.npy", rows[k].width, SPOR_SHAPE(2, 2), y, rows[k].allowed);
        expect_array("da.npy", rows[k].width, SPOR_SHAPE(2, 2), da, rows[k].allowed);
        expect_array("dw.npy", rows[k].width, SPOR_SHAPE(2, 2), dw, rows[k].allowed);
    }
}
END_TEST

START_TEST(a_scalar_has_a_gradient_by_itself) {
    expect_status(run("spor run s.spor --call half --in x=a.npy --grad dx=dx.npy --out y=y.npy"),
                  0);
    expect_array("dx.npy", 4, SPOR_SHAPE(2, 2), a, 0);
    expect_array("y.npy", 4, SPOR_SCALAR_SHAPE, (double[]){(0.25 + 1 + 0.0625 + 4) / 2}, 0);
    save_doubles("three.npy", SPOR_SCALAR_SHAPE, (double[]){3});
    expect_status(
        run("spor run s.spor --call half --in x=a.npy --grad dx=dx.npy --cotangent dy=three.npy"),
        0);
    expect_array("dx.npy", 4, SPOR_SHAPE(2, 2), (double[]){1.5, -3, 0.75, 6}, 0);
}
END_TEST

/* s = x^2, t = x / 2: dx = 2 x ds + dt / 2, where a cotangent that is left out is 0. */
START_TEST(several_results_have_names_and_cotangents) {
    double s[4], t[4], both[4], of_t[4];
    for (int k = 0; k < 4; k++) {
        s[k] = a[k] * a[k];
        t[k] = a[k] / 2;
        both[k] = 2 * a[k] * w[k] + dy[k] / 2;
        of_t[k] = dy[k] / 2;
    }
    expect_status(run("spor run s.spor --call halves --in x=a.npy --cotangent dt=dy.npy ds=w.npy "
                      "--out t=t.npy s=s.npy --grad dx=dx.npy --double"),
                  0);
    expect_array("s.npy", 8, SPOR_SHAPE(2, 2), s, 0);
    expect_array("t.npy", 8, SPOR_SHAPE(2, 2), t, 0);
    expect_array("dx.npy", 8, SPOR_SHAPE(2, 2), both, 1e-15);
    expect_status(run("spor run s.spor --call halves --in x=a.npy --cotangent dt=dy.npy "
                      "--out t=t.npy --grad dx=dx.npy --double"),
                  0);
    expect_array("dx.npy", 8, SPOR_SHAPE(2, 2), of_t, 1e-15);
}
END_TEST

START_TEST(settings_are_taken_and_words_behind_them) {
    double y[4], da[4], dw[4];
    expected(y, da, dw);
    for (int k = 0; k < 4; k++) y[k] *= 2;
    expect_status(
        run("spor run --set k=4 s.spor --call affine --out Y=y.npy --in W=w.npy A=a.npy --double"),
        0);
    expect_array("y.npy", 8, SPOR_SHAPE(2, 2), y, 1e-14);
}
END_TEST

START_TEST(a_value_may_be_an_operand_itself) {
    expect_status(
        run("spor run s.spor --call same --in x=a.npy --out y=b.npy --cotangent dy=dy.npy --grad "
            "dx=dx.npy"),
        0);
    expect_array("b.npy", 4, SPOR_SHAPE(2, 2), a, 0);
    expect_array("dx.npy", 4, SPOR_SHAPE(2, 2), dy, 0);
}
END_TEST

/* By whatever name; the folder of the weights is that of a run. */
START_TEST(what_is_read_stays) {
    static const char *const lines[] = {
        "--in x=a.npy --out y=a.npy",
        "--in x=a.npy --grad y=./a.npy",
        "--in x=a.npy --out y=link.npy",
        "--in x=b.npz:x --out y=b.npz",
        "--in x=a.npy --cotangent dy=dy.npy --grad y=dy.npy",
        "--in x=a.npy --out y=s.spor",
        "--in x=a.npy --weights w.npy --out y=w.npy",
        "--in x=a.npy --weights kept --out y=kept/weights.safetensors",
    };
    expect_status(run("ln -s a.npy link.npy; cp a.npy b.npz; mkdir kept was; "
                      "cp a.npy kept/weights.safetensors; cp *.np? s.spor was"),
                  0);
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        expect_status(run("spor run s.spor --call inverse %s", lines[k]), 2);
        ck_assert_str_eq(err,
                         "spor run: y would overwrite a file that is read: give it another one\n");
    }
    expect_status(run("for f in was/*; do cmp $f ${f#was/} || exit 1; done; "
                      "cmp a.npy kept/weights.safetensors"),
                  0);
}
END_TEST

/* ---- parameters ---- */

START_TEST(parameters_have_initial_values_by_seed_and_it_is_told) {
    save_doubles("d.npy", SPOR_SHAPE(2, 3), (double[]){1, 0, 0, 0, 0, 1});
    for (int seed = 0; seed < 2; seed++) {
        expect_status(
            run("spor run s.spor --call net --in x=a.npy --out y=y%d.npy --seed %d --grad "
                "dnet/W=dw.npy --grad dnet/b=db.npy dx=dx.npy --cotangent dy=d.npy",
                seed, seed),
            0);
        char told[128];
        snprintf(told, sizeof told, "net makes 2 parameters, at their initial values of seed %d;",
                 seed);
        expect_in(err, told);
    }
    ck_assert_int_ne(run("cmp y0.npy y1.npy"), 0);
    expect_array("db.npy", 4, SPOR_SHAPE(3), (double[]){1, 0, 1}, 0);
    expect_array("dw.npy", 4, SPOR_SHAPE(2, 3), (double[]){0.5, 0, 0.25, -1, 0, 2}, 0);
}
END_TEST

/* Weights of a training, by its folder and by their file. */
START_TEST(weights_of_a_run_are_taken) {
    write_file("t.spor",
               "def net(x):\n    return flatten(x) @ param([64, 10], \"normal\", \"W\")\n"
               "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"mean\"),\n"
               "      optimizer=sgd(rate=0.1), batch=32, epochs=1)\n");
    expect_status(run("spor train t.spor --out r --quiet"), 0);
    static double pixels[64];
    for (int k = 0; k < 64; k++) pixels[k] = k % 5 / 4.0;
    save_doubles("x.npy", SPOR_SHAPE(1, 8, 8, 1), pixels);
    expect_status(run("spor run t.spor --call net --in x=x.npy --out y=initial.npy"), 0);
    expect_status(run("spor run t.spor --call net --in x=x.npy --out y=folder.npy --weights r"), 0);
    ck_assert_str_eq(err, "");
    expect_status(run("spor run t.spor --call net --in x=x.npy --out y=file.npy --weights "
                      "r/weights.safetensors"),
                  0);
    ck_assert_int_eq(run("cmp folder.npy file.npy"), 0);
    ck_assert_int_ne(run("cmp folder.npy initial.npy"), 0);
    expect_status(run("spor run t.spor --call net --in x=x.npy --out y=y.npy --weights none"), 2);
    expect_in(err, "none");
}
END_TEST

/* ---- numbers that are none ---- */

START_TEST(what_is_not_finite_is_written_and_told) {
    save_doubles("x.npy", SPOR_SHAPE(2, 2), (double[]){1, 2, 0, -4});
    expect_status(run("spor run s.spor --call inverse --in x=x.npy --out y=y.npy"), 0);
    expect_in(err, "spor run: y: 1 of 4 numbers are not finite, the first is inf at [1, 0]");
    spor_npy array;
    ck_assert(npy_read_doubles("y.npy", &array, NULL));
    ck_assert(isinf(((double *)array.value)[2]));
    npy_free(&array);
    save_doubles("x.npy", SPOR_SHAPE(1), (double[]){1e300});
    expect_status(run("spor run s.spor --call same --in x=x.npy --out y=y.npy"), 2);
    expect_in(err, "x has 1e+300, which no float holds: --double");
    expect_status(run("spor run s.spor --call same --in x=x.npy --out y=y.npy --double"), 0);
}
END_TEST

/* ---- mistakes ---- */

static const struct {
    const char *options, *message;
} mistakes[] = {
    {"--in x=a.npy --out y=y.npy", "which def? --call DEF"},
    {"--call half --in x=a.npy", "nothing is asked for: --out Y=FILE.npy, --grad dX=FILE.npy"},
    {"--call halv --in x=a.npy --out y=y.npy", "s.spor has no def halv; did you mean half?"},
    {"--call half --in X=a.npy --out y=y.npy", "X is no operand of half"},
    {"--call affine --in A=a.npy A=w.npy --out y=y.npy", "A is given twice"},
    {"--call affine --in W=w.npy --out y=y.npy",
     "A is missing: operands are given in order, and W comes later"},
    {"--call affine --in A=a.npy --out y=y.npy", "affine needs W; it takes A, W, b"},
    {"--call half --in x=none.npy --out y=y.npy", "none.npy: cannot be opened"},
    {"--call half --in x=s.spor --out y=y.npy", "s.spor: is not a .npy file"},
    {"--call affine --in A=a.npy W=x3.npy --out y=y.npy",
     "affine: W is [n, m] with n=3, but n=2 from an argument before"},
    {"--call half --in x=complex.npy --out y=y.npy", "complex"},
    {"--call two --in x=a.npy --out y=y.npy", "two returns 2 tensors that have no names"},
    {"--call halves --in x=a.npy --out y=y.npy", "--out y: halves has no result of this name"},
    {"--call halves --in x=a.npy --out s=y.npy s=z.npy", "--out s is given twice"},
    {"--call halves --in x=a.npy --grad dx=dx.npy",
     "halves returns 2 tensors: give a cotangent, --cotangent ds=FILE.npy; those left out are "
     "zero"},
    {"--call halves --in x=a.npy --grad dx=dx.npy --cotangent dy=dy.npy",
     "--cotangent dy: d and the name of a result is expected, ds"},
    {"--call halves --in x=a.npy --grad dx=dx.npy --cotangent dt=x3.npy",
     "dt is [3, 3] but must be [2, 2]"},
    {"--call inverse --in x=a.npy --grad dx=dx.npy --cotangent dy=dy.npy dz=dy.npy",
     "--cotangent is one file: inverse returns one tensor"},
    {"--call number --in x=a.npy --out y=y.npy",
     "number must return a tensor, or several, but returns the integer 3"},
    {"--call nothing --in x=a.npy --out y=y.npy",
     "nothing must return a tensor, or several, but returns"},
    {"--call inverse --in x=a.npy --grad dx=dx.npy",
     "inverse returns [2, 2], and only a scalar has a gradient by itself: give a cotangent of this "
     "shape"},
    {"--call inverse --in x=a.npy --grad dx=dx.npy --cotangent dy=x3.npy",
     "the cotangent is [3, 3] but must be [2, 2]"},
    {"--call inverse --in x=a.npy --grad dx=dx.npy --cotangent y=dy.npy",
     "--cotangent y: d and the name"},
    {"--call inverse --in x=a.npy --grad dx=dx.npy --cotangent dx=dy.npy",
     "--cotangent dx: d and the name"},
    {"--call inverse --in x=a.npy --grad dx=dx.npy --cotangent dy=dy.npy --out z=y.npy",
     "--cotangent dy: by --out the result is called z"},
    {"--call inverse --in x=a.npy --out y=y.npy --cotangent dy=dy.npy",
     "--cotangent is for gradients"},
    {"--call half --in x=a.npy --grad x=dx.npy", "--grad x: d and the name of an operand of half"},
    {"--call half --in x=a.npy --grad dz=dx.npy",
     "--grad dz: d and the name of an operand of half"},
    {"--call half --in x=a.npy --grad dx=dx.npy dx=dz.npy", "--grad dx is given twice"},
    {"--call half --in x=a.npy --grad dx=y.npy --out y=y.npy",
     "dx would overwrite another result: give it a file of its own"},
    {"--call half --in x=a.npy --grad dx=./y.npy --out y=y.npy",
     "dx would overwrite another result: give it a file of its own"},
    {"--call affine --in A=a.npy W=w.npy --grad db=y.npy --cotangent dy=dy.npy",
     "--grad db: b must be given, --in b=FILE.npy"},
    {"--call half --in x=a.npy --out y=y.npy z=z.npy",
     "--out is one file: half returns one tensor"},
    {"--call half --in x=a.npy --out y=y.npy --seed -1", "--seed wants a whole number"},
    {"--call half --in x=a.npy --out y=none/y.npy", "none/y.npy: cannot be written"},
    {"--call half --in x=a.npy --out y=folder", "folder: cannot be written: Is a directory"},
    {"--call half --in x=a.npy --out y=y.npy --weights a.npy", "a.npy"},
    {"--call half --in x=a.npy --out y=y.npy --set k",
     "--set wants name=value, as in --set rate=0.1"},
    {"--call half --in x --out y=y.npy", "--in wants name=file, as in --in x=x.npy"},
    {"--call half --in x=a.npy --out y=y.npy other.spor", "only SCRIPT is expected"},
};
enum { MISTAKES = sizeof mistakes / sizeof mistakes[0] };

/* A header as numpy.save writes it, and zeros. */
static void save_header(const char *name, const char *header, size_t zeros) {
    FILE *file = fopen(name, "wb");
    unsigned char length[] = {1, 0, (unsigned char)strlen(header), 0};
    ck_assert(file != NULL);
    fwrite("\x93NUMPY", 1, 6, file);
    fwrite(length, 1, 4, file);
    fwrite(header, 1, strlen(header), file);
    for (size_t k = 0; k < zeros; k++) fputc(0, file);
    ck_assert(!fclose(file));
}

START_TEST(what_is_wrong_is_told_and_nothing_is_written) {
    save_doubles("x3.npy", SPOR_SHAPE(3, 3), (double[9]){1, 2, 3});
    save_header("complex.npy", "{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }\n", 16);
    ck_assert(!mkdir("folder", 0777));
    expect_status(run("spor run s.spor %s", mistakes[_i].options), 2);
    expect_in(err, mistakes[_i].message);
    ck_assert_str_eq(out, "");
    ck_assert(!exists("y.npy") && !exists("dx.npy") && !exists("z.npy"));
}
END_TEST

/* Of several files one can't be written: the others stay what they were, and nothing is left over. */
START_TEST(all_files_are_written_or_none) {
    write_file("dw.npy", "before");
    expect_status(run("spor run s.spor --call affine --in A=a.npy W=w.npy --cotangent dY=dy.npy "
                      "--out Y=y.npy "
                      "--grad dW=dw.npy dA=none/da.npy"),
                  2);
    expect_in(err, "none/da.npy: cannot be written");
    char text[MOST];
    read_file("dw.npy", text);
    ck_assert_str_eq(text, "before");
    ck_assert(!exists("y.npy"));
    expect_status(run("ls"), 0);
    ck_assert_msg(!strstr(out, ".spor-"), "%s", out);
}
END_TEST

/* Half, big-endian and fortran-ordered numbers are read as what they are. */
START_TEST(what_numpy_writes_otherwise_is_read) {
    static const unsigned char half[] = {0x3c, 0x00, 0xc0, 0x00,
                                         0x38, 0x00, 0x44, 0x00}; /* 1 -2 0.5 4 */
    FILE *file = fopen("h.npy", "wb");
    const char *header = "{'descr': '>f2', 'fortran_order': True, 'shape': (2, 2), }\n";
    unsigned char length[] = {1, 0, (unsigned char)strlen(header), 0};
    ck_assert(file != NULL);
    fwrite("\x93NUMPY", 1, 6, file);
    fwrite(length, 1, 4, file);
    fputs(header, file);
    fwrite(half, 1, sizeof half, file);
    ck_assert(!fclose(file));
    expect_status(run("spor run s.spor --call same --in x=h.npy --out y=y.npy"), 0);
    expect_array("y.npy", 4, SPOR_SHAPE(2, 2), (double[]){1, 0.5, -2, 4}, 0);
}
END_TEST

START_TEST(memory_that_is_not_there_is_told) {
    write_file("large.spor",
               "def f(x):\n    return flip(expand(x, axis=0, shape=[1000000000, 2, 2]), "
               "axis=[1, 2])\n");
    expect_status(run("ulimit -v 4000000; spor run large.spor --call f --in x=a.npy --out y=y.npy"),
                  2);
    ck_assert_msg(strstr(err, "memory"), "%s", err);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("run");
    TCase *tests = tcase_create("run");
    tcase_add_checked_fixture(tests, enter, leave_folder);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, values_and_gradients_are_those_by_hand);
    tcase_add_test(tests, a_scalar_has_a_gradient_by_itself);
    tcase_add_test(tests, several_results_have_names_and_cotangents);
    tcase_add_test(tests, settings_are_taken_and_words_behind_them);
    tcase_add_test(tests, a_value_may_be_an_operand_itself);
    tcase_add_test(tests, what_is_read_stays);
    tcase_add_test(tests, parameters_have_initial_values_by_seed_and_it_is_told);
    tcase_add_test(tests, weights_of_a_run_are_taken);
    tcase_add_test(tests, what_is_not_finite_is_written_and_told);
    tcase_add_loop_test(tests, what_is_wrong_is_told_and_nothing_is_written, 0, MISTAKES);
    tcase_add_test(tests, all_files_are_written_or_none);
    tcase_add_test(tests, what_numpy_writes_otherwise_is_read);
    if (!SANITIZED) tcase_add_test(tests, memory_that_is_not_there_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}
