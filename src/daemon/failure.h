/* Why a request was refused, in the form in which the client gets it: {code, step, text}. Only for
 * failures that a person reads; everything below returns -errno. */
#pragma once

#include <stdint.h>

#include "protocol/message.h"

struct failure {
    uint32_t code;     /* enum holden_code_values */
    const char *step;  /* static: the property or step to blame, or NULL */
    char text[512];    /* one line: what, on what, why, and what to do where that is known */
};

/* Fills *failure and returns -EREMOTEIO, so that `return failure_set(…)` refuses. */
int failure_set(struct failure *failure, uint32_t code, const char *step, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for a failed system call: the code follows from `error` (positive errno), and
 * ": strerror" is appended to the text. */
int failure_errno(struct failure *failure, int error, const char *step, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
