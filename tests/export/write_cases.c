/*
 * Writes what tests export into a folder, for check.py: NAME.onnx, the numbers NAME.x0.npy, ... and NAME.y.npy,
 * and cases.txt, a line for each: name, inputs.
 *
 *     write_cases SOURCE FOLDER [networks]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "data/file.h"
#include "data/npy.h"

typedef struct {
    const char *folder;
    FILE *list;
} writer;

static void write_or_end(bool done, const spor_message *message) {
    if (done) return;
    fprintf(stderr, "%s\n", message->text);
    exit(EXIT_FAILURE);
}

static void write_numbers(const writer *w, const char *name, const char *what,
                          const spor_shape *shape, const double value[]) {
    char path[1300];
    spor_message message = {""};
    snprintf(path, sizeof path, "%.1000s/%.96s.%s.npy", w->folder, name, what);
    write_or_end(npy_write(path, shape, SPOR_F64, value, &message), &message);
}

static void write_case(const export_case *c, void *user) {
    const writer *w = user;
    char path[1300];
    spor_message message = {""};
    snprintf(path, sizeof path, "%.1000s/%.96s.onnx", w->folder, c->name);
    write_or_end(file_write(path, c->bytes->at, c->bytes->size, &message), &message);
    fprintf(w->list, "%s %s", c->name, c->open ? "open" : "fixed");
    for (int k = 0; k < c->inputs; k++) {
        char what[16];
        snprintf(what, sizeof what, "x%d", k);
        write_numbers(w, c->name, what, &c->x_shape[k], c->x[k]);
        fprintf(w->list, " %s", c->input[k]);
    }
    fprintf(w->list, "\n");
    write_numbers(w, c->name, "y", &c->y_shape, c->y);
}

int main(int argc, char **argv) {
    char path[1300];
    if (argc < 3) return fprintf(stderr, "write_cases SOURCE FOLDER\n"), 2;
    snprintf(path, sizeof path, "%.1000s/cases.txt", argv[2]);
    writer w = {.folder = argv[2], .list = fopen(path, "w")};
    if (!w.list) return perror(path), EXIT_FAILURE;
    int ops = cases_of_ops(write_case, &w), layers = cases_of_layers(argv[1], write_case, &w);
    int networks = cases_of_networks(argv[1], write_case, &w);
    printf("%d samples of ops, %d layers, %d networks\n", ops, layers, networks);
    return fclose(w.list) ? EXIT_FAILURE : EXIT_SUCCESS;
}
