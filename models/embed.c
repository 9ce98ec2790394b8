/*
 * A file as an array of C, for the build: embed NAME FILE writes `extern const char NAME[];` and its
 * definition, the bytes of FILE and a 0.
 */
#include <stdio.h>

int main(int argc, char **argv) {
    FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
    if (!file) {
        fprintf(stderr, "embed NAME FILE: %s\n", argc == 3 ? "the file cannot be read" : "usage");
        return 1;
    }
    printf("extern const char %s[];\nconst char %s[] = {\n", argv[1], argv[1]);
    for (int byte, k = 1; (byte = getc(file)) != EOF; k++)
        printf("%d,%c", byte > 127 ? byte - 256 : byte, k % 20 ? ' ' : '\n');
    printf("0};\n");
    return ferror(file) || fclose(file) || ferror(stdout) ? 1 : 0;
}
