/* Reads a network: it becomes a script and weights, or a message that names the file. */
#include "fuzz.h"

#include <string.h>

#include "import/import.h"

bool fuzz_onnx(const uint8_t *bytes, size_t size) {
    spor_message message = {{0}};
    const import_wish wish = {.path = "a.onnx", .def = "net"};
    import_result made;
    const bool accepted = import_onnx(&wish, bytes, size, &made, &message);
    FUZZ_PROMISE(accepted || strncmp(message.text, "a.onnx: ", 8) == 0);
    FUZZ_PROMISE(!accepted || (made.script.at && made.weights.at && made.inputs && made.outputs));
    import_free(&made);
    return accepted;
}

FUZZ_ENTRY(onnx)
