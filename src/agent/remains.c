#include "agent/remains.h"

#include "agent/credential.h"
#include "agent/directory.h"

void remains_expect(struct process *process, const struct holden_properties *properties) {
    process->remains = HOLDEN_HAS(properties, properties, runtime_directory) ||
                       HOLDEN_HAS(properties, properties, set_credential);
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
}
