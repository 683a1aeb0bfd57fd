#include "agent/describe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/constrain.h"
#include "agent/gate.h"
#include "agent/logfile.h"
#include "agent/machine.h"
#include "agent/denial.h"
#include "agent/permit.h"
#include "agent/place.h"
#include "agent/statement.h"
#include "agent/usage.h"
#include "common/cleanup.h"

enum { COMMAND_MOST = 256, OUTPUT_MOST = 8192, TURN_CHEAP = 1024, TURN_COSTLY = 64,
       STREAM_COST = PEER_PROMISES_MAX / 16,
       DEVICES_MOST = 16,
       CALL_AVERAGE = 16 /* bytes of a name */ };

/* What a frame borrows while it is encoded. */
struct scratch {
    struct holden_usage usage;
    struct holden_start start;
    struct holden_properties properties;
    struct holden_statement statement;
    struct buffer limits;
    struct buffer output;
    void *redacted;
    char command[COMMAND_MOST];
    char user[HOLDEN_USER_NAME_MOST + 1];
    char cgroup[PLACE_WHOLE_MOST];
    struct holden_view learned[LEARNED_BYTES * 8];
    char calls[LEARNED_BYTES * 8 * CALL_AVERAGE];
    struct holden_refusal refusals[DENIALS_MOST];
    struct holden_nested nested[DENIALS_MOST];
    struct holden_device_io devices[DEVICES_MOST];
    struct holden_nested nested_devices[DEVICES_MOST];
};

static void shorten_command(struct scratch *scratch) {
    size_t used = 0;
    struct holden_repeated left = scratch->start.argument;
    struct holden_view view;
    while (used < COMMAND_MOST - 1 && holden_next_view(&left, &view)) {
        int size = (int)(view.size < COMMAND_MOST ? view.size : COMMAND_MOST);
        int added = snprintf(scratch->command + used, COMMAND_MOST - used, "%s%.*s",
                             used ? " " : "", size, view.data);
        used += added > 0 ? (size_t)added : 0;
    }
}

static void add_outcome(const struct process *process, struct holden_process *message) {
    const struct outcome *outcome = &process->outcome;
    if (!process_alive(process))
        HOLDEN_SET(message, process, ended, process->ended_realtime);
    HOLDEN_SET(message, process, cause, outcome->cause);
    if (outcome->code == CLD_EXITED)
        HOLDEN_SET(message, process, status, (uint32_t)outcome->status);
    else if (outcome->code)
        HOLDEN_SET(message, process, signal, (uint32_t)outcome->status);
    if (outcome->code == CLD_DUMPED)
        HOLDEN_SET(message, process, core, true);
    if (outcome->explanation)
        HOLDEN_SET(message, process, explanation, holden_view(outcome->explanation));
}

static void add_devices(const struct process *process, int directory, struct scratch *scratch,
                        struct holden_process *message) {
    if (!(process->agent->hierarchy.controllers & CGROUP_IO))
        return;
    size_t count = usage_devices(directory, scratch->devices, DEVICES_MOST);
    for (size_t i = 0; i < count; i++)
        scratch->nested_devices[i] = (struct holden_nested){.value = &scratch->devices[i]};
    if (count > 0)
        HOLDEN_SET(message, process, device,
                   (struct holden_repeated){.count = (uint32_t)count,
                                            .items = scratch->nested_devices});
}

static void add_usage(struct process *process, struct scratch *scratch,
                      struct holden_process *message) {
    if (!process_alive(process)) {
        if (process->usage)
            HOLDEN_SET(message, process, usage, (struct holden_nested){.value = process->usage});
        return;
    }
    uint64_t limit;
    _cleanup_close_ int directory = -1;
    if (place_open(process, &directory) < 0)
        return;
    sampler_usage(process, directory, &scratch->usage);
    if (process->counts_ip)
        gate_count(directory, &scratch->usage);
    HOLDEN_SET(message, process, usage, (struct holden_nested){.value = &scratch->usage});
    add_devices(process, directory, scratch, message);
    if (cgroup_read_number(directory, "memory.max", &limit) == 0)
        HOLDEN_SET(message, process, memory_limit, limit);
    if (cgroup_read_number(directory, "pids.max", &limit) == 0)
        HOLDEN_SET(message, process, tasks_limit, limit);
}

/* The names of the calls that it has made. */
static void add_learned(const struct process *process, struct scratch *scratch,
                        struct holden_process *message) {
    uint32_t count = 0;
    size_t used = 0;
    for (unsigned number = 0; process->learned && number < LEARNED_BYTES * 8; number++) {
        char name[64];
        if (!(process->learned[number / 8] >> number % 8 & 1) ||
            !filter_call_known((int)number, name, sizeof(name)) ||
            used + strlen(name) > sizeof(scratch->calls))
            continue;
        memcpy(scratch->calls + used, name, strlen(name));
        scratch->learned[count++] = (struct holden_view){scratch->calls + used, strlen(name)};
        used += strlen(name);
    }
    if (count > 0)
        HOLDEN_SET(message, process, learned,
                   (struct holden_repeated){.count = count, .items = scratch->learned});
}

static void add_detail(const struct process *process, struct scratch *scratch,
                       struct holden_process *message) {
    HOLDEN_SET(message, process, argument, scratch->start.argument);
    add_learned(process, scratch, message);
    if (process->denials) {
        HOLDEN_SET(message, process, refusal,
                   denial_encode(process->denials, scratch->refusals, scratch->nested));
        if (process->denials->further > 0)
            HOLDEN_SET(message, process, refused_further, process->denials->further);
    }
    constrain_read(process, &scratch->properties, &scratch->limits);
    scratch->redacted = credential_redact(&scratch->properties);
    HOLDEN_SET(message, process, properties, (struct holden_nested){.value = &scratch->properties});
    if (process->has_cgroup) {
        place_whole_path(process, scratch->cgroup);
        HOLDEN_SET(message, process, cgroup, holden_view(scratch->cgroup));
    }
    logfile_tail(process, OUTPUT_MOST, &scratch->output);
    if (scratch->output.size > 0)
        HOLDEN_SET(message, process, output,
                   (struct holden_view){(const char *)buffer_bytes(&scratch->output),
                                        scratch->output.size});
}

/* The name of a user that was made up, who is in no list of users; of a process that has ended only
 * where its properties are at hand. */
static bool name_user(const struct process *process, const struct holden_properties *properties,
                      char name[HOLDEN_USER_NAME_MOST + 1]) {
    if (process->dynamic_user)
        snprintf(name, HOLDEN_USER_NAME_MOST + 1, "%s", process->dynamic_user->name);
    else if (properties && holden_user_made_up(properties))
        dynamic_user_name(process, properties, name);
    else
        return false;
    return true;
}

void describe_send(struct process *process, struct peer *peer, uint32_t id, bool usage,
                   bool detail) {
    struct holden_process message = {0};
    struct scratch scratch; /* most of it is not touched for most processes */
    scratch.limits = scratch.output = (struct buffer){0};
    scratch.redacted = NULL;
    scratch.command[0] = '\0';
    uint64_t until = process_alive(process) ? machine_monotonic() : process->ended_monotonic;
    HOLDEN_SET(&message, process, name, holden_view(process->name));
    HOLDEN_SET(&message, process, id, process->id);
    if (process->pid > 0)
        HOLDEN_SET(&message, process, pid, (uint32_t)process->pid);
    HOLDEN_SET(&message, process, state, process->state);
    if (process->frozen)
        HOLDEN_SET(&message, process, frozen, true);
    HOLDEN_SET(&message, process, owner, process->owner);
    HOLDEN_SET(&message, process, user, process->user);
    HOLDEN_SET(&message, process, started, process->started_realtime);
    HOLDEN_SET(&message, process, runtime, until - process->started_monotonic);
    if (process->slice)
        HOLDEN_SET(&message, process, slice, holden_view(process->slice->name));
    if (process->restarts > 0)
        HOLDEN_SET(&message, process, restarts, process->restarts);
    if (!process_alive(process) || process->stays)
        add_outcome(process, &message);
    if (process->stopping && *process->stopping->stuck)
        HOLDEN_SET(&message, process, stuck, holden_view(process->stopping->stuck));
    if (statement_fill(process, &scratch.statement))
        HOLDEN_SET(&message, process, statement,
                   (struct holden_nested){.value = &scratch.statement});
    if (usage || detail)
        add_usage(process, &scratch, &message);
    process_request(process, &scratch.start, detail ? &scratch.properties : NULL);
    if (detail)
        add_detail(process, &scratch, &message);
    else {
        shorten_command(&scratch);
        HOLDEN_SET(&message, process, command, holden_view(scratch.command));
    }
    if (name_user(process, detail ? &scratch.properties : NULL, scratch.user))
        HOLDEN_SET(&message, process, dynamic_user, holden_view(scratch.user));
    peer_reply(peer, HOLDEN_MESSAGE_process, id, &message, NULL, 0);
    buffer_free(&scratch.limits);
    buffer_free(&scratch.output);
    free(scratch.redacted);
}

static void drop(struct stream *stream) {
    LIST_REMOVE(stream, entry);
    peer_kept(stream->peer, STREAM_COST);
    free(stream->ids);
    free(stream);
}

/* The next process of the stream, or NULL at its end. One of a named stream that was forgotten
 * meanwhile is passed over. */
static struct process *take_next(const struct processes *table, struct stream *stream) {
    struct process *process = NULL;
    if (!stream->ids)
        process = process_after(table, stream->after);
    while (stream->ids && !process && stream->next < stream->count)
        process = process_by_id(table, stream->ids[stream->next++]);
    if (process)
        stream->after = process->id;
    return process;
}

static bool wanted(const struct stream *stream, const struct process *process) {
    return permit_process(process, stream->peer, HOLDEN_MESSAGE_list, NULL) == 0 &&
           (stream->ids || stream->ended || process_alive(process));
}

/* Sends what the peer's queue takes, a share of it in each turn: figures are read from many files.
 */
static void pump(struct agent *agent, struct stream *stream) {
    unsigned share = stream->usage || stream->detail ? TURN_COSTLY : TURN_CHEAP;
    struct peer *peer = stream->peer;
    bool more = true;
    peer_cork(peer);
    for (unsigned turn = 0; more && turn < share && !peer_full(peer); turn++) {
        struct process *process = take_next(&agent->processes, stream);
        more = process != NULL;
        if (more && wanted(stream, process))
            describe_send(process, peer, stream->id, stream->usage, stream->detail);
    }
    if (more)
        peer_later(peer);
    else {
        struct holden_end end = {0};
        peer_reply(peer, HOLDEN_MESSAGE_end, stream->id, &end, NULL, 0);
        drop(stream);
    }
    peer_uncork(peer);
}

int describe_stream(struct agent *agent, struct peer *peer, uint32_t id,
                    const struct holden_list *request, uint64_t *ids, size_t count) {
    bool promised = peer_promise(peer, STREAM_COST);
    struct stream *stream = promised ? malloc(sizeof(*stream)) : NULL;
    if (!stream) {
        if (promised)
            peer_kept(peer, STREAM_COST);
        free(ids);
        return -ENOMEM;
    }
    *stream = (struct stream){.peer = peer,
                              .id = id,
                              .after = request->after,
                              .ended = request->ended,
                              .usage = request->usage,
                              .detail = request->detail,
                              .ids = ids,
                              .count = count};
    for (size_t i = 0; stream->after > 0 && i < count; i++)
        if (ids[i] == stream->after)
            stream->next = i + 1;
    LIST_INSERT_HEAD(&peer->streams, stream, entry);
    pump(agent, stream);
    return 0;
}

void describe_drained(struct agent *agent, struct peer *peer) {
    struct stream *stream, *next;
    for (stream = LIST_FIRST(&peer->streams); stream; stream = next) {
        next = LIST_NEXT(stream, entry);
        pump(agent, stream);
    }
}

void describe_forget(struct peer *peer) {
    while (!LIST_EMPTY(&peer->streams))
        drop(LIST_FIRST(&peer->streams));
}
