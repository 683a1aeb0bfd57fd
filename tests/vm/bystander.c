/* Processes that have nothing to do with Holden, and say so when a signal reaches them.
 *
 *   bystander COUNT MILLISECONDS FILE
 *
 * Keeps COUNT processes alive, each of which stands by for some time up to that and is followed by
 * another, so that whatever pid becomes free is soon one of theirs. Each blocks every signal and
 * waits for one; the parent sees those that cannot be blocked. FILE always holds one line, "N born,
 * N hurt": how many there were so far, and how many got a signal, were stopped or killed; each of
 * those is a line on stderr. Goes on until its standard input ends, whoever held that; then waits
 * for all of them. Exit status: 0 if nobody was hurt, 1 otherwise, 2 usage. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    TURN = 20, /* milliseconds until births that failed are tried again */
    TELL_EACH = 50, /* births */
    BRIEF_EACH = 4, /* of so many, all but one are born to end at once, which moves the pids on */
};

struct crowd {
    unsigned long count, life, alive, born, told, hurt;
    const char *file;
    int signals;
};

static void hurt(struct crowd *crowd, pid_t pid, int signal, pid_t by) {
    crowd->hurt++;
    fprintf(stderr, "bystander %d got signal %d (%s) from %d\n", (int)pid, signal,
            strsignal(signal), (int)by);
}

static _Noreturn void stand_by(struct crowd *crowd, unsigned long life) {
    sigset_t all;
    siginfo_t info;
    sigfillset(&all);
    const struct timespec most = {(time_t)(life / 1000), (long)(life % 1000) * 1000000};
    int signal = sigtimedwait(&all, &info, &most);
    if (signal > 0)
        hurt(crowd, getpid(), signal, info.si_pid);
    _exit(signal > 0);
}

/* Where there is no pid free, there is one later. */
static void bear(struct crowd *crowd) {
    while (crowd->alive < crowd->count) {
        unsigned long life = crowd->born % BRIEF_EACH ? 0 : crowd->born * 37 % crowd->life;
        pid_t pid = fork();
        if (pid == 0)
            stand_by(crowd, life);
        if (pid < 0)
            return;
        crowd->alive++;
        crowd->born++;
    }
}

static void collect(struct crowd *crowd) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0;) {
        if (WIFSTOPPED(status)) {
            hurt(crowd, pid, WSTOPSIG(status), 0);
            kill(pid, SIGKILL);
            continue;
        }
        crowd->alive--;
        if (WIFSIGNALED(status))
            hurt(crowd, pid, WTERMSIG(status), 0);
        else if (status != 0)
            crowd->hurt++; /* it has said so itself */
    }
}

/* By rename, so that whoever reads finds a whole line. */
static void tell(struct crowd *crowd) {
    char fresh[4096];
    snprintf(fresh, sizeof(fresh), "%s.new", crowd->file);
    FILE *file = fopen(fresh, "we");
    if (!file)
        return;
    fprintf(file, "%lu born, %lu hurt\n", crowd->born, crowd->hurt);
    if (fclose(file) == 0)
        rename(fresh, crowd->file);
    crowd->told = crowd->born;
}

/* The parent stands by as well. */
static void take_signals(struct crowd *crowd) {
    struct signalfd_siginfo info;
    while (read(crowd->signals, &info, sizeof(info)) == sizeof(info))
        if (info.ssi_signo != SIGCHLD)
            hurt(crowd, getpid(), (int)info.ssi_signo, (pid_t)info.ssi_pid);
}

static bool input_has_ended(const struct pollfd *input) {
    char byte;
    return input->revents && read(input->fd, &byte, 1) <= 0;
}

static void stand(struct crowd *crowd) {
    struct pollfd polled[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = crowd->signals, .events = POLLIN}};
    for (bool over = false; !over || crowd->alive > 0;) {
        unsigned long before = crowd->hurt;
        if (!over)
            bear(crowd);
        if (poll(polled, 2, TURN) < 0)
            continue;
        if (!over && input_has_ended(&polled[0])) {
            over = true;
            polled[0].fd = -1;
        }
        take_signals(crowd);
        collect(crowd);
        if (crowd->told == 0 || crowd->born - crowd->told >= TELL_EACH || crowd->hurt > before)
            tell(crowd);
    }
    tell(crowd);
}

int main(int argc, char **argv) {
    sigset_t all;
    if (argc != 4) {
        fputs("usage: bystander COUNT MILLISECONDS FILE\n", stderr);
        return 2;
    }
    struct crowd crowd = {.count = strtoul(argv[1], NULL, 10),
                          .life = strtoul(argv[2], NULL, 10) + 1,
                          .file = argv[3]};
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    crowd.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    if (crowd.signals < 0) {
        fprintf(stderr, "bystander: cannot receive signals: %s\n", strerror(errno));
        return 1;
    }
    stand(&crowd);
    return crowd.hurt > 0;
}
