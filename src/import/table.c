/*
 * The ops that are understood, by name.
 */
#include <string.h>

#include "import/graph.h"

#define ROW(NAME, MAKE, LEAST, MOST, ...)                                                          \
    { .name = NAME, .make = MAKE, .least = LEAST, .most = MOST, __VA_ARGS__ }
#define UNARY(NAME, TEXT, ...)                                                                     \
    ROW(NAME, make_elementwise, 1, 1, .text = TEXT, .passes = true, __VA_ARGS__)
#define BINARY(NAME, TEXT, FOLD)                                                                   \
    {                                                                                              \
        .name = NAME, .make = make_elementwise, .text = TEXT, .least = 2, .most = 2, .fold = FOLD, \
        .passes = true, .attributes = "broadcast"                                                  \
    }
#define DECIDES(NAME, TEXT, FOLD)                                                                  \
    {                                                                                              \
        .name = NAME, .make = make_elementwise, .text = TEXT, .least = 2, .most = 2, .fold = FOLD, \
        .decides = true, .passes = true                                                            \
    }
#define VARIADIC(NAME, TEXT, FOLD)                                                                 \
    {                                                                                              \
        .name = NAME, .make = make_variadic, .text = TEXT, .least = 1, .most = 1000, .fold = FOLD, \
        .passes = true                                                                             \
    }
#define REDUCES(NAME, TEXT, FOLD)                                                                  \
    {                                                                                              \
        .name = NAME, .make = make_reduce, .text = TEXT, .least = 1, .most = 2, .fold = FOLD,      \
        .attributes = "axes keepdims noop_with_empty_axes"                                         \
    }

static const import_op table[] = {
    /* elementwise, of one */
    UNARY("Abs", "abs(A)", .fold = fold_abs),
    UNARY("Neg", "-A", .fold = fold_neg),
    UNARY("Sqrt", "sqrt(A)", .fold = fold_sqrt),
    UNARY("Exp", "exp(A)", .fold = fold_exp),
    UNARY("Log", "log(A)", .fold = fold_log),
    UNARY("Reciprocal", "1 / A", .fold = fold_reciprocal),
    UNARY("Sign", "step(A) - step(-A)", .fold = fold_sign),
    UNARY("Not", "1 - A", .fold = fold_not, .decides = true),
    UNARY("Floor", NULL, .fold = fold_floor),
    UNARY("Ceil", NULL, .fold = fold_ceil),
    UNARY("Round", NULL, .fold = fold_round),
    UNARY("IsNaN", "A != A", .decides = true),
    UNARY("Sin", "sin(A)", .fold = NULL),
    UNARY("Cos", "cos(A)", .fold = NULL),
    UNARY("Tan", "sin(A) / cos(A)", .fold = NULL),
    UNARY("Sinh", "0.5 * (exp(A) - exp(-A))", .fold = NULL),
    UNARY("Cosh", "0.5 * (exp(A) + exp(-A))", .fold = NULL),
    UNARY("Erf", "erf(A)", .fold = NULL),
    UNARY("Softsign", "A / (1 + abs(A))", .fold = NULL),
    UNARY("Mish", "A * tanh(softplus(A))", .fold = NULL),
    UNARY("Relu", "relu(A)", .act = "relu"),
    UNARY("Tanh", "tanh(A)", .act = "tanh"),
    UNARY("Sigmoid", "sigmoid(A)", .act = "sigmoid"),
    UNARY("Softplus", "softplus(A)", .act = "softplus"),
    UNARY("HardSwish", "hard_swish(A)", .act = "hard_swish"),
    UNARY("LeakyRelu", "leaky_relu(A, slope=$alpha)", .attributes = "alpha=0.01",
          .act = "leaky_relu", .act_alpha = 0.01),
    UNARY("Elu", "elu(A, alpha=$alpha)", .attributes = "alpha=1", .act = "elu", .act_alpha = 1),
    UNARY("Celu", "maximum(A, 0) + minimum($alpha * expm1(A / $alpha), 0)",
          .attributes = "alpha=1"),
    UNARY("Selu", "$gamma * where(A > 0, A, $alpha * expm1(A))",
          .attributes = "alpha=1.67326319217681884765625 gamma=1.05070102214813232421875"),
    UNARY("ThresholdedRelu", "where(A > $alpha, A, 0)", .attributes = "alpha=1"),
    UNARY("Shrink", "where(A < -$lambd, A + $bias, where(A > $lambd, A - $bias, 0))",
          .attributes = "lambd=0.5 bias=0"),
    UNARY("Swish", "A * sigmoid($alpha * A)", .attributes = "alpha=1"),
    UNARY("HardSigmoid", "minimum(maximum($alpha * A + $beta, 0), 1)",
          .attributes = "alpha=0.2 beta=0.5"),
    ROW("Gelu", make_gelu, 1, 1, .attributes = "approximate", .passes = true),
    ROW("Clip", make_clip, 1, 3, .attributes = "min max", .passes = true),
    ROW("PRelu", make_prelu, 2, 2, .passes = true),
    ROW("Cast", make_cast, 1, 1, .attributes = "to saturate", .passes = true),
    ROW("CastLike", make_cast, 2, 2, .attributes = "saturate", .passes = true),
    /* elementwise, of several */
    BINARY("Add", "A + B", fold_add),
    BINARY("Sub", "A - B", fold_sub),
    BINARY("Mul", "A * B", fold_mul),
    BINARY("Div", "A / B", fold_div),
    BINARY("Pow", "A ** B", fold_pow),
    ROW("Mod", make_elementwise, 2, 2, .attributes = "fmod:0", .fold = fold_mod, .passes = true),
    DECIDES("Equal", "A == B", fold_equal),
    DECIDES("Less", "A < B", fold_less),
    DECIDES("LessOrEqual", "A <= B", fold_less_equal),
    DECIDES("Greater", "A > B", fold_greater),
    DECIDES("GreaterOrEqual", "A >= B", fold_greater_equal),
    DECIDES("And", "A * B", fold_and),
    DECIDES("Or", "maximum(A, B)", fold_or),
    DECIDES("Xor", "A != B", fold_xor),
    ROW("Where", make_where, 3, 3, .text = "where(A, B, C)", .fold = fold_where, .passes = true),
    VARIADIC("Max", "maximum(A, B)", fold_max),
    VARIADIC("Min", "minimum(A, B)", fold_min),
    VARIADIC("Sum", "A + B", NULL),
    VARIADIC("Mean", "A + B", NULL),
    /* products */
    ROW("MatMul", make_matmul, 2, 2, .text = NULL),
    ROW("Gemm", make_gemm, 2, 3, .attributes = "alpha beta transA transB broadcast"),
    ROW("Einsum", make_einsum, 1, 16, .attributes = "equation"),
    /* windows */
    ROW("Conv", make_conv, 2, 3, .attributes = "auto_pad dilations group kernel_shape pads strides",
        .maps = true),
    ROW("ConvTranspose", make_conv_transpose, 2, 3,
        .attributes =
            "auto_pad dilations group kernel_shape output_padding output_shape pads strides",
        .maps = true),
    ROW("MaxPool", make_max_pool, 1, 1,
        .attributes = "auto_pad ceil_mode dilations kernel_shape pads storage_order strides",
        .maps = true),
    ROW("AveragePool", make_average_pool, 1, 1,
        .attributes = "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides",
        .maps = true),
    ROW("GlobalAveragePool", make_global_pool, 1, 1, .text = "mean(A@)", .maps = true),
    ROW("GlobalMaxPool", make_global_pool, 1, 1, .text = "max(A@)", .maps = true),
    ROW("Resize", make_resize, 1, 4,
        .attributes = "mode coordinate_transformation_mode nearest_mode cubic_coeff_a "
                      "exclude_outside:0 extrapolation_value antialias:0 "
                      "keep_aspect_ratio_policy:stretch",
        .maps = true),
    ROW("Upsample", make_resize, 2, 2, .attributes = "mode", .maps = true),
    ROW("DepthToSpace", make_depth_to_space, 1, 1, .attributes = "blocksize mode", .maps = true),
    ROW("SpaceToDepth", make_space_to_depth, 1, 1, .attributes = "blocksize mode", .maps = true),
    /* norms */
    ROW("BatchNormalization", make_batch_norm, 5, 5,
        .attributes = "epsilon momentum training_mode is_test:1 spatial:1", .maps = true),
    ROW("LayerNormalization", make_layer_norm, 2, 3, .attributes = "axis epsilon stash_type:1"),
    ROW("RMSNormalization", make_rms_norm, 2, 2, .attributes = "axis epsilon stash_type:1"),
    ROW("LRN", make_lrn, 1, 1, .attributes = "alpha beta bias size", .maps = true),
    ROW("InstanceNormalization", make_instance_norm, 3, 3, .attributes = "epsilon", .maps = true),
    ROW("GroupNormalization", make_group_norm, 3, 3,
        .attributes = "epsilon num_groups stash_type:1", .maps = true),
    /* sequences */
    ROW("LSTM", make_lstm, 3, 8,
        .attributes = "activations direction hidden_size input_forget:0 layout:0"),
    ROW("GRU", make_gru, 3, 6,
        .attributes = "activations direction hidden_size layout:0 linear_before_reset"),
    /* sizes and order */
    ROW("Reshape", make_reshape, 1, 2, .attributes = "allowzero shape", .moves = true),
    ROW("Flatten", make_flatten, 1, 1, .attributes = "axis", .moves = true),
    ROW("Squeeze", make_squeeze, 1, 2, .attributes = "axes", .moves = true),
    ROW("Unsqueeze", make_unsqueeze, 1, 2, .attributes = "axes", .moves = true),
    ROW("Transpose", make_transpose, 1, 1, .attributes = "perm"),
    ROW("Expand", make_expand, 2, 2, .text = NULL, .moves = true),
    ROW("Tile", make_tile, 2, 2, .text = NULL, .moves = true),
    ROW("Identity", make_identity, 1, 1, .passes = true),
    ROW("Dropout", make_dropout, 1, 3, .attributes = "ratio seed is_test:1", .passes = true),
    /* taken apart and put together */
    ROW("Concat", make_concat, 1, 1000, .attributes = "axis", .passes = true),
    ROW("Split", make_split, 1, 2, .attributes = "axis num_outputs split", .moves = true),
    ROW("Slice", make_slice, 1, 5, .attributes = "axes ends starts", .moves = true),
    ROW("Pad", make_pad, 1, 4, .attributes = "mode pads paddings value", .passes = true),
    ROW("Gather", make_gather, 2, 2, .attributes = "axis", .moves = true),
    ROW("GatherElements", make_gather_elements, 2, 2, .attributes = "axis"),
    ROW("GatherND", make_gather_nd, 2, 2, .attributes = "batch_dims"),
    ROW("ScatterND", make_scatter_nd, 3, 3, .attributes = "reduction"),
    ROW("OneHot", make_one_hot, 3, 3, .attributes = "axis"),
    ROW("TopK", make_top_k, 1, 2, .attributes = "axis k largest sorted:1"),
    ROW("CumSum", make_cumsum, 2, 2, .attributes = "exclusive reverse"),
    ROW("Trilu", make_trilu, 1, 2, .attributes = "upper"),
    /* along axes */
    REDUCES("ReduceSum", "sum(A@)", fold_add),
    REDUCES("ReduceMean", "mean(A@)", NULL),
    REDUCES("ReduceMax", "max(A@)", fold_max),
    REDUCES("ReduceMin", "min(A@)", fold_min),
    REDUCES("ReduceProd", "prod(A@)", fold_mul),
    REDUCES("ReduceL1", "sum(abs(A)@)", NULL),
    REDUCES("ReduceL2", "sqrt(sum(A * A@))", NULL),
    REDUCES("ReduceSumSquare", "sum(A * A@)", NULL),
    REDUCES("ReduceLogSum", "log(sum(A@))", NULL),
    REDUCES("ReduceLogSumExp", "logsumexp(A@)", NULL),
    ROW("ArgMax", make_arg, 1, 1, .text = "argmax(A@)",
        .attributes = "axis keepdims select_last_index:0"),
    ROW("ArgMin", make_arg, 1, 1, .text = "argmax(-A@)",
        .attributes = "axis keepdims select_last_index:0"),
    ROW("Softmax", make_softmax, 1, 1, .text = "softmax(A@)", .attributes = "axis"),
    ROW("LogSoftmax", make_softmax, 1, 1, .text = "log_softmax(A@)", .attributes = "axis"),
    /* known */
    ROW("Constant", make_constant, 0, 0,
        .attributes = "value value_float value_floats value_int value_ints"),
    ROW("ConstantOfShape", make_constant_of_shape, 1, 1, .attributes = "value"),
    ROW("Shape", make_shape, 1, 1, .attributes = "start end"),
    ROW("Size", make_size, 1, 1, .text = NULL),
    ROW("Range", make_range, 3, 3, .text = NULL),
};
enum { ROWS = sizeof table / sizeof *table };

const import_op *import_op_find(const char *name) {
    for (int k = 0; k < ROWS; k++)
        if (!strcmp(table[k].name, name)) return &table[k];
    return NULL;
}

int import_ops(void) {
    return ROWS;
}

const char *import_op_name(int k) {
    return k >= 0 && k < ROWS ? table[k].name : NULL;
}
