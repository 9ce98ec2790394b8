#include "base/message.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/plain.h"

bool message_complain(spor_message *message, const char *format, ...) {
    if (!message) return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
    plain_text(message->text);
    return false;
}

bool message_given(spor_message *message, const void *given, const char *what) {
    return given || message_complain(message, "%s is NULL", what);
}
