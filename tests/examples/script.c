/* A def of a script, recorded in C, and the gradient of its sum: script FILE. */
#include <spor/spor.h>

int main(int argc, char **argv) {
    spor_script *script = spor_script_load(argc > 1 ? argv[1] : "tests/examples/gate.spor");
    if (spor_script_error(script)) return fprintf(stderr, "%s\n", spor_script_error(script)), 2;
    spor_tape *tape = spor_tape_new();
    spor_var in[] = {spor_input(tape, "x", SPOR_SHAPE(1, 2)),
                     spor_input(tape, "W", SPOR_SHAPE(2, 1)),
                     spor_input(tape, "V", SPOR_SHAPE(2, 1))};
    spor_var y = spor_sum(spor_script_call(script, tape, "gate", 3, in), SPOR_AXIS(2) - 1), d[3];
    spor_grad(y, 3, in, d);
    spor_var outputs[] = {y, d[0], d[1], d[2]};
    spor_program *program =
        spor_compile(tape, 4, outputs, NULL, &(spor_options){.scalar = SPOR_F64});
    const double value[3][2] = {{1, 2}, {3, -1}, {0.5, 0.25}};
    for (int k = 0; k < 3 && !spor_program_error(program); k++)
        for (int i = 0; i < 2; i++)
            ((double *)spor_program_arg(program, in[k]).data)[i] = value[k][i];
    if (!spor_run(program, 0)) return fprintf(stderr, "%s\n", spor_program_error(program)), 1;
    for (int k = 0; k < 4; k++) {
        spor_arg a = spor_program_arg(program, outputs[k]);
        printf("%s %.6f", k ? (const char *[]){"dx", "dW", "dV"}[k - 1] : "y", *(double *)a.data);
        printf(k ? " %.6f\n" : "\n", ((double *)a.data)[k > 0]);
    }
    spor_program_free(program), spor_tape_free(tape), spor_script_free(script);
}
