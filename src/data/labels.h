/*
 * Labels as files have them, made classes.
 */
#ifndef SPOR_DATA_LABELS_H
#define SPOR_DATA_LABELS_H

#include <spor/data.h>

/** The most classes that labels are made into. */
enum { LABELS_MOST = 1 << 20 };

/** A label of a row: a text, or a number where text is NULL. */
typedef struct {
    double number;
    char *text;
    int64_t row;
} spor_label;

/** True for a whole number from 0 below `classes`. */
bool labels_hold(double number, int classes);

/**
 * Makes data->label, classes and class_name of one label for each row, all texts or all numbers. What
 * differs is a class, in sorted order (texts by their bytes), and has its name, but for numbers
 * that are 0 .. classes-1 already. data->classes is how many there must be, 0 if that is not said;
 * where it is said numbers are classes as they are, and labels_hold. Where data->class_name is there
 * already a label is one of these names, or an error. The labels are put into another
 * order, their texts are the caller's. False with a message that begins with `what`.
 */
bool labels_classify(spor_data *data, spor_label label[], const char *what, spor_message *message);

/** Says what the classes are called, before labels_classify; names are copied. False: out of memory. */
bool labels_name(spor_data *data, int classes, char *const name[]);

/** Leaves samples alone: no classes, no numbers to predict. */
void labels_drop(spor_data *data);

#endif
