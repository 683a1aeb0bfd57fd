/* What a unit file means: a request to start a process, where each setting came from, and what in
 * the file could not be followed. */
#pragma once

#include "controller/directive.h"
#include "controller/exec_line.h"
#include "controller/launch.h"
#include "controller/unit_file.h"

enum unit_finding_kind {
    UNIT_IGNORED,  /* not meaningful here */
    UNIT_WARNED,   /* not done */
    UNIT_REFUSED,  /* not done, or wrong: the unit is not started */
};

/* One thing to be said about a line. All texts are in the arena or static. */
struct unit_finding {
    struct unit_finding *next;
    enum unit_finding_kind kind;
    const char *file;       /* NULL where `why` says it all */
    unsigned line;
    const char *name;       /* of the directive, or "" */
    const char *why;
};

/* Where a value came from; the newest first. */
struct unit_origin {
    struct unit_origin *next;
    const char *file;
    unsigned line;
};

/* What a directive that is no property was set to. */
struct unit_value {
    struct unit_value *next;
    const char *name;
    const char *value;
    struct unit_origin origin;
};

struct unit {
    struct launch launch;
    const char *socket;     /* borrowed; or NULL */
    struct unit_file file;
    struct specifier specifier;
    struct unit_origin *origins[HOLDEN_PROPERTIES]; /* of each property that is set by a line */
    struct unit_value *values;                      /* in the order of the file */
    struct unit_finding *findings;                  /* likewise */
    struct exec_list start;                         /* ExecStart= */
    bool ignore_failure;                            /* its command is written with a - */
    bool oneshot;                                   /* Type=oneshot: done when it has ended */
    bool refused, warned;                           /* some finding is that */
    const char *unmet;                              /* a condition that does not hold, or NULL */
};

/* Reads a unit (unit_path.h says what `argument` may be), and makes the request in unit->launch
 * unless something is refused. `name` is the process's name, or NULL for the unit's, `socket` the
 * agent's, or NULL for the usual one. What is wrong
 * with the file is among the findings. 0 or -ENOMEM. Released by unit_free(). */
int unit_read(struct unit *unit, const char *argument, const char *name, const char *socket);
void unit_free(struct unit *unit);

/* The same for a file whose settings are in unit->file already, its paths too. */
int unit_interpret(struct unit *unit, const char *name);

/* Appends a finding as one line: FILE:LINE: NAME=: why. 0 or -ENOMEM. */
int unit_finding_print(const struct unit_finding *finding, struct buffer *out);

/* For the files that make up the unit: */

/* Adds a finding about a line; `why` is copied, control characters as '?'. 0 or -ENOMEM. */
int unit_note(struct unit *unit, enum unit_finding_kind kind, const struct unit_setting *setting,
              const char *why);

/* Takes a directive that the controller reads itself (state DONE). 0; -EINVAL after unit_note();
 * -ENOMEM. -ENOENT for a directive without a function, which the tests look for. */
int unit_take(struct unit *unit, const struct unit_setting *setting, const char *name);

/* Turns all that was read into the request; refuses what is missing. 0 or -ENOMEM. */
int unit_finish(struct unit *unit, const char *name);
