#include "monitor/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/cleanup.h"

/* SIGWINCH too: its handler in ncurses would only be in the way. */
int signals_open(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        sigaddset(&set, numbers[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

bool signals_read(int fd, bool *resized) {
    struct signalfd_siginfo info;
    bool ends = false;
    *resized = false;
    while (read(fd, &info, sizeof(info)) == sizeof(info))
        if (info.ssi_signo == SIGWINCH)
            *resized = true;
        else
            ends = true;
    return ends;
}
