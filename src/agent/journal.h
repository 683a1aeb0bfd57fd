/* Entries in journald's native protocol, where there is a journal. */
#pragma once

#include "common/buffer.h"
#include "protocol/message.h"

struct process;
struct denial;

/* Where journald listens. */
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* A socket to send entries by, the caller's; or -errno. Nothing sent by it ever waits. */
int journal_socket(void);

/* Appends a field to an entry: its name, in capitals, and its value, whatever bytes that is of. 0
 * or -ENOMEM. */
int journal_put(struct buffer *entry, const char *name, struct holden_view value);

/* Appends every field of the record that the message has: HOLDEN_UID= and so on. The record holds
 * numbers, text and words only. 0 or -ENOMEM. */
int journal_put_record(struct buffer *entry, const struct holden_record *record,
                       const void *message);

/* Sends an entry. 0; or -errno: -ENOENT or -ECONNREFUSED where nobody listens, -EAGAIN where
 * journald does not read. */
int journal_send(int socket, const struct buffer *entry);

/* Sends an event as an entry, with the MESSAGE_ID= of its kind (catalog.h); `agent` is the path of
 * the agent's socket. What is no kind of its own is passed over. As journal_send(), or -ENOMEM. */
int journal_event(int socket, const char *agent, const struct holden_event *event);

/* Writes a refused system call to the journal: `text` as the message, its parts as fields of their
 * own. Where nobody listens, nothing happens. */
void journal_denial(const struct process *process, const struct denial *denial, const char *text);
