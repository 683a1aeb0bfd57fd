/* The arguments of a system call, as people read them. */
#pragma once

#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/types.h>

/* The arguments of the call of that name, into `text` of `space` bytes: those of common calls by
 * their kinds, strings out of the memory of `thread`, which waits in the call; those of others as
 * numbers, without the zeros at the end. */
void denial_text_arguments(const char *name, const struct seccomp_data *call, pid_t thread,
                            char *text, size_t space);
