/* Faults as GitHub's workflow commands, one line each: it shows them at the line of the file. */
#include <stdio.h>
#include <string.h>

#include "cli/verify.h"

/* What would end a line, or a property, is written by its number. */
static void print_escaped(const char *text, size_t length, bool property) {
    for (size_t k = 0; k < length; k++) {
        bool special = strchr("%\r\n", text[k]) || (property && strchr(":,", text[k]));
        if (text[k] && special)
            printf("%%%02X", (unsigned char)text[k]);
        else
            putchar(text[k]);
    }
}

/* Where the number behind the last colon begins, of a text of this length; 0: there is none. */
static size_t number_at(const char *text, size_t length) {
    size_t k = length;
    while (k > 0 && strchr("0123456789", text[k - 1])) k--;
    return k > 1 && k < length && text[k - 1] == ':' ? k : 0;
}

/* "models/x.spor:3:1" as file, line and column. */
static void print_place(const char *place) {
    size_t length = strlen(place), column = number_at(place, length);
    size_t line = column ? number_at(place, column - 1) : 0;
    size_t file = line ? line - 1 : column ? column - 1 : length;
    printf("file=");
    print_escaped(place, file, true);
    if (line) printf(",line=%.*s,col=%s", (int)(column - 1 - line), place + line, place + column);
    if (column && !line) printf(",line=%s", place + column);
}

void verify_annotate(const char *place, const char *label, const char *verdict,
                     const char *summary) {
    printf("::error ");
    print_place(place);
    printf(",title=");
    print_escaped(label, strlen(label), true);
    printf("::");
    print_escaped(verdict, strlen(verdict), false);
    if (*summary) printf(": ");
    print_escaped(summary, strlen(summary), false);
    putchar('\n');
}
