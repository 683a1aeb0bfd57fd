/* Names of processes: what is allowed, for whoever gives one and for the agent that takes it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { NAME_MAX_SIZE = 64 };

/* The rule in words, for messages. */
#define NAME_RULE "1 to 64 of A-Z a-z 0-9 _ . @ : -, not digits only, not starting with - or ."

/* Names of slices, by systemd.slice(5): a-b.slice is in a.slice, and -.slice is around all. The
 * bound is on the name; that of its path is on all the slices around it, with a slash each. */
enum { NAME_SLICE_MOST = 240, NAME_SLICE_PATH_MOST = 1023 };
#define NAME_SLICE_RULE                                                                            \
    "expected NAME.slice of up to 240 bytes (1023 with all the slices that it is in), where NAME "   \
    "is of A-Z a-z 0-9 _ . : \\ with single dashes between, such as web-shop.slice, or -.slice"

/* Whether the bytes are the name of a slice as NAME_SLICE_RULE says. */
bool name_slice_valid(const char *name, size_t size);

/* Whether the bytes end as names of slices do. */
bool name_is_slice(const char *name, size_t size);

/* The bytes of a slice's name, without ".slice", that name the slice `number` of those around it,
 * the outermost first, itself last: of a-b.slice 1 ("a"), then 3 ("a-b"). 0 past the last, and for
 * -.slice. */
size_t name_slice_part(const char *name, size_t size, unsigned number);

/* Whether the bytes are a name as NAME_RULE says. */
bool name_valid(const char *name, size_t size);

/* Whether the bytes are digits only, thus a pid where a name may stand. */
bool name_is_pid(const char *name, size_t size);
