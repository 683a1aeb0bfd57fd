#include "agent/detached.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int detached_fork(const char *name) {
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid > 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        return 1;
    }
    if (fork() != 0)
        _exit(0);
    prctl(PR_SET_NAME, name);
    return 0;
}
