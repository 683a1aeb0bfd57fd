/* What is kept of a process in the state directory: to and from the record `kept` of messages.def,
 * encoded as on the wire. */
#pragma once

#include "agent/process.h"
#include "common/buffer.h"

/* Of this agent. It reads its own and older ones; fields may be added without a new number, if they
 * are optional and an agent that skips them does no harm. */
enum { RECORD_VERSION = 1 };

/* Appends the record of the process as it is now, in this boot. 0; -EINVAL, -ENOMEM. */
int record_encode(const struct process *process, const char *boot, struct buffer *out);

/* What is wrong with a record that decodes, in words (static), or NULL: nothing in it is believed
 * that this agent, in this boot, could not have written under that id. */
const char *record_fault(const struct holden_kept *kept, const char *boot, uint64_t id);

/* Fills a new process in with what the record has, but for its pid and state: nothing is armed or
 * sent. 0 or -ENOMEM. */
int record_take(struct process *process, const struct holden_kept *kept);
