/*
 * Tables whose bytes were read already.
 */
#ifndef SPOR_DATA_CSV_H
#define SPOR_DATA_CSV_H

#include <spor/data.h>

/** spor_data_table; the bytes of the first file, inflated, are taken if they are given, its path stands in
 *  messages. */
spor_data *csv_read(const spor_csv *csv, unsigned char *bytes, size_t size, spor_message *message);

#endif
