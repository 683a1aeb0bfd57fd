/* Names of users by number, each looked up once. */
#pragma once

#include <stdint.h>

#include "common/buffer.h"

struct user_names {
    struct buffer entries; /* struct user_entry, in the order of their first use */
};

/* The user's name, or the number where it has none. Valid until user_names_free(), or NULL without
 * memory. */
const char *user_name(struct user_names *names, uint32_t uid);
void user_names_free(struct user_names *names);
