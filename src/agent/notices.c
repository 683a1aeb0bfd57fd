#include "agent/notices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "agent/launch.h"
#include "agent/place.h"
#include "agent/readiness.h"
#include "agent/statement.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

/* The second is more than a socket holds (net.unix.max_dgram_qlen), unless somebody goes
 * on and on. */
enum { AT_ONCE = 64, HEAR_MOST = 4096 };

int notices_open(struct notices *notices, const char *socket) {
    *notices = (struct notices){.fd = -1};
    int r = file_inherit_socket(KEEPER_FD_NOTIFY, SOCK_DGRAM);
    if (r < 0)
        return r;
    snprintf(notices->path, sizeof(notices->path), "%s.notify", socket);
    notices->fd = KEEPER_FD_NOTIFY;
    return 0;
}

/* The process whose cgroup, or one below it, holds that pid; or NULL. */
static struct process *find(struct agent *agent, pid_t pid) {
    char path[32], text[8192];
    const struct hierarchy *hierarchy = &agent->hierarchy;
    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    if (!hierarchy->mount || file_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
        return NULL;
    const char *own = hierarchy->path + strlen(hierarchy->mount);
    const char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    line = line ? strchr(line, '/') : NULL;
    if (!line || strncmp(line, own, strlen(own)) != 0 || line[strlen(own)] != '/')
        return NULL;
    return place_find(agent, line + strlen(own) + 1);
}

/* Who it is from; 0 where the kernel does not say. */
static pid_t sender(struct msghdr *message) {
    struct ucred peer;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at))
        if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&peer, CMSG_DATA(at), sizeof(peer));
            return peer.pid;
        }
    return 0;
}

/* It stays in the socket until what it means is written down. Descriptors that come along, as those
 * of sd_notify_barrier(3), are closed by the kernel when it is taken out. False: nothing is there.
 */
static bool take(struct agent *agent) {
    char text[NOTICE_MOST + 1];
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {text, NOTICE_MOST};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space,
                             .msg_controllen = sizeof(control.space)};
    ssize_t size = recvmsg(agent->notices.fd, &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0)
        return false;
    text[size] = '\0';
    pid_t pid = sender(&message);
    struct notice notice;
    struct process *process = pid > 0 ? find(agent, pid) : NULL;
    if (process && message.msg_flags & MSG_TRUNC)
        notice = (struct notice){.error = -1, .fault = "it is longer than 4096 bytes"};
    else if (process && !notice_parse(text, (size_t)size, &notice))
        notice.fault = "it holds a zero byte";
    if (process)
        statement_hear(process, pid, &notice);
    recv(agent->notices.fd, text, 0, MSG_DONTWAIT | MSG_TRUNC);
    return true;
}

static int on_notice(sd_event_source *source, int fd, uint32_t events, void *data) {
    (void)source;
    (void)fd;
    (void)events;
    for (unsigned i = 0; i < AT_ONCE && take(data); i++)
        ;
    return 0;
}

void notices_hear(struct agent *agent) {
    for (unsigned i = 0; i < HEAR_MOST && agent->notices.fd >= 0 && take(agent); i++)
        ;
}

void notices_hear_last(struct process *process) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    if (!readiness_listens(&properties))
        return;
    launch_settle(process);
    notices_hear(process->agent);
}

int notices_start(struct notices *notices, struct agent *agent) {
    if (notices->fd < 0)
        return 0;
    int r = sd_event_add_io(agent->event, &notices->io, notices->fd, EPOLLIN, on_notice, agent);
    /* What it is about, that the process runs, is to be known first. */
    return r < 0 ? r : sd_event_source_set_priority(notices->io, SD_EVENT_PRIORITY_NORMAL + 1);
}

void notices_stop(struct notices *notices) {
    notices->io = sd_event_source_disable_unref(notices->io);
}

void notices_replace(struct notices *notices, struct agent *agent, int fd) {
    notices_hear(agent);
    notices_stop(notices);
    cleanup_close(&notices->fd);
    notices->fd = fd;
    int r = notices_start(notices, agent);
    if (r == 0)
        r = link_send_request(&agent->link, KEEPER_NOTIFY_TAKEN, 0, 0);
    if (r < 0)
        log_error("cannot hear what processes of Type=notify say: %s", strerror(-r));
}
