#include "suite.h"
#include "shell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

char out[MOST], err[MOST];
static char folder[] = "/tmp/spor-cli-XXXXXX";

void read_file(const char *name, char text[MOST]) {
    FILE *file = fopen(name, "rb");
    ck_assert_msg(file != NULL, "%s is missing", name);
    text[fread(text, 1, MOST - 1, file)] = 0;
    fclose(file);
}

void write_file(const char *name, const char *text) {
    FILE *file = fopen(name, "wb");
    ck_assert(file != NULL && fputs(text, file) >= 0 && !fclose(file));
}

bool exists(const char *name) {
    return !access(name, F_OK);
}

int run(const char *format, ...) {
    char line[2048], command[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    snprintf(command, sizeof command, "exec >out 2>err; M='%s/models'; spor() { '%s' \"$@\"; }; %s",
             getenv("SPOR_SOURCE"), getenv("SPOR_PROGRAM"), line);
    int status = system(command);
    read_file("out", out);
    read_file("err", err);
    ck_assert_msg(WIFEXITED(status), "killed: %s\n%s", line, err);
    return WEXITSTATUS(status);
}

void expect_status(int status, int expected) {
    ck_assert_msg(status == expected, "status %d instead of %d; stdout:\n%.1500s\nstderr:\n%.1500s",
                  status, expected, out, err);
}

void expect_in(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%.3000s", part, text);
}

int count_of(const char *text, const char *part) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) count++;
    return count;
}

void enter_folder(void) {
    strcpy(folder, "/tmp/spor-cli-XXXXXX");
    ck_assert(mkdtemp(folder) != NULL && !chdir(folder));
    setenv("SPOR_MODELS", "/nowhere", 1); /* layers.spor lies beside the scripts */
    unsetenv("SPOR_DATA");
    unsetenv("COLUMNS");
}

void leave_folder(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert(!chdir("/") && !system(command));
}

int list_commands(char name[][32], int most) {
    int count = 0;
    expect_status(run("spor --help"), 0);
    for (const char *line = strstr(out, "\n  spor "); line && count < most; count++) {
        sscanf(line, "\n  spor %31s", name[count]);
        line = strchr(line + 1, '\n');
        if (line && strncmp(line, "\n  spor ", 8) != 0) line = NULL; /* the end of the list */
    }
    return count;
}

TCase *shell_case(Suite *suite, const char *name) {
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, enter_folder, leave_folder);
    tcase_set_timeout(tcase, 600);
    suite_add_tcase(suite, tcase);
    return tcase;
}
