#include "agent/mount_place.h"

#include "common/cleanup.h"
#include "protocol/message.h"

#define INDEX(member) HOLDEN_INDEX(properties, member)
#define OPTIONAL PLAN_MOUNT_OPTIONAL
#define LITERAL PLAN_MOUNT_LITERAL
#define KERNEL (PLAN_MOUNT_OPTIONAL | PLAN_MOUNT_LITERAL)
#define EMPTY (PLAN_MOUNT_OPTIONAL | PLAN_MOUNT_RDONLY | PLAN_MOUNT_NODEV)
#define PRIVATE (PLAN_MOUNT_NOSUID | PLAN_MOUNT_NODEV)

/* A value of an enumeration or a boolean, as a bit of place.values. */
#define ON (1U << 1)
#define SYSTEM(value) (1U << HOLDEN_protect_system_##value)
#define HOME(value) (1U << HOLDEN_protect_home_##value)
#define SYSTEM_YES (SYSTEM(YES) | SYSTEM(FULL))

#define FEW "size=4m,nr_inodes=1k"

/* What each property that names no paths means, as in systemd 252. */
static const struct mount_place places[] = {
    {INDEX(private_tmp), ON, PLAN_MOUNT_PRIVATE, PRIVATE, "/tmp", "mode=1777"},
    {INDEX(private_tmp), ON, PLAN_MOUNT_PRIVATE, PRIVATE, "/var/tmp", "mode=1777"},
    {INDEX(private_devices), ON, PLAN_MOUNT_DEVICES, LITERAL | PLAN_MOUNT_RDONLY, "/dev", "4m"},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/acpi", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/apm", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/asound", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/bus", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/fs", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/irq", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_INACCESSIBLE, KERNEL, "/proc/kallsyms", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_INACCESSIBLE, KERNEL, "/proc/kcore", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/latency_stats", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/mtrr", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/scsi", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/sys", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/sysrq-trigger", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/timer_stats", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, LITERAL, "/sys", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/sys/fs/bpf", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_AS_IS, KERNEL, "/sys/fs/cgroup", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_AS_IS, KERNEL, "/sys/fs/selinux", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/sys/kernel/debug", NULL},
    {INDEX(protect_kernel_tunables), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/sys/kernel/tracing", NULL},
    {INDEX(protect_kernel_modules), ON, PLAN_MOUNT_INACCESSIBLE, OPTIONAL, "/lib/modules", NULL},
    {INDEX(protect_kernel_modules), ON, PLAN_MOUNT_INACCESSIBLE, OPTIONAL, "/usr/lib/modules",
     NULL},
    {INDEX(protect_kernel_logs), ON, PLAN_MOUNT_INACCESSIBLE, KERNEL, "/proc/kmsg", NULL},
    {INDEX(protect_kernel_logs), ON, PLAN_MOUNT_INACCESSIBLE, KERNEL, "/dev/kmsg", NULL},
    {INDEX(protect_control_groups), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/sys/fs/cgroup", NULL},
    {INDEX(protect_hostname), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/sys/kernel/hostname", NULL},
    {INDEX(protect_hostname), ON, PLAN_MOUNT_READ_ONLY, KERNEL, "/proc/sys/kernel/domainname",
     NULL},
    {INDEX(private_ipc), ON, PLAN_MOUNT_QUEUES, KERNEL, "/dev/mqueue", NULL},
    {INDEX(protect_home), HOME(YES), PLAN_MOUNT_INACCESSIBLE, OPTIONAL, "/home", NULL},
    {INDEX(protect_home), HOME(YES), PLAN_MOUNT_INACCESSIBLE, OPTIONAL, "/run/user", NULL},
    {INDEX(protect_home), HOME(YES), PLAN_MOUNT_INACCESSIBLE, OPTIONAL, "/root", NULL},
    {INDEX(protect_home), HOME(READ_ONLY), PLAN_MOUNT_READ_ONLY, OPTIONAL, "/home", NULL},
    {INDEX(protect_home), HOME(READ_ONLY), PLAN_MOUNT_READ_ONLY, OPTIONAL, "/run/user", NULL},
    {INDEX(protect_home), HOME(READ_ONLY), PLAN_MOUNT_READ_ONLY, OPTIONAL, "/root", NULL},
    {INDEX(protect_home), HOME(TMPFS), PLAN_MOUNT_TEMPORARY, EMPTY, "/home", "mode=0755," FEW},
    {INDEX(protect_home), HOME(TMPFS), PLAN_MOUNT_TEMPORARY, EMPTY, "/run/user", "mode=0755," FEW},
    {INDEX(protect_home), HOME(TMPFS), PLAN_MOUNT_TEMPORARY, EMPTY, "/root", "mode=0700," FEW},
    {INDEX(protect_system), SYSTEM_YES, PLAN_MOUNT_READ_ONLY, 0, "/usr", NULL},
    {INDEX(protect_system), SYSTEM_YES, PLAN_MOUNT_READ_ONLY, OPTIONAL, "/boot", NULL},
    {INDEX(protect_system), SYSTEM_YES, PLAN_MOUNT_READ_ONLY, OPTIONAL, "/efi", NULL},
    {INDEX(protect_system), SYSTEM_YES, PLAN_MOUNT_READ_ONLY, OPTIONAL, "/lib", NULL},
    {INDEX(protect_system), SYSTEM_YES, PLAN_MOUNT_READ_ONLY, OPTIONAL, "/lib64", NULL},
    {INDEX(protect_system), SYSTEM_YES, PLAN_MOUNT_READ_ONLY, OPTIONAL, "/bin", NULL},
    {INDEX(protect_system), SYSTEM_YES, PLAN_MOUNT_READ_ONLY, OPTIONAL, "/sbin", NULL},
    {INDEX(protect_system), SYSTEM(FULL), PLAN_MOUNT_READ_ONLY, 0, "/etc", NULL},
    {INDEX(protect_system), SYSTEM(STRICT), PLAN_MOUNT_READ_ONLY, LITERAL, "/", NULL},
    {INDEX(protect_system), SYSTEM(STRICT), PLAN_MOUNT_AS_IS, KERNEL, "/proc", NULL},
    {INDEX(protect_system), SYSTEM(STRICT), PLAN_MOUNT_AS_IS, KERNEL, "/sys", NULL},
    {INDEX(protect_system), SYSTEM(STRICT), PLAN_MOUNT_AS_IS, KERNEL, "/dev", NULL},
    {INDEX(protect_system), SYSTEM(STRICT), PLAN_MOUNT_AS_IS, OPTIONAL, "/home", NULL},
    {INDEX(protect_system), SYSTEM(STRICT), PLAN_MOUNT_AS_IS, OPTIONAL, "/run/user", NULL},
    {INDEX(protect_system), SYSTEM(STRICT), PLAN_MOUNT_AS_IS, OPTIONAL, "/root", NULL},
};

const struct mount_place *mount_place(size_t number) {
    return number < ARRAY_SIZE(places) ? &places[number] : NULL;
}
