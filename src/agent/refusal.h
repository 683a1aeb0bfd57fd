/* Why a start did not come to run, in words: kept in its launch until its end is known, then told.
 */
#pragma once

#include "agent/process.h"

/* Keeps the step (static) and the formatted text as the reason. */
void refusal_say(struct process *process, const char *step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Keeps that the child failed in `step` (enum plan_step) with `error` (errno); `detail` is that of
 * its struct plan_report. What the step was about is named: a path, a property, the command. */
void refusal_step(struct process *process, uint32_t step, int error, uint32_t detail);
