/*
 * The ops that are understood, by name.
 */
#include <string.h>

#include "import/graph.h"

#define UNARY(NAME, TEXT) {.name = NAME, .make = make_elementwise, .text = TEXT, .least = 1, .most = 1, .passes = true}
#define BINARY(NAME, TEXT, FOLD)                                                                   \
    {.name = NAME, .make = make_elementwise, .text = TEXT, .least = 2, .most = 2, .fold = FOLD, .passes = true, .attributes = "broadcast"}
#define DECIDES(NAME, TEXT, FOLD)                                                                  \
    {.name = NAME, .make = make_elementwise, .text = TEXT, .least = 2, .most = 2, .fold = FOLD, .decides = true, .passes = true}
#define VARIADIC(NAME, TEXT, FOLD)                                                                 \
    {.name = NAME, .make = make_variadic, .text = TEXT, .least = 1, .most = 1000, .fold = FOLD, .passes = true}
#define REDUCES(NAME, TEXT, FOLD)                                                                  \
    {.name = NAME, .make = make_reduce, .text = TEXT, .least = 1, .most = 2, .fold = FOLD,         \
     .attributes = "axes keepdims noop_with_empty_axes"}

static const import_op table[] = {
    /* elementwise, of one */
    {.name = "Abs", .make = make_elementwise, .text = "abs(A)", .least = 1, .most = 1, .fold = fold_abs, .passes = true},
    {.name = "Neg", .make = make_elementwise, .text = "-A", .least = 1, .most = 1, .fold = fold_neg, .passes = true},
    {.name = "Sqrt", .make = make_elementwise, .text = "sqrt(A)", .least = 1, .most = 1, .fold = fold_sqrt, .passes = true},
    {.name = "Exp", .make = make_elementwise, .text = "exp(A)", .least = 1, .most = 1, .fold = fold_exp, .passes = true},
    {.name = "Log", .make = make_elementwise, .text = "log(A)", .least = 1, .most = 1, .fold = fold_log, .passes = true},
    {.name = "Reciprocal", .make = make_elementwise, .text = "1 / A", .least = 1, .most = 1, .fold = fold_reciprocal, .passes = true},
    {.name = "Sign", .make = make_elementwise, .text = "step(A) - step(-A)", .least = 1, .most = 1, .fold = fold_sign, .passes = true},
    {.name = "Not", .make = make_elementwise, .text = "1 - A", .least = 1, .most = 1, .fold = fold_not, .decides = true, .passes = true},
    {.name = "Floor", .make = make_elementwise, .least = 1, .most = 1, .fold = fold_floor, .passes = true},
    {.name = "Ceil", .make = make_elementwise, .least = 1, .most = 1, .fold = fold_ceil, .passes = true},
    {.name = "Round", .make = make_elementwise, .least = 1, .most = 1, .fold = fold_round, .passes = true},
    {.name = "IsNaN", .make = make_elementwise, .text = "A != A", .least = 1, .most = 1, .decides = true, .passes = true},
    UNARY("Sin", "sin(A)"),
    UNARY("Cos", "cos(A)"),
    UNARY("Tan", "sin(A) / cos(A)"),
    UNARY("Sinh", "0.5 * (exp(A) - exp(-A))"),
    UNARY("Cosh", "0.5 * (exp(A) + exp(-A))"),
    UNARY("Erf", "erf(A)"),
    UNARY("Softsign", "A / (1 + abs(A))"),
    UNARY("Mish", "A * tanh(softplus(A))"),
    {.name = "Relu", .make = make_elementwise, .text = "relu(A)", .least = 1, .most = 1, .act = "relu", .passes = true},
    {.name = "Tanh", .make = make_elementwise, .text = "tanh(A)", .least = 1, .most = 1, .act = "tanh", .passes = true},
    {.name = "Sigmoid", .make = make_elementwise, .text = "sigmoid(A)", .least = 1, .most = 1, .act = "sigmoid", .passes = true},
    {.name = "Softplus", .make = make_elementwise, .text = "softplus(A)", .least = 1, .most = 1, .act = "softplus", .passes = true},
    {.name = "HardSwish", .make = make_elementwise, .text = "hard_swish(A)", .least = 1, .most = 1, .act = "hard_swish", .passes = true},
    {.name = "LeakyRelu", .make = make_elementwise, .text = "leaky_relu(A, slope=$alpha)", .attributes = "alpha=0.01", .least = 1, .most = 1, .act = "leaky_relu", .act_alpha = 0.01, .passes = true},
    {.name = "Elu", .make = make_elementwise, .text = "elu(A, alpha=$alpha)", .attributes = "alpha=1", .least = 1, .most = 1, .act = "elu", .act_alpha = 1, .passes = true},
    {.name = "Celu", .make = make_elementwise, .text = "maximum(A, 0) + minimum($alpha * expm1(A / $alpha), 0)", .attributes = "alpha=1", .least = 1, .most = 1, .passes = true},
    {.name = "Selu", .make = make_elementwise, .text = "$gamma * where(A > 0, A, $alpha * expm1(A))", .attributes = "alpha=1.67326319217681884765625 gamma=1.05070102214813232421875", .least = 1, .most = 1, .passes = true},
    {.name = "ThresholdedRelu", .make = make_elementwise, .text = "where(A > $alpha, A, 0)", .attributes = "alpha=1", .least = 1, .most = 1, .passes = true},
    {.name = "Shrink", .make = make_elementwise, .text = "where(A < -$lambd, A + $bias, where(A > $lambd, A - $bias, 0))", .attributes = "lambd=0.5 bias=0", .least = 1, .most = 1, .passes = true},
    {.name = "Swish", .make = make_elementwise, .text = "A * sigmoid($alpha * A)", .attributes = "alpha=1", .least = 1, .most = 1, .passes = true},
    {.name = "HardSigmoid", .make = make_elementwise, .text = "minimum(maximum($alpha * A + $beta, 0), 1)", .attributes = "alpha=0.2 beta=0.5", .least = 1, .most = 1, .passes = true},
    {.name = "Gelu", .make = make_gelu, .attributes = "approximate", .least = 1, .most = 1, .passes = true},
    {.name = "Clip", .make = make_clip, .attributes = "min max", .least = 1, .most = 3, .passes = true},
    {.name = "PRelu", .make = make_prelu, .least = 2, .most = 2, .passes = true},
    {.name = "Cast", .make = make_cast, .attributes = "to saturate", .least = 1, .most = 1, .passes = true},
    {.name = "CastLike", .make = make_cast, .attributes = "saturate", .least = 2, .most = 2, .passes = true},
    /* elementwise, of several */
    BINARY("Add", "A + B", fold_add),
    BINARY("Sub", "A - B", fold_sub),
    BINARY("Mul", "A * B", fold_mul),
    BINARY("Div", "A / B", fold_div),
    BINARY("Pow", "A ** B", fold_pow),
    {.name = "Mod", .make = make_elementwise, .attributes = "fmod:0", .least = 2, .most = 2, .fold = fold_mod, .passes = true},
    DECIDES("Equal", "A == B", fold_equal),
    DECIDES("Less", "A < B", fold_less),
    DECIDES("LessOrEqual", "A <= B", fold_less_equal),
    DECIDES("Greater", "A > B", fold_greater),
    DECIDES("GreaterOrEqual", "A >= B", fold_greater_equal),
    DECIDES("And", "A * B", fold_and),
    DECIDES("Or", "maximum(A, B)", fold_or),
    DECIDES("Xor", "A != B", fold_xor),
    {.name = "Where", .make = make_where, .text = "where(A, B, C)", .least = 3, .most = 3, .fold = fold_where, .passes = true},
    VARIADIC("Max", "maximum(A, B)", fold_max),
    VARIADIC("Min", "minimum(A, B)", fold_min),
    VARIADIC("Sum", "A + B", NULL),
    VARIADIC("Mean", "A + B", NULL),
    /* products */
    {.name = "MatMul", .make = make_matmul, .least = 2, .most = 2},
    {.name = "Gemm", .make = make_gemm, .attributes = "alpha beta transA transB broadcast", .least = 2, .most = 3},
    {.name = "Einsum", .make = make_einsum, .attributes = "equation", .least = 1, .most = 16},
    /* windows */
    {.name = "Conv", .make = make_conv, .attributes = "auto_pad dilations group kernel_shape pads strides", .least = 2, .most = 3, .maps = true},
    {.name = "ConvTranspose", .make = make_conv_transpose, .attributes = "auto_pad dilations group kernel_shape output_padding output_shape pads strides", .least = 2, .most = 3, .maps = true},
    {.name = "MaxPool", .make = make_max_pool, .attributes = "auto_pad ceil_mode dilations kernel_shape pads storage_order strides", .least = 1, .most = 1, .maps = true},
    {.name = "AveragePool", .make = make_average_pool, .attributes = "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides", .least = 1, .most = 1, .maps = true},
    {.name = "GlobalAveragePool", .make = make_global_pool, .text = "mean(A@)", .least = 1, .most = 1, .maps = true},
    {.name = "GlobalMaxPool", .make = make_global_pool, .text = "max(A@)", .least = 1, .most = 1, .maps = true},
    {.name = "Resize", .make = make_resize, .attributes = "mode coordinate_transformation_mode nearest_mode cubic_coeff_a exclude_outside:0 extrapolation_value antialias:0", .least = 1, .most = 4, .maps = true},
    {.name = "Upsample", .make = make_resize, .attributes = "mode", .least = 2, .most = 2, .maps = true},
    {.name = "DepthToSpace", .make = make_depth_to_space, .attributes = "blocksize mode", .least = 1, .most = 1, .maps = true},
    {.name = "SpaceToDepth", .make = make_space_to_depth, .attributes = "blocksize mode", .least = 1, .most = 1, .maps = true},
    /* norms */
    {.name = "BatchNormalization", .make = make_batch_norm, .attributes = "epsilon momentum training_mode is_test:1 spatial:1", .least = 5, .most = 5, .maps = true},
    {.name = "LayerNormalization", .make = make_layer_norm, .attributes = "axis epsilon stash_type:1", .least = 2, .most = 3},
    {.name = "RMSNormalization", .make = make_rms_norm, .attributes = "axis epsilon stash_type:1", .least = 2, .most = 2},
    {.name = "InstanceNormalization", .make = make_instance_norm, .attributes = "epsilon", .least = 3, .most = 3, .maps = true},
    {.name = "GroupNormalization", .make = make_group_norm, .attributes = "epsilon num_groups stash_type:1", .least = 3, .most = 3, .maps = true},
    /* sequences */
    {.name = "LSTM", .make = make_lstm, .attributes = "activations direction hidden_size input_forget:0 layout:0", .least = 3, .most = 8},
    {.name = "GRU", .make = make_gru, .attributes = "activations direction hidden_size layout:0 linear_before_reset", .least = 3, .most = 6},
    /* sizes and order */
    {.name = "Reshape", .make = make_reshape, .attributes = "allowzero shape", .least = 1, .most = 2},
    {.name = "Flatten", .make = make_flatten, .attributes = "axis", .least = 1, .most = 1},
    {.name = "Squeeze", .make = make_squeeze, .attributes = "axes", .least = 1, .most = 2},
    {.name = "Unsqueeze", .make = make_unsqueeze, .attributes = "axes", .least = 1, .most = 2},
    {.name = "Transpose", .make = make_transpose, .attributes = "perm", .least = 1, .most = 1},
    {.name = "Expand", .make = make_expand, .least = 2, .most = 2},
    {.name = "Tile", .make = make_tile, .least = 2, .most = 2},
    {.name = "Identity", .make = make_identity, .least = 1, .most = 1, .passes = true},
    {.name = "Dropout", .make = make_dropout, .attributes = "ratio seed is_test:1", .least = 1, .most = 3, .passes = true},
    /* taken apart and put together */
    {.name = "Concat", .make = make_concat, .attributes = "axis", .least = 1, .most = 1000, .passes = true},
    {.name = "Split", .make = make_split, .attributes = "axis num_outputs split", .least = 1, .most = 2},
    {.name = "Slice", .make = make_slice, .attributes = "axes ends starts", .least = 1, .most = 5},
    {.name = "Pad", .make = make_pad, .attributes = "mode pads paddings value", .least = 1, .most = 4, .passes = true},
    {.name = "Gather", .make = make_gather, .attributes = "axis", .least = 2, .most = 2},
    {.name = "GatherElements", .make = make_gather_elements, .attributes = "axis", .least = 2, .most = 2},
    {.name = "GatherND", .make = make_gather_nd, .attributes = "batch_dims", .least = 2, .most = 2},
    {.name = "ScatterND", .make = make_scatter_nd, .attributes = "reduction", .least = 3, .most = 3},
    {.name = "OneHot", .make = make_one_hot, .attributes = "axis", .least = 3, .most = 3},
    {.name = "TopK", .make = make_top_k, .attributes = "axis k largest sorted:1", .least = 1, .most = 2},
    {.name = "CumSum", .make = make_cumsum, .attributes = "exclusive reverse", .least = 2, .most = 2},
    {.name = "Trilu", .make = make_trilu, .attributes = "upper", .least = 1, .most = 2},
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
    {.name = "ArgMax", .make = make_arg, .text = "argmax(A@)", .attributes = "axis keepdims select_last_index:0", .least = 1, .most = 1},
    {.name = "ArgMin", .make = make_arg, .text = "argmax(-A@)", .attributes = "axis keepdims select_last_index:0", .least = 1, .most = 1},
    {.name = "Softmax", .make = make_softmax, .text = "softmax(A@)", .attributes = "axis", .least = 1, .most = 1},
    {.name = "LogSoftmax", .make = make_softmax, .text = "log_softmax(A@)", .attributes = "axis", .least = 1, .most = 1},
    /* known */
    {.name = "Constant", .make = make_constant, .attributes = "value value_float value_floats value_int value_ints", .least = 0, .most = 0},
    {.name = "ConstantOfShape", .make = make_constant_of_shape, .attributes = "value", .least = 1, .most = 1},
    {.name = "Shape", .make = make_shape, .attributes = "start end", .least = 1, .most = 1},
    {.name = "Size", .make = make_size, .least = 1, .most = 1},
    {.name = "Range", .make = make_range, .least = 3, .most = 3},
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
