#include "launch.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct clone_args clone_args_for(unsigned long long flags, int cgroup_fd, int *pidfd) {
    struct clone_args args = {
        .flags = flags | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
    };
    if (cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup_fd;
    }
    return args;
}

int launch_copy(const struct launch_plan *plan, struct launch_child *child) {
    int pidfd = -1;
    struct clone_args args = clone_args_for(0, plan->cgroup_fd, &pidfd);
    long pid = syscall(SYS_clone3, &args, sizeof(args));
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        execve(plan->program, plan->argv, plan->envp);
        _exit(LAUNCH_EXEC_FAILED);
    }
    *child = (struct launch_child){.pid = (pid_t)pid, .pidfd = pidfd};
    return 0;
}

#ifdef __x86_64__

long launch_raw(long number, long first, long second, long third) {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}

/* The child cannot come back through this function: its stack has no frame to return to. So the
 * call happens here, before the compiler's code goes on. */
static long clone_into(const struct clone_args *args, void (*entry)(const void *),
                       const void *argument) {
    long result;
    register void (*entry_register)(const void *) __asm__("r8") = entry;
    register const void *argument_register __asm__("r9") = argument;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r9, %%rdi\n\t"
                     "call *%%r8\n\t"
                     "ud2\n\t"
                     "1:"
                     : "=a"(result)
                     : "a"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)), "r"(entry_register),
                       "r"(argument_register)
                     : "rcx", "r11", "cc", "memory");
    return result;
}

#else

long launch_raw(long number, long first, long second, long third) {
    (void)number, (void)first, (void)second, (void)third;
    return -ENOSYS;
}

static long clone_into(const struct clone_args *args, void (*entry)(const void *),
                       const void *argument) {
    (void)args, (void)entry, (void)argument;
    return -ENOSYS;
}

#endif

_Noreturn void launch_raw_exit(int status) {
    for (;;)
        launch_raw(SYS_exit_group, status, 0, 0);
}

static void exec_plan(const void *argument) {
    const struct launch_plan *plan = argument;
    launch_raw(SYS_execve, (long)plan->program, (long)plan->argv, (long)plan->envp);
    launch_raw_exit(LAUNCH_EXEC_FAILED);
}

int launch_entry(unsigned long long flags, int cgroup_fd, void (*entry)(const void *),
                 const void *argument, void *stack, struct launch_child *child) {
    int pidfd = -1;
    struct clone_args args = clone_args_for(CLONE_VM | flags, cgroup_fd, &pidfd);
    args.stack = (uint64_t)(uintptr_t)stack;
    args.stack_size = LAUNCH_STACK_SIZE;
    long pid = clone_into(&args, entry, argument);
    if (pid < 0)
        return (int)pid;
    *child = (struct launch_child){.pid = (pid_t)pid, .pidfd = pidfd};
    return 0;
}

int launch_share(const struct launch_plan *plan, void *stack, struct launch_child *child) {
    return launch_entry(0, plan->cgroup_fd, exec_plan, plan, stack, child);
}

int launch_vfork(const struct launch_plan *plan, void *stack, struct launch_child *child) {
    return launch_entry(CLONE_VFORK, plan->cgroup_fd, exec_plan, plan, stack, child);
}

int launch_poll(int pidfd) {
    struct pollfd entry = {.fd = pidfd, .events = POLLIN};
    while (poll(&entry, 1, -1) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

int launch_reap(int pidfd, struct launch_end *end) {
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
        return -errno;
    *end = (struct launch_end){.code = info.si_code, .status = info.si_status};
    return 0;
}

int launch_judge(const struct launch_end *end) {
    if (end->code == CLD_EXITED && end->status == 0)
        return 0;
    return end->code == CLD_EXITED && end->status == LAUNCH_EXEC_FAILED ? -ENOEXEC : -EPROTO;
}

int launch_finish(struct launch_child *child) {
    struct launch_end end = {0};
    int r = launch_poll(child->pidfd);
    if (r == 0)
        r = launch_reap(child->pidfd, &end);
    close(child->pidfd);
    child->pidfd = -1;
    return r < 0 ? r : launch_judge(&end);
}
