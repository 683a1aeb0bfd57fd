/* Asking for processes: the stream that `list` answers with, record by record. */
#pragma once

#include "controller/command.h"
#include "controller/session.h"
#include "protocol/message.h"

/* Takes one process; its views live until the function returns. `into` is the caller's own. */
typedef void listing_take(void *into, const struct holden_process *process);

/* Asks over an open session and hands every process to `take`. `what` is for complaints, such as
 * "cannot list". STATUS_DONE, or what went wrong, said. */
int listing_ask(struct session *session, const struct holden_list *request, const char *what,
                listing_take *take, void *into);

/* The usage of a process, decoded into `usage`, or all absent where it has none. */
void listing_usage(const struct holden_process *process, struct holden_usage *usage);

/* The word for what a process is doing, and the style that goes with it. */
const char *listing_state(const struct holden_process *process, enum output_style *style);

/* The same for slices. */
typedef void listing_take_slice(void *into, const struct holden_slice *slice);
int listing_ask_slices(struct session *session, const struct holden_list_slices *request,
                       const char *what, listing_take_slice *take, void *into);

/* What a slice has in common with a process, as one: its name, cgroup, figures and limits. */
void listing_slice(const struct holden_slice *slice, struct holden_process *process);
