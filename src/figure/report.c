/* A report of statements as a self-contained HTML page: no scripts, no files besides. */
#include "figure/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "data/file.h"
#include "figure/html.h"

enum { TEXTS = SPOR_ROW_TEXTS };

static const struct {
    const char *class, *mark, *one, *many; /* the words of the tally */
} looks[SPOR_ROW_STATES] = {
    [SPOR_ROW_HOLDS] = {"holds", "\xe2\x9c\x93", "holds", "hold"},
    [SPOR_ROW_EXPECTED] = {"expected", "\xe2\x9c\x93", "fails as stated", "fail as stated"},
    [SPOR_ROW_WRONG] = {"wrong", "\xe2\x9c\x97", "is wrong", "are wrong"},
    [SPOR_ROW_UNFINISHED] = {"unfinished", "\xe2\x80\xa6", "is unfinished", "are unfinished"},
    [SPOR_ROW_BROKEN] = {"wrong", "!", "can't be evaluated", "can't be evaluated"},
    [SPOR_ROW_SKIPPED] = {"skipped", "\xe2\x80\x93", "was not looked at", "were not looked at"},
    [SPOR_ROW_UNREADABLE] = {"wrong", "!", "file could not be read", "files could not be read"},
};

/* ---- collecting ---- */

static char *copy_of(spor_report *report, const char *text) {
    size_t size = strlen(text ? text : "") + 1;
    char *copy = malloc(size);
    if (copy) memcpy(copy, text ? text : "", size);
    report->failed = report->failed || !copy;
    return copy;
}

static spor_report_line *new_line(spor_report *report) {
    if (report->count == report->capacity) {
        int capacity = report->capacity ? 2 * report->capacity : 64;
        spor_report_line *grown = realloc(report->line, (size_t)capacity * sizeof *grown);
        report->failed = report->failed || !grown;
        if (!grown) return NULL;
        report->line = grown;
        report->capacity = capacity;
    }
    spor_report_line *line = &report->line[report->count++];
    *line = (spor_report_line){0};
    return line;
}

void report_section(spor_report *report, const char *heading) {
    spor_report_line *line = new_line(report);
    if (!line) return;
    line->heading = true;
    line->text[0] = copy_of(report, heading);
}

void report_add(spor_report *report, const spor_report_row *row) {
    spor_report_line *line = new_line(report);
    report->states[row->state]++;
    if (!line) return;
    line->state = row->state;
    const char *const texts[TEXTS] = {row->label, row->verdict, row->summary, row->detail,
                                      row->picture};
    for (int k = 0; k < TEXTS; k++) line->text[k] = copy_of(report, texts[k]);
}

void report_free(spor_report *report) {
    for (int k = 0; k < report->count; k++)
        for (int j = 0; j < TEXTS; j++) free(report->line[k].text[j]);
    free(report->line);
    *report = (spor_report){0};
}

void report_tally(const spor_report *report, char *text, size_t size) {
    size_t used = 0;
    snprintf(text, size, "nothing was examined");
    for (int k = 0; k < SPOR_ROW_STATES; k++) {
        int64_t n = report->states[k];
        if (n && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%" PRId64 " %s", used ? ", " : "",
                                     n, n == 1 ? looks[k].one : looks[k].many);
    }
}

/* ---- the page ---- */

static const char style[] =
    ":root{--holds:#1a7f4b;--expected:#2767b0;--wrong:#c0362c;--unfinished:#9a6700}\n"
    "@media(prefers-color-scheme:dark){:root{--holds:#4cc38a;--expected:#6cb0f5;--wrong:#ff7b72;"
    "--unfinished:#e3b341}}\n"
    ".bar{display:flex;height:.55rem;border-radius:.3rem;overflow:hidden;gap:2px;"
    "margin:0 0 .8rem}\n"
    ".bar i{display:block;background:var(--c)}\n"
    ".tally{display:flex;flex-wrap:wrap;gap:.4rem 1.6rem;margin:0 0 2rem;padding:0;"
    "list-style:none}\n"
    ".tally b{font-size:1.25rem;color:var(--c);margin-right:.35rem;"
    "font-variant-numeric:tabular-nums}\n"
    ".row{border-left:4px solid var(--c)}\n"
    ".row+.row{border-top:1px solid var(--line)}\n"
    ".head{display:grid;grid-template-columns:1.3rem minmax(9rem,15rem) 8.6rem 1fr;gap:.1rem .9rem;"
    "padding:.55rem 1rem .55rem .8rem;align-items:baseline}\n"
    ".mark{color:var(--c);font-weight:700}\n"
    ".label{font-weight:600;overflow-wrap:anywhere}\n"
    ".verdict{color:var(--c);font-weight:600;text-transform:lowercase}\n"
    ".summary{color:var(--faint);overflow-wrap:anywhere}\n"
    "summary:focus-visible{outline:2px solid var(--expected);outline-offset:-2px}\n"
    "summary .summary::after{content:' \\25b8';color:var(--faint)}\n"
    "details[open] .summary::after{content:' \\25be'}\n"
    ".row pre{padding-left:3rem;border-top:1px solid var(--line)}\n"
    ".holds{--c:var(--holds)}.expected{--c:var(--expected)}.wrong{--c:var(--wrong)}"
    ".unfinished{--c:var(--unfinished)}.skipped{--c:var(--faint)}\n"
    ".picture{padding:.6rem 1rem .2rem 3rem;overflow-x:auto;border-top:1px solid var(--line)}\n"
    ".elements text{fill:var(--ink);font:12px system-ui,'DejaVu Sans',sans-serif}\n"
    ".e0{fill:var(--holds);fill-opacity:.22}.e1{fill:var(--faint);fill-opacity:.45}"
    ".e2{fill:var(--unfinished);fill-opacity:.75}.e3{fill:var(--wrong);fill-opacity:.6}"
    ".e4{fill:var(--wrong)}\n"
    "@media(max-width:44rem){.head{grid-template-columns:1.3rem 1fr}.verdict,.summary"
    "{grid-column:2}}\n";

static void write_row(spor_text *page, const spor_report_line *line) {
    bool unfolds = *line->text[3] || *line->text[4];
    const char *class = looks[line->state].class;
    text_add(page, "<%s class=\"row %s\"%s>", unfolds ? "details" : "div", class,
             unfolds && !strcmp(class, "wrong") ? " open" : "");
    text_add(page, "<%s class=\"head\"><span class=\"mark\">%s</span>", unfolds ? "summary" : "div",
             looks[line->state].mark);
    html_text(page, "<span class=\"label\">", line->text[0], "</span>");
    html_text(page, "<span class=\"verdict\">", line->text[1], "</span>");
    html_text(page, "<span class=\"summary\">", line->text[2], "</span>");
    text_add(page, "</%s>", unfolds ? "summary" : "div");
    if (*line->text[4]) text_add(page, "<div class=\"picture\">\n%s</div>", line->text[4]);
    if (*line->text[3]) html_lines(page, "<pre>", line->text[3], "</pre>");
    text_add(page, "</%s>\n", unfolds ? "details" : "div");
}

static void write_tally(spor_text *page, const spor_report *report) {
    text_add(page, "<div class=\"bar\">");
    for (int k = 0; k < SPOR_ROW_STATES; k++)
        if (report->states[k])
            text_add(page, "<i class=\"%s\" style=\"flex:%" PRId64 "\"></i>", looks[k].class,
                     report->states[k]);
    text_add(page, "</div>\n<ul class=\"tally\">");
    for (int k = 0; k < SPOR_ROW_STATES; k++)
        if (report->states[k])
            text_add(page, "<li class=\"%s\"><b>%" PRId64 "</b>%s</li>", looks[k].class,
                     report->states[k], report->states[k] == 1 ? looks[k].one : looks[k].many);
    text_add(page, "</ul>\n");
}

static void write_rows(spor_text *page, const spor_report *report) {
    bool open = false;
    for (int k = 0; k < report->count; k++) {
        const spor_report_line *line = &report->line[k];
        if (line->heading) {
            text_add(page, "%s", open ? "</div>\n" : "");
            open = false;
            html_text(page, "<h2>", line->text[0], "</h2>\n");
            continue;
        }
        if (!open) text_add(page, "<div class=\"card\">\n");
        open = true;
        write_row(page, line);
    }
    text_add(page, "%s", open ? "</div>\n" : "");
}

bool report_write(const spor_report *report, const char *title, const char *about, const char *path,
                  spor_message *message) {
    spor_text page = {0};
    if (report->failed) return message_complain(message, "%s: out of memory", path);
    html_begin(&page, title, about, style);
    write_tally(&page, report);
    write_rows(&page, report);
    html_end(&page, "Click a row to unfold its details. Where a statement fails, the smallest case "
                    "that was found is shown.");
    return file_write_text(&page, path, message);
}
