#include <spor/base.h>

const char *spor_version(void) {
    return SPOR_VERSION;
}
