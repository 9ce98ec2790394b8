/* The first error of a program; later ones are consequences. */
#include <stdarg.h>

#include "program/program.h"

bool program_fail(spor_program *program, const char *format, ...) {
    if (*program->error) return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(program->error, sizeof program->error, format, arguments);
    va_end(arguments);
    return false;
}

const char *spor_program_error(const spor_program *program) {
    if (!program) return "out of memory";
    return *program->error ? program->error : NULL;
}
