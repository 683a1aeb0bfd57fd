#include "monitor/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

enum { FILE_MOST = 1 << 20, LINE = 256, FIELDS = 8 };

/* Which lines of which files matter: those that begin so. What the file says of itself only by its
 * name goes before the line. */
static const struct { const char *path, *start, *name; } sources[] = {
    {"/proc/stat", "cpu", ""},
    {"/proc/meminfo", "MemTotal:", ""},
    {"/proc/meminfo", "MemAvailable:", ""},
    {"/proc/meminfo", "SwapTotal:", ""},
    {"/proc/meminfo", "SwapFree:", ""},
    {"/proc/vmstat", "pgpgin ", ""},
    {"/proc/vmstat", "pgpgout ", ""},
    {"/proc/pressure/cpu", "some ", "stall0 "},
    {"/proc/pressure/memory", "some ", "stall1 "},
    {"/proc/pressure/io", "some ", "stall2 "},
};

static int take_lines(const struct buffer *file, const char *start, const char *name,
                      struct buffer *text) {
    const char *at = (const char *)buffer_bytes(file);
    const char *end = at + file->size;
    int r = 0;
    while (r == 0 && at < end) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        next = next ? next + 1 : end;
        if ((size_t)(next - at) > strlen(start) && strncmp(at, start, strlen(start)) == 0)
            r = buffer_printf(text, "%s%.*s", name, (int)(next - at), at);
        at = next;
    }
    return r;
}

int machine_read(struct buffer *text) {
    const char *read = "";
    _cleanup_(buffer_free) struct buffer file = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sources); i++) {
        if (strcmp(sources[i].path, read) != 0) {
            buffer_consume(&file, file.size);
            if (file_read_all(AT_FDCWD, sources[i].path, FILE_MOST, &file) < 0)
                continue;
            read = sources[i].path;
        }
        r = take_lines(&file, sources[i].start, sources[i].name, text);
    }
    return r;
}

/* "cpu3 user nice system idle iowait …" of proc(5), in ticks. */
static void take_cpu(struct machine *machine, struct machine_counters *now, const char *line) {
    uint64_t fields[FIELDS] = {0};
    unsigned core = 0;
    int used = 0;
    bool all = line[3] == ' ';
    if (!all && (sscanf(line, "cpu%u%n", &core, &used) < 1 || core >= MACHINE_CORES))
        return;
    const char *at = line + (all ? 3 : used);
    uint64_t whole = 0;
    for (int i = 0; i < FIELDS; i++, at += used) {
        if (sscanf(at, " %" SCNu64 "%n", &fields[i], &used) < 1)
            break;
        whole += fields[i];
    }
    uint64_t busy = whole - fields[3] - fields[4];
    if (all) {
        now->busy_all = busy;
        now->whole_all = whole;
        return;
    }
    now->busy[core] = busy;
    now->whole[core] = whole;
    machine->cores = core + 1 > machine->cores ? core + 1 : machine->cores;
}

static void take_stall(struct machine_counters *now, const char *line) {
    unsigned which = (unsigned)(line[5] - '0');
    const char *total = strstr(line, "total=");
    if (which < ROW_STALLS && total && sscanf(total, "total=%" SCNu64, &now->stall[which]) == 1)
        now->has_stall = true;
}

static void take_line(struct machine *machine, struct machine_counters *now, const char *line) {
    static const struct { const char *name; size_t offset; } amounts[] = {
        {"MemTotal:", offsetof(struct machine, memory)},
        {"MemAvailable:", offsetof(struct machine, memory_left)},
        {"SwapTotal:", offsetof(struct machine, swap)},
        {"SwapFree:", offsetof(struct machine, swap_left)},
    };
    uint64_t number;
    if (strncmp(line, "cpu", 3) == 0)
        take_cpu(machine, now, line);
    else if (strncmp(line, "stall", 5) == 0)
        take_stall(now, line);
    else if (sscanf(line, "pgpgin %" SCNu64, &number) == 1) {
        now->read = number * 1024;
        now->has_io = true;
    } else if (sscanf(line, "pgpgout %" SCNu64, &number) == 1)
        now->written = number * 1024;
    for (size_t i = 0; i < ARRAY_SIZE(amounts); i++) {
        size_t size = strlen(amounts[i].name);
        if (strncmp(line, amounts[i].name, size) == 0 &&
            sscanf(line + size, " %" SCNu64, &number) == 1) {
            number *= 1024;
            memcpy((char *)machine + amounts[i].offset, &number, sizeof(number));
        }
    }
}

/* What a counter has grown by, times `scale`, in `passed`. */
static double rate(uint64_t before, uint64_t now, uint64_t passed, double scale) {
    return passed == 0 || now < before ? NAN : (double)(now - before) * scale / (double)passed;
}

static void count_rates(struct machine *machine, const struct machine_counters *now) {
    const struct machine_counters *before = &machine->before;
    bool known = before->time && now->time > before->time;
    uint64_t passed = known ? now->time - before->time : 0;
    for (unsigned i = 0; i < machine->cores; i++)
        machine->core[i] = known && now->whole[i] >= before->whole[i]
                               ? rate(before->busy[i], now->busy[i],
                                      now->whole[i] - before->whole[i], 100) : NAN;
    machine->cpu = known && now->whole_all >= before->whole_all
                       ? rate(before->busy_all, now->busy_all,
                              now->whole_all - before->whole_all, 100) : NAN;
    machine->read = now->has_io ? rate(before->read, now->read, passed, 1e6) : NAN;
    machine->written = now->has_io ? rate(before->written, now->written, passed, 1e6) : NAN;
    for (unsigned i = 0; i < ROW_STALLS; i++)
        machine->stall[i] = now->has_stall
                                ? rate(before->stall[i], now->stall[i], passed, 100) : NAN;
}

void machine_take(struct machine *machine, struct holden_view text, uint64_t time) {
    struct machine_counters now = {.time = time};
    const char *at = text.data;
    const char *end = at + text.size;
    machine->cores = 0;
    while (at < end) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((next ? next : end) - at);
        char line[LINE];
        snprintf(line, sizeof(line), "%.*s", (int)(size < LINE ? size : LINE - 1), at);
        take_line(machine, &now, line);
        at = next ? next + 1 : end;
    }
    count_rates(machine, &now);
    machine->before = now;
}
