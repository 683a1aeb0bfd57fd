#include "agent/linger.h"

#include <unistd.h>

#include "agent/agent.h"
#include "agent/finish.h"
#include "agent/launch.h"
#include "agent/outcome.h"
#include "agent/readiness.h"
#include "agent/sequence.h"
#include "agent/state.h"
#include "agent/waiter.h"
#include "common/cleanup.h"
#include "common/log.h"

bool linger_remains(struct process *process) {
    if (!process->remain)
        return false;
    outcome_explain(process);
    return sequence_success(process);
}

static enum stay choose(struct process *process) {
    if (!process->ran || process->complaint || sequence_before_main(process))
        return STAY_NONE;
    bool more = process->by_cgroup && !finish_is_empty(process);
    if (more && process->readiness && !readiness_without_main(process))
        return STAY_NONE;
    if (more)
        return STAY_CGROUP;
    return !process->readiness && linger_remains(process) ? STAY_EXITED : STAY_NONE;
}

/* Who reads what it writes would wait for ever for the end of that. */
static void close_streams(struct process *process) {
    for (size_t i = 0; i < ARRAY_SIZE(process->passed); i++) {
        cleanup_close(&process->passed[i]);
        process->passed[i] = -1;
    }
}

/* What was of the main process is let go. */
static void let_go(struct process *process) {
    pid_t pid = process->pid;
    process->end = sd_event_source_disable_unref(process->end);
    cleanup_close(&process->pidfd);
    process->pidfd = -1;
    if (process->stays == STAY_EXITED) {
        process->limit = sd_event_source_disable_unref(process->limit);
        close_streams(process);
    }
    process->leaving = false;
    process_set_pid(process, 0);
    int r = store_write(&process->agent->store, process);
    if (r < 0) {
        log_warning("%s: that its main process has ended could not be written down: %s",
                    process->name, strerror(-r));
        store_forget(&process->agent->store, process);
    }
    if (pid > 0)
        link_send_request(&process->agent->link, KEEPER_RELEASE, pid, 0);
}

/* Who asked for it has not been answered where it ended before its record was written, or where
 * there was no main process to wait for. */
static void answer_start(struct process *process) {
    if (process->readiness) {
        readiness_end(process);
        launch_ready(process);
    } else if (!process->recorded) {
        process->recorded = true;
        launch_tell(process, process->pid, process->pidfd);
    }
    process_launched(process);
}

bool linger(struct process *process) {
    struct holden_exited exited;
    enum stay stay = choose(process);
    if (stay == STAY_NONE || stay == process->stays)
        return stay != STAY_NONE;
    outcome_explain(process);
    process->stays = stay;
    answer_start(process);
    let_go(process);
    if (stay == STAY_EXITED) {
        finish_describe(process, &exited);
        waiter_answer(process, WAITER_EXIT, HOLDEN_MESSAGE_exited, &exited, NULL, 0);
    }
    return true;
}
