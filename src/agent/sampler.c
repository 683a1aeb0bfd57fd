/* What a look costs is bounded: a process whose CPU time has not moved since the last one is not
 * read any further, and is looked at more rarely; of one that is busy the files that change slowly
 * are read at every fourth look; and all looks of one interval take a hundredth of it in CPU time
 * at most: whom they do not come to is first in the next. */
#include "agent/sampler.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/machine.h"
#include "agent/network.h"
#include "agent/place.h"
#include "common/cleanup.h"

enum {
    TURN = 16,         /* processes that are looked at in one turn of the loop */
    TURN_PASSED = 512, /* with those that are not */
    SHARE = 125,       /* of the time: with what comes besides, a hundredth */
    STEP = 2,          /* looks in vain until it is looked at half as often, and so on */
    RARELY = 4,        /* at least every so many */
    WHOLE = 4,         /* looks at one that is busy, of which one reads all */
    STILL_WHOLE = 16,  /* the same for one that stands still */
    KEPT_MOST = 2048,  /* files: the kernel keeps a page for each */
    CLOSE_TO = 10,     /* a tenth of the interval: how exact the timer is */
};

/* What makes looking at a process fast, as long as it is busy or somebody asks. */
struct busy {
    struct usage_files files;
    struct holden_usage usage;   /* the last reading */
    bool own_network;            /* it had a network namespace of its own then */
    uint64_t whole;              /* when all of that was read: CLOCK_MONOTONIC; 0: never */
};

/* There is one for each process, so it is small. */
struct samples {
    TAILQ_ENTRY(samples) entry;  /* while it is watched */
    struct process *process;
    struct busy *busy;           /* owned, or NULL */
    struct history history;
    uint64_t cpu;                /* microseconds, at the last look */
    uint32_t due;                /* no look before this one */
    uint32_t looks;              /* since it began to stand still, or to be busy */
    int file;                    /* cpu.stat where it is kept open and there is no `busy`, or -1 */
    bool watched;
    bool still;                  /* its CPU time did not move at the last look */
};

static struct sampler *sampler_of(const struct process *process) {
    return &process->agent->sampler;
}

static const struct config *config_of(const struct sampler *sampler) {
    return &sampler->agent->config;
}

/* CPU time of this thread, microseconds. */
static uint64_t cpu_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* Makes what is known of a process. NULL: no memory. */
static struct samples *make(struct process *process) {
    struct samples *samples = process->samples;
    if (samples)
        return samples;
    samples = calloc(1, sizeof(*samples));
    if (!samples)
        return NULL;
    samples->process = process;
    samples->file = -1;
    process->samples = samples;
    return samples;
}

/* False: no memory. */
static bool be_busy(struct samples *samples) {
    if (samples->busy)
        return true;
    samples->busy = calloc(1, sizeof(*samples->busy));
    if (!samples->busy)
        return false;
    usage_files_init(&samples->busy->files, &sampler_of(samples->process)->kept);
    samples->busy->files.fd[USAGE_CPU] = TAKE_FD(samples->file);
    return true;
}

/* It stands still: what makes reading it fast is given to others. */
static void rest(struct samples *samples) {
    history_rest(&samples->history);
    if (!samples->busy)
        return;
    usage_files_close(&samples->busy->files, USAGE_MEMORY);
    samples->file = samples->busy->files.fd[USAGE_CPU];
    free(samples->busy);
    samples->busy = NULL;
}

/* Its cgroup goes. */
static void close_files(struct samples *samples) {
    rest(samples);
    if (samples->file < 0)
        return;
    close(TAKE_FD(samples->file));
    sampler_of(samples->process)->kept.open--;
}

/* Whether its main process has ended: then its pid proves nothing. */
static bool has_ended(const struct process *process) {
    struct pollfd end = {.fd = process->pidfd, .events = POLLIN};
    return process->pid <= 0 || process->pidfd < 0 || poll(&end, 1, 0) != 0;
}

static void read_network(const struct process *process, struct busy *busy, bool whole) {
    uint64_t received, sent;
    if (process->pid <= 0)
        return;
    if (whole)
        busy->own_network = network_is_own(process->pid);
    if (!busy->own_network || network_read(process->pid, &received, &sent) < 0 ||
        has_ended(process))
        return;
    HOLDEN_SET(&busy->usage, usage, network_received, received);
    HOLDEN_SET(&busy->usage, usage, network_sent, sent);
}

/* Reads the figures, and keeps them as a sample. */
static void take(struct samples *samples, int directory, bool whole) {
    struct sampler *sampler = sampler_of(samples->process);
    struct busy *busy = samples->busy;
    usage_read(&sampler->agent->hierarchy, directory, &busy->files, whole ? USAGE_ALL : USAGE_FEW,
               &busy->usage);
    read_network(samples->process, busy, whole);
    if (whole)
        busy->whole = busy->usage.at;
    samples->cpu = busy->usage.cpu;
    history_add(&sampler->pool, &samples->history, &busy->usage, config_of(sampler)->history);
}

static void read_figures(struct samples *samples, bool whole) {
    const struct sampler *sampler = sampler_of(samples->process);
    _cleanup_close_ int directory = -1;
    if (!be_busy(samples))
        return;
    whole = whole || samples->busy->whole == 0;
    if ((whole || !usage_complete(&sampler->agent->hierarchy, &samples->busy->files)) &&
        place_open(samples->process, &directory) < 0)
        return;
    take(samples, directory, whole);
}

/* Whether its CPU time has moved; so too where that cannot be told cheaply. */
static bool has_moved(const struct samples *samples) {
    uint64_t cpu;
    int file = samples->busy ? samples->busy->files.fd[USAGE_CPU] : samples->file;
    return file < 0 || usage_cpu(file, &cpu) < 0 || cpu != samples->cpu;
}

static void look(struct sampler *sampler, struct samples *samples) {
    bool still = !has_moved(samples);
    if (still != samples->still)
        samples->looks = 0;
    samples->still = still;
    uint32_t looks = samples->looks++;
    if (!still) {
        read_figures(samples, looks % WHOLE == 0);
        return;
    }
    if (looks % STILL_WHOLE == STILL_WHOLE - 1)
        read_figures(samples, true);
    if (looks > 0)
        rest(samples);
    samples->history.seen = machine_monotonic();
    uint32_t pause = looks / STEP + 1;
    samples->due = sampler->look + (pause < RARELY ? pause : RARELY);
}

/* Whether the process was to be looked at. */
static bool look_at_next(struct sampler *sampler) {
    struct samples *samples = TAILQ_FIRST(&sampler->watched);
    sampler->left--;
    TAILQ_REMOVE(&sampler->watched, samples, entry);
    TAILQ_INSERT_TAIL(&sampler->watched, samples, entry);
    if (samples->due > sampler->look)
        return false;
    look(sampler, samples);
    return true;
}

/* A share of the look at all, and whether that is over then. */
static bool look_at_some(struct sampler *sampler) {
    uint64_t begin = cpu_now();
    for (unsigned looks = 0, n = 0; looks < TURN && n < TURN_PASSED; n++) {
        if (sampler->left == 0 || sampler->count == 0)
            break;
        looks += look_at_next(sampler);
    }
    sampler->spent += cpu_now() - begin;
    return sampler->left == 0 || sampler->count == 0 ||
           sampler->spent >= config_of(sampler)->history_interval / SHARE;
}

static int on_turn(sd_event_source *source, void *data) {
    struct sampler *sampler = data;
    return sd_event_source_set_enabled(source,
                                       look_at_some(sampler) ? SD_EVENT_OFF : SD_EVENT_ON);
}

static void arm(struct sampler *sampler) {
    uint64_t interval = config_of(sampler)->history_interval;
    int enabled = SD_EVENT_OFF;
    if (sd_event_source_get_enabled(sampler->timer, &enabled) < 0 || enabled != SD_EVENT_OFF)
        return;
    sd_event_source_set_time_relative(sampler->timer, interval);
    sd_event_source_set_time_accuracy(sampler->timer, interval / CLOSE_TO);
    sd_event_source_set_enabled(sampler->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t time, void *data) {
    (void)source;
    (void)time;
    struct sampler *sampler = data;
    if (sampler->count == 0)
        return 0;
    sampler->look++;
    sampler->left = sampler->count;
    sampler->spent = 0;
    arm(sampler);
    return sd_event_source_set_enabled(sampler->turn,
                                       look_at_some(sampler) ? SD_EVENT_OFF : SD_EVENT_ON);
}

/* Of memory at most what all of it can be. */
static size_t bound(const struct sampler *sampler) {
    const struct config *config = config_of(sampler);
    return config->history == 0 ? 0 : config->history_max;
}

int sampler_open(struct sampler *sampler, struct agent *agent) {
    *sampler = (struct sampler){.agent = agent, .kept.most = KEPT_MOST};
    TAILQ_INIT(&sampler->watched);
    history_pool_init(&sampler->pool, bound(sampler));
    int r = sd_event_add_time(agent->event, &sampler->timer, CLOCK_MONOTONIC, 0, 0, on_timer,
                              sampler);
    if (r >= 0)
        r = sd_event_source_set_enabled(sampler->timer, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_defer(agent->event, &sampler->turn, on_turn, sampler);
    if (r >= 0)
        r = sd_event_source_set_enabled(sampler->turn, SD_EVENT_OFF);
    /* Whoever asks for something comes first. */
    if (r >= 0)
        r = sd_event_source_set_priority(sampler->turn, SD_EVENT_PRIORITY_IDLE);
    return r < 0 ? r : 0;
}

void sampler_configure(struct sampler *sampler) {
    bool off = config_of(sampler)->history == 0;
    struct process *process;
    history_pool_bound(&sampler->pool, bound(sampler));
    TAILQ_FOREACH(process, &sampler->agent->processes.order, order) {
        if (off)
            sampler_forget(process);
        else if (process->state == HOLDEN_state_RUNNING || process->state == HOLDEN_state_STOPPING)
            sampler_watch(process);
    }
    sd_event_source_set_enabled(sampler->timer, SD_EVENT_OFF);
    if (sampler->count > 0)
        arm(sampler);
}

void sampler_close(struct sampler *sampler) {
    sampler->timer = sd_event_source_disable_unref(sampler->timer);
    sampler->turn = sd_event_source_disable_unref(sampler->turn);
}

void sampler_watch(struct process *process) {
    struct sampler *sampler = sampler_of(process);
    if (config_of(sampler)->history == 0)
        return;
    struct samples *samples = make(process);
    if (!samples || samples->watched)
        return;
    samples->watched = true;
    samples->still = false;
    samples->looks = 0;
    samples->due = 0;
    TAILQ_INSERT_TAIL(&sampler->watched, samples, entry);
    sampler->count++;
    arm(sampler);
}

void sampler_unwatch(struct process *process) {
    struct sampler *sampler = sampler_of(process);
    struct samples *samples = process->samples;
    if (!samples || !samples->watched)
        return;
    TAILQ_REMOVE(&sampler->watched, samples, entry);
    sampler->count--;
    samples->watched = false;
    if (process->usage && samples->history.last && process->usage->at > samples->history.seen)
        history_add(&sampler->pool, &samples->history, process->usage,
                    config_of(sampler)->history);
    close_files(samples);
    if (!samples->history.last)
        sampler_forget(process);
}

void sampler_forget(struct process *process) {
    struct samples *samples = process->samples;
    if (!samples)
        return;
    if (samples->watched) {
        TAILQ_REMOVE(&sampler_of(process)->watched, samples, entry);
        sampler_of(process)->count--;
    }
    close_files(samples);
    history_free(&sampler_of(process)->pool, &samples->history);
    free(samples);
    process->samples = NULL;
}

void sampler_usage(struct process *process, int directory, struct holden_usage *usage) {
    struct samples *samples = process->samples;
    if (!samples || !samples->watched || !be_busy(samples)) {
        usage_read(&process->agent->hierarchy, directory, NULL, USAGE_ALL, usage);
        return;
    }
    const struct busy *busy = samples->busy;
    if (busy->whole == 0 || machine_monotonic() - busy->whole >= SAMPLER_SHARED)
        take(samples, directory, true);
    *usage = busy->usage;
}

const struct history *sampler_history(const struct process *process) {
    return process->samples && process->samples->history.last ? &process->samples->history : NULL;
}
