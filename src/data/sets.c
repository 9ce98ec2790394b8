#include "data/sets.h"

#include <dirent.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "base/shape.h"
#include "data/idx.h"
#include "data/mat.h"
#include "data/part.h"

/* ---- readers ---- */

static spor_data *read_csv(const data_set *set, const char *const path[], double scale,
                           spor_message *message) {
    return spor_data_csv(path[0], set->shape, set->classes, scale, message);
}

/* Reads what a part has, from one or more files. */
typedef bool part_reader(const data_set *set, const char *const path[], data_part *part,
                         spor_message *message);

/* Images, and labels in a file of their own. */
static bool idx_part(const data_set *set, const char *const path[], data_part *part,
                     spor_message *message) {
    int64_t labels;
    (void)set;
    if (!idx_read(path[0], &part->x, &part->rows, message) ||
        !idx_read(path[1], &part->y, &labels, message))
        return false;
    return labels == part->rows ||
           message_complain(message, "%s: has %" PRId64 " rows where %s has %" PRId64, path[1],
                            labels, path[0], part->rows);
}

/* X [32, 32, 3, N] and y [N, 1] in MATLAB's order, which counts from 1: 10 is the digit 0. */
static bool svhn_part(const data_set *set, const char *const path[], data_part *part,
                      spor_message *message) {
    mat_file file;
    bool done = mat_open(path[0], &file, message) && mat_read(&file, "X", &part->x, message) &&
                mat_read(&file, "y", &part->y, message);
    mat_close(&file);
    if (!done) return false;
    int64_t labels = shape_size(&part->y.shape);
    part->y.shape = SPOR_SHAPE(1);
    part->zero = set->classes;
    int axes = set->shape.rank + 1;
    if (part->x.shape.rank <= axes && !mat_rows(&part->x, axes, &part->rows))
        return message_complain(message, "%s: out of memory", path[0]);
    if (labels == part->rows && shape_equal(&part->x.shape, &set->shape)) return true;
    return message_complain(message,
                            "%s: is not of SVHN's form, X of [32, 32, 3, N] and N labels in y: it "
                            "has %" PRId64 " rows and %" PRId64 " labels",
                            path[0], part->rows, labels);
}

/* Parts of so many files each; rows that test come last. */
static spor_data *read_parts(const data_set *set, const char *const path[], double scale, int files,
                             part_reader *read, spor_message *message) {
    spor_data *data = calloc(1, sizeof *data);
    if (!data) return message_complain(message, "out of memory"), NULL;
    *data = (spor_data){.scale = scale, .classes = set->classes, .x = {.shape = set->shape}};
    snprintf(data->name, sizeof data->name, "%s", set->name);
    for (int k = 0; k < sets_files(set); k += files) {
        data_part part = {0};
        int64_t before = data->rows;
        bool done = read(set, path + k, &part, message);
        if (!done || !part_join(data, &part, path[k], message)) {
            part_free(&part);
            spor_data_free(data);
            return NULL;
        }
        if (set->file[k].test) data->test_rows += data->rows - before;
    }
    return data;
}

static spor_data *read_idx(const data_set *set, const char *const path[], double scale,
                           spor_message *message) {
    return read_parts(set, path, scale, 2, idx_part, message);
}

static spor_data *read_svhn(const data_set *set, const char *const path[], double scale,
                            spor_message *message) {
    return read_parts(set, path, scale, 1, svhn_part, message);
}

/* ---- the table ---- */

/* Of MNIST's form. Tools that unpack them write a point for a dash. */
#define TRAIN_IMAGES(size, sum)                                                                    \
    { "train-images-idx3-ubyte.gz", size, sum, "train-images?idx3-ubyte*", false }
#define TRAIN_LABELS(size, sum)                                                                    \
    { "train-labels-idx1-ubyte.gz", size, sum, "train-labels?idx1-ubyte*", false }
#define TEST_IMAGES(size, sum)                                                                     \
    { "t10k-images-idx3-ubyte.gz", size, sum, "t10k-images?idx3-ubyte*", true }
#define TEST_LABELS(size, sum)                                                                     \
    { "t10k-labels-idx1-ubyte.gz", size, sum, "t10k-labels?idx1-ubyte*", true }

#define SVHN_TRAIN                                                                                 \
    { "train_32x32.mat", 182040794, "md5 e26dedcc434d2e4c54c9b2d4a06d8373", "*train*.mat", false }
#define SVHN_EXTRA                                                                                 \
    { "extra_32x32.mat", 1329278602, "md5 a93ce644f1a588dc4d68dda5feec44a7", "*extra*.mat", false }
#define SVHN_TEST                                                                                  \
    { "test_32x32.mat", 64275384, "md5 eb5a983be6a315427106f1b164d9cef3", "*test*.mat", true }
#define SVHN_GET "http://ufldl.stanford.edu/housenumbers/"
#define SVHN_ORIGIN "Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu, A. Y. Ng, 2011"

const data_set data_sets[] = {
    {.name = "digits",
     .title = "handwritten digits, pixels of 0 to 16",
     .shape = {3, {8, 8, 1}},
     .classes = 10,
     .rows = 1797,
     .scale = 1.0 / 16,
     .read = read_csv,
     .folder = "",
     .get = "they are part of spor",
     .origin = "E. Alpaydin, C. Kaynak, 1998; UCI, as scikit-learn ships them",
     .terms = "BSD-3-Clause",
     .file = {{"digits.csv.gz", 57512,
               "sha256 46abec6b12486ad9e51943373abcf22bbea1b5a51a1619b361570d8893f1464a", NULL,
               false}}},
    {.name = "mnist",
     .title = "MNIST, handwritten digits",
     .shape = {3, {28, 28, 1}},
     .classes = 10,
     .rows = 70000,
     .scale = 1.0 / 255,
     .read = read_idx,
     .folder = "mnist/",
     .get = "they are in data/mnist of spor's source, and not installed",
     .origin = "Y. LeCun, C. Cortes, C. J. C. Burges",
     .terms = "CC BY-SA 3.0",
     .file =
         {TRAIN_IMAGES(9912422,
                       "sha256 440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
          TRAIN_LABELS(28881,
                       "sha256 3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
          TEST_IMAGES(1648877,
                      "sha256 8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
          TEST_LABELS(4542,
                      "sha256 f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6")}},
    {.name = "fashion_mnist",
     .title = "Fashion-MNIST, pictures of clothes",
     .shape = {3, {28, 28, 1}},
     .classes = 10,
     .rows = 70000,
     .scale = 1.0 / 255,
     .read = read_idx,
     .folder = "fashion-mnist/",
     .package = "/usr/share/datasets/fashion-mnist/",
     .get = "Debian's package dataset-fashion-mnist: apt-get install dataset-fashion-mnist",
     .origin = "H. Xiao, K. Rasul, R. Vollgraf, 2017; Zalando",
     .terms = "MIT",
     .file = {TRAIN_IMAGES(26421856, "md5 cf8536b0aa1a6ac5fa3f23001093305c"),
              TRAIN_LABELS(29491, "md5 10bea18fdb374794d4bb42e356e600c9"),
              TEST_IMAGES(4422079, "md5 f78720b4224f21cce2f2ccf2d7a94c9a"),
              TEST_LABELS(5125, "md5 0d30e22e447f3c33dab9ed536400ac01")}},
    {.name = "svhn",
     .title = "SVHN, house numbers cut out digit by digit",
     .shape = {3, {32, 32, 3}},
     .classes = 10,
     .rows = 99289,
     .scale = 1.0 / 255,
     .read = read_svhn,
     .folder = "svhn/",
     .get = SVHN_GET,
     .origin = SVHN_ORIGIN,
     .terms = "for non-commercial use only",
     .file = {SVHN_TRAIN, SVHN_TEST}},
    {.name = "svhn_extra",
     .title = "SVHN with its extra digits, to train with too",
     .shape = {3, {32, 32, 3}},
     .classes = 10,
     .rows = 630420,
     .scale = 1.0 / 255,
     .read = read_svhn,
     .folder = "svhn/",
     .get = SVHN_GET,
     .origin = SVHN_ORIGIN,
     .terms = "for non-commercial use only",
     .file = {SVHN_TRAIN, SVHN_EXTRA, SVHN_TEST}},
    {.name = NULL},
};

const data_set *sets_find(const char *name) {
    for (const data_set *set = data_sets; set->name; set++)
        if (!strcmp(set->name, name)) return set;
    return NULL;
}

int sets_files(const data_set *set) {
    int n = 0;
    while (set->file[n].name) n++;
    return n;
}

/* ---- files ---- */

static const char *last_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_published(const data_file *file, const char *path) {
    struct stat status;
    return !strcmp(last_of(path), file->name) && !stat(path, &status) &&
           (int64_t)status.st_size == file->size;
}

bool sets_are_published(const data_set *set, char *const path[]) {
    for (int k = 0; k < sets_files(set); k++)
        if (!is_published(&set->file[k], path[k])) return false;
    return true;
}

static char *join(const char *folder, const char *name) {
    size_t length = strlen(folder) + strlen(name) + 2;
    char *path = malloc(length);
    const char *slash = *folder && folder[strlen(folder) - 1] != '/' ? "/" : "";
    if (path) snprintf(path, length, "%s%s%s", folder, slash, name);
    return path;
}

/* How many files of the folder are like one of the set's; one of them. */
static int find_like(const data_file *file, const char *folder, char **path) {
    int count = 0;
    DIR *list = file->like ? opendir(folder) : NULL;
    for (struct dirent *entry; list && (entry = readdir(list));) {
        if (fnmatch(file->like, entry->d_name, 0) != 0) continue;
        if (!count++) *path = join(folder, entry->d_name);
    }
    if (list) closedir(list);
    return count;
}

static bool find_file(const data_file *file, const char *folder, bool like, char **path,
                      spor_message *message) {
    int count = 0;
    *path = join(folder, file->name);
    if (*path && !access(*path, F_OK)) return true;
    free(*path);
    *path = NULL;
    if (like) count = find_like(file, folder, path);
    if (count == 1 && *path) return true;
    free(*path);
    *path = NULL;
    if (count > 1)
        return message_complain(message, "%s: has no %s and %d files like %s: leave one", folder,
                                file->name, count, file->like);
    return message_complain(message, "%s: has no %s%s%s", folder, file->name,
                            like && file->like ? " and no file like " : "",
                            like && file->like ? file->like : "");
}

void sets_free_files(char *path[DATA_FILES]) {
    for (int k = 0; k < DATA_FILES; k++) {
        free(path[k]);
        path[k] = NULL;
    }
}

int sets_find_files(const data_set *set, const char *folder, bool like, char *path[DATA_FILES],
                    spor_message *message) {
    int files = sets_files(set), found = 0;
    for (int k = 0; k < DATA_FILES; k++) path[k] = NULL;
    for (int k = 0; k < files; k++)
        found += find_file(&set->file[k], folder, like, &path[k], found == k ? message : NULL);
    if (found < files) sets_free_files(path);
    return found;
}

/* ---- reading ---- */

/* A download that broke off is the likeliest reason. */
static void tell_length(const data_file *file, const char *path, spor_message *message) {
    struct stat status;
    spor_message so_far = *message;
    if (strcmp(last_of(path), file->name) != 0 || is_published(file, path) || stat(path, &status))
        return;
    message_complain(message,
                     "%.700s\n%s has %lld bytes; as published it has %" PRId64 ". Fetch it again.",
                     so_far.text, file->name, (long long)status.st_size, file->size);
}

spor_data *sets_read(const data_set *set, const char *const path[], double scale,
                     spor_message *message) {
    spor_message why = {""};
    spor_data *data = set->read(set, path, scale, &why);
    for (int k = 0; !data && k < sets_files(set); k++) tell_length(&set->file[k], path[k], &why);
    if (!data) message_complain(message, "%s", why.text);
    return data;
}
