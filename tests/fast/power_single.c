#define NET_SINGLE 1
#define NET_LANES 4
#define real float
#define whole int32_t
#include "power_portable.h"
#include "power.h"

float power_single(float x, float y) {
    return net_pow(x, y);
}
