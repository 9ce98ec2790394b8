/*
 * The words of kernels/scalar.h over expressions: an elementwise op, run over T = a term, writes down what it
 * computes. So the function under ELEMENT_KERNEL is the definition of what is exported, too.
 *
 * A term is a number, a name or a form of other terms: "$0 + $1" of a and b. Forms are C; their functions
 * are those of export/portable.c, which have the bits of kernels/vmath.h where nothing is fused. A mask is a set
 * of comparisons, of which any may hold. What has no form is a word that is missing.
 */
#ifndef SPOR_KERNELS_SYMBOL_H
#define SPOR_KERNELS_SYMBOL_H

#include <stdbool.h>
#include <stdint.h>
#include "kernels/kernel.h"

/** Terms and comparisons of one op at most. */
enum { SYMBOL_TERMS = 48, SYMBOL_COMPARISONS = 16 };

struct spor_symbols;

/** Term `at` of its words. */
typedef struct {
    struct spor_symbols *symbols;
    int at;
} spor_symbol;

/** A name, else a form of two terms, else a choice, else a number. */
typedef struct {
    const char *name, *form;
    spor_symbol of[2];
    uint64_t when; /* of[0] where one of these comparisons holds, else of[1] */
    double number;
} spor_term;

/** Zeros: none was said. */
typedef struct spor_symbols {
    spor_term term[SYMBOL_TERMS], comparison[SYMBOL_COMPARISONS];
    int terms, comparisons;
    const char *missing; /* the word that has no form; "" if there are too many */
} spor_symbols;

/** The element of an op as a term of those of its operands. */
typedef spor_symbol spor_symbolic(const spor_symbol x[], const spor_attr attr[]);

/** A term that is written by its name, which is kept. */
spor_symbol symbol_name(spor_symbols *symbols, const char *name);
spor_symbol symbol_number(spor_symbols *symbols, double value);
spor_symbol symbol_form(const char *form, spor_symbol a, spor_symbol b);
uint64_t symbol_compare(const char *form, spor_symbol a, spor_symbol b);
spor_symbol symbol_choose(uint64_t when, spor_symbol a, spor_symbol b);
spor_symbol symbol_missing(const char *word, spor_symbol of);

#ifdef SPOR_SYMBOLS

#define ELEMENT_KERNEL(op, n)                                                                      \
    extern spor_symbolic spor_symbolic_##op;                                                       \
    spor_symbol spor_symbolic_##op(const spor_symbol x[],                                          \
                                   const spor_attr attr[] __attribute__((unused)))

/** An op that can't be said. */
#define NO_SYMBOLS(op)                                                                             \
    extern spor_symbolic spor_symbolic_##op;                                                       \
    spor_symbol spor_symbolic_##op(const spor_symbol x[], const spor_attr attr[]) {                \
        (void)attr;                                                                                \
        return symbol_missing(#op, x[0]);                                                          \
    }

#define T spor_symbol
#define MASK uint64_t
#define PICK(mask, a, b) symbol_choose(mask, a, b)
/* The operands are in sight where a number is said: it belongs to their words. */
#define FROM_INT(i) symbol_number(x[0].symbols, (double)(i))
#define FROM_REAL(r) symbol_number(x[0].symbols, r)
#define KNOWN_TO(r, error) ((void)(error), FROM_REAL(r))
#define ADD(a, b) symbol_form("$0 + $1", a, b)
#define SUB(a, b) symbol_form("$0 - $1", a, b)
#define MUL(a, b) symbol_form("$0 * $1", a, b)
#define DIV(a, b) symbol_form("$0 / $1", a, b)
#define SYMBOL_OF_ONE(form, a) symbol_form(form, a, a)
#define NEG(a) SYMBOL_OF_ONE("-$0", a)
#define SQRT(a) SYMBOL_OF_ONE("net_sqrt($0)", a)
#define EXP(a) SYMBOL_OF_ONE("net_exp($0)", a)
#define TANH(a) SYMBOL_OF_ONE("net_tanh($0)", a)
#define ERF(a) SYMBOL_OF_ONE("net_erf($0)", a)
#define EXPM1(a) SYMBOL_OF_ONE("net_expm1($0)", a)
#define LOG(a) SYMBOL_OF_ONE("net_log($0)", a)
#define LOG1P(a) SYMBOL_OF_ONE("net_log1p($0)", a)
#define SIN(a) SYMBOL_OF_ONE("net_sin($0)", a)
#define COS(a) SYMBOL_OF_ONE("net_cos($0)", a)
#define POW(a, b) symbol_form("net_pow($0, $1)", a, b)
#define LESS(a, b) symbol_compare("$0 < $1", a, b)
#define IS_NAN(a) symbol_compare("$0 != $1", a, a)
#define IS_ZERO(a) symbol_compare("$0 == 0", a, a)
#define WINS(a, largest) symbol_compare("(!($0 <= $1) && $1 == $1)", a, largest)
#define OR_ELSE(chosen, other, distance) ((void)(other), (void)(distance), (chosen))

#endif

#endif
