/* A confined start through the agent, over an open connection: three limits, a capability set, a
 * filter of sixty system calls; until its end is told. */
#pragma once

#include "protocol/client.h"

#include <stdbool.h>

enum { CONFINED_CALLS = 60 };

/* What is asked of the agent, prepared once and encoded anew for each start. */
struct confined {
    struct holden_client *client;
    struct holden_view program[1];
    struct holden_view calls[CONFINED_CALLS];
    struct holden_names filter;
    struct holden_names capabilities;
    struct holden_nested filter_list[1];
    struct holden_nested capability_list[1];
    struct holden_properties properties;
    struct holden_start start;
};

/* Prepares starts of `program` (borrowed) over `client`; with `limits` the three limits are asked
 * for, with `confine` filter and capabilities. *confined must not move afterwards. */
void confined_init(struct confined *confined, struct holden_client *client, const char *program,
                   bool limits, bool confine);

/* Starts it and waits until `exited` is there. 0; -EPROTO where it did not exit with 0 or was
 * refused, after a line on stderr; or -errno. */
int confined_start(struct confined *confined);

/* Queues and sends a start without waiting for its end. 0 or -errno. */
int confined_begin(struct confined *confined);

/* Takes the answer to one confined_begin(). 0, -EPROTO, or -errno. */
int confined_begun(struct confined *confined);

/* Starts it `count` times, up to `at_once` starts under way, so that agent and kernel work side by
 * side; the ends are not waited for. 0; -EINTR after a signal to `signals`; or as
 * confined_begun(). */
int confined_begin_all(struct confined *confined, size_t count, size_t at_once, int signals);

/* Starts it `count` times until every end is there, up to `at_once` under way at a time. 0, or as
 * confined_start(). */
int confined_start_many(struct confined *confined, size_t count, size_t at_once);

/* The names of the filter's calls, CONFINED_CALLS of them, static. */
const char *const *confined_calls(void);
