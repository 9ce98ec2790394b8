#define _XOPEN_SOURCE 700 /* realpath */
#include "base/bytes.h"
#include "base/message.h"
#include "data/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reading -------------------------------------------------------------------------------- */

/* Room for so many bytes; false leaves errno. */
static bool make_room(unsigned char **bytes, size_t room) {
    unsigned char *more = realloc(*bytes, room);
    if (more) *bytes = more;
    errno = ENOMEM;
    return more != NULL;
}

/* Reads to the end in growing pieces, from room bytes on, since the size of a pipe is not known. */
static bool read_all(FILE *file, size_t room, size_t limit, unsigned char **bytes, size_t *size) {
    for (size_t got = 1; got; *size += got) {
        if ((*size == 0 || *size == room) && !make_room(bytes, *size ? room *= 2 : room))
            return false;
        got = fread(*bytes + *size, 1, room - *size, file);
        errno = got > limit - *size ? EFBIG : errno;
        if (got > limit - *size) return false;
    }
    return !ferror(file);
}

static bool fail_open(const char *path, spor_message *message) {
    return message_complain(message, "%s: cannot be opened: %s", path, strerror(errno));
}

/* Reads and closes; room > 0. */
static bool take(FILE *file, size_t room, size_t limit, const char *path, unsigned char **bytes,
                 size_t *size, spor_message *message) {
    *bytes = NULL;
    *size = 0;
    bool done = read_all(file, room, limit, bytes, size);
    int trouble = errno;
    fclose(file);
    if (done) return true;
    free(*bytes);
    *bytes = NULL;
    if (trouble == EFBIG)
        return message_complain(message, "%s: is longer than the limit of %zu bytes", path, limit);
    return message_complain(message, "%s: cannot be read: %s", path, strerror(trouble));
}

bool file_stream_bytes(const char *path, size_t limit, unsigned char **bytes, size_t *size,
                       spor_message *message) {
    FILE *file = fopen(path, "rb");
    if (file) return take(file, 1 << 16, limit, path, bytes, size, message);
    *bytes = NULL;
    *size = 0;
    return fail_open(path, message);
}

/* What a name stands for that is no regular file. */
static const char *kind_of(mode_t mode) {
    return S_ISDIR(mode)                    ? "a folder"
           : S_ISFIFO(mode)                 ? "a pipe"
           : S_ISCHR(mode) || S_ISBLK(mode) ? "a device"
                                            : "no file";
}

/* Opens a regular file; a pipe without a writer is not waited for. */
static FILE *open_regular(const char *path, size_t *size, spor_message *message) {
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &status) < 0)
        fail_open(path, message);
    else if (!S_ISREG(status.st_mode))
        message_complain(message, "%s: is %s; data are read from regular files", path,
                         kind_of(status.st_mode));
    else {
        bool fits = (uintmax_t)status.st_size < BYTES_MOST;
        *size = fits ? (size_t)status.st_size : BYTES_MOST;
        FILE *file = fdopen(descriptor, "rb");
        if (file) return file;
        fail_open(path, message);
    }
    if (descriptor >= 0) close(descriptor);
    return NULL;
}

bool file_bytes(const char *path, size_t limit, unsigned char **bytes, size_t *size,
                spor_message *message) {
    size_t length = 0;
    *bytes = NULL;
    *size = 0;
    FILE *file = open_regular(path, &length, message);
    if (!file) return false;
    if (length <= limit) return take(file, length + 1, limit, path, bytes, size, message);
    fclose(file);
    return message_complain(message, "%s: is longer than the limit of %zu bytes", path, limit);
}

bool file_head(const char *path, size_t most, unsigned char head[], size_t *got, size_t *length,
               spor_message *message) {
    FILE *file = open_regular(path, length, message);
    if (!file) return false;
    *got = fread(head, 1, most, file);
    bool done = !ferror(file);
    int trouble = errno;
    fclose(file);
    return done || message_complain(message, "%s: cannot be read: %s", path, strerror(trouble));
}

/* ---- writing -------------------------------------------------------------------------------- */

/* Flushes to the disk and closes: only then a full disk is known. False leaves errno. */
static bool write_all(FILE *file, const void *bytes, size_t size, bool device) {
    bool done = fwrite(bytes, 1, size, file) == size && fflush(file) == 0 &&
                (device || fsync(fileno(file)) == 0);
    int trouble = errno;
    if (fclose(file) != 0) return false;
    errno = trouble;
    return done;
}

static bool write_device(const char *path, const void *bytes, size_t size, spor_message *message) {
    FILE *file = fopen(path, "wb");
    if (file && write_all(file, bytes, size, true)) return true;
    return message_complain(message, "%s: cannot be written: %s", path, strerror(errno));
}

/* Ends the name of a file that is being written; mkstemp puts other characters for the X. */
static const char tail[] = ".spor-XXXXXX";

/* A new file beside the path with the permissions that the process gives new files. */
static FILE *open_beside(const char *path, char **name) {
    *name = malloc(strlen(path) + sizeof tail);
    if (!*name) return NULL;
    strcpy(*name, path);
    strcat(*name, tail);
    int descriptor = mkstemp(*name);
    if (descriptor < 0) return NULL;
    mode_t mask = umask(0);
    umask(mask);
    FILE *file = fchmod(descriptor, 0666 & ~mask) == 0 ? fdopen(descriptor, "wb") : NULL;
    if (!file) {
        int trouble = errno;
        close(descriptor);
        unlink(*name);
        errno = trouble;
    }
    return file;
}

/* The name of the file lies in its folder, which a disk writes when it likes. A folder that can't be flushed, as
 * some file systems say, has the file all the same. */
static void flush_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 1;
    char *folder = malloc(length + 1);
    if (!folder) return;
    memcpy(folder, slash ? path : ".", length);
    folder[length] = 0;
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (descriptor < 0) return;
    fsync(descriptor);
    close(descriptor);
}

/* The bytes in a new file beside the path, which is no folder; NULL leaves errno. */
static char *write_beside(const char *path, const void *bytes, size_t size) {
    struct stat status;
    char *name;
    errno = EISDIR;
    if (!stat(path, &status) && S_ISDIR(status.st_mode)) return NULL;
    FILE *file = open_beside(path, &name);
    if (file && write_all(file, bytes, size, false)) return name;
    int trouble = errno;
    if (file) unlink(name);
    free(name);
    errno = trouble;
    return NULL;
}

static bool is_device(const char *path) {
    struct stat status;
    return !stat(path, &status) && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

static bool fail_write(const char *path, spor_message *message) {
    return message_complain(message, "%s: cannot be written: %s", path, strerror(errno));
}

/* name[k]: the new file of piece k; NULL for devices, which are written now, after all others. */
static bool write_pieces(int n, const file_piece piece[], char *name[], spor_message *message) {
    for (int k = 0; k < n; k++) {
        if (is_device(piece[k].path)) continue;
        name[k] = write_beside(piece[k].path, piece[k].bytes, piece[k].size);
        if (!name[k]) return fail_write(piece[k].path, message);
    }
    for (int k = 0; k < n; k++)
        if (!name[k] && !write_device(piece[k].path, piece[k].bytes, piece[k].size, message))
            return false;
    return true;
}

bool file_write_together(int n, const file_piece piece[], spor_message *message) {
    char **name = calloc((size_t)n + 1, sizeof *name);
    if (!name) return message_complain(message, "%s: out of memory", piece[0].path);
    bool done = write_pieces(n, piece, name, message);
    for (int k = 0; k < n; k++) {
        if (done && name[k] && rename(name[k], piece[k].path))
            done = fail_write(piece[k].path, message);
        if (!done && name[k]) unlink(name[k]);
        if (done && name[k]) flush_folder(piece[k].path);
        free(name[k]);
    }
    free(name);
    return done;
}

bool file_write(const char *path, const void *bytes, size_t size, spor_message *message) {
    return file_write_together(1, &(file_piece){path, bytes, size}, message);
}

bool file_write_text(spor_text *text, const char *path, spor_message *message) {
    bool done = text->failed ? message_complain(message, "%s: out of memory", path)
                             : file_write(path, text->at, text->size, message);
    text_free(text);
    return done;
}

/* ---- left-overs ----------------------------------------------------------------------------- */

static bool is_left_over(const char *name) {
    enum { TAIL = sizeof tail - 1, RANDOM = 6 };
    size_t length = strlen(name);
    return length > TAIL && !strncmp(name + length - TAIL, tail, TAIL - RANDOM);
}

void file_sweep(const char *folder) {
    char path[4096];
    DIR *list = opendir(folder);
    for (const struct dirent *entry; list && (entry = readdir(list));) {
        int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (is_left_over(entry->d_name) && length < (int)sizeof path) unlink(path);
    }
    if (list) closedir(list);
}

/* ---- folders -------------------------------------------------------------------------------- */

static bool make_one(const char *path) {
    struct stat status;
    if (mkdir(path, 0777) == 0) return true;
    int trouble = errno;
    if (stat(path, &status) == 0) {
        errno = ENOTDIR;
        return S_ISDIR(status.st_mode);
    }
    errno = trouble;
    return false;
}

bool file_make_folder(const char *path, spor_message *message) {
    size_t length = strlen(path);
    char *part = malloc(length + 1);
    if (!part) return message_complain(message, "%s: out of memory", path);
    memcpy(part, path, length + 1);
    bool done = length > 0;
    errno = ENOENT;
    for (size_t k = 1; done && k <= length; k++) {
        if (part[k] != '/' && part[k] != '\0') continue;
        part[k] = '\0';
        done = make_one(part);
        part[k] = path[k];
    }
    int trouble = errno;
    free(part);
    return done ||
           message_complain(message, "%s: cannot make this folder: %s", path, strerror(trouble));
}

/* The folder of a path, and where its last name begins; false if there is no such folder. */
static bool folder_of(const char *path, struct stat *folder, const char **name) {
    const char *slash = strrchr(path, '/');
    char *text = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    *name = slash ? slash + 1 : path;
    bool there = text && !stat(text, folder);
    free(text);
    return there;
}

bool file_is_same(const char *a, const char *b) {
    struct stat one, other;
    const char *name, *other_name;
    bool there = !stat(a, &one), other_there = !stat(b, &other);
    if (there != other_there) return false;
    if (!there && (!folder_of(a, &one, &name) || !folder_of(b, &other, &other_name) ||
                   strcmp(name, other_name) != 0))
        return false;
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

void file_title(const char *path, char *out, size_t size) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t length = strcspn(name, ".");
    snprintf(out, size, "%.*s", (int)(length < size ? length : size - 1), name);
}

bool file_ends_in(const char *path, const char *const ending[]) {
    for (size_t length = strlen(path), end; *ending; ending++)
        if ((end = strlen(*ending)) < length && !strcmp(path + length - end, *ending)) return true;
    return false;
}

bool file_leads_to(const char *path, const char *const ending[]) {
    struct stat status;
    char *real = stat(path, &status) || !S_ISREG(status.st_mode) ? NULL : realpath(path, NULL);
    bool ends = !real || file_ends_in(real, ending);
    free(real);
    return ends;
}
