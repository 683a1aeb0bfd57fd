#include "agent/notice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/message.h"

enum { ERROR_MOST = 4095 }; /* MAX_ERRNO of the kernel */

/* A plain number from 1 to `most`; or 0. */
static uint64_t read_number(const char *text, uint64_t most) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    bool plain = text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
    return plain && number <= most ? number : 0;
}

static void take_text(const char *value, const char **into, const char *fault,
                      struct notice *notice) {
    if (*into)
        return;
    if (holden_json_is_utf8(holden_view(value)))
        *into = value;
    else
        notice->fault = fault;
}

static void take_status(const char *value, struct notice *notice) {
    take_text(value, &notice->text, "STATUS= is not UTF-8", notice);
}

static void take_bus_error(const char *value, struct notice *notice) {
    take_text(value, &notice->bus_error, "BUSERROR= is not UTF-8", notice);
}

/* A number, or the name of one. */
static void take_error(const char *value, struct notice *notice) {
    int error = strcmp(value, "0") == 0 ? 0 : (int)read_number(value, ERROR_MOST);
    for (int i = 1; error == 0 && i <= ERROR_MOST; i++) {
        const char *name = strerrorname_np(i);
        if (name && strcmp(name, value) == 0)
            error = i;
    }
    if (error == 0 && strcmp(value, "0") != 0)
        notice->fault = "ERRNO= is no error number";
    else if (notice->error < 0)
        notice->error = error;
}

static void take_main(const char *value, struct notice *notice) {
    pid_t pid = (pid_t)read_number(value, INT32_MAX);
    if (pid == 0)
        notice->fault = "MAINPID= is no pid";
    else if (notice->main == 0)
        notice->main = pid;
}

static void take_extend(const char *value, struct notice *notice) {
    uint64_t extend = read_number(value, INT64_MAX);
    if (extend == 0)
        notice->fault = "EXTEND_TIMEOUT_USEC= is no time";
    else if (notice->extend == 0)
        notice->extend = extend;
}

static void take_watchdog(const char *value, struct notice *notice) {
    if (strcmp(value, "1") == 0)
        notice->alive = true;
    else if (strcmp(value, "trigger") == 0)
        notice->trigger = true;
    else
        notice->fault = "WATCHDOG= is neither 1 nor trigger";
}

static void take_watchdog_time(const char *value, struct notice *notice) {
    uint64_t time = read_number(value, INT64_MAX);
    if (time == 0)
        notice->fault = "WATCHDOG_USEC= is no time";
    else if (notice->watchdog == 0)
        notice->watchdog = time;
}

static const struct {
    const char *name;
    void (*take)(const char *value, struct notice *notice);
} values[] = {
    {"STATUS=", take_status},
    {"BUSERROR=", take_bus_error},
    {"ERRNO=", take_error},
    {"MAINPID=", take_main},
    {"EXTEND_TIMEOUT_USEC=", take_extend},
    {"WATCHDOG=", take_watchdog},
    {"WATCHDOG_USEC=", take_watchdog_time},
};

static const struct {
    const char *line;
    uint32_t state;
} states[] = {
    {"READY=1", HOLDEN_notify_state_READY},
    {"RELOADING=1", HOLDEN_notify_state_RELOADING},
    {"STOPPING=1", HOLDEN_notify_state_STOPPING},
};

static void take_line(const char *line, struct notice *notice) {
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        size_t size = strlen(values[i].name);
        if (strncmp(line, values[i].name, size) == 0)
            values[i].take(line + size, notice);
    }
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(line, states[i].line) == 0)
            notice->state = states[i].state;
}

bool notice_parse(char *text, size_t size, struct notice *notice) {
    *notice = (struct notice){.error = -1};
    /* One at the end is a string's own. */
    if (size > 0 && text[size - 1] == '\0')
        size--;
    if (memchr(text, '\0', size))
        return false;
    for (char *line = text; line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        take_line(line, notice);
        line = end;
    }
    return true;
}
