/* What somebody may have meant who typed a name that does not exist. */
#pragma once

#include <stddef.h>

/* The closest of the names offered so far. Start with {.wanted = what was typed}. */
struct spelling {
    const char *wanted;
    char best[64];      /* empty while nothing is close enough to be worth saying */
    size_t distance;    /* of `best` */
};

/* Offers one name that does exist; it becomes spelling->best where it is close to what was typed (a
 * third of its characters differ at most, the case of letters not counted) and closer than those
 * before it. Names of 64 characters and more are passed over. */
void spelling_offer(struct spelling *spelling, const char *name);
