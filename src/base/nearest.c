#include "base/nearest.h"

#include <stdbool.h>
#include <string.h>

enum { LONGEST = 63 };

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static int lower(int c) {
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int as_it_is(int c) {
    return c;
}

/* Levenshtein's distance: insertions, deletions and replacements that turn a into b, where two
 * neighbours exchanged count as one, of letters as `read` has them. Words longer than LONGEST are far from everything. */
static int distance(const char *a, const char *b, int (*read)(int c)) {
    int rows[3]
            [LONGEST + 1]; /* rows[i % 3][j]: distance of the first i of a from the first j of b */
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST) return LONGEST;
    for (size_t j = 0; j <= m; j++) rows[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *twice = rows[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = smaller(above[j], row[j - 1]) + 1;
            row[j] = smaller(row[j], above[j - 1] + (read(a[i - 1]) != read(b[j - 1])));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], twice[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

/* A third of the longer word may be wrong, and three characters at most: farther is another word, and so is
 * any other of three letters. */
static bool is_near(int d, size_t n, size_t m) {
    size_t longer = n > m ? n : m;
    return d <= 3 && 3 * (size_t)d <= longer && (!d || longer > 3);
}

const char *nearest_name(const char *word, int count, const char *const names[]) {
    const char *best = NULL;
    int least = 2 * LONGEST * LONGEST;
    for (int k = 0; k < count; k++) {
        int d = distance(word, names[k], as_it_is);
        if (!is_near(d, strlen(word), strlen(names[k]))) continue;
        int all = distance(word, names[k], lower) * LONGEST + d;
        if (all < least) least = all, best = names[k];
    }
    return best;
}
