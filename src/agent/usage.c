#include "agent/usage.h"

#include <stdlib.h>
#include <string.h>

#include "agent/cgroup.h"
#include "agent/machine.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { TEXT = 4096 };

enum { ANY = 0, LIVE = true }; /* a file of every cgroup; a figure of what is in use now */

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
    {CGROUP_MEMORY, "memory.swap.current", NULL, HOLDEN_INDEX(usage, swap), LIVE},
    {CGROUP_MEMORY, "memory.events", "oom_kill", HOLDEN_INDEX(usage, oom_kills), false},
    {CGROUP_PIDS, "pids.current", NULL, HOLDEN_INDEX(usage, tasks), LIVE},
    {CGROUP_PIDS, "pids.peak", NULL, HOLDEN_INDEX(usage, tasks_peak), false},
    {CGROUP_PIDS, "pids.events", "max", HOLDEN_INDEX(usage, tasks_refused), false},
};

static const struct {
    const char *file;
    size_t field;
} pressures[] = {
    {"cpu.pressure", HOLDEN_INDEX(usage, stall_cpu)},
    {"memory.pressure", HOLDEN_INDEX(usage, stall_memory)},
    {"io.pressure", HOLDEN_INDEX(usage, stall_io)},
};

void usage_set(struct holden_usage *usage, size_t field, uint64_t value) {
    *(uint64_t *)((uint8_t *)usage + holden_record_usage.fields[field].offset) = value;
    holden_mark(usage, field);
}

static void read_figures(unsigned controllers, int directory, bool ended,
                         struct holden_usage *usage) {
    char text[TEXT] = "";
    const char *held = "";
    bool there = false;
    for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
        if ((figures[i].controller & ~controllers) || (figures[i].live && ended))
            continue;
        if (strcmp(held, figures[i].file) != 0) {
            held = figures[i].file;
            there = file_read(directory, held, text, sizeof(text)) >= 0;
        }
        uint64_t value;
        if (there && !figures[i].key)
            usage_set(usage, figures[i].field, strtoull(text, NULL, 10));
        else if (there && cgroup_key(text, figures[i].key, &value))
            usage_set(usage, figures[i].field, value);
    }
}

/* io.stat: a line a device, "8:0 rbytes=1 wbytes=2 …"; summed up. */
static void read_io(int directory, struct holden_usage *usage) {
    char text[TEXT];
    if (file_read(directory, "io.stat", text, sizeof(text)) < 0)
        return;
    uint64_t read_bytes = 0, written = 0;
    for (const char *at = text; (at = strstr(at, " rbytes=")); at++)
        read_bytes += strtoull(at + 8, NULL, 10);
    for (const char *at = text; (at = strstr(at, " wbytes=")); at++)
        written += strtoull(at + 8, NULL, 10);
    usage_set(usage, HOLDEN_INDEX(usage, io_read), read_bytes);
    usage_set(usage, HOLDEN_INDEX(usage, io_written), written);
}

/* Pressure: "some avg10=… total=N" on the first line (Documentation/accounting/psi). A kernel
 * without it has none of these files. */
static void read_pressures(int directory, struct holden_usage *usage) {
    for (size_t i = 0; i < ARRAY_SIZE(pressures); i++) {
        char text[256];
        const char *total;
        if (file_read(directory, pressures[i].file, text, sizeof(text)) < 0)
            return;
        if ((total = strstr(text, "total=")))
            usage_set(usage, pressures[i].field, strtoull(total + 6, NULL, 10));
    }
}

void usage_read(const struct hierarchy *hierarchy, int directory, bool ended,
                struct holden_usage *usage) {
    *usage = (struct holden_usage){0};
    HOLDEN_SET(usage, usage, at, machine_monotonic());
    read_figures(hierarchy->controllers, directory, ended, usage);
    if (hierarchy->controllers & CGROUP_IO)
        read_io(directory, usage);
    read_pressures(directory, usage);
}
