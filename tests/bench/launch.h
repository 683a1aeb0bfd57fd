/* Three ways to start a program, straight on the kernel: as a copy of the caller, and in the
 * caller's own memory with or without the caller waiting for exec. See clone(2). */
#pragma once

#include <sys/types.h>

struct launch_plan {
    const char *program;
    char *const *argv;
    char *const *envp;
    int cgroup_fd; /* the child is born in it; -1: in the caller's cgroup */
};

struct launch_child {
    pid_t pid;
    int pidfd; /* close-on-exec, owned by whoever started the child */
};

/* What ended a child: si_code and si_status of waitid(2). */
struct launch_end {
    int code;
    int status;
};

enum { LAUNCH_STACK_SIZE = 65536, LAUNCH_EXEC_FAILED = 127 };

/* clone3(2) without CLONE_VM: the child gets a copy of the caller's page tables. A child that
 * cannot exec ends with LAUNCH_EXEC_FAILED. 0 or -errno. */
int launch_copy(const struct launch_plan *plan, struct launch_child *child);

/* clone3(2) with CLONE_VM: the child runs in the caller's memory, on `stack` of LAUNCH_STACK_SIZE
 * bytes, which has to stay untouched until the child has exec'ed or ended. 0 or -errno; -ENOSYS on
 * an architecture for which the entry is not written. */
int launch_share(const struct launch_plan *plan, void *stack, struct launch_child *child);

/* The same with CLONE_VFORK: comes back only when the child has exec'ed or ended. */
int launch_vfork(const struct launch_plan *plan, void *stack, struct launch_child *child);

/* Runs entry(argument) in a child that shares the caller's memory, on `stack` as above, in the
 * caller's cgroup for cgroup_fd -1. `flags` is 0 or CLONE_VFORK. entry must make raw system calls
 * only and end with launch_raw_exit(). 0 or -errno, as launch_share(). */
int launch_entry(unsigned long long flags, int cgroup_fd, void (*entry)(const void *),
                 const void *argument, void *stack, struct launch_child *child);

/* A system call that leaves errno, which a child with CLONE_VM shares, alone. Result or -errno. */
long launch_raw(long number, long first, long second, long third);

/* Ends the calling process without running anything of libc's. */
_Noreturn void launch_raw_exit(int status);

/* Waits until the process of `pidfd` (any process, not only a child) has ended. 0 or -errno. */
int launch_poll(int pidfd);

/* Collects the caller's own ended child and fills `*end`. Does not close the pidfd. 0 or -errno. */
int launch_reap(int pidfd, struct launch_end *end);

/* launch_poll() and launch_reap(), closes the pidfd, and insists on an exit status of 0: -ENOEXEC
 * for LAUNCH_EXEC_FAILED, -EPROTO for any other end. */
int launch_finish(struct launch_child *child);

/* Judges an end as launch_finish() does. 0, -ENOEXEC or -EPROTO. */
int launch_judge(const struct launch_end *end);
