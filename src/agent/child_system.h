/* A file system that a child mounts, not at any place yet (fsopen(2), fsmount(2)). */
#pragma once

#include <stdbool.h>

struct child_system {
    const char *type;
    const char *source;  /* a device, or any word where the type has none */
    char *own, *options; /* comma-separated, taken apart in place; or NULL */
    unsigned attributes; /* MOUNT_ATTR_* of mount_setattr(2) */
    bool refused;        /* out: what is wrong is one of `options` */
};

/* Mounts it. Returns a descriptor that is close-on-exec, or -1 with errno. */
int child_system_make(struct child_system *system);
