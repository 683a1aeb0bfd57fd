/* One datagram of sd_notify(3), taken apart: lines of NAME=VALUE, of which those are kept that mean
 * something here. Of a name that is there twice the first counts, of the states the last, as
 * systemd has it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { NOTICE_MOST = 4096 }; /* bytes; systemd takes no more either */

struct notice {
    uint32_t state;        /* enum holden_notify_state_values */
    const char *text;      /* STATUS=, or NULL; in the datagram */
    const char *bus_error; /* BUSERROR=, or NULL; in the datagram */
    int error;             /* ERRNO=, or -1 */
    pid_t main;            /* MAINPID=, or 0 */
    uint64_t extend;       /* EXTEND_TIMEOUT_USEC=, or 0 */
    uint64_t watchdog;     /* WATCHDOG_USEC=, or 0 */
    bool alive;            /* WATCHDOG=1 */
    bool trigger;          /* WATCHDOG=trigger */
    const char *fault;     /* why something in it was passed over, for a line in the log; or NULL */
};

/* Takes `text` apart, of `size` bytes with a NUL behind them; it is written to. What it does not
 * understand, and text that is not UTF-8, is left out. False: all of it is, for a NUL in it.
 */
bool notice_parse(char *text, size_t size, struct notice *notice);
