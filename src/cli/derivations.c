/* Derivations in training: what a script derives by hand is verified before it is trained with. */
#include "cli/cli.h"

#include <stdio.h>

#include "verify/verify.h"

static int refuse(const spor_script_claim *claim, const spor_verdict *verdict) {
    fflush(stdout);
    spor_verdict_print(claim->statement, verdict, stderr);
    if (*claim->refusal) fprintf(stderr, "  %s\n", claim->refusal);
    fprintf(stderr, "%s:%d: this derivation is not trained with: mend it, or write trust derive\n",
            claim->file, claim->line);
    return SPOR_EXIT_NO;
}

/* "derivation of f, net.spor:3: verified on 125 shapes, ..." */
static void tell(const spor_script_claim *claim, const spor_verdict *verdict, bool used) {
    printf("derivation of %s, %s:%d: ", claim->def, claim->file, claim->line);
    if (!used)
        fputs("leaves gradients out: the tape's are used", stdout);
    else if (claim->trusted)
        fputs("trusted, not verified", stdout);
    else
        fputs("verified on ", stdout), verdict_print_evidence(verdict, stdout);
    putchar('\n');
}

/* Verifies derivation number k unless it is trusted, then trains with it. */
static int accept(spor_script *script, int k, bool quiet) {
    const spor_script_claim *claim = claims_at(script, k);
    spor_verdict verdict = {.outcome = SPOR_HOLDS};
    if (!claim->trusted && !spor_verify(claim->statement, NULL, &verdict)) {
        fprintf(stderr, "%s:%d: derivation of %s: %s\n", claim->file, claim->line, claim->def,
                *verdict.example.message ? verdict.example.message : "out of memory");
        return SPOR_EXIT_BAD;
    }
    if (verdict.outcome != SPOR_HOLDS) return refuse(claim, &verdict);
    bool used = claims_accept(script, k);
    if (!quiet) tell(claim, &verdict, used);
    return SPOR_EXIT_DONE;
}

int derivations_accept(spor_script *script, bool quiet) {
    int status = SPOR_EXIT_DONE;
    for (int k = 0; k < claims_count(script) && status == SPOR_EXIT_DONE; k++) {
        const spor_script_claim *claim = claims_at(script, k);
        if (!claim->def || claim->fails) continue;
        if (!claim->unproved)
            status = accept(script, k, quiet);
        else if (!quiet)
            printf("derivation of %s, %s:%d: %s is open: the tape's gradients are used\n",
                   claim->def, claim->file, claim->line, claim->unproved_what);
    }
    return status;
}

void derivations_tell_unused(const spor_script *script) {
    for (int k = 0; k < claims_count(script); k++) {
        const spor_script_claim *claim = claims_at(script, k);
        if (claim->calls != 0) continue;
        printf("derivation of %s, %s:%d: no call of the network is of its kind, or it has more "
               "than %d tensors: the tape's gradients are used\n",
               claim->def, claim->file, claim->line, SPOR_CUSTOM_OPERANDS);
    }
}
