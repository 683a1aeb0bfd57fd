/* The handler of `history`. */
#include <errno.h>

#include "agent/agent.h"
#include "agent/machine.h"
#include "agent/order.h"
#include "agent/permit.h"
#include "agent/place.h"
#include "agent/request.h"
#include "common/cleanup.h"

/* In one answer, which is queued as a whole; there are fewer where they are further apart. */
enum { SAMPLES_MOST = 4000 };

struct answer {
    struct request *request;
    uint64_t boot;  /* what CLOCK_MONOTONIC counts from: microseconds since 1970 */
    uint64_t first; /* `at` of the first sample; 0: none yet */
    uint64_t last;  /* of the last one that was seen */
    uint64_t step;  /* between two that are sent */
    uint64_t next;  /* none before this */
};

static bool measure(void *data, const struct holden_usage *usage) {
    struct answer *answer = data;
    if (answer->first == 0)
        answer->first = usage->at;
    answer->last = usage->at;
    return true;
}

/* The last one is sent however near it is: it tells what is so now. */
static bool send(void *data, const struct holden_usage *usage) {
    struct answer *answer = data;
    struct holden_sample sample = {0};
    if (usage->at < answer->next && usage->at < answer->last)
        return true;
    HOLDEN_SET(&sample, sample, time, answer->boot + usage->at);
    HOLDEN_SET(&sample, sample, usage, (struct holden_nested){.value = usage});
    peer_reply(answer->request->peer, HOLDEN_MESSAGE_sample, answer->request->id, &sample, NULL, 0);
    answer->next = usage->at + answer->step;
    return true;
}

/* So that it ends with what is so now. */
static void look_now(struct process *process) {
    struct holden_usage usage;
    _cleanup_close_ int directory = -1;
    if (process_alive(process) && place_open(process, &directory) == 0)
        sampler_usage(process, directory, &usage);
}

static void send_all(struct request *request, const struct holden_history *wanted) {
    const struct process *process = request->target;
    const struct history *history = sampler_history(process);
    struct answer answer = {.request = request, .boot = machine_realtime() - machine_monotonic()};
    struct holden_end end = {0};
    uint64_t after = HOLDEN_HAS(wanted, history, since) && wanted->since > answer.boot
                         ? wanted->since - answer.boot
                         : 0;
    peer_cork(request->peer);
    if (history) {
        history_walk(history, after, measure, &answer);
        answer.step = (answer.last - answer.first) / SAMPLES_MOST;
        if (HOLDEN_HAS(wanted, history, step) && wanted->step > answer.step)
            answer.step = wanted->step;
        history_walk(history, after, send, &answer);
    }
    peer_reply(request->peer, HOLDEN_MESSAGE_end, request->id, &end, NULL, 0);
    peer_uncork(request->peer);
}

int request_history(struct request *request, struct failure *failure) {
    const struct holden_history *wanted = request->message;
    const struct agent *agent = request->agent;
    struct process *process = process_by_text(&agent->processes, wanted->name);
    if (!process)
        return failure_set(failure, HOLDEN_code_NO_PROCESS, NULL,
                           "no process %.*s; `list -a` shows all", (int)wanted->name.size,
                           wanted->name.data);
    order_about(request->agent, process);
    if (permit_process(process, request->peer, HOLDEN_MESSAGE_list, failure) < 0)
        return -EREMOTEIO;
    if (agent->config.history == 0)
        return failure_set(failure, HOLDEN_code_INVALID, "History",
                           "no samples are kept: %s says History=0", agent->arguments.config);
    request->target = process;
    look_now(process);
    send_all(request, wanted);
    return 0;
}
