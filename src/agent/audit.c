/* Nothing is read until somebody was ended by SIGSYS: the socket's own buffer keeps the messages,
 * and an agent at rest is not woken by other programs' audit. */
#include "agent/audit.h"

#include <errno.h>
#include <endian.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Lets only AUDIT_SECCOMP messages into the socket's buffer: it is read seldom, and would otherwise
 * be full of everything else. A classic filter loads in network order, so the type is swapped. */
static int only_seccomp(int fd) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htobe16(AUDIT_SECCOMP), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {ARRAY_SIZE(code), code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

void audit_open(struct audit *audit) {
    *audit = (struct audit){
        .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT)};
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = AUDIT_NLGRP_READLOG};
    if (audit->fd >= 0 && (only_seccomp(audit->fd) < 0 ||
                           bind(audit->fd, (struct sockaddr *)&address, sizeof(address)) < 0))
        audit_close(audit);
}

void audit_close(struct audit *audit) {
    if (audit->fd >= 0)
        close(audit->fd);
    audit->fd = -1;
}

/* "… pid=123 comm=… sig=31 arch=… syscall=63 …": keys are looked for with a space before them,
 * since "ppid" and quoted commands may hold the same letters. */
static void keep(struct audit *audit, const char *text) {
    const char *pid = strstr(text, " pid=");
    const char *signal = strstr(text, " sig=");
    const char *call = signal ? strstr(signal, " syscall=") : NULL;
    if (!pid || !call)
        return;
    audit->ring[audit->next++ % AUDIT_KEPT] =
        (struct audit_call){(pid_t)strtol(pid + 5, NULL, 10), (int)strtol(call + 9, NULL, 10)};
}

static void drain(struct audit *audit) {
    union {
        struct nlmsghdr header;
        char bytes[8192 + 1];
    } buffer;
    ssize_t size;
    while ((size = recv(audit->fd, buffer.bytes, sizeof(buffer.bytes) - 1, MSG_DONTWAIT)) > 0) {
        if ((size_t)size <= sizeof(struct nlmsghdr) || buffer.header.nlmsg_type != AUDIT_SECCOMP)
            continue;
        buffer.bytes[size] = '\0';
        keep(audit, buffer.bytes + NLMSG_HDRLEN);
    }
}

int audit_call_of(struct audit *audit, pid_t pid) {
    if (audit->fd < 0)
        return -1;
    drain(audit);
    /* The newest first: a pid may have been somebody else's before. */
    for (unsigned i = 1; i <= AUDIT_KEPT; i++) {
        struct audit_call *call = &audit->ring[(audit->next - i) % AUDIT_KEPT];
        if (call->pid == pid && pid > 0) {
            call->pid = 0;
            return call->call;
        }
    }
    return -1;
}
