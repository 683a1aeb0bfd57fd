/* What a process uses, read from the files of its cgroup. */
#pragma once

#include "protocol/message.h"

/* Fills *usage with what the cgroup tells now; values of controllers that are missing are left out. */
void usage_read(int directory, struct holden_usage *usage);
