/* An agent with a thousand processes is killed: how long until its successor has them all again and
 * says so. Each round has an agent of its own. */
#include "bench.h"
#include "common/cleanup.h"
#include "confined.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5, PROCESSES = 1000, IN_FLIGHT = 64, NS_PER_MS = 1000000 };
static const double target = 100; /* ms */

struct recovery {
    struct subject subject;
    struct confined sleeper;
    struct measure_series answered, recovered, used;
};

static int start_all(struct recovery *recovery) {
    int r = 0;
    for (size_t begun = 0, running = 0; r == 0 && running < PROCESSES;) {
        if (begun < PROCESSES && begun - running < IN_FLIGHT) {
            r = confined_begin(&recovery->sleeper);
            begun++;
        } else {
            r = confined_begun(&recovery->sleeper);
            running++;
        }
    }
    return r;
}

/* How many the agent has that run, as it tells over a new connection. */
static int count_running(struct holden_client *client, size_t *count) {
    struct holden_list list = {0};
    struct holden_reply reply;
    int r = holden_client_ask(client, HOLDEN_MESSAGE_list, &list, NULL, 0, NULL);
    *count = 0;
    while (r == 0 && (r = holden_client_next(client, &reply)) == 0 &&
           reply.frame.type == HOLDEN_MESSAGE_process) {
        struct holden_process process;
        r = holden_reply_decode(&reply, &process);
        *count += r == 0 && process.state == HOLDEN_state_RUNNING;
    }
    return r;
}

/* The processor time that the new agent has used so far. */
static int add_used(struct recovery *recovery, struct holden_client *client) {
    struct holden_self self = {0};
    struct holden_self_state state;
    struct holden_reply reply;
    int r = holden_client_ask(client, HOLDEN_MESSAGE_self, &self, NULL, 0, NULL);
    if (r == 0)
        r = holden_client_next(client, &reply);
    if (r == 0)
        r = holden_reply_decode(&reply, &state);
    return r < 0 ? r : measure_series_add(&recovery->used, state.cpu * 1000);
}

/* The connection waits in the socket's queue, as anybody's would. */
static int kill_and_wait(struct recovery *recovery) {
    struct holden_client client;
    size_t count = 0;
    uint64_t killed = measure_now();
    if (kill(recovery->subject.core, SIGKILL) < 0)
        return -errno;
    int r = subject_connect(&recovery->subject, &client);
    if (r < 0)
        return r;
    r = subject_ping(&client);
    uint64_t answered = measure_now();
    if (r == 0)
        r = count_running(&client, &count);
    if (r == 0 && count != PROCESSES) {
        fprintf(stderr, "bench: %zu of %d processes were recovered\n", count, PROCESSES);
        r = -EPROTO;
    }
    if (r == 0)
        r = measure_series_add(&recovery->answered, answered - killed);
    if (r == 0)
        r = measure_series_add(&recovery->recovered, measure_now() - killed);
    if (r == 0)
        r = add_used(recovery, &client);
    holden_client_close(&client);
    return r;
}

static int round_of(struct bench *bench, struct recovery *recovery, const char *pause) {
    int r = bench_subject(bench, bench->programs, NULL, &recovery->subject);
    if (r < 0)
        return r;
    confined_init(&recovery->sleeper, &recovery->subject.client, pause, false, false);
    r = start_all(recovery);
    holden_client_close(&recovery->subject.client);
    if (r == 0)
        r = kill_and_wait(recovery);
    int closed = subject_close(&recovery->subject);
    return r < 0 ? r : closed;
}

static void report(struct bench *bench, struct recovery *recovery) {
    struct measure_summary answered, recovered, used;
    measure_summarise(&recovery->answered, &answered);
    measure_summarise(&recovery->recovered, &recovered);
    measure_summarise(&recovery->used, &used);
    figures_add(&bench->figures, "recover: answering", (double)answered.median / NS_PER_MS, "ms", 0,
                "from SIGKILL to the answer to a ping; median of %zu, min %.1f", answered.count,
                (double)answered.min / NS_PER_MS);
    figures_add(&bench->figures, "recover: all told of", (double)recovered.median / NS_PER_MS, "ms",
                target, "%d processes listed as running; median of %zu, min %.1f", PROCESSES,
                recovered.count, (double)recovered.min / NS_PER_MS);
    figures_add(&bench->figures, "recover: processor time", (double)used.median / NS_PER_MS, "ms",
                0, "of agent-core from its start until then; median of %zu, min %.1f", used.count,
                (double)used.min / NS_PER_MS);
}

int part_recover(struct bench *bench) {
    static struct recovery recovery;
    char pause[PATH_MAX];
    size_t rounds = bench_rounds(bench, ROUNDS);
    snprintf(pause, sizeof(pause), "%s/pause", bench->helpers);
    int r = measure_series_init(rounds, &recovery.answered);
    if (r == 0)
        r = measure_series_init(rounds, &recovery.recovered);
    if (r == 0)
        r = measure_series_init(rounds, &recovery.used);
    for (size_t i = 0; r == 0 && i < rounds; i++)
        r = measure_interrupted(bench->signals) ? -EINTR : round_of(bench, &recovery, pause);
    if (r == 0)
        report(bench, &recovery);
    measure_series_free(&recovery.answered);
    measure_series_free(&recovery.recovered);
    measure_series_free(&recovery.used);
    return r;
}
