/*
 * Commands as a user types them, each test in an empty folder of its own. SPOR_PROGRAM is the
 * program, SPOR_SOURCE the project.
 */
#ifndef SPOR_TESTS_SHELL_H
#define SPOR_TESTS_SHELL_H

#include <check.h>
#include <stdbool.h>

enum { MOST = 1 << 20 };

extern char out[MOST], err[MOST]; /* of the last run */

/** Runs a line of shell in which spor is the program and $M the folder of models; its status. */
int run(const char *format, ...) __attribute__((format(printf, 1, 2)));

void read_file(const char *name, char text[MOST]);
void write_file(const char *name, const char *text);
bool exists(const char *name);

void expect_status(int status, int expected);
void expect_in(const char *text, const char *part);
int count_of(const char *text, const char *part);

/** The commands that spor --help lists; their number. */
int list_commands(char name[][32], int most);

/** Fixtures. */
void enter_folder(void);
void leave_folder(void);
/** Tests with these, which may wait for compilers. */
TCase *shell_case(Suite *suite, const char *name);

#endif
