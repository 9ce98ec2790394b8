#include "sampled.h"

#include <check.h>
#include <math.h>
#include <string.h>

#include "../support/opcheck.h"
#include "base/random.h"
#include "base/shape.h"
#include "tape/tape.h"

static spor_var number(spor_var like, int64_t value) {
    return op_fill_ratio(like.tape, value, 1, spor_shape_of(like));
}

/* The first row of x of U[0, 1), wider where the op takes any real. */
static spor_var first_operand(const sampled *of, spor_var x) {
    const int64_t lo[] = {0, 0}, hi[] = {1 - spor_shape_of(x).n[0], 0};
    x = spor_reshape(spor_pad(x, lo, hi, 0), SPOR_SHAPE(spor_shape_of(x).n[1]));
    x = spor_reshape(x, of->sample->in[0]);
    if (of->op->domain[0] != SPOR_ANY) return x;
    return spor_sub(spor_mul(x, number(x, 8)), number(x, 4));
}

static spor_var record_sampled(spor_var x, bool training, void *user) {
    const sampled *of = user;
    spor_var in[SPOR_OPERANDS];
    (void)training;
    in[0] = first_operand(of, x);
    for (int k = 1; k < of->op->operands; k++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", k);
        in[k] = spor_param(x.tape, name, of->sample->in[k], (spor_init){"uniform", 1});
    }
    spor_var y = op_record(of->op, in, of->sample->attr);
    spor_shape made = spor_shape_of(y);
    spor_shape rows = SPOR_SHAPE(spor_shape_of(x).n[0], shape_size(&made));
    return spor_expand(spor_reshape(y, SPOR_SHAPE(rows.n[1])), SPOR_AXIS(0), rows);
}

static void draw_operands(const sampled *of, spor_model *model, spor_scalar scalar) {
    spor_params *params = spor_model_params(model);
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry entry = spor_params_entry(params, k);
        spor_domain domain = of->op->domain[entry.name[strlen(entry.name) - 1] - '0'];
        for (int64_t j = 0; j < shape_size(&entry.shape); j++) {
            double u = random_uniform(9, (uint64_t)k, (uint64_t)j);
            double value = domain == SPOR_INDEX      ? floor(3 * u)
                           : domain == SPOR_ANY      ? 8 * u - 4
                           : domain == SPOR_POSITIVE ? 0.5 + u
                                                     : (u < 0.5 ? u - 1 : u);
            if (scalar == SPOR_F32)
                ((float *)entry.value)[j] = (float)value;
            else
                ((double *)entry.value)[j] = value;
        }
    }
    spor_params_touch(params);
}

spor_model *sampled_model(const sampled *of, spor_scalar scalar) {
    const spor_model_spec spec = {.net = record_sampled,
                                  .loss = spor_squared_error_sum,
                                  .user = (void *)(uintptr_t)of,
                                  .sample = SPOR_SHAPE(shape_size(&of->sample->in[0])),
                                  .target = SPOR_SHAPE(1),
                                  .options = {.scalar = scalar}};
    spor_model *model = spor_model_new(&spec);
    ck_assert_int_gt(spor_model_columns(model), 0);
    draw_operands(of, model, scalar);
    return model;
}

bool sampled_has_elements(const sampled *of) {
    const spor_op *op = of->op;
    const spor_sample *sample = of->sample;
    for (int k = 0; k < op->operands; k++)
        if (!shape_size(&sample->in[k])) return false;
    opcheck_record r = opcheck_record_op(op, sample->in, sample->attr);
    spor_shape made = spor_shape_of(r.out);
    spor_tape_free(r.tape);
    return shape_size(&made) > 0;
}
