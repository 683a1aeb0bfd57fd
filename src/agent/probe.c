#include "agent/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

enum { ARGUMENTS_MOST = 64, ANSWER_MOST = 256 };

/* What the program says when it could start. */
static const char answer[] = "agent-core ";

static _Noreturn void become(const char *path, char *const *argv, int output) {
    char *arguments[ARGUMENTS_MOST];
    sigset_t none;
    size_t count = 0;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    for (; count < ARGUMENTS_MOST - 2 && argv[count]; count++)
        arguments[count] = argv[count];
    arguments[count] = (char[]){"--probe"};
    arguments[count + 1] = NULL;
    execv(path, arguments);
    dprintf(STDERR_FILENO, "%s\n", strerror(errno));
    _exit(127);
}

static int remaining(const struct timespec *start) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long past = (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
    return past < PROBE_LIMIT ? PROBE_LIMIT - (int)past : 0;
}

/* Reads what it says until it has ended, or the time is over: then it is killed. */
static bool listen_to(pid_t pid, int input, char said[ANSWER_MOST]) {
    struct timespec start;
    size_t used = 0;
    _cleanup_close_ int end = (int)syscall(SYS_pidfd_open, pid, 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct pollfd polled[] = {{.fd = end, .events = POLLIN}, {.fd = input, .events = POLLIN}};
    while (end >= 0 && !polled[0].revents) {
        int left = remaining(&start);
        if (left == 0 || (poll(polled, ARRAY_SIZE(polled), left) < 0 && errno != EINTR))
            break;
        char rest[ANSWER_MOST];
        bool room = used < ANSWER_MOST - 1;
        ssize_t size = read(input, room ? said + used : rest,
                            room ? ANSWER_MOST - 1 - used : sizeof(rest));
        if (size > 0 && room)
            used += (size_t)size;
        else if (size == 0)
            polled[1].fd = -1;
    }
    said[used] = '\0';
    if (end >= 0 && polled[0].revents)
        return true;
    kill(pid, SIGKILL);
    return false;
}

/* What is not the answer, in one line. */
static int judge(const char *path, int status, char *said, char *why, size_t space) {
    bool whole = strncmp(said, answer, sizeof(answer) - 1) == 0;
    if (whole && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    said[strcspn(said, "\n")] = '\0';
    if (WIFSIGNALED(status))
        snprintf(why, space, "%s was killed by SIG%s when tried", path,
                 sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == 0)
        snprintf(why, space, "%s is no agent: it ended and did not say so", path);
    else
        snprintf(why, space, "%s cannot start: %s (status %d)", path,
                 *said ? said : "it did not say why", WEXITSTATUS(status));
    return -ENOEXEC;
}

int probe(const char *path, char *const *argv, char *why, size_t space) {
    int ends[2], status;
    char said[ANSWER_MOST];
    snprintf(why, space, "%s cannot be tried: %s", path, strerror(ENOMEM));
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    _cleanup_close_ int input = ends[0];
    pid_t pid = fork();
    if (pid == 0)
        become(path, argv, ends[1]);
    close(ends[1]);
    if (pid < 0)
        return -errno;
    bool ended = listen_to(pid, input, said);
    if (waitpid(pid, &status, 0) < 0)
        return -errno;
    if (ended)
        return judge(path, status, said, why, space);
    snprintf(why, space, "%s did not answer within %d s when tried", path, PROBE_LIMIT / 1000);
    return -ETIMEDOUT;
}
