/* The native protocol of systemd-journald: one datagram an entry. A field is NAME=value and a
 * newline; or, whatever the value holds, NAME, a newline, its length as 64 bits of little endian,
 * the value and a newline. */
#include "agent/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/denial.h"
#include "agent/process.h"
#include "common/cleanup.h"

int journal_socket(void) {
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

int journal_put(struct buffer *entry, const char *name, struct holden_view value) {
    uint8_t length[8];
    bool plain = !memchr(value.data, '\n', value.size);
    int r = buffer_printf(entry, "%s%s", name, plain ? "=" : "\n");
    holden_put64(length, value.size);
    if (r == 0 && !plain)
        r = buffer_append(entry, length, sizeof(length));
    if (r == 0)
        r = buffer_append(entry, value.data, value.size);
    return r < 0 ? r : buffer_append(entry, "\n", 1);
}

int journal_send(int socket, const struct buffer *entry) {
    static const struct sockaddr_un address = {AF_UNIX, JOURNAL_SOCKET};
    ssize_t sent = sendto(socket, buffer_bytes(entry), entry->size, MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&address, sizeof(address));
    return sent < 0 ? -errno : 0;
}

void journal_denial(const struct process *process, const struct denial *denial, const char *text) {
    char message[1024], pid[16];
    _cleanup_(buffer_free) struct buffer entry = {0};
    snprintf(message, sizeof(message), "%s: its filter refused %s", process->name, text);
    snprintf(pid, sizeof(pid), "%d", (int)denial->pid);
    const struct {
        const char *name, *value;
    } fields[] = {
        {"MESSAGE", message},
        {"PRIORITY", "4"},
        {"SYSLOG_IDENTIFIER", "holden"},
        {"HOLDEN_NAME", process->name},
        {"HOLDEN_CALL", denial->call},
        {"HOLDEN_ARGUMENTS", denial->arguments},
        {"HOLDEN_PROGRAM", denial->program},
        {"HOLDEN_PID", pid},
        {"HOLDEN_REMEDY", denial->remedy},
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(fields); i++)
        r = journal_put(&entry, fields[i].name, holden_view(fields[i].value));
    _cleanup_close_ int fd = r == 0 ? journal_socket() : -1;
    if (fd >= 0)
        (void)journal_send(fd, &entry);
}
