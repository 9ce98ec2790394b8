/*
 * The data sets that spor knows: one row each in sets.c. Scripts, training, verification and `spor
 * data` read the table; a new set is its row, and its reader if its form is a new one.
 */
#ifndef SPOR_DATA_SETS_H
#define SPOR_DATA_SETS_H

#include <spor/data.h>

enum { DATA_FILES = 4 };

/** A file of a set as it is published. */
typedef struct {
    const char *name; /* NULL: the set has no more files */
    int64_t size;     /* bytes */
    const char *sum;  /* "md5 e26d..." */
    const char *like; /* what such a file of one's own may be called, for fnmatch; NULL: as name */
    bool test;        /* its rows test */
} data_file;

typedef struct data_set data_set;

/** Reads the files in the order of the row. NULL with a message. */
typedef spor_data *data_reader(const data_set *set, const char *const path[], double scale,
                               spor_message *message);

/** What is known of a data set. */
struct data_set {
    const char *name;  /* of the built-in: "mnist" */
    const char *title; /* "MNIST: handwritten digits" */
    spor_shape shape;  /* of a sample */
    int classes;
    int64_t rows; /* of all files as they are published */
    double scale; /* of x, unless a script says another one */
    data_reader *read;
    const char *folder;  /* where its files lie in a folder of data, with a slash; "" */
    const char *package; /* where a package of the system puts them; NULL: none does */
    const char *get;     /* how to get the files */
    const char *origin;  /* who made it */
    const char *terms;
    data_file file[DATA_FILES + 1];
};

/** The table; it ends with name NULL. */
extern const data_set data_sets[];

/** The set of a name; NULL if there is none. */
const data_set *sets_find(const char *name);

/** Number of files of a set. */
int sets_files(const data_set *set);

/** Reads a set from its files. What has another length than what is published is told so where
 *  reading fails. NULL with a message. */
spor_data *sets_read(const data_set *set, const char *const path[], double scale,
                     spor_message *message);

/**
 * Finds the files in a folder by their published names or, where `like` is true, else the only ones
 * that are called like them. The paths are to be freed. Returns how many there are; if not all, no
 * path and a message that says what is not there first.
 */
int sets_find_files(const data_set *set, const char *folder, bool like, char *path[DATA_FILES],
                    spor_message *message);
void sets_free_files(char *path[DATA_FILES]);

/** True if all files have the names and lengths that are published. */
bool sets_are_published(const data_set *set, char *const path[]);

#endif
