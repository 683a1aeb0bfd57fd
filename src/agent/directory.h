/* Directories that a process has by name below /run, /var/lib, /var/cache, /var/log and /etc:
 * RuntimeDirectory= and its like, systemd.exec(5). The child makes them (child_directory.c); what
 * is to be gone with the process is removed here. */
#pragma once

#include <stdbool.h>

#include "common/buffer.h"
#include "daemon/failure.h"
#include "protocol/message.h"

enum { DIRECTORY_KINDS = 5 };

/* One of them, or a symbolic link to one. Views of the properties, or static. */
struct directory {
    const char *property;     /* the setting that it is of */
    const char *prefix;       /* what it is below: an absolute path */
    struct holden_view name;  /* its path from there; of a link, that of what it leads to */
    struct holden_view link;  /* the link's path from the prefix; size 0: no link */
    uint32_t mode;            /* of the directory */
    bool owned;               /* it belongs to the process's user */
    bool passing;             /* of RuntimeDirectory= */
    bool private;             /* with DynamicUser=: it is in PREFIX/private, where nobody else gets
                                 to, and a link in its place leads there */
    bool inside;              /* of those: it is below another one of its setting, so that it is
                                 there by that one's link */
    bool counted;             /* it may have a quota */
    uint64_t quota;           /* that: bytes, a share (HOLDEN_SHARE_BIT), or all bits set: none */
    struct holden_view first; /* the first name of the setting, by which its quota is known */
    bool returns;             /* it may have been private, and is taken back then */
};

/* Goes over them in the order in which they are made: all directories, then all links. Begins with
 * {.properties = …}. */
struct directory_walk {
    const struct holden_properties *properties;
    struct holden_repeated left;
    unsigned kind;
    bool inside, links;
};

/* The next one. False at the end. */
bool directory_next(struct directory_walk *walk, struct directory *directory);

/* Checks names and links. 0; or refused with *failure: one that is empty, absolute, has "." or ".."
 * in it, or begins with "private". */
int directory_check(const struct holden_properties *properties, struct failure *failure);

/* The first setting by which some of them have a quota, or NULL. Static. */
const char *directory_quota(const struct holden_properties *properties);

/* Appends what a link holds: the way from it to what it leads to, without a NUL. 0 or -ENOMEM. */
int directory_link_text(const struct directory *link, struct buffer *out);

/* Appends what the link in place of a private directory holds, likewise. */
int directory_private_text(const struct directory *directory, struct buffer *out);

/* Appends the assignment of the environment for a kind below DIRECTORY_KINDS, such as
 * "STATE_DIRECTORY=/var/lib/a:/var/lib/b"; nothing where there is none of the kind, or where
 * Environment= assigns that. 0 or -ENOMEM. */
int directory_environment(const struct holden_properties *properties, unsigned kind,
                          struct buffer *out);

/* Removes what RuntimeDirectory= has made, as RuntimeDirectoryPreserve= says: `again` means that
 * the process is about to be started again. What cannot be removed is told of in the log. */
void directory_remove(const struct holden_properties *properties, bool again);
