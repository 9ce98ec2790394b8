/*
 * What the header of a network says of a step of training.
 */
#include <inttypes.h>
#include <string.h>

#include "export/c_train.h"
#include "kernels/element.h"

static void add_parameter_names(const c_training *t, spor_text *text) {
    const c_parameters *p = &t->parameters;
    for (int k = 0; k < p->count; k++) {
        char shape[160];
        tape_shape_text(&p->params->entry[k].shape, NULL, shape, sizeof shape);
        text_add(text, " *    %7" PRId64 "  ", p->first[k]);
        c_add_plain(text, p->params->entry[k].name);
        text_add(text, " %s\n", shape);
    }
}

/* What target is. */
static const char *target_words(const c_training *t) {
    return t->mirrors   ? "the samples themselves, scaled as x"
           : t->one_hot ? "one-hot rows of the classes"
                        : "numbers as the loss takes them, unscaled";
}

/* What it is beside spor train, as was seen. */
static void add_comparison(const c_training *t, spor_text *text) {
    if (!t->portable.finite)
        text_add(text,
                 " *  Steps on batches drawn at random are not finite: they were not compared with "
                 "spor's.\n");
    else if (t->off > 0)
        text_add(text,
                 " *  Some sums are made in another order than by `spor train`: after %d steps on "
                 "batches "
                 "drawn at random parameters\n *  were apart from those of `SPOR_ISA=baseline spor "
                 "train` "
                 "by up to %.1e of the largest of their array.\n",
                 C_STEPS, t->off);
    else
        text_add(text,
                 " *  The steps are those of `SPOR_ISA=baseline spor train`: %d on batches drawn "
                 "at random had "
                 "its bits.\n",
                 C_STEPS);
}

static void declare_train(const c_training *t, const opened_run *run, spor_text *text) {
    const spor_declaration *declared = run->script ? script_declaration(run->script) : NULL;
    text_add(text,
             "/** A step of training on the NET_BATCH rows x[NET_BATCH * NET_INPUTS] and target"
             "[NET_BATCH * NET_TARGETS]: %s.\n",
             target_words(t));
    for (int k = 0; k < t->settings; k++)
        text_add(text, " *  %s: the optimizer's setting; the script begins with %g%s.\n",
                 t->setting[k].name, t->setting[k].value,
                 declared && declared->schedule && !strcmp(t->setting[k].setting, "rate")
                     ? " and changes it by its schedule"
                     : "");
    add_comparison(t, text);
    text_add(
        text,
        " *  Returns the mean loss of a row before the step. If that or a next value is no finite "
        "number nothing is changed,\n *  and what is returned is not a number. */\n");
    c_training_add_signature(t, text);
    text_add(text, ";\n");
    if (c_training_draws(t))
        text_add(
            text,
            "/* What a step draws at random depends on how many were made since net_reset. */\n");
}

void c_training_declare(const c_training *t, const opened_run *run, spor_text *text) {
    declare_train(t, run, text);
    text_add(text,
             "/** NET_PARAMETERS numbers, all that training changes: to be kept, and to be written "
             "back. Those of the optimizer\n *  are %s. Each begins at\n",
             t->resumes ? "as the run left them" : "as at the beginning of a training");
    add_parameter_names(t, text);
    text_add(text,
             " */\n%s *net_parameters(void);\n/** Back to what was exported. */\nvoid "
             "net_reset(void);\n",
             c_type(&t->c.functions));
}
