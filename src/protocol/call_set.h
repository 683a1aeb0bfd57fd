/* systemd's sets of system calls, such as @system-service (systemd.exec(5)): the table of
 * call_sets.def, as rows; and how the error of a single call travels. */
#pragma once

#include "protocol/codec.h"

struct holden_call_set {
    const char *name;  /* with its @ */
    const char *doc;
    const char *calls; /* names of calls and of other sets, separated by spaces */
};

/* What `error` of the record `names` holds beside an error number. */
enum {
    HOLDEN_CALL_ERROR_MOST = 4095, /* past it the kernel takes no error number */
    HOLDEN_CALL_KILL = 4096,       /* the call ends the process */
    HOLDEN_CALL_USUAL = 4097,      /* the call is treated as the filter as a whole says */
};

/* The set at that place in the table's order, or NULL past its end. Static. */
const struct holden_call_set *holden_call_set(size_t index);

/* The set of that name, or NULL. Static. */
const struct holden_call_set *holden_call_set_find(const char *name);

/* Takes the next name off a set's `calls`. False at the end. */
bool holden_call_set_next(const char **calls, struct holden_view *name);
