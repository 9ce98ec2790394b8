/*
 * spor import as a command: what it prints, files that are written together or not at all, and training on.
 */
#include "../suite.h"
#include "../cli/shell.h"
#include "tiny.h"

#include <stdio.h>
#include <stdlib.h>

#include "data/file.h"

#define FILES "$M/../tests/import/files"

static void enter_with_layers(void) {
    enter_folder();
    expect_status(run("cp $M/layers.spor ."), 0);
}

static void write_tiny(const char *path, const char *op) {
    tiny t;
    spor_message message;
    tiny_begin(&t, 17);
    tiny_input(&t, "x", 2, (const int64_t[]){-1, 4});
    tiny_floats(&t, "W", 2, (const int64_t[]){4, 3}, 12);
    tiny_node(&t, "MatMul", "x W", "y", NULL, 0);
    tiny_node(&t, op, "y", "z", NULL, 0);
    tiny_output(&t, "z");
    tiny_end(&t);
    ck_assert_msg(file_write(path, t.bytes.at, t.bytes.size, &message), "%s", message.text);
    tiny_free(&t);
}

START_TEST(a_network_comes_in_and_runs) {
    expect_status(run("spor import " FILES
                      "/torch_script_lenet.onnx --script net.spor --weights net.safetensors"),
                  0);
    expect_in(out, "x is [N, 8, 8, 1]: height, width, channels; 'in0' of the file is [N, 1, 8, 8]");
    expect_in(out,
              "spor run net.spor --call net --weights net.safetensors --in x=x.npy --out y=y.npy");
    expect_status(run("cp " FILES "/torch_script_lenet.x0.npy x.npy && spor run net.spor --call net"
                      " --weights net.safetensors --in x=x.npy --out y=y.npy"),
                  2); /* [N, 1, 8, 8] is not the script's order */
    expect_status(run("grep -c 'conv(' net.spor && spor show net.spor --call net"), 2);
    expect_status(run("grep '^# train(net, data=digits' net.spor"), 0);
}
END_TEST

/* From the file to a run that predicts and is exported, and back. */
START_TEST(it_is_trained_on) {
    expect_status(run("spor import " FILES "/torch_script_lenet.onnx --script net.spor"
                      " --weights net.safetensors --data 'digits(scale=1/16)'"),
                  0);
    expect_in(out, "ends in a softmax, which is left to the loss");
    expect_in(out, "spor train net.spor --weights net.safetensors\n");
    expect_in(out, "spor train net.spor --weights net.safetensors --epochs 0\n");
    expect_status(run("spor train net.spor --weights net.safetensors --epochs 0 --quiet --out r"),
                  0);
    expect_status(run("spor eval r && spor export r --onnx back.onnx --c net.c && cmp "
                      "r/weights.safetensors net.safetensors"),
                  0);
    expect_status(run("spor import back.onnx --script back.spor --weights back.safetensors"), 0);
    expect_status(run("grep 'The file says: prediction = probabilities' back.spor && grep 'scale = "
                      "0.0625' back.spor"),
                  0);
}
END_TEST

START_TEST(files_are_whole_or_not_there) {
    write_tiny("net.onnx", "Relu");
    expect_status(run("spor import net.onnx --script net.spor --weights no/net.safetensors"), 2);
    expect_in(err, "no/net.safetensors");
    ck_assert(!exists("net.spor"));
    expect_status(run("spor import net.onnx --script net.spor --weights net.safetensors"), 0);
    expect_status(run("cp net.spor old.spor; spor import net.onnx --script net.spor --weights "
                      "other.safetensors"),
                  2);
    expect_in(err, "net.spor is there: --force replaces it");
    ck_assert(!exists("other.safetensors"));
    expect_status(run("spor import net.onnx --script other.spor --weights net.safetensors"), 2);
    ck_assert(!exists("other.spor"));
    expect_status(run("echo x > net.spor && spor import net.onnx --script net.spor --weights "
                      "net.safetensors --force"
                      " && cmp net.spor old.spor"),
                  0);
    if (exists("/dev/full")) {
        expect_status(run("spor import net.onnx --script third.spor --weights /dev/full --force"),
                      2);
        expect_in(err, "/dev/full");
        ck_assert(!exists("third.spor"));
    }
    expect_status(run("ls -A | grep -c spor-"), 1);
}
END_TEST

/* Numbers in another file, as PyTorch writes them: the same script and weights, from whatever folder. */
START_TEST(numbers_beside_the_file_are_read) {
    static const struct {
        const char *file, *offset, *length, *why; /* NULL: it is read */
    } cases[] = {
        {"w.data", "8", "48", NULL},
        {"w.data", "8", "", "has 52 bytes for 12 numbers"},
        {"w.data", "8", "56", "ends behind the end of 'w.data'"},
        {"w.data", "61", "48", "begins behind the end of 'w.data'"},
        {"w.data", "-8", "48", "begins behind the end of 'w.data'"},
        {"w.data", "99999999999999999999", "48", "begins behind the end"},
        {"../w.data", "8", "48", "is not beside the file"},
        {"a/../w.data", "8", "48", "is not beside the file"},
        {"/etc/passwd", "", "", "is not beside the file"},
        {"", "8", "48", "save_as_external_data=False"},
        {"nowhere", "8", "48", "away/nowhere"},
        {".", "8", "48", "away/."},
    };
    float numbers[15] = {9, 9};
    spor_message message;
    for (int k = 0; k < 12; k++) numbers[2 + k] = (float)(k % 7) / 2 - 1;
    write_tiny("net.onnx", "Relu");
    expect_status(
        run("mkdir away; spor import net.onnx --script net.spor --weights net.safetensors"), 0);
    ck_assert(file_write("away/w.data", numbers, sizeof numbers, &message));
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tiny t;
        tiny_begin(&t, 17);
        tiny_input(&t, "x", 2, (const int64_t[]){-1, 4});
        tiny_outside(&t, "W", 2, (const int64_t[]){4, 3}, cases[k].file, cases[k].offset,
                     cases[k].length);
        tiny_node(&t, "MatMul", "x W", "y", NULL, 0);
        tiny_node(&t, "Relu", "y", "z", NULL, 0);
        tiny_output(&t, "z");
        tiny_end(&t);
        ck_assert(file_write("away/net.onnx", t.bytes.at, t.bytes.size, &message));
        tiny_free(&t);
        expect_status(
            run("rm -f b.*; spor import away/net.onnx --script b.spor --weights b.safetensors"),
            cases[k].why ? 2 : 0);
        if (cases[k].why) expect_in(err, cases[k].why);
        if (!cases[k].why) expect_status(run("cmp net.safetensors b.safetensors"), 0);
        ck_assert(exists("b.spor") == !cases[k].why);
    }
}
END_TEST

START_TEST(what_is_wrong_is_told) {
    write_tiny("loop.onnx", "Loop");
    expect_status(run("spor import loop.onnx --script net.spor --weights net.safetensors"), 2);
    expect_in(err, "loop.onnx: node 'Loop' (Loop): spor has nothing for this op");
    ck_assert(!exists("net.spor") && !exists("net.safetensors"));
    expect_status(run("spor import nowhere.onnx --script net.spor --weights net.safetensors"), 2);
    expect_in(err, "nowhere.onnx");
    expect_status(run("spor import loop.onnx --script net.spor"), 2);
    expect_in(err, "--weights net.safetensors");
    expect_status(run("spor import loop.onnx --script net.txt --weights net.safetensors"), 2);
    expect_in(err, "a script's name ends in .spor");
    expect_status(run("spor import loop.onnx --script net.spor --weights ./net.spor"), 2);
    expect_in(err, "give each its own name");
    expect_status(run("spor import"), 2);
    expect_status(run("spor import --ops | grep -cx Conv"), 0);
    write_tiny("net.onnx", "Relu");
    expect_status(
        run("spor import net.onnx --script net.spor --weights net.safetensors --data 'nothing()'"),
        2);
    expect_in(err, "nothing");
    ck_assert(!exists("net.spor"));
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("import_command");
    TCase *tests = tcase_create("command");
    tcase_add_checked_fixture(tests, enter_with_layers, leave_folder);
    tcase_add_test(tests, a_network_comes_in_and_runs);
    tcase_add_test(tests, it_is_trained_on);
    tcase_add_test(tests, files_are_whole_or_not_there);
    tcase_add_test(tests, numbers_beside_the_file_are_read);
    tcase_add_test(tests, what_is_wrong_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}
