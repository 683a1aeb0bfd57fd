/* A plan (plan.h) while it is made. */
#pragma once

#include "agent/plan.h"
#include "common/buffer.h"
#include "protocol/codec.h"

/* Offsets stay true when the buffer moves, pointers would not. */
struct draft {
    struct buffer *out; /* begins with the head; the caller's */
    int error;          /* the first, -errno; after it all calls do nothing */
};

/* The head, until more is added. */
struct plan *draft_head(const struct draft *draft);

/* Appends bytes at an 8-aligned offset, which is returned. */
uint32_t draft_put(struct draft *draft, const void *bytes, size_t size);

/* The same for a text and a NUL. */
struct plan_run draft_string(struct draft *draft, struct holden_view text);

/* Strings collected for argv, envp or the paths to try: their offsets, growing. */
struct strings {
    struct buffer offsets;
    uint32_t count;
};

/* Appends one string; and in the end the list of all, whose memory is released. */
void strings_add(struct draft *draft, struct strings *strings, struct holden_view text);
struct plan_run strings_put(struct draft *draft, struct strings *strings);

struct plan_input;
struct holden_properties;

/* The parts of a plan that other files make: what is executed, with its environment
 * (plan_command.c); how it is scheduled, its limits and its memory (plan_tuning.c); and what it may
 * do in the file system (plan_landlock.c). */
void plan_put_command(struct draft *draft, const struct plan_input *input);
void plan_put_tuning(struct draft *draft, const struct holden_properties *properties);
void plan_put_landlock(struct draft *draft, const struct holden_properties *properties);
