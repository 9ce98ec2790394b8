/*
 * Where models and data are.
 */
#ifndef SPOR_RUN_PLACES_H
#define SPOR_RUN_PLACES_H

#include "data/sets.h"

/** The folder of layers.spor and the networks, where they are not beside a script. */
const char *places_models(void);

/** The data set of a name; NULL with a message. */
const data_set *places_set(const char *name, spor_message *message);

/**
 * Finds all files of a data set in one folder: that of --data, or of $SPOR_DATA, beside the script,
 * in ./data, where an uninstalled program's source is, where spor was installed, in a package's
 * folder. The script or the folder may be NULL. False with a message that says which files there are,
 * how to get them and where to put them.
 */
bool places_find(const data_set *set, const char *script, const char *folder,
                 char *path[DATA_FILES], spor_message *message);

/** The path of a file that a script names, to be freed: beside the script, in $SPOR_DATA, or from here. False
 *  with a message that says where there is none. */
bool places_file(const char *name, const char *script, char **path, spor_message *message);

#endif
