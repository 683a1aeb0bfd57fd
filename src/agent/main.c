/* bin/agent-core, the agent proper. The keeper starts it with the listening socket, a channel to
 * the keeper and a page shared with all children (plan.h); it never clones anything itself.
 *
 *   main.c ── hierarchy, store, link, recover: once, before the loop
 *     loop ── daemon/peer.c: a frame ── request.c: row, right, decode ── request_*.c
 *               START: start.c (checks, a new process) ── launch.c (cgroup and limits written and
 * read back, filter, identity, plan) ── link.c ── keeper: clone3 ── child: its steps, exec ──
 * launch.c again: report and pipe's end: runs, record written, `started` sent a pidfd ── finish.c:
 * status from the keeper, figures from the cgroup, record, `exited` a timer, inotify ── stop.c,
 * constrain.c, logfile.c
 *
 * One thread, no signal handler, no blocking call once the loop runs, no mutable global. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/attic.h"
#include "agent/check.h"
#include "agent/confine.h"
#include "agent/machine.h"
#include "agent/recover.h"
#include "agent/reload.h"
#include "agent/request.h"
#include "agent/statement.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/text.h"
#include "common/version.h"

enum {
    DESCRIPTORS = 1 << 20,
    LOCK_TRIES = 50,
    LOCK_WAIT = 10000, /* microseconds */
    OOM_SCORE = -900,
};
#define OOM_SCORE_TEXT "-900"

/* Every process costs a descriptor. What root may have is taken; what it may not, is not needed
 * yet. */
static void raise_descriptors(void) {
    struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* The last to be ended for want of memory. What it starts is the keeper's child, and has the score
 * that the keeper was started with; the keeper itself is too small to be chosen before others. */
static void protect_from_oom(void) {
    char now[16];
    if (file_read(AT_FDCWD, "/proc/self/oom_score_adj", now, sizeof(now)) > 0 &&
        strtol(now, NULL, 10) > OOM_SCORE)
        file_write(AT_FDCWD, "/proc/self/oom_score_adj", OOM_SCORE_TEXT);
}

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info, void *data) {
    (void)source;
    (void)info;
    return shutdown_signalled(data);
}

/* Of two agents on one cgroup or state directory, each would take the other's processes for what a
 * dead one left, and end them. The lock goes with its holder; what is left of one that was killed a
 * moment ago may hold it a little longer. */
static int lock_directory(int fd, const char *what, const char *path, const char *option) {
    for (unsigned tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        if (errno != EWOULDBLOCK || tries == LOCK_TRIES) {
            log_error("%s %s: %s; give another with %s", what, path,
                      errno == EWOULDBLOCK ? "another agent has it" : strerror(errno), option);
            return -EBUSY;
        }
        usleep(LOCK_WAIT);
    }
    return 0;
}

static int lock_both(const struct agent *agent) {
    int r = lock_directory(agent->hierarchy.root, "cgroup", agent->hierarchy.path, "--cgroup");
    return r < 0 ? r
                 : lock_directory(agent->store.root, "state directory", agent->store.path,
                                  "--state-dir");
}

/* Who made the cgroup removes it at its end, over all agents that come in its place. One that has
 * just made it knows so in any case. */
static int remember_cgroup(struct agent *agent) {
    bool made = agent->hierarchy.made;
    int r = store_remember(&agent->store, "cgroup-made", &agent->hierarchy.made);
    if (r >= 0)
        return 0;
    log_error("%s: cannot %s that cgroup %s is to be removed at the end: %s", agent->store.path,
              made ? "note" : "see", agent->hierarchy.path, strerror(-r));
    return made ? 0 : r;
}

/* The keeper passes it on, as whoever sends it means the agent. */
static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *data) {
    (void)source;
    (void)info;
    struct failure failure;
    if (reload_now(data, &failure) < 0)
        log_error("SIGHUP: %s: %s", failure.step, failure.text);
    return 0;
}

/* What the keeper passes, but for the channel: an older one does not have all of it. 0, or an exit
 * status after a line on stderr. */
static int inherit(struct agent *agent) {
    int talk = attic_open();
    int notices = notices_open(&agent->notices, agent->arguments.socket);
    agent->talk.able = talk == 0;
    int r = talk < 0 && talk != -ENOTSOCK ? talk : notices;
    if (r == 0 || r == -ENOTSOCK)
        return 0;
    log_error("cannot start: %s", strerror(-r));
    return AGENT_EXIT_REFUSED;
}

/* What must be there before the loop, in order. 0, or an exit status after a line on stderr. */
static int open_agent(struct agent *agent) {
    struct failure failure;
    if (config_read(&agent->config, agent->arguments.config, agent->arguments.config_given) < 0)
        return AGENT_EXIT_REFUSED;
    int r = sd_event_new(&agent->event);
    if (r == 0)
        r = processes_init(&agent->processes);
    if (r == 0)
        r = sampler_open(&agent->sampler, agent);
    if (r == 0)
        r = link_open(&agent->link, agent);
    if (r == -ENOTCONN) {
        log_error("this program is started by the keeper: run `agent`");
        return AGENT_EXIT_USAGE;
    }
    if (r == 0)
        r = watch_open(&agent->watch, agent);
    if (r < 0) {
        log_error("cannot start: %s", strerror(-r));
        return AGENT_EXIT_REFUSED;
    }
    if (hierarchy_open(&agent->hierarchy, agent->arguments.cgroup, getppid(), &failure) < 0 ||
        store_open(&agent->store, agent->arguments.state, &failure) < 0) {
        log_error("%s: %s", failure.step, failure.text);
        return AGENT_EXIT_REFUSED;
    }
    if (lock_both(agent) < 0)
        return AGENT_EXIT_REFUSED;
    credentials_open(&agent->credentials, agent->arguments.socket);
    trimmer_open(&agent->trimmer, agent);
    if (!trimmer_able(&agent->trimmer))
        log_warning("%s: its file system cannot keep logs bounded; only LogMax=infinity and other "
                    "kinds of StandardOutput= are possible here", agent->store.path);
    if (remember_cgroup(agent) < 0)
        return AGENT_EXIT_REFUSED;
    audit_open(&agent->audit);
    trail_open(agent);
    talk_open(&agent->talk, agent);
    if (events_open(&agent->events, agent) < 0) {
        log_error("no memory for events");
        return AGENT_EXIT_REFUSED;
    }
    return 0;
}

static int serve(struct agent *agent) {
    if (reload_first(agent) < 0 || confine_self() < 0)
        return AGENT_EXIT_REFUSED;
    int r = recover(agent);
    if (r < 0) {
        log_error("cannot recover from %s: %s", agent->store.path, strerror(-r));
        return AGENT_EXIT_REFUSED;
    }
    r = listener_start(&agent->listener, agent->event, KEEPER_FD_LISTEN, &request_calls, agent);
    reload_bounds(agent);
    if (r == 0)
        r = notices_start(&agent->notices, agent);
    if (r == 0)
        r = sd_event_add_signal(agent->event, NULL, SIGTERM, on_terminate, agent);
    if (r == 0)
        r = sd_event_add_signal(agent->event, NULL, SIGINT, on_terminate, agent);
    if (r == 0)
        r = sd_event_add_signal(agent->event, NULL, SIGHUP, on_hangup, agent);
    if (r < 0) {
        log_error("cannot listen: %s", strerror(-r));
        return AGENT_EXIT_REFUSED;
    }
    reexec_report(agent);
    notify_ready(agent);
    events_agent(agent, agent->recoveries > 0 ? "the agent was started anew and has recovered"
                                              : "the agent has started");
    text_shrink();
    r = sd_event_loop(agent->event);
    return r < 0 ? AGENT_EXIT_REFUSED : r;
}

static void close_agent(struct agent *agent, bool remove) {
    agent->notify.timer = sd_event_source_disable_unref(agent->notify.timer);
    agent->shutdown.timer = sd_event_source_disable_unref(agent->shutdown.timer);
    listener_stop(&agent->listener);
    notices_stop(&agent->notices);
    statement_settle(agent);
    trimmer_close(&agent->trimmer);
    /* Before the processes: what the reports say of starts under way is for the next agent. */
    link_close(&agent->link);
    talk_close(&agent->talk);
    processes_free(&agent->processes);
    sampler_close(&agent->sampler);
    slices_close(agent, remove);
    events_free(&agent->events);
    audit_close(&agent->audit);
    trail_close(&agent->trail);
    watch_close(&agent->watch);
    credentials_close(&agent->credentials, remove);
    store_close(&agent->store, remove);
    hierarchy_close(&agent->hierarchy, remove);
    policy_free(&agent->policy);
    sd_event_unref(agent->event);
}

static int check_machine(const struct agent *agent) {
    struct hierarchy hierarchy;
    struct failure failure;
    int r = hierarchy_open(&hierarchy, agent->arguments.cgroup, 0, &failure);
    int status = check_print(&hierarchy, r < 0 ? failure.text : NULL);
    hierarchy_close(&hierarchy, true);
    return status;
}

/* What a reexec tries: see probe.h. */
static int probe_self(struct agent *agent) {
    if (reload_try(agent) < 0)
        return AGENT_EXIT_REFUSED;
    puts("agent-core " HOLDEN_VERSION_TEXT);
    return 0;
}

int main(int argc, char **argv) {
    prctl(PR_SET_NAME, "agent-core"); /* started by descriptor it would be called after that */
    struct agent *agent = calloc(1, sizeof(*agent));
    if (!agent)
        return AGENT_EXIT_REFUSED;
    if (arguments_parse(&agent->arguments, argc, argv) < 0) {
        free(agent);
        return AGENT_EXIT_USAGE;
    }
    agent->hierarchy.root = -1;
    agent->store = (struct store){.root = -1, .records = -1, .logs = -1};
    agent->audit.fd = agent->events.journal = -1;
    agent->credentials.directory = -1;
    agent->talk.listeners = -1;
    agent->watch.fd = -1;
    agent->argv = argv;
    agent->started = machine_monotonic();
    const char *recoveries = getenv("HOLDEN_RECOVERIES");
    agent->recoveries = recoveries ? strtoull(recoveries, NULL, 10) : 0;
    int status;
    if (agent->arguments.check)
        status = check_machine(agent);
    else if (agent->arguments.probe)
        status = probe_self(agent);
    else {
        umask(077);
        raise_descriptors();
        protect_from_oom();
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        sigaddset(&signals, SIGPIPE);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        status = inherit(agent);
        if (status == 0)
            status = open_agent(agent);
        if (status == 0)
            status = serve(agent);
        /* Nothing is taken away that a next agent needs. */
        close_agent(agent, status == AGENT_EXIT_STOPPED && !agent->shutdown.leaves);
    }
    free(agent);
    return status;
}
