/* A thousand clients that do nothing, and a hundred that ask all the time: the slowest answer, and
 * what a client that does nothing costs. */
#include "bench.h"
#include "common/cleanup.h"
#include "confined.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { IDLE = 1000, ACTIVE = 100, REQUESTS = 200, NS_PER_MS = 1000000 };
static const double target_latency = 50, target_memory = 4; /* ms, KiB */

struct crowd {
    struct holden_client idle[IDLE];
    struct holden_client active[ACTIVE];
    size_t idle_count, active_count;
    uint64_t asked[ACTIVE];   /* when the request in flight was sent */
    size_t left[ACTIVE];      /* requests still to be sent */
};

static int connect_all(const struct subject *subject, struct holden_client *clients, size_t count,
                       size_t *connected) {
    for (; *connected < count; (*connected)++) {
        int r = subject_connect(subject, &clients[*connected]);
        if (r == 0)
            r = subject_ping(&clients[*connected]);
        if (r < 0)
            return r;
    }
    return 0;
}

/* In turn: a ping, a list of what runs, the agent's own state. */
static int ask(struct crowd *crowd, size_t index) {
    static const uint16_t types[] = {HOLDEN_MESSAGE_ping, HOLDEN_MESSAGE_list, HOLDEN_MESSAGE_self};
    union {
        struct holden_ping ping;
        struct holden_list list;
        struct holden_self self;
    } message = {0};
    uint16_t type = types[crowd->left[index]-- % ARRAY_SIZE(types)];
    crowd->asked[index] = measure_now();
    return holden_client_ask(&crowd->active[index], type, &message, NULL, 0, NULL);
}

/* Takes frames until the answer is whole. */
static int take_answer(struct holden_client *client) {
    struct holden_reply reply;
    int r;
    do
        r = holden_client_next(client, &reply);
    while (r == 0 && reply.frame.type == HOLDEN_MESSAGE_process);
    return r == 0 && reply.frame.type == HOLDEN_MESSAGE_error ? -EPROTO : r;
}

static int serve(struct crowd *crowd, struct pollfd *polled, struct measure_series *latencies,
                 size_t *busy) {
    if (poll(polled, ACTIVE, -1) < 0)
        return errno == EINTR ? 0 : -errno;
    for (size_t i = 0; i < ACTIVE; i++) {
        if (!polled[i].revents)
            continue;
        int r = take_answer(&crowd->active[i]);
        if (r < 0)
            return r;
        measure_series_add(latencies, measure_now() - crowd->asked[i]);
        if (crowd->left[i] > 0) {
            r = ask(crowd, i);
            if (r < 0)
                return r;
            continue;
        }
        polled[i].fd = -1;
        (*busy)--;
    }
    return 0;
}

/* All hundred ask at once, and each again as soon as it has its answer. */
static int ask_all(struct crowd *crowd, struct measure_series *latencies) {
    struct pollfd polled[ACTIVE];
    size_t busy = ACTIVE;
    int r = 0;
    for (size_t i = 0; r == 0 && i < ACTIVE; i++) {
        polled[i] = (struct pollfd){.fd = crowd->active[i].connection.fd, .events = POLLIN};
        crowd->left[i] = REQUESTS;
        r = ask(crowd, i);
    }
    while (r == 0 && busy > 0)
        r = serve(crowd, polled, latencies, &busy);
    return r;
}

static int measure_latency(struct bench *bench, struct crowd *crowd) {
    _cleanup_(measure_series_free) struct measure_series latencies = {0};
    struct measure_summary summary;
    int r = measure_series_init((size_t)ACTIVE * REQUESTS, &latencies);
    if (r == 0)
        r = ask_all(crowd, &latencies);
    if (r < 0)
        return r;
    measure_summarise(&latencies, &summary);
    figures_add(&bench->figures, "clients: slowest answer",
                (double)latencies.values[latencies.count - 1] / NS_PER_MS, "ms", target_latency,
                "%d clients asking all the time, %d idle; median %.3f, p90 %.3f of %zu", ACTIVE,
                IDLE, (double)summary.median / NS_PER_MS, (double)summary.p90 / NS_PER_MS,
                summary.count);
    return 0;
}

static int measure(struct bench *bench, const struct subject *subject, struct crowd *crowd) {
    struct subject_memory before, after;
    int r = subject_memory(subject, &before);
    if (r == 0)
        r = connect_all(subject, crowd->idle, IDLE, &crowd->idle_count);
    if (r == 0)
        r = subject_memory(subject, &after);
    if (r == 0)
        r = connect_all(subject, crowd->active, ACTIVE, &crowd->active_count);
    if (r < 0)
        return r;
    figures_add(&bench->figures, "clients: memory of one",
                ((double)after.anonymous - (double)before.anonymous) / IDLE / 1024, "KiB",
                target_memory, "agent's anonymous memory, by %d that connected and sent one ping",
                IDLE);
    return measure_latency(bench, crowd);
}

int part_clients(struct bench *bench) {
    struct subject subject;
    struct rlimit limit = {IDLE + 2 * ACTIVE, IDLE + 2 * ACTIVE};
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur < limit.rlim_cur &&
        setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    _cleanup_free_ struct crowd *crowd = calloc(1, sizeof(*crowd));
    int r = crowd ? bench_subject(bench, bench->programs, NULL, &subject) : -ENOMEM;
    if (r < 0)
        return r;
    r = measure(bench, &subject, crowd);
    for (size_t i = 0; i < crowd->idle_count; i++)
        holden_client_close(&crowd->idle[i]);
    for (size_t i = 0; i < crowd->active_count; i++)
        holden_client_close(&crowd->active[i]);
    int closed = subject_close(&subject);
    return r < 0 ? r : closed;
}
