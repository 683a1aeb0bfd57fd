/* What each property that names no paths means for the file system: one row for each place. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/plan.h"

struct mount_place {
    size_t index;    /* of the property */
    uint32_t values; /* for which of its numbers, one bit each */
    enum plan_mount_kind kind;
    uint32_t flags;  /* PLAN_MOUNT_* */
    const char *path;
    const char *options; /* or NULL */
};

/* The row of that number, static; NULL behind the last. */
const struct mount_place *mount_place(size_t number);
