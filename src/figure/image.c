#include "figure/image.h"

#include <math.h>
#include <string.h>

#include "base/checksum.h"

/* ---- colours -------------------------------------------------------------------------------- */

const figure_colour colour_white = {255, 255, 255}, colour_blue = {8, 64, 129},
                    colour_orange = {166, 54, 3};
static const figure_colour black = {0, 0, 0}, green = {60, 220, 60};

static unsigned char blend(unsigned char a, unsigned char b, double t) {
    return (unsigned char)lround(a + t * (b - a));
}

figure_colour colour_blend(figure_colour a, figure_colour b, double t) {
    return (figure_colour){blend(a.r, b.r, t), blend(a.g, b.g, t), blend(a.b, b.b, t)};
}

/* ---- PNG ------------------------------------------------------------------------------------ */

static void add_big32(spor_text *png, uint32_t word) {
    const unsigned char bytes[] = {(unsigned char)(word >> 24), (unsigned char)(word >> 16),
                                   (unsigned char)(word >> 8), (unsigned char)word};
    text_bytes(png, bytes, sizeof bytes);
}

/* Length, name, bytes, and the checksum of name and bytes. */
static void add_chunk(spor_text *png, const char name[4], const void *bytes, size_t size) {
    add_big32(png, (uint32_t)size);
    size_t start = png->size;
    text_bytes(png, name, 4);
    text_bytes(png, bytes, size);
    if (!png->failed) add_big32(png, checksum_crc32(png->at + start, size + 4));
}

/* A zlib stream of stored blocks, of at most 65535 bytes each. */
static void add_stored(spor_text *zlib, const spor_text *raw) {
    text_bytes(zlib, "\x78\x01", 2);
    for (size_t at = 0, size; at < raw->size; at += size) {
        size = raw->size - at < 65535 ? raw->size - at : 65535;
        unsigned length = (unsigned)size, other = ~length;
        const unsigned char head[] = {at + size == raw->size, (unsigned char)length,
                                      (unsigned char)(length >> 8), (unsigned char)other,
                                      (unsigned char)(other >> 8)};
        text_bytes(zlib, head, sizeof head);
        text_bytes(zlib, raw->at + at, size);
    }
    add_big32(zlib, raw->failed ? 0 : checksum_adler32(raw->at, raw->size));
}

/* Eight bits each of red, green and blue; a 0 before each row: it is filtered by nothing. */
static void add_png(spor_text *png, int columns, int rows, const figure_colour pixel[]) {
    spor_text head = {0}, raw = {0}, zlib = {0};
    add_big32(&head, (uint32_t)columns);
    add_big32(&head, (uint32_t)rows);
    text_bytes(&head, "\x08\x02\0\0", 5);
    for (int row = 0; row < rows; row++) {
        text_bytes(&raw, "", 1);
        text_bytes(&raw, pixel + (size_t)row * (size_t)columns, (size_t)columns * sizeof *pixel);
    }
    add_stored(&zlib, &raw);
    text_bytes(png, "\x89PNG\r\n\x1a\n", 8);
    add_chunk(png, "IHDR", head.at, head.size);
    add_chunk(png, "IDAT", zlib.at, zlib.size);
    add_chunk(png, "IEND", "", 0);
    png->failed = png->failed || head.failed || raw.failed || zlib.failed;
    text_free(&head);
    text_free(&raw);
    text_free(&zlib);
}

static void add_base64(spor_text *svg, const spor_text *bytes) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < bytes->size; at += 3) {
        size_t left = bytes->size - at;
        uint32_t word = 0;
        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (k < left ? (unsigned char)bytes->at[at + k] : 0);
        char four[] = {digit[word >> 18], digit[word >> 12 & 63], digit[word >> 6 & 63],
                       digit[word & 63]};
        if (left < 3) memset(four + 1 + left, '=', 3 - left);
        text_bytes(svg, four, sizeof four);
    }
}

void image_place(spor_text *svg, const figure_box *box, int columns, int rows,
                 const figure_colour pixel[]) {
    spor_text png = {0};
    add_png(&png, columns, rows, pixel);
    text_add(svg,
             "<image x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" preserveAspectRatio=\"none\" "
             "style=\"image-rendering:optimizeSpeed;image-rendering:pixelated\" "
             "href=\"data:image/png;base64,",
             box->x, box->y, box->width, box->height);
    add_base64(svg, &png);
    text_add(svg, "\"/>\n");
    svg->failed = svg->failed || png.failed;
    text_free(&png);
}

/* ---- numbers -------------------------------------------------------------------------------- */

image_scale image_no_scale(bool is_signed) {
    return (image_scale){.is_signed = is_signed, .low = HUGE_VAL, .high = -HUGE_VAL};
}

void image_cover(image_scale *scale, const double number[], int64_t count) {
    for (int64_t k = 0; k < count; k++) {
        scale->others = scale->others || !isfinite(number[k]);
        if (!isfinite(number[k])) continue;
        scale->low = fmin(scale->low, number[k]);
        scale->high = fmax(scale->high, number[k]);
    }
    if (!scale->is_signed || scale->low > scale->high) return;
    scale->high = fmax(fabs(scale->low), fabs(scale->high));
    scale->low = -scale->high;
}

/* 0 at low, 1 at high; in the middle if they are one. Halves: their distance may be no double. */
static double share_of(const image_scale *scale, double number) {
    double half = scale->high / 2 - scale->low / 2;
    if (!(half > 0)) return 0.5;
    return fmin(fmax((number / 2 - scale->low / 2) / half, 0), 1);
}

static figure_colour colour_of(const image_scale *scale, const double number[], int channels) {
    double share[3];
    for (int k = 0; k < 3; k++) {
        double own = number[channels == 1 ? 0 : k];
        if (!isfinite(own)) return green;
        share[k] = share_of(scale, own);
    }
    if (scale->is_signed)
        return colour_blend(colour_white, *share < 0.5 ? colour_blue : colour_orange,
                            fabs(2 * *share - 1));
    return (figure_colour){colour_blend(black, colour_white, share[0]).r,
                           colour_blend(black, colour_white, share[1]).g,
                           colour_blend(black, colour_white, share[2]).b};
}

int64_t image_step(const image_size *size) {
    int64_t longest = size->height > size->width ? size->height : size->width;
    return (longest + IMAGE_SIDE - 1) / IMAGE_SIDE;
}

/* How often each pixel of a small picture is repeated. */
static int repeats(int rows, int columns) {
    int longest = rows > columns ? rows : columns;
    return longest < IMAGE_SIDE / 2 ? IMAGE_SIDE / 2 / longest : 1;
}

void image_draw(spor_text *svg, const figure_box *box, const image_size *size,
                const double number[], const image_scale *scale) {
    figure_colour pixel[IMAGE_SIDE * IMAGE_SIDE];
    int64_t step = image_step(size);
    int rows = (int)((size->height + step - 1) / step), at = 0;
    int columns = (int)((size->width + step - 1) / step), times = repeats(rows, columns);
    for (int i = 0; i < rows * times; i++)
        for (int j = 0; j < columns * times; j++) {
            int64_t from = i / times * step * size->width + j / times * step;
            pixel[at++] = colour_of(scale, number + from * size->channels, size->channels);
        }
    int longest = rows > columns ? rows : columns;
    int side = box->width < box->height ? box->width : box->height;
    figure_box inside = {.width = side * columns / longest, .height = side * rows / longest};
    inside.x = box->x + (box->width - inside.width) / 2;
    inside.y = box->y + (box->height - inside.height) / 2;
    image_place(svg, &inside, columns * times, rows * times, pixel);
}
