#include "train/page.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "figure/axis.h"
#include "figure/html.h"
#include "tape/layers.h"
#include "train/metrics.h"

static const char style[] =
    ".card{padding:.4rem 1rem}.plain{padding:0}\n"
    ".head{display:flex;flex-wrap:wrap;gap:.3rem 2.5rem;margin:0 0 1.2rem}\n"
    ".head b{display:block;font-size:1.6rem;line-height:1.25;font-variant-numeric:tabular-nums}\n"
    ".head span{color:var(--faint)}\n"
    ".warn{border-left:4px solid #d08700}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
    "td,th{text-align:left;vertical-align:top;padding:.28rem 1.2rem .28rem 0;"
    "border-top:1px solid var(--line);overflow-wrap:anywhere}\n"
    "tr:first-child>*{border-top:0}\n"
    "th{font-weight:400;color:var(--faint);white-space:nowrap}\n"
    "td.n,th.n{text-align:right}td.n{white-space:nowrap}\n"
    ".wide{overflow-x:auto}\n"
    "figure{margin:0 0 1rem;padding:0;background:#fff;border:1px solid var(--line);"
    "border-radius:.6rem;overflow-x:auto}\n"
    "figure svg{display:block;max-width:100%;height:auto;margin:0 auto}\n"
    "@media(max-width:44rem){figure svg{max-width:none;width:44rem}}\n"
    ".note{color:var(--faint);margin:.2rem 0 1rem;overflow-wrap:anywhere}\n"
    "details{margin:0 0 .6rem}details>summary{padding:.45rem 1rem;font-weight:600}\n"
    "details>summary::before{content:'\\25b8  ';color:var(--faint)}\n"
    "details[open]>summary::before{content:'\\25be  '}\n";

/* ---- rows of tables -------------------------------------------------------------------------- */

static void begin_table(spor_text *html, const char *heading) {
    html_text(html, "<h2>", heading, "</h2>\n<div class=\"card wide\"><table>\n");
}

static void end_table(spor_text *html) {
    text_add(html, "</table></div>\n");
}

/* A row of two; none where there is nothing to say. */
static void row_text(spor_text *html, const char *name, const char *value) {
    if (!value || !*value) return;
    html_text(html, "<tr><th>", name, "</th>");
    html_text(html, "<td>", value, "</td></tr>\n");
}

static void row_integer(spor_text *html, const char *name, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    row_text(html, name, text);
}

static void row_real(spor_text *html, const char *name, double value) {
    spor_text text = {0};
    text_real(&text, value);
    row_text(html, name, text.at);
    text_free(&text);
}

/* Of a share four decimals, of another number six digits; a dash where it was not measured. */
static void number_text(char out[AXIS_DIGITS], double value, bool share) {
    if (!isfinite(value))
        snprintf(out, AXIS_DIGITS, "\xe2\x80\x93");
    else if (share)
        axis_number(out, value, 4);
    else
        axis_digits(out, value, 6);
}

static void cell(spor_text *html, double value, bool share) {
    char text[AXIS_DIGITS];
    number_text(text, value, share);
    html_text(html, "<td class=\"n\">", text, "</td>");
}

/* ---- results --------------------------------------------------------------------------------- */

static void add_number(spor_text *html, const char *what, double value, bool share,
                       const char *more) {
    char text[AXIS_DIGITS];
    number_text(text, value, share);
    html_text(html, "<div>", what, "");
    html_text(html, "<b>", text, "</b>");
    html_text(html, "<span>", more, "</span></div>\n");
}

static void add_accuracy(spor_text *html, const spor_evaluation *e) {
    char low[AXIS_DIGITS], high[AXIS_DIGITS], more[160];
    metrics_interval interval = metrics_wilson(e->right, e->rows);
    axis_number(low, interval.low, 3);
    axis_number(high, interval.high, 3);
    snprintf(more, sizeof more, "95 %%: %s to %s; %" PRId64 " of %" PRId64 " rows", low, high,
             e->right, e->rows);
    add_number(html, "Test accuracy", e->accuracy, true, more);
    add_number(html, "Balanced accuracy", metrics_balanced_accuracy(e), true,
               "mean of the recalls");
}

static void add_headline(spor_text *html, const spor_summary *s) {
    const spor_evaluation *e = s->test;
    char rows[48];
    if (!e) return;
    snprintf(rows, sizeof rows, "%" PRId64 " rows", e->rows);
    text_add(html, "<div class=\"head\">\n");
    if (e->metric == SPOR_METRIC_ACCURACY) add_accuracy(html, e);
    if (e->metric == SPOR_METRIC_RMSE) {
        add_number(html, "Test RMSE", e->rmse, false, rows);
        add_number(html, "R\xc2\xb2", e->r2, true, "of the test rows");
    }
    add_number(html, "Test loss", e->loss, false, "mean of a row");
    text_add(html, "</div>\n");
}

static void add_scores(spor_text *html, const spor_summary *s) {
    const metric_kind *metric = metric_of(s->metric);
    const spor_score unknown = {nan(""), nan("")};
    const struct {
        const char *name;
        int64_t rows;
        spor_score score;
    } part[] = {{"training", s->train_rows, s->train},
                {"validation", s->validation_rows, s->validation},
                {"test", s->test_rows, s->test ? metrics_score(s->test) : unknown}};
    begin_table(html, "Rows, losses and metric");
    text_add(html, "<tr><th></th><th class=\"n\">rows</th><th class=\"n\">loss</th>");
    if (metric->name) html_text(html, "<th class=\"n\">", metric->text, "</th>");
    text_add(html, "</tr>\n");
    for (int k = 0; k < 3; k++) {
        html_text(html, "<tr><th>", part[k].name, "</th>");
        text_add(html, "<td class=\"n\">%" PRId64 "</td>", part[k].rows);
        cell(html, part[k].score.loss, false);
        if (metric->name) cell(html, part[k].score.metric, metric->share);
        text_add(html, "</tr>\n");
    }
    end_table(html);
}

static void add_class(spor_text *html, const spor_evaluation *e, int label) {
    spor_class_score s = metrics_class_score(e, label);
    char name[32];
    snprintf(name, sizeof name, "%d", label);
    html_text(html, "<tr><td>", e->class_name ? e->class_name[label] : name, "</td>");
    text_add(html,
             "<td class=\"n\">%" PRId64 "</td><td class=\"n\">%" PRId64
             "</td><td class=\"n\">%" PRId64 "</td>",
             s.rows, s.predicted, s.right);
    cell(html, s.recall, true);
    cell(html, s.precision, true);
    text_add(html, "</tr>\n");
}

static void add_note(spor_text *html, const char *format, int64_t shown, int64_t all) {
    char text[160];
    snprintf(text, sizeof text, format, shown, all);
    if (shown < all) html_text(html, "<p class=\"note\">", text, "</p>\n");
}

static void add_classes(spor_text *html, const spor_evaluation *e) {
    if (!e || !e->confusion) return;
    int shown = e->classes < PAGE_CLASSES ? e->classes : PAGE_CLASSES;
    begin_table(html, "Classes, on the test rows");
    text_add(html, "<tr><th>class</th><th class=\"n\">rows</th><th class=\"n\">predicted</th>"
                   "<th class=\"n\">right</th><th class=\"n\">recall</th>"
                   "<th class=\"n\">precision</th></tr>\n");
    for (int k = 0; k < shown; k++) add_class(html, e, k);
    end_table(html);
    add_note(html, "The first %" PRId64 " of %" PRId64 " classes.", shown, e->classes);
}

/* ---- figures --------------------------------------------------------------------------------- */

static void add_figure(spor_text *html, const page_figure *f) {
    html_text(html, "<h2>", f->heading, "</h2>\n");
    if (f->svg->size > PAGE_FIGURE) {
        html_text(html, "<p class=\"note\">", f->file,
                  " beside this page has it: it is too large for "
                  "the page.</p>\n");
    } else if (f->svg->size) {
        text_add(html, "<figure>");
        text_bytes(html, f->svg->at, f->svg->size);
        text_add(html, "</figure>\n");
    } else {
        html_text(html, "<p class=\"note\">Not drawn: ", f->why, ".</p>\n");
    }
}

/* ---- settings -------------------------------------------------------------------------------- */

static void add_settings(spor_text *html, const spor_summary *s) {
    begin_table(html, "Settings");
    row_text(html, "loss", s->loss);
    row_text(html, "optimizer", s->optimizer);
    for (int k = 0; k < SPOR_SUMMARY_SETTINGS && s->setting[k].name; k++)
        row_real(html, s->setting[k].name, s->setting[k].value);
    row_text(html, "clip", s->clip);
    row_text(html, "schedule", s->schedule);
    row_integer(html, "batch", s->batch);
    row_integer(html, "epochs run", s->epochs);
    row_integer(html, "weights of epoch", s->epoch);
    row_integer(html, "seed", (int64_t)s->seed);
    row_integer(html, "parameters", s->parameters);
    row_text(html, "precision", s->scalar == SPOR_F32 ? "float32" : "float64");
    row_text(html, "instructions", s->isa);
    row_text(html, "kernels", s->reference ? "reference, no fast paths" : NULL);
    row_text(html, "spor", SPOR_VERSION);
    end_table(html);
}

static void add_data(spor_text *html, const spor_page *page) {
    const spor_data *data = page->data;
    char shape[128];
    begin_table(html, "Data");
    tape_shape_text(&data->x.shape, NULL, shape, sizeof shape);
    row_text(html, "name", data->name);
    row_text(html, "read", page->summary->data_read);
    row_text(html, "sample", shape);
    if (data->classes) row_integer(html, "classes", data->classes);
    tape_shape_text(&data->y.shape, NULL, shape, sizeof shape);
    row_text(html, "targets", data->y.value ? shape : NULL);
    row_text(html, "standardized", data->x.mean ? "by the training rows" : NULL);
    end_table(html);
}

static void add_layer(spor_text *html, const spor_tape *tape, uint32_t k) {
    const spor_scope *scope = &tape->scope[k];
    char shape[128];
    tape_shape_text(tape->node[scope->result].shape, NULL, shape, sizeof shape);
    html_text(html, "<tr><td>", layers_name(tape, k), "</td>");
    html_text(html, "<td>", shape, "</td>");
    text_add(html, "<td class=\"n\">%" PRId64 "</td></tr>\n",
             layers_parameters(tape, scope->first, scope->last));
}

static void add_layers(spor_text *html, const pictures_net *net) {
    int all = 0;
    if (!net->tape) return;
    begin_table(html, "Layers");
    text_add(html,
             "<tr><th>layer</th><th>output for %" PRId64
             " row%s</th><th class=\"n\">parameters</th></tr>\n",
             net->rows, net->rows == 1 ? "" : "s");
    for (uint32_t k = 1; k < net->scopes; k++)
        if (net->layer[k] && all++ < PAGE_LAYERS) add_layer(html, net->tape, k);
    end_table(html);
    add_note(html, "The first %" PRId64 " of %" PRId64 " layers.",
             all < PAGE_LAYERS ? all : PAGE_LAYERS, all);
}

/* ---- words ----------------------------------------------------------------------------------- */

static void add_command(spor_text *html, const spor_page *page) {
    text_add(html, "<h2>Command, and how to repeat it</h2>\n<div class=\"card plain\">");
    html_lines(html, "<pre>", page->summary->command, "\n");
    html_lines(html, "spor train --repeat ", page->folder, " --out again</pre></div>\n");
}

static void add_warnings(spor_text *html, const char *warnings) {
    if (!warnings || !*warnings) return;
    text_add(html, "<h2>Warnings</h2>\n<div class=\"card plain warn\">");
    html_lines(html, "<pre>", warnings, "</pre></div>\n");
}

/* The script itself is open. */
static void add_file(spor_text *html, const page_file *file, bool open) {
    size_t size = strlen(file->text);
    text_add(html, "<details class=\"card plain\"%s>", open ? " open" : "");
    html_text(html, "<summary>", file->name, "</summary>");
    if (size > PAGE_FILE)
        text_add(html, "<pre>%zu bytes are too many for this page: script/ has them</pre>", size);
    else
        html_lines(html, "<pre>", file->text, "</pre>");
    text_add(html, "</details>\n");
}

static void add_script(spor_text *html, const spor_page *page) {
    int shown = page->files < PAGE_FILES ? page->files : PAGE_FILES;
    text_add(html, "<h2>Script</h2>\n");
    for (int k = 0; k < shown; k++) add_file(html, &page->file[k], !k);
    add_note(html, "The first %" PRId64 " of %" PRId64 " files.", shown, page->files);
}

/* ---- the page -------------------------------------------------------------------------------- */

bool page_write(const spor_page *page, const char *path, spor_message *message) {
    const spor_summary *s = page->summary;
    spor_text html = {0};
    char about[300];
    snprintf(about, sizeof about, "%.60s, %" PRId64 " epoch%s%s%.100s", page->data->name, s->epochs,
             s->epochs == 1 ? "" : "s", page->state ? ": " : "", page->state ? page->state : "");
    html_begin(&html, s->model, about, style);
    add_headline(&html, s);
    add_warnings(&html, page->warnings);
    add_scores(&html, s);
    for (int k = 0; k < page->figures; k++) add_figure(&html, &page->figure[k]);
    add_classes(&html, s->test);
    add_layers(&html, page->net);
    add_settings(&html, s);
    add_data(&html, page);
    add_command(&html, page);
    add_script(&html, page);
    html_end(&html, "Made by spor from checkpoint.safetensors of this folder.");
    return file_write_text(&html, path, message);
}
