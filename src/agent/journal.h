/* Entries in journald's native protocol, where there is a journal. */
#pragma once

#include "common/buffer.h"
#include "protocol/codec.h"

struct process;
struct denial;

/* Where journald listens, and the id of entries of the audit trail (MESSAGE_ID=). */
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_OPERATION_ID "f26517b7f2d14c6dad0c8b91d33d1644"

/* A socket to send entries by, the caller's; or -errno. Nothing sent by it ever waits. */
int journal_socket(void);

/* Appends a field to an entry: its name, in capitals, and its value, whatever bytes that is of. 0
 * or -ENOMEM. */
int journal_put(struct buffer *entry, const char *name, struct holden_view value);

/* Sends an entry. 0; or -errno: -ENOENT or -ECONNREFUSED where nobody listens, -EAGAIN where
 * journald does not read. */
int journal_send(int socket, const struct buffer *entry);

/* Writes a refused system call to the journal: `text` as the message, its parts as fields of their
 * own. Where nobody listens, nothing happens. */
void journal_denial(const struct process *process, const struct denial *denial, const char *text);
