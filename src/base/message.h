/*
 * Messages of calls that have no object to hold their error.
 */
#ifndef SPOR_BASE_MESSAGE_H
#define SPOR_BASE_MESSAGE_H

#include <spor/base.h>

/** Writes the message (NULL is accepted), as a terminal may show it, and returns false. */
bool message_complain(spor_message *message, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
