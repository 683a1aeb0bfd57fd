/* The verb run: a process joined to the caller.
 *
 * Its standard streams are the caller's, passed with the request, so that no byte goes through
 * here; with -t they are a pseudoterminal's, relayed. Signals that come are passed on by the agent:
 * those that the terminal made (Ctrl-C) go to all processes, as a terminal does it, others to the
 * main one. They are blocked before the request leaves, so that none can end this program and leave
 * the process behind; the descriptor to read them from is made while the agent is at work. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/ending.h"
#include "controller/environment.h"
#include "controller/launch.h"
#include "controller/run.h"
#include "controller/terminal.h"
#include "controller/waiting.h"

enum { SIGNAL_BASE = 128 };

struct run {
    const struct launch *launch;
    struct session *session;
    struct terminal *terminal;  /* NULL without -t */
    struct waiting waiting;
    int signals;                /* signalfd(2); owned */
    uint64_t early;             /* signals that came before the process did: bit N for signal N */
    bool started;
};

static void run_free(struct run *run) {
    cleanup_close(&run->signals);
}

static void forwarded_signals(sigset_t *set) {
    static const int numbers[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                  SIGUSR1, SIGUSR2, SIGTSTP, SIGWINCH};
    sigemptyset(set);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        sigaddset(set, numbers[i]);
}

/* Passes a signal on. Its answer is not waited for: a process that has ended needs none. */
static int forward(struct run *run, int number, bool all) {
    struct holden_kill message = {0};
    HOLDEN_SET(&message, kill, name, holden_view(run->waiting.name));
    HOLDEN_SET(&message, kill, id, run->waiting.id);
    HOLDEN_SET(&message, kill, signal, (uint32_t)number);
    if (all)
        HOLDEN_SET(&message, kill, all, true);
    return session_ask(run->session, HOLDEN_MESSAGE_kill, &message, NULL, 0, NULL);
}

/* Ctrl-Z: SIGTSTP would do nothing to a process in a session of its own, SIGSTOP does. This program
 * stops too, and when the shell lets it go on, so does the process. */
static int suspend(struct run *run) {
    int status = forward(run, SIGSTOP, true);
    if (status == STATUS_DONE) {
        raise(SIGSTOP);
        status = forward(run, SIGCONT, true);
    }
    return status;
}

/* Before the process is there, a first signal waits for it; a second one gives up. */
static int keep_early(struct run *run, int number) {
    if (!(run->early >> number & 1)) {
        run->early |= UINT64_C(1) << number;
        return STATUS_DONE;
    }
    log_error("gave up while %s was being started; `list` tells whether it was",
              run->launch->shown);
    return SIGNAL_BASE + number;
}

static int take_signal(struct run *run) {
    struct signalfd_siginfo info;
    if (read(run->signals, &info, sizeof(info)) != sizeof(info))
        return STATUS_DONE;
    int number = (int)info.ssi_signo;
    if (number == SIGWINCH) {
        if (run->terminal)
            terminal_resize(run->terminal);
        return STATUS_DONE;
    }
    if (!run->started)
        return keep_early(run, number);
    return number == SIGTSTP ? suspend(run) : forward(run, number, info.ssi_code == SI_KERNEL);
}

static int take_started(struct run *run, const struct holden_reply *reply) {
    char complaint[160];
    struct holden_started started;
    int status = session_take(reply, HOLDEN_MESSAGE_started, &started,
                              launch_complaint(run->launch, complaint));
    if (status != STATUS_DONE)
        return status;
    run->started = true;
    run->waiting.id = started.id;
    snprintf(run->waiting.name, sizeof(run->waiting.name), "%.*s", (int)started.name.size,
             started.name.data);
    if (run->terminal)
        terminal_join(run->terminal);
    for (int number = 1; number < 64 && status == STATUS_DONE; number++)
        if (run->early >> number & 1)
            status = forward(run, number, true);
    return status;
}

/* Ends like the process did. */
static int finish(struct run *run, const struct holden_exited *exited) {
    _cleanup_(buffer_free) struct buffer words = {0};
    if (run->terminal) {
        terminal_drain(run->terminal);
        terminal_close(run->terminal);
    }
    if (ending_needs_words(exited) && ending_print(exited, &words) == 0)
        log_error("%s: %.*s", run->waiting.name, (int)words.size,
                  (const char *)buffer_bytes(&words));
    return ending_status(exited);
}

/* Takes the next frame. -1: go on; otherwise the exit status. */
static int take_frame(struct run *run) {
    struct holden_reply reply;
    struct holden_exited exited;
    char skipped[SESSION_SKIPPED];
    int status = session_next(run->session, &reply);
    if (status != STATUS_DONE)
        return status;
    if (!run->started) {
        if (reply.frame.id != run->waiting.request)
            return -1;
        if (session_skipped(&reply, run->launch->shown, skipped)) {
            log_notice("%s", skipped);
            return STATUS_DONE;
        }
        status = take_started(run, &reply);
        return status == STATUS_DONE ? -1 : status;
    }
    int r = waiting_take(&run->waiting, &reply, &exited);
    return r == 0 ? -1 : r < 0 ? -r : finish(run, &exited);
}

/* Waits for the agent, signals and the terminal until the process has ended. */
static int follow(struct run *run) {
    for (;;) {
        struct terminal *terminal = run->started ? run->terminal : NULL;
        struct pollfd polled[] = {
            {.fd = session_fd(run->session), .events = POLLIN},
            {.fd = run->signals, .events = POLLIN},
            {.fd = terminal ? terminal->master : -1,
             .events = terminal ? terminal_wants_master(terminal) : 0},
            {.fd = terminal && terminal_wants_input(terminal) ? 0 : -1, .events = POLLIN},
        };
        int status = -1;
        if (poll(polled, ARRAY_SIZE(polled), session_pause(run->session)) < 0 && errno != EINTR) {
            log_error("cannot wait: %s", strerror(errno));
            return STATUS_FAILED;
        }
        if (polled[3].revents)
            terminal_input_ready(terminal);
        if (polled[2].revents)
            terminal_master_ready(terminal, polled[2].revents);
        if (polled[1].revents) {
            status = take_signal(run);
            if (status != STATUS_DONE)
                return status;
            status = -1;
        }
        if (polled[0].revents || polled[0].fd < 0) {
            status = session_turn(run->session);
            status = status == STATUS_DONE ? -1 : status;
        }
        while (status < 0 && session_has_frame(run->session))
            status = take_frame(run);
        if (status >= 0)
            return status;
    }
}

/* The standard streams that go with the request: those of the caller, or the slave for all three;
 * but not one that a property leads elsewhere. */
static size_t choose_streams(struct holden_start *start, const struct launch *launch,
                             const struct terminal *terminal, int *fds) {
    static const struct { size_t property; size_t field; size_t offset; } rows[] = {
        {HOLDEN_INDEX(properties, standard_input), HOLDEN_INDEX(start, input),
         offsetof(struct holden_start, input)},
        {HOLDEN_INDEX(properties, standard_output), HOLDEN_INDEX(start, output),
         offsetof(struct holden_start, output)},
        {HOLDEN_INDEX(properties, standard_error), HOLDEN_INDEX(start, error),
         offsetof(struct holden_start, error)},
    };
    bool data = settings_has(&launch->settings, HOLDEN_INDEX(properties, standard_input_data));
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (settings_has(&launch->settings, rows[i].property) || (i == STDIN_FILENO && data))
            continue;
        memcpy((uint8_t *)start + rows[i].offset, &(uint32_t){(uint32_t)count}, sizeof(uint32_t));
        holden_mark(start, rows[i].field);
        fds[count++] = terminal ? terminal->slave : (int)i;
    }
    return count;
}

static int attach(struct run *run, struct launch *launch, const struct options *options) {
    struct holden_start start = launch->start;
    sigset_t set;
    int fds[3];
    size_t count = choose_streams(&start, launch, run->terminal, fds);
    if (run->terminal)
        HOLDEN_SET(&start, start, terminal, true);
    forwarded_signals(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int status = session_open(run->session, options);
    if (status == STATUS_DONE)
        status = session_ask(run->session, HOLDEN_MESSAGE_start, &start, fds, count,
                             &run->waiting.request);
    if (status != STATUS_DONE)
        return status;
    run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (run->signals < 0) {
        log_error("cannot read signals: %s", strerror(errno));
        return STATUS_FAILED;
    }
    return follow(run);
}

static int open_terminal(struct run *run, struct terminal *terminal) {
    int r = terminal_open(terminal);
    if (r < 0) {
        log_error("cannot start %s: terminal: %s", run->launch->shown, strerror(-r));
        return STATUS_FAILED;
    }
    run->terminal = terminal;
    return STATUS_DONE;
}

/* A standard stream that is closed would be taken by the next descriptor that is made. */
static int hold_streams(void) {
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
            log_error("cannot open /dev/null: %s", strerror(errno));
            return STATUS_FAILED;
        }
    return STATUS_DONE;
}

int run_command(struct command *command, struct waiting *ended) {
    _cleanup_(launch_free) struct launch launch = {0};
    const char *kind = getenv("TERM");
    if (command->options.terminal && kind && environment_base(&launch.settings, "TERM", kind) < 0)
        return STATUS_FAILED;
    int status = hold_streams();
    if (status == STATUS_DONE)
        status = launch_prepare(&launch, command, true);
    if (status != STATUS_DONE)
        return status;
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    _cleanup_(terminal_close) struct terminal terminal = {.master = -1, .slave = -1};
    _cleanup_(run_free) struct run run = {.launch = &launch, .session = &session, .signals = -1};
    if (command->options.terminal)
        status = open_terminal(&run, &terminal);
    if (status == STATUS_DONE)
        status = attach(&run, &launch, &command->options);
    if (ended)
        *ended = run.waiting;
    return status;
}

int verb_run(struct command *command) {
    return run_command(command, NULL);
}
