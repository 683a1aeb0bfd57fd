/* What clients have been promised: answers that come later than their request. */
#pragma once

#include "agent/process.h"

/* Promises to answer request `id` of `peer` when `kind` happens to the process. 0; -EDQUOT past
 * PEER_PROMISES_MAX; -ENOMEM. */
int waiter_add(struct process *process, struct peer *peer, uint32_t id, enum waiter_kind kind);

/* Whether anybody waits for that of the process. */
bool waiter_any(const struct process *process, enum waiter_kind kind);

/* Answers and removes all that wait for `kind`, with a message of `type`; `fds` go with it. */
void waiter_answer(struct process *process, enum waiter_kind kind, uint16_t type,
                   const void *message, const int *fds, size_t count);

/* Answers and removes all that wait for `kind`, with an error; what else the same requests were
 * promised is dropped. */
void waiter_refuse(struct process *process, enum waiter_kind kind, const struct failure *failure);

/* Forgets all promises about the process, or to the peer, unanswered. */
void waiter_drop_all(struct process *process);
void waiter_drop_peer(struct peer *peer);
