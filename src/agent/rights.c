#include "agent/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/lift.h"
#include "agent/phase.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "protocol/property.h"

#define INDEX(member) HOLDEN_INDEX(properties, member)

enum { WEIGHT_USUAL = 100 };

/* Numbers that may be lower, but not higher than this. */
static const struct most_row {
    size_t index;
    uint64_t most;
} most_rows[] = {
    {INDEX(memory_low), 0},
    {INDEX(memory_min), 0},
    {INDEX(cpu_weight), WEIGHT_USUAL},
    {INDEX(io_weight), WEIGHT_USUAL},
};

/* What is made with root's rights, on paths that a user may have no right to. */
static const size_t roots[] = {
    INDEX(dynamic_user), INDEX(delegate), INDEX(disable_controllers), INDEX(slice),
    INDEX(secure_bits), INDEX(io_device_weight), INDEX(io_device_latency_target),
    INDEX(app_armor_profile), INDEX(selinux_context), INDEX(smack_process_label),
    INDEX(pid_file), INDEX(root_directory), INDEX(root_image), INDEX(root_image_options),
    INDEX(mount_api_vfs), INDEX(bind_paths),
    INDEX(bind_read_only_paths),
    INDEX(temporary_file_system), INDEX(read_write_paths), INDEX(read_only_paths),
    INDEX(inaccessible_paths), INDEX(exec_paths), INDEX(no_exec_paths), INDEX(private_mounts),
    INDEX(private_tmp), INDEX(private_devices), INDEX(protect_system), INDEX(protect_home),
    INDEX(protect_proc), INDEX(proc_subset), INDEX(protect_kernel_tunables),
    INDEX(protect_kernel_modules), INDEX(protect_kernel_logs), INDEX(protect_control_groups),
    INDEX(protect_clock), INDEX(protect_hostname), INDEX(private_network),
    INDEX(network_namespace_path), INDEX(private_ipc), INDEX(private_users), INDEX(private_pids),
    INDEX(runtime_directory), INDEX(state_directory), INDEX(cache_directory),
    INDEX(logs_directory), INDEX(configuration_directory),
};

static const void *member(const struct holden_properties *properties, size_t index) {
    return (const uint8_t *)properties + holden_record_properties.fields[index].offset;
}

static int refuse(size_t index, const char *what, struct failure *failure) {
    const char *name = holden_property(index)->name;
    return failure_set(failure, HOLDEN_code_NOT_PERMITTED, name, "only root may set %s=%s%s", name,
                       *what ? " " : "", what);
}

static int check_limit(const struct holden_limit *row, const struct holden_properties *properties,
                       struct failure *failure) {
    const struct holden_nested *nested = member(properties, row->index);
    struct holden_resource_limit wanted;
    struct holden_fault fault;
    struct rlimit own;
    if (holden_decode(&holden_record_resource_limit, nested->bytes.data, nested->bytes.size,
                      &wanted, &fault) < 0)
        return failure_set(failure, HOLDEN_code_INVALID, holden_property(row->index)->name,
                           "not a limit");
    /* The keeper's, which its children inherit: the agent has raised one of its own. */
    if (prlimit(getppid(), row->resource, NULL, &own) < 0)
        return failure_errno(failure, errno, holden_property(row->index)->name,
                             "cannot tell what it may be");
    return wanted.hard > own.rlim_max
               ? refuse(row->index, "above the agent's own hard limit", failure)
               : 0;
}

static int check_scheduling(const struct holden_properties *properties, struct failure *failure) {
    char path[64], text[32];
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, (id_t)getppid());
    if (HOLDEN_HAS(properties, properties, nice) && (errno != 0 || properties->nice < nice))
        return refuse(INDEX(nice), "lower than the agent's own", failure);
    if (HOLDEN_HAS(properties, properties, cpu_scheduling_policy) &&
        (properties->cpu_scheduling_policy == HOLDEN_cpu_policy_FIFO ||
         properties->cpu_scheduling_policy == HOLDEN_cpu_policy_RR))
        return refuse(INDEX(cpu_scheduling_policy), "to real time", failure);
    if (HOLDEN_HAS(properties, properties, io_scheduling_class) &&
        properties->io_scheduling_class == HOLDEN_io_class_REALTIME)
        return refuse(INDEX(io_scheduling_class), "to real time", failure);
    if (!HOLDEN_HAS(properties, properties, oom_score_adjust))
        return 0;
    snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)getppid());
    if (file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
        properties->oom_score_adjust < strtol(text, NULL, 10))
        return refuse(INDEX(oom_score_adjust), "lower than the agent's own", failure);
    return 0;
}

int rights_check_commands(const struct holden_start *start,
                          const struct holden_properties *properties, struct failure *failure) {
    static const char text[] = "only root may have a command run with full rights (the prefix +)";
    struct holden_exec exec;
    if (lift_filter(start->rights))
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "command", text);
    for (enum phase phase = 0; phase < PHASES; phase++)
        for (uint32_t step = 0; phase_command(properties, phase, step, &exec); step++)
            if (lift_filter(exec.rights))
                return failure_set(failure, HOLDEN_code_NOT_PERMITTED,
                                   phase_setting(phase, &exec), text);
    return 0;
}

int rights_check(const struct agent *agent, const struct holden_properties *properties,
                 const struct holden_properties *granted, struct failure *failure) {
    int r = check_scheduling(properties, failure);
    for (size_t i = 0; r == 0 && i < HOLDEN_LIMITS; i++)
        if (holden_has(properties, holden_limits[i].index))
            r = check_limit(&holden_limits[i], properties, failure);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(roots); i++)
        if (holden_has(properties, roots[i]) && !holden_has(granted, roots[i]))
            r = refuse(roots[i], "", failure);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(most_rows); i++)
        if (holden_has(properties, most_rows[i].index) &&
            *(const uint64_t *)member(properties, most_rows[i].index) > most_rows[i].most)
            r = refuse(most_rows[i].index, most_rows[i].most ? "above 100" : "", failure);
    if (r == 0 && HOLDEN_HAS(properties, properties, log_max) &&
        properties->log_max > agent->config.log_max)
        r = refuse(INDEX(log_max), "above that of the agent's configuration", failure);
    return r;
}
