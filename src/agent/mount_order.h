/* The order in which mounts are made, and which of them make no difference. Works on struct
 * plan_mount whose strings are pointers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/plan.h"

/* The path of a mount whose offsets have become pointers. */
static inline char *mount_path(const struct plan_mount *mount) {
    return (char *)(uintptr_t)mount->path;
}

/* Whether `path` is `directory` or below it. Both are absolute and simple: no doubled or trailing
 * slash, no "." or "..". */
bool mount_below(const char *path, const char *directory);

/* Whether a mount changes what may be written to; and what may be executed, either way. */
bool mount_is_read_only(const struct plan_mount *mount);
bool mount_is_about_exec(const struct plan_mount *mount);

/* Sorts the mounts by path, component by component, then by kind. */
void mount_sort(struct plan_mount *mounts, size_t count);

/* Sorts the mounts behind the first `made`, and drops from them those that make no difference, as
 * systemd 252 does: of several at one path the first stays, with the read-only and exec bits of the
 * others; nothing below an inaccessible path stays; nor do READ_ONLY, READ_WRITE and AS_IS right
 * below another of the same kind. Returns how many are left, at the front. */
size_t mount_order(struct plan_mount *mounts, size_t made, size_t count);
