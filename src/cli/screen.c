/* All that the commands print, on its way to a terminal, a pipe or a file. */
#define _GNU_SOURCE /* fopencookie */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/plain.h"

static bool write_all(int to, const char *bytes, size_t size) {
    for (ssize_t n; size; bytes += n, size -= (size_t)n)
        if ((n = write(to, bytes, size)) < 0) {
            if (errno != EINTR) return false;
            n = 0;
        }
    return true;
}

/* What begins a character waits for its end. Returns how many bytes were taken, 0 on an error. */
static ssize_t write_plain(void *cookie, const char *bytes, size_t size) {
    spor_stream *stream = cookie;
    char text[SPOR_STREAM_HELD + 4096 + 1];
    for (size_t at = 0, part; at < size; at += part) {
        part = size - at < 4096 ? size - at : 4096;
        memcpy(text, stream->held, stream->holds);
        memcpy(text + stream->holds, bytes + at, part);
        size_t all = stream->holds + part;
        text[all] = 0;
        size_t plain = plain_bytes(text, all, &stream->holds);
        memcpy(stream->held, text + plain, stream->holds);
        if (!write_all(stream->to, text, plain)) return 0;
    }
    return (ssize_t)size;
}

static FILE *filter(spor_stream *stream, FILE *plain, int to, int buffering) {
    *stream = (spor_stream){.to = to, .plain = plain};
    FILE *out = fopencookie(stream, "w", (cookie_io_functions_t){.write = write_plain});
    if (out) setvbuf(out, NULL, buffering, BUFSIZ);
    return out;
}

bool screen_begin(spor_screen *screen) {
    FILE *out =
        filter(&screen->out, stdout, STDOUT_FILENO, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
    FILE *err = filter(&screen->err, stderr, STDERR_FILENO, _IONBF);
    if (!out || !err) return false;
    stdout = out;
    stderr = err;
    return true;
}

void screen_end(spor_screen *screen) {
    fclose(stdout);
    fclose(stderr);
    stdout = screen->out.plain;
    stderr = screen->err.plain;
}

void screen_control(const char *sequence) {
    fflush(stdout);
    write_all(STDOUT_FILENO, sequence, strlen(sequence));
}

bool screen_is_terminal(void) {
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}
