#include "agent/keeper_dump.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

enum { NAME_MOST = 160 };

struct name {
    char text[NAME_MOST];
    size_t used;
    bool pid; /* it contains the pid */
};

static void add(struct name *name, const char *text, size_t size) {
    if (size < sizeof(name->text) - name->used) {
        memcpy(name->text + name->used, text, size);
        name->used += size;
    }
}

static void add_number(struct name *name, int number) {
    char text[16];
    add(name, text, (size_t)snprintf(text, sizeof(text), "%d", number));
}

/* The parts of the pattern that can be told from here; the others stay as they are. */
static void expand(struct name *name, const char *pattern, pid_t pid, int signal) {
    for (; *pattern; pattern++) {
        char letter = *pattern == '%' ? pattern[1] : '\0';
        bool is_pid = letter != '\0' && strchr("pPiI", letter);
        if (is_pid)
            add_number(name, pid);
        else if (letter == 's')
            add_number(name, signal);
        else if (letter == 'e' || letter == 'f')
            add(name, "agent-core", sizeof("agent-core") - 1);
        else if (letter == '%')
            add(name, "%", 1);
        else {
            add(name, pattern, 1);
            continue;
        }
        name->pid |= is_pid;
        pattern++;
    }
}

/* With core_uses_pid, the pid is put behind a name that lacks it. */
static bool wants_pid(const struct name *name) {
    char text[8];
    return !name->pid &&
           file_read(AT_FDCWD, "/proc/sys/kernel/core_uses_pid", text, sizeof(text)) > 0 &&
           text[0] == '1';
}

static void place_file(const char *pattern, pid_t pid, int signal, char place[KEEPER_DUMP_PLACE]) {
    struct name name = {.used = 0};
    char directory[NAME_MOST] = "";
    if (*pattern != '/' && !getcwd(directory, sizeof(directory) - 1))
        strcpy(directory, ".");
    expand(&name, pattern, pid, signal);
    if (wants_pid(&name)) {
        add(&name, ".", 1);
        add_number(&name, pid);
    }
    snprintf(place, KEEPER_DUMP_PLACE, " (core dumped: %s%s%.*s)", directory,
             *directory && directory[strlen(directory) - 1] != '/' ? "/" : "", (int)name.used,
             name.text);
}

void keeper_dump_place(pid_t pid, int signal, char place[KEEPER_DUMP_PLACE]) {
    char pattern[NAME_MOST];
    if (file_read(AT_FDCWD, "/proc/sys/kernel/core_pattern", pattern, sizeof(pattern)) < 0)
        snprintf(place, KEEPER_DUMP_PLACE, " (core dumped)");
    else if (*pattern != '|')
        place_file(*pattern ? pattern : "core", pid, signal, place);
    else if (strstr(pattern, "systemd-coredump"))
        snprintf(place, KEEPER_DUMP_PLACE, " (core dumped: see `coredumpctl info %d`)", pid);
    else
        snprintf(place, KEEPER_DUMP_PLACE, " (core handed to %.*s)",
                 (int)strcspn(pattern + 1, " "), pattern + 1);
}
