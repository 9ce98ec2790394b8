/* spor train: its command line. */
#include "cli/train.h"

#include <signal.h>

const arguments train_nothing_given = {
    .epochs = -1, .rate = -1, .l2 = -1, .checkpoint = -1, .split = -1};

int train_read_arguments(arguments *a, int argc, char **argv) {
    const spor_option options[] = {
        {"epochs", "N", "passes over the training rows; 0: no step (default: the script's)",
         SPOR_OPTION_INTEGER, &a->epochs, 0, NULL},
        {"batch", "N", "rows of a step (default: the script's)", SPOR_OPTION_INTEGER, &a->batch, 1,
         NULL},
        {"rate", "R", "the optimizer's setting rate (default: the script's)", SPOR_OPTION_REAL,
         &a->rate, 0, NULL},
        {"l2", "L", "its setting l2 (default: the script's)", SPOR_OPTION_REAL, &a->l2, 0, NULL},
        {"seed", "N", "of initial values, split and order of the batches (default 0)",
         SPOR_OPTION_INTEGER, &a->seed, 0, NULL},
        {"split", "N", "seed of the split alone: the same rows test and validate in all runs of it",
         SPOR_OPTION_INTEGER, &a->split, 0, NULL},
        {"limit", "N", "train with at most N rows, drawn at random", SPOR_OPTION_INTEGER, &a->limit,
         1, NULL},
        {"set", "NAME=VALUE", "another value for a name of the script; may be repeated",
         SPOR_OPTION_SETTING, &a->settings, 0, NULL},
        {"data", "NAME:FOLDER", "another data set, or its files in a folder: `spor data`",
         SPOR_OPTION_TEXT, &a->data, 0, NULL},
        {"out", "FOLDER", "where the files go (default runs/<network>, or its -2, -3, ...)",
         SPOR_OPTION_TEXT, &a->out, 0, NULL},
        {"weights", "RUN", "begins with the weights of this run's folder, or of a file",
         SPOR_OPTION_TEXT, &a->weights, 0, NULL},
        {"force", NULL, "a run in --out is replaced; one whose script has changed goes on",
         SPOR_OPTION_FLAG, &a->force, 0, NULL},
        {"resume", "FOLDER", "goes on with the run in this folder", SPOR_OPTION_TEXT, &a->resume, 0,
         NULL},
        {"repeat", "FOLDER", "begins the run in this folder once more, in another one",
         SPOR_OPTION_TEXT, &a->repeat, 0, NULL},
        {"test", NULL, "with --resume: tests the run as it stands", SPOR_OPTION_FLAG, &a->test, 0,
         NULL},
        {"no-test", NULL, "the test rows are not looked at; --resume FOLDER --test does that later",
         SPOR_OPTION_FLAG, &a->no_test, 0, NULL},
        {"checkpoint", "S", "seconds between checkpoints at least (default 2)", SPOR_OPTION_REAL,
         &a->checkpoint, 0, NULL},
        {"patience", "N", "ends after N epochs without a lower validation loss; implies --best",
         SPOR_OPTION_INTEGER, &a->patience, 1, NULL},
        {"best", NULL, "tests and leaves the weights of the epoch that validated best",
         SPOR_OPTION_FLAG, &a->best, 0, NULL},
        {"threads", "N", "that run a step; the numbers are the same (default: the cores)",
         SPOR_OPTION_INTEGER, &a->threads, 1, NULL},
        {"double", NULL, "double precision", SPOR_OPTION_FLAG, &a->wide, 0, NULL},
        {"reference", NULL, "reference kernels, no fast paths: the same, slower", SPOR_OPTION_FLAG,
         &a->reference, 0, NULL},
        {"quiet", NULL, "prints two lines: how the weights validate and how they test",
         SPOR_OPTION_FLAG, &a->quiet, 0, NULL},
        {0},
    };
    return options_read(&spor_command_train, options, 0, 1, &a->script, argc, argv);
}

static int run(int argc, char **argv) {
    arguments a = train_nothing_given;
    int status = train_read_arguments(&a, argc, argv);
    if (status != SPOR_EXIT_NOT_YET) return status;
    spor_workpiece piece = {0};
    training t = {.piece = &piece,
                  .given = &a,
                  .folder = {.lock = -1},
                  .here = -1,
                  .argc = argc,
                  .argv = argv};
    signal(SIGPIPE, SIG_IGN); /* a reader that went away ends no training */
    status = SPOR_EXIT_BAD;
    if (a.resume || a.repeat)
        status = train_again(&t, &a);
    else if (!a.script)
        command_fail(&spor_command_train, "SCRIPT is missing, or --resume FOLDER");
    else if (a.test)
        command_fail(&spor_command_train, "--test goes with --resume");
    else if (workpiece_load(&piece, &spor_command_train, a.script, &a.settings) &&
             workpiece_choose_data(&piece, a.data))
        status = train_run(&t);
    train_free(&t);
    workpiece_close(&piece);
    return status;
}

const spor_command spor_command_train = {
    .name = "train",
    .operands = "SCRIPT",
    .summary = "Trains the network of a script and tests it.",
    .help =
        "Derivations of the script are verified first, and give the gradients.\n"
        "The script's train(...) says network, data and hyperparameters; options replace them.\n"
        "Data sets that come with rows to test are tested on these; else 20 % of the rows test. 10 "
        "% of the\n"
        "rest validate, drawn in proportion to the classes.\n"
        "runs/<network>/, or runs/<network>-2/ and so on, receives checkpoint.safetensors, which\n"
        "is the run, and what is made from it: weights.safetensors, history.csv, summary.json,\n"
        "figures, index.html, which has all of it on one page, and script/. ^C stops after the\n"
        "current step, a second one at once; --resume goes on and ends in the same bytes.\n"
        "\n"
        "Examples\n"
        "  spor train models/densenet2_20.spor\n"
        "  spor train models/convnet1_3.spor --epochs 20 --limit 300     a quick try\n"
        "  spor train models/densenet2_20.spor --seed 1 --out runs/seed1\n"
        "  spor train --resume runs/seed1 --epochs 200                   further than it was to "
        "go\n"
        "  spor train --resume runs/seed1 --test                         as it stands\n"
        "  spor train --repeat runs/seed1 --out runs/again               from its beginning\n"
        "  spor train net.spor --weights net.safetensors --epochs 0      a run of these weights as "
        "they are\n"
        "  spor train models/densenet2_20.spor --set hidden=30           a name of the script\n"
        "  spor train models/lenet2.spor --data svhn:downloads           files in this folder\n"
        "  spor train models/convkeras4_20.spor --data fashion_mnist     other data of this form\n"
        "\n"
        "--quiet prints \"validation accuracy 0.9375, loss 0.208833\" and \"test accuracy 0.9611 "
        "(95 %: ...\",\n"
        "with RMSE in the place of accuracy where numbers are predicted, or the loss alone.\n"
        "\n"
        "Data sets are looked for in $SPOR_DATA, beside the script in ../data, in ./data and\n"
        "where spor was built or installed: `spor data` lists them. Layers that a script includes\n"
        "are looked for beside it and in $SPOR_MODELS, else where spor was built or installed.\n",
    .run = run,
};
