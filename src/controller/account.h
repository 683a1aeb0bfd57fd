/* Users and groups by name or number, without the C library's name services: those are loaded at
 * run time, and the controller is linked statically. The files passwd(5) and group(5) are read
 * first; who is not there is asked for by getent(1), where there is one, which knows all services.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct account {
    uint32_t uid, gid;
    const char *name, *home, *shell; /* inside of `line` */
    char *line;                      /* owned */
};

/* Frees what `account` owns; it may be zeroes. */
void account_free(struct account *account);

/* The user of that name. 0 with *out, which the caller frees; -ENOENT: no such user; -errno. */
int account_by_name(const char *name, struct account *out);

/* The user with that number, likewise. */
int account_by_uid(uint32_t uid, struct account *out);

/* The number of the group of that name. 0 with *gid; -ENOENT: no such group; -errno. */
int account_group(const char *name, uint32_t *gid);

/* The name of the group with that number. 0 with *name, which the caller frees; -ENOENT; -errno. */
int account_group_name(uint32_t gid, char **name);

/* All groups of the user `name`, `gid` first: those of group(5), and where nsswitch.conf(5) names
 * another service for groups, those that getent(1) tells. 0 with *groups, which the caller frees,
 * and *count; -errno (-E2BIG past 65536, which is what the kernel takes). */
int account_groups(const char *name, uint32_t gid, uint32_t **groups, size_t *count);
