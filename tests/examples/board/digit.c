/*
 * Reads a digit with the network that `spor export --c net.c` has written: the pixels and what they show are in
 * digit.h, a line of data/digits.csv.gz.
 */
#include "net.h"

#include "digit.h"

void say(const char *text);

int main(void) {
    static const double pixels[NET_INPUTS] = {DIGIT_PIXELS};
    float x[NET_INPUTS], y[NET_OUTPUTS];
    char line[] = "the digit is ?\n";
    int best = 0, k;
    net_scale(pixels, x);
    net_predict(x, y);
    for (k = 1; k < NET_OUTPUTS; k++)
        if (y[k] > y[best]) best = k;
    line[13] = (char)('0' + best);
    say(line);
    return best != DIGIT_SHOWN;
}
