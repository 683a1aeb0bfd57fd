/* A tiny process, forked early and holding nothing, that starts programs for a larger one: it gets
 * a flat plan and the cgroup's descriptor over a socket, and hands back a pidfd. It is the model of
 * the keeper, as far as the cost of a start goes. */
#pragma once

#include "launch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct helper {
    int fd;
    pid_t pid;
};

/* Forks the helper. With `push` it reports each end by itself, told by SIGCHLD; without, it is
 * asked. 0, and `*helper` is to be closed with helper_close(); or -errno. */
int helper_open(bool push, struct helper *helper);

/* Ends and collects the helper. A closed one (fd -1) is fine too. */
void helper_close(struct helper *helper);

/* Sends `plan`, packed into about 1 KB, and its cgroup. 0, -E2BIG when it does not fit, or
 * another -errno. */
int helper_send_start(const struct helper *helper, const struct launch_plan *plan);

/* Receives the answer to helper_send_start(). 0, and the caller owns child->pidfd; or -errno, the
 * helper's own failure included. */
int helper_receive_started(const struct helper *helper, struct launch_child *child);

/* Asks for the end of the helper's child `pid`, already dead, and receives it. 0 or -errno. */
int helper_ask_end(const struct helper *helper, pid_t pid, struct launch_end *end);

/* Receives the next end that a helper with `push` reports. 0 or -errno. */
int helper_receive_end(const struct helper *helper, struct launch_end *end);

/* Has the helper do the whole start by itself, exit seen, and receives how long that took for it:
 * the cost without any message. 0 or -errno. */
int helper_time_start(const struct helper *helper, const struct launch_plan *plan, uint64_t *ns);

/* Makes the helper the parent of `count` sleepers in `cgroup_fd`; see crowd_sleepers_start(). */
int helper_crowd(const struct helper *helper, size_t count, int cgroup_fd);

/* Has the helper collect its sleepers, which the caller has killed. 0 or -errno. */
int helper_disperse(const struct helper *helper);
