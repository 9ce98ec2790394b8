/* Tables of texts. */
#include "cli/cli.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Widths of the columns: usual, or that of the longest text. Returns what a line takes. */
static int widths(int columns, int rows, char cell[][SPOR_CELL], const spor_column_look look[],
                  bool usual, int width[]) {
    int line = 2 + columns - 1;
    for (int c = 0; c < columns; c++) {
        width[c] = usual ? look[c].usual : 0;
        for (int r = 0; r < rows; r++) {
            int own = (int)strlen(cell[r * columns + c]);
            if (own > width[c]) width[c] = own;
        }
        line += width[c];
    }
    return line;
}

/* The first column is cut at its beginning: the end of a path says more. */
static void print_cell(const char *text, int width, bool right) {
    enum { DOTS = 3 };
    int cut = (int)strlen(text) - width;
    if (cut > 0)
        printf(" ...%s", text + cut + DOTS);
    else
        printf(" %*s", right ? width : -width, text);
}

void columns_print(int columns, int rows, char cell[][SPOR_CELL], const spor_column_look look[]) {
    enum { SHORTEST = 12 };
    int width[SPOR_COLUMNS], room = screen_is_terminal() ? display_width() : INT_MAX;
    int line = widths(columns, rows, cell, look, true, width);
    if (line > room) line = widths(columns, rows, cell, look, false, width);
    if (line > room) width[0] -= line - room;
    if (width[0] < SHORTEST) width[0] = SHORTEST;
    for (int r = 0; r < rows; r++) {
        putchar(' ');
        for (int c = 0; c < columns; c++)
            print_cell(cell[r * columns + c], width[c], look[c].right);
        putchar('\n');
    }
}
