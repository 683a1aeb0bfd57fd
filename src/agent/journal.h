/* Lines in journald's native protocol, where there is a journal. */
#pragma once

struct process;
struct denial;

/* Writes a refused system call to the journal: `text` as the message, its parts as fields of their
 * own. Never waits; where nobody listens, nothing happens. */
void journal_denial(const struct process *process, const struct denial *denial,
                     const char *text);
