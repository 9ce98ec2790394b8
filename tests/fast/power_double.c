#define NET_SINGLE 0
#define NET_LANES 2
#define real double
#define whole int64_t
#include "power_portable.h"
#include "power.h"

double power_double(double x, double y) {
    return net_pow(x, y);
}
