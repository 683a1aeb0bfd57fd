#include "agent/lift.h"

#include <string.h>

#include "common/cleanup.h"
#include "protocol/property.h"

#define INDEX(member) HOLDEN_INDEX(properties, member)

static const size_t identity[] = {
    INDEX(user), INDEX(group), INDEX(supplementary_groups),
};

/* As systemd 252 has it (exec_child() and apply_mount_namespace() in its src/core/execute.c). */
static const size_t sandbox[] = {
    INDEX(capability_bounding_set), INDEX(ambient_capabilities), INDEX(no_new_privileges),
    INDEX(secure_bits),
    INDEX(private_users),
    INDEX(read_only_paths), INDEX(inaccessible_paths), INDEX(exec_paths), INDEX(no_exec_paths),
    INDEX(private_tmp), INDEX(private_devices), INDEX(protect_system), INDEX(protect_home),
    INDEX(protect_proc), INDEX(proc_subset), INDEX(protect_kernel_tunables),
    INDEX(protect_kernel_modules), INDEX(protect_kernel_logs), INDEX(protect_control_groups),
    INDEX(protect_clock),
    INDEX(landlock_read_only_paths), INDEX(landlock_read_write_paths), INDEX(landlock_exec_paths),
    INDEX(app_armor_profile), INDEX(selinux_context), INDEX(smack_process_label),
};

static void take_out(struct holden_properties *properties, size_t index) {
    const struct holden_field *field = &holden_record_properties.fields[index];
    size_t size = field->repeated ? sizeof(struct holden_repeated) : holden_size(field->type);
    holden_unmark(properties, index);
    memset((uint8_t *)properties + field->offset, 0, size);
}

void lift_identity(uint32_t rights, struct holden_properties *properties) {
    for (size_t i = 0; rights != HOLDEN_exec_rights_UNIT && i < ARRAY_SIZE(identity); i++)
        take_out(properties, identity[i]);
}

void lift_sandbox(uint32_t rights, struct holden_properties *properties) {
    if (!lift_filter(rights))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(sandbox); i++)
        take_out(properties, sandbox[i]);
    for (size_t i = 0; i < HOLDEN_LIMITS; i++)
        take_out(properties, holden_limits[i].index);
}

bool lift_filter(uint32_t rights) {
    return rights == HOLDEN_exec_rights_FULL;
}
