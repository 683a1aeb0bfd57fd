/* Variables that command lines of a process may name although only the agent knows them, when the
 * command is run: systemd.exec(5), "Environment Variables Set or Propagated by the Service
 * Manager". */
#pragma once

#include <stddef.h>

enum late {
    LATE_MAINPID,        /* the pid of the main process, while it is there */
    LATE_SERVICE_RESULT, /* how it went: success, exit-code, signal, timeout, … */
    LATE_EXIT_CODE,      /* how the main process ended: exited, killed, dumped */
    LATE_EXIT_STATUS,    /* its status, or its signal without SIG */
    LATE_VARIABLES,
};

/* The variable of that name (`size` bytes); LATE_VARIABLES: it is none of these. */
enum late late_find(const char *name, size_t size);

/* The name of a variable, static. */
const char *late_name(enum late variable);
