#include "controller/signal_name.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/unit.h"

/* What follows RTMIN or RTMAX: nothing, or the sign and a number. */
static int parse_offset(const char *text, char sign, uint32_t *offset) {
    uint64_t count = 0;
    if (*text && (*text != sign || unit_parse_count(text + 1, &count) < 0 || count > 64))
        return -EINVAL;
    *offset = (uint32_t)count;
    return 0;
}

static int parse_realtime(const char *text, uint32_t *number) {
    uint32_t low = (uint32_t)SIGRTMIN;
    uint32_t high = (uint32_t)SIGRTMAX;
    uint32_t offset;
    uint32_t found = 0;
    if (strncasecmp(text, "RTMIN", 5) == 0 && parse_offset(text + 5, '+', &offset) == 0)
        found = low + offset;
    else if (strncasecmp(text, "RTMAX", 5) == 0 && parse_offset(text + 5, '-', &offset) == 0)
        found = high - offset;
    if (found < low || found > high)
        return -EINVAL;
    *number = found;
    return 0;
}

int signal_parse(const char *text, uint32_t *number) {
    uint64_t count;
    if (unit_parse_count(text, &count) == 0) {
        if (count == 0 || count >= NSIG)
            return -EINVAL;
        *number = (uint32_t)count;
        return 0;
    }
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (int i = 1; i < NSIG; i++) {
        const char *name = sigabbrev_np(i);
        if (name && strcasecmp(name, text) == 0) {
            *number = (uint32_t)i;
            return 0;
        }
    }
    return parse_realtime(text, number);
}

char *signal_print(uint32_t number, char *text, size_t space) {
    const char *name = number < NSIG ? sigabbrev_np((int)number) : NULL;
    int realtime = (int)number - SIGRTMIN;
    if (name)
        snprintf(text, space, "SIG%s", name);
    else if (realtime >= 0 && (int)number <= SIGRTMAX)
        snprintf(text, space, realtime ? "SIGRTMIN+%d" : "SIGRTMIN", realtime);
    else
        snprintf(text, space, "signal %u", number);
    return text;
}
