#include "monitor/column.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/unit.h"

/* From where on a share of a limit is worth a look, and from where on it is in danger. */
static const double share_near = 0.8;
static const double share_full = 0.95;

enum { BAR_WIDTH = 10 };

/* CELL(name) { … } defines a cell function of struct column_row. */
#define CELL(name)                                                                        \
    static struct holden_view name##_cell(                                                \
        __attribute__((unused)) const struct column_context *context,                     \
        __attribute__((unused)) const struct row *row,                                    \
        __attribute__((unused)) char scratch[COLUMN_SCRATCH])

static struct holden_view unknown(void) {
    return holden_view("-");
}

CELL(agent) {
    if (!context->agents)
        return holden_view("");
    snprintf(scratch, COLUMN_SCRATCH, "%-5s", context->agents[row->agent]); /* as wide as AGENT */
    return holden_view(scratch);
}

CELL(state) {
    if (row->frozen)
        return holden_view("frozen");
    const char *word = holden_word(&holden_enum_state, row->state);
    return word ? holden_view(word) : unknown();
}

CELL(pid) {
    if (!row->pid)
        return unknown();
    snprintf(scratch, COLUMN_SCRATCH, "%" PRIu32, row->pid);
    return holden_view(scratch);
}

CELL(user) {
    return row->dynamic_user.size > 0 ? row->dynamic_user
                                      : holden_view(user_name(context->users, row->user));
}

CELL(cpu) {
    if (isnan(row->rates.cpu))
        return unknown();
    snprintf(scratch, COLUMN_SCRATCH, "%.1f", row->rates.cpu);
    return holden_view(scratch);
}

CELL(memory) {
    char used[16];
    char limit[16];
    if (!HOLDEN_HAS(&row->usage, usage, memory))
        return unknown();
    bool limited = row->memory_limit != UINT64_MAX;
    unit_format_size_short(row->usage.memory, used, sizeof(used));
    unit_format_size_short(row->memory_limit, limit, sizeof(limit));
    snprintf(scratch, COLUMN_SCRATCH, "%s%s%s", used, limited ? "/" : "", limited ? limit : "");
    return holden_view(scratch);
}

CELL(bar) {
    double share = row_memory_share(row);
    if (isnan(share))
        return holden_view("");
    int full = share >= 1 ? BAR_WIDTH : (int)(share * BAR_WIDTH + 0.5);
    size_t used = 0;
    for (int i = 0; i < BAR_WIDTH; i++)
        used += (size_t)snprintf(scratch + used, COLUMN_SCRATCH - used, "%s",
                                 context->utf8 ? (i < full ? "█" : "░") : (i < full ? "#" : "."));
    return holden_view(scratch);
}

CELL(tasks) {
    if (!HOLDEN_HAS(&row->usage, usage, tasks))
        return unknown();
    int used = snprintf(scratch, COLUMN_SCRATCH, "%" PRIu64, row->usage.tasks);
    if (row->tasks_limit != UINT64_MAX)
        snprintf(scratch + used, (size_t)(COLUMN_SCRATCH - used), "/%" PRIu64, row->tasks_limit);
    return holden_view(scratch);
}

CELL(io) {
    double rate = row_io(row);
    if (isnan(rate))
        return unknown();
    char bytes[16];
    unit_format_size_short((uint64_t)rate, bytes, sizeof(bytes));
    snprintf(scratch, COLUMN_SCRATCH, "%s/s", bytes);
    return holden_view(scratch);
}

/* What it waits for is told where it waits at all. */
CELL(stall) {
    enum row_stall which = ROW_STALL_CPU;
    double stall = row_stall(row, &which);
    if (isnan(stall))
        return unknown();
    snprintf(scratch, COLUMN_SCRATCH, "%.0f%%%s%s", stall, stall < 0.5 ? "" : " ",
             stall < 0.5 ? "" : row_stall_word(which));
    return holden_view(scratch);
}

/* "2min 3s" without the space, which a column has no room for. */
CELL(time) {
    uint64_t whole = row->runtime >= 1000000 ? row->runtime - row->runtime % 1000000 : row->runtime;
    unit_format_time_short(whole, scratch, COLUMN_SCRATCH);
    char *to = scratch;
    for (const char *from = scratch; *from; from++)
        if (*from != ' ')
            *to++ = *from;
    *to = '\0';
    return holden_view(scratch);
}

CELL(name) {
    return row->name;
}

CELL(command) {
    return row->command;
}

/* Frozen ones come between those that run and those that stop. */
static double state_number(const struct row *row) {
    return row->frozen ? HOLDEN_state_RUNNING + 0.5 : row->state;
}

static double pid_number(const struct row *row) {
    return row->pid ? (double)row->pid : (double)NAN;
}

static double cpu_number(const struct row *row) {
    return row->rates.cpu;
}

static double memory_number(const struct row *row) {
    return HOLDEN_HAS(&row->usage, usage, memory) ? (double)row->usage.memory : NAN;
}

static double tasks_number(const struct row *row) {
    return HOLDEN_HAS(&row->usage, usage, tasks) ? (double)row->usage.tasks : NAN;
}

static double stall_number(const struct row *row) {
    return row_stall(row, NULL);
}

static double time_number(const struct row *row) {
    return (double)row->runtime;
}

static enum style share_style(double share) {
    return share >= share_full ? STYLE_BAD : share >= share_near ? STYLE_WARN : STYLE_PLAIN;
}

static enum style cpu_style(const struct row *row) {
    return row->rates.throttled >= 5 ? STYLE_WARN : STYLE_PLAIN;
}

static enum style memory_style(const struct row *row) {
    return share_style(row_memory_share(row));
}

static enum style bar_style(const struct row *row) {
    enum style style = share_style(row_memory_share(row));
    return style == STYLE_PLAIN ? STYLE_GOOD : style;
}

static enum style tasks_style(const struct row *row) {
    return share_style(row_tasks_share(row));
}

static enum style stall_style(const struct row *row) {
    double stall = row_stall(row, NULL);
    return stall >= 50 ? STYLE_BAD : stall >= 10 ? STYLE_WARN : STYLE_PLAIN;
}

static enum style command_style(__attribute__((unused)) const struct row *row) {
    return STYLE_DIM;
}

/* What the state of a process means for whoever looks. */
static const enum style state_styles[] = {
    [HOLDEN_state_STARTING] = STYLE_STRONG, [HOLDEN_state_RUNNING] = STYLE_GOOD,
    [HOLDEN_state_STOPPING] = STYLE_WARN,   [HOLDEN_state_BACKOFF] = STYLE_WARN,
    [HOLDEN_state_EXITED] = STYLE_DIM,      [HOLDEN_state_FAILED] = STYLE_BAD,
    [HOLDEN_state_STOPPED] = STYLE_DIM,
};

static enum style state_style(const struct row *row) {
    if (row->frozen)
        return STYLE_COLD;
    return row->state < ARRAY_SIZE(state_styles) ? state_styles[row->state] : STYLE_PLAIN;
}

enum style column_row_style(const struct row *row) {
    enum style style = state_style(row);
    return style == STYLE_COLD || style == STYLE_DIM || style == STYLE_BAD ? style : STYLE_PLAIN;
}

static const struct column_row rows[COLUMNS_COUNT] = {
    [COLUMN_AGENT] = {.title = "AGENT", .most = 16, .rank = 9, .left = true,
                      .cell = agent_cell, .doc = "which agent, where there are several"},
    [COLUMN_STATE] = {.title = "STATE", .word = "state", .least = 7, .most = 8, .rank = 10,
                      .left = true, .cell = state_cell, .number = state_number,
                      .style = state_style, .doc = "what it is doing, or how it ended"},
    [COLUMN_PID] = {.title = "PID", .word = "pid", .least = 5, .most = 10, .rank = 7,
                    .cell = pid_cell, .number = pid_number, .doc = "its process id"},
    [COLUMN_USER] = {.title = "USER", .word = "user", .least = 4, .most = 12, .rank = 3,
                     .left = true, .cell = user_cell, .doc = "whom it runs as"},
    [COLUMN_CPU] = {.title = "CPU%", .word = "cpu", .least = 5, .most = 8, .rank = 12,
                    .descending = true, .cell = cpu_cell, .number = cpu_number, .style = cpu_style,
                    .doc = "CPU time in percent of one CPU; coloured where CPUQuota= bites"},
    [COLUMN_MEMORY] = {.title = "MEMORY", .word = "memory", .least = 6, .most = 11, .rank = 11,
                       .descending = true, .cell = memory_cell, .number = memory_number,
                       .style = memory_style,
                       .doc = "memory in use, and MemoryMax= where it is set"},
    [COLUMN_BAR] = {.title = "", .most = BAR_WIDTH, .rank = 1, .left = true, .screen = true,
                    .cell = bar_cell, .style = bar_style,
                    .doc = "the same as a bar, where there is room"},
    [COLUMN_TASKS] = {.title = "TASKS", .word = "tasks", .least = 5, .most = 11, .rank = 5,
                      .descending = true, .cell = tasks_cell, .number = tasks_number,
                      .style = tasks_style,
                      .doc = "processes and threads, and TasksMax= where it is set"},
    [COLUMN_IO] = {.title = "IO", .word = "io", .least = 7, .most = 9, .rank = 6,
                   .descending = true, .cell = io_cell, .number = row_io,
                   .doc = "bytes read and written per second"},
    [COLUMN_STALL] = {.title = "STALL", .word = "stall", .least = 5, .most = 8, .rank = 4,
                      .descending = true, .cell = stall_cell, .number = stall_number,
                      .style = stall_style,
                      .doc = "time in which some task waited, and what for: cpu, mem or io"},
    [COLUMN_TIME] = {.title = "TIME", .word = "time", .least = 6, .most = 9, .rank = 8,
                     .descending = true, .cell = time_cell, .number = time_number,
                     .doc = "how long it has run, or ran"},
    [COLUMN_NAME] = {.title = "NAME", .word = "name", .least = 4, .most = 64, .rank = 13,
                     .left = true, .cell = name_cell, .doc = "its name"},
    [COLUMN_COMMAND] = {.title = "COMMAND", .word = "command", .least = 12, .most = UINT32_MAX,
                        .rank = 2, .left = true, .cell = command_cell, .style = command_style,
                        .doc = "its command line, where there is room"},
};

const struct column_row *column(enum column which) {
    return &rows[which];
}

int column_find(const char *word, enum column *which) {
    for (unsigned i = 0; i < COLUMNS_COUNT; i++)
        if (rows[i].word && strcasecmp(rows[i].word, word) == 0) {
            *which = i;
            return 0;
        }
    return -EINVAL;
}
