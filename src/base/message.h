/*
 * Messages of calls that have no object to hold their error.
 */
#ifndef SPOR_BASE_MESSAGE_H
#define SPOR_BASE_MESSAGE_H

#include <spor/base.h>

/** Writes the message (NULL is accepted), as a terminal may show it, and returns false. */
bool message_complain(spor_message *message, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** True if that was given; else the message says that what it is, "the path", is NULL. */
bool message_given(spor_message *message, const void *given, const char *what);

#endif
