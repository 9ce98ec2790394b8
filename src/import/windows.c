/*
 * Windows that move over maps: convolutions and pools. One-dimensional ones are maps of one row.
 */
#include <string.h>

#include "import/elementwise.h"
#include "import/graph.h"

/* What a node says of its windows, height first, whatever its rank. */
typedef struct {
    int64_t size[2], stride[2], dilation[2], first[2], last[2]; /* cells before and after */
    import_value *x;
    int64_t in[2]; /* height and width */
    import_size out[2];
    bool line; /* one axis alone: the height is 1 */
    bool ceil;
} windows;

/* ---- what the node says ---- */

static void read_list(import_call *c, const windows *w, const char *name, int n, int64_t otherwise,
                      int64_t least, int64_t to[]) {
    int64_t list[4];
    const int axes = w->line ? 1 : 2, have = import_list(c, name, 4, list);
    if (have >= 0 && have != axes * n)
        import_refuse(c->g, "%s has %d numbers for maps of %d axes", name, have, axes);
    for (int k = 0; k < 2 * n; k++) to[k] = otherwise;
    for (int k = 0; k < axes * n && have >= 0; k++) {
        const int at = w->line ? 2 * k + 1 : k;
        if (list[k] < least || list[k] > INT32_MAX)
            import_refuse(c->g, "%s has %lld", name, (long long)list[k]);
        to[at] = list[k];
    }
}

static int64_t reach(const windows *w, int a) {
    return (w->size[a] - 1) * w->dilation[a] + 1;
}

/* The cells that as many windows as strides lack; negative: the last strides are seen by no window. */
static int64_t lack_of(const windows *w, int a) {
    const int64_t count = (w->in[a] + w->stride[a] - 1) / w->stride[a];
    return (count - 1) * w->stride[a] + reach(w, a) - w->in[a];
}

/* auto_pad: as many windows as strides, and the cells that they lack, the odd one last or first. */
static void pad_same(windows *w, bool upper) {
    for (int a = 0; a < 2; a++) {
        int64_t lack = lack_of(w, a);
        if (lack < 0) lack = 0;
        w->first[a] = upper ? lack / 2 : lack - lack / 2;
        w->last[a] = lack - w->first[a];
    }
}

static void read_pads(import_call *c, windows *w) {
    int64_t pads[4];
    const char *same = import_text(c, "auto_pad", "NOTSET");
    read_list(c, w, "pads", 2, 0, 0, pads);
    for (int a = 0; a < 2; a++) {
        w->first[a] = pads[a];
        w->last[a] = pads[2 + a];
    }
    const bool upper = !strcmp(same, "SAME_UPPER");
    /* cells that are too many are cut off at both ends by some, at the last one by others */
    for (int a = 0; a < 2 && (upper || !strcmp(same, "SAME_LOWER")); a++)
        if (lack_of(w, a) < -1)
            import_refuse(c->g,
                          "auto_pad = '%s' of strides beyond the window is read in two ways: "
                          "export it with pads",
                          same);
    if (upper || !strcmp(same, "SAME_LOWER"))
        pad_same(w, upper);
    else if (strcmp(same, "NOTSET") != 0 && strcmp(same, "VALID") != 0 && *same)
        import_refuse(c->g, "auto_pad = '%.40s' is none that spor understands", same);
}

static void read_windows(import_call *c, windows *w, const int64_t kernel[]) {
    *w = (windows){.x = import_operand(c, 0)};
    w->line = w->x->rank == 3;
    if (w->x->rank != 3 && w->x->rank != 4)
        import_refuse(c->g, "goes over maps of %d axes, and spor's have one or two",
                      w->x->rank > 2 ? w->x->rank - 2 : 0);
    read_list(c, w, "kernel_shape", 1, 1, 1, w->size);
    read_list(c, w, "strides", 1, 1, 1, w->stride);
    read_list(c, w, "dilations", 1, 1, 1, w->dilation);
    for (int a = 0; kernel && a < 2; a++) {
        if (import_attribute(c, "kernel_shape") && w->size[a] != kernel[a])
            import_refuse(c->g, "kernel_shape is not that of its weights");
        w->size[a] = kernel[a];
    }
    if (!kernel && !import_attribute(c, "kernel_shape")) import_refuse(c->g, "has no kernel_shape");
    for (int a = w->line; a < 2; a++) {
        w->in[a] = import_exact(c->g, w->x->size[2 + a - w->line], "the size of its maps");
        if (w->in[a] > INT32_MAX) import_refuse(c->g, "its maps are larger than spor's may be");
    }
    if (w->line) w->in[0] = 1;
    read_pads(c, w);
    w->ceil = import_integer(c, "ceil_mode", 0) != 0;
}

static void count_windows(import_call *c, windows *w) {
    for (int a = 0; a < 2; a++) {
        const int64_t cells = w->in[a] + w->first[a] + w->last[a] - reach(w, a);
        if (cells < 0) import_refuse(c->g, "its window reaches beyond the map");
        int64_t more = w->ceil && cells % w->stride[a] ? 1 : 0;
        /* a window that would begin behind the map and what is before it is left out */
        if (more && (cells / w->stride[a] + 1) * w->stride[a] >= w->in[a] + w->first[a]) more = 0;
        w->out[a] = import_fixed(cells / w->stride[a] + 1 + more);
        if (more) w->last[a] += w->stride[a] - cells % w->stride[a];
    }
}

/* ---- texts ---- */

static const char *pads_text(import_graph *g, const windows *w) {
    const int64_t *f = w->first, *l = w->last;
    if (f[0] == l[0] && f[1] == l[1]) return import_pair(g, f[0], f[1]);
    return import_say(g, "[[%lld, %lld], [%lld, %lld]]", (long long)f[0], (long long)l[0],
                      (long long)f[1], (long long)l[1]);
}

static bool no_pads(const windows *w) {
    return !w->first[0] && !w->first[1] && !w->last[0] && !w->last[1];
}

/* ", padding=..." of a conv, whose default is "same". */
static const char *padding_text(import_graph *g, const windows *w) {
    windows same = *w;
    pad_same(&same, true);
    if (!memcmp(same.first, w->first, sizeof w->first) &&
        !memcmp(same.last, w->last, sizeof w->last))
        return "";
    if (no_pads(w)) return ", padding=\"valid\"";
    return import_say(g, ", padding=%s", pads_text(g, w));
}

static const char *pair_text(import_graph *g, const char *name, const int64_t of[2]) {
    if (of[0] == 1 && of[1] == 1) return "";
    return import_say(g, ", %s=%s", name, import_pair(g, of[0], of[1]));
}

/* The maps as [N, H, W, C]. */
static const char *maps_text(import_call *c, const windows *w) {
    import_graph *g = c->g;
    const char *text = held_channels_last(c, w->x);
    if (!w->line) return text;
    return import_say(g, "reshape(%s, [%s, 1, %s, %s])", text, import_size_text(g, w->x->size[0]),
                      import_size_text(g, w->x->size[2]), import_size_text(g, w->x->size[1]));
}

/* Output 0, maps of so many channels. */
static import_value *result_maps(import_call *c, const windows *w, import_size channels) {
    import_size size[4] = {w->x->size[0], channels};
    for (int a = w->line; a < 2; a++) size[2 + a - w->line] = w->out[a];
    return import_result_of(c, 0, w->x->type, w->line ? 3 : 4, size);
}

/* y is these maps. */
static void give_maps(import_call *c, const windows *w, const char *line, import_value *y) {
    import_graph *g = c->g;
    const import_size *size = y->size;
    int order[4];
    const int rank = y->rank;
    const char *act = strstr(line, "@") ? import_act(c, &y) : "";
    const char *at = strchr(line, '@');
    if (at) line = import_say(g, "%.*s%s%s", (int)(at - line), line, act, at + 1);
    if (w->line)
        line = import_say(g, "reshape(%s, [%s, %s, %s])", line, import_size_text(g, size[0]),
                          import_size_text(g, size[2]), import_size_text(g, size[1]));
    held_channels_order(rank, order);
    import_line(c, y, order, "%s", line);
}

/* ---- convolutions ---- */

/* The kernel's numbers as ONNX's [F, C, k, l], of one axis [F, C, 1, l]. */
static import_known *kernel_maps(import_call *c, import_known *K) {
    const int64_t size[] = {K->size[0], K->size[1], 1, K->size[2]};
    return K->rank == 3 ? known_shaped(c->g, K, 4, size) : K;
}

/* The node's bias, or one that is added next, or zeros. */
static const double *bias_of(import_call *c, int64_t n, bool line, import_value **y) {
    import_value *b = import_input(c, 2);
    import_known *known = b ? import_numbers(c, 2) : import_bias(c, y, n, line ? 2 : 3);
    if (b && (known->count != n || known->b))
        import_refuse(c->g, "its bias has not %lld numbers", (long long)n);
    return known ? known->a : import_equal(c->g, n, 0);
}

/* Weights that are known: a layer of layers.spor. */
static void conv_known(import_call *c, const windows *w, import_known *K, int64_t groups) {
    import_graph *g = c->g;
    static const int usual[] = {2, 3, 1, 0}, deep[] = {3, 4, 2, 0, 1};
    const int64_t F = K->size[0], C = K->size[1] * groups;
    const bool depthwise = groups == C && groups > 1;
    const int64_t apart[] = {groups, F / groups, 1, K->size[2], K->size[3]};
    import_known *turned = depthwise ? known_transposed(g, known_shaped(g, K, 5, apart), deep)
                                     : known_transposed(g, K, usual);
    const char *name = depthwise ? "depthwise_conv" : "conv", *x = maps_text(c, w);
    const char *layer = import_layer(g, name);
    const int64_t size[] = {K->size[2], K->size[3], depthwise ? C : C / groups,
                            depthwise ? F / groups : F};
    import_weight_of(g, layer, "K", 4, size, turned->a);
    import_value *y = result_maps(c, w, import_fixed(F));
    import_weight_of(g, layer, "b", 1, &F, bias_of(c, F, w->line, &y));
    const char *line = depthwise ? import_say(g, "depthwise_conv(%s, kernel=%s", x,
                                              import_pair(g, w->size[0], w->size[1]))
                                 : import_say(g, "conv(%s, %lld, kernel=%s", x, (long long)F,
                                              import_pair(g, w->size[0], w->size[1]));
    if (depthwise && F != C) line = import_say(g, "%s, multiplier=%lld", line, (long long)(F / C));
    line = import_say(g, "%s%s%s%s", line, pair_text(g, "stride", w->stride), padding_text(g, w),
                      pair_text(g, "dilation", w->dilation));
    if (!depthwise && groups > 1) line = import_say(g, "%s, groups=%lld", line, (long long)groups);
    give_maps(c, w, import_say(g, "%s@)", line), y);
}

/* Weights that are computed. */
static void conv_computed(import_call *c, const windows *w, int64_t groups) {
    import_graph *g = c->g;
    static const int usual[] = {2, 3, 1, 0}, vector[] = {0};
    import_value *K = import_operand(c, 1), *b = import_input(c, 2);
    if (w->line) import_refuse(g, "its weights are computed");
    import_known *known = import_known_of(g, K);
    const char *k =
        known ? held_tensor(c, known_transposed(g, known, usual)) : held_reach(c, K, usual);
    const int64_t F = import_exact(g, K->size[0], "the number of filters");
    import_known *bias = b ? import_known_of(g, b) : NULL;
    const char *by = bias ? held_tensor(c, bias)
                     : b  ? held_reach(c, b, vector)
                          : import_say(g, "zeros([%lld])", (long long)F);
    const char *x = maps_text(c, w), *stride = import_pair(g, w->stride[0], w->stride[1]);
    if (!no_pads(w)) x = import_say(g, "pad(%s, %s)", x, pads_text(g, w));
    const bool sparse = groups > 1 || w->dilation[0] > 1 || w->dilation[1] > 1;
    import_value *y = result_maps(c, w, import_fixed(F));
    give_maps(c, w,
              sparse ? import_say(g, "sparse_conv_layer(%s, %s, %s, %lld, %s, %s, identity)", x, k,
                                  by, (long long)groups,
                                  import_pair(g, w->dilation[0], w->dilation[1]), stride)
                     : import_say(g, "conv_layer(%s, %s, %s, %s, identity)", x, k, by, stride),
              y);
}

void make_conv(import_call *c) {
    windows w;
    import_value *K = import_operand(c, 1), *b = import_input(c, 2);
    int64_t kernel[2] = {1, 1};
    const int64_t groups = import_integer(c, "group", 1), axes = import_operand(c, 0)->rank - 2;
    if (K->rank < 3 || K->rank > 4 || K->rank - 2 != axes)
        import_refuse(c->g, "its weights have %d axes and its maps %lld: spor has one and two",
                      K->rank, (long long)axes + 2);
    for (int a = 0; a < K->rank - 2; a++)
        kernel[4 - K->rank + a] = import_exact(c->g, K->size[2 + a], "the kernel's size");
    read_windows(c, &w, kernel);
    const int64_t F = import_exact(c->g, K->size[0], "the number of filters");
    const int64_t C = import_exact(c->g, w.x->size[1], "the number of channels");
    if (groups < 1 || C % groups || F % groups || K->size[1].b || K->size[1].a != C / groups ||
        !F || !C)
        import_refuse(c->g,
                      "%lld channels, %lld filters of %lld and %lld groups do not fit together",
                      (long long)C, (long long)F, (long long)K->size[1].a, (long long)groups);
    count_windows(c, &w);
    import_known *known = import_known_of(c->g, K);
    if (known && !known->b && (!b || import_known_of(c->g, b)))
        conv_known(c, &w, kernel_maps(c, known), groups);
    else
        conv_computed(c, &w, groups);
}

/* ---- transposed convolutions ---- */

/* Cells that are cut off: pads, or what output_shape leaves of them. */
static void cut_transposed(import_call *c, windows *w, const int64_t more[2]) {
    int64_t wanted[4] = {0};
    const bool said = import_attribute(c, "output_shape");
    const char *same = import_text(c, "auto_pad", "NOTSET");
    const bool whole = !strcmp(same, "SAME_UPPER") || !strcmp(same, "SAME_LOWER");
    if (said) read_list(c, w, "output_shape", 1, 1, 1, wanted);
    for (int a = 0; a < 2; a++) {
        const int64_t all = (w->in[a] - 1) * w->stride[a] + reach(w, a) + more[a];
        if (whole && !said) wanted[a] = w->in[a] * w->stride[a];
        if (said || whole) {
            const int64_t cut = all - wanted[a];
            if (cut < 0) import_refuse(c->g, "output_shape is larger than what there is");
            w->first[a] = !strcmp(same, "SAME_UPPER") ? cut / 2 : cut - cut / 2;
            w->last[a] = cut - w->first[a];
        }
        w->out[a] = import_fixed(all - w->first[a] - w->last[a]);
        if (w->out[a].a < 1) import_refuse(c->g, "its padding leaves nothing");
    }
}

void make_conv_transpose(import_call *c) {
    import_graph *g = c->g;
    static const int turn[] = {2, 3, 1, 0};
    windows w;
    import_known *K = import_numbers(c, 1);
    int64_t kernel[2] = {1, 1}, more[2];
    if (!K || K->rank < 3 || K->rank > 4 || K->rank != import_operand(c, 0)->rank)
        import_refuse(g, "goes over maps that have not one or two axes");
    K = kernel_maps(c, K);
    for (int a = 0; a < 2; a++) kernel[a] = K->size[2 + a];
    read_windows(c, &w, kernel);
    read_list(c, &w, "output_padding", 1, 0, 0, more);
    if (import_integer(c, "group", 1) != 1) import_refuse(g, "has groups, which spor's has not");
    if (w.dilation[0] > 1 || w.dilation[1] > 1)
        import_refuse(g, "has dilations, which spor's has not");
    if (K->b || w.x->size[1].b || w.x->size[1].a != K->size[0])
        import_refuse(g, "its weights are for %lld channels", (long long)K->size[0]);
    cut_transposed(c, &w, more);
    const int64_t F = K->size[1], size[] = {kernel[0], kernel[1], F, K->size[0]};
    const char *layer = import_layer(g, "conv_transpose"), *x = maps_text(c, &w);
    import_weight_of(g, layer, "K", 4, size, known_transposed(g, K, turn)->a);
    import_value *y = result_maps(c, &w, import_fixed(F));
    import_weight_of(g, layer, "b", 1, &F, bias_of(c, F, w.line, &y));
    const char *padding = no_pads(&w) ? "\"valid\"" : pads_text(g, &w);
    give_maps(
        c, &w,
        import_say(g, "conv_transpose(%s, %lld, kernel=%s%s, padding=%s%s@)", x, (long long)F,
                   import_pair(g, kernel[0], kernel[1]), pair_text(g, "stride", w.stride), padding,
                   more[0] || more[1]
                       ? import_say(g, ", output_padding=%s", import_pair(g, more[0], more[1]))
                       : ""),
        y);
}

/* ---- pools ---- */

static void read_pool(import_call *c, windows *w) {
    if (import_operand(c, 0)->rank < 3)
        import_refuse(c->g, "goes over maps, and its input is none");
    read_windows(c, w, NULL);
    if (w->dilation[0] > 1 || w->dilation[1] > 1)
        import_refuse(c->g, "has dilations, which spor's pools have not");
}

static const char *pool_text(import_call *c, const windows *w, const char *name, const char *x) {
    import_graph *g = c->g;
    const bool usual = w->stride[0] == w->size[0] && w->stride[1] == w->size[1];
    return import_say(
        g, "%s(%s, size=%s%s%s)", name, x, import_pair(g, w->size[0], w->size[1]),
        usual ? "" : import_say(g, ", stride=%s", import_pair(g, w->stride[0], w->stride[1])),
        no_pads(w) ? "" : import_say(g, ", padding=%s", pads_text(g, w)));
}

void make_max_pool(import_call *c) {
    windows w;
    read_pool(c, &w);
    if (c->outputs > 1 && c->out[1] && c->out[1]->readers)
        import_refuse(c->g, "its indices are read, and spor's maxpool has none");
    count_windows(c, &w);
    give_maps(c, &w, pool_text(c, &w, "maxpool", maps_text(c, &w)),
              result_maps(c, &w, w.x->size[1]));
}

/* Means count cells of the map alone, as spor's do, or the zeros around it too: these are added before. */
void make_average_pool(import_call *c) {
    windows w, zeros;
    read_pool(c, &w);
    zeros = w;
    count_windows(c, &w);
    const char *x = maps_text(c, &w);
    if (import_integer(c, "count_include_pad", 0) && !no_pads(&zeros)) {
        x = import_say(c->g, "pad(%s, %s)", x, pads_text(c->g, &zeros));
        for (int a = 0; a < 2; a++) {
            w.first[a] = 0;
            w.last[a] -= zeros.last[a];
        }
    }
    give_maps(c, &w, pool_text(c, &w, "avgpool", x), result_maps(c, &w, w.x->size[1]));
}

/* Over all places: the row's text says what. */
void make_global_pool(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    import_size size[SPOR_RANK];
    int order[SPOR_RANK];
    const char *list = "[";
    if (x->rank < 3) import_refuse(g, "goes over maps, and its input is none");
    for (int k = 0; k < x->rank; k++) size[k] = k < 2 ? x->size[k] : import_fixed(1);
    for (int k = 1; k < x->rank - 1; k++)
        list = import_say(g, "%s%s%d", list, k > 1 ? ", " : "", k);
    held_channels_order(x->rank, order);
    const char *operand[] = {held_channels_last(c, x)};
    const char *rest = import_say(g, ", axis=%s], keepdims=True", list);
    import_value *y = import_result_of(c, 0, x->type, x->rank, size);
    import_line(c, y, order, "%s", import_template(c, c->op->text, operand, rest));
}
