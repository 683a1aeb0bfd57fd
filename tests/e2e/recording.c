/* Writes recordings for the tests of the monitor, always the same:
 *
 *   recording DIRECTORY FILE...
 *
 *   ten.rec    ten minutes of one agent, a sample each 5 s, with all that can be shown
 *   two.rec    two agents; the second one is lost in the end
 *   many.rec   10,000 processes, a sample each 150 s
 *
 * Exit status: 0, or 1 where they cannot be written. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "monitor/recorder.h"

#define SECOND UINT64_C(1000000)
#define MIB UINT64_C(1048576)
#define START (UINT64_C(1767225600) * SECOND) /* 2026-01-01 00:00:00 */

/* A process and what it does: every amount follows from the number of the sample. */
struct actor {
    uint64_t id;
    const char *name, *command, *user, *slice;
    uint32_t pid, state;
    bool frozen;
    uint64_t restarts;
    double cpu;            /* percent, around which it swings */
    double held;           /* percent */
    uint64_t memory, limit;
    uint64_t tasks, tasks_limit;
    uint64_t io;           /* bytes per second */
    double stall;          /* percent, of memory */
    uint64_t from, to;     /* the samples in which it is there; 0: to the end */
};

static const struct actor actors[] = {
    {.id = 1, .name = "web", .command = "/usr/sbin/web --port 80", .user = "web", .pid = 1201,
     .slice = "app-web.slice", .state = HOLDEN_state_RUNNING, .cpu = 12, .memory = 41 * MIB,
     .limit = 48 * MIB, .tasks = 8, .tasks_limit = 32, .io = 40000, .stall = 3},
    {.id = 2, .name = "checksums", .command = "sh -c while :; do sha256sum /data/*; done",
     .user = "web", .pid = 1207, .slice = "app.slice", .state = HOLDEN_state_RUNNING, .cpu = 40,
     .held = 55, .memory = 2 * MIB, .limit = 16 * MIB, .tasks = 3, .tasks_limit = 8, .io = 9000000,
     .stall = 20},
    {.id = 3, .name = "cache", .command = "cache --size 500M", .user = "root", .pid = 1212,
     .slice = "app.slice", .state = HOLDEN_state_RUNNING, .cpu = 3, .memory = 497 * MIB,
     .limit = 500 * MIB, .tasks = 4, .stall = 60},
    {.id = 4, .name = "batch", .command = "batch --all", .user = "root", .pid = 1220,
     .state = HOLDEN_state_RUNNING, .frozen = true, .memory = 9 * MIB, .tasks = 1},
    {.id = 5, .name = "flaky", .command = "flaky", .user = "root", .state = HOLDEN_state_BACKOFF,
     .restarts = 7},
    {.id = 6, .name = "broken", .command = "false", .user = "root", .state = HOLDEN_state_FAILED},
    {.id = 7, .name = "\033[2J\033[31mevil\a", .user = "root", .pid = 1230,
     .command = "printf '\033]0;title\a' \xff\xfe \302\233 x", .state = HOLDEN_state_RUNNING,
     .cpu = 0.1, .memory = MIB, .tasks = 1},
    {.id = 8, .name = "wide", .command = "echo 日本語 e\314\201 \342\200\213 "
                                         "\360\237\221\251\342\200\215\360\237\222\273 end",
     .user = "root", .pid = 1231, .state = HOLDEN_state_RUNNING, .memory = 3 * MIB, .tasks = 1},
    {.id = 9, .name = "latecomer", .command = "sleep 300", .user = "web", .pid = 1240,
     .slice = "app.slice", .state = HOLDEN_state_RUNNING, .cpu = 1, .memory = MIB, .tasks = 1,
     .from = 60},
};

static double swing(uint64_t sample, uint64_t id) {
    return 1 + 0.5 * sin((double)sample / 7 + (double)id);
}

static struct holden_usage usage_of(const struct actor *actor, uint64_t sample, uint64_t step) {
    struct holden_usage usage = {0};
    double cpu = 0;
    double memory = (double)actor->memory;
    for (uint64_t i = 0; i <= sample; i++)
        cpu += actor->cpu / 100 * swing(i, actor->id) * (double)step;
    memory *= actor->limit ? 0.9 + 0.1 * swing(sample, actor->id) / 1.5 : 1;
    HOLDEN_SET(&usage, usage, at, SECOND + sample * step);
    HOLDEN_SET(&usage, usage, cpu, (uint64_t)cpu);
    HOLDEN_SET(&usage, usage, throttled, (uint64_t)(actor->held / 100 * (double)(sample * step)));
    HOLDEN_SET(&usage, usage, memory, (uint64_t)memory);
    HOLDEN_SET(&usage, usage, tasks, actor->tasks);
    HOLDEN_SET(&usage, usage, io_read, actor->io * sample * step / SECOND);
    HOLDEN_SET(&usage, usage, io_written, actor->io * sample * step / SECOND / 4);
    HOLDEN_SET(&usage, usage, stall_cpu, 0);
    HOLDEN_SET(&usage, usage, stall_memory, (uint64_t)(actor->stall / 100 * cpu));
    HOLDEN_SET(&usage, usage, stall_io, 0);
    return usage;
}

/* Tells of a message. */
static void tell(struct fleet *fleet, unsigned agent, enum tiding tiding,
                 const struct holden_record *record, const void *message, uint64_t time) {
    _cleanup_(buffer_free) struct buffer body = {0};
    if (holden_encode(record, message, &body) == 0)
        fleet_tell(fleet, agent, tiding,
                   (struct holden_view){(const char *)buffer_bytes(&body), body.size}, time);
}

static struct holden_process process_of(const struct actor *actor, uint64_t runtime) {
    struct holden_process process = {0};
    HOLDEN_SET(&process, process, id, actor->id);
    HOLDEN_SET(&process, process, name, holden_view(actor->name));
    HOLDEN_SET(&process, process, state, actor->state);
    HOLDEN_SET(&process, process, frozen, actor->frozen);
    HOLDEN_SET(&process, process, owner, 0);
    HOLDEN_SET(&process, process, user, 0);
    HOLDEN_SET(&process, process, started, START);
    HOLDEN_SET(&process, process, runtime, runtime);
    HOLDEN_SET(&process, process, restarts, actor->restarts);
    HOLDEN_SET(&process, process, dynamic_user, holden_view(actor->user));
    if (actor->command)
        HOLDEN_SET(&process, process, command, holden_view(actor->command));
    if (actor->pid)
        HOLDEN_SET(&process, process, pid, actor->pid);
    if (actor->slice)
        HOLDEN_SET(&process, process, slice, holden_view(actor->slice));
    if (actor->limit)
        HOLDEN_SET(&process, process, memory_limit, actor->limit);
    if (actor->tasks_limit)
        HOLDEN_SET(&process, process, tasks_limit, actor->tasks_limit);
    return process;
}

static void tell_process(struct fleet *fleet, unsigned agent, const struct actor *actor,
                         uint64_t sample, uint64_t step) {
    struct holden_usage usage = usage_of(actor, sample, step);
    struct holden_process process = process_of(actor, (sample - actor->from) * step);
    if (actor->pid)
        HOLDEN_SET(&process, process, usage, (struct holden_nested){.value = &usage});
    tell(fleet, agent, TIDING_PROCESS, &holden_record_process, &process, START + sample * step);
}

static void tell_detail(struct fleet *fleet, const struct actor *actor, uint64_t time) {
    struct holden_process process = process_of(actor, 1);
    struct holden_properties properties = {0};
    HOLDEN_SET(&properties, properties, memory_high, 44 * MIB);
    HOLDEN_SET(&properties, properties, memory_max, actor->limit);
    HOLDEN_SET(&properties, properties, cpu_quota, SECOND / 4);
    HOLDEN_SET(&process, process, properties, (struct holden_nested){.value = &properties});
    tell(fleet, 0, TIDING_DETAIL, &holden_record_process, &process, time);
}

static void tell_event(struct fleet *fleet, unsigned agent, const struct actor *actor,
                       uint32_t kind, const char *text, uint64_t time) {
    static uint64_t sequence;
    struct holden_event event = {0};
    HOLDEN_SET(&event, event, sequence, ++sequence);
    HOLDEN_SET(&event, event, time, time);
    HOLDEN_SET(&event, event, kind, kind);
    HOLDEN_SET(&event, event, name, holden_view(actor->name));
    HOLDEN_SET(&event, event, id, actor->id);
    if (kind == HOLDEN_event_kind_STATE)
        HOLDEN_SET(&event, event, state, actor->state);
    if (kind == HOLDEN_event_kind_STATE && actor->pid)
        HOLDEN_SET(&event, event, pid, actor->pid);
    if (text)
        HOLDEN_SET(&event, event, text, holden_view(text));
    tell(fleet, agent, TIDING_EVENT, &holden_record_event, &event, time);
}

static void tell_agent(struct fleet *fleet, unsigned agent, uint64_t time) {
    struct holden_pong pong = {0};
    HOLDEN_SET(&pong, pong, version, holden_view("1.2.3"));
    HOLDEN_SET(&pong, pong, pid, 77 + agent);
    tell(fleet, agent, TIDING_AGENT, &holden_record_pong, &pong, time);
}

static void tell_log(struct fleet *fleet, uint64_t id, uint64_t lines, uint64_t time) {
    _cleanup_(buffer_free) struct buffer text = {0};
    _cleanup_(buffer_free) struct buffer body = {0};
    for (uint64_t i = lines > 40 ? lines - 40 : 0; i < lines; i++)
        buffer_printf(&text, "GET /page/%u \033[31m200\033[0m %u ms\n", (unsigned)i,
                      (unsigned)(i * 7 % 50));
    if (detail_put_log(id, (struct holden_view){(const char *)buffer_bytes(&text), text.size},
                       &body) == 0)
        fleet_tell(fleet, 0, TIDING_LOG,
                   (struct holden_view){(const char *)buffer_bytes(&body), body.size}, time);
}

static void tell_machine(struct fleet *fleet, uint64_t sample, uint64_t time) {
    char text[1024];
    unsigned n = (unsigned)sample;
    snprintf(text, sizeof(text),
             "cpu  %u 0 0 %u 0 0 0 0\ncpu0 %u 0 0 %u 0 0 0 0\ncpu1 %u 0 0 %u 0 0 0 0\n"
             "cpu2 %u 0 0 %u 0 0 0 0\ncpu3 0 0 0 %u 0 0 0 0\n"
             "MemTotal: 8388608 kB\nMemAvailable: 5242880 kB\nSwapTotal: 1048576 kB\n"
             "SwapFree: 983040 kB\npgpgin %u\npgpgout %u\n"
             "stall0 some total=%u\nstall1 some total=%u\nstall2 some total=0\n",
             n * 650, n * 1350, n * 50, n * 450, n * 450, n * 50, n * 150, n * 350, n * 500,
             n * 54000, n * 13000, n * 200000, n * 600000);
    fleet_tell(fleet, 0, TIDING_MACHINE, holden_view(text), time);
}

static void tell_sample(struct fleet *fleet, unsigned agent, uint64_t sample, uint64_t step) {
    uint64_t time = START + sample * step;
    fleet_tell(fleet, agent, TIDING_BEGIN, holden_view(""), time);
    for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
        if (sample >= actors[i].from)
            tell_process(fleet, agent, &actors[i], sample, step);
    fleet_tell(fleet, agent, TIDING_END, holden_view(""), time);
}

static void tell_ten(struct fleet *fleet) {
    enum { STEP = 5000000 };
    tell_agent(fleet, 0, START);
    tell_event(fleet, 0, &actors[0], HOLDEN_event_kind_STATE, NULL, START);
    for (uint64_t sample = 0; sample <= 120; sample++) {
        uint64_t time = START + sample * STEP;
        tell_sample(fleet, 0, sample, STEP);
        tell_machine(fleet, sample, time);
        tell_detail(fleet, &actors[0], time);
        tell_log(fleet, 1, sample * 3, time);
        if (sample == 30)
            tell_event(fleet, 0, &actors[0], HOLDEN_event_kind_CONSTRAINED,
                       "MemoryMax=48M, was 64M", time);
        if (sample == 90)
            tell_event(fleet, 0, &actors[0], HOLDEN_event_kind_SAID,
                       "STATUS=\033[1mbusy\033[0m", time);
    }
}

static void tell_two(struct fleet *fleet) {
    enum { STEP = 5000000 };
    for (unsigned agent = 0; agent < 2; agent++)
        tell_agent(fleet, agent, START);
    for (uint64_t sample = 0; sample <= 12; sample++) {
        tell_sample(fleet, 0, sample, STEP);
        tell_machine(fleet, sample, START + sample * STEP);
        if (sample < 9)
            tell_sample(fleet, 1, sample, STEP);
        if (sample == 9)
            fleet_tell(fleet, 1, TIDING_LOST, holden_view("it went away"), START + sample * STEP);
    }
}

static void tell_many(struct fleet *fleet) {
    enum { STEP = 150000000 };
    tell_agent(fleet, 0, START);
    for (uint64_t sample = 0; sample <= 4; sample++) {
        uint64_t time = START + sample * STEP;
        fleet_tell(fleet, 0, TIDING_BEGIN, holden_view(""), time);
        for (uint64_t id = 1; id <= 10000; id++) {
            char name[32];
            snprintf(name, sizeof(name), "process-%05u", (unsigned)id);
            struct actor actor = actors[id % 3];
            actor.id = id;
            actor.name = name;
            actor.cpu = (double)(id * 7919 % 1000) / 10;
            tell_process(fleet, 0, &actor, sample, STEP);
        }
        fleet_tell(fleet, 0, TIDING_END, holden_view(""), time);
    }
}

static const struct {
    const char *file;
    size_t agents;
    void (*tell)(struct fleet *fleet);
} recordings[] = {{"ten.rec", 1, tell_ten}, {"two.rec", 2, tell_two}, {"many.rec", 1, tell_many}};

static int write_recording(const char *directory, size_t which) {
    static const char *const paths[] = {"/run/one/agent.sock", "/run/two/agent.sock"};
    struct fleet *fleet = calloc(1, sizeof(*fleet));
    struct recorder recorder;
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", directory, recordings[which].file);
    fleet_name(fleet, paths, recordings[which].agents);
    int r = recorder_open(&recorder, path, 5 * SECOND, fleet);
    for (size_t i = 0; i < fleet->count; i++)
        fleet->feeds[i].tap = &fleet->tap;
    if (r == 0)
        recordings[which].tell(fleet);
    if (r == 0)
        r = recorder_close(&recorder);
    if (r < 0)
        fprintf(stderr, "recording: cannot write %s: %s\n", path, strerror(-r));
    fleet_close(fleet);
    free(fleet);
    return r;
}

int main(int count, char **words) {
    int written = 0;
    for (size_t i = 0; i < ARRAY_SIZE(recordings); i++)
        for (int word = 2; word < count; word++)
            if (strcmp(words[word], recordings[i].file) == 0)
                written += write_recording(words[1], i) == 0;
    if (count > 2 && written == count - 2)
        return 0;
    fputs("usage: recording DIRECTORY FILE..., of ten.rec, two.rec, many.rec\n", stderr);
    return 1;
}
