#include "agent/statement.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/beside.h"
#include "agent/machine.h"
#include "agent/readiness.h"
#include "agent/sequence.h"
#include "agent/stop.h"
#include "agent/watchdog.h"
#include "common/cleanup.h"
#include "common/log.h"

enum { TELL_SPAN = 100000, WARN_SPAN = 1000000 }; /* microseconds */

/* ---- telling ---- */

/* "reloading; half way; error 2 (No such file or directory); org.example.Error" */
static void describe(const struct statement *statement, char *out, size_t size) {
    struct {
        const char *text;
        bool set;
    } parts[] = {
        {holden_word(&holden_enum_notify_state, statement->state),
         statement->state != HOLDEN_notify_state_NONE},
        {statement->text, statement->text},
        {strerrordesc_np((int)statement->error), statement->error > 0},
        {statement->bus_error, statement->bus_error},
    };
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i].set && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? "; " : "",
                                     parts[i].text ? parts[i].text : "an error");
}

static void announce(struct process *process) {
    struct statement *statement = process->statement;
    char text[2 * NOTICE_MOST + 256];
    if (!statement->changed)
        return;
    statement->changed = false;
    describe(statement, text, sizeof(text));
    events_said(process, text);
}

static void tell(struct process *process) {
    struct statement *statement = process->statement;
    statement->later = sd_event_source_disable_unref(statement->later);
    statement->told = machine_monotonic();
    int r = store_write(&process->agent->store, process);
    if (r < 0)
        log_warning("%s: what it says of itself could not be written down: %s", process->name,
                    strerror(-r));
    announce(process);
}

static int on_later(sd_event_source *source, uint64_t now, void *data) {
    (void)source;
    (void)now;
    tell(data);
    return 0;
}

static void tell_soon(struct process *process) {
    struct statement *statement = process->statement;
    uint64_t due = statement->told + TELL_SPAN;
    if (statement->later)
        return;
    if (machine_monotonic() >= due ||
        sd_event_add_time(process->agent->event, &statement->later, CLOCK_MONOTONIC, due, 1000,
                          on_later, process) < 0)
        tell(process);
}

static void complain(struct process *process, pid_t pid, const char *why) {
    struct statement *statement = process->statement;
    uint64_t now = machine_monotonic();
    if (statement->warned > 0 && now - statement->warned < WARN_SPAN)
        return;
    statement->warned = now;
    log_warning("%s: passed over what pid %d says: %s", process->name, (int)pid, why);
}

static void refuse_main(struct process *process, pid_t pid, pid_t main, const char *why) {
    char text[128];
    snprintf(text, sizeof(text), "MAINPID=%d: %s", (int)main, why);
    complain(process, pid, text);
}

/* ---- hearing ---- */

static void take_text(struct statement *statement, const char *said, char **into) {
    const char *before = *into ? *into : "";
    if (!said || strcmp(said, before) == 0)
        return;
    free(*into);
    *into = *said ? strdup(said) : NULL;
    statement->changed = true;
}

static void put_off(sd_event_source *timer, uint64_t until) {
    uint64_t before;
    if (timer && sd_event_source_get_time(timer, &before) >= 0 && until > before)
        sd_event_source_set_time(timer, until);
}

/* The timer of what it is doing is never brought forward. A process gets no more time by itself
 * than a rule of the policy gives its user. */
static void extend(struct process *process, uint64_t microseconds) {
    uint64_t now = machine_monotonic();
    bool bounded = process->owner != 0 && policy_bounds(&process->agent->policy,
                                                        HOLDEN_INDEX(properties, runtime_max));
    if (bounded || microseconds > INT64_MAX - now)
        return;
    uint64_t until = now + microseconds;
    if (process->stopping)
        stop_extend(process, until);
    else
        put_off(process->start_limit ? process->start_limit : process->limit, until);
    beside_extend(process, until);
    if (!process->stopping && until > process->statement->extended)
        process->statement->extended = until;
}

static void take_state(struct process *process, uint32_t state) {
    struct statement *statement = process->statement;
    bool waited = process->readiness;
    if (state == HOLDEN_notify_state_NONE)
        return;
    statement->changed |= statement->state != state &&
                          (state != HOLDEN_notify_state_READY ||
                           statement->state == HOLDEN_notify_state_RELOADING);
    statement->state = state;
    if (state == HOLDEN_notify_state_READY)
        readiness_said(process);
    if (waited && !process->readiness)
        statement->extended = 0;
    if (state == HOLDEN_notify_state_STOPPING && process->state == HOLDEN_state_RUNNING &&
        stop_said(process) < 0)
        log_error("%s: no memory: that it stops is not taken note of", process->name);
}

static bool says_something(const struct notice *notice) {
    return notice->state || notice->text || notice->bus_error || notice->error >= 0 ||
           notice->main > 0 || notice->extend > 0 || notice->watchdog > 0 || notice->fault;
}

static void take_statement(struct process *process, pid_t pid, const struct notice *notice) {
    bool ready = notice->state == HOLDEN_notify_state_READY;
    if (!says_something(notice) || !process_alive(process) || sequence_before_main(process) ||
        !readiness_hears(process, pid, ready))
        return;
    if (!process->statement && !(process->statement = calloc(1, sizeof(*process->statement)))) {
        log_error("%s: no memory for what it says", process->name);
        return;
    }
    struct statement *statement = process->statement;
    pid_t before = process->pid;
    const char *refused = notice->main > 0 ? readiness_named(process, notice->main) : NULL;
    if (notice->fault)
        complain(process, pid, notice->fault);
    if (refused)
        refuse_main(process, pid, notice->main, refused);
    statement->changed |= process->pid != before;
    take_text(statement, notice->text, &statement->text);
    take_text(statement, notice->bus_error, &statement->bus_error);
    if (notice->error >= 0 && statement->error != (uint32_t)notice->error) {
        statement->error = (uint32_t)notice->error;
        statement->changed = true;
    }
    if (notice->extend > 0)
        extend(process, notice->extend);
    if (notice->watchdog > 0)
        statement->watchdog = notice->watchdog;
    take_state(process, notice->state);
    if (process->statement)
        tell_soon(process);
    if (notice->watchdog > 0)
        watchdog_begin(process);
}

/* A process says WATCHDOG=1 again and again, and mostly nothing else: that is not written down. */
static void take_watchdog(struct process *process, pid_t pid, const struct notice *notice) {
    if ((!notice->alive && !notice->trigger) || !process_alive(process) ||
        sequence_before_main(process) || !readiness_hears(process, pid, false))
        return;
    if (notice->alive)
        watchdog_begin(process);
    if (notice->trigger)
        watchdog_trigger(process);
}

void statement_hear(struct process *process, pid_t pid, const struct notice *notice) {
    take_statement(process, pid, notice);
    take_watchdog(process, pid, notice);
}

uint64_t statement_until(const struct process *process, uint64_t own) {
    return process->statement && process->statement->extended > own ? process->statement->extended
                                                                    : own;
}

/* ---- keeping ---- */

bool statement_fill(const struct process *process, struct holden_statement *out) {
    const struct statement *statement = process->statement;
    *out = (struct holden_statement){0};
    if (!statement)
        return false;
    if (statement->state)
        HOLDEN_SET(out, statement, state, statement->state);
    if (statement->text)
        HOLDEN_SET(out, statement, text, holden_view(statement->text));
    if (statement->error > 0)
        HOLDEN_SET(out, statement, error, statement->error);
    if (statement->bus_error)
        HOLDEN_SET(out, statement, bus_error, holden_view(statement->bus_error));
    if (statement->extended > 0)
        HOLDEN_SET(out, statement, extended, statement->extended);
    if (statement->watchdog > 0)
        HOLDEN_SET(out, statement, watchdog, statement->watchdog);
    return statement->state || statement->text || statement->error > 0 || statement->bus_error ||
           statement->extended > 0 || statement->watchdog > 0;
}

int statement_take(struct process *process, const struct holden_nested *kept) {
    struct holden_statement from;
    struct holden_fault fault;
    if (holden_decode(&holden_record_statement, kept->bytes.data, kept->bytes.size, &from,
                      &fault) < 0)
        return 0;
    struct statement *statement = process->statement = calloc(1, sizeof(*statement));
    if (!statement)
        return -ENOMEM;
    statement->state = from.state;
    statement->error = from.error;
    statement->extended = from.extended;
    statement->watchdog = from.watchdog;
    if (HOLDEN_HAS(&from, statement, text) &&
        !(statement->text = strndup(from.text.data, from.text.size)))
        return -ENOMEM;
    if (HOLDEN_HAS(&from, statement, bus_error) &&
        !(statement->bus_error = strndup(from.bus_error.data, from.bus_error.size)))
        return -ENOMEM;
    return 0;
}

void statement_settle(struct agent *agent) {
    struct process *process;
    TAILQ_FOREACH(process, &agent->processes.order, order)
        if (process->statement && process->statement->later)
            tell(process);
}

void statement_end(struct process *process) {
    struct statement *statement = process->statement;
    if (!statement)
        return;
    statement->later = sd_event_source_disable_unref(statement->later);
    announce(process);
    statement->state = HOLDEN_notify_state_NONE;
    statement->extended = 0;
}

void statement_drop(struct process *process) {
    struct statement *statement = TAKE_POINTER(process->statement);
    if (!statement)
        return;
    sd_event_source_disable_unref(statement->later);
    free(statement->text);
    free(statement->bus_error);
    free(statement);
}
