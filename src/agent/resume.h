/* Starts that an earlier agent had begun. Their records say `setup`; the rest is in the reports
 * that keeper and children keep of them (plan.h), and in the kernel. */
#pragma once

#include "agent/process.h"

enum resume_found {
    RESUME_NOTHING,  /* the keeper never read the plan: there is no process */
    RESUME_REFUSED,  /* it could not clone: process->launch has the report */
    RESUME_CLONED,   /* there is or was a process, of pid process->pid, to be proven */
};

/* Looks up what became of the start. 0 with *found; -ENOMEM. */
int resume_find(struct process *process, enum resume_found *found);

/* The process that was cloned is proven and attended to: waits until it is past exec, or has ended,
 * and goes on as the agent that began it would have. */
void resume_wait(struct process *process);
