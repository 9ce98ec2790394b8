/* Compiled once for the table and once per scalar type for its entry, as the ops are. */
#include "kernels/element.h"

#ifdef SPOR_RULES

#include "scalars.h"

#define ENTRY_DECLARE_(unused, word, scalar) extern const element_type element_type_##word;
#define ENTRY_OF_(unused, word, scalar) [scalar] = &element_type_##word,
#define ENTRY_COUNT_(unused, word, scalar) +1

SPOR_EACH_SCALAR(ENTRY_DECLARE_, )
const element_type *const element_types[SPOR_SCALARS] = {SPOR_EACH_SCALAR(ENTRY_OF_, )};

_Static_assert((SPOR_EACH_SCALAR(ENTRY_COUNT_, )) == SPOR_SCALARS,
               "each enumerator of spor_scalar has a word in scalars of meson.build");
_Static_assert(SPOR_F32 == 0 && SPOR_F64 == 1, "the types that are trained in come first");

#else

#include "kernels/kernel.h"
#include "kernels/scalar.h"

static double value(const void *data, int64_t k) {
    return VALUE(((const T *)data)[k]);
}

static void set(void *data, int64_t k, double number) {
    ((T *)data)[k] = FROM_REAL(number);
}

extern const element_type SPOR_JOIN(element_type, SPOR_SCALAR);
const element_type SPOR_JOIN(element_type, SPOR_SCALAR) = {SCALAR_TEXT, sizeof(T), value, set};

#endif
