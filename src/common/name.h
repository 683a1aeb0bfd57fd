/* Names of processes: what is allowed, for whoever gives one and for the agent that takes it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { NAME_MAX_SIZE = 64 };

/* The rule in words, for messages. */
#define NAME_RULE "1 to 64 of A-Z a-z 0-9 _ . @ : -, not digits only, not starting with - or ."

/* Whether the bytes are a name as NAME_RULE says. */
bool name_valid(const char *name, size_t size);

/* Whether the bytes are digits only, thus a pid where a name may stand. */
bool name_is_pid(const char *name, size_t size);
