/* What Environment= assigns. */
#pragma once

#include <stdbool.h>

#include "protocol/message.h"

/* Whether it assigns the variable. */
bool assignment_made(const struct holden_properties *properties, const char *variable);
