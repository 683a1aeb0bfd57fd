#include "agent/phase.h"

#include <signal.h>
#include <stdio.h>

#include "agent/outcome.h"
#include "agent/process.h"
#include "protocol/property.h"

/* The fields of the settings, in the order of enum phase. */
static const size_t fields[PHASES] = {
    [PHASE_START_PRE] = HOLDEN_INDEX(properties, exec_start_pre),
    [PHASE_STOP] = HOLDEN_INDEX(properties, exec_stop),
    [PHASE_STOP_POST] = HOLDEN_INDEX(properties, exec_stop_post),
    [PHASE_START_POST] = HOLDEN_INDEX(properties, exec_start_post),
    [PHASE_RELOAD] = HOLDEN_INDEX(properties, exec_reload),
    [PHASE_CONDITION] = HOLDEN_INDEX(properties, exec_condition),
};

static struct holden_repeated list_of(const struct holden_properties *properties,
                                      enum phase phase) {
    const struct holden_field *field = &holden_record_properties.fields[fields[phase]];
    if (!holden_has(properties, fields[phase]))
        return (struct holden_repeated){0};
    return *(const struct holden_repeated *)(const void *)((const uint8_t *)properties +
                                                           field->offset);
}

const char *phase_name(enum phase phase) {
    return holden_property(fields[phase])->name;
}

const char *phase_limit(enum phase phase) {
    return phase == PHASE_STOP || phase == PHASE_STOP_POST ? "TimeoutStopSec" : "TimeoutStartSec";
}

uint32_t phase_count(const struct holden_properties *properties, enum phase phase) {
    return list_of(properties, phase).count;
}

uint32_t phase_all(const struct holden_properties *properties) {
    uint32_t all = 0;
    for (enum phase phase = 0; phase < PHASES; phase++)
        if (phase_count(properties, phase) > 0)
            all |= 1U << phase;
    return all;
}

bool phase_command(const struct holden_properties *properties, enum phase phase, uint32_t step,
                   struct holden_exec *exec) {
    struct holden_repeated left = list_of(properties, phase);
    struct holden_nested nested;
    struct holden_fault fault;
    for (uint32_t at = 0; holden_next_record(&left, &nested); at++)
        if (at == step)
            return holden_decode(&holden_record_exec, nested.bytes.data, nested.bytes.size, exec,
                                 &fault) == 0;
    return false;
}

void phase_put(const struct holden_exec *exec, struct holden_start *start) {
    start->argument = exec->argument;
    start->rights = exec->rights;
    start->program = exec->program;
    holden_unmark(start, HOLDEN_INDEX(start, program));
    if (HOLDEN_HAS(exec, exec, program))
        HOLDEN_MARK(start, start, program);
}

struct holden_view phase_program(const struct holden_start *start) {
    struct holden_repeated left = start->argument;
    struct holden_view program = {"", 0};
    if (HOLDEN_HAS(start, start, program))
        return start->program;
    holden_next_view(&left, &program);
    return program;
}

/* As on the wire: a signal is 256 and its number. */
static uint32_t end_number(const struct outcome *outcome) {
    return (uint32_t)outcome->status + (outcome->code == CLD_EXITED ? 0 : 256);
}

bool phase_is_clean(const struct outcome *outcome, const struct holden_properties *properties) {
    struct holden_repeated left = properties->success_exit_status;
    uint32_t number;
    if (outcome->code == 0 || (outcome->code == CLD_EXITED && outcome->status == 0))
        return outcome->code != 0;
    while (HOLDEN_HAS(properties, properties, success_exit_status) &&
           holden_next_u32(&left, &number))
        if (number == end_number(outcome))
            return true;
    return false;
}

bool phase_may_fail(const struct holden_exec *exec) {
    return HOLDEN_HAS(exec, exec, ignore_failure) && exec->ignore_failure;
}

const char *phase_setting(enum phase phase, const struct holden_exec *exec) {
    return exec->of_start ? "ExecStart" : phase_name(phase);
}

void phase_blame(enum phase phase, const struct holden_exec *exec, const char *how,
                 struct failure *failure) {
    struct holden_start start = {0};
    phase_put(exec, &start);
    struct holden_view program = phase_program(&start);
    failure_set(failure, HOLDEN_code_FAILED, phase_setting(phase, exec), "%.*s %s",
                (int)(program.size < 256 ? program.size : 256), program.data, how);
}

const char *phase_tell(const struct outcome *outcome, char *text, size_t space) {
    char name[32];
    if (outcome->code == 0)
        snprintf(text, space, "ended while nobody could see how");
    else if (outcome->code == CLD_EXITED)
        snprintf(text, space, "exited with status %d", outcome->status);
    else
        snprintf(text, space, "was ended by %s",
                 outcome_signal(outcome->status, name, sizeof(name)));
    return text;
}
