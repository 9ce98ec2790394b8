/*
 * Learns on the board, by net_train of `spor export --c net.c --train`: the camera was mounted the wrong way round, and
 * ten digits that it sees, mirrored, are shown again and again. They are in digits.h, lines of data/digits.csv.gz.
 */
#include "net.h"

#include "digits.h"

void say(const char *text);

static const double rows[NET_BATCH][NET_INPUTS + 1] = {DIGITS};
static float x[NET_BATCH * NET_INPUTS], target[NET_BATCH * NET_TARGETS];

/* How many of them are read right. */
static int right(void) {
    int count = 0, n, k;
    for (n = 0; n < NET_BATCH; n++) {
        float y[NET_OUTPUTS];
        int best = 0;
        net_predict(x + n * NET_INPUTS, y);
        for (k = 1; k < NET_OUTPUTS; k++)
            if (y[k] > y[best]) best = k;
        count += best == (int)rows[n][NET_INPUTS];
    }
    return count;
}

int main(void) {
    char line[] = "mirrored digits read right: ? of 10, after 300 steps: ?? of 10\n";
    int before, after, n, k;
    for (n = 0; n < NET_BATCH; n++) {
        double pixels[NET_INPUTS];
        for (k = 0; k < NET_INPUTS; k++) pixels[k] = rows[n][k / 8 * 8 + 7 - k % 8];
        net_scale(pixels, x + n * NET_INPUTS);
        target[n * NET_TARGETS + (int)rows[n][NET_INPUTS]] = 1;
    }
    before = right();
    for (n = 0; n < 300; n++) net_train(x, target, 0, 0.1f);
    after = right();
    line[28] = (char)('0' + before);
    line[54] = (char)('0' + after / 10);
    line[55] = (char)('0' + after % 10);
    say(line);
    return before > 5 || after < 10;
}
