/* Why a start did not come to run, in words: kept in its launch until its end is known, then told.
 */
#pragma once

#include "agent/process.h"

/* Keeps the step (static) and the formatted text as the reason. */
void refusal_say(struct failure *failure, const char *step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says of the reason that it is one of that setting (static), of which it was a step. */
void refusal_blame(struct failure *failure, const char *setting);

/* Keeps that the child that was to become the command in `start` (its arguments, program and
 * rights) failed in `step` (enum plan_step) with `error` (errno); `detail` is that of its struct
 * plan_report. What the step was about is named: a path, a property, the command. */
void refusal_step(const struct process *process, struct failure *failure,
                  const struct holden_start *start, uint32_t step, int error, uint32_t detail);
