#include "monitor/csv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "monitor/text.h"

enum { TEXT = 8192 };

/* What a line is made from. */
struct csv_source {
    const struct row *row;
    const struct feed *feed;
    struct users *users;
};

static int put_text(struct holden_view text, struct buffer *out) {
    char fitted[TEXT];
    text_fit(text, TEXT, true, fitted, sizeof(fitted));
    if (!strpbrk(fitted, ",\""))
        return buffer_append(out, fitted, strlen(fitted));
    int r = buffer_append(out, "\"", 1);
    for (const char *at = fitted; r == 0 && *at; at++)
        r = buffer_append(out, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
    return r < 0 ? r : buffer_append(out, "\"", 1);
}

static int put_number(uint64_t number, struct buffer *out) {
    return buffer_printf(out, "%" PRIu64, number);
}

static int put_limit(uint64_t number, struct buffer *out) {
    return number == UINT64_MAX ? 0 : put_number(number, out);
}

static int put_rate(double rate, struct buffer *out) {
    return isnan(rate) ? 0 : buffer_printf(out, "%.3f", rate);
}

#define VALUE(name, expression)                                                              \
    static int put_##name(const struct csv_source *source, struct buffer *out) {             \
        return expression;                                                                   \
    }
VALUE(time, put_number(source->feed->time, out))
VALUE(sample, put_number(source->feed->samples, out))
VALUE(socket, put_text(holden_view(source->feed->path), out))
VALUE(id, put_number(source->row->id, out))
VALUE(name, put_text(source->row->name, out))
VALUE(pid, source->row->pid ? put_number(source->row->pid, out) : 0)
VALUE(state, put_text(holden_view(source->row->frozen
                                      ? "frozen"
                                      : holden_word(&holden_enum_state, source->row->state)), out))
VALUE(user_name, put_text(source->row->dynamic_user.size > 0
                              ? source->row->dynamic_user
                              : holden_view(user_name(source->users, source->row->user)), out))
VALUE(slice, put_text(source->row->slice, out))
VALUE(cpu, put_rate(source->row->rates.cpu, out))
VALUE(throttled, put_rate(source->row->rates.throttled, out))
VALUE(memory, HOLDEN_HAS(&source->row->usage, usage, memory)
                  ? put_number(source->row->usage.memory, out) : 0)
VALUE(memory_limit, put_limit(source->row->memory_limit, out))
VALUE(tasks, HOLDEN_HAS(&source->row->usage, usage, tasks)
                 ? put_number(source->row->usage.tasks, out) : 0)
VALUE(tasks_limit, put_limit(source->row->tasks_limit, out))
VALUE(io_read, put_rate(source->row->rates.read, out))
VALUE(io_written, put_rate(source->row->rates.written, out))
VALUE(stall_cpu, put_rate(source->row->rates.stall[ROW_STALL_CPU], out))
VALUE(stall_memory, put_rate(source->row->rates.stall[ROW_STALL_MEMORY], out))
VALUE(stall_io, put_rate(source->row->rates.stall[ROW_STALL_IO], out))
VALUE(runtime, put_number(source->row->runtime, out))
VALUE(restarts, put_number(source->row->restarts, out))
VALUE(command, put_text(source->row->command, out))

static const struct {
    const char *title;
    int (*put)(const struct csv_source *source, struct buffer *out);
} columns[] = {
    {"time", put_time},
    {"sample", put_sample},
    {"socket", put_socket},
    {"id", put_id},
    {"name", put_name},
    {"pid", put_pid},
    {"state", put_state},
    {"user_name", put_user_name},
    {"slice", put_slice},
    {"cpu", put_cpu},
    {"throttled", put_throttled},
    {"memory", put_memory},
    {"memory_limit", put_memory_limit},
    {"tasks", put_tasks},
    {"tasks_limit", put_tasks_limit},
    {"io_read", put_io_read},
    {"io_written", put_io_written},
    {"stall_cpu", put_stall_cpu},
    {"stall_memory", put_stall_memory},
    {"stall_io", put_stall_io},
    {"runtime", put_runtime},
    {"restarts", put_restarts},
    {"command", put_command},
};

static const char *end_of(size_t i) {
    return i + 1 < ARRAY_SIZE(columns) ? "," : "\n";
}

int csv_put_titles(struct buffer *out) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(columns); i++)
        r = buffer_printf(out, "%s%s", columns[i].title, end_of(i));
    return r;
}

int csv_put(const struct row *row, const struct feed *feed, struct users *users,
            struct buffer *out) {
    const struct csv_source source = {row, feed, users};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(columns); i++) {
        r = columns[i].put(&source, out);
        if (r == 0)
            r = buffer_append(out, end_of(i), 1);
    }
    return r;
}
