/* The verb history: what a process has used over the last while, a line a sample; on a terminal
 * with bars. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/unit.h"
#include "controller/command.h"
#include "controller/session.h"
#include "controller/table.h"
#include "protocol/message.h"

#define SECOND UINT64_C(1000000)
enum { BAR = 10 /* characters */, EIGHTHS = 8 };

static const struct table_column columns[] = {
    {"TIME", false},  {"CPU%", true},    {"", false},       {"MEMORY", true},
    {"", false},      {"TASKS", true},   {"READ/S", true},  {"WRITTEN/S", true},
    {"RECEIVED/S", true}, {"SENT/S", true}, {"STALL%", false},
};
/* Their places in it. */
enum { CPU_BAR = 2, MEMORY_BAR = 4, NETWORK = 8 };

struct moment {
    uint64_t time;              /* microseconds since 1970 */
    struct holden_usage usage;
};

struct moments {
    struct buffer list; /* struct moment, the first at the head */
};

static void moments_free(struct moments *moments) {
    buffer_free(&moments->list);
}

static const struct moment *moments_of(const struct moments *moments, size_t *count) {
    *count = moments->list.size / sizeof(struct moment);
    return (const void *)buffer_bytes(&moments->list);
}

/* How much a counter grew between two moments, in a second; nothing where it began anew. */
static uint64_t rate(const struct moment *from, const struct moment *to, uint64_t before,
                     uint64_t after) {
    uint64_t span = to->usage.at - from->usage.at;
    if (span == 0 || to->usage.at < from->usage.at || after < before)
        return 0;
    return (uint64_t)((unsigned __int128)(after - before) * SECOND / span);
}

#define RATE(from, to, member) rate(from, to, (from)->usage.member, (to)->usage.member)
#define KNOWN(from, to, member)                                                                  \
    ((from) && HOLDEN_HAS(&(from)->usage, usage, member) &&                                      \
     HOLDEN_HAS(&(to)->usage, usage, member))

static uint64_t cpu_rate(const struct moment *from, const struct moment *to) {
    return from ? RATE(from, to, cpu) : 0;
}

static void put_when(struct table *table, uint64_t time) {
    char text[32];
    struct tm parts;
    time_t seconds = (time_t)(time / SECOND);
    localtime_r(&seconds, &parts);
    strftime(text, sizeof(text), "%m-%d %H:%M:%S", &parts);
    table_text(table, OUTPUT_PLAIN, text);
}

/* Microseconds in a second as a percentage. */
static void put_share(struct table *table, bool known, uint64_t rate) {
    char text[32] = "-";
    if (known)
        unit_format_percent(rate / 1000 * 10, text, sizeof(text));
    table_text(table, OUTPUT_PLAIN, text);
}

/* A bar as long as the value is beside the most. */
static void put_bar(struct table *table, uint64_t value, uint64_t most) {
    static const char *const parts[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    char text[BAR * sizeof("█") + sizeof("▉")] = "";
    uint64_t eighths =
        most > 0 ? (uint64_t)((unsigned __int128)value * BAR * EIGHTHS / most) : 0;
    for (uint64_t i = 0; i < eighths / EIGHTHS; i++)
        strcat(text, "█");
    strcat(text, parts[eighths % EIGHTHS]);
    table_text(table, OUTPUT_DIM, text);
}

struct most {
    uint64_t cpu, memory;
};

static struct most find_most(const struct moment *moments, size_t count) {
    struct most most = {0};
    for (size_t i = 0; i < count; i++) {
        uint64_t cpu = cpu_rate(i > 0 ? &moments[i - 1] : NULL, &moments[i]);
        most.cpu = cpu > most.cpu ? cpu : most.cpu;
        if (moments[i].usage.memory > most.memory)
            most.memory = moments[i].usage.memory;
    }
    return most;
}

static void put_moment(struct table *table, const struct moment *from, const struct moment *to,
                       const struct most *most) {
    const struct holden_usage *usage = &to->usage;
    put_when(table, to->time);
    put_share(table, KNOWN(from, to, cpu), cpu_rate(from, to));
    put_bar(table, cpu_rate(from, to), most->cpu);
    table_size(table, HOLDEN_HAS(usage, usage, memory), usage->memory);
    put_bar(table, usage->memory, most->memory);
    table_count(table, HOLDEN_HAS(usage, usage, tasks), usage->tasks);
    table_size(table, KNOWN(from, to, io_read), from ? RATE(from, to, io_read) : 0);
    table_size(table, KNOWN(from, to, io_written), from ? RATE(from, to, io_written) : 0);
    table_size(table, KNOWN(from, to, network_received),
               from ? RATE(from, to, network_received) : 0);
    table_size(table, KNOWN(from, to, network_sent), from ? RATE(from, to, network_sent) : 0);
    if (HOLDEN_HAS(usage, usage, network_sent))
        table->hidden &= ~(3U << NETWORK);
    put_share(table, KNOWN(from, to, stall_cpu),
              from ? RATE(from, to, stall_cpu) + RATE(from, to, stall_memory) +
                         RATE(from, to, stall_io)
                   : 0);
}

/* Bars are for eyes: where something else reads it, there are none. */
static void print(const struct moments *moments, struct output *output) {
    _cleanup_(table_free) struct table table;
    size_t count;
    const struct moment *list = moments_of(moments, &count);
    const struct most most = find_most(list, count);
    table_init(&table, columns, ARRAY_SIZE(columns));
    table.hidden = 3U << NETWORK;
    if (output->width == 0)
        table.hidden |= 1U << CPU_BAR | 1U << MEMORY_BAR;
    for (size_t i = 0; i < count; i++)
        put_moment(&table, i > 0 ? &list[i - 1] : NULL, &list[i], &most);
    table_print(&table, output);
}

/* One answer: printed at once as JSON, else kept until all are there. */
static int take(struct command *command, struct moments *moments,
                const struct holden_reply *reply) {
    struct holden_sample sample;
    struct holden_fault fault;
    struct moment moment = {0};
    char what[128];
    snprintf(what, sizeof(what), "cannot show the history of %s", command->arguments[0]);
    int status = session_take(reply, HOLDEN_MESSAGE_sample, &sample, what);
    if (status != STATUS_DONE)
        return status;
    if (command->options.json) {
        output_json(&command->output, &holden_record_sample, &sample);
        return STATUS_DONE;
    }
    moment.time = sample.time;
    if (holden_decode(&holden_record_usage, sample.usage.bytes.data, sample.usage.bytes.size,
                      &moment.usage, &fault) < 0)
        return STATUS_FAILED;
    return buffer_append(&moments->list, &moment, sizeof(moment)) < 0 ? STATUS_FAILED
                                                                     : STATUS_DONE;
}

static int ask(struct session *session, const struct command *command) {
    struct holden_history request = {0};
    const struct options *options = &command->options;
    HOLDEN_SET(&request, history, name, holden_view(command->arguments[0]));
    if (options->ago > 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        uint64_t time = (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec / 1000;
        HOLDEN_SET(&request, history, since, time > options->ago ? time - options->ago : 0);
    }
    if (options->step > 0)
        HOLDEN_SET(&request, history, step, options->step);
    return session_ask(session, HOLDEN_MESSAGE_history, &request, NULL, 0, NULL);
}

int verb_history(struct command *command) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    _cleanup_(moments_free) struct moments moments = {0};
    struct holden_reply reply;
    if (command_check_target(command->arguments[0]) != STATUS_DONE)
        return STATUS_USAGE;
    int status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = ask(&session, command);
    for (;;) {
        if (status == STATUS_DONE)
            status = session_next(&session, &reply);
        if (status != STATUS_DONE || reply.frame.type == HOLDEN_MESSAGE_end)
            break;
        status = take(command, &moments, &reply);
    }
    if (status != STATUS_DONE || command->options.json)
        return status;
    output_inspect(&command->output, command->options.no_color);
    print(&moments, &command->output);
    return STATUS_DONE;
}
