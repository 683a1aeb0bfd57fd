#include "agent/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/machine.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { TEXT = 4096 };

enum { ANY = 0, LIVE = true }; /* a file of every cgroup; a figure of what is in use now */

/* The files that are read often. */
static const char *const often[USAGE_OFTEN] = {
    [USAGE_CPU] = "cpu.stat",
    [USAGE_MEMORY] = "memory.current",
    [USAGE_TASKS] = "pids.current",
    [USAGE_IO] = "io.stat",
    [USAGE_CPU_PRESSURE] = "cpu.pressure",
    [USAGE_MEMORY_PRESSURE] = "memory.pressure",
    [USAGE_IO_PRESSURE] = "io.pressure",
};

/* One figure: the controller it takes, a file, the key in it (NULL: the file is one number), the
 * field it becomes. Rows of one file stand together, so that it is read once. */
static const struct figure {
    unsigned controller;
    const char *file;
    const char *key;
    size_t field;
    bool live;
} figures[] = {
    {ANY, "cpu.stat", "usage_usec", HOLDEN_INDEX(usage, cpu), false},
    {ANY, "cpu.stat", "user_usec", HOLDEN_INDEX(usage, cpu_user), false},
    {ANY, "cpu.stat", "system_usec", HOLDEN_INDEX(usage, cpu_system), false},
    {ANY, "cpu.stat", "throttled_usec", HOLDEN_INDEX(usage, throttled), false},
    {CGROUP_MEMORY, "memory.current", NULL, HOLDEN_INDEX(usage, memory), LIVE},
    {CGROUP_MEMORY, "memory.peak", NULL, HOLDEN_INDEX(usage, memory_peak), false},
    {CGROUP_MEMORY, "memory.stat", "anon", HOLDEN_INDEX(usage, memory_anonymous), LIVE},
    {CGROUP_MEMORY, "memory.stat", "file", HOLDEN_INDEX(usage, memory_file), LIVE},
    {CGROUP_MEMORY, "memory.swap.current", NULL, HOLDEN_INDEX(usage, swap), LIVE},
    {CGROUP_MEMORY, "memory.events", "oom_kill", HOLDEN_INDEX(usage, oom_kills), false},
    {CGROUP_MEMORY, "memory.events", "high", HOLDEN_INDEX(usage, memory_high_hits), false},
    {CGROUP_MEMORY, "memory.events", "max", HOLDEN_INDEX(usage, memory_max_hits), false},
    {CGROUP_PIDS, "pids.current", NULL, HOLDEN_INDEX(usage, tasks), LIVE},
    {CGROUP_PIDS, "pids.peak", NULL, HOLDEN_INDEX(usage, tasks_peak), false},
    {CGROUP_PIDS, "pids.events", "max", HOLDEN_INDEX(usage, tasks_refused), false},
};

static const struct {
    enum usage_file file;
    size_t field;
} pressures[] = {
    {USAGE_CPU_PRESSURE, HOLDEN_INDEX(usage, stall_cpu)},
    {USAGE_MEMORY_PRESSURE, HOLDEN_INDEX(usage, stall_memory)},
    {USAGE_IO_PRESSURE, HOLDEN_INDEX(usage, stall_io)},
};

/* A reading: of what, from where, into what. */
struct reading {
    const struct hierarchy *hierarchy;
    int directory;
    struct usage_files *files; /* NULL: none are kept */
    enum usage_extent extent;
    struct holden_usage *usage;
};

void usage_set(struct holden_usage *usage, size_t field, uint64_t value) {
    *(uint64_t *)((uint8_t *)usage + holden_record_usage.fields[field].offset) = value;
    holden_mark(usage, field);
}

/* Its place among the kept files, or USAGE_OFTEN. */
static size_t place(const char *file) {
    size_t slot = 0;
    while (slot < USAGE_OFTEN && strcmp(often[slot], file) != 0)
        slot++;
    return slot;
}

/* Opens the file to be kept, as long as there are few enough; the upper half of the descriptors is
 * for what cannot do without. */
static void keep(struct usage_files *files, size_t slot, int directory) {
    struct rlimit limit;
    if (files->fd[slot] >= 0 || files->kept->open >= files->kept->most)
        return;
    _cleanup_close_ int fd = openat(directory, often[slot], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0 || (rlim_t)fd >= limit.rlim_cur / 2)
        return;
    files->fd[slot] = TAKE_FD(fd);
    files->kept->open++;
}

static bool read_text(const struct reading *reading, const char *file, char *text, size_t space) {
    size_t slot = reading->files ? place(file) : USAGE_OFTEN;
    if (slot < USAGE_OFTEN)
        keep(reading->files, slot, reading->directory);
    if (slot == USAGE_OFTEN || reading->files->fd[slot] < 0)
        return file_read(reading->directory, file, text, space) >= 0;
    ssize_t size = pread(reading->files->fd[slot], text, space - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    return size >= 0;
}

static bool wanted(const struct reading *reading, const struct figure *figure) {
    return !(figure->controller & ~reading->hierarchy->controllers) &&
           !(figure->live && reading->extent == USAGE_ENDED) &&
           !(reading->extent == USAGE_FEW && place(figure->file) == USAGE_OFTEN);
}

static void read_figures(const struct reading *reading) {
    char text[TEXT] = "";
    const char *held = "";
    bool there = false;
    for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
        if (!wanted(reading, &figures[i]))
            continue;
        if (strcmp(held, figures[i].file) != 0) {
            held = figures[i].file;
            there = read_text(reading, held, text, sizeof(text));
        }
        uint64_t value;
        if (there && !figures[i].key)
            usage_set(reading->usage, figures[i].field, strtoull(text, NULL, 10));
        else if (there && cgroup_key(text, figures[i].key, &value))
            usage_set(reading->usage, figures[i].field, value);
    }
}

/* io.stat: a line a device, "8:0 rbytes=1 wbytes=2 …"; summed up. */
static void read_io(const struct reading *reading) {
    char text[TEXT];
    if (!read_text(reading, often[USAGE_IO], text, sizeof(text)))
        return;
    uint64_t read_bytes = 0, written = 0;
    for (const char *at = text; (at = strstr(at, " rbytes=")); at++)
        read_bytes += strtoull(at + 8, NULL, 10);
    for (const char *at = text; (at = strstr(at, " wbytes=")); at++)
        written += strtoull(at + 8, NULL, 10);
    usage_set(reading->usage, HOLDEN_INDEX(usage, io_read), read_bytes);
    usage_set(reading->usage, HOLDEN_INDEX(usage, io_written), written);
}

/* Pressure: "some avg10=… total=N" on the first line (Documentation/accounting/psi). A kernel
 * without it has none of these files. */
static void read_pressures(const struct reading *reading) {
    for (size_t i = 0; i < ARRAY_SIZE(pressures); i++) {
        char text[256];
        const char *total;
        if (!read_text(reading, often[pressures[i].file], text, sizeof(text)))
            return;
        if ((total = strstr(text, "total=")))
            usage_set(reading->usage, pressures[i].field, strtoull(total + 6, NULL, 10));
    }
}

void usage_read(const struct hierarchy *hierarchy, int directory, struct usage_files *files,
                enum usage_extent extent, struct holden_usage *usage) {
    const struct reading reading = {hierarchy, directory, files, extent, usage};
    if (extent != USAGE_FEW)
        *usage = (struct holden_usage){0};
    HOLDEN_SET(usage, usage, at, machine_monotonic());
    read_figures(&reading);
    if (hierarchy->controllers & CGROUP_IO)
        read_io(&reading);
    read_pressures(&reading);
}

size_t usage_devices(int directory, struct holden_device_io *devices, size_t most) {
    char text[TEXT];
    size_t count = 0;
    if (file_read(directory, often[USAGE_IO], text, sizeof(text)) < 0)
        return 0;
    for (const char *line = text; line && count < most;) {
        uint32_t major, minor;
        uint64_t figure[4];
        if (sscanf(line, "%" SCNu32 ":%" SCNu32 " rbytes=%" SCNu64 " wbytes=%" SCNu64
                   " rios=%" SCNu64 " wios=%" SCNu64,
                   &major, &minor, &figure[0], &figure[1], &figure[2], &figure[3]) == 6) {
            struct holden_device_io *device = &devices[count++];
            *device = (struct holden_device_io){0};
            HOLDEN_SET(device, device_io, major, major);
            HOLDEN_SET(device, device_io, minor, minor);
            HOLDEN_SET(device, device_io, read, figure[0]);
            HOLDEN_SET(device, device_io, written, figure[1]);
            HOLDEN_SET(device, device_io, reads, figure[2]);
            HOLDEN_SET(device, device_io, writes, figure[3]);
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return count;
}

bool usage_complete(const struct hierarchy *hierarchy, const struct usage_files *files) {
    return files->fd[USAGE_CPU] >= 0 &&
           (files->fd[USAGE_MEMORY] >= 0 || !(hierarchy->controllers & CGROUP_MEMORY)) &&
           (files->fd[USAGE_TASKS] >= 0 || !(hierarchy->controllers & CGROUP_PIDS)) &&
           (files->fd[USAGE_IO] >= 0 || !(hierarchy->controllers & CGROUP_IO));
}

int usage_cpu(int file, uint64_t *cpu) {
    char text[TEXT];
    ssize_t size = pread(file, text, sizeof(text) - 1, 0);
    if (size < 0)
        return -errno;
    text[size] = '\0';
    return cgroup_key(text, "usage_usec", cpu) ? 0 : -ENODATA;
}

void usage_files_init(struct usage_files *files, struct usage_kept *kept) {
    files->kept = kept;
    for (size_t i = 0; i < USAGE_OFTEN; i++)
        files->fd[i] = -1;
}

void usage_files_close(struct usage_files *files, enum usage_file from) {
    for (size_t i = from; i < USAGE_OFTEN; i++)
        if (files->fd[i] >= 0) {
            close(files->fd[i]);
            files->fd[i] = -1;
            files->kept->open--;
        }
}
