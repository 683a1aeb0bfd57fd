/* A client that means harm: a process of another user that does one thing to the agent all the
 * time. */
#pragma once

#include <sched.h>
#include <sys/types.h>

enum { ASSAILANT_UID = 65534, ASSAILANT_GID = 65534 }; /* nobody, nogroup */

enum assailant_way {
    ASSAILANT_CONNECTS, /* connects and goes, without end */
    ASSAILANT_HALVES,   /* sends the half of a frame on each of its connections, and waits */
    ASSAILANT_FLOODS,   /* sends valid requests as fast as they are taken, and reads the answers */
    ASSAILANT_IGNORES,  /* the same, and reads none */
    ASSAILANT_ANNOUNCES, /* announces a frame of 2 GiB, and goes on sending */
    ASSAILANT_WAYS,
};

/* What it does, in words. */
const char *assailant_what(enum assailant_way way);

/* Starts one, as ASSAILANT_UID, that attacks the agent behind `socket` from the processors `where`
 * (sched_setaffinity(2)) until it is ended. 0 and its pid in *pid, for assailant_end(); or
 * -errno. */
int assailant_start(enum assailant_way way, const char *socket, const cpu_set_t *where,
                    pid_t *pid);

/* Kills and collects it. 0; -EPROTO where it had ended by itself: it did no harm then. */
int assailant_end(pid_t pid);
