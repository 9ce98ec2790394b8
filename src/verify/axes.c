/* What the axes of a tensor are called: as its signature says, or by the size that they follow. */
#include "base/random.h"
#include "verify/hint.h"

enum { PROBES = 8 };

const char *const *axes_of(const spor_instance *in, int input) {
    if (input < 0) return NULL;
    for (int k = 0; k < SPOR_RANK; k++)
        if (in->axis[input][k]) return in->axis[input];
    return NULL;
}

const char *hint_axes(const char *const name[], int64_t mask, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, mask & (mask - 1) ? "axes" : "axis");
    const char *between = " ";
    for (int axis = 0; axis < SPOR_RANK && used < size; axis++) {
        if (!(mask >> axis & 1)) continue;
        used += name && name[axis]
                    ? (size_t)snprintf(text + used, size - used, "%s%.*s", between, SPOR_NAME - 1,
                                       name[axis])
                    : (size_t)snprintf(text + used, size - used, "%s%d", between, axis);
        between = " and ";
    }
    return text;
}

const char *hint_line(const spor_node *node, char text[32]) {
    *text = 0;
    if (node->place.line > 0) snprintf(text, 32, " (line %d)", node->place.line);
    return text;
}

static spor_shape shape_of(const spor_instance *in, int pair, bool formula) {
    return spor_shape_of(formula ? in->pair[pair].formula : in->pair[pair].expected);
}

/* may[k][q]: axis k may be the size q, by one more recording. */
static void sift(const spor_statement *statement, const int64_t value[], const spor_shape *shape,
                 bool may[SPOR_RANK][SPOR_QUANTITIES]) {
    for (int k = 0; k < shape->rank; k++)
        for (int q = 0; q < statement->quantities; q++)
            if (statement->quantity[q].choices || value[q] != shape->n[k]) may[k][q] = false;
}

/* The statement at some other sizes. */
static void probe(const spor_statement *statement, const int64_t value[], int pair, bool formula,
                  uint64_t round, bool may[SPOR_RANK][SPOR_QUANTITIES]) {
    int64_t other[SPOR_QUANTITIES];
    spor_instance in = {0};
    spor_tape *tape = spor_tape_new();
    for (int q = 0; q < statement->quantities; q++) {
        const spor_quantity *s = &statement->quantity[q];
        uint64_t span = (uint64_t)(s->most - s->least) + 1;
        other[q] =
            s->choices ? value[q] : s->least + (int64_t)(random_hash(round, (uint64_t)q, 5) % span);
    }
    bool recorded = tape && statement->record(statement->user, tape, other, &in) == SPOR_RECORDED &&
                    !spor_error(tape) && pair < in.pairs;
    if (recorded) {
        spor_shape shape = shape_of(&in, pair, formula);
        sift(statement, other, &shape, may);
    }
    spor_tape_free(tape);
}

/* The one size that an axis followed wherever the statement was recorded. */
static const char *only_name(const spor_statement *statement, const bool may[SPOR_QUANTITIES]) {
    const char *name = NULL;
    for (int q = 0; q < statement->quantities; q++) {
        if (!may[q]) continue;
        if (name) return NULL;
        name = statement->quantity[q].name;
    }
    return name;
}

static void find_names(const spor_statement *statement, const int64_t value[],
                       const spor_instance *in, int pair, bool formula,
                       spor_signature_operand *names) {
    bool may[SPOR_RANK][SPOR_QUANTITIES];
    spor_shape shape = shape_of(in, pair, formula);
    const char *const *own = formula ? NULL : axes_of(in, in->pair[pair].wrt);
    names->axes = shape.rank;
    for (int k = 0; k < SPOR_RANK; k++)
        for (int q = 0; q < SPOR_QUANTITIES; q++) may[k][q] = true;
    sift(statement, value, &shape, may);
    for (int round = 0; round < PROBES && !own; round++)
        probe(statement, value, pair, formula, (uint64_t)round, may);
    for (int k = 0; k < shape.rank; k++) {
        const char *name = own ? own[k] : only_name(statement, may[k]);
        if (name) snprintf(names->axis[k], SPOR_NAME, "%.*s", SPOR_NAME - 1, name);
    }
}

bool axes_misfit(const spor_statement *statement, const int64_t value[], const spor_instance *in,
                 int pair, char *text, size_t size) {
    spor_shape formula = shape_of(in, pair, true), expected = shape_of(in, pair, false);
    spor_signature_operand names[2] = {{.axes = 0}, {.axes = 0}};
    char a[160], b[160];
    if (shape_equal(&formula, &expected)) return false;
    find_names(statement, value, in, pair, true, &names[0]);
    find_names(statement, value, in, pair, false, &names[1]);
    tape_shape_text(&formula, &names[0], a, sizeof a);
    tape_shape_text(&expected, &names[1], b, sizeof b);
    snprintf(text, size, "%.60s is %.120s but must be %.120s", in->pair[pair].name, a, b);
    return true;
}
