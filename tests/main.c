/* Runs one suite and closes with Check's own line. A suite that is not there has said why. */
#include "suite.h"

#include <stdlib.h>

int main(void) {
    enum { SKIPPED = 77 }; /* Meson's */
    Suite *suite = spor_suite();
    if (!suite) return SKIPPED;
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
