/* Users that DynamicUser= makes up (systemd.exec(5)): numbers from the range that systemd has for
 * them, each locked as systemd locks it, so that neither it nor another agent uses the same one. */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

#include "daemon/failure.h"
#include "protocol/dynamic_user.h"

/* The range, and where there is a file NUMBER for each that is in use, under a lock of flock(2). */
#define DYNAMIC_USER_LOCKS "/run/systemd/dynamic-uid"
enum { DYNAMIC_USER_FIRST = 61184, DYNAMIC_USER_LAST = 65519 };

struct process;

/* One that is in use: by several processes of this agent where they have the same name for it. */
struct dynamic_user {
    LIST_ENTRY(dynamic_user) of_agent;
    char name[HOLDEN_USER_NAME_MOST + 1];
    uid_t uid;
    int lock;      /* owned: of its file; -1 where somebody else has it (after a recovery) */
    unsigned uses;
};

struct dynamic_users {
    LIST_HEAD(, dynamic_user) all;
    const char *locks; /* DYNAMIC_USER_LOCKS, or what a test has in its place; NULL: the former */
};

/* Writes the user's name: that of User=, else the process's; where that is no name of a user, one
 * made from it. */
void dynamic_user_name(const struct process *process, const struct holden_properties *properties,
                       char name[HOLDEN_USER_NAME_MOST + 1]);

/* Checks User= and DynamicUser= together. 0; or refused with *failure. */
int dynamic_user_check(const struct holden_properties *properties, struct failure *failure);

/* Gives a process that is about to be launched its user, with *uid, if it has none from an earlier
 * launch: the one that another living process has under the same name, the one that it had before
 * (process->user), or one that a hash of the name leads to. A number is free where nobody has
 * locked it, and no process here runs as it. 0; or refused with *failure: all are taken, none can
 * be locked. To be released. */
int dynamic_user_take(struct process *process, const struct holden_properties *properties,
                      uid_t *uid, struct failure *failure);

/* The same for a process that was found, with process->user. What cannot be locked is told of in
 * the log: it goes on with its user. */
void dynamic_user_recover(struct process *process, const struct holden_properties *properties);

/* Nothing of the process is left: its user is free again, unless others have it too. */
void dynamic_user_release(struct process *process);

/* The same, but the file stays: the process goes on without this agent. */
void dynamic_user_leave(struct process *process);
