/* An agent on a stage: everything of it is real but the keeper, whose part the test plays, and the
 * cgroup that it divides, which is a plain directory. All assert by themselves. */
#pragma once

#include "agent/agent.h"
#include "guest.h"
#include "scratch.h"

struct stage {
    struct scratch scratch; /* with state/, cgroup/ and the socket in it */
    struct agent *agent;
    char socket[64];
    int keeper;           /* the keeper's end of the channel */
    unsigned descriptors; /* open before */
};

/* Takes descriptors 3 to 5, where the keeper puts its own, out of reach of whoever opens one later.
 */
void stage_reserve(void);

/* Opens the agent. First thing in a test, since descriptors 3 to 5 are where the keeper puts its
 * own. */
void stage_open(struct stage *stage);

/* Closes it, and asserts that no descriptor is left open. */
void stage_close(struct stage *stage);

/* A client of user `uid`. */
void stage_guest(struct stage *stage, struct guest *guest, uid_t uid);

/* A process of that name in that state, as if `command` had been started by `owner`; without pid,
 * pidfd and cgroup. */
struct process *stage_process(struct stage *stage, const char *name, uint32_t state, uid_t owner);

/* Makes `properties` what the process was started with. */
void stage_settings(struct process *process, const struct holden_properties *properties);

/* What the agent has sent to the keeper. */
struct packet {
    union {
        struct plan plan;
        struct keeper_request request;
        struct keeper_adoption adoption;
        uint8_t bytes[KEEPER_PACKET_MAX];
    };
    size_t size;
    int fds[PLAN_FDS_MAX]; /* owned */
    size_t count;
};

/* Takes the next packet off the channel. False: there is none. */
bool stage_packet(struct stage *stage, struct packet *packet);
void packet_close(struct packet *packet);

/* The next packet must be a request of that kind about that pid. Its token. */
uint64_t stage_asked(struct stage *stage, uint32_t kind, pid_t pid);

/* Answers as the keeper; `fd` (-1: none) stays the caller's. The loop is turned. */
void stage_answer(struct stage *stage, const struct keeper_reply *reply, int fd);

/* Plays the keeper for the plan in `packet`, which is closed: a child that does nothing but wait
 * for signals is past exec. Its pid. */
pid_t stage_spawn(struct stage *stage, struct packet *packet);

/* The same, but the child is still on its way into its program, which its report names last. */
pid_t stage_spawn_stuck(struct stage *stage, struct packet *packet);

/* Plays the keeper for the end of that child, which has to come: tells its status and reaps it when
 * the agent says so. */
void stage_reap(struct stage *stage, pid_t pid);

/* The keeper's answer to the next KEEPER_ADOPT, there before it is asked for, since recovery waits
 * for it: bit i of `children` for the i-th pid. */
void stage_will_adopt(struct stage *stage, uint64_t children);

/* The agent has asked about this one pid by KEEPER_ADOPT. */
void stage_asked_adoption(struct stage *stage, pid_t pid);

/* A child that does nothing but wait for signals. Its pid. */
pid_t stage_sleeper(void);

/* The process of that name, which must be there. */
struct process *stage_named(const struct stage *stage, const char *name);

/* Plays the keeper for the end of `child`, which has to come, of the process "web"; what was asked
 * before is passed over. The process. */
struct process *stage_ends(struct stage *stage, pid_t child);
