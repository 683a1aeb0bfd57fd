/* The keys of the live screen, once: what they do, the help and the foot of the screen. */
#pragma once

#include <stddef.h>

#include "monitor/live.h"

struct key_row {
    int keys[4];        /* any of them (terminal.h); 0: none */
    const char *label;  /* as people call them */
    const char *doc;    /* one line for the help; NULL where the row before it says it all */
    const char *brief;  /* one word for the foot of the screen, or NULL */
    void (*press)(struct live *live, int argument);
    int argument;
};

/* The row with that index, or NULL past the last. Static. */
const struct key_row *key_row(size_t index);

/* Does what the key means; unknown keys mean nothing. While the help is shown, keys that move the
 * selection move the help, and all others leave it. */
void key_press(struct live *live, int key);
