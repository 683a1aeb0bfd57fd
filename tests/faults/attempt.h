/* One attempt: an agent, a path, and what is done to one call of it. */
#pragma once

#include "paths.h"
#include "subject.h"

struct attempt {
    struct subject *subject;
    struct buffer usual;   /* what subject_look() sees of an agent that has nothing to do */
    bool running;          /* there is an agent, */
    unsigned life;         /* which has gone through so many attempts, */
    size_t memory;         /* and held so much after the first few */
    bool hit;              /* the call was reached */
};

/* Goes through the path with `target` (NULL: nothing fails) and judges: clients that were told, in
 * one line, or had what they asked for; processes that are still known; nothing left; a next start
 * and stop. `fresh`: with an agent that has done nothing yet. False after a line for each fault. */
bool attempt_make(struct attempt *attempt, const struct path *path, const struct target *target,
                  bool fresh, struct buffer *said);

/* Ends the agent of the last attempts. */
bool attempt_end(struct attempt *attempt, struct buffer *said);
