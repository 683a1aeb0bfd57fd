/* The commands of a process beside its main one, by when they run (systemd.service(5)): each phase
 * is a setting that is a list of commands. Who runs them is sequence.h (before the main one) and
 * beside.h (the others). */
#pragma once

#include "daemon/failure.h"
#include "protocol/message.h"

struct outcome;

/* Kept in records, so none changes its number. */
enum phase {
    PHASE_START_PRE, /* before the main one */
    PHASE_STOP,      /* it has started and is to stop, or has ended by itself */
    PHASE_STOP_POST, /* nothing is left of it, however that came */
    PHASE_START_POST, /* it has started, by its Type= */
    PHASE_RELOAD,    /* somebody wants it to read its configuration again */
    PHASE_CONDITION, /* before all others: whether they are to run */
    PHASES,
};

/* The name of its setting, static. */
const char *phase_name(enum phase phase);

/* The name of the setting that says how long each of its commands may take, static. */
const char *phase_limit(enum phase phase);

/* How many commands it has. */
uint32_t phase_count(const struct holden_properties *properties, enum phase phase);

/* Those that have any: bit N for phase N. */
uint32_t phase_all(const struct holden_properties *properties);

/* Puts a command in the place of the main one: its arguments, program and rights, whose views are
 * shared. */
void phase_put(const struct holden_exec *exec, struct holden_start *start);

/* The program that a request executes, as messages name it: of its `program` and arguments. */
struct holden_view phase_program(const struct holden_start *start);

/* The command of a step, counted from 0, whose views are those of `properties`. False: there is
 * none. */
bool phase_command(const struct holden_properties *properties, enum phase phase, uint32_t step,
                   struct holden_exec *exec);

/* Whether the way that a command of the process ended, the main one or another, is one that counts
 * as success: status 0, and what SuccessExitStatus= names. */
bool phase_is_clean(const struct outcome *outcome, const struct holden_properties *properties);

/* Whether that command may fail (the prefix -). */
bool phase_may_fail(const struct holden_exec *exec);

/* The setting that a command of the phase is written in, static. */
const char *phase_setting(enum phase phase, const struct holden_exec *exec);

/* "/bin/x exited with status 3": fills *failure, whose step is the setting it is written in. */
void phase_blame(enum phase phase, const struct holden_exec *exec, const char *how,
                 struct failure *failure);

/* How it ended, in words, for that. Returns `text`. */
const char *phase_tell(const struct outcome *outcome, char *text, size_t space);
