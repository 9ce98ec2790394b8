/*
 * A network as an ONNX file.
 */
#include "base/message.h"
#include "export/export.h"

bool export_onnx(opened_run *run, const char *path, spor_text *told, spor_message *message) {
    (void)run;
    (void)told;
    return message_complain(message, "%.400s: nothing writes ONNX yet", path);
}
