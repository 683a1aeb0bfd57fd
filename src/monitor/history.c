#include "monitor/history.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SLOTS = HISTORY_SLOTS / HISTORY_BLOCKS, FRACTION_BITS = 10, UNKNOWN = 0xffff };
_Static_assert(BLOCK_SLOTS * HISTORY_BLOCKS == HISTORY_SLOTS, "blocks hold all slots");

/* Numbers from 0 on in 16 bits: an exponent, which begins at 2^-16, above a fraction; 0 is 0. */
enum { EXPONENT_LEAST = -16, EXPONENT_MOST = 46 };

static uint16_t pack(double value) {
    int exponent;
    if (isnan(value))
        return UNKNOWN;
    double fraction = frexp(value, &exponent); /* 0.5 to 1 */
    if (value <= 0 || exponent <= EXPONENT_LEAST)
        return 0;
    if (exponent > EXPONENT_MOST)
        return UNKNOWN - 1;
    unsigned bits = (unsigned)((fraction - 0.5) * 2 * (1 << FRACTION_BITS));
    return (uint16_t)((unsigned)(exponent - EXPONENT_LEAST) << FRACTION_BITS | bits);
}

static double unpack(uint16_t packed) {
    if (packed == UNKNOWN)
        return NAN;
    if (packed == 0)
        return 0;
    double fraction = 0.5 + (double)(packed & ((1 << FRACTION_BITS) - 1)) / (2 << FRACTION_BITS);
    return ldexp(fraction, (packed >> FRACTION_BITS) + EXPONENT_LEAST);
}

/* Where the values of a slot are; NULL where its block has not been made. */
static uint16_t *place(const struct history *history, uint64_t slot) {
    uint16_t *block = history->blocks[slot % HISTORY_SLOTS / BLOCK_SLOTS];
    return block ? block + slot % BLOCK_SLOTS * METRICS : NULL;
}

static void clear(struct history *history, uint64_t slot) {
    uint16_t *values = place(history, slot);
    for (unsigned i = 0; values && i < METRICS; i++)
        values[i] = UNKNOWN;
}

static int make(struct history *history, uint64_t slot) {
    uint16_t **block = &history->blocks[slot % HISTORY_SLOTS / BLOCK_SLOTS];
    if (*block)
        return 0;
    *block = malloc(sizeof(uint16_t) * BLOCK_SLOTS * METRICS);
    if (!*block)
        return -ENOMEM;
    memset(*block, 0xff, sizeof(uint16_t) * BLOCK_SLOTS * METRICS);
    return 0;
}

/* Slots of which nobody told lie between the newest and the next one. */
static void move_on(struct history *history, uint64_t slot) {
    uint64_t first = history->last + 1;
    if (slot - history->last > HISTORY_SLOTS)
        first = slot - HISTORY_SLOTS + 1;
    for (uint64_t i = first; i <= slot; i++)
        clear(history, i);
    history->last = slot;
    history->told = 0;
}

int history_put(struct history *history, uint64_t time, const double values[METRICS]) {
    uint64_t slot = time / HISTORY_SLOT;
    if (slot == 0 || slot + HISTORY_SLOTS <= history->last)
        return 0;
    int r = make(history, slot);
    if (r < 0)
        return r;
    if (slot > history->last)
        move_on(history, slot);
    bool newest = slot == history->last;
    uint16_t *kept = place(history, slot);
    if (newest)
        history->told++;
    for (unsigned i = 0; i < METRICS; i++) {
        double before = unpack(kept[i]);
        if (isnan(before))
            kept[i] = pack(values[i]);
        else if (newest && !isnan(values[i]))
            kept[i] = pack(before + (values[i] - before) / history->told);
    }
    return 0;
}

double history_get(const struct history *history, uint64_t slot, enum metric metric) {
    if (slot > history->last || slot + HISTORY_SLOTS <= history->last)
        return NAN;
    const uint16_t *values = place(history, slot);
    return values ? unpack(values[metric]) : (double)NAN;
}

void history_free(struct history *history) {
    for (unsigned i = 0; i < HISTORY_BLOCKS; i++)
        free(history->blocks[i]);
    *history = (struct history){0};
}
