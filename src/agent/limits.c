/* One row per cgroup property: which controller it needs, and how its value becomes text and text
 * its value. */
#include "agent/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/machine.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/unit.h"
#include "protocol/property.h"

enum { TEXT = 4096 };
#define INDEX(member) HOLDEN_INDEX(properties, member)

struct row {
    unsigned controller;
    /* The file's text for the properties' value, into text[TEXT]. */
    void (*print)(const struct holden_properties *properties, size_t index, char *text);
    /* Reads the file and stores what is in force in *now; false where it cannot be told. */
    bool (*read)(int directory, size_t index, struct holden_properties *now, struct buffer *memory);
};

static const void *member(const struct holden_properties *properties, size_t index) {
    return (const uint8_t *)properties + holden_record_properties.fields[index].offset;
}

static uint64_t number(const struct holden_properties *properties, size_t index) {
    return *(const uint64_t *)member(properties, index);
}

static void store(struct holden_properties *now, size_t index, uint64_t value) {
    *(uint64_t *)((uint8_t *)now + holden_record_properties.fields[index].offset) = value;
    holden_mark(now, index);
}

/* ---- plain numbers ---- */

static bool read_number(int directory, size_t index, struct holden_properties *now,
                        struct buffer *memory) {
    (void)memory;
    uint64_t value;
    if (cgroup_read_number(directory, holden_property(index)->file, &value) < 0)
        return false;
    store(now, index, value);
    return true;
}

/* Memory limits are kept in whole pages, rounded down (page_counter_memparse in the kernel). */
static void print_memory(const struct holden_properties *properties, size_t index, char *text) {
    uint64_t value = number(properties, index);
    if (holden_is_share(value))
        value = machine_share(machine_memory(), value);
    if (value == UNIT_INFINITY)
        strcpy(text, "max");
    else
        snprintf(text, TEXT, "%" PRIu64, value - value % machine_page());
}

static void print_tasks(const struct holden_properties *properties, size_t index, char *text) {
    uint64_t value = number(properties, index);
    if (holden_is_share(value))
        value = machine_share(machine_tasks(), value);
    if (value == UNIT_INFINITY)
        strcpy(text, "max");
    else
        snprintf(text, TEXT, "%" PRIu64, value);
}

/* ---- cpu.max: "QUOTA PERIOD", for two properties at once ---- */

enum { PERIOD_USUAL = 100000 };

static uint64_t quota_period(const struct holden_properties *properties) {
    return HOLDEN_HAS(properties, properties, cpu_quota_period) ? properties->cpu_quota_period
                                                                : PERIOD_USUAL;
}

static void print_quota(const struct holden_properties *properties, size_t index, char *text) {
    (void)index;
    uint64_t period = quota_period(properties);
    uint64_t quota = HOLDEN_HAS(properties, properties, cpu_quota) ? properties->cpu_quota
                                                                   : UNIT_INFINITY;
    if (quota == UNIT_INFINITY) {
        snprintf(text, TEXT, "max %" PRIu64, period);
        return;
    }
    /* Less than 1 ms the kernel does not take (cgroup-v2, cpu.max). */
    uint64_t share = (uint64_t)((unsigned __int128)quota * period / 1000000);
    snprintf(text, TEXT, "%" PRIu64 " %" PRIu64, share < 1000 ? 1000 : share, period);
}

static bool read_quota(int directory, size_t index, struct holden_properties *now,
                       struct buffer *memory) {
    (void)memory;
    char text[128];
    uint64_t quota, period;
    if (file_read(directory, "cpu.max", text, sizeof(text)) < 0)
        return false;
    char *end = text + strcspn(text, " ");
    period = strtoull(end, NULL, 10);
    if (period == 0)
        return false;
    quota = strncmp(text, "max", 3) == 0 ? UNIT_INFINITY : strtoull(text, NULL, 10);
    if (index == INDEX(cpu_quota_period))
        store(now, index, period);
    else
        store(now, index, quota == UNIT_INFINITY
                              ? quota
                              : (uint64_t)((unsigned __int128)quota * 1000000 / period));
    return true;
}

/* ---- weights ---- */

static void print_cpu_weight(const struct holden_properties *properties, size_t index, char *text) {
    uint64_t value = number(properties, index);
    snprintf(text, TEXT, "%" PRIu64, value == 0 ? 1 : value);
}

static bool read_cpu_weight(int directory, size_t index, struct holden_properties *now,
                            struct buffer *memory) {
    uint64_t idle;
    if (cgroup_read_number(directory, "cpu.idle", &idle) == 0 && idle == 1) {
        store(now, index, 0);
        return true;
    }
    return read_number(directory, index, now, memory);
}

static void print_io_weight(const struct holden_properties *properties, size_t index, char *text) {
    snprintf(text, TEXT, "default %" PRIu64, number(properties, index));
}

static bool read_io_weight(int directory, size_t index, struct holden_properties *now,
                           struct buffer *memory) {
    (void)memory;
    char text[TEXT];
    uint64_t value;
    if (file_read(directory, "io.weight", text, sizeof(text)) < 0 ||
        !cgroup_key(text, "default", &value))
        return false;
    store(now, index, value);
    return true;
}

/* ---- cpuset.cpus, cpuset.mems ---- */

static void print_cpus(const struct holden_properties *properties, size_t index, char *text) {
    const struct holden_view *mask = member(properties, index);
    unit_format_cpus((const uint8_t *)mask->data, mask->size, text, TEXT);
}

static bool read_cpus(int directory, size_t index, struct holden_properties *now,
                      struct buffer *memory) {
    char text[TEXT];
    uint8_t mask[1024];
    size_t size;
    if (file_read(directory, holden_property(index)->file, text, sizeof(text)) < 0 ||
        unit_parse_cpus(text, mask, sizeof(mask), &size) < 0)
        return false;
    /* The view points into `memory`, which never grows past what was reserved for both sets. */
    uint8_t *room;
    if (buffer_reserve(memory, memory->data ? sizeof(mask) : 2 * sizeof(mask), &room) < 0)
        return false;
    memcpy(room, mask, size);
    buffer_added(memory, size);
    struct holden_view view = {(const char *)room, size};
    memcpy((uint8_t *)now + holden_record_properties.fields[index].offset, &view, sizeof(view));
    holden_mark(now, index);
    return true;
}

/* ---- OOMPolicy ---- */

static void print_oom(const struct holden_properties *properties, size_t index, char *text) {
    (void)index;
    strcpy(text, properties->oom_policy == HOLDEN_oom_policy_KILL ? "1" : "0");
}

static bool read_oom(int directory, size_t index, struct holden_properties *now,
                     struct buffer *memory) {
    (void)memory;
    uint64_t group;
    if (cgroup_read_number(directory, "memory.oom.group", &group) < 0)
        return false;
    *(uint32_t *)((uint8_t *)now + holden_record_properties.fields[index].offset) =
        group ? HOLDEN_oom_policy_KILL : HOLDEN_oom_policy_CONTINUE;
    holden_mark(now, index);
    return true;
}

/* What is set for devices has a writer of its own, below: several lines, several properties. */
static const struct row rows[HOLDEN_PROPERTIES] = {
    [INDEX(memory_max)] = {CGROUP_MEMORY, print_memory, read_number},
    [INDEX(memory_high)] = {CGROUP_MEMORY, print_memory, read_number},
    [INDEX(memory_low)] = {CGROUP_MEMORY, print_memory, read_number},
    [INDEX(memory_min)] = {CGROUP_MEMORY, print_memory, read_number},
    [INDEX(memory_swap_max)] = {CGROUP_MEMORY, print_memory, read_number},
    [INDEX(cpu_quota)] = {CGROUP_CPU, print_quota, read_quota},
    [INDEX(cpu_quota_period)] = {CGROUP_CPU, print_quota, read_quota},
    [INDEX(cpu_weight)] = {CGROUP_CPU, print_cpu_weight, read_cpu_weight},
    [INDEX(allowed_cpus)] = {CGROUP_CPUSET, print_cpus, read_cpus},
    [INDEX(allowed_memory_nodes)] = {CGROUP_CPUSET, print_cpus, read_cpus},
    [INDEX(tasks_max)] = {CGROUP_PIDS, print_tasks, read_number},
    [INDEX(io_weight)] = {CGROUP_IO, print_io_weight, read_io_weight},
    [INDEX(io_device_weight)] = {CGROUP_IO, NULL, NULL},
    [INDEX(io_device_latency_target)] = {CGROUP_IO, NULL, NULL},
    [INDEX(io_read_bandwidth_max)] = {CGROUP_IO, NULL, NULL},
    [INDEX(io_write_bandwidth_max)] = {CGROUP_IO, NULL, NULL},
    [INDEX(io_read_iops_max)] = {CGROUP_IO, NULL, NULL},
    [INDEX(io_write_iops_max)] = {CGROUP_IO, NULL, NULL},
    [INDEX(oom_policy)] = {CGROUP_MEMORY, print_oom, read_oom},
};

static bool is_of_device(size_t index) {
    return rows[index].controller == CGROUP_IO && !rows[index].print;
}

int limits_refuse(const struct hierarchy *hierarchy, unsigned controller, const char *name,
                  const char *what, struct failure *failure) {
    const char *missing = cgroup_controller_name(controller);
    if (hierarchy->disabled & controller)
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, name,
                           "the %s controller is disabled by DisableControllers= of the slice, so "
                           "%s", missing, what);
    if (hierarchy->hybrid && !(hierarchy->offered & controller))
        return failure_set(
            failure, HOLDEN_code_UNSUPPORTED, name,
            "the %s controller is held by cgroup v1 on this machine, so %s; boot with "
            "systemd.unified_cgroup_hierarchy=1 or cgroup_no_v1=all",
            missing, what);
    if (!(hierarchy->offered & controller))
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, name,
                           "this kernel offers no %s controller, so %s; see `controller doctor`",
                           missing, what);
    return failure_set(failure, HOLDEN_code_UNSUPPORTED, name,
                       "the %s controller is not delegated to %s, so %s; delegate it there "
                       "(systemd: Delegate=yes)", missing, hierarchy->path, what);
}

int limits_check(const struct hierarchy *hierarchy, const struct holden_properties *properties,
                 struct failure *failure) {
    if (HOLDEN_HAS(properties, properties, oom_policy) &&
        properties->oom_policy == HOLDEN_oom_policy_STOP)
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, "OOMPolicy",
                           "stop is not supported yet; kill ends the whole cgroup, continue one "
                           "task");
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (rows[i].controller && holden_has(properties, i) &&
            !(hierarchy->controllers & rows[i].controller)) {
            /* One task ending for want of memory is what there is without the controller too. */
            if (i == INDEX(oom_policy) && properties->oom_policy != HOLDEN_oom_policy_KILL)
                continue;
            return limits_refuse(hierarchy, rows[i].controller, holden_property(i)->name,
                                 "the limit cannot be set", failure);
        }
    return 0;
}

/* Writes `text` to the file and reads it back through the same descriptor. An empty text (no CPUs
 * of its own) is written as an empty line, since a write of nothing need not reach the file. */
static int write_back(int directory, const char *file, const char *text, char *back, size_t space) {
    _cleanup_close_ int fd = openat(directory, file, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (write(fd, *text ? text : "\n", *text ? strlen(text) : 1) < 0)
        return -errno;
    ssize_t size = pread(fd, back, space - 1, 0);
    if (size < 0)
        return -errno;
    while (size > 0 && back[size - 1] == '\n')
        size--;
    back[size] = '\0';
    return 0;
}

static int refuse_write(int error, const char *name, const char *file, const char *text,
                        struct failure *failure) {
    if (error == EINVAL || error == ERANGE || error == ENODEV || error == EOPNOTSUPP)
        return failure_set(failure, HOLDEN_code_INVALID, name,
                           "the kernel does not take \"%s\" for %s: %s", text, file,
                           strerror(error));
    return failure_errno(failure, error, name, "cannot write \"%s\" to %s", text, file);
}

static int refuse_other(const char *name, const char *file, const char *text, const char *back,
                        struct failure *failure) {
    return failure_set(failure, HOLDEN_code_FAILED, name,
                       "%s was written to %s, but the kernel has %s in force", text, file, back);
}

static int apply_row(int directory, const struct holden_properties *properties, size_t index,
                     struct failure *failure) {
    const struct holden_property *property = holden_property(index);
    char text[TEXT], back[TEXT];
    rows[index].print(properties, index, text);
    int r = write_back(directory, property->file, text, back, sizeof(back));
    if (r < 0)
        return refuse_write(-r, property->name, property->file, text, failure);
    if (index == INDEX(io_weight)) {
        uint64_t value;
        if (cgroup_key(back, "default", &value) && value == number(properties, index))
            return 0;
    } else if (strcmp(text, back) == 0)
        return 0;
    return refuse_other(property->name, property->file, text, back, failure);
}

/* CPUWeight=idle is a file of its own; leaving it needs that file too. */
static int apply_idle(int directory, const struct holden_properties *properties,
                      struct failure *failure) {
    uint64_t now;
    bool idle = properties->cpu_weight == 0;
    int r = cgroup_read_number(directory, "cpu.idle", &now);
    if (r < 0 && !idle)
        return 0;
    if (r == 0 && now == idle)
        return 0;
    r = r < 0 ? r : file_write(directory, "cpu.idle", idle ? "1" : "0");
    return r < 0 ? refuse_write(-r, "CPUWeight", "cpu.idle", idle ? "1" : "0", failure) : 0;
}

/* How a device's value is written, behind its numbers: "rbps=5", "200", "target=max"; and where. */
struct device_value {
    const char *file;
    const char *key;
    const char *none; /* what takes the value away */
};

static struct device_value device_value(size_t index) {
    const char *file = holden_property(index)->file;
    if (index == INDEX(io_device_weight))
        return (struct device_value){file, "", "default"};
    if (index == INDEX(io_device_latency_target))
        return (struct device_value){file, "target", "max"};
    return (struct device_value){"io.max", file, "max"};
}

/* Whether the file's text has the words for the device. One without any value has no line. */
static bool device_in_force(const char *text, const char *device, const char *words, bool none) {
    size_t size = strlen(device), length = strlen(words);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, device, size) != 0 || line[size] != ' ')
            continue;
        const char *end = line + strcspn(line, "\n"), *at = line + size;
        for (; at < end; at += 1 + strcspn(at + 1, " \n"))
            if (strncmp(at + 1, words, length) == 0 && strchr(" \n", at[1 + length]))
                return true;
        return false;
    }
    return none;
}

static int apply_device(int directory, size_t index, const struct holden_device_limit *limit,
                        bool lift, struct failure *failure) {
    const char *name = holden_property(index)->name;
    const struct device_value as = device_value(index);
    bool none = lift || limit->value == UNIT_INFINITY;
    char device[32], words[64], text[128], number[32], back[TEXT] = "";
    snprintf(device, sizeof(device), "%" PRIu32 ":%" PRIu32, limit->major, limit->minor);
    snprintf(number, sizeof(number), "%" PRIu64, limit->value);
    snprintf(words, sizeof(words), "%s%s%s", as.key, *as.key ? "=" : "", none ? as.none : number);
    snprintf(text, sizeof(text), "%s %s", device, words);
    int r = write_back(directory, as.file, text, back, sizeof(back));
    if (r < 0)
        return refuse_write(-r, name, as.file, text, failure);
    return device_in_force(back, device, words, none)
               ? 0
               : refuse_other(name, as.file, text, back, failure);
}

static int apply_devices(int directory, const struct holden_properties *properties, size_t index,
                         bool lift, struct failure *failure) {
    struct holden_repeated left = *(const struct holden_repeated *)member(properties, index);
    struct holden_nested nested;
    int r = 0;
    while (r == 0 && holden_next_record(&left, &nested)) {
        struct holden_device_limit limit;
        struct holden_fault fault;
        const struct holden_device_limit *value = nested.value;
        if (!value && holden_decode(&holden_record_device_limit, nested.bytes.data,
                                    nested.bytes.size, &limit, &fault) == 0)
            value = &limit;
        r = value ? apply_device(directory, index, value, lift, failure)
                  : failure_set(failure, HOLDEN_code_INVALID, holden_property(index)->name,
                                "not a device limit");
    }
    return r;
}

/* cpu.max holds two properties: the one that is not named stays as it is. */
static int apply_quota(int directory, const struct holden_properties *properties, size_t index,
                       struct failure *failure) {
    struct holden_properties both = *properties;
    if (!HOLDEN_HAS(&both, properties, cpu_quota))
        read_quota(directory, INDEX(cpu_quota), &both, NULL);
    if (!HOLDEN_HAS(&both, properties, cpu_quota_period))
        read_quota(directory, INDEX(cpu_quota_period), &both, NULL);
    return apply_row(directory, &both, index, failure);
}

static int apply_one(int directory, const struct holden_properties *properties, size_t index,
                     struct failure *failure) {
    if (index == INDEX(cpu_quota) || index == INDEX(cpu_quota_period))
        return apply_quota(directory, properties, index, failure);
    return is_of_device(index) ? apply_devices(directory, properties, index, false, failure)
                            : apply_row(directory, properties, index, failure);
}

int limits_apply(const struct hierarchy *hierarchy, int directory,
                 const struct holden_properties *properties, struct failure *failure) {
    int r = limits_check(hierarchy, properties, failure);
    for (size_t i = 0; r == 0 && i < HOLDEN_PROPERTIES; i++) {
        if (!rows[i].controller || !holden_has(properties, i))
            continue;
        if (i == INDEX(oom_policy) && !(hierarchy->controllers & CGROUP_MEMORY))
            continue;
        if (i == INDEX(cpu_weight) && (r = apply_idle(directory, properties, failure)) < 0)
            return r;
        if (i == INDEX(cpu_weight) && properties->cpu_weight == 0)
            continue;
        if (i == INDEX(cpu_quota_period) && HOLDEN_HAS(properties, properties, cpu_quota))
            continue;
        r = apply_one(directory, properties, i, failure);
    }
    return r;
}

void limits_read(int directory, const struct holden_properties *which,
                 struct holden_properties *now, struct buffer *memory) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (rows[i].read && holden_has(which, i))
            rows[i].read(directory, i, now, memory);
}

void limits_default(const struct holden_properties *which, struct holden_properties *out) {
    static const uint8_t nothing[1];
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        if (!rows[i].controller || !holden_has(which, i) || holden_has(out, i) || is_of_device(i))
            continue;
        if (i == INDEX(allowed_cpus))
            HOLDEN_SET(out, properties, allowed_cpus,
                       (struct holden_view){(const char *)nothing, 0});
        else if (i == INDEX(allowed_memory_nodes))
            HOLDEN_SET(out, properties, allowed_memory_nodes,
                       (struct holden_view){(const char *)nothing, 0});
        else if (i == INDEX(oom_policy))
            HOLDEN_SET(out, properties, oom_policy, HOLDEN_oom_policy_CONTINUE);
        else if (i == INDEX(cpu_weight) || i == INDEX(io_weight))
            store(out, i, 100);
        else if (i == INDEX(cpu_quota_period))
            store(out, i, PERIOD_USUAL);
        else if (i == INDEX(memory_low) || i == INDEX(memory_min))
            store(out, i, 0);
        else
            store(out, i, UNIT_INFINITY);
    }
}

int limits_lift(const struct hierarchy *hierarchy, int directory,
                const struct holden_properties *which, struct failure *failure) {
    struct holden_properties none = {0};
    limits_default(which, &none);
    int r = limits_apply(hierarchy, directory, &none, failure);
    for (size_t i = 0; r == 0 && i < HOLDEN_PROPERTIES; i++)
        if (is_of_device(i) && holden_has(which, i))
            r = apply_devices(directory, which, i, true, failure);
    return r;
}
