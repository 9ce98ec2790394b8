#include "tape/layers.h"

#include <stdlib.h>
#include <string.h>

#include "base/shape.h"

int64_t layers_parameters(const spor_tape *tape, uint32_t first, uint32_t last) {
    int64_t sum = 0;
    for (uint32_t k = 0; k < tape->leaves; k++) {
        const spor_leaf *leaf = &tape->leaf[k];
        if (leaf->trained && leaf->id >= first && leaf->id < last)
            sum += shape_size(tape->node[leaf->id].shape);
    }
    return sum;
}

bool layers_have_parameters(const spor_tape *tape, uint32_t scope) {
    return layers_parameters(tape, tape->scope[scope].first, tape->scope[scope].last) > 0;
}

/* A network, or a block that is made of several layers: it is shown by its parts. */
static bool is_composed(const spor_tape *tape, uint32_t scopes, uint32_t scope) {
    int parts = 0;
    if (!tape->scope[scope].parent) {
        for (uint32_t k = scope + 1; k < scopes; k++)
            if (tape->scope[k].parent == scope) return true;
        return false;
    }
    for (uint32_t k = scope + 1; k < scopes; k++)
        parts += tape->scope[k].parent == scope && layers_have_parameters(tape, k);
    return parts > 1;
}

/* A parent comes before its parts. */
int layers_find(const spor_tape *tape, uint32_t scopes, bool **layer) {
    bool *composed = calloc(scopes, sizeof *composed);
    int count = 0;
    *layer = calloc(scopes, sizeof **layer);
    if (composed && *layer) {
        composed[0] = true;
        for (uint32_t k = 1; k < scopes; k++) {
            bool open = composed[tape->scope[k].parent];
            composed[k] = open && is_composed(tape, scopes, k);
            (*layer)[k] = open && !composed[k] && tape->scope[k].result;
            count += (*layer)[k];
        }
    } else {
        count = -1;
    }
    free(composed);
    return count;
}

const char *layers_name(const spor_tape *tape, uint32_t scope) {
    const char *path = tape->scope[scope].path, *slash = strchr(path, '/');
    return slash ? slash + 1 : path;
}
