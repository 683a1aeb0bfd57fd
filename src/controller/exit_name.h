/* Names of exit statuses, as systemd 252 has them (systemd.exec(5), "Process Exit Codes"): those of
 * the C library, of LSB init scripts, of sysexits.h, and systemd's own. */
#pragma once

#include <stdint.h>

/* Reads a name without EXIT_ or EX_, such as "TEMPFAIL". 0 with *status, or -EINVAL. */
int exit_name_parse(const char *text, uint32_t *status);
