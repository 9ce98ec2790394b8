/*
 * Data sets: samples in memory, splits. Readers take files as they are published.
 */
#ifndef SPOR_DATA_H
#define SPOR_DATA_H

#include <spor/base.h>
#include <spor/program.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What numbers are kept as: bytes stay bytes, what a float holds exactly is one. */
typedef enum {
    SPOR_KEEP_U8,  /* 0 .. 255 */
    SPOR_KEEP_F32, /* float */
    SPOR_KEEP_F64, /* double */
    SPOR_KEEPS     /* their number; not a type */
} spor_keep;

/** The same numbers of every row, as they were read. A row has size(shape) columns. */
typedef struct {
    spor_keep keep;   /* the type of value */
    spor_shape shape; /* of one row: [8, 8, 1] */
    void *value;      /* [rows, shape], row-major; NULL: there are none */
    double *mean;     /* [columns] is subtracted; NULL: values are not standardized */
    double *factor;   /* [columns] is then multiplied with; NULL if mean is */
    char **column;    /* [columns] their names; NULL: they have none */
} spor_values;

/**
 * Samples and their targets: classes, or numbers. Values are kept as the file has them; users see
 * (x scale - mean) factor, by spor_data_rows.
 *
 * Rows to train with come first. Where validation or test rows have files of their own they follow,
 * in this order, and spor_split_draw leaves them together.
 */
typedef struct {
    char name[64];           /* the file's, without folder and ending: "digits" */
    int64_t rows;            /* number of samples */
    int64_t validation_rows; /* of these, with a file of their own, before test_rows; 0: none */
    int64_t test_rows;       /* of these, with a file of their own, the last ones; 0: none */
    double scale;            /* of x */
    spor_values x;           /* the samples */
    spor_values y;           /* targets that are numbers, where there are no classes */
    int classes;             /* number of classes; 0: targets are numbers */
    int32_t *label;          /* [rows] 0 .. classes-1; NULL without classes */
    char **class_name;       /* [classes] their names; NULL: they are numbers */
} spor_data;

/** A column of a table. */
typedef struct {
    const char *name; /* as the line of names has it; NULL: by number */
    int64_t number;   /* from 0; from the end if negative: -1 is the last */
} spor_column;

/** Columns of a table, in this order. */
typedef struct {
    int count;                 /* their number */
    const spor_column *column; /* [count] */
} spor_columns;

/**
 * What is read of a table. All that is 0 is not said, and found in the file. Each column is one of
 * label, target, input or dropped; those that are not said to be anything are inputs, or are dropped
 * where inputs are said.
 */
typedef struct {
    const char *path;            /* the file */
    const char *validation_path; /* another one, with the rows to validate with */
    const char *test_path;       /* another one, with the rows to test with */
    spor_shape sample;           /* of the inputs of a row; rank 0: one axis of them */
    double scale;                /* of x; 0: 1 */
    int classes; /* number of classes; labels that are numbers are then 0 .. classes-1 */
    char *const *class_name; /* [classes] labels are these; NULL: what differs is a class */
    spor_columns label;      /* one column; without it and targets the last one */
    spor_columns targets;    /* numbers to predict */
    spor_columns inputs;     /* x */
    spor_columns drop;       /* not looked at */
    bool unlabelled;         /* there is neither a label nor a target */
    int header;              /* 1: the first line has names, -1: it has none */
    char separator;          /* a comma, a semicolon or a tab */
    char decimal;            /* a comma if numbers have a decimal comma */
} spor_csv;

/**
 * Reads tables as spreadsheets write them, gzip-compressed or not: separated by commas, semicolons or
 * tabs, fields in quotes or not, with a line of names or without. Labels that are texts become classes in
 * sorted order, with their names; so do numbers that are not 0 .. classes-1. NULL with a message
 * that names file, line and field.
 */
SPOR_API spor_data *spor_data_table(const spor_csv *csv, spor_message *message);
/**
 * The same of a table whose columns are the numbers of one sample of this shape and then its label: 0 to
 * classes-1, or as many texts.
 */
SPOR_API spor_data *spor_data_csv(const char *path, spor_shape sample, int classes, double scale,
                                  spor_message *message);
/** Frees the data set with all that it points to. NULL is ignored. */
SPOR_API void spor_data_free(spor_data *data);

/**
 * What n rows become in a batch, in float or double: x[r] = (x of rows[r] * scale - mean) * factor,
 * computed in double and rounded once; y[r] is 1 at the row's class and 0 elsewhere, [n, classes],
 * or its numbers. rows NULL: 0 .. n-1. x or y NULL is left out. False, and nothing is written, if there
 * is no such row or target.
 */
SPOR_API bool spor_data_rows(const spor_data *data, const int64_t rows[], int64_t n,
                             spor_scalar scalar, void *x, void *y);

/**
 * Standardizes each column of x by mean and standard deviation (that of a population) in these rows
 * alone, so that users see mean 0 and deviation 1 there; a column of one value is only shifted. rows NULL: 0 ..
 * n-1. False with a message, and nothing is changed, if there are no rows or a column overflows.
 */
SPOR_API bool spor_data_standardize(spor_data *data, const int64_t rows[], int64_t n,
                                    spor_message *message);

/** Disjoint row numbers. */
typedef struct {
    int64_t train_rows;      /* their number */
    int64_t validation_rows; /* their number */
    int64_t test_rows;       /* their number */
    int64_t *train;          /* rows to train with, increasing */
    int64_t *validation;     /* rows to watch the training with, increasing */
    int64_t *test;           /* rows to judge the result with, increasing */
} spor_split;

/**
 * Draws test_share of the rows for testing and validation_share of the rest for validation, seeded;
 * stratified (each class in proportion) if there are classes. Parts with a file of their own are
 * used as such, and nothing is drawn for them. Rows within a part are in increasing order.
 */
SPOR_API bool spor_split_draw(const spor_data *data, double test_share, double validation_share,
                              uint64_t seed, spor_split *split, spor_message *message);
/** Frees the lists of rows. */
SPOR_API void spor_split_free(spor_split *split);

/** Writes parameters and states of the network, not of its optimizer, as safetensors (F32 or F64),
 *  whole or not at all. */
SPOR_API bool spor_weights_save(spor_params *params, const char *path, spor_message *message);
/** The same with how data was standardized, for spor_weights_standardize. The file's notes, its
 *  `__metadata__`, have mean and factor of each column as "x.mean" and "x.factor". */
SPOR_API bool spor_weights_save_for(spor_params *params, const spor_data *data, const char *path,
                                    spor_message *message);
/** Standardizes x as it was for the weights of a file; nothing changes if that says nothing of it.
 *  False with a message if its columns are not those of x. */
SPOR_API bool spor_weights_standardize(spor_data *data, const char *path, spor_message *message);
/** Loads by name; missing, extra or differently shaped tensors are errors that change nothing. */
SPOR_API bool spor_weights_load(spor_params *params, const char *path, spor_message *message);

#ifdef __cplusplus
}
#endif

#endif
