/* What only the agent knows of a process, for its commands beside the main one (common/late.h):
 * variables of their environment, and of their command lines. */
#pragma once

#include "agent/process.h"
#include "common/buffer.h"
#include "common/late.h"

struct variables {
    char text[LATE_VARIABLES][64];            /* NAME=VALUE, or empty where it is not set */
    struct holden_view list[LATE_VARIABLES];  /* those that are, views of `text` */
    size_t count;
};

/* A command line with its variables put in. */
struct variables_words {
    struct holden_view *list; /* owned */
    uint32_t count;
    struct buffer text;       /* what some of them are views of */
};

/* Fills in what is known by now: the pid while the main process is there, and from its end on how
 * it ended. */
void variables_fill(struct variables *variables, const struct process *process);

/* Puts them into the arguments that name one (exec->late). The other words are views of what
 * `exec` is of. 0 with *words, to be freed; -EINVAL where none is left; -ENOMEM. */
int variables_expand(const struct variables *variables, const struct holden_exec *exec,
                     struct variables_words *words);

/* Releases it. */
void variables_free_words(struct variables_words *words);
