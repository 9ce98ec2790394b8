/* The public headers are C++ as well: compiled, linked and called. */
#include <spor/spor.h>

int main() {
    spor_tape *tape = spor_tape_new();
    spor_shape shape = {2, {3, 4}};
    spor_var x = spor_input(tape, "x", shape);
    spor_var y = spor_tanh(spor_add(x, x));
    bool right = !spor_error(tape) && spor_shape_of(y).n[1] == 4 && spor_version()[0];
    spor_tape_free(tape);
    return right ? 0 : 1;
}
