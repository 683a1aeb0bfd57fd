/* The native protocol of systemd-journald: one datagram an entry. A field is NAME=value and a
 * newline; or, whatever the value holds, NAME, a newline, its length as 64 bits of little endian,
 * the value and a newline. */
#include "agent/journal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/catalog.h"
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

static int put_field(struct buffer *entry, const struct holden_field *field, const void *member) {
    char name[80] = "HOLDEN_", number[24];
    size_t used = strlen(name);
    for (size_t i = 0; field->name[i]; i++)
        name[used++] = (char)toupper((unsigned char)field->name[i]);
    name[used] = '\0';
    if (field->type == HOLDEN_TYPE_STRING)
        return journal_put(entry, name, *(const struct holden_view *)member);
    if (field->type == HOLDEN_TYPE_ENUM)
        return journal_put(entry, name,
                           holden_view(holden_word(field->enumeration, *(const uint32_t *)member)));
    bool small = field->type == HOLDEN_TYPE_U32;
    snprintf(number, sizeof(number), "%" PRIu64,
             small ? *(const uint32_t *)member : *(const uint64_t *)member);
    return journal_put(entry, name, holden_view(number));
}

int journal_put_record(struct buffer *entry, const struct holden_record *record,
                       const void *message) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < record->count; i++)
        if (holden_has(message, i))
            r = put_field(entry, &record->fields[i],
                          (const uint8_t *)message + record->fields[i].offset);
    return r;
}

/* What a person reads: "web: running", or with why. */
static int put_event_message(struct buffer *entry, const struct holden_event *event) {
    char text[1024];
    bool state = event->kind == HOLDEN_event_kind_STATE;
    const char *word = state ? holden_word(&holden_enum_state, event->state)
                             : holden_word(&holden_enum_event_kind, event->kind);
    snprintf(text, sizeof(text), "%.*s%s%s%s%.*s", (int)event->name.size, event->name.data,
             event->name.size > 0 ? ": " : "", word, event->text.size > 0 ? ": " : "",
             (int)event->text.size, event->text.data);
    return journal_put(entry, "MESSAGE", holden_view(text));
}

int journal_event(int socket, const char *agent, const struct holden_event *event) {
    _cleanup_(buffer_free) struct buffer entry = {0};
    enum catalog_kind kind = catalog_of(event);
    if (kind == CATALOG_NONE)
        return 0;
    int r = put_event_message(&entry, event);
    if (r == 0)
        r = buffer_printf(&entry, "MESSAGE_ID=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=holden\n",
                          catalog_entry(kind)->id, catalog_entry(kind)->level);
    if (r == 0)
        r = journal_put(&entry, "HOLDEN_AGENT", holden_view(agent));
    if (r == 0)
        r = journal_put_record(&entry, &holden_record_event, event);
    return r < 0 ? r : journal_send(socket, &entry);
}

void journal_denial(const struct process *process, const struct denial *denial, const char *text) {
    char message[1024], pid[16], id[24];
    _cleanup_(buffer_free) struct buffer entry = {0};
    snprintf(message, sizeof(message), "%s: its filter refused %s", process->name, text);
    snprintf(pid, sizeof(pid), "%d", (int)denial->pid);
    snprintf(id, sizeof(id), "%" PRIu64, process->id);
    const struct {
        const char *name, *value;
    } fields[] = {
        {"MESSAGE", message},
        {"MESSAGE_ID", catalog_entry(CATALOG_REFUSED)->id},
        {"PRIORITY", "4"},
        {"SYSLOG_IDENTIFIER", "holden"},
        {"HOLDEN_NAME", process->name},
        {"HOLDEN_ID", id},
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
