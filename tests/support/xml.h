/* XML and HTML as they are written here, read strictly enough to see what is not escaped. */
#ifndef SPOR_TESTS_XML_H
#define SPOR_TESTS_XML_H

#include <stddef.h>

/** Fails the test unless tags are nested and closed by their names, attributes quoted, entities known, all is
 *  UTF-8 without control characters. Of HTML the tags doctype and meta need no end. */
void xml_check(const char *text, size_t size);

/** A picture that was decoded: three bytes a pixel. */
typedef struct {
    int width, height;
    unsigned char *pixel;
} xml_picture;

/** Decodes the next embedded PNG from a place in an SVG on, checking lengths and checksums; the place behind
 *  it, or NULL if there is none. The caller frees pixel. */
const char *xml_next_picture(const char *at, xml_picture *picture);

#endif
