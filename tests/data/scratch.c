#include "scratch.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[512];

const char *scratch_place(void) {
    const char *place = getenv("TMPDIR");
    return place ? place : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

void scratch_begin(void) {
    snprintf(folder, sizeof folder, "%s/spor-test-XXXXXX", scratch_place());
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* Calls act, which may be NULL, on each file; returns their number. */
static int each_file(int (*act)(const char *)) {
    int count = 0;
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry; (entry = readdir(list));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        count++;
        if (act) act(scratch_path(entry->d_name));
    }
    closedir(list);
    return count;
}

void scratch_end(void) {
    each_file(remove);
    rmdir(folder);
}

int scratch_count(void) {
    return each_file(NULL);
}

const char *scratch_path(const char *name) {
    static char paths[4][1024];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

const char *scratch_file(const char *name, const void *bytes, size_t size) {
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

void scratch_npy(const char *path, const char *descr, bool columns_first, const char *shape,
                 const void *numbers, size_t size) {
    char header[128 - 10 + 1], dictionary[128 - 10];
    int length = snprintf(dictionary, sizeof dictionary,
                          "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr,
                          columns_first ? "True" : "False", shape);
    ck_assert_int_lt(length, 128 - 10);
    snprintf(header, sizeof header, "%-117s\n", dictionary);
    FILE *file = fopen(path, "wb");
    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file);
    fwrite(header, 1, 128 - 10, file);
    ck_assert_uint_eq(fwrite(numbers, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

char *scratch_read(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    struct stat status;
    ck_assert_int_eq(fstat(fileno(file), &status), 0);
    *size = (size_t)status.st_size;
    char *bytes = malloc(*size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

const char *source_path(const char *name) {
    static char path[1024];
    const char *root = getenv("SPOR_SOURCE");
    snprintf(path, sizeof path, "%s/data/%s", root ? root : ".", name);
    return path;
}
