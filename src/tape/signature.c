/* Signatures: "correlate2d(x[N,H,W,C], K[k,l,C,F]; stride:int2=1)". */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tape/op.h"

typedef struct {
    const char *name;
    spor_kind kind;
    int slots;
} kind_row;

static const kind_row kinds[] = {{"int", SPOR_KIND_INT, 1},
                                 {"real", SPOR_KIND_REAL, 1},
                                 {"int2", SPOR_KIND_INT2, 2},
                                 {"int4", SPOR_KIND_INT4, 4},
                                 {"axis", SPOR_KIND_AXIS, 1},
                                 {"axes", SPOR_KIND_AXES, 1},
                                 {"sizes", SPOR_KIND_SIZES, SPOR_RANK},
                                 {"perm", SPOR_KIND_PERM, SPOR_RANK},
                                 {"shape", SPOR_KIND_SHAPE, 1 + SPOR_RANK},
                                 {"values", SPOR_KIND_VALUES, 2}};

static void skip_space(const char **at) {
    while (**at == ' ') ++*at;
}

/* Takes the text if it comes next. */
static bool take(const char **at, const char *text) {
    skip_space(at);
    size_t length = strlen(text);
    if (strncmp(*at, text, length) != 0) return false;
    *at += length;
    return true;
}

static bool take_name(const char **at, char name[SPOR_NAME]) {
    skip_space(at);
    int length = 0;
    while (isalnum((unsigned char)**at) || **at == '_') {
        if (length == SPOR_NAME - 1) return false;
        name[length++] = *(*at)++;
    }
    name[length] = 0;
    return length > 0;
}

/* x[N,H,W,C], x[...], x[*] or x[...,n,k] */
static bool take_operand(const char **at, spor_signature_operand *operand) {
    if (!take_name(at, operand->name) || !take(at, "[")) return false;
    if (take(at, "]")) return true;
    if (take(at, "*")) return operand->free = true, take(at, "]");
    if (take(at, "...")) {
        operand->any = true;
        if (take(at, "]")) return true;
        if (!take(at, ",")) return false;
    }
    do {
        if (operand->axes == SPOR_RANK || !take_name(at, operand->axis[operand->axes++]))
            return false;
    } while (take(at, ","));
    return take(at, "]");
}

/* 1, or the name of one of the attributes before this one, of as many slots */
static bool take_default(const char **at, const spor_signature *signature,
                         spor_signature_attr *attr) {
    char name[SPOR_NAME], *end;
    attr->has_default = true;
    attr->same_as = -1;
    if (!isalpha((unsigned char)**at)) {
        attr->value = strtod(*at, &end);
        *at = end;
        return true;
    }
    if (!take_name(at, name)) return false;
    for (int k = 0; &signature->attr[k] != attr; k++)
        if (!strcmp(signature->attr[k].name, name) && signature->attr[k].slots == attr->slots)
            attr->same_as = k;
    return attr->same_as >= 0;
}

/* stride:int2=1 */
static bool take_attr(const char **at, int slot, const spor_signature *signature,
                      spor_signature_attr *attr) {
    char kind[SPOR_NAME];
    if (!take_name(at, attr->name) || !take(at, ":") || !take_name(at, kind)) return false;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (!strcmp(kinds[k].name, kind)) {
            attr->kind = kinds[k].kind;
            attr->slots = kinds[k].slots;
        }
    attr->slot = slot;
    return attr->slots > 0 && (!take(at, "=") || take_default(at, signature, attr));
}

bool signature_parse(const char *text, spor_signature *signature) {
    const int most_attrs = (int)(sizeof signature->attr / sizeof *signature->attr);
    memset(signature, 0, sizeof *signature);
    if (!take_name(&text, signature->name) || !take(&text, "(")) return false;
    skip_space(&text);
    if (*text != ';' && *text != ')') do {
            if (signature->operands == SPOR_OPERANDS ||
                !take_operand(&text, &signature->operand[signature->operands++]))
                return false;
        } while (take(&text, ","));
    int slot = 0;
    if (take(&text, ";")) do {
            spor_signature_attr *attr = &signature->attr[signature->attrs];
            if (signature->attrs++ == most_attrs || !take_attr(&text, slot, signature, attr))
                return false;
            slot += attr->slots;
        } while (take(&text, ","));
    return take(&text, ")") && !*text;
}
