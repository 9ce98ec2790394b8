#include "kernels/symbol.h"

static spor_symbol append(spor_symbols *symbols, spor_term term) {
    if (symbols->terms < SYMBOL_TERMS) {
        symbols->term[symbols->terms] = term;
        return (spor_symbol){symbols, symbols->terms++};
    }
    if (!symbols->missing) symbols->missing = "";
    return (spor_symbol){symbols, 0};
}

spor_symbol symbol_name(spor_symbols *symbols, const char *name) {
    return append(symbols, (spor_term){.name = name});
}

spor_symbol symbol_number(spor_symbols *symbols, double value) {
    return append(symbols, (spor_term){.number = value});
}

spor_symbol symbol_form(const char *form, spor_symbol a, spor_symbol b) {
    return append(a.symbols, (spor_term){.form = form, .of = {a, b}});
}

uint64_t symbol_compare(const char *form, spor_symbol a, spor_symbol b) {
    spor_symbols *symbols = a.symbols;
    if (symbols->comparisons < SYMBOL_COMPARISONS) {
        symbols->comparison[symbols->comparisons] = (spor_term){.form = form, .of = {a, b}};
        return UINT64_C(1) << symbols->comparisons++;
    }
    if (!symbols->missing) symbols->missing = "";
    return 1;
}

spor_symbol symbol_choose(uint64_t when, spor_symbol a, spor_symbol b) {
    return append(a.symbols, (spor_term){.of = {a, b}, .when = when});
}

spor_symbol symbol_missing(const char *word, spor_symbol of) {
    if (!of.symbols->missing) of.symbols->missing = word;
    return of;
}
