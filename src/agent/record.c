#include "agent/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/beside.h"
#include "agent/denial.h"
#include "agent/state.h"
#include "agent/statement.h"
#include "common/cleanup.h"
#include "common/name.h"

/* ---- writing ---- */

static void fill_stop(const struct stopping *stopping, struct holden_kept_stop *stop) {
    HOLDEN_SET(stop, kept_stop, by, stopping->by);
    HOLDEN_SET(stop, kept_stop, cause, stopping->cause);
    HOLDEN_SET(stop, kept_stop, signal, (uint32_t)stopping->signal);
    HOLDEN_SET(stop, kept_stop, asked, stopping->asked);
    HOLDEN_SET(stop, kept_stop, kills, stopping->kills);
    HOLDEN_SET(stop, kept_stop, mixed, stopping->mixed);
    HOLDEN_SET(stop, kept_stop, restart, stopping->restart);
    if (stopping->restart_token > 0)
        HOLDEN_SET(stop, kept_stop, restart_token, stopping->restart_token);
    HOLDEN_SET(stop, kept_stop, timeout, stopping->timeout);
    if (stopping->said)
        HOLDEN_SET(stop, kept_stop, said, true);
    if (stopping->triggered)
        HOLDEN_SET(stop, kept_stop, triggered, true);
    if (stopping->overdue)
        HOLDEN_SET(stop, kept_stop, overdue, true);
    if (stopping->last)
        HOLDEN_SET(stop, kept_stop, last, true);
    if (stopping->deadline != UINT64_MAX)
        HOLDEN_SET(stop, kept_stop, deadline, stopping->deadline);
}

static void fill_command(const struct beside *beside, struct holden_kept_command *command) {
    HOLDEN_SET(command, kept_command, phase, beside->phase);
    HOLDEN_SET(command, kept_command, step, beside->step);
    if (beside->chosen)
        HOLDEN_SET(command, kept_command, chosen, true);
    if (beside->late)
        HOLDEN_SET(command, kept_command, late, true);
    if (beside->deadline != UINT64_MAX)
        HOLDEN_SET(command, kept_command, deadline, beside->deadline);
}

static void fill_outcome(const struct process *process, struct holden_kept *kept) {
    const struct outcome *outcome = &process->outcome;
    HOLDEN_SET(kept, kept, code, (uint32_t)outcome->code);
    HOLDEN_SET(kept, kept, status, (uint32_t)outcome->status);
    HOLDEN_SET(kept, kept, cause, outcome->cause);
    if (outcome->explanation)
        HOLDEN_SET(kept, kept, explanation, holden_view(outcome->explanation));
    if (process->usage)
        HOLDEN_SET(kept, kept, usage, (struct holden_nested){.value = process->usage});
}

static void fill_living(const struct process *process, struct holden_kept_stop *stop,
                        struct holden_kept_command *command, struct holden_kept *kept) {
    const struct temporary *temporary = process->temporary;
    if (process->pid > 0)
        HOLDEN_SET(kept, kept, pid, (uint32_t)process->pid);
    if (process->known > 0)
        HOLDEN_SET(kept, kept, known, process->known);
    if (!process->ran)
        HOLDEN_SET(kept, kept, setup, true);
    if (process->readiness || (process->ran && process->state == HOLDEN_state_STARTING))
        HOLDEN_SET(kept, kept, unready, true);
    if (process->stopping) {
        fill_stop(process->stopping, stop);
        HOLDEN_SET(kept, kept, stop, (struct holden_nested){.value = stop});
    }
    if (process->beside) {
        fill_command(process->beside, command);
        HOLDEN_SET(kept, kept, command, (struct holden_nested){.value = command});
    }
    if (process->stays)
        HOLDEN_SET(kept, kept, stays, process->stays);
    if (process->over)
        HOLDEN_SET(kept, kept, over, process->over);
    if (process->complaint)
        HOLDEN_SET(kept, kept, complaint, holden_view(process->complaint));
    /* Where ExecStopPost= follows, what it is told of the end is what will be told of it. */
    if (process->outcome.explanation)
        fill_outcome(process, kept);
    if (temporary) {
        const struct holden_view before = {(const char *)temporary->before, temporary->size};
        HOLDEN_SET(kept, kept, before, (struct holden_nested){.bytes = before});
        HOLDEN_SET(kept, kept, until, temporary->until);
    }
    if (process->killed_by >= 0) {
        HOLDEN_SET(kept, kept, killed_by, (uint32_t)process->killed_by);
        HOLDEN_SET(kept, kept, killed_with, (uint32_t)process->killed_with);
    }
}

static void fill_ended(const struct process *process, struct holden_kept *kept) {
    HOLDEN_SET(kept, kept, ended, process->ended_realtime);
    HOLDEN_SET(kept, kept, ended_monotonic, process->ended_monotonic);
    fill_outcome(process, kept);
}

int record_encode(const struct process *process, const char *boot, struct buffer *out) {
    struct holden_kept kept = {0};
    struct holden_kept_stop stop = {0};
    struct holden_kept_command command = {0};
    struct holden_statement statement;
    struct holden_refusal refusals[DENIALS_MOST];
    struct holden_nested nested[DENIALS_MOST];
    HOLDEN_SET(&kept, kept, version, RECORD_VERSION);
    HOLDEN_SET(&kept, kept, boot, holden_view(boot));
    HOLDEN_SET(&kept, kept, id, process->id);
    HOLDEN_SET(&kept, kept, name, holden_view(process->name));
    HOLDEN_SET(&kept, kept, state, process->state);
    HOLDEN_SET(&kept, kept, owner, process->owner);
    HOLDEN_SET(&kept, kept, owner_group, process->owner_gid);
    HOLDEN_SET(&kept, kept, user, process->user);
    HOLDEN_SET(&kept, kept, request,
               (struct holden_view){(const char *)process->request, process->request_size});
    HOLDEN_SET(&kept, kept, started, process->started_realtime);
    HOLDEN_SET(&kept, kept, started_monotonic, process->started_monotonic);
    HOLDEN_SET(&kept, kept, restarts, process->restarts);
    HOLDEN_SET(&kept, kept, log, process->has_log);
    if (process->restart_token > 0)
        HOLDEN_SET(&kept, kept, restart_token, process->restart_token);
    if (process->step > 0)
        HOLDEN_SET(&kept, kept, step, process->step);
    if (process->step_chosen)
        HOLDEN_SET(&kept, kept, step_chosen, true);
    if (process->last_pid > 0)
        HOLDEN_SET(&kept, kept, last_pid, (uint32_t)process->last_pid);
    if (process_alive(process))
        fill_living(process, &stop, &command, &kept);
    else
        fill_ended(process, &kept);
    if (statement_fill(process, &statement))
        HOLDEN_SET(&kept, kept, statement, (struct holden_nested){.value = &statement});
    if (process->learned)
        HOLDEN_SET(&kept, kept, learned,
                   (struct holden_view){(const char *)process->learned, LEARNED_BYTES});
    if (process->denials) {
        HOLDEN_SET(&kept, kept, refusal, denial_encode(process->denials, refusals, nested));
        HOLDEN_SET(&kept, kept, refused_further, process->denials->further);
    }
    return holden_encode(&holden_record_kept, &kept, out);
}

/* ---- reading ---- */

static bool request_decodes(struct holden_view request) {
    struct holden_start start;
    struct holden_fault fault;
    return holden_decode(&holden_record_start, request.data, request.size, &start, &fault) == 0;
}

const char *record_fault(const struct holden_kept *kept, const char *boot, uint64_t id) {
    bool alive = state_alive(kept->state);
    bool setup = kept->setup || (kept->state == HOLDEN_state_STARTING && !kept->unready);
    if (kept->version > RECORD_VERSION)
        return "it was written by a newer agent";
    if (!holden_view_is(kept->boot, boot))
        return "it is from another boot";
    if (kept->id != id)
        return "it is of another id than its name says";
    if (id > INT64_MAX)
        return "no agent gives such an id";
    if (!name_valid(kept->name.data, kept->name.size))
        return "the name in it is none";
    if (!request_decodes(kept->request))
        return "the request in it is not whole";
    if (kept->stays > STAY_EXITED)
        return "why it goes on is not known";
    bool named = HOLDEN_HAS(kept, kept, pid) && kept->pid != 0;
    if (alive && !setup && kept->stays == STAY_NONE && !named)
        return "it is of a running process and names no pid";
    if (kept->pid > INT32_MAX)
        return "the pid in it is none";
    return NULL;
}

static int take_stop(struct process *process, const struct holden_kept *kept) {
    struct holden_kept_stop stop;
    struct holden_fault fault;
    if (!HOLDEN_HAS(kept, kept, stop) ||
        holden_decode(&holden_record_kept_stop, kept->stop.bytes.data, kept->stop.bytes.size, &stop,
                      &fault) < 0)
        return 0;
    process->stopping = calloc(1, sizeof(*process->stopping));
    if (!process->stopping)
        return -ENOMEM;
    *process->stopping = (struct stopping){
        .deadline = HOLDEN_HAS(&stop, kept_stop, deadline) ? stop.deadline : UINT64_MAX,
        .timeout = HOLDEN_HAS(&stop, kept_stop, timeout) ? stop.timeout : UINT64_MAX,
        .overdue = stop.overdue,
        .last = stop.last,
        .said = stop.said,
        .triggered = stop.triggered,
        .signal = (int)stop.signal,
        .asked = stop.asked,
        .kills = stop.kills,
        .mixed = stop.mixed,
        .by = stop.by,
        .cause = stop.cause,
        .restart = stop.restart,
        .restart_token = stop.restart_token,
    };
    return 0;
}

static int take_temporary(struct process *process, const struct holden_kept *kept) {
    if (!HOLDEN_HAS(kept, kept, before))
        return 0;
    process->temporary = calloc(1, sizeof(*process->temporary));
    if (!process->temporary)
        return -ENOMEM;
    size_t size = kept->before.bytes.size;
    process->temporary->until = kept->until;
    process->temporary->before = malloc(size + 1);
    if (!process->temporary->before)
        return -ENOMEM;
    memcpy(process->temporary->before, kept->before.bytes.data, size);
    process->temporary->size = size;
    return 0;
}

static int take_outcome(struct process *process, const struct holden_kept *kept) {
    struct holden_fault fault;
    process->outcome.code = (int)kept->code;
    process->outcome.status = (int)kept->status;
    process->outcome.cause = kept->cause;
    if (HOLDEN_HAS(kept, kept, explanation) &&
        !(process->outcome.explanation =
              strndup(kept->explanation.data, kept->explanation.size)))
        return -ENOMEM;
    if (!HOLDEN_HAS(kept, kept, usage))
        return 0;
    process->usage = calloc(1, sizeof(*process->usage));
    if (!process->usage)
        return -ENOMEM;
    if (holden_decode(&holden_record_usage, kept->usage.bytes.data, kept->usage.bytes.size,
                      process->usage, &fault) < 0) {
        free(process->usage);
        process->usage = NULL;
    }
    return 0;
}

static int take_command(struct process *process, const struct holden_kept *kept) {
    struct holden_kept_command command;
    struct holden_fault fault;
    process->over = kept->over;
    if (HOLDEN_HAS(kept, kept, complaint) &&
        !(process->complaint = strndup(kept->complaint.data, kept->complaint.size)))
        return -ENOMEM;
    if (!HOLDEN_HAS(kept, kept, command) ||
        holden_decode(&holden_record_kept_command, kept->command.bytes.data,
                      kept->command.bytes.size, &command, &fault) < 0 ||
        command.phase >= PHASES)
        return 0;
    struct beside *beside = beside_make(process, command.phase);
    if (!beside)
        return -ENOMEM;
    beside->step = command.step;
    beside->chosen = command.chosen;
    beside->late = command.late;
    if (HOLDEN_HAS(&command, kept_command, deadline))
        beside->deadline = command.deadline;
    return 0;
}

static int take_living(struct process *process, const struct holden_kept *kept) {
    process->known = kept->known;
    process->ran = !kept->setup && (kept->state != HOLDEN_state_STARTING || kept->unready);
    process->recorded = process->ran;
    process->stays = kept->stays;
    process->main_ended = process->stays != STAY_NONE;
    if (HOLDEN_HAS(kept, kept, killed_by)) {
        process->killed_by = kept->killed_by;
        process->killed_with = (int)kept->killed_with;
    }
    int r = take_stop(process, kept);
    if (r == 0)
        r = take_command(process, kept);
    if (r == 0)
        r = take_outcome(process, kept);
    return r < 0 ? r : take_temporary(process, kept);
}

static int take_ended(struct process *process, const struct holden_kept *kept) {
    process->ended_realtime = kept->ended;
    process->ended_monotonic = kept->ended_monotonic;
    return take_outcome(process, kept);
}

int record_take(struct process *process, const struct holden_kept *kept) {
    process->owner = kept->owner;
    process->owner_gid = kept->owner_group;
    process->user = kept->user;
    process->started_realtime = kept->started;
    process->started_monotonic = kept->started_monotonic;
    process->restarts = kept->restarts;
    process->restart_token = kept->restart_token;
    process->last_pid = (pid_t)kept->last_pid;
    process->step = kept->step;
    process->step_chosen = kept->step_chosen;
    process->has_log = kept->log;
    if (HOLDEN_HAS(kept, kept, statement) && statement_take(process, &kept->statement) < 0)
        return -ENOMEM;
    if (HOLDEN_HAS(kept, kept, refusal))
        process->denials = denial_decode(kept->refusal, kept->refused_further);
    if (HOLDEN_HAS(kept, kept, learned) && kept->learned.size == LEARNED_BYTES &&
        (process->learned = malloc(LEARNED_BYTES)))
        memcpy(process->learned, kept->learned.data, LEARNED_BYTES);
    uint8_t *request = malloc(kept->request.size + 1);
    if (!request)
        return -ENOMEM;
    memcpy(request, kept->request.data, kept->request.size);
    process_set_request(process, request, kept->request.size);
    return state_alive(kept->state) ? take_living(process, kept) : take_ended(process, kept);
}
