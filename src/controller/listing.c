#include "controller/listing.h"

int listing_ask(struct session *session, const struct holden_list *request, const char *what,
                listing_take *take, void *into) {
    struct holden_reply reply;
    struct holden_process process;
    int status = session_ask(session, HOLDEN_MESSAGE_list, request, NULL, 0, NULL);
    for (;;) {
        if (status == STATUS_DONE)
            status = session_next(session, &reply);
        if (status != STATUS_DONE || reply.frame.type == HOLDEN_MESSAGE_end)
            return status;
        status = session_take(&reply, HOLDEN_MESSAGE_process, &process, what);
        if (status == STATUS_DONE)
            take(into, &process);
    }
}

int listing_ask_slices(struct session *session, const struct holden_list_slices *request,
                       const char *what, listing_take_slice *take, void *into) {
    struct holden_reply reply;
    struct holden_slice slice;
    int status = session_ask(session, HOLDEN_MESSAGE_list_slices, request, NULL, 0, NULL);
    for (;;) {
        if (status == STATUS_DONE)
            status = session_next(session, &reply);
        if (status != STATUS_DONE || reply.frame.type == HOLDEN_MESSAGE_end)
            return status;
        status = session_take(&reply, HOLDEN_MESSAGE_slice, &slice, what);
        if (status == STATUS_DONE)
            take(into, &slice);
    }
}

void listing_slice(const struct holden_slice *slice, struct holden_process *process) {
    *process = (struct holden_process){0};
    HOLDEN_SET(process, process, name, slice->name);
    HOLDEN_SET(process, process, cgroup, slice->cgroup);
    HOLDEN_SET(process, process, state, HOLDEN_state_RUNNING);
    if (HOLDEN_HAS(slice, slice, usage))
        HOLDEN_SET(process, process, usage, slice->usage);
    if (HOLDEN_HAS(slice, slice, memory_limit))
        HOLDEN_SET(process, process, memory_limit, slice->memory_limit);
    if (HOLDEN_HAS(slice, slice, tasks_limit))
        HOLDEN_SET(process, process, tasks_limit, slice->tasks_limit);
    if (HOLDEN_HAS(slice, slice, properties))
        HOLDEN_SET(process, process, properties, slice->properties);
}

void listing_usage(const struct holden_process *process, struct holden_usage *usage) {
    struct holden_fault fault;
    if (!HOLDEN_HAS(process, process, usage) ||
        holden_decode(&holden_record_usage, process->usage.bytes.data, process->usage.bytes.size,
                      usage, &fault) < 0)
        *usage = (struct holden_usage){0};
}

const char *listing_state(const struct holden_process *process, enum output_style *style) {
    static const enum output_style styles[] = {
        [HOLDEN_state_STARTING] = OUTPUT_WARN, [HOLDEN_state_RUNNING] = OUTPUT_GOOD,
        [HOLDEN_state_STOPPING] = OUTPUT_WARN, [HOLDEN_state_BACKOFF] = OUTPUT_WARN,
        [HOLDEN_state_EXITED] = OUTPUT_DIM,    [HOLDEN_state_FAILED] = OUTPUT_BAD,
        [HOLDEN_state_STOPPED] = OUTPUT_DIM,
    };
    if (HOLDEN_HAS(process, process, stuck)) {
        *style = OUTPUT_BAD;
        return "stuck";
    }
    *style = process->frozen ? OUTPUT_WARN : styles[process->state];
    return process->frozen && process->state == HOLDEN_state_RUNNING
               ? "frozen"
               : holden_word(&holden_enum_state, process->state);
}
