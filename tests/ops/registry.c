/*
 * One op, one file, one word, one prototype: the registry, ops/, ops/meson.build and the public
 * headers say the same, and each descriptor agrees with its signature.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "each.h"
#include "kernels/slots.h"

static char *read_source(const char *path) {
    char full[1024];
    const char *root = getenv("SPOR_SOURCE");
    snprintf(full, sizeof full, "%s/%s", root ? root : ".", path);
    FILE *file = fopen(full, "rb");
    ck_assert_msg(file != NULL, "cannot read %s", full);
    size_t room = 1 << 18;
    char *text = malloc(room);
    ck_assert_ptr_nonnull(text);
    size_t length = fread(text, 1, room - 1, file);
    ck_assert_msg(length < room - 1, "%s is longer than the test thinks", full);
    text[length] = 0;
    fclose(file);
    return text;
}

START_TEST(every_signature_agrees_with_its_descriptor) {
    const spor_op *op = spor_ops[_i];
    expect(op, 0, opcheck_signature(op));
    char name[SPOR_NAME];
    op_name(op, name, sizeof name);
    ck_assert_ptr_eq(op_find(name), op);
}
END_TEST

/* The names of kernels/slots.h are what the signatures say. */
START_TEST(slots_have_the_names_of_their_signatures) {
    static const struct {
        const char *op, *attr;
        int slot;
    } rows[] = {
        {"sum", "axes", AXES},
        {"max", "axes", AXES},
        {"expand", "axes", AXES},
        {"flip", "axes", AXES},
        {"softmax", "axis", AXIS},
        {"log_softmax", "axis", AXIS},
        {"logsumexp", "axis", AXIS},
        {"concat", "axis", AXIS},
        {"leaky_relu", "slope", SLOPE},
        {"correlate2d", "stride", STRIDE},
        {"pad", "lo", PAD_LO},
        {"pad", "hi", PAD_HI},
        {"pad", "fill", PAD_FILL},
        {"maxpool2d", "size", WINDOW_SIZE},
        {"maxpool2d", "stride", WINDOW_STRIDE},
        {"maxpool2d", "pad", WINDOW_PAD},
        {"route", "pad", WINDOW_PAD},
        {"gather", "pad", WINDOW_PAD},
        {"avgpool2d", "pad", WINDOW_PAD},
        {"spread2d", "pad", 2 + WINDOW_PAD},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        spor_signature s;
        ck_assert(signature_parse(op_find(rows[k].op)->signature, &s));
        int a = 0;
        while (a < s.attrs && strcmp(s.attr[a].name, rows[k].attr) != 0) a++;
        ck_assert_msg(a < s.attrs && s.attr[a].slot == rows[k].slot, "%s: %s", rows[k].op,
                      rows[k].attr);
    }
}
END_TEST

START_TEST(every_op_has_samples_of_which_each_is_recorded) {
    const spor_op *op = spor_ops[_i];
    int k = 0;
    for (; op->samples[k].in[0].rank >= 0; k++) {
        const spor_sample *sample = &op->samples[k];
        opcheck_record r = opcheck_record_op(op, sample->in, sample->attr);
        ck_assert_msg(r.out.id != 0, "sample %d: %s", k, spor_error(r.tape));
        spor_tape_free(r.tape);
    }
    ck_assert_int_ge(k, 2);
}
END_TEST

START_TEST(every_word_of_the_build_is_an_op_in_the_same_order) {
    char *text = read_source("ops/meson.build");
    char *at = strstr(text, "\nleaves = ["),
         *end = strstr(text, "\nops = leaves + elementwise + [");
    ck_assert(at && end && at < end);
    end = strstr(end, "]");
    ck_assert_ptr_nonnull(end);
    int count = 0;
    *end = 0;
    for (at = strtok(at, "'"); (at = strtok(NULL, "'")); at = strtok(NULL, "'"), count++) {
        char name[SPOR_NAME];
        ck_assert_ptr_nonnull(spor_ops[count]);
        op_name(spor_ops[count], name, sizeof name);
        ck_assert_str_eq(at, name);
    }
    ck_assert_int_eq(count, count_ops());
    free(text);
}
END_TEST

START_TEST(every_file_of_ops_is_an_op) {
    char path[1024];
    const char *root = getenv("SPOR_SOURCE");
    snprintf(path, sizeof path, "%s/ops", root ? root : ".");
    DIR *directory = opendir(path);
    ck_assert_ptr_nonnull(directory);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".c") != 0) continue;
        *dot = 0;
        ck_assert_msg(op_find(entry->d_name) != NULL, "ops/%s.c is no op", entry->d_name);
        count++;
    }
    closedir(directory);
    ck_assert_int_eq(count, count_ops());
}
END_TEST

/* input and param are recorded by the tape itself. */
START_TEST(every_op_has_a_prototype_and_a_macro_that_stamps_its_place) {
    char name[SPOR_NAME], prototype[64], macro[64];
    const spor_op *op = spor_ops[_i];
    bool own = strncmp(op->signature, "input(", 6) == 0 || strncmp(op->signature, "param(", 6) == 0;
    char *header = read_source(own ? "include/spor/tape.h" : "include/spor/ops.h");
    op_name(op, name, sizeof name);
    snprintf(prototype, sizeof prototype, "SPOR_API spor_var spor_%s(", name);
    ck_assert_msg(strstr(header, prototype) != NULL, "no prototype of spor_%s", name);
    snprintf(macro, sizeof macro, "#define spor_%s(", name);
    if (op->operands) ck_assert_msg(strstr(header, macro) != NULL, "no macro for spor_%s", name);
    free(header);
}
END_TEST

/* The file begins with its definition and ends with its loops. */
START_TEST(every_file_begins_with_its_definition) {
    char name[SPOR_NAME], path[64], word[64];
    op_name(spor_ops[_i], name, sizeof name);
    snprintf(path, sizeof path, "ops/%s.c", name);
    char *text = read_source(path);
    ck_assert_int_eq(strncmp(text, "/*\n * ", 6), 0);
    int length = snprintf(word, sizeof word, "KERNEL(%s", name);
    const char *kernel = strstr(text, word);
    ck_assert_msg(kernel && strchr("),", kernel[length]), "%s has no %s)", path, word);
    ck_assert_ptr_nonnull(strstr(text, "#ifdef SPOR_RULES"));
    free(text);
}
END_TEST

/* Functions of libm, by the words of kernels/scalar.h; what else an op file includes has none. */
START_TEST(ops_that_call_library_functions_say_so) {
    static const char *const calls[] = {"EXP(", "LOG(", "LOG1P(", "TANH(", "ERF(",
                                        "SIN(", "COS(", "EXPM1(", "POW("};
    char name[SPOR_NAME], path[64];
    op_name(spor_ops[_i], name, sizeof name);
    snprintf(path, sizeof path, "ops/%s.c", name);
    char *text = read_source(path);
    const char *kernel = strstr(text, "\n#else\n");
    ck_assert_ptr_nonnull(kernel);
    bool found = false;
    for (int k = 0; k < 9; k++) found = found || strstr(kernel, calls[k]);
    ck_assert_msg(found == !!(spor_ops[_i]->traits & SPOR_LIBRARY), "%s", path);
    free(text);
}
END_TEST

START_TEST(kinked_ops_state_what_happens_at_the_kink) {
    const spor_op *op = spor_ops[_i];
    if (op->traits & SPOR_KINKED) ck_assert_ptr_nonnull(op->convention);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("ops_registry");
    TCase *each = tcase_create("each op"), *all = tcase_create("all ops");
    int count = count_ops();
    tcase_add_loop_test(each, every_signature_agrees_with_its_descriptor, 0, count);
    tcase_add_loop_test(each, every_op_has_samples_of_which_each_is_recorded, 0, count);
    tcase_add_loop_test(each, every_op_has_a_prototype_and_a_macro_that_stamps_its_place, 0, count);
    tcase_add_loop_test(each, every_file_begins_with_its_definition, 0, count);
    tcase_add_loop_test(each, ops_that_call_library_functions_say_so, 0, count);
    tcase_add_loop_test(each, kinked_ops_state_what_happens_at_the_kink, 0, count);
    tcase_add_test(all, slots_have_the_names_of_their_signatures);
    tcase_add_test(all, every_word_of_the_build_is_an_op_in_the_same_order);
    tcase_add_test(all, every_file_of_ops_is_an_op);
    suite_add_tcase(suite, each);
    suite_add_tcase(suite, all);
    return suite;
}
