#include "agent/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/capability.h"
#include "agent/cgroup.h"
#include "agent/plan_build.h"
#include "common/cleanup.h"
#include "common/file.h"

#define INDEX(member) HOLDEN_INDEX(properties, member)

enum {
    WALKS_MOST = 32,
    IO_PROCESS = 1, /* IOPRIO_WHO_PROCESS of ioprio_set(2), which also means a thread */
    IO_CLASS = 13,  /* where its class begins */
    CPUS = 1024,    /* bytes of a mask */
};

/* What is to be in force, as the kernel has it. */
struct goal {
    const struct holden_properties *wanted;
    struct plan plan; /* only what plan_tuning() sets */
};

/* Gives it to one process or thread: 1, or 0 where it had it before; -errno, -EXDEV where the
 * kernel took something else. */
typedef int give(pid_t id, const struct goal *goal, size_t index);
typedef bool get(pid_t id, size_t index, struct holden_properties *now,
                 struct attributes_room *room);

/* ---- niceness ---- */

static int read_nice(pid_t id, int64_t *nice) {
    errno = 0;
    *nice = getpriority(PRIO_PROCESS, (id_t)id);
    return errno ? -errno : 0;
}

static int give_nice(pid_t id, const struct goal *goal, size_t index) {
    int64_t now;
    (void)index;
    int r = read_nice(id, &now);
    if (r < 0 || now == goal->wanted->nice)
        return r;
    return setpriority(PRIO_PROCESS, (id_t)id, (int)goal->wanted->nice) < 0 ? -errno : 1;
}

static bool get_nice(pid_t id, size_t index, struct holden_properties *now,
                     struct attributes_room *room) {
    (void)index;
    (void)room;
    return read_nice(id, &now->nice) == 0;
}

/* ---- a number in a file of /proc ---- */

static int read_number(pid_t id, const char *file, int64_t *number) {
    char path[64], text[32];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)id, file);
    ssize_t size = file_read(AT_FDCWD, path, text, sizeof(text));
    if (size < 0)
        return size == -ENOENT ? -ESRCH : (int)size;
    *number = strtoll(text, NULL, 10);
    return 0;
}

static int give_number(pid_t id, const char *file, int64_t wanted) {
    char path[64], text[32];
    int64_t now;
    int r = read_number(id, file, &now);
    if (r < 0 || now == wanted)
        return r;
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)id, file);
    snprintf(text, sizeof(text), "%" PRId64, wanted);
    r = file_write(AT_FDCWD, path, text);
    return r == 0 ? 1 : r == -ENOENT ? -ESRCH : r;
}

static int give_oom_score(pid_t id, const struct goal *goal, size_t index) {
    (void)index;
    return give_number(id, "oom_score_adj", goal->wanted->oom_score_adjust);
}

static bool get_oom_score(pid_t id, size_t index, struct holden_properties *now,
                          struct attributes_room *room) {
    (void)index;
    (void)room;
    return read_number(id, "oom_score_adj", &now->oom_score_adjust) == 0;
}

static int give_slack(pid_t id, const struct goal *goal, size_t index) {
    (void)index;
    return give_number(id, "timerslack_ns", (int64_t)goal->wanted->timer_slack);
}

static bool get_slack(pid_t id, size_t index, struct holden_properties *now,
                      struct attributes_room *room) {
    int64_t slack;
    (void)index;
    (void)room;
    if (read_number(id, "timerslack_ns", &slack) < 0)
        return false;
    now->timer_slack = (uint64_t)slack;
    return true;
}

/* ---- CPUs ---- */

/* How many bytes of the mask there are up to the last CPU in it; -errno. */
static ssize_t read_cpus(pid_t id, uint8_t mask[CPUS]) {
    long size = syscall(SYS_sched_getaffinity, id, CPUS, mask);
    if (size < 0)
        return -errno;
    while (size > 0 && mask[size - 1] == 0)
        size--;
    return size;
}

static bool same_cpus(const uint8_t *mask, ssize_t size, struct holden_view wanted) {
    while (wanted.size > 0 && wanted.data[wanted.size - 1] == 0)
        wanted.size--;
    return (size_t)size == wanted.size && memcmp(mask, wanted.data, wanted.size) == 0;
}

static int give_cpus(pid_t id, const struct goal *goal, size_t index) {
    struct holden_view wanted = goal->wanted->cpu_affinity;
    uint8_t mask[CPUS], given[CPUS] = {0};
    (void)index;
    ssize_t size = read_cpus(id, mask);
    if (size < 0 || same_cpus(mask, size, wanted))
        return size < 0 ? (int)size : 0;
    memcpy(given, wanted.data, wanted.size < CPUS ? wanted.size : CPUS);
    if (syscall(SYS_sched_setaffinity, id, CPUS, given) < 0)
        return -errno;
    size = read_cpus(id, mask);
    return size < 0 ? (int)size : same_cpus(mask, size, wanted) ? 1 : -EXDEV;
}

static bool get_cpus(pid_t id, size_t index, struct holden_properties *now,
                     struct attributes_room *room) {
    (void)index;
    ssize_t size = read_cpus(id, room->cpus);
    now->cpu_affinity = (struct holden_view){(const char *)room->cpus, size < 0 ? 0 : (size_t)size};
    return size > 0;
}

/* ---- scheduling ---- */

static int give_policy(pid_t id, const struct goal *goal, size_t index) {
    struct sched_param now, wanted = {.sched_priority = (int)goal->plan.priority};
    bool real_time = goal->plan.priority > 0;
    if (index == INDEX(cpu_scheduling_priority) && !real_time)
        return -EDOM;
    int policy = sched_getscheduler(id);
    if (policy < 0 || sched_getparam(id, &now) < 0)
        return -errno;
    if (policy == (int)goal->plan.policy && now.sched_priority == wanted.sched_priority)
        return 0;
    return sched_setscheduler(id, (int)goal->plan.policy, &wanted) < 0 ? -errno : 1;
}

static bool get_policy(pid_t id, size_t index, struct holden_properties *now,
                       struct attributes_room *room) {
    struct sched_param param;
    int policy = sched_getscheduler(id);
    (void)room;
    if (policy < 0 || sched_getparam(id, &param) < 0)
        return false;
    if (index == INDEX(cpu_scheduling_policy))
        now->cpu_scheduling_policy = (uint32_t)(policy & ~SCHED_RESET_ON_FORK);
    else if (index == INDEX(cpu_scheduling_reset_on_fork))
        now->cpu_scheduling_reset_on_fork = policy & SCHED_RESET_ON_FORK;
    else
        now->cpu_scheduling_priority = param.sched_priority;
    return index != INDEX(cpu_scheduling_priority) || param.sched_priority > 0;
}

static int give_io(pid_t id, const struct goal *goal, size_t index) {
    long now = syscall(SYS_ioprio_get, IO_PROCESS, id);
    (void)index;
    if (now < 0)
        return -errno;
    if (now == (long)goal->plan.io_priority)
        return 0;
    return syscall(SYS_ioprio_set, IO_PROCESS, id, (int)goal->plan.io_priority) < 0 ? -errno : 1;
}

static bool get_io(pid_t id, size_t index, struct holden_properties *now,
                   struct attributes_room *room) {
    long value = syscall(SYS_ioprio_get, IO_PROCESS, id);
    (void)room;
    if (value < 0)
        return false;
    now->io_scheduling_class = (uint32_t)value >> IO_CLASS;
    if (index == INDEX(io_scheduling_priority))
        now->io_scheduling_priority = value & ((1 << IO_CLASS) - 1);
    return index == INDEX(io_scheduling_class) || value >> IO_CLASS != HOLDEN_io_class_NONE;
}

/* ---- limits of setrlimit(2) ---- */

/* The place of a property among the limits. */
static size_t limit_of(size_t index) {
    size_t i = 0;
    while (holden_limits[i].index != index)
        i++;
    return i;
}

static int read_limit(const struct holden_properties *properties, size_t index,
                      struct rlimit *limit) {
    const struct holden_nested *nested = (const void *)((const uint8_t *)properties +
        holden_record_properties.fields[index].offset);
    struct holden_resource_limit wanted;
    struct holden_fault fault;
    if (nested->value)
        wanted = *(const struct holden_resource_limit *)nested->value;
    else if (holden_decode(&holden_record_resource_limit, nested->bytes.data, nested->bytes.size,
                           &wanted, &fault) < 0)
        return -EINVAL;
    *limit = (struct rlimit){wanted.soft, wanted.hard};
    return 0;
}

static int give_limit(pid_t id, const struct goal *goal, size_t index) {
    int resource = holden_limits[limit_of(index)].resource;
    struct rlimit wanted, now;
    int r = read_limit(goal->wanted, index, &wanted);
    if (r < 0)
        return r;
    if (prlimit(id, resource, NULL, &now) < 0)
        return -errno;
    if (now.rlim_cur == wanted.rlim_cur && now.rlim_max == wanted.rlim_max)
        return 0;
    return prlimit(id, resource, &wanted, NULL) < 0 ? -errno : 1;
}

static bool get_limit(pid_t id, size_t index, struct holden_properties *now,
                      struct attributes_room *room) {
    size_t number = limit_of(index);
    struct rlimit limit;
    if (prlimit(id, holden_limits[number].resource, NULL, &limit) < 0)
        return false;
    room->limits[number] = (struct holden_resource_limit){0};
    HOLDEN_SET(&room->limits[number], resource_limit, soft, limit.rlim_cur);
    HOLDEN_SET(&room->limits[number], resource_limit, hard, limit.rlim_max);
    struct holden_nested *nested =
        (void *)((uint8_t *)now + holden_record_properties.fields[index].offset);
    *nested = (struct holden_nested){.value = &room->limits[number]};
    return true;
}

/* ---- all of them ---- */

static const struct row {
    give *give;
    get *get;
    bool threads; /* each thread has its own */
} rows[HOLDEN_PROPERTIES] = {
    [INDEX(nice)] = {give_nice, get_nice, true},
    [INDEX(cpu_affinity)] = {give_cpus, get_cpus, true},
    [INDEX(cpu_scheduling_policy)] = {give_policy, get_policy, true},
    [INDEX(cpu_scheduling_priority)] = {give_policy, get_policy, true},
    [INDEX(cpu_scheduling_reset_on_fork)] = {give_policy, get_policy, true},
    [INDEX(io_scheduling_class)] = {give_io, get_io, true},
    [INDEX(io_scheduling_priority)] = {give_io, get_io, true},
    [INDEX(timer_slack)] = {give_slack, get_slack, true},
    [INDEX(oom_score_adjust)] = {give_oom_score, get_oom_score, false},
#define PROPERTY(...)
#define LIMIT(Name, member, tag, SYNTAX, RESOURCE, doc) \
    [INDEX(member)] = {give_limit, get_limit, false},
#include "protocol/properties.def"
};

struct walk {
    struct goal goal;
    size_t index;  /* of the property at hand */
    bool changed;
};

/* Who has ended meanwhile needs nothing. */
static int give_one(struct walk *walk, pid_t id) {
    int r = rows[walk->index].give(id, &walk->goal, walk->index);
    walk->changed = walk->changed || r > 0;
    return r < 0 && r != -ESRCH ? r : 0;
}

static int give_threads(struct walk *walk, pid_t pid) {
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    int r = tasks || errno == ENOENT ? 0 : -errno;
    for (struct dirent *entry; r == 0 && tasks && (entry = readdir(tasks));)
        if (entry->d_name[0] != '.')
            r = give_one(walk, (pid_t)strtol(entry->d_name, NULL, 10));
    if (tasks)
        closedir(tasks);
    return r;
}

static int visit(pid_t pid, int pidfd, void *data) {
    struct walk *walk = data;
    int r = 0;
    (void)pidfd;
    for (size_t i = 0; r == 0 && i < HOLDEN_PROPERTIES; i++) {
        if (!rows[i].give || !holden_has(walk->goal.wanted, i))
            continue;
        walk->index = i;
        r = rows[i].threads ? give_threads(walk, pid) : give_one(walk, pid);
    }
    return r;
}

bool attributes_known(size_t index) {
    return rows[index].give != NULL;
}

int attributes_check_return(const struct holden_properties *wanted,
                            const struct holden_properties *before, struct failure *failure) {
    if (capability_held(CAP_SYS_RESOURCE))
        return 0;
    for (size_t i = 0; i < HOLDEN_LIMITS; i++) {
        size_t index = holden_limits[i].index;
        struct rlimit to, from;
        if (holden_has(wanted, index) && holden_has(before, index) &&
            read_limit(wanted, index, &to) == 0 && read_limit(before, index, &from) == 0 &&
            to.rlim_max < from.rlim_max)
            return failure_set(failure, HOLDEN_code_UNSUPPORTED, holden_property(index)->name,
                               "without CAP_SYS_RESOURCE the agent cannot raise a hard limit "
                               "again; change the soft one only (SOFT:%llu), or not for a time",
                               (unsigned long long)from.rlim_max);
    }
    return 0;
}

static bool any(const struct holden_properties *properties) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (rows[i].give && holden_has(properties, i))
            return true;
    return false;
}

static int refuse(int error, const struct walk *walk, struct failure *failure) {
    const char *name = holden_property(walk->index)->name;
    if (error == ELOOP)
        return failure_set(failure, HOLDEN_code_FAILED, name,
                           "its processes multiply faster than they can be given it");
    if (error == EXDEV)
        return failure_set(failure, HOLDEN_code_INVALID, name,
                           "not all of these CPUs are there, or AllowedCPUs= keeps it from them");
    if (error == EDOM)
        return failure_set(failure, HOLDEN_code_INVALID, name,
                           "a priority is for CPUSchedulingPolicy=fifo and rr only");
    return failure_errno(failure, error, name, "the kernel does not give it to the process");
}

int attributes_apply(int directory, const struct holden_properties *wanted,
                     const struct holden_properties *all, struct failure *failure) {
    struct walk walk = {.goal.wanted = wanted};
    int r = 0;
    if (!any(wanted))
        return 0;
    plan_tuning(&walk.goal.plan, all);
    for (unsigned walks = 0; r == 0; walks++) {
        walk.changed = false;
        r = walks < WALKS_MOST ? cgroup_each(directory, visit, &walk) : -ELOOP;
        if (!walk.changed)
            break;
    }
    return r < 0 ? refuse(-r, &walk, failure) : 0;
}

void attributes_read(pid_t pid, const struct holden_properties *which,
                     struct holden_properties *now, struct attributes_room *room) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (rows[i].get && holden_has(which, i) && pid > 0 && rows[i].get(pid, i, now, room))
            holden_mark(now, i);
}

static void widen(struct holden_properties *which, const size_t *group, size_t count) {
    bool one = false;
    for (size_t i = 0; i < count; i++)
        one = one || holden_has(which, group[i]);
    for (size_t i = 0; i < count && one; i++)
        holden_mark(which, group[i]);
}

void attributes_widen(struct holden_properties *which) {
    static const size_t cpu[] = {INDEX(cpu_scheduling_policy), INDEX(cpu_scheduling_priority),
                                 INDEX(cpu_scheduling_reset_on_fork)};
    static const size_t io[] = {INDEX(io_scheduling_class), INDEX(io_scheduling_priority)};
    widen(which, cpu, ARRAY_SIZE(cpu));
    widen(which, io, ARRAY_SIZE(io));
}
