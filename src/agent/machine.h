/* What the whole machine has: what shares ("50%") are shares of, and how time is told. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Bytes of a page; bytes of physical memory; most tasks (the smaller of pid_max and threads-max).
 */
uint64_t machine_page(void);
uint64_t machine_memory(void);
uint64_t machine_tasks(void);

/* The part of `whole` that a share on the wire stands for (HOLDEN_SHARE_BIT). */
uint64_t machine_share(uint64_t whole, uint64_t share);

/* Microseconds since 1970, of CLOCK_MONOTONIC, and of CLOCK_BOOTTIME. */
uint64_t machine_realtime(void);
uint64_t machine_monotonic(void);
uint64_t machine_boottime(void);

/* The id of this boot (/proc/sys/kernel/random/boot_id), 36 characters and a NUL. 0 or -errno. */
int machine_boot_id(char id[37]);
