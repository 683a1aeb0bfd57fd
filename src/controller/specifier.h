/* Specifiers: %n, %i, %h and their like, by the table of systemd.unit(5). What they stand for is
 * found out with the rights of whoever runs the controller, who stands where systemd's manager
 * does: root is the system's manager, everybody else a user's. */
#pragma once

#include "controller/unit_name.h"
#include "protocol/codec.h"

struct specifier {
    const struct unit_name *name;
    const char *process; /* the name of the process, for %d; NULL: as the unit */
    const char *socket;  /* of the agent, likewise; NULL for the usual one */
    const char *path;   /* of the unit file, absolute, for %y and %Y */
    bool quoted;        /* escape what is put in, for text that is unquoted afterwards */
    char wrong;         /* after a failure: the letter that has no value here */
};

/* Appends the text with its specifiers replaced; a letter that is none stays as it is, as with
 * systemd. 0; -errno with specifier->wrong where a value cannot be found; -ENOMEM. */
int specifier_expand(struct specifier *specifier, const char *text, struct buffer *out);
