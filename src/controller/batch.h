/* One request for each NAME of a command line, many in flight over one connection. What fails is
 * said and does not keep the others from being done. */
#pragma once

#include "controller/command.h"
#include "controller/session.h"

struct batch {
    const char *action;  /* "stop", for "cannot stop NAME: …" */
    uint16_t answer;     /* message that means success */
    bool slices;         /* slices can be named too */
    /* Sends the request for one name. STATUS_DONE, or what went wrong, said. */
    int (*ask)(struct session *session, const struct options *options, const char *name);
    /* Reports a success; returns what counts as its exit status. */
    int (*report)(struct command *command, const char *name, const struct holden_reply *reply);
};

/* Runs it over all arguments. The first exit status, in the order of the arguments, that is not 0.
 * */
int batch_run(struct command *command, const struct batch *batch);
