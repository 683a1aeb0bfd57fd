/* Handlers of requests about processes. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/beside.h"
#include "agent/constrain.h"
#include "agent/describe.h"
#include "agent/finish.h"
#include "agent/launch.h"
#include "agent/logfile.h"
#include "agent/permit.h"
#include "agent/place.h"
#include "agent/request.h"
#include "agent/start.h"
#include "agent/state.h"
#include "agent/stop.h"
#include "agent/waiter.h"
#include "agent/watchdog.h"
#include "common/cleanup.h"

static int done(struct request *request) {
    struct holden_done message = {0};
    peer_reply(request->peer, HOLDEN_MESSAGE_done, request->id, &message, NULL, 0);
    return 0;
}

static int no_memory(struct failure *failure) {
    return failure_errno(failure, ENOMEM, NULL, "cannot serve the request");
}

static int promise(struct request *request, struct process *process, enum waiter_kind kind,
                   struct failure *failure) {
    int r = waiter_add(process, request->peer, request->id, kind);
    if (r == -EDQUOT)
        return failure_set(failure, HOLDEN_code_TOO_MANY, NULL,
                           "too many answers are owed to this connection, or to all of user %u, "
                           "already", (unsigned)request->peer->uid);
    return r < 0 ? no_memory(failure) : 0;
}

/* The answer to a wait for an end that has been. */
static void tell_end(const struct request *request, const struct process *process) {
    struct holden_exited message;
    finish_describe(process, &message);
    peer_reply(request->peer, HOLDEN_MESSAGE_exited, request->id, &message, NULL, 0);
}

/* What the record of a start that failed says of it. */
static int refuse_as_before(const struct process *process, struct failure *failure) {
    static const char introduction[] = "it never ran: ";
    const char *text = process->outcome.explanation;
    bool introduced = text && strncmp(text, introduction, sizeof(introduction) - 1) == 0;
    return failure_set(failure,
                       process->outcome.cause == HOLDEN_cause_SKIPPED ? HOLDEN_code_SKIPPED
                                                                      : HOLDEN_code_FAILED,
                       NULL, "%s",
                       introduced ? text + sizeof(introduction) - 1
                       : text     ? text
                                  : "it never ran");
}

/* A start that comes again is answered as it was answered, or will be. */
static int answer_again(struct request *request, struct process *process, bool wait,
                        struct failure *failure) {
    struct holden_started message;
    bool alive = process_alive(process);
    if (!alive && (process->outcome.cause == HOLDEN_cause_SETUP ||
                   process->outcome.cause == HOLDEN_cause_SKIPPED))
        return refuse_as_before(process, failure);
    bool owed = alive && (!process->ran || process->state == HOLDEN_state_STARTING);
    int r = owed ? promise(request, process, WAITER_START, failure) : 0;
    bool over = !alive || process->stays == STAY_EXITED;
    if (r == 0 && !over && wait)
        r = promise(request, process, WAITER_EXIT, failure);
    if (r < 0 || owed)
        return r;
    launch_describe(process, process->last_pid, &message);
    size_t count = process->pidfd >= 0;
    if (count > 0)
        HOLDEN_SET(&message, started, pidfd, 0);
    peer_reply(request->peer, HOLDEN_MESSAGE_started, request->id, &message, &process->pidfd,
               count);
    if (wait && over)
        tell_end(request, process);
    return 0;
}

int request_start(struct request *request, struct failure *failure) {
    const struct holden_start *start = request->message;
    uint64_t token = HOLDEN_HAS(start, start, token) ? start->token : 0;
    struct process *process =
        process_by_token(&request->agent->processes, token, request->peer->uid);
    if (process)
        return answer_again(request, process, start->wait, failure);
    if (request->agent->stopping)
        return failure_set(failure, HOLDEN_code_WRONG_STATE, NULL, "the agent is stopping");
    int r = start_make(request, &process, failure);
    if (r < 0)
        return r;
    /* The launch comes last: it cannot be taken back. */
    r = promise(request, process, WAITER_START, failure);
    if (r == 0 && start->wait)
        r = promise(request, process, WAITER_EXIT, failure);
    if (r == 0)
        r = launch_begin(process, failure);
    if (r < 0) {
        store_remove(&request->agent->store, process);
        process_free(process);
    }
    return r;
}

static int check_signal(bool given, uint32_t signal, struct failure *failure) {
    if (!given || (signal >= 1 && signal <= (uint32_t)SIGRTMAX))
        return 0;
    return failure_set(failure, HOLDEN_code_INVALID, "signal", "%u is no signal: 1 to %d", signal,
                       SIGRTMAX);
}

int request_stop(struct request *request, struct failure *failure) {
    const struct holden_stop *stop = request->message;
    struct process *process = request->target;
    int r = check_signal(HOLDEN_HAS(stop, stop, signal), stop->signal, failure);
    if (r < 0)
        return r;
    if (!process_alive(process))
        return done(request);
    r = promise(request, process, WAITER_STOP, failure);
    if (r < 0)
        return r;
    struct stop_request how = {.signal = (int)stop->signal,
                               .by = request->peer->uid,
                               .has_timeout = HOLDEN_HAS(stop, stop, timeout),
                               .timeout = stop->timeout,
                               .cause = HOLDEN_cause_STOPPED};
    return stop_begin(process, &how) < 0 ? no_memory(failure) : 0;
}

/* Who sends it is written down before it is sent: the process may end of it while there is no
 * agent. Where that cannot be written, the signal goes out all the same. */
static int send_signal(const struct request *request, struct process *process, int signal,
                       bool all) {
    int64_t by = process->killed_by;
    int with = process->killed_with;
    process->killed_by = request->peer->uid;
    process->killed_with = signal;
    store_write(&request->agent->store, process);
    int r = stop_signal(process, signal, all);
    if (r < 0) {
        process->killed_by = by;
        process->killed_with = with;
        store_write(&request->agent->store, process);
    }
    return r;
}

int request_kill(struct request *request, struct failure *failure) {
    const struct holden_kill *kill_ = request->message;
    struct process *process = request->target;
    int r = check_signal(HOLDEN_HAS(kill_, kill, signal), kill_->signal, failure);
    if (r < 0)
        return r;
    int signal = HOLDEN_HAS(kill_, kill, signal) ? (int)kill_->signal : SIGTERM;
    r = send_signal(request, process, signal, kill_->all);
    if (r < 0)
        return failure_errno(failure, -r, "signal", "cannot send signal %d to %s", signal,
                             process->name);
    events_action(process, HOLDEN_event_kind_SIGNALLED, request->peer->uid, sigabbrev_np(signal));
    return done(request);
}

int request_restart(struct request *request, struct failure *failure) {
    const struct holden_restart *restart = request->message;
    struct process *process = request->target;
    uint64_t token = HOLDEN_HAS(restart, restart, token) ? restart->token : 0;
    if (token > 0 && process->restart_token == token)
        return answer_again(request, process, false, failure);
    if (request->agent->stopping)
        return failure_set(failure, HOLDEN_code_WRONG_STATE, NULL, "the agent is stopping");
    if (process->state == HOLDEN_state_STARTING)
        return failure_set(failure, HOLDEN_code_WRONG_STATE, NULL, "%s is still starting",
                           process->name);
    struct process *same = process_by_name(&request->agent->processes, holden_view(process->name));
    if (same != process && process_alive(same))
        return failure_set(failure, HOLDEN_code_EXISTS, "name", "%s is taken by a newer process",
                           process->name);
    int r = promise(request, process, WAITER_START, failure);
    if (r < 0)
        return r;
    if (process_alive(process)) {
        struct stop_request how = {
            .by = request->peer->uid, .cause = HOLDEN_cause_STOPPED, .restart = true,
            .restart_token = token};
        return stop_begin(process, &how) < 0 ? no_memory(failure) : 0;
    }
    process->restart_token = token;
    finish_start_again(process);
    return 0;
}

static int set_frozen(struct request *request, bool frozen, struct failure *failure) {
    struct process *process = request->target;
    _cleanup_close_ int directory = -1;
    if (process->state != HOLDEN_state_RUNNING)
        return failure_set(failure, HOLDEN_code_WRONG_STATE, NULL,
                           "%s is %s; only a running process can be %s", process->name,
                           holden_word(&holden_enum_state, process->state),
                           frozen ? "frozen" : "thawed");
    if (process->frozen == frozen)
        return done(request);
    int r = place_open(process, &directory);
    if (r == 0)
        r = cgroup_freeze(directory, frozen);
    if (r < 0)
        return failure_errno(failure, -r, "cgroup.freeze", "cannot %s %s",
                             frozen ? "freeze" : "thaw", process->name);
    process->frozen = frozen;
    if (process->watchdog)
        watchdog_begin(process);
    events_action(process, frozen ? HOLDEN_event_kind_FROZEN : HOLDEN_event_kind_THAWED,
                  request->peer->uid, NULL);
    return done(request);
}

int request_freeze(struct request *request, struct failure *failure) {
    return set_frozen(request, true, failure);
}

int request_thaw(struct request *request, struct failure *failure) {
    return set_frozen(request, false, failure);
}

int request_reload(struct request *request, struct failure *failure) {
    struct process *process = request->target;
    bool under_way = process->beside && process->beside->phase == PHASE_RELOAD;
    if (process->state != HOLDEN_state_RUNNING ||
        (process->main_ended && process->stays == STAY_NONE))
        return failure_set(failure, HOLDEN_code_WRONG_STATE, NULL,
                           "%s is %s; only a running process can be reloaded", process->name,
                           holden_word(&holden_enum_state, process->state));
    if (process->frozen)
        return failure_set(failure, HOLDEN_code_WRONG_STATE, NULL,
                           "%s is frozen; thaw it first", process->name);
    if (!beside_due(process, PHASE_RELOAD))
        return failure_set(failure, HOLDEN_code_INVALID, "ExecReload",
                           "%s has none; where a signal does it: kill -s HUP %s", process->name,
                           process->name);
    if (under_way && !HOLDEN_HAS((const struct holden_reload *)request->message, reload, id))
        return failure_set(failure, HOLDEN_code_WRONG_STATE, NULL, "%s is being reloaded already",
                           process->name);
    int r = promise(request, process, WAITER_RELOAD, failure);
    if (r == 0 && !under_way)
        beside_begin(process, PHASE_RELOAD);
    return r;
}

int request_reset(struct request *request, struct failure *failure) {
    struct process *process = request->target;
    struct holden_done message = {0};
    if (process_alive(process))
        return failure_set(failure, HOLDEN_code_WRONG_STATE, NULL, "%s is %s; stop it first",
                           process->name, holden_word(&holden_enum_state, process->state));
    events_action(process, HOLDEN_event_kind_FORGOTTEN, request->peer->uid, NULL);
    /* Who stopped it may still wait for the keeper to reap it, and would for ever. */
    waiter_answer(process, WAITER_STOP, HOLDEN_MESSAGE_done, &message, NULL, 0);
    store_remove(&request->agent->store, process);
    process_free(process);
    return done(request);
}

int request_constrain(struct request *request, struct failure *failure) {
    const struct holden_constrain *constrain = request->message;
    struct holden_properties wanted, before = {0}, after = {0};
    struct holden_fault fault;
    struct buffer memory[2] = {0};
    if (holden_decode(&holden_record_properties, constrain->properties.bytes.data,
                      constrain->properties.bytes.size, &wanted, &fault) < 0)
        return failure_set(failure, HOLDEN_code_INVALID, NULL, "the properties do not decode");
    struct constraint constraint = {.wanted = &wanted, .dry_run = constrain->dry_run,
                                    .duration = constrain->duration, .by = request->peer->uid};
    const struct policy_caller caller = permit_caller(request->peer);
    const struct policy_target target = {request->target->owner,
                                         holden_view(request->target->name)};
    const char *rule;
    int r = start_check_properties(&wanted, failure);
    if (r == 0)
        r = permit_change(request->agent, &caller, &target, &wanted, &rule, failure);
    if (r == 0)
        r = constrain_apply(request->target, &constraint, &before, &after, memory, failure);
    if (r == 0) {
        struct holden_constrained message = {0};
        HOLDEN_SET(&message, constrained, before, (struct holden_nested){.value = &before});
        HOLDEN_SET(&message, constrained, after, (struct holden_nested){.value = &after});
        peer_reply(request->peer, HOLDEN_MESSAGE_constrained, request->id, &message, NULL, 0);
    }
    buffer_free(&memory[0]);
    buffer_free(&memory[1]);
    return r;
}

/* Every name must be there before the first is told, so that an error is the whole answer. */
static int list_named(struct request *request, const struct holden_list *list,
                      struct failure *failure) {
    struct holden_repeated left = list->name;
    struct holden_view name;
    size_t count = 0;
    _cleanup_free_ uint64_t *ids = calloc(list->name.count, sizeof(*ids));
    if (!ids)
        return no_memory(failure);
    while (count < list->name.count && holden_next_view(&left, &name)) {
        const struct process *process = process_by_text(&request->agent->processes, name);
        if (!process)
            return failure_set(failure, HOLDEN_code_NO_PROCESS, NULL,
                               "no process %.*s; `list -a` shows all", (int)name.size, name.data);
        if (permit_process(process, request->peer, HOLDEN_MESSAGE_list, failure) < 0)
            return -EREMOTEIO;
        ids[count++] = process->id;
    }
    return describe_stream(request->agent, request->peer, request->id, list, TAKE_POINTER(ids),
                           count) < 0
               ? no_memory(failure)
               : 0;
}

int request_list(struct request *request, struct failure *failure) {
    const struct holden_list *list = request->message;
    if (HOLDEN_HAS(list, list, name))
        return list_named(request, list, failure);
    return describe_stream(request->agent, request->peer, request->id, list, NULL, 0) < 0
               ? no_memory(failure) : 0;
}

int request_wait(struct request *request, struct failure *failure) {
    struct process *process = request->target;
    if (process_alive(process) && process->stays != STAY_EXITED)
        return promise(request, process, WAITER_EXIT, failure);
    tell_end(request, process);
    return 0;
}

/* Whether one of its streams leads to the journal, and under which identifier. */
static bool find_journal(const struct process *process, struct holden_view *identifier) {
    struct holden_start start;
    struct holden_properties p;
    struct holden_stream stream;
    struct holden_fault fault;
    process_request(process, &start, &p);
    const struct {
        bool set;
        const struct holden_nested *value;
    } streams[] = {
        {HOLDEN_HAS(&p, properties, standard_output), &p.standard_output},
        {HOLDEN_HAS(&p, properties, standard_error), &p.standard_error},
    };
    *identifier = process_identifier(process, &p);
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
        if (streams[i].set &&
            holden_decode(&holden_record_stream, streams[i].value->bytes.data,
                          streams[i].value->bytes.size, &stream, &fault) == 0 &&
            stream.kind == HOLDEN_stream_kind_JOURNAL)
            return true;
    return false;
}

static int tell_journal(struct request *request, struct holden_view identifier) {
    const struct process *process = request->target;
    struct holden_log_file message = {0};
    HOLDEN_SET(&message, log_file, live, process_alive(process));
    HOLDEN_SET(&message, log_file, journal, identifier);
    HOLDEN_SET(&message, log_file, since, process->started_realtime);
    if (!process_alive(process))
        HOLDEN_SET(&message, log_file, until, process->ended_realtime);
    peer_reply(request->peer, HOLDEN_MESSAGE_log_file, request->id, &message, NULL, 0);
    return 0;
}

int request_log(struct request *request, struct failure *failure) {
    struct process *process = request->target;
    _cleanup_close_ int fd = -1;
    int r = logfile_read(process, &fd);
    struct holden_view identifier;
    if (r == -ENOENT && find_journal(process, &identifier))
        return tell_journal(request, identifier);
    if (r == -ENOENT)
        return failure_set(failure, HOLDEN_code_INVALID, "log",
                           "%s has no log: its output leads elsewhere (StandardOutput=)",
                           process->name);
    if (r < 0)
        return failure_errno(failure, -r, "log", "cannot open the log of %s", process->name);
    struct holden_log_file message = {0};
    HOLDEN_SET(&message, log_file, file, 0);
    HOLDEN_SET(&message, log_file, live, process_alive(process));
    peer_reply(request->peer, HOLDEN_MESSAGE_log_file, request->id, &message, &fd, 1);
    return 0;
}
