/* What processes say of themselves by sd_notify(3), on a socket that the keeper holds: what is said
 * while there is no agent waits for the next one. notice.h takes it apart, statement.h acts on it.
 */
#pragma once

#include <systemd/sd-event.h>

struct agent;
struct process;

struct notices {
    int fd; /* KEEPER_FD_NOTIFY or what took its place, or -1 where the keeper has none */
    sd_event_source *io;
    char path[108]; /* what NOTIFY_SOCKET= is to say */
};

/* Takes over the socket, which is beside `socket`, the one for clients. Before any process is
 * launched. 0; -ENOTSOCK where the keeper has passed none; -errno. */
int notices_open(struct notices *notices, const char *socket);

/* Reads what is in it, for a recovery, once every process is known again: before the keeper goes on
 * to reap orphans, since who has said something and ended is found by its cgroup only as long as it
 * is not reaped. */
void notices_hear(struct agent *agent);

/* The same where the process is one that may have said something, and its main one has ended: the
 * last that it said may name another. */
void notices_hear_last(struct process *process);

/* Begins to read it, once every process is known again. 0 or -errno. */
int notices_start(struct notices *notices, struct agent *agent);
void notices_stop(struct notices *notices);

/* Goes over to a new socket, whose file is in the place of the old one; what is in that is read
 * first. Takes over `fd`. */
void notices_replace(struct notices *notices, struct agent *agent, int fd);
