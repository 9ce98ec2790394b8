/* The rows that `spor export --int8` looks at: of the run's own data, as `spor eval` finds them, or of a file. */
#include "cli/calibration.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/message.h"
#include "base/random.h"
#include "data/like.h"

/* Rows that calibrate, at most. */
enum { MOST_ROWS = 512 };

static bool read_file(calibration *c, const opened_run *run, const char *path,
                      spor_message *message) {
    static const spor_table_form found = {0};
    const spor_own_data *own = script_declaration(run->script)->own;
    c->file = like_read(path, own && own->form ? own->form : &found, run->like, message);
    if (!c->file) return false;
    if (!c->file->rows)
        return message_complain(message, "%s: there are no rows to calibrate with", path);
    c->rows.calibrate = (export_rows){.data = c->file, .rows = c->file->rows};
    snprintf(c->rows.text, sizeof c->rows.text, "all %lld rows of %.120s", (long long)c->file->rows,
             path);
    return true;
}

/* The data of the run, read again, where they are those of then. */
static bool read_data(calibration *c, const opened_run *run, spor_message *message) {
    spor_workpiece *piece = &c->piece;
    bool missing;
    *piece = (spor_workpiece){.command = &spor_command_export};
    piece->path = kept_script_name(&run->kept);
    piece->models = kept_models(&run->kept);
    piece->script = kept_script(&run->kept, &claims_dialect, message);
    if (!piece->script || script_error(piece->script)) return false;
    piece->declared = *script_declaration(piece->script);
    int here = kept_enter_folder(&run->kept);
    bool done = workpiece_choose_data(piece, kept_choice(&run->kept)) &&
                workpiece_read_data(piece, &missing, message) != NULL;
    spor_message back = {""};
    if (!kept_leave_folder(here, &back)) return message_complain(message, "%s", back.text);
    return done && kept_data_are(&run->kept, piece->data, message) &&
           like_fit(piece->data, run->like, message);
}

/* The split of the run, and some of its rows to train with. */
static bool split_data(calibration *c, const opened_run *run, spor_message *message) {
    uint64_t seed;
    if (!kept_seed(&run->kept, &seed, message) ||
        !spor_split_draw(c->piece.data, SPOR_TEST_SHARE, SPOR_VALIDATION_SHARE, seed, &c->split,
                         message))
        return false;
    const int64_t all = c->split.train_rows;
    c->drawn = calloc((size_t)all + 1, sizeof *c->drawn);
    if (!c->drawn) return message_complain(message, "out of memory");
    random_shuffle(seed, all, c->drawn);
    const int64_t count = all < MOST_ROWS ? all : MOST_ROWS;
    for (int64_t k = 0; k < count; k++) c->drawn[k] = c->split.train[c->drawn[k]];
    c->rows.part[0] = (export_rows){c->piece.data, c->split.validation, c->split.validation_rows};
    c->rows.part[1] = (export_rows){c->piece.data, c->split.test, c->split.test_rows};
    c->rows.part_name[0] = "validation";
    c->rows.part_name[1] = "test";
    if (c->rows.calibrate.rows) return true;
    c->rows.calibrate = (export_rows){c->piece.data, c->drawn, count};
    snprintf(c->rows.text, sizeof c->rows.text,
             "%lld of the %lld rows that %.60s trained with, drawn with seed %llu",
             (long long)count, (long long)all, c->piece.data->name, (unsigned long long)seed);
    return true;
}

bool calibration_read(calibration *c, const opened_run *run, const char *path,
                      spor_message *message) {
    *c = (calibration){0};
    if (path && !read_file(c, run, path, message)) return false;
    bool found = read_data(c, run, message);
    if (!found && path) return true; /* nothing is measured */
    if (!found) {
        spor_message why = *message;
        return message_complain(message,
                                "%.700s\n--int8 calibrates with rows that the run trained with: "
                                "--calibrate FILE takes others, as spor predict --in",
                                *why.text ? why.text : "the run's data can't be read");
    }
    return split_data(c, run, message);
}

void calibration_end(calibration *c) {
    free(c->drawn);
    spor_split_free(&c->split);
    spor_data_free(c->file);
    workpiece_close(&c->piece);
}
