/* Filter programs as the kernel takes them (seccomp(2), "cBPF"): read from libseccomp, joined into
 * one, and run here to know what the kernel would say. */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>

struct program {
    struct sock_filter *instructions; /* owned */
    size_t count;
};

/* Compiles what libseccomp holds, as a binary tree, so that its cost does not grow with the number
 * of calls; a call of an architecture that it does not hold ends the process. 0 with *program;
 * -EFBIG for one that the kernel would not take; -errno. */
int program_compile(scmp_filter_ctx filter, struct program *program);

/* Appends `next` to *program, so that a call is refused where one of the two refuses it, and what
 * happens is what the kernel does for two filters installed one after the other, *program last:
 * of the two actions the one that forbids more; of two errors that of *program. A call is logged
 * where one of the two says so and it is allowed. Either may be empty. Neither may trace or notify.
 * 0; -EFBIG; -ENOMEM: *program is as before. */
int program_join(struct program *program, const struct program *next);

/* What the kernel would do with this call: an action of seccomp(2) with its data. */
uint32_t program_run(const struct program *program, const struct seccomp_data *call);

/* Releases the program. */
void program_free(struct program *program);
