/*
 * index.html: all of a run on one page that stands alone. Its size is bounded: what is left out is said.
 */
#ifndef SPOR_TRAIN_PAGE_H
#define SPOR_TRAIN_PAGE_H

#include "train/pictures.h"
#include "train/record.h"

/** A figure of the run, or why there is none. */
typedef struct {
    const char *heading, *file; /* "Worst mistakes", "mistakes.svg" */
    const spor_text *svg;       /* empty: there is none */
    const char *why;
} page_figure;

/** A file of the run's script. */
typedef struct {
    const char *name, *text;
} page_file;

/** Largest figure and file, in bytes, classes and layers that stand on the page. */
enum {
    PAGE_FIGURE = 2 << 20,
    PAGE_FILE = 64 << 10,
    PAGE_CLASSES = 100,
    PAGE_LAYERS = 200,
    PAGE_FILES = 20
};

/** What a page tells. Texts may be NULL where there is nothing to tell. */
typedef struct {
    const spor_summary *summary;
    const char *folder;   /* of the run */
    const char *state;    /* "stopped in epoch 3 of 10"; NULL: it came to its end */
    const char *warnings; /* a line each */
    const spor_data *data;
    const pictures_net *net;
    int figures, files;
    const page_figure *figure;
    const page_file *file;
} spor_page;

bool page_write(const spor_page *page, const char *path, spor_message *message);

#endif
