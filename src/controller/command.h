/* One command line taken apart, and the table of verbs that says how. */
#pragma once

#include "controller/options.h"
#include "controller/output.h"
#include "controller/status.h"

enum verb_shape { VERB_ORDINARY, VERB_COMMAND, VERB_FOREIGN };

struct command;

struct verb {
    const char *name;
    const char *words;   /* its arguments, for the help */
    const char *doc;
    int least, most;     /* how many arguments; most -1: any number */
    uint64_t options;    /* set of options beside the global ones */
    enum verb_shape shape;
    /* Does it and returns the exit status; what is wrong has been said by then. */
    int (*run)(struct command *command);
};

struct command {
    const struct verb *verb;
    struct options options;
    char **arguments;      /* those after the verb that are no options; owned, the texts are not */
    int count;
    struct output output;
};

#define VERB(name, words, least, most, options, shape, doc)                                        \
    int verb_##name(struct command *command);
#include "controller/verbs.def"

/* The table; *count is its length. Static. */
const struct verb *verbs(size_t *count);

/* The verb of that name, or NULL after a line on stderr that suggests the nearest. */
const struct verb *verb_find(const char *name);

/* Takes the arguments after the verb apart: words[0] is the verb. STATUS_DONE, or STATUS_USAGE
 * after a line on stderr. Released by command_free(). */
int command_parse(struct command *command, int count, char **words);
void command_free(struct command *command);

/* Refuses an argument that can be neither a name nor a pid, and says the rule. STATUS_DONE or
 * STATUS_USAGE. */
int command_check_target(const char *target);

/* Whether an argument is meant as the name of a slice: it ends as such names do. */
bool command_is_slice(const char *target);

/* The same for verbs that take the name of a slice too. */
int command_check_target_or_slice(const char *target);
