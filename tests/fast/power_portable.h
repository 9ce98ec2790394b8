/*
 * pow of export/portable.c in the type that is defined: what files of C compute.
 */
#include <stdint.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-function"
#include "export/portable.c"
