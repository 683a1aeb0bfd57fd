/* Filter programs as the kernel takes them (seccomp(2), "cBPF"): read from libseccomp, joined into
 * one, and run here to know what the kernel would say. */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* Instructions in front of a program that asks: program_pass(). */
enum { PROGRAM_PASS = 13 };

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

/* What the kernel would do with this call: an action of seccomp(2) with its data. Where `at` is not
 * NULL, *at is which instruction said so. */
uint32_t program_run(const struct program *program, const struct seccomp_data *call, size_t *at);

/* Makes the variant of a program that asks a listener (seccomp_unotify(2)) about what it would
 * refuse with an error or end a process for. What `first` and later instructions refuse with ENOSYS
 * stays refused in silence: that is how programs are led to an older call. It leaves room for
 * program_pass(). 0 with *asking; -EFBIG; -ENOMEM. */
int program_ask(const struct program *program, size_t first, struct program *asking);

/* The instructions to stand in front of that, which let a native sendmmsg(2) pass whose fifth and
 * sixth arguments, of which the kernel makes nothing, are those of `pass`. */
void program_pass(const uint64_t pass[2], struct sock_filter code[PROGRAM_PASS]);

/* Releases the program. */
void program_free(struct program *program);
