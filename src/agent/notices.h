/* What processes say of themselves by sd_notify(3), on a socket that the keeper holds: what is said
 * while there is no agent waits for the next one. Of all of it READY=1 means something so far. */
#pragma once

#include <systemd/sd-event.h>

struct agent;

struct notices {
    int fd; /* KEEPER_FD_NOTIFY, or -1 where the keeper has none */
    sd_event_source *io;
    char path[108]; /* what NOTIFY_SOCKET= is to say */
};

/* Finds the socket, which is beside `socket`, the one for clients. Before any process is launched.
 */
void notices_open(struct notices *notices, const char *socket);

/* Begins to read it, once every process is known again. 0 or -errno. */
int notices_start(struct notices *notices, struct agent *agent);
void notices_stop(struct notices *notices);
