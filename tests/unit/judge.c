#include "judge.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

static long try_old_call(const struct trial *call) {
    long result = -ENOSYS;
#ifdef __x86_64__
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(call->number), "b"(call->arguments[0]), "c"(call->arguments[1])
                     : "memory", "r8", "r9", "r10", "r11");
    result = (int)result;
#else
    (void)call;
#endif
    return result;
}

static int try_call(const struct trial *call) {
    if (call->old) {
        long r = try_old_call(call);
        return r < 0 ? (int)-r : 0;
    }
    return syscall(call->number, call->arguments[0], call->arguments[1], call->arguments[2],
                   call->arguments[3]) < 0
               ? errno
               : 0;
}

int judge(const struct program *program, struct trial call) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct sock_fprog installed = {0};
        /* Where i386 calls are turned off, one is a fault, and cmocka's handler would take it. */
        signal(SIGSEGV, SIG_DFL);
        if (program)
            installed = (struct sock_fprog){(unsigned short)program->count,
                                           program->instructions};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
            syscall(SYS_exit_group, 250);
        if (program && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &installed) < 0)
            syscall(SYS_exit_group, 251);
        syscall(SYS_exit_group, try_call(&call));
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
