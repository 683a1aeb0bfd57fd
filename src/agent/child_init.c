#include "agent/child_init.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNALLED = 128 };

/* Collects what has ended; ends itself where that is the program. */
static void reap(pid_t program) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == program)
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status));
}

/* What a terminal sends reaches the program by itself: it is of the same process group. */
static _Noreturn void attend(pid_t program, const sigset_t *all) {
    siginfo_t info;
    for (;;) {
        int signal = sigwaitinfo(all, &info);
        reap(program);
        if (signal > 0 && signal != SIGCHLD && info.si_code <= 0)
            kill(program, signal);
    }
}

int child_init(struct child *child) {
    sigset_t all, before;
    if (!(child->plan->namespaces & CLONE_NEWPID))
        return 0;
    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &before) < 0)
        return -1;
    pid_t program = _Fork();
    if (program < 0)
        return -1;
    if (program == 0)
        return sigprocmask(SIG_SETMASK, &before, NULL);
    /* Nothing of what it holds may seem open because of it, least of all the status pipe. */
    if (syscall(SYS_close_range, 0U, ~0U, 0U) < 0)
        kill(program, SIGKILL);
    (void)prctl(PR_SET_NAME, "holden-init");
    attend(program, &all);
}
