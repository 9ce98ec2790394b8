/*
 * Tables as people's spreadsheets write them: rows of fields separated by commas, semicolons or
 * tabs, lines that end in LF, CR LF or CR, fields in quotes, a header line or none; before all of it
 * a line "sep=;", as Excel writes it, or none.
 */
#ifndef SPOR_DATA_TABLE_H
#define SPOR_DATA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <spor/base.h>

/** What is said of a file; what is not is found in it. */
typedef struct spor_table_form {
    char separator; /* ',', ';' or '\t'; 0: found */
    char decimal;   /* ',' where numbers have a decimal comma; 0: a point */
    int header;     /* 1: the first line has the names of the columns, -1: it has none; 0: found */
} spor_table_form;

/** A file that has been looked through once: all rows have the same number of fields. */
typedef struct {
    const char *path;       /* for messages */
    unsigned char *bytes;   /* the file, inflated */
    const char *rows_start; /* where the first row of values begins */
    const char *end;        /* of the file */
    int64_t first_line;     /* line of rows_start */
    char separator;
    char decimal;
    int64_t rows;    /* of values */
    int64_t columns; /* of each row */
    char **name;     /* [columns] without quotes; NULL if the file has no header line */
    char ***sorted;  /* [columns] where the names stand, in their order */
} spor_table;

/** A field: text[0 .. size) without the blanks and quotes around it. */
typedef struct {
    const char *text;
    size_t size;
    bool quoted;    /* a quote inside is doubled */
    bool last;      /* of its row */
    int64_t line;   /* from 1; where the field begins */
    int64_t column; /* from 0 */
} spor_field;

/** Where a reader of fields stands. */
typedef struct {
    const char *at, *end;
    char separator;
    int64_t line, column; /* of the next field */
} spor_table_cursor;

/**
 * Reads a file, gzip-compressed or not, and looks through all of it. False with a message that
 * names file, line and field, if quotes do not end, rows differ in length, or separator or header
 * can't be told. path has to outlive the table.
 */
bool table_read(spor_table *table, const char *path, const spor_table_form *form,
                spor_message *message);
/** The same of a file's bytes, inflated, which are taken: the table frees them, and so does a failure. */
bool table_take(spor_table *table, const char *path, unsigned char *bytes, size_t size,
                const spor_table_form *form, spor_message *message);
void table_free(spor_table *table);

/** A cursor before the first field of the first row of values. */
spor_table_cursor table_begin(const spor_table *table);
/** The next field of the rows; false behind the last one. */
bool table_next(spor_table_cursor *cursor, spor_field *field);

/** "petal_width", or "column 3 of 0..4" without header; out receives it. */
const char *table_column_text(const spor_table *table, int64_t column, char out[64]);
/** The column of this name; -1 with a message if there is none, or more than one. */
int64_t table_column(const spor_table *table, const char *name, spor_message *message);

/** The field as a number; the message says whether there is no value, a decimal comma, or what. */
bool table_number(const spor_table *table, const spor_field *field, double *value,
                  spor_message *message);
/** True if the field is empty or says that there is no value: NA, nan, null, ? and the like. */
bool table_is_missing(const spor_field *field);
/** The field in quotes for a message, shortened; out receives it. */
const char *table_shown(const spor_field *field, char out[32]);
/** "file:line:column: " and what is wrong with a field, which is false. */
bool table_complain(const spor_table *table, const spor_field *field, spor_message *message,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
/** The field as a text of its own without doubled quotes, line ends as blanks. NULL with a message
 *  if it is not UTF-8. The caller frees it. */
char *table_text(const spor_table *table, const spor_field *field, spor_message *message);

#endif
