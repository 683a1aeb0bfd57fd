/* Filter programs judged by the kernel: each is installed in a child that then makes a call. */
#pragma once

#include <stdbool.h>
#include <sys/syscall.h>

#include "agent/program.h"

struct trial {
    long number;
    long arguments[4];
    bool old; /* through the i386 entry */
};

#define CALL(name, ...) ((struct trial){SYS_##name, {__VA_ARGS__}, false})

/* What the call comes to in a child under the program (NULL: none): 0, its errno, or minus the
 * signal that ended the child. */
int judge(const struct program *program, struct trial call);
