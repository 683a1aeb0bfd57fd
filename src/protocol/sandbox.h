/* What Sandbox= stands for (sandboxes.def). */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct sandbox_setting {
    uint32_t sandbox;  /* enum holden_sandbox */
    const char *name;  /* of a property */
    const char *value; /* as people write it */
};

/* The first setting of a sandbox; the others of it follow. Static; NULL where there is no such
 * sandbox. */
const struct sandbox_setting *sandbox_first(uint32_t sandbox);

/* The one behind `setting`, or NULL after the last one of the sandbox. */
const struct sandbox_setting *sandbox_next(const struct sandbox_setting *setting);

/* How many settings there are in all. */
size_t sandbox_rows(void);

/* What the sandbox is for, as a part of a sentence. Static; NULL where there is no such sandbox. */
const char *sandbox_doc(uint32_t sandbox);
