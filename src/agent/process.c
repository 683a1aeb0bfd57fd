#include "agent/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/beside.h"
#include "agent/readiness.h"
#include "agent/slice.h"
#include "agent/state.h"
#include "agent/statement.h"
#include "agent/waiter.h"
#include "common/cleanup.h"
#include "common/name.h"

enum { BUCKETS = 256 };

static void free_buckets(struct processes *table) {
    free(table->by_id);
    free(table->by_name);
    free(table->by_pid);
    free(table->by_token);
}

/* Gives the table so many new, empty buckets; those it had are not freed. 0 or -ENOMEM, and nothing
 * has changed. */
static int make_buckets(struct processes *table, size_t count) {
    struct processes made = *table;
    made.by_id = calloc(count, sizeof(*made.by_id));
    made.by_name = calloc(count, sizeof(*made.by_name));
    made.by_pid = calloc(count, sizeof(*made.by_pid));
    made.by_token = calloc(count, sizeof(*made.by_token));
    made.buckets = count;
    if (!made.by_id || !made.by_name || !made.by_pid || !made.by_token) {
        free_buckets(&made);
        return -ENOMEM;
    }
    table->by_id = made.by_id;
    table->by_name = made.by_name;
    table->by_pid = made.by_pid;
    table->by_token = made.by_token;
    table->buckets = count;
    return 0;
}

int processes_init(struct processes *table) {
    *table = (struct processes){0};
    TAILQ_INIT(&table->order);
    TAILQ_INIT(&table->endings);
    return make_buckets(table, BUCKETS);
}

void processes_free(struct processes *table) {
    while (!TAILQ_EMPTY(&table->order))
        process_free(TAILQ_FIRST(&table->order));
    free_buckets(table);
    *table = (struct processes){0};
}

/* FNV-1a. */
static size_t hash_name(struct holden_view name) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * UINT64_C(1099511628211);
    return (size_t)hash;
}

static struct process_bucket *bucket(struct process_bucket *buckets, const struct processes *table,
                                     size_t hash) {
    return &buckets[hash & (table->buckets - 1)];
}

static void link_process(struct processes *table, struct process *process) {
    LIST_INSERT_HEAD(bucket(table->by_id, table, process->id), process, by_id);
    LIST_INSERT_HEAD(bucket(table->by_name, table, hash_name(holden_view(process->name))), process,
                     by_name);
    if (process->pid > 0)
        LIST_INSERT_HEAD(bucket(table->by_pid, table, (size_t)process->pid), process, by_pid);
    if (process->token > 0)
        LIST_INSERT_HEAD(bucket(table->by_token, table, process->token), process, by_token);
}

/* Four times the buckets once they hold two each on average; without memory it stays as it is. */
static void grow(struct processes *table) {
    if (table->count < table->buckets * 2)
        return;
    struct processes old = *table;
    if (make_buckets(table, table->buckets * 4) < 0)
        return;
    free_buckets(&old);
    /* Oldest first, so that the newest of a name ends up at the head of its bucket. */
    struct process *process;
    TAILQ_FOREACH(process, &table->order, order)
        link_process(table, process);
}

int process_new(struct agent *agent, uint64_t id, struct holden_view name, struct process **out) {
    struct processes *table = &agent->processes;
    struct process *process = calloc(1, sizeof(*process));
    char *copy = strndup(name.data, name.size);
    if (!process || !copy) {
        free(process);
        free(copy);
        return -ENOMEM;
    }
    process->agent = agent;
    process->id = id;
    process->name = copy;
    process->pidfd = -1;
    process->killed_by = process->listener = -1;
    for (size_t i = 0; i < ARRAY_SIZE(process->passed); i++)
        process->passed[i] = -1;
    process->cgroup_watch = -1;
    process->log_watch = -1;
    LIST_INIT(&process->waiters);
    grow(table);
    TAILQ_INSERT_TAIL(&table->order, process, order);
    link_process(table, process);
    table->count++;
    table->alive++;
    *out = process;
    return 0;
}

void process_set_pid(struct process *process, pid_t pid) {
    struct processes *table = &process->agent->processes;
    if (process->pid > 0)
        LIST_REMOVE(process, by_pid);
    process->pid = pid;
    if (pid <= 0)
        return;
    process->last_pid = pid;
    LIST_INSERT_HEAD(bucket(table->by_pid, table, (size_t)pid), process, by_pid);
}

void process_set_request(struct process *process, uint8_t *request, size_t size) {
    struct processes *table = &process->agent->processes;
    struct holden_start start;
    struct holden_properties properties;
    free(process->request);
    process->request = request;
    process->request_size = size;
    if (process->token > 0)
        LIST_REMOVE(process, by_token);
    process_request(process, &start, &properties);
    process->token = HOLDEN_HAS(&start, start, token) ? start.token : 0;
    process->has_init =
        HOLDEN_HAS(&properties, properties, private_pids) && properties.private_pids;
    process->remain =
        HOLDEN_HAS(&properties, properties, remain_after_exit) && properties.remain_after_exit;
    process->counts_ip =
        HOLDEN_HAS(&properties, properties, ip_accounting) && properties.ip_accounting;
    process->by_cgroup = readiness_by_cgroup(&properties);
    process->commands = phase_all(&properties);
    if (process->token > 0)
        LIST_INSERT_HEAD(bucket(table->by_token, table, process->token), process, by_token);
}

/* They end in order but for those that are recovered, which are read in the order of their ids. */
void process_set_ended(struct process *process, bool ended) {
    struct processes *table = &process->agent->processes;
    if (!ended) {
        TAILQ_REMOVE(&table->endings, process, ending);
        table->ended--;
        return;
    }
    struct process *before = TAILQ_LAST(&table->endings, process_order);
    while (before && before->ended_monotonic > process->ended_monotonic)
        before = TAILQ_PREV(before, process_order, ending);
    if (before)
        TAILQ_INSERT_AFTER(&table->endings, before, process, ending);
    else
        TAILQ_INSERT_HEAD(&table->endings, process, ending);
    table->ended++;
}

void process_drop_launch(struct agent *agent, struct launch *launch) {
    if (!launch)
        return;
    link_give_report(&agent->link, launch->report);
    sd_event_source_disable_unref(launch->source);
    if (launch->pipe >= 0)
        close(launch->pipe);
    free(launch);
}

void process_launched(struct process *process) {
    process_drop_launch(process->agent, TAKE_POINTER(process->launch));
}

void process_stopped(struct process *process) {
    if (process->stopping)
        sd_event_source_disable_unref(process->stopping->timer);
    free(process->stopping);
    process->stopping = NULL;
}

void process_permanent(struct process *process) {
    if (process->temporary) {
        sd_event_source_disable_unref(process->temporary->timer);
        free(process->temporary->before);
    }
    free(process->temporary);
    process->temporary = NULL;
}

void process_free(struct process *process) {
    struct processes *table = &process->agent->processes;
    waiter_drop_all(process);
    sampler_forget(process);
    dynamic_user_leave(process);
    slice_leave(process->slice);
    process_set_pid(process, 0);
    TAILQ_REMOVE(&table->order, process, order);
    LIST_REMOVE(process, by_id);
    LIST_REMOVE(process, by_name);
    if (process->token > 0)
        LIST_REMOVE(process, by_token);
    table->count--;
    if (process_alive(process))
        table->alive--;
    else
        process_set_ended(process, false);
    sd_event_source_disable_unref(process->end);
    sd_event_source_disable_unref(process->limit);
    sd_event_source_disable_unref(process->watchdog);
    sd_event_source_disable_unref(process->start_limit);
    if (process->readiness) {
        sd_event_source_disable_unref(process->readiness->look);
        cleanup_close(&process->readiness->pidfd);
    }
    free(process->readiness);
    statement_drop(process);
    sd_event_source_disable_unref(process->log_look);
    trimmer_forget(process);
    watch_remove(&process->agent->watch, &process->log_watch);
    watch_remove(&process->agent->watch, &process->cgroup_watch);
    if (process->pidfd >= 0)
        close(process->pidfd);
    for (size_t i = 0; i < ARRAY_SIZE(process->passed); i++)
        if (process->passed[i] >= 0)
            close(process->passed[i]);
    process_launched(process);
    beside_drop(process);
    process_stopped(process);
    process_permanent(process);
    talk_end(process);
    filter_release(&process->agent->filters, process->filter);
    free(process->denials);
    free(process->learned);
    free(process->outcome.explanation);
    free(process->complaint);
    free(process->usage);
    free(process->request);
    free(process->name);
    free(process);
}

struct process *process_by_id(const struct processes *table, uint64_t id) {
    struct process *process;
    LIST_FOREACH(process, bucket(table->by_id, table, (size_t)id), by_id)
        if (process->id == id)
            return process;
    return NULL;
}

struct process *process_by_token(const struct processes *table, uint64_t token, uid_t owner) {
    struct process *process;
    if (token == 0)
        return NULL;
    LIST_FOREACH(process, bucket(table->by_token, table, (size_t)token), by_token)
        if (process->token == token && process->owner == owner)
            return process;
    return NULL;
}

struct process *process_by_name(const struct processes *table, struct holden_view name) {
    struct process *process, *found = NULL;
    LIST_FOREACH(process, bucket(table->by_name, table, hash_name(name)), by_name) {
        if (!holden_view_is(name, process->name))
            continue;
        if (process_alive(process))
            return process;
        if (!found || process->id > found->id)
            found = process;
    }
    return found;
}

static struct process *by_pid(const struct processes *table, pid_t pid) {
    struct process *process;
    LIST_FOREACH(process, bucket(table->by_pid, table, (size_t)pid), by_pid)
        if (process->pid == pid)
            return process;
    return NULL;
}

struct process *process_by_text(const struct processes *table, struct holden_view text) {
    if (!name_is_pid(text.data, text.size))
        return process_by_name(table, text);
    uint64_t number = 0;
    for (size_t i = 0; i < text.size && number <= INT32_MAX; i++)
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    return number > 0 && number <= INT32_MAX ? by_pid(table, (pid_t)number) : NULL;
}

struct process *process_after(const struct processes *table, uint64_t id) {
    struct process *process = process_by_id(table, id);
    if (process)
        return TAILQ_NEXT(process, order);
    TAILQ_FOREACH(process, &table->order, order)
        if (process->id > id)
            return process;
    return NULL;
}

bool process_alive(const struct process *process) {
    return state_alive(process->state);
}

void process_request(const struct process *process, struct holden_start *start,
                     struct holden_properties *properties) {
    struct holden_fault fault;
    *start = (struct holden_start){0};
    if (properties)
        *properties = (struct holden_properties){0};
    if (holden_decode(&holden_record_start, process->request, process->request_size, start,
                      &fault) < 0)
        *start = (struct holden_start){0};
    else if (properties && HOLDEN_HAS(start, start, properties) &&
             holden_decode(&holden_record_properties, start->properties.bytes.data,
                           start->properties.bytes.size, properties, &fault) < 0)
        *properties = (struct holden_properties){0};
}

int process_keep_request(struct process *process, const struct holden_start *start) {
    _cleanup_(buffer_free) struct buffer encoded = {0};
    int r = holden_encode(&holden_record_start, start, &encoded);
    if (r < 0)
        return r;
    uint8_t *copy = malloc(encoded.size);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, buffer_bytes(&encoded), encoded.size);
    process_set_request(process, copy, encoded.size);
    return 0;
}

int process_replace_properties(struct process *process,
                               const struct holden_properties *properties) {
    struct holden_start start;
    struct holden_properties old;
    process_request(process, &start, &old);
    HOLDEN_SET(&start, start, properties, (struct holden_nested){.value = properties});
    return process_keep_request(process, &start);
}

struct holden_view process_identifier(const struct process *process,
                                      const struct holden_properties *properties) {
    bool set = HOLDEN_HAS(properties, properties, syslog_identifier) &&
               properties->syslog_identifier.size > 0;
    return set ? properties->syslog_identifier : holden_view(process->name);
}
