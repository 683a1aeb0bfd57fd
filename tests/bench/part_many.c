/* Ten thousand processes that sleep: what the agent needs for them, whether a start still costs
 * what it costs with none, and how long it takes to tell of them all. */
#include "bare.h"
#include "bench.h"
#include "common/cleanup.h"
#include "confined.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

enum { ROUNDS = 300, IN_FLIGHT = 64, LISTS = 20, NS_PER_MS = 1000000, MIB = 1 << 20 };
static const double target_start = 1.1, target_list = 50, target_resident = 16;

struct many {
    struct subject empty, full;             /* the agent with none, and the one with all */
    struct confined of_empty, of_full;
    struct confined sleeper;
    char pause[PATH_MAX];
};

static int turn_start(void *data) {
    return confined_start(data);
}

static int compare_starts(struct bench *bench, struct many *many) {
    const struct contestant contestants[] = {
        {"with none", "a start to its end", turn_start, &many->of_empty, 1, 1},
        {"with all", "the same, by the agent that has them", turn_start, &many->of_full, 1, 1},
    };
    struct contest_result results[ARRAY_SIZE(contestants)];
    int r = contest_run(contestants, ARRAY_SIZE(contestants), bench_rounds(bench, ROUNDS),
                        bench->signals, results);
    if (r == 0)
        bench_report(bench, "many", contestants, results, ARRAY_SIZE(contestants), target_start);
    return r;
}

/* The request alone: until the frame that ends the stream is there. */
static int turn_list(void *data) {
    struct subject *subject = data;
    struct holden_list list = {0};
    struct holden_reply reply;
    int r = holden_client_ask(&subject->client, HOLDEN_MESSAGE_list, &list, NULL, 0, NULL);
    do
        r = r < 0 ? r : holden_client_next(&subject->client, &reply);
    while (r == 0 && reply.frame.type == HOLDEN_MESSAGE_process);
    return r;
}

struct list_command {
    char program[PATH_MAX];
    const char *socket;
};

static int turn_controller(void *data) {
    struct list_command *list = data;
    char socket[96], option[] = "--socket", verb[] = "list";
    snprintf(socket, sizeof(socket), "%s", list->socket);
    char *argv[] = {list->program, option, socket, verb, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    int r = posix_spawn(&pid, list->program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (r != 0)
        return -r;
    return waitpid(pid, &status, 0) < 0 ? -errno : status == 0 ? 0 : -EPROTO;
}

static int measure_lists(struct bench *bench, struct many *many) {
    struct list_command command = {.socket = many->full.socket};
    snprintf(command.program, sizeof(command.program), "%s/controller", bench->programs);
    const struct contestant contestants[] = {
        {"request", "list, until its end is there", turn_list, &many->full, 1, 1},
        {"command", "controller list, into /dev/null", turn_controller, &command, 1, 1},
    };
    struct contest_result results[ARRAY_SIZE(contestants)];
    int r = contest_run(contestants, ARRAY_SIZE(contestants), LISTS, bench->signals, results);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(contestants); i++) {
        char name[64];
        snprintf(name, sizeof(name), "many: list, %s", contestants[i].name);
        figures_add(&bench->figures, name, (double)results[i].time.median / NS_PER_MS, "ms",
                    target_list, "%zu processes; %s; min %.1f", bench->crowd, contestants[i].what,
                    (double)results[i].time.min / NS_PER_MS);
    }
    return r;
}

static int measure(struct bench *bench, struct many *many) {
    struct subject_memory memory;
    bool limits = bench_limits(bench);
    confined_init(&many->of_empty, &many->empty.client, bench->payload, limits, true);
    confined_init(&many->of_full, &many->full.client, bench->payload, limits, true);
    confined_init(&many->sleeper, &many->full.client, many->pause, false, false);
    uint64_t begun = measure_now();
    int r = confined_begin_all(&many->sleeper, bench->crowd, IN_FLIGHT, bench->signals);
    if (r < 0)
        return r;
    figures_add(&bench->figures, "many: starting them",
                (double)(measure_now() - begun) / 1000000000, "s", 0, "%zu, %d under way at a time",
                bench->crowd, IN_FLIGHT);
    r = compare_starts(bench, many);
    if (r == 0)
        r = measure_lists(bench, many);
    if (r == 0)
        r = subject_memory(&many->full, &memory);
    if (r == 0)
        figures_add(&bench->figures, "many: resident", (double)memory.resident / MIB, "MiB",
                    target_resident, "keeper and agent; %.1f anonymous",
                    (double)memory.anonymous / MIB);
    return r;
}

int part_many(struct bench *bench) {
    static struct many many;
    snprintf(many.pause, sizeof(many.pause), "%s/pause", bench->helpers);
    int r = bench_subject(bench, bench->programs, NULL, &many.empty);
    if (r < 0)
        return r;
    r = bench_subject(bench, bench->programs, NULL, &many.full);
    if (r == 0) {
        r = measure(bench, &many);
        uint64_t begun = measure_now();
        int closed = subject_close(&many.full);
        figures_add(&bench->figures, "many: stopping them",
                    (double)(measure_now() - begun) / 1000000000, "s", 0,
                    "the agent is asked to end");
        r = r < 0 ? r : closed;
    }
    int closed = subject_close(&many.empty);
    return r < 0 ? r : closed;
}
