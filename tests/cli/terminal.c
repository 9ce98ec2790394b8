/*
 * What a terminal is sent: nothing that it obeys comes from scripts, file names or data, on any way; one
 * that can't do more gets plain lines.
 */
#define _XOPEN_SOURCE 700 /* posix_openpt */
#include "suite.h"
#include "shell.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Colour and title of a terminal, a C1 byte alone and as UTF-8, backspace, bell, return, an override of
 * direction, a mark, an isolate, a separator of lines, half a character. No slash: file names have it. */
#define HOSTILE                                                                                    \
    UTF8 "\233"                                                                                    \
         "31m\357"
/* The same as far as it is a text in UTF-8. */
#define UTF8                                                                                       \
    "\033[31m\033]0;t\a\302\23331m\b\r\342\200\256\342\200\217\330\234\342\201\246\342\200\250"

static void enter_with_layers(void) {
    enter_folder();
    ck_assert_int_eq(run("cp $M/layers.spor $M/optimizers.spor ."), 0);
    setenv("H", HOSTILE, 1);
}

static bool is_plain(unsigned char c) {
    return (c >= ' ' && c != 127) || c == '\n' || c == '\t';
}

/* By the bytes that these sequences have in UTF-8, and not by what the program knows of them. */
static void expect_plain(const char *text, const char *of) {
    static const char *const obeyed[] = {
        "\302\200",     "\302\215",     "\302\233",     "\302\237",     "\330\234",
        "\342\200\216", "\342\200\217", "\342\200\250", "\342\200\251", "\342\200\252",
        "\342\200\256", "\342\201\246", "\342\201\251"};
    for (const char *c = text; *c; c++)
        ck_assert_msg(is_plain((unsigned char)*c), "%s: byte %d is sent in:\n%.2000s", of,
                      (unsigned char)*c, c > text + 200 ? c - 200 : text);
    for (size_t k = 0; k < sizeof obeyed / sizeof *obeyed; k++)
        ck_assert_msg(!strstr(text, obeyed[k]), "%s: %zu is sent in:\n%.2000s", of, k, text);
    for (const char *c = text; *c; c++) {
        bool lead = (unsigned char)*c >= 0xc0, next = ((unsigned char)c[1] & 0xc0) == 0x80;
        bool alone = ((unsigned char)*c & 0xc0) == 0x80 && (c == text || !(c[-1] & 0x80));
        ck_assert_msg(!alone && (!lead || next), "%s: no UTF-8 is sent in:\n%.2000s", of, text);
    }
}

#define NET(outputs)                                                                               \
    "include \"layers.spor\"\n"                                                                    \
    "def net(x):\n    return dense(flatten(x), " outputs ")\n"
#define TRAIN(data)                                                                                \
    "train(net, data=" data ", loss=cross_entropy(reduction=\"mean\"),\n"                          \
    "      optimizer=sgd(rate=0.1), batch=2, epochs=1)\n"

/* Each has the hostile bytes where a script, or what it reads, may have them. */
static const struct {
    const char *name, *text;
} files[] = {
    {"plain.spor", NET("2") TRAIN("csv(\"classes.csv\", label=\"y\")")},
    {"columns.spor", NET("2") TRAIN("csv(\"columns.csv\", label=\"" HOSTILE "\")")},
    {"cell.spor", NET("2") TRAIN("csv(\"cell.csv\", label=\"y\")")},
    {"nowhere.spor", NET("2") TRAIN("csv(\"" HOSTILE ".csv\")")},
    {"comment.spor", "x = = 3 # " HOSTILE "\n"},
    {"string.spor", "x = \"" HOSTILE "\" + 1\n"},
    {"sign.spor", HOSTILE "\n"},
    {"include.spor", "include \"" HOSTILE ".spor\"\n"},
    {"fail.spor", "def f(x):\n    fail(\"" HOSTILE "\", x)\ny = f(3)\n"},
    {"act.spor", "include \"layers.spor\"\n"
                 "def net(x):\n    return dense(flatten(x), 2, act=\"" HOSTILE
                 "\")\n" TRAIN("csv(\"classes.csv\", label=\"y\")")},
    {"init.spor", "def net(x):\n    return x @ param([2, 2], init=\"normal\", name=\"" HOSTILE
                  "\")\n" TRAIN("csv(\"classes.csv\", label=\"y\")")},
    {"label.spor", "claim \"" HOSTILE "\" (A[n]):\n    A + A == 2 * A\n"
                   "claim \"b" HOSTILE "\" (A[n]):\n    A == 2 * A\n"},
    {"bare.spor", "claim (A[n]): \"" HOSTILE "\"\n"},
};
enum { FILES = sizeof files / sizeof *files };

static void write_files(void) {
    char rows[2048] = "a,b,y\n";
    for (int k = 0; k < 6; k++) strcat(rows, "1,2,\"u" UTF8 "\"\n3,4,v\n");
    write_file("classes.csv", rows);
    write_file("columns.csv", "a,b,\"y" UTF8 "\"\n1,2,u\n3,4,v\n");
    write_file("cell.csv", "a,b,y\n1,2,u\n3,\"" HOSTILE "\",v\n");
    for (int k = 0; k < FILES; k++) write_file(files[k].name, files[k].text);
}

/* Every command, without a line written for it. */
START_TEST(no_command_hands_on_what_a_terminal_obeys) {
    char name[32][32], of[256];
    int count = list_commands(name, 32);
    write_files();
    expect_status(run("spor train plain.spor --quiet"), 0);
    for (int k = 0; k < count; k++) {
        for (int f = 0; f < FILES; f++) {
            run("spor %s %s", name[k], files[f].name);
            snprintf(of, sizeof of, "spor %.31s %.99s", name[k], files[f].name);
            expect_plain(out, of);
            expect_plain(err, of);
        }
        static const char *const words[] = {"\"$H\"", "--\"$H\"", "--set \"$H\" plain.spor",
                                            "--set \"$H=1\" plain.spor", "plain.spor \"$H\""};
        for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
            expect_status(run("spor %s %s", name[k], words[w]), 2);
            expect_plain(err, words[w]);
        }
        run("spor %s runs/net; spor %s runs/net --in classes.csv", name[k], name[k]);
        expect_plain(out, name[k]);
        expect_plain(err, name[k]);
        expect_status(run("cp comment.spor \"$H\"; spor %s \"$H\"", name[k]), 2);
        expect_plain(err, name[k]);
    }
    expect_status(run("spor \"$H\""), 2);
    expect_plain(err, "spor");
}
END_TEST

/* What is told is told as before. */
START_TEST(the_rest_is_shown_as_it_is) {
    write_files();
    expect_status(run("spor show string.spor"), 2);
    expect_in(err, "string.spor:1:");
    expect_in(err, "?[31m?]0;t??31m??");
    expect_status(run("spor train nowhere.spor; spor --help"), 0);
    write_file("words.spor", "x = \"na\303\257ve \342\202\254 \360\237\214\262\t.\" $\n");
    expect_status(run("spor show words.spor"), 2);
    expect_in(err, "na\303\257ve \342\202\254 \360\237\214\262\t.");
}
END_TEST

/* Columns are those of characters as they are shown, whatever stands before. */
/* print(...) speaks on the standard error, once however often a script is recorded; what a command writes
 * for machines stays that. */
START_TEST(a_script_prints_once_on_the_standard_error) {
    write_file("s.spor", "print(\"loaded\", 2 ** 3, [1, 2.5])\n"
                         "def f(A[N, m]):\n    for k in range(2):\n        print(k, A, N)\n"
                         "    return A * A\n"
                         "derive f (A) -> (Y, dY):\n    dA = 2 * A * dY\n"
                         "print(\"\033[31mred\")\n");
    expect_status(run("spor verify s.spor --json"), 0);
    ck_assert_int_eq(out[0], '{');
    ck_assert_ptr_null(strstr(out, "loaded"));
    ck_assert_int_eq(count_of(err, "loaded 8 [1, 2.5]\n"), 1);
    ck_assert_int_eq(count_of(err, "\n0 tensor ["), 1);
    ck_assert_int_eq(count_of(err, "\n1 tensor ["), 1);
    ck_assert_int_eq(count_of(err, "?[31mred\n"), 1);
    ck_assert_int_eq(count_of(err, "\n"), 4);
    ck_assert_ptr_null(strchr(err, '\033'));
}
END_TEST

START_TEST(the_caret_stands_under_the_word) {
    write_file("a.spor", "x = \"\033[31m\233\302\233\303\251\342\200\256\" $\r\n");
    expect_status(run("spor show a.spor"), 2);
    expect_in(err, "\n      x = \"?[31m??\303\251?\" $\n"
                   "                      ^\n");
}
END_TEST

/* A cut in the middle of a character is put together again. */
START_TEST(long_outputs_keep_their_characters) {
    char script[1 << 15] = "x = [\n";
    for (int k = 0; k < 12; k++)
        strcat(script, "\"\342\202\254\303\251\342\202\254\303\251\342\202\254\",\n");
    strcat(script, "] + \n");
    write_file("a.spor", script);
    expect_status(run("for k in 1 2 3 4; do printf 'a\342\202\254%%.0s' $(seq 3000) >> long; done; "
                      "spor train $(cut -c 1-9000 long).spor"),
                  2);
    expect_in(err, "a\342\202\254a\342\202\254");
    expect_plain(err, "a long name");
}
END_TEST

/* ---- byte order marks ---- */

START_TEST(a_byte_order_mark_begins_a_text) {
    write_files();
    expect_status(run("(printf '\\357\\273\\277'; cat plain.spor) > marked.spor;"
                      "(printf '\\357\\273\\277'; cat classes.csv) > m.csv; mv m.csv classes.csv;"
                      "spor train marked.spor --quiet && spor train --resume runs/net --epochs 2"),
                  0);
    expect_status(run("head -c 3 runs/net/script/marked.spor | od -An -tx1"), 0);
    expect_in(out, "ef bb bf"); /* what is kept is what was there */
    write_file("marked.spor", "\357\273\277x = $\n");
    expect_status(run("spor show marked.spor"), 2);
    expect_in(err, "marked.spor:1:5: ");
    expect_in(err, "\n      x = $\n          ^\n");
    write_file("inner.spor", "\357\273\277y = 3\n");
    write_file("outer.spor", "\357\273\277include \"inner.spor\"\nx = y + $\n");
    expect_status(run("spor show outer.spor"), 2);
    expect_in(err, "outer.spor:2:9");
    write_file("wide.spor", "\377\376x");
    expect_status(run("spor show wide.spor"), 2);
    expect_in(err, "wide.spor is UTF-16; save it in UTF-8");
}
END_TEST

/* ---- files that are no scripts ---- */

START_TEST(what_is_no_script_is_not_shown) {
    static const char *const lines[] = {"spor train secret",
                                        "spor show link.spor",
                                        "spor verify /dev/stdin < secret",
                                        "spor show includes.spor",
                                        "spor show links.spor",
                                        "spor bench secret.txt",
                                        "spor train ./secret --double",
                                        "spor train table.spor"};
    write_file("secret", "hunter2:x,y\nhunter2:x,z\n");
    write_file("includes.spor", "include \"secret\"\n");
    write_file("links.spor", "include \"link.spor\"\n");
    write_file("table.spor", NET("2") TRAIN("csv(\"secret\", label=\"hunter\")"));
    expect_status(run("cp secret secret.txt; ln -s secret link.spor"), 0);
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        expect_status(run("%s", lines[k]), 2);
        ck_assert_msg(!strstr(err, "hunter2") && !strstr(out, "hunter2"), "%s tells:\n%s", lines[k],
                      err);
    }
    expect_in(err, "is shown of files that end in .csv");
    expect_status(run("spor show secret"), 2);
    expect_in(err, "this is no script; what is wrong is shown of files that end in .spor");
    expect_status(run("spor show includes.spor"), 2);
    expect_in(err, "include takes a script: the name of its file ends in .spor");
    expect_in(err, "\n      include \"secret\"\n");
    /* what has been read as a script is one, and so is what comes through a pipe */
    write_file("script.txt", "x = 1\ny = x + z\n");
    expect_status(run("spor show script.txt"), 2);
    expect_in(err, "      y = x + z\n");
    expect_status(run("echo 'x = $' | spor show /dev/stdin"), 2);
    expect_in(err, "      x = $\n");
}
END_TEST

/* ---- terminals ---- */

/* What a line of shell sends to a terminal of this kind; false on a machine without pseudo-terminals. */
static bool run_on_terminal(const char *term, const char *line) {
    int master = posix_openpt(O_RDWR | O_NOCTTY), status;
    if (master < 0) return false;
    ck_assert(!grantpt(master) && !unlockpt(master));
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    pid_t child = fork();
    ck_assert(slave >= 0 && child >= 0);
    if (!child) {
        dup2(slave, STDOUT_FILENO);
        if (term) setenv("TERM", term, 1);
        if (!term) unsetenv("TERM");
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    close(slave);
    size_t length = 0;
    for (ssize_t got; (got = read(master, out + length, MOST - 1 - length)) > 0;)
        length += (size_t)got;
    out[length] = 0;
    close(master);
    ck_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    return true;
}

/* A terminal ends its lines by \r\n. */
START_TEST(a_dumb_terminal_gets_plain_lines) {
    static const char *const dumb[] = {"dumb", "", NULL};
    write_files();
    for (int k = 0; k < 3; k++) {
        if (!run_on_terminal(dumb[k], "$SPOR_PROGRAM train plain.spor --epochs 3")) return;
        ck_assert_int_eq(count_of(out, "\r"), count_of(out, "\r\n"));
        expect_in(out, "\nepoch 2/3  loss ");
        expect_in(out, " validation ");
    }
    ck_assert(run_on_terminal("xterm", "$SPOR_PROGRAM train plain.spor --epochs 3"));
    ck_assert_int_gt(count_of(out, "\r"), count_of(out, "\r\n"));
    ck_assert(!strchr(out, '\033'));
}
END_TEST

/* Colours come from the program alone, and only where they are wanted. */
START_TEST(verdicts_have_colours) {
    write_files();
    write_file("holds.spor", "claim \"" UTF8 "\" (A[n]):\n    A + A == 2 * A\n");
    if (!run_on_terminal("xterm", "$SPOR_PROGRAM verify holds.spor")) return;
    ck_assert_int_eq(count_of(out, "\033"), 2);
    expect_in(out, "\033[32mholds\033[0m");
    ck_assert(run_on_terminal("xterm", "NO_COLOR=1 $SPOR_PROGRAM verify holds.spor"));
    ck_assert(!strchr(out, '\033'));
    ck_assert(run_on_terminal("dumb", "$SPOR_PROGRAM verify holds.spor"));
    ck_assert(!strchr(out, '\033'));
}
END_TEST

/* ---- columns ---- */

#define LONG "a_block_whose_name_is_longer_than_any_column_was_made_for"

static void write_long(void) {
    write_file("long.spor",
               "include \"layers.spor\"\n"
               "def " LONG "(x):\n    return dense(dense(x, 1000000000, act=tanh), 4, act=tanh)\n"
               "def net(x):\n    x = flatten(x)\n    for k in range(11):\n        x = " LONG
               "(x)\n    return dense(x, 10)\n" TRAIN("digits()"));
}

/* Where the column of shapes or numbers ends in the lines from `from` to the first empty one. */
static void expect_column(const char *from, char mark, int lines) {
    long column = -1;
    int seen = 0;
    for (const char *line = from; line && *line != '\n';
         line = strchr(line, '\n'), line += !!line) {
        size_t length = strcspn(line, "\n");
        const char *at = mark ? memchr(line, mark, length) : line + length;
        if (!at) continue;
        if (column < 0) column = at - line;
        ck_assert_msg(at - line == column, "column %ld instead of %ld in %.*s", (long)(at - line),
                      column, (int)length, line);
        seen++;
    }
    ck_assert_int_ge(seen, lines);
}

START_TEST(columns_are_as_wide_as_what_stands_in_them) {
    char *end;
    write_long();
    expect_status(run("spor show long.spor --batch 1"), 0);
    const char *head = strstr(out, "  layer ");
    ck_assert(head != NULL);
    end = strstr(head, "  Multiply-adds");
    *end = '\n';
    expect_in(head, "  " LONG "[10]/dense[0] [N, 1000000000]");
    expect_column(head, 0, 24);
    *end = ' ';
    expect_column(strchr(strstr(out, "\nThe tape, batch 1\n") + 1, '\n') + 1, '#', 50);
    if (!run_on_terminal("xterm", "COLUMNS=70 $SPOR_PROGRAM show long.spor --batch 1")) return;
    head = strstr(out, "  layer ");
    ck_assert(head && (end = strstr(head, "  Multiply-adds")));
    *end = 0;
    for (char *line = strtok(strstr(out, "  layer "), "\r\n"); line; line = strtok(NULL, "\r\n"))
        ck_assert_msg(strlen(line) <= 70, "%s", line);
    ck_assert(run_on_terminal("xterm", "COLUMNS=70 $SPOR_PROGRAM show long.spor --batch 1"));
    expect_in(out, "  ...");
    expect_in(out, "[10]/dense[0] [N, 1000000000]");
}
END_TEST

/* ---- names of values ---- */

START_TEST(values_are_called_as_in_the_script) {
    write_file("lstm.spor", "include \"layers.spor\"\n"
                            "def cell(x, h, c, W, U, b):\n"
                            "    i, f, g, o = split(x @ W + h @ U + b, 4, axis=1)\n"
                            "    c = sigmoid(f) * c + sigmoid(i) * tanh(g)\n"
                            "    return sigmoid(o) * tanh(c), c\n"
                            "def net(x):\n"
                            "    x = reshape(x, [batch(x), 8, 8])\n"
                            "    W = param([8, 8], name=\"W\", init=\"glorot\")\n"
                            "    U = param([2, 8], name=\"U\", init=\"glorot\")\n"
                            "    b = param([8], name=\"b\", init=\"zeros\")\n"
                            "    h = zeros([batch(x), 2])\n"
                            "    c = zeros([batch(x), 2])\n"
                            "    for t in range(3):\n"
                            "        h, c = cell(x[:, t], h, c, W, U, b)\n"
                            "    return dense(h, 10)\n" TRAIN("digits()"));
    expect_status(run("spor show lstm.spor --grad --batch 1"), 0);
    char *gradient = strstr(out, "\nThe gradient tape");
    const char *forward = strstr(out, "\nThe tape, batch 1");
    ck_assert(gradient && forward);
    static const char *const once[] = {
        "  x_2 = reshape(x) ", "  h = ", "  c = ", "  h_2 = ", "  h_3 = ", "  h_4 = ",
        "* cell[1]/c_2 "};
    static const char *const in_each_cell[] = {"  i = pad(", "  f = pad(", "  g = pad(",
                                               "  o = pad(", "  c_2 = ",   " = sigmoid(f) "};
    static const char *const back[] = {"  di = ", "  df = ", "  dg = ", "  do = "};
    expect_in(gradient, "  dW = ");
    expect_in(gradient, "  dU = ");
    expect_in(gradient, "  dh_2 = ");
    ck_assert(!strstr(gradient, "dx_2")); /* no parameter stands before it */
    for (int k = 0; k < 4; k++) ck_assert_int_eq(count_of(gradient, back[k]), 3);
    *gradient = 0;
    for (int k = 0; k < 7; k++) ck_assert_msg(count_of(forward, once[k]) == 1, "%s", once[k]);
    for (int k = 0; k < 6; k++)
        ck_assert_msg(count_of(forward, in_each_cell[k]) == 3, "%s", in_each_cell[k]);
}
END_TEST

/* ---- outputs and what they are for ---- */

#define CROSS_ENTROPY "cross_entropy(reduction=\\\"mean\\\")"
#define SQUARED_ERROR "squared_error(reduction=\\\"mean\\\")"
#define OWN "mse, reduction=\\\"mean\\\""
#define IRIS "csv(\\\"iris.csv\\\", label=\\\"species\\\")"
#define DIABETES "csv(\\\"diabetes.csv\\\", targets=\\\"progression\\\")"

START_TEST(outputs_are_as_many_as_there_are_classes) {
    static const struct {
        const char *net, *data, *loss, *says;
    } wrong[] = {
        {"dense(flatten(x), 9)", "digits()", CROSS_ENTROPY,
         "the network has 9 outputs for 10 classes: its last layer must have 10"},
        {"dense(flatten(x), 11)", "digits()", CROSS_ENTROPY, "has 11 outputs for 10 classes"},
        {"dense(flatten(x), 1)", "digits()", SQUARED_ERROR, "has 1 output for 10 classes"},
        {"dense(x, 1)", IRIS, CROSS_ENTROPY, "has 1 output for 3 classes"},
        {"dense(x, 4)", IRIS, OWN, "has 4 outputs for 3 classes"},
        {"concat([dense(x, 3), x[:, 0:1]], axis=1)", IRIS, "first, reduction=\\\"mean\\\"",
         "t.spor:3:12: the network has 4 outputs for 3 classes: its last layer must have 3.\n"
         "There is no accuracy of what is no [rows, 3 classes]; metric=\"loss\" does without\n"
         "          return concat("},
        {"dense(x, 1)", IRIS, OWN, "has 1 output for 3 classes"}, /* the loss repeats it */
        {"dense(x, 2)", DIABETES, SQUARED_ERROR, "has 2 outputs for 1 target:"},
        {"dense(flatten(x), 60)", "digits()", SQUARED_ERROR ", target=\\\"x\\\"",
         "has 60 outputs for 64 numbers of a sample: its last layer must have 64"},
        {"dense(flatten(x), 64)", "digits()", SQUARED_ERROR ", target=\\\"x\\\"",
         "has 64 outputs for 64 numbers of a sample: let reshape(...) end it"},
        {"x", "digits()", CROSS_ENTROPY, "has 64 outputs for 10 classes"},
        {"sum(x)", "digits()", CROSS_ENTROPY, "the network returns [],"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        expect_status(
            run("cp $M/../tests/data/*.csv .; printf '%%b' 'include \"layers.spor\"\\n"
                "def net(x):\\n    return %s\\ndef mse(a, y): return mean((a - y) * (a - y))\\n"
                "def first(a, y): return mse(a[:, :3], y)\\n' >t.spor;"
                "echo \"train(net, data=%s, loss=%s, optimizer=sgd(rate=0.1), batch=8, epochs=1)\" "
                ">>t.spor; SPOR_DATA=$M/../data spor train t.spor",
                wrong[k].net, wrong[k].data, wrong[k].loss),
            2);
        expect_in(err, wrong[k].says);
        ck_assert(!exists("runs"));
    }
}
END_TEST

/* Where the loss makes a number of it all the same, it is said before it is trained. */
START_TEST(a_loss_that_repeats_a_side_is_warned_of) {
    static const char *const nets[] = {"dense(x, 2)", "sum(dense(x, 2), axis=1)"};
    static const char *const says[] = {"the network has 2 outputs for 1 target",
                                       "t.spor:3:12: warning: the network has 1 output for 1 "
                                       "target: let reshape(...) end it"};
    char script[1024];
    expect_status(run("cp $M/../tests/data/diabetes.csv ."), 0);
    for (int k = 0; k < 4; k++) {
        snprintf(script, sizeof script,
                 "include \"layers.spor\"\ndef net(x):\n    return %s\n"
                 "def mse(a, y):\n    return mean((a - y) * (a - y))\n"
                 "train(net, data=csv(\"diabetes.csv\", targets=\"progression\"), loss=mse,\n"
                 "      reduction=\"mean\", optimizer=sgd(rate=1e-9), batch=32, epochs=1%s)\n",
                 nets[k % 2], k < 2 ? "" : ", metric=\"loss\"");
        write_file("t.spor", script);
        expect_status(run("spor train t.spor"), 0);
        if (k < 2)
            expect_in(err, says[k]);
        else
            ck_assert(!strstr(err, " output"));
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("terminal");
    TCase *tests = tcase_create("terminal");
    tcase_add_checked_fixture(tests, enter_with_layers, leave_folder);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, no_command_hands_on_what_a_terminal_obeys);
    tcase_add_test(tests, the_rest_is_shown_as_it_is);
    tcase_add_test(tests, a_script_prints_once_on_the_standard_error);
    tcase_add_test(tests, the_caret_stands_under_the_word);
    tcase_add_test(tests, long_outputs_keep_their_characters);
    tcase_add_test(tests, a_byte_order_mark_begins_a_text);
    tcase_add_test(tests, what_is_no_script_is_not_shown);
    tcase_add_test(tests, a_dumb_terminal_gets_plain_lines);
    tcase_add_test(tests, verdicts_have_colours);
    tcase_add_test(tests, columns_are_as_wide_as_what_stands_in_them);
    tcase_add_test(tests, values_are_called_as_in_the_script);
    tcase_add_test(tests, outputs_are_as_many_as_there_are_classes);
    tcase_add_test(tests, a_loss_that_repeats_a_side_is_warned_of);
    suite_add_tcase(suite, tests);
    return suite;
}
