#include "agent/reexec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/leave.h"
#include "agent/order.h"
#include "agent/probe.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

enum { WHY_MOST = 400 };

/* Empties `reexec`, whose scout has ended. What it wrote, if anything, goes to `why`. */
static void settle(struct reexec *reexec, char why[WHY_MOST]) {
    siginfo_t info = {0};
    reexec->source = sd_event_source_disable_unref(reexec->source);
    ssize_t size = read(reexec->verdict, why, WHY_MOST - 1);
    why[size > 0 ? size : 0] = '\0';
    waitid(P_PID, (id_t)reexec->scout, &info, WEXITED | WNOHANG);
    if (size <= 0 && (info.si_code != CLD_EXITED || info.si_status != 0))
        snprintf(why, WHY_MOST, "they cannot be tried: the child that was to do so has died");
    close(reexec->verdict);
    close(reexec->end);
    reexec->scout = 0;
}

static int on_scout(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)source;
    (void)fd;
    (void)events;
    struct agent *agent = data;
    char why[WHY_MOST];
    settle(&agent->reexec, why);
    if (*why == '\0') {
        log_notice("going over to the programs on disk");
        leave_begin(agent, AGENT_EXIT_REEXEC);
        return 0;
    }
    log_error("going on with the old programs: %s", why);
    if (agent->reexec.asker)
        peer_error(agent->reexec.asker, agent->reexec.id, HOLDEN_code_FAILED, "reexec", why);
    agent->reexec.asker = NULL;
    return 0;
}

/* A child, since the programs may take their time; it dies with us. */
static int send_scout(struct agent *agent, const char *path) {
    struct reexec *reexec = &agent->reexec;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    _cleanup_close_ int input = ends[0];
    _cleanup_close_ int output = ends[1];
    pid_t pid = fork();
    if (pid == 0) {
        char why[WHY_MOST];
        int r = probe(path, agent->argv, why, sizeof(why));
        _exit(r < 0 && file_write_all(output, why, strlen(why)) < 0 ? 1 : 0);
    }
    int end = pid < 0 ? -1 : pidfd_open(pid, 0);
    int r = end < 0 ? -errno
                    : sd_event_add_io(agent->event, &reexec->source, end, EPOLLIN, on_scout, agent);
    if (r < 0) {
        if (pid > 0)
            kill(pid, SIGKILL), waitpid(pid, NULL, 0);
        cleanup_close(&end);
        return r;
    }
    reexec->scout = pid;
    reexec->end = end;
    reexec->verdict = TAKE_FD(input);
    return 0;
}

int reexec_begin(struct agent *agent, struct peer *peer, uint32_t id, struct failure *failure) {
    const char *path = getenv("HOLDEN_AGENT");
    if (!path)
        return failure_set(failure, HOLDEN_code_FAILED, "reexec",
                           "the keeper has not said where the programs are");
    if (agent->reexec.scout || agent->leave.begun)
        return failure_set(failure, HOLDEN_code_WRONG_STATE, "reexec",
                           "somebody else has asked for it a moment ago");
    int r = send_scout(agent, path);
    if (r < 0)
        return failure_errno(failure, -r, "reexec", "cannot try the programs on disk");
    log_notice("trying the programs on disk, as user %u asked", (unsigned)peer->uid);
    agent->reexec.asker = peer;
    agent->reexec.id = id;
    return 0;
}

void reexec_forget(struct agent *agent, const struct peer *peer) {
    if (agent->reexec.asker == peer)
        agent->reexec.asker = NULL;
}

void reexec_hand_over(struct agent *agent) {
    if (!agent->reexec.asker)
        return;
    order_hand_over(agent->reexec.asker, agent->reexec.id);
    link_send_asker(&agent->link, agent->reexec.asker->connection.fd, agent->reexec.id);
}

void reexec_report(struct agent *agent) {
    const char *asked = getenv("HOLDEN_REEXEC");
    char *why;
    if (!asked || *asked == '\0')
        return;
    uint32_t id = (uint32_t)strtoul(asked, &why, 10);
    struct holden_connection asker;
    struct holden_done done = {0};
    struct holden_error error = {0};
    if (*why++ != ':')
        return;
    HOLDEN_SET(&error, error, code, HOLDEN_code_FAILED);
    HOLDEN_SET(&error, error, step, holden_view("reexec"));
    HOLDEN_SET(&error, error, text, holden_view(why));
    order_reexec(agent, KEEPER_FD_ASKER, why);
    holden_connection_open(&asker, KEEPER_FD_ASKER);
    int r = *why ? holden_connection_put(&asker, HOLDEN_MESSAGE_error, id, &error, NULL, 0)
                 : holden_connection_put(&asker, HOLDEN_MESSAGE_done, id, &done, NULL, 0);
    if (r == 0)
        holden_connection_send(&asker);
    holden_connection_close(&asker);
}
