#include "agent/remains.h"

#include "agent/agent.h"
#include "agent/credential.h"
#include "agent/directory.h"
#include "agent/ipc.h"

void remains_expect(struct process *process, const struct holden_properties *properties) {
    process->remains = HOLDEN_HAS(properties, properties, runtime_directory) ||
                       HOLDEN_HAS(properties, properties, set_credential) ||
                       (HOLDEN_HAS(properties, properties, remove_ipc) && properties->remove_ipc);
}

/* What belongs to a user belongs to all of the user's processes. */
static bool is_last(const struct process *process) {
    const struct process *other;
    TAILQ_FOREACH(other, &process->agent->processes.order, order)
        if (other != process && other->user == process->user && process_alive(other))
            return false;
    return true;
}

void remains_clear(struct process *process, bool again) {
    struct holden_start start;
    struct holden_properties properties;
    if (!process->remains)
        return;
    process_request(process, &start, &properties);
    directory_remove(&properties, again);
    if (HOLDEN_HAS(&properties, properties, set_credential))
        credential_remove(process);
    if (HOLDEN_HAS(&properties, properties, remove_ipc) && properties.remove_ipc && !again &&
        is_last(process))
        ipc_remove(process->user);
    if (!again)
        dynamic_user_release(process);
}
