#include "figure/html.h"

#include "figure/svg.h"

static const char common[] =
    ":root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1d2127;--faint:#626b77;"
    "--line:#e3e6eb;--code:#f3f4f7}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#14171b;--card:#1c2026;--ink:#e5e8ec;"
    "--faint:#97a1ae;--line:#2d333b;--code:#15181d}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"
    "'Segoe UI','DejaVu Sans',sans-serif}\n"
    "main{max-width:66rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem;letter-spacing:-.01em;"
    "overflow-wrap:anywhere}\n"
    ".about{color:var(--faint);margin:0 0 1.4rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1rem;font-weight:600;margin:2rem 0 .5rem;overflow-wrap:anywhere}\n"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;"
    "overflow:hidden}\n"
    "summary{list-style:none;cursor:pointer}\n"
    "summary::-webkit-details-marker{display:none}\n"
    "summary:hover{background:var(--code)}\n"
    "pre{margin:0;padding:.8rem 1rem .9rem;background:var(--code);white-space:pre-wrap;"
    "overflow-wrap:anywhere;font:13px/1.55 ui-monospace,'SF Mono',Menlo,'DejaVu Sans Mono',"
    "monospace}\n"
    "footer{color:var(--faint);font-size:.85rem;margin-top:2.5rem}\n"
    "@media print{.card{break-inside:avoid}}\n";

void html_text(spor_text *page, const char *open, const char *text, const char *close) {
    text_add(page, "%s", open);
    svg_escaped(page, text);
    text_add(page, "%s", close);
}

void html_lines(spor_text *page, const char *open, const char *text, const char *close) {
    text_add(page, "%s", open);
    svg_escaped_lines(page, text);
    text_add(page, "%s", close);
}

void html_begin(spor_text *page, const char *title, const char *about, const char *style) {
    html_text(page,
              "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
              title, "</title>\n<style>\n");
    text_add(page, "%s%s", common, style);
    html_text(page, "</style>\n<main>\n<h1>", title, "</h1>\n");
    html_text(page, "<p class=\"about\">", about, "</p>\n");
}

void html_end(spor_text *page, const char *foot) {
    html_text(page, "<footer>", foot, "</footer>\n</main>\n</html>\n");
}
