/* Runs a target on files as libFuzzer would, to look at what it found: replay TARGET FILE... */
#include "fuzz.h"

#include <string.h>

static const struct {
    const char *name;
    fuzz_target *run;
} targets[] = {{"gzip", fuzz_gzip},
               {"csv", fuzz_csv},
               {"onnx", fuzz_onnx},
               {"table", fuzz_table},
               {"json", fuzz_json},
               {"safetensors", fuzz_safetensors},
               {"npy", fuzz_npy},
               {"bundle", fuzz_bundle},
               {"outline", fuzz_outline},
               {"like", fuzz_like},
               {"idx", fuzz_idx},
               {"mat", fuzz_mat},
               {"checkpoint", fuzz_checkpoint},
               {"summary", fuzz_summary}};

static int replay(fuzz_target *run, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return perror(path), 2;
    static uint8_t buffer[1 << 20];
    size_t size = fread(buffer, 1, sizeof buffer, file);
    fclose(file);
    uint8_t *bytes = malloc(size ? size : 1); /* of the exact size, for the sanitizer */
    if (!bytes) return 2;
    memcpy(bytes, buffer, size);
    printf("%s: %s\n", path, run(bytes, size) ? "accepted" : "refused");
    free(bytes);
    return 0;
}

int main(int count, char **argument) {
    int status = count < 3 ? 2 : 0;
    fuzz_target *run = NULL;
    for (size_t k = 0; count > 1 && k < sizeof targets / sizeof *targets; k++)
        if (strcmp(argument[1], targets[k].name) == 0) run = targets[k].run;
    if (!run || status) {
        fprintf(stderr,
                "usage: replay gzip|csv|table|json|safetensors|npy|idx|mat|checkpoint|summary|"
                "outline|like|onnx "
                "FILE...\n");
        return 2;
    }
    for (int k = 2; k < count; k++) status |= replay(run, argument[k]);
    fuzz_file_end();
    return status;
}
