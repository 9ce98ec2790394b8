/*
 * Under which reservations a statement holds: comparisons that went one way only, ties, operands
 * that had narrower numbers, sizes that were left out.
 */
#include "verify/reserve.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- comparisons ----------------------------------------------------------------------------- */

static bool same_place(const comparison *c, const spor_node *node) {
    if (c->op != node->op || c->place.line != node->place.line) return false;
    return c->place.column == node->place.column && c->place.file == node->place.file;
}

/* The comparison that the node is an instance of: those of one op at one place of the source are
 * one. NULL if there is no room. */
static comparison *find(comparisons *all, const spor_node *node) {
    for (int k = 0; k < all->n; k++)
        if (same_place(&all->at[k], node)) return &all->at[k];
    if (all->n == COMPARISONS) return NULL;
    all->at[all->n] = (comparison){.op = node->op, .place = node->place};
    return &all->at[all->n++];
}

void comparisons_add(comparisons *all, const spor_trial *trial) {
    for (int k = 0; k < trial->decisions; k++) {
        const trial_decision *d = &trial->decision[k];
        comparison *c = find(all, &trial->tape->node[d->node]);
        if (!c || !d->seen) continue;
        c->least = c->seen ? fmin(c->least, d->least) : d->least;
        c->most = c->seen ? fmax(c->most, d->most) : d->most;
        c->seen = true;
    }
}

static bool is_met(const comparison *c) {
    return c->seen && c->least < c->most;
}

bool comparisons_met(const comparisons *all) {
    for (int k = 0; k < all->n; k++)
        if (!is_met(&all->at[k])) return false;
    return true;
}

/* ---- in words -------------------------------------------------------------------------------- */

typedef struct {
    char *text;
    size_t size, used;
} words;

__attribute__((format(printf, 2, 3))) static void say(words *w, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (w->used < w->size) {
        int wrote = vsnprintf(w->text + w->used, w->size - w->used, format, arguments);
        if (wrote > 0) w->used += (size_t)wrote;
    }
    va_end(arguments);
}

/* The smaller outcome, the larger one or the only one there is. */
static void say_comparison(words *w, const comparison *c) {
    char name[SPOR_NAME], where[48] = "";
    op_name(c->op, name, sizeof name);
    if (c->place.line) snprintf(where, sizeof where, " at %d:%d", c->place.line, c->place.column);
    const char *side = c->op->sides[c->most > 0];
    if (!c->seen)
        say(w, "%s%s was never decided", name, where);
    else if (side)
        say(w, "holds where %s in %s%s", side, name, where);
    else
        say(w, "one side of %s%s was never met", name, where);
}

int reserve_comparisons(const comparisons *all, char *text, size_t size) {
    words w = {.text = text, .size = size, .used = strlen(text)};
    int unmet = 0;
    for (int k = 0; k < all->n; k++) {
        if (is_met(&all->at[k])) continue;
        if (w.used) say(&w, "; ");
        say_comparison(&w, &all->at[k]);
        unmet++;
    }
    return unmet;
}

void reserve(char *text, size_t size, const char *format, ...) {
    char more[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(more, sizeof more, format, arguments);
    va_end(arguments);
    words w = {.text = text, .size = size, .used = strlen(text)};
    say(&w, "%s%s", w.used ? "; " : "", more);
}
