#include "figure/svg.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/plain.h"

/* U+FFFE and U+FFFF, which XML leaves out. */
static bool is_no_character(const char *s) {
    return !strncmp(s, "\xef\xbf\xbe", 3) || !strncmp(s, "\xef\xbf\xbf", 3);
}

/* kept: control characters that stay. */
static void escaped(spor_text *svg, const char *s, const char *kept) {
    while (*s) {
        int length = utf8_length(s);
        const char *entity = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : NULL;
        bool control = (unsigned char)*s < ' ' || *s == 127;
        if (entity)
            text_add(svg, "%s", entity);
        else if (!length || (control && !strchr(kept, *s)) || is_no_character(s))
            text_add(svg, "\xef\xbf\xbd"); /* U+FFFD, which marks what cannot be shown */
        else
            text_bytes(svg, s, (size_t)length);
        s += length ? length : 1;
    }
}

void svg_escaped(spor_text *svg, const char *s) {
    escaped(svg, s, "");
}

void svg_escaped_lines(spor_text *svg, const char *s) {
    escaped(svg, s, "\n\t");
}

void svg_begin(spor_text *svg, int width, int height, const char *title, const char *about) {
    text_add(svg,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
             "viewBox=\"0 0 %d0 %d0\" role=\"img\">\n<title>",
             width, height, width, height);
    svg_escaped(svg, title);
    text_add(svg, "</title>\n<desc>");
    svg_escaped(svg, about);
    text_add(svg, "</desc>\n"
                  "<style>text{font-family:Helvetica,Arial,'DejaVu Sans',sans-serif}"
                  ".title{font-size:180px;font-weight:bold}.axis{font-size:140px}"
                  ".tick{font-size:125px}.legend{font-size:130px}"
                  ".cell{font-size:150px}.small{font-size:100px}</style>\n"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n");
}

void svg_end(spor_text *svg) {
    text_add(svg, "</svg>\n");
}

void svg_label(spor_text *svg, int x, int y, const char *look, const char *anchor,
               const char *colour, const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    text_add(svg, "<text x=\"%d\" y=\"%d\" class=\"%s\" text-anchor=\"%s\" fill=\"%s\">", x, y,
             look, anchor, colour);
    svg_escaped(svg, line);
    text_add(svg, "</text>\n");
}
