/* Which program a client is. Its user and pid come from the kernel at connect; the pid alone proves
 * nothing about the process that has it later. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens the directory in /proc of the process that had the pid `pid` at `connected` (microseconds
 * of CLOCK_BOOTTIME), which is the process's own for as long as it is open (proc(5)). 0 with *fd,
 * the caller's; -ESRCH where that process has ended; -errno. */
int caller_open(pid_t pid, uint64_t connected, int *fd);

/* The path of the program that it runs, without an end, into `path`. Its size, or 0 where the
 * process has ended, is a zombie, or runs none. */
size_t caller_program(int fd, char *path, size_t space);
