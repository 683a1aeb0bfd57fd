/* Leaving while processes go on, for a reexec or for good: what clients have asked so far is
 * answered first. */
#pragma once

struct agent;

/* Takes nothing more from clients, whose next send fails with EPIPE and so was certainly not
 * received; answers all that they have sent, but for what may take as long as a process lives or
 * stops (they ask for that again); then ends the loop with `status`, after a few seconds at most. A
 * second call only changes the status. */
void leave_begin(struct agent *agent, int status);
