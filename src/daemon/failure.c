#include "daemon/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int failure_set(struct failure *failure, uint32_t code, const char *step, const char *format, ...) {
    failure->code = code;
    failure->step = step;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof(failure->text), format, arguments);
    va_end(arguments);
    return -EREMOTEIO;
}

int failure_errno(struct failure *failure, int error, const char *step, const char *format, ...) {
    bool exhausted = error == ENOMEM || error == EMFILE || error == ENFILE || error == ENOSPC ||
                     error == EAGAIN;
    failure->code = exhausted ? HOLDEN_code_TOO_MANY : HOLDEN_code_FAILED;
    failure->step = step;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof(failure->text), format, arguments);
    va_end(arguments);
    size_t used = strlen(failure->text);
    snprintf(failure->text + used, sizeof(failure->text) - used, ": %s", strerror(error));
    return -EREMOTEIO;
}
