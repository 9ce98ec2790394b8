/*
 * Gradients of kernels: spor verify --arrays, --emit and --exec on the C kernels of tests/examples/kernels.c, right and
 * with planted mistakes, and on commands that misbehave.
 */
#include "suite.h"
#include "shell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "data/bundle.h"
#include "support/xml.h"

#define SPEC "\"$SPOR_SOURCE/tests/examples/kernels.spor\""
#define KERNEL "\\\"$SPOR_EXAMPLES/kernels\\\""

/* ---- kernels that are right, and wrong ---- */

static const struct {
    const char *name, *block;
} kernels[] = {{"layer_norm", "64"},
               {"attention", "64"},
               {"cross_entropy", "64"},
               {"embedding", "64"},
               {"depthwise", "5"}};
/* Each process takes long under sanitizers: there f32 alone. */
enum { KERNELS = sizeof kernels / sizeof *kernels, TYPES = SANITIZED ? 1 : 2 };

static int try_kernel(int k, const char *type, const char *more) {
    return run("spor verify " SPEC " --call %s --block %s --exec \"" KERNEL
               " {in} {out} %s %s\" %s",
               kernels[k].name, kernels[k].block, kernels[k].name, type, more);
}

START_TEST(right_kernels_are_confirmed) {
    static const char *const types[] = {"f32", "bf16"};
    for (int t = 0; t < TYPES; t++) {
        expect_status(try_kernel(_i, types[t], ""), 0);
        expect_in(out, " probes: ");
        expect_in(out, "same bits twice                 2 probes");
        ck_assert_int_eq(count_of(out, "rounded once to bf16") > 0, t);
        ck_assert_ptr_null(strstr(out, "not looked at"));
        ck_assert_ptr_null(strstr(out, "0 of 0"));
    }
}
END_TEST

/* The smallest sizes at which each planted mistake shows, by hand. */
static const struct {
    int kernel;
    const char *mistake, *shown, *looks; /* looks: what it looks like, "" if nothing is said */
} mistakes[] = {
    {0, "1", "dx                              N=1, C=1: dx[0, 0] is ",
     "; a term is left out: what comes back through sub (line 5)"},
    {0, "2", "dgamma                          N=1, C=65: dgamma[64] is 0 but must be ", ""},
    {0, "3", "dx                              N=1, C=2: ", ""},
    {1, "1", "dQ                              N=2, d=1, e=1: ", ""},
    {1, "2", "dQ                              N=2, d=2, e=1: ", ""},
    {1, "3", "dQ                              N=1, d=1, e=1: ", ""},
    {2, "1", "N=3, K=2: ", "; the factor m (line 18) is left out"},
    {2, "2", "N=1, K=2: ", "; dY is forgotten"},
    {2, "3", "N=1, K=65: dz[0, 64] is ", ""},
    {3, "1", "V=1, D=1, N=2: dE[0, 0] is ", ""},
    {3, "2", "V=1, D=1, N=1: dE[0, 0] is 0 but must be ", ""},
    {3, "3", "V=1, D=1, N=65: dE[0, 0] is ", ""},
    {4, "1", "N=1, H=1, W=2, C=1, k=1, l=2: dK[", "; rotated by 180 degrees"},
    {4, "2", "N=1, H=1, W=1, C=1, k=1, l=1: dx[0, 0, 0, 0] is 0 but must be ", ""},
    {4, "3", "N=1, H=2, W=1, C=1, k=1, l=1: dK[", ""},
};
enum { MISTAKES = sizeof mistakes / sizeof *mistakes };

START_TEST(planted_mistakes_are_found_at_the_smallest_sizes) {
    for (int t = 0; t < TYPES; t++) {
        char type[16];
        snprintf(type, sizeof type, "%s %s", t ? "bf16" : "f32", mistakes[_i].mistake);
        expect_status(try_kernel(mistakes[_i].kernel, type, "--quiet"), 1);
        expect_in(out, "DOES NOT HOLD");
        if (!t) expect_in(out, mistakes[_i].shown);
        if (!t) expect_in(out, mistakes[_i].looks);
        expect_in(out, "fails at ");
    }
}
END_TEST

/* ---- commands that misbehave ---- */

#define GOOD KERNEL " {in} {out} layer_norm f32"

static const struct {
    const char *command, *options;
    int status;
    const char *shown, *told;
} commands[] = {
    {GOOD "; printf x >>{in}/x.npy", "", 1, "CHANGED          inputs are unchanged", ""},
    {GOOD "; rm {out}/dgamma.npy", "", 1, "NOT WRITTEN      every output is written", ""},
    {GOOD "; rm {out}/dgamma.npy", "", 1, "N=1, C=1: dgamma.npy is not there any more", ""},
    {"true {in} {out}", "", 1, "dx: the NaN that was there before is there still", ""},
    {GOOD "; cp {out}/dbeta.npy {out}/dx.npy", "", 1, "DOES NOT FIT     outputs have their shapes",
     ""},
    {GOOD "; cp {out}/dbeta.npy {out}/dx.npy", "", 1, "N=1, C=1: dx is [1] but must be [1, 1]", ""},
    {GOOD "; head -c 4 /dev/urandom >>{out}/dbeta.npy", "", 1, "dbeta.npy: has ", ""},
    {GOOD "; head -c 2 /dev/urandom | dd of={out}/dbeta.npy bs=1 seek=128 conv=notrunc", "", 1,
     "DIFFERS          same bits twice", ""},
    {"test \\$(wc -c <{in}/gamma.npy) -gt 132 && " GOOD, "", 1,
     "DOES NOT RUN     it runs                         N=1, C=1: ended with status 1", ""},
    {"test \\$(wc -c <{in}/gamma.npy) -gt 132 || kill -9 \\$\\$; " GOOD, "", 1,
     "was killed by signal 9", ""},
    {"test \\$(wc -c <{in}/gamma.npy) -gt 132 || kill -XFSZ \\$\\$; " GOOD, "", 1,
     "was killed by signal ", ""}, /* which spor ignores */
    {"echo no such GPU >&2; exit 3 # {in} {out}", "", 2, "",
     "the command ended with status 3: no such GPU"},
    {"nothing-like-it {in} {out}", "", 2, "", "ended with status 127"},
    {"sleep 60 # {in} {out}", "--timeout 1", 2, "", "was not done after 1 seconds"},
    {GOOD, "--timeout 0", 2, "", "--timeout"},
    {KERNEL " layer_norm", "", 2, "", "--exec wants {in} and {out}"},
    {GOOD, "--block 1", 2, "", "--block wants at most 8 sizes"},
    {GOOD, "--block 64,x", 2, "", "--block wants at most 8 sizes"},
    {GOOD, "--github --json", 2, "", "--github can't be given with it"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

START_TEST(what_no_formula_shows_is_seen) {
    expect_status(run("mkdir \"it's\"; export TMPDIR=\"$PWD/it's\"; spor verify " SPEC
                      " --call layer_norm --exec \"%s\" %s",
                      commands[_i].command, commands[_i].options),
                  commands[_i].status);
    expect_in(out, commands[_i].shown);
    expect_in(err, commands[_i].told);
    expect_status(run("rmdir \"it's\""), 0); /* nothing is left there */
}
END_TEST

START_TEST(a_def_that_is_not_there_is_told) {
    expect_status(run("spor verify " SPEC " --call layer_nrm --emit p"), 2);
    expect_in(err, "there is no def layer_nrm");
    write_file("s.spor", "def f(x):\n    return x\ndef g(x[N], k):\n    return k * x\n");
    expect_status(run("spor verify s.spor --call f --emit p"), 2);
    expect_in(err, "f has no shapes in its signature");
    expect_status(run("spor verify s.spor --call g --emit p"), 2);
    expect_in(err, "k of g has neither a shape nor a default");
    expect_status(run("spor verify s.spor --emit p"), 2);
    expect_in(err, "--call DEF");
}
END_TEST

/* Asked to stop, it stops the command too, and leaves nothing behind. */
START_TEST(a_stop_reaches_the_command) {
    expect_status(
        run("mkdir t; TMPDIR=$PWD/t \"$SPOR_PROGRAM\" verify " SPEC
            " --call layer_norm --exec 'echo $$ >pid.part; mv pid.part pid; sleep 60; : "
            "{in} {out}' & "
            "while ! test -e pid && kill -0 $!; do sleep 0.05; done; kill -TERM $!; wait $!"),
        2);
    expect_in(err, "stopped");
    expect_status(run("kill -0 $(cat pid)"), 1);
    expect_status(run("ls t | wc -l"), 0);
    expect_in(out, "0\n");
}
END_TEST

/* ---- probes ---- */

static spor_bundle read_bundle(const char *path) {
    spor_bundle bundle;
    spor_message message = {""};
    ck_assert_msg(bundle_read(path, &bundle, &message), "%s", message.text);
    return bundle;
}

static bool held_by_bf16(double number) {
    int exponent;
    double part = frexp(number, &exponent) * 256;
    return part == floor(part);
}

/* In all three forms the same numbers, short ones, and a cotangent that is nowhere 0 and not the same everywhere. */
static void check_probe(int k, double *largest) {
    char path[3][64];
    snprintf(path[0], 64, "p/probe-%03d/arrays.npz", k);
    snprintf(path[1], 64, "p/probe-%03d/arrays.safetensors", k);
    spor_bundle npz = read_bundle(path[0]), tensors = read_bundle(path[1]);
    ck_assert_int_eq(npz.count, tensors.count);
    for (int j = 0; j < npz.count; j++) {
        const spor_npy *a = &npz.item[j].array, *b = bundle_find(&tensors, npz.item[j].name);
        spor_npy one;
        snprintf(path[2], 64, "p/probe-%03d/%.30s.npy", k, npz.item[j].name);
        ck_assert(npy_read_doubles(path[2], &one, NULL));
        int64_t size = shape_size(&a->shape), differ = 0;
        ck_assert(b && shape_equal(&a->shape, &b->shape) && shape_equal(&a->shape, &one.shape));
        bool cotangent = !strcmp(npz.item[j].name, "dY");
        for (int64_t i = 0; i < size; i++) {
            double x = ((double *)a->value)[i];
            ck_assert(x == ((double *)b->value)[i] && x == ((double *)one.value)[i]);
            ck_assert(held_by_bf16(x));
            ck_assert(!cotangent || x != 0);
            differ += x != ((double *)a->value)[0];
        }
        ck_assert(!cotangent || size < 4 || differ);
        *largest = fmax(*largest, (double)a->shape.n[0]);
        npy_free(&one);
    }
    bundle_free(&npz);
    bundle_free(&tensors);
}

START_TEST(probes_decide_and_are_the_same_again) {
    double largest = 0;
    expect_status(run("spor verify " SPEC " --call layer_norm --block 64 --emit p"), 0);
    expect_in(out, "16 probes of layer_norm are in p; probes.txt says what each is for");
    ck_assert_ptr_null(strstr(out, "nothing was examined"));
    for (int k = 1; k <= 16; k++) check_probe(k, &largest);
    ck_assert(largest == 129);
    ck_assert(!exists("p/probe-017"));
    expect_status(run("cat p/probes.txt"), 0);
    expect_in(out, "N=3, C=5: sizes that differ\n");
    expect_in(out, "N=1, C=1: every size is 1\n");
    expect_in(out, "C is 63, one less than a block");
    expect_in(out, "C is 65, one more than a block");
    expect_in(out, "C is 129, one more than two blocks");
    expect_in(out, "N=65, C=65: N and C are 65, one more than a block");
    expect_in(out, "x [3, 65], gamma [65], beta [65], dY [3, 65]  ->  dx [3, 65], dgamma [65], "
                   "dbeta [65]\n");
    expect_status(run("spor verify " SPEC " --call layer_norm --block 64 --emit q; diff -r p q"),
                  0);
    expect_status(run("spor verify " SPEC " --call layer_norm --block 64 --seed 1 --emit q; "
                      "diff -rq p q"),
                  1);
    expect_status(run("spor verify " SPEC " --call depthwise --block 8 --emit d; cat d/probes.txt"),
                  0);
    expect_in(out, "k is 17, one more than two blocks");
    ck_assert_ptr_null(strstr(out, "Left out"));
}
END_TEST

#define RUN_F                                                                                      \
    "'$SPOR_PROGRAM' run k.spor --call f --in x={in}/x.npy --cotangent dY={in}/dY.npy --grad "     \
    "dx={out}/dx.npy"

/* Kernels in tiles are wrong where the last ones of two axes meet, or behind the second one, alone. */
START_TEST(corners_and_third_blocks_are_probed) {
    static const struct {
        const char *turn, *shown;
    } kernels_in_tiles[] = {
        {"N > 8 and M > 8", "N=9, M=9: N and M are 9, one more than a block\n"},
        {"N > 16", "N=17, M=5: N is 17, one more than two blocks\n"},
        {"M > 16", "N=3, M=17: M is 17, one more than two blocks\n"},
    };
    char text[128];
    write_file("s.spor", "def f(x[N, M]):\n    return x * x\n");
    snprintf(text, sizeof text, "def f(x[N, M]):\n    return 3 * x if %s else x * x\n",
             kernels_in_tiles[_i].turn);
    write_file("k.spor", text);
    expect_status(run("spor verify s.spor --call f --block 8 --exec \"" RUN_F "\""), 1);
    expect_in(out, "fails at 1 of 16 probes:\n");
    expect_in(out, kernels_in_tiles[_i].shown);
}
END_TEST

/* Ranges that are stated hold for two sizes as for one; what is not probed is told. */
START_TEST(probes_that_are_left_out_are_told) {
    write_file("s.spor", "def f(x[N, M]) where N <= 8:\n    return x * x\n"
                         "def g(x[N, M], y[K, L], z[D, E], v[F]):\n"
                         "    return sum(x) * sum(y) * sum(z) * v\n");
    expect_status(run("spor verify s.spor --call f --block 8 --emit p; cat p/probes.txt"), 0);
    expect_in(out, "M is 17, one more than two blocks\n");
    expect_in(out, "N and M are 9, one more than a block.\n");
    expect_status(run("spor verify s.spor --call f --block 4 --emit q; cat q/probes.txt"), 0);
    expect_in(out, "N=5, M=5: ");
    expect_status(run("spor verify s.spor --call g --block 2048 --emit r; cat r/probes.txt"), 0);
    expect_in(out, "D is 4097, one more than two blocks\n");
    expect_in(out, "they are too large or too many: N and M are 2049, one more than a block; ");
    expect_status(run("spor verify s.spor --call g --block 8,9,10,11,12,13,14,15 --emit t; cat "
                      "t/probes.txt"),
                  0);
    expect_in(out, "200 probes of g are in t");
    expect_in(out, "one more than a block; ....\n");
}
END_TEST

/* A mask of 0 and 1 and labels: the last class, the first, and one of them twice. */
START_TEST(labels_of_probes_have_the_ends) {
    write_file("s.spor", "def f(z[N, K], t[N, K] in one_hot, m[N] in [0, 1]):\n"
                         "    return sum(m * (logsumexp(z, axis=1) - sum(z * t, axis=1)))\n");
    expect_status(run("spor verify s.spor --call f --emit p"), 0);
    spor_bundle bundle = read_bundle("p/probe-001/arrays.npz");
    const double *t = bundle_find(&bundle, "t")->value, *m = bundle_find(&bundle, "m")->value;
    ck_assert(t[4] == 1 && t[5] == 1 && t[14] == 1);
    ck_assert(m[0] == 1 && m[1] == 1 && m[2] == 0);
    bundle_free(&bundle);
}
END_TEST

/* Whole numbers as rows of a table, and a batch of 0: spor run is the kernel. */
START_TEST(rows_by_number_and_none_at_all_are_probed) {
    write_file("s.spor", "def f(E[V, D], i[N] in 0..V-1) where N >= 0:\n    return take(E, i)\n");
    expect_status(run("spor verify s.spor --call f --emit p"), 0);
    spor_bundle bundle = read_bundle("p/probe-001/arrays.safetensors");
    const spor_npy *i = bundle_find(&bundle, "i"), *E = bundle_find(&bundle, "E");
    double last = (double)(E->shape.n[0] - 1);
    ck_assert(((double *)i->value)[0] == last && ((double *)i->value)[1] == 0);
    ck_assert(raw_is_whole(i->type) && i->type.width == 8 && !raw_is_whole(E->type));
    bundle_free(&bundle);
    expect_status(run("cat p/probes.txt"), 0);
    ck_assert_ptr_null(strstr(out, "di ["));
    expect_in(out, "N is 0\n");
    expect_status(
        run("spor verify s.spor --call f --exec \"'$SPOR_PROGRAM' run s.spor --call f --in "
            "E={in}/E.npy i={in}/i.npy --cotangent dY={in}/dY.npy --grad "
            "dE={out}/dE.npy\""),
        0);
}
END_TEST

/* In files they are whole numbers of the width that is asked for; what a command writes may be, too. */
START_TEST(whole_numbers_of_probes_are_integers) {
    static const char *const options[] = {"", "--integers int64", "--integers int32"};
    write_file("s.spor", "def f(x[N], i[N] in 0..3):\n    P = x * x\n    J = i + 1 - 1\n"
                         "    return P, J\n");
    for (int k = 0; k < 3; k++) {
        expect_status(run("rm -rf p; spor verify s.spor --call f --emit p %s", options[k]), 0);
        int width = k == 2 ? 4 : 8;
        static const char *const files[] = {"arrays.npz", "arrays.safetensors"};
        spor_npy one;
        for (int f = 0; f < 2; f++) {
            char path[64];
            snprintf(path, sizeof path, "p/probe-001/%s", files[f]);
            spor_bundle bundle = read_bundle(path);
            raw_type type = bundle_find(&bundle, "i")->type;
            ck_assert(type.kind == RAW_SIGNED && type.width == width && !type.big);
            bundle_free(&bundle);
        }
        ck_assert(npy_read_doubles("p/probe-001/i.npy", &one, NULL));
        ck_assert(one.type.kind == RAW_SIGNED && one.type.width == width);
        ck_assert(((double *)one.value)[0] == 3 && ((double *)one.value)[1] == 0);
        npy_free(&one);
        expect_status(run("cat p/probes.txt"), 0);
        expect_in(out, k == 2 ? "whole numbers as int32;" : "whole numbers as int64;");
        expect_status(run("spor verify s.spor --call f %s --exec \"'$SPOR_PROGRAM' run s.spor "
                          "--call f --in x={in}/x.npy i={in}/i.npy --cotangent dP={in}/dP.npy "
                          "--grad dx={out}/dx.npy && cp {in}/i.npy {out}/J.npy\"",
                          options[k]),
                      0);
        expect_in(out, "  holds            J ");
    }
    expect_status(run("spor verify s.spor --call f --emit p --integers int16"), 2);
    expect_in(err, "int64 int32");
}
END_TEST

/* A def with two results has a cotangent for each. */
START_TEST(kernels_of_two_results_are_judged) {
    write_file("s.spor", "def f(x[N], y[N]):\n    P = x * y\n    S = sum(x)\n    return P, S\n");
#define TWO                                                                                        \
    "spor verify s.spor --call f --exec \"'$SPOR_PROGRAM' run s.spor --call f --in x={in}/x.npy "  \
    "y={in}/y.npy --cotangent dP={in}/dP.npy %s --grad dx={out}/dx.npy dy={out}/dy.npy\""
    expect_status(run(TWO, "dS={in}/dS.npy"), 0);
    expect_in(out, "  holds            dx ");
    expect_in(out, "  holds            dy ");
    expect_status(run(TWO, ""), 1);
    expect_in(out, "DOES NOT HOLD    dx                              N=1: ");
    expect_in(out, "  holds            dy ");
    expect_status(
        run("spor verify s.spor --call f --emit p; spor run s.spor --call f --in "
            "x=p/probe-001/x.npy y=p/probe-001/y.npy --cotangent dP=p/probe-001/dP.npy "
            "dS=p/probe-001/dS.npy --grad dx=dx.npy; spor verify s.spor --call f --arrays "
            "p/probe-001/arrays.npz --against dx=dx.npy"),
        0);
    ck_assert_ptr_null(strstr(out, "not looked at"));
}
END_TEST

/* A kernel may write its results as well: P is right, and S is right, or what k.spor has for it. */
START_TEST(values_of_two_results_are_judged) {
    write_file("s.spor", "def f(x[N], y[N]):\n    P = x * y\n    S = sum(x)\n    return P, S\n");
    write_file("k.spor", "def f(x, y):\n    P = x * y\n    S = sum(x) + 1\n    return P, S\n");
#define VALUES                                                                                     \
    "spor verify s.spor --call f --exec \"'$SPOR_PROGRAM' run %s --call f --in x={in}/x.npy "      \
    "y={in}/y.npy --cotangent dP={in}/dP.npy dS={in}/dS.npy --grad dx={out}/dx.npy "               \
    "dy={out}/dy.npy --out P={out}/P.npy %s\""
    expect_status(run(VALUES, "s.spor", "S={out}/S.npy"), 0);
    expect_in(out, "  holds            P ");
    expect_in(out, "  holds            S ");
    expect_status(run(VALUES, "k.spor", ""), 0);
    ck_assert_ptr_null(strstr(out, "  holds            S "));
    expect_status(run(VALUES, "k.spor", "S={out}/S.npy"), 1);
    expect_in(out, "  holds            P ");
    expect_in(out, "DOES NOT HOLD    S                               N=1: S is ");
    expect_status(run("spor verify s.spor --call f --emit p >/dev/null; for k in s k; do "
                      "spor run $k.spor --call f --in x=p/probe-001/x.npy y=p/probe-001/y.npy "
                      "--out P=P.npy S=$k.npy; done; spor verify s.spor --call f --arrays "
                      "p/probe-001/arrays.npz --against P=P.npy S=s.npy"),
                  0);
    expect_in(out, "2 hold");
    expect_status(run("spor verify s.spor --call f --arrays p/probe-001/arrays.npz --against "
                      "P=P.npy S=k.npy"),
                  1);
    expect_in(out, "  holds            P ");
    expect_in(out, "DOES NOT HOLD    S                               S is ");
    expect_status(run("spor verify s.spor --call f --arrays p/probe-001/arrays.npz --against "
                      "T=P.npy"),
                  2);
    expect_in(err, "--against T: d and the name of an operand of f is expected, or a result");
}
END_TEST

/* ---- ties ---- */

/* A kernel by spor run: where x is 0 its slope is 1, and that of relu is 0. */
START_TEST(any_slope_around_a_tie_is_right) {
    write_file("s.spor", "def f(x[N, M]):\n    return relu(x)\n");
    write_file("k.spor", "def f(x):\n    return where(less(x, 0 * x), 0 * x, x)\n"
                         "def g(x):\n    return where(less(x, 0 * x), 0 * x, 2 * x)\n");
#define RUN                                                                                        \
    "spor verify s.spor --call f %s --exec \"'$SPOR_PROGRAM' run k.spor --call %s "                \
    "--in x={in}/x.npy --cotangent dY={in}/dY.npy --grad dx={out}/dx.npy\""
    expect_status(run(RUN, "", "f"), 0);
    expect_in(out, " at ties by another slope than spor's");
    expect_status(run(RUN, "--ties spor", "f"), 1);
    expect_in(out, "DOES NOT HOLD    dx");
    expect_status(run(RUN, "", "g"), 1);
    expect_status(run("spor verify s.spor --call f --emit p >/dev/null; for k in f g; do "
                      "spor run k.spor --call $k --in x=p/probe-002/x.npy --cotangent "
                      "dY=p/probe-002/dY.npy --grad dx=$k.npy; done"),
                  0);
#define TIES "spor verify s.spor --call f --arrays p/probe-002/arrays.npz --against dx=%s.npy %s"
    expect_status(run(TIES, "f", ""), 0);
    expect_in(out, " at ties by another slope than spor's");
    expect_status(run(TIES, "f", "--ties spor"), 1);
    expect_status(run(TIES, "g", ""), 1);
}
END_TEST

/* ---- files of arrays ---- */

#define EMIT "spor verify " SPEC " --call layer_norm --block 64 --emit p >/dev/null && mkdir o && "
#define GIVEN "spor verify " SPEC " --call layer_norm --arrays p/probe-013/arrays.safetensors "
#define AGAINST "--against dx=o/dx.npy dgamma=o/dgamma.npy dbeta=o/dbeta.npy "

START_TEST(arrays_of_a_file_are_judged) {
    static const char *const types[] = {"f32", "bf16"};
    for (int t = 0; t < 2; t++) {
        expect_status(run("rm -rf o; " EMIT
                          "\"$SPOR_EXAMPLES/kernels\" p/probe-013 o layer_norm %s "
                          "&& " GIVEN AGAINST,
                          types[t]),
                      0);
        expect_in(out, "holds            dgamma                          65 of 65 values judged");
        ck_assert_int_eq(count_of(out, "rounded once to bf16"), t ? 3 : 0);
        expect_status(run("rm -rf o; " EMIT "\"$SPOR_EXAMPLES/kernels\" p/probe-013 o layer_norm "
                          "'%s' 2 && " GIVEN AGAINST " --github --html page.html",
                          types[t]),
                      1);
        expect_in(out, "dgamma[64] is 0 but must be ");
        expect_in(out, "\n::error file=");
        expect_in(out,
                  "kernels.spor,line=4,col=1,title=dgamma::DOES NOT HOLD: dgamma[64] is 0 but");
    }
    read_file("page.html", out);
    xml_check(out, strlen(out));
    expect_in(out, "<svg class=\"elements\"");
    expect_in(out, "<title>dgamma: 1 of 65 elements are wrong</title>");
    ck_assert_int_eq(count_of(out, "<svg"), 1);
}
END_TEST

START_TEST(names_of_a_file_are_told) {
    expect_status(run(EMIT "\"$SPOR_EXAMPLES/kernels\" p/probe-013 o layer_norm f32 && "
                           "cp o/dx.npy o/dz.npy && " GIVEN),
                  2);
    expect_in(err, "no gradient of layer_norm is given: --arrays FILE with dX in it");
    expect_status(run("spor verify " SPEC " --call embedding --arrays p/probe-013/arrays.npz "
                      "--against dE=o/dx.npy"),
                  2);
    expect_in(out, "not looked at    x                               is neither an operand of "
                   "embedding nor d and one, nor Y or dY");
    expect_status(run(GIVEN "--against dx=o/dx.npy --before dz=o/dx.npy"), 2);
    expect_in(err, "--before dz: that is no gradient that was given");
    expect_status(run(GIVEN "--against dx=o/dx.npy --before dx=o/dbeta.npy"), 2);
    expect_in(err, "what is there before is [65] but must be [3, 65]");
    expect_status(run(GIVEN "--in x=o/dx.npy --against dx=o/dx.npy"), 2);
    expect_in(err, "x is given twice");
    expect_status(run("spor verify " SPEC " --call layer_norm --arrays o/dx.npy"), 2);
    expect_in(err, "is one array, and it has no name");
    expect_status(run("spor verify " SPEC " --arrays p/probe-013/arrays.npz"), 2);
    expect_in(err, "arrays are of which def? --call DEF");
    expect_status(run("spor verify " SPEC " --call layer_norm --in x=p/probe-013/x.npy "
                      "gamma=p/probe-013/gamma.npy beta=p/probe-013/beta.npy "
                      "--against dx=o/dx.npy"),
                  1);
    expect_in(out, "not looked at    dY                              is not given: judged with a "
                   "cotangent of 1");
}
END_TEST

/* A kernel that overwrites what it should have added to. */
START_TEST(what_was_there_before_is_added_to) {
    static const float before[5] = {1, -2, 0.5, 8, -0.25};
    spor_shape five = SPOR_SHAPE(5);
    spor_npy d;
    float sum[5];
    expect_status(run(EMIT "\"$SPOR_EXAMPLES/kernels\" p/probe-001 o layer_norm f32"), 0);
    ck_assert(npy_read_doubles("o/dbeta.npy", &d, NULL));
    for (int k = 0; k < 5; k++) sum[k] = before[k] + (float)((double *)d.value)[k];
    npy_free(&d);
    ck_assert(npy_write("before.npy", &five, SPOR_F32, before, NULL));
    ck_assert(npy_write("sum.npy", &five, SPOR_F32, sum, NULL));
#define BEFORE                                                                                     \
    "spor verify " SPEC " --call layer_norm --arrays p/probe-001/arrays.npz --before "             \
    "dbeta=before.npy --against dbeta="
    expect_status(run(BEFORE "sum.npy"), 0);
    expect_in(out, "8 complex steps");
    expect_status(run(BEFORE "o/dbeta.npy"), 1);
    expect_in(out, "; what was there before is overwritten, not added to");
}
END_TEST

/* What lies in the output, and is given by its name, is added to. */
START_TEST(kernels_that_add_up_are_judged) {
    static const struct {
        const char *before, *command;
        int status;
        const char *shown, *told;
    } rows[] = {
        {"dE=dE_before", KERNEL " {in} {out} embedding f32", 0, "holds            dE", ""},
        {"dE=dE_before", KERNEL " {in} {out} embedding bf16", 0, "rounded once to bf16", ""},
        {"dE=dE_before", KERNEL " {in} {out} embedding f32 4", 1,
         "; what was there before is overwritten, not added to", ""},
        {"dE=dE_before", KERNEL " {in} {out} embedding f32 2", 1, "V=1, D=1, N=1: dE[0, 0] is ",
         ""},
        {"dE=old", KERNEL " {in} {out} embedding f32", 1, "is overwritten, not added to", ""},
        {"dE=dE_before", "true {in} {out}", 1, "DOES NOT HOLD    dE", ""},
        {"dE=old",
         "cp {out}/dE.npy {in}/dE_before.npy && " KERNEL
         " {in} {out} embedding f32 && rm {in}/dE_before.npy",
         0, "holds            dE", ""},
        {"di=old", "true {in} {out}", 2, "", "--before di: embedding has no such gradient"},
        {"dE=E", "true {in} {out}", 2, "", "--before dE=E: probes have what was there before as"},
        {"dE=dE", "true {in} {out}", 2, "", "give it a name that no other one has"},
        {"dE=a/b.npy", "true {in} {out}", 2, "", "give it a name that no other one has"},
        {"dE=a dE=b", "true {in} {out}", 2, "", "--before dE twice"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        if (SANITIZED && k > 2 && !rows[k].told[0]) continue;
        expect_status(run("spor verify " SPEC " --call embedding --before %s --exec \"%s\"",
                          rows[k].before, rows[k].command),
                      rows[k].status);
        expect_in(out, rows[k].shown);
        expect_in(err, rows[k].told);
    }
    expect_status(run("spor verify " SPEC " --call embedding --before dE=dE_before --emit p && "
                      "mkdir o && \"$SPOR_EXAMPLES/kernels\" p/probe-001 o embedding f32 && "
                      "spor verify " SPEC " --call embedding --arrays p/probe-001/arrays.npz "
                      "--against dE=o/dE.npy --before dE=dE_before"),
                  0);
    expect_in(out, "holds            dE");
    ck_assert_ptr_null(strstr(out, "not looked at"));
    expect_status(run("cat p/probes.txt"), 0);
    expect_in(out, "--against dX=probe-001/dX.npy --before dE=dE_before\n");
    expect_in(out, "E [3, 5], i [2], dY [2, 5], dE_before [3, 5]  ->  dE [3, 5]\n");
    /* what it looks like is read of what was added */
    write_file("s.spor", "def f(x[N]):\n    return x * x * x\n");
    write_file("k.spor", "def k(x, dY, b):\n    return b + 3 * x * x\n");
    expect_status(
        run("spor verify s.spor --call f --before dx=b --exec \"'$SPOR_PROGRAM' run k.spor "
            "--call k --in x={in}/x.npy dY={in}/dY.npy b={in}/b.npy --out "
            "Y={out}/dx.npy\""),
        1);
    expect_in(out, "; dY is forgotten");
}
END_TEST

/* ---- for CI ---- */

START_TEST(faults_are_annotated) {
    write_file("a,b.spor", "def f(x[N]):\n    return x * x\n"
                           "derive f \"100%: a, b\" (x) -> (Y, dY):\n    dx = x * dY\n");
    expect_status(run("spor verify a,b.spor --github --quiet"), 1);
    expect_in(out,
              "\n::error file=a%2Cb.spor,line=3,col=1,title=100%25%3A a%2C b::DOES NOT HOLD: N=1: "
              "dx[0] is ");
    ck_assert_int_eq(count_of(out, "::error"), 1);
    expect_status(run("spor verify none.spor --github"), 2);
    expect_in(out, "::error file=none.spor,title=script::could not be read: none.spor");
    write_file("right.spor", "def f(x[N]):\n    return x * x\n"
                             "derive f (x) -> (Y, dY):\n    dx = 2 * x * dY\n");
    expect_status(run("spor verify right.spor --github"), 0);
    ck_assert_ptr_null(strstr(out, "::error"));
}
END_TEST

START_TEST(kernels_are_told_of_to_machines) {
    expect_status(try_kernel(0, "f32 2", "--json --junit j.xml --html h.html"), 1);
    expect_in(out, "\"label\": \"dgamma\"");
    expect_in(out, "\"C\": 65");
    expect_in(out, "\"label\": \"same bits twice\"");
    ck_assert_ptr_null(strstr(out, "fails at"));
    read_file("j.xml", out);
    const char *body = strstr(out, "<testsuites");
    ck_assert_ptr_nonnull(body);
    xml_check(body, strlen(body));
    ck_assert_int_eq(count_of(out, "<failure"), 1);
    ck_assert_int_eq(count_of(out, "<testcase"), 8);
    read_file("h.html", out);
    xml_check(out, strlen(out));
    expect_in(out, "<title>dgamma: 1 of 65 elements are wrong at N=3, C=65</title>");
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("kernels");
    TCase *tests = tcase_create("kernels");
    tcase_add_checked_fixture(tests, enter_folder, leave_folder);
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, right_kernels_are_confirmed, 0, KERNELS);
    tcase_add_loop_test(tests, planted_mistakes_are_found_at_the_smallest_sizes, 0, MISTAKES);
    tcase_add_loop_test(tests, what_no_formula_shows_is_seen, 0, COMMANDS);
    tcase_add_test(tests, a_def_that_is_not_there_is_told);
    tcase_add_test(tests, a_stop_reaches_the_command);
    tcase_add_test(tests, probes_decide_and_are_the_same_again);
    tcase_add_loop_test(tests, corners_and_third_blocks_are_probed, 0, 3);
    tcase_add_test(tests, probes_that_are_left_out_are_told);
    tcase_add_test(tests, labels_of_probes_have_the_ends);
    tcase_add_test(tests, rows_by_number_and_none_at_all_are_probed);
    tcase_add_test(tests, whole_numbers_of_probes_are_integers);
    tcase_add_test(tests, kernels_of_two_results_are_judged);
    tcase_add_test(tests, values_of_two_results_are_judged);
    tcase_add_test(tests, any_slope_around_a_tie_is_right);
    tcase_add_test(tests, arrays_of_a_file_are_judged);
    tcase_add_test(tests, names_of_a_file_are_told);
    tcase_add_test(tests, what_was_there_before_is_added_to);
    tcase_add_test(tests, kernels_that_add_up_are_judged);
    tcase_add_test(tests, faults_are_annotated);
    tcase_add_test(tests, kernels_are_told_of_to_machines);
    suite_add_tcase(suite, tests);
    return suite;
}
