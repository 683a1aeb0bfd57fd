/* What a process reads from standard input where the request itself holds it. */
#pragma once

#include "protocol/codec.h"

/* A descriptor, to be read only, of a file in memory that holds these bytes and that nobody can
 * change (memfd_create(2), fcntl(2) F_ADD_SEALS), at its beginning. 0 with *fd, the caller's; or
 * -errno. */
int input_open(struct holden_view data, int *fd);
