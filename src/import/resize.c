/*
 * Maps that become larger or smaller: cells repeated, channels that become places.
 */
#include <string.h>

#include "import/graph.h"

/* How many times as large, along height and width. */
static void read_factors(import_call *c, const import_value *x, int64_t by[2]) {
    const int scales = !strcmp(c->op->name, "Upsample") ? 1 : 2;
    import_known *scale = import_input(c, scales) ? import_numbers(c, scales) : NULL;
    import_size size[4];
    if (scale && !scale->count) scale = NULL;
    if (scale && scale->count != 4) import_refuse(c->g, "has not four scales");
    const int n = scale ? -1 : import_sizes(c, 3, 4, size);
    if (!scale && n != 4) import_refuse(c->g, "has neither four scales nor four sizes");
    for (int k = 0; k < 4; k++) {
        const int64_t from = k < 2 ? 1 : import_exact(c->g, x->size[k], "the size of its maps");
        const double factor = scale      ? scale->a[k]
                              : k < 2    ? import_same_size(size[k], x->size[k])
                              : from > 0 ? (double)size[k].a / (double)from
                                         : 0;
        if (!(factor >= 1 && factor < 1e6) || factor != (double)(int64_t)factor ||
            (k < 2 && factor != 1))
            import_refuse(c->g, "maps become %g times as large, and spor has whole multiples alone",
                          factor);
        if (k >= 2) by[k - 2] = (int64_t)factor;
    }
}

void make_resize(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    int64_t by[2];
    int order[4];
    const char *mode = import_text(c, "mode", "nearest");
    const char *how = import_text(c, "coordinate_transformation_mode", "half_pixel");
    const char *nearest = import_text(c, "nearest_mode", "round_prefer_floor");
    if (x->rank != 4) import_refuse(g, "goes over maps [N, C, H, W]");
    read_factors(c, x, by);
    const bool half = !strcmp(how, "half_pixel") || !strcmp(how, "pytorch_half_pixel");
    const bool floors = !strcmp(how, "asymmetric") && !strcmp(nearest, "floor");
    const bool old = c->opset < 11, linear = strstr(mode, "linear");
    const bool repeats = !strcmp(mode, "nearest") &&
                         (old || floors || (half && !strncmp(nearest, "round_prefer", 12)));
    if (!repeats && !(linear && half && !old))
        import_refuse(
            g,
            "mode %.20s, %.30s, %.30s: spor's upsample repeats cells (asymmetric, floor) or "
            "draws lines through their middles (linear, half_pixel)",
            mode, how, nearest);
    const import_size size[] = {x->size[0], x->size[1],
                                import_fixed(by[0] * import_exact(g, x->size[2], "a size")),
                                import_fixed(by[1] * import_exact(g, x->size[3], "a size"))};
    const char *text = held_channels_last(c, x);
    import_value *y = import_result_of(c, 0, x->type, 4, size);
    held_channels_order(4, order);
    import_line(c, y, order, "upsample(%s, %s%s)", text, import_pair(g, by[0], by[1]),
                linear ? ", mode=\"bilinear\"" : "");
}

/* ---- channels that become places ---- */

void make_depth_to_space(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    const int64_t b = import_integer(c, "blocksize", 0);
    const char *mode = import_text(c, "mode", "DCR");
    int order[4];
    if (x->rank != 4 || b < 1 || b > 1024) import_refuse(g, "its blocksize is %lld", (long long)b);
    const int64_t C = import_exact(g, x->size[1], "a size"),
                  H = import_exact(g, x->size[2], "a size"),
                  W = import_exact(g, x->size[3], "a size");
    if (C % (b * b))
        import_refuse(g, "%lld channels are no multiple of %lld", (long long)C, (long long)(b * b));
    const long long c1 = C / (b * b), B = b;
    const import_size size[] = {x->size[0], import_fixed(c1), import_fixed(H * b),
                                import_fixed(W * b)};
    const char *text = held_channels_last(c, x), *N = import_size_text(g, x->size[0]);
    const bool first = !strcmp(mode, "DCR"); /* of a channel's axes, blocks come first */
    if (!first && strcmp(mode, "CRD") != 0)
        import_refuse(g, "mode '%.20s' is none that spor understands", mode);
    const char *apart = first ? import_say(g, "[%s, %lld, %lld, %lld, %lld, %lld]", N, (long long)H,
                                           (long long)W, B, B, c1)
                              : import_say(g, "[%s, %lld, %lld, %lld, %lld, %lld]", N, (long long)H,
                                           (long long)W, c1, B, B);
    import_value *y = import_result_of(c, 0, x->type, 4, size);
    held_channels_order(4, order);
    import_line(c, y, order, "reshape(transpose(reshape(%s, %s), %s), [%s, %lld, %lld, %lld])",
                text, apart, first ? "[0, 1, 3, 2, 4, 5]" : "[0, 1, 4, 2, 5, 3]", N,
                (long long)(H * b), (long long)(W * b), c1);
}

void make_space_to_depth(import_call *c) {
    import_graph *g = c->g;
    import_value *x = import_operand(c, 0);
    const int64_t b = import_integer(c, "blocksize", 0);
    int order[4];
    if (x->rank != 4 || b < 1 || b > 1024) import_refuse(g, "its blocksize is %lld", (long long)b);
    if (strcmp(import_text(c, "mode", "DCR"), "DCR") != 0)
        import_refuse(g, "mode '%.20s': spor has only DCR", import_text(c, "mode", ""));
    const int64_t C = import_exact(g, x->size[1], "a size"),
                  H = import_exact(g, x->size[2], "a size"),
                  W = import_exact(g, x->size[3], "a size");
    if (H % b || W % b) import_refuse(g, "maps are no multiple of %lld", (long long)b);
    const import_size size[] = {x->size[0], import_fixed(C * b * b), import_fixed(H / b),
                                import_fixed(W / b)};
    const char *text = held_channels_last(c, x), *N = import_size_text(g, x->size[0]);
    import_value *y = import_result_of(c, 0, x->type, 4, size);
    held_channels_order(4, order);
    import_line(
        c, y, order,
        "reshape(transpose(reshape(%s, [%s, %lld, %lld, %lld, %lld, %lld]), [0, 1, 3, 2, 4, 5]), "
        "[%s, %lld, %lld, %lld])",
        text, N, (long long)(H / b), (long long)b, (long long)(W / b), (long long)b, (long long)C,
        N, (long long)(H / b), (long long)(W / b), (long long)(C * b * b));
}
