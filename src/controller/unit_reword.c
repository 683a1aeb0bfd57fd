#include "controller/unit_reword.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

#define NO_CONSOLE "goes to the journal only: the console belongs to the machine"
#define NO_JOURNAL "goes to Holden's own log: there is no journald here"

static const struct reword rows[] = {
    {"KillMode", "process", "mixed",
     "a stop sends the signal to the main process, but leaves nothing behind"},
    {"KillMode", "none", "mixed", "a stop leaves nothing behind"},
    {"Type", "idle", "simple", NULL},
    {"OOMPolicy", "stop", "kill", "the whole unit ends at once when memory runs out"},
    {"StandardOutput", "syslog", "journal", NULL},
    {"StandardOutput", "kmsg", "journal", "goes to the journal, not to the kernel's log"},
    {"StandardOutput", "journal+console", "journal", NO_CONSOLE},
    {"StandardOutput", "syslog+console", "journal", NO_CONSOLE},
    {"StandardOutput", "kmsg+console", "journal", NO_CONSOLE},
    {"StandardError", "syslog", "journal", NULL},
    {"StandardError", "kmsg", "journal", "goes to the journal, not to the kernel's log"},
    {"StandardError", "journal+console", "journal", NO_CONSOLE},
    {"StandardError", "syslog+console", "journal", NO_CONSOLE},
    {"StandardError", "kmsg+console", "journal", NO_CONSOLE},
};

/* Where there is no journald, what would go there goes to the log. */
static const struct reword without_journal[] = {
    {"StandardOutput", "journal", "log", NO_JOURNAL},
    {"StandardError", "journal", "log", NO_JOURNAL},
};

static const struct reword *find(const struct reword *table, size_t count, const char *name,
                                 const char *value) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0 && strcmp(table[i].value, value) == 0)
            return &table[i];
    return NULL;
}

const struct reword *unit_reword(const char *name, const char *value) {
    const struct reword *row = find(rows, ARRAY_SIZE(rows), name, value);
    const char *now = row ? row->instead : value;
    if (strcmp(now, "journal") != 0 || access("/run/systemd/journal/stdout", F_OK) == 0)
        return row;
    return find(without_journal, ARRAY_SIZE(without_journal), name, now);
}
