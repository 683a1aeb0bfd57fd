/* What a process could do beyond its own work, by its settings (exposures.def). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/property.h"

enum {
    EXPOSURE_MOST = 10, /* the worst that one row can be */
    EXPOSURE_TOP = 100, /* and all together: tenths, as it is shown */
};

struct exposure_subject {
    const struct holden_properties *properties; /* collected or received */
    uint32_t user;                              /* whom it runs as unless they say */
};

struct exposure {
    const char *setting; /* the property; static */
    const char *of;     /* where a row is about a part of it, which; else ""; static */
    const char *text;   /* what it can, or cannot, do; static */
    char remedy[192];   /* the line that would better it; empty where it is good */
    unsigned weight;
    unsigned level;     /* 0: nothing to better, to EXPOSURE_MOST */
};

/* Judges the row of that number. False past the last. */
bool exposure_at(size_t number, const struct exposure_subject *subject, struct exposure *exposure);

/* What a row adds to the whole, in hundredths of EXPOSURE_TOP / 10: 0 to 1000 over all rows. */
unsigned exposure_share(const struct exposure *exposure);

/* All rows together: 0 to EXPOSURE_TOP. */
unsigned exposure_sum(const struct exposure_subject *subject);

/* The word for that, as systemd-analyze(1) has them: PERFECT, SAFE, OK, MEDIUM, EXPOSED, UNSAFE,
 * DANGEROUS. Static. */
const char *exposure_word(unsigned sum);
