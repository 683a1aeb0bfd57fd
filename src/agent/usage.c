#include "agent/usage.h"

#include <stdlib.h>
#include <string.h>

#include "agent/cgroup.h"
#include "agent/machine.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { TEXT = 4096 };

/* One figure: a file, the key in it (NULL: the file is one number), the field it becomes. Rows of one
 * file stand together, so that it is read once. */
static const struct figure {
    const char *file;
    const char *key;
    size_t field;
} figures[] = {
    {"cpu.stat", "usage_usec", HOLDEN_INDEX(usage, cpu)},
    {"cpu.stat", "user_usec", HOLDEN_INDEX(usage, cpu_user)},
    {"cpu.stat", "system_usec", HOLDEN_INDEX(usage, cpu_system)},
    {"cpu.stat", "throttled_usec", HOLDEN_INDEX(usage, throttled)},
    {"memory.current", NULL, HOLDEN_INDEX(usage, memory)},
    {"memory.peak", NULL, HOLDEN_INDEX(usage, memory_peak)},
    {"memory.swap.current", NULL, HOLDEN_INDEX(usage, swap)},
    {"memory.events", "oom_kill", HOLDEN_INDEX(usage, oom_kills)},
    {"pids.current", NULL, HOLDEN_INDEX(usage, tasks)},
    {"pids.peak", NULL, HOLDEN_INDEX(usage, tasks_peak)},
    {"pids.events", "max", HOLDEN_INDEX(usage, tasks_refused)},
};

static const struct {
    const char *file;
    size_t field;
} pressures[] = {
    {"cpu.pressure", HOLDEN_INDEX(usage, stall_cpu)},
    {"memory.pressure", HOLDEN_INDEX(usage, stall_memory)},
    {"io.pressure", HOLDEN_INDEX(usage, stall_io)},
};

static void store(struct holden_usage *usage, size_t field, uint64_t value) {
    *(uint64_t *)((uint8_t *)usage + holden_record_usage.fields[field].offset) = value;
    holden_mark(usage, field);
}

static void read_figures(int directory, struct holden_usage *usage) {
    char text[TEXT] = "";
    const char *held = "";
    bool there = false;
    for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
        if (strcmp(held, figures[i].file) != 0) {
            held = figures[i].file;
            there = file_read(directory, held, text, sizeof(text)) >= 0;
        }
        uint64_t value;
        if (there && !figures[i].key)
            store(usage, figures[i].field, strtoull(text, NULL, 10));
        else if (there && cgroup_key(text, figures[i].key, &value))
            store(usage, figures[i].field, value);
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
    store(usage, HOLDEN_INDEX(usage, io_read), read_bytes);
    store(usage, HOLDEN_INDEX(usage, io_written), written);
}

/* Pressure: "some avg10=… total=N" on the first line (Documentation/accounting/psi). */
static void read_pressures(int directory, struct holden_usage *usage) {
    for (size_t i = 0; i < ARRAY_SIZE(pressures); i++) {
        char text[256];
        const char *total;
        if (file_read(directory, pressures[i].file, text, sizeof(text)) >= 0 &&
            (total = strstr(text, "total=")))
            store(usage, pressures[i].field, strtoull(total + 6, NULL, 10));
    }
}

void usage_read(int directory, struct holden_usage *usage) {
    *usage = (struct holden_usage){0};
    HOLDEN_SET(usage, usage, at, machine_monotonic());
    read_figures(directory, usage);
    read_io(directory, usage);
    read_pressures(directory, usage);
}
