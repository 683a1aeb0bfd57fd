/* Messages made up by walking the tables, so that a new field or message is tested without a line
 * written for it; for the unit tests and for the fuzzers' first corpus. */
#pragma once

#include "protocol/message.h"

enum sample_extent {
    SAMPLE_LEAST, /* required fields only, strings empty, lists of one */
    SAMPLE_ALL,   /* every field, short strings, lists of two */
    SAMPLE_FLAT,  /* as SAMPLE_ALL, but records within hold the least */
    SAMPLE_SOME, /* required fields and half of the others, with extreme numbers and long strings */
};

struct sample_block;

/* Made-up values and the memory that they lie in. Start with {.random = any number but 0}. */
struct sample {
    uint64_t random;
    struct sample_block *blocks; /* owned */
};

/* A message of this record that encodes; it lives until sample_free(). Never NULL. */
void *sample_make(struct sample *sample, const struct holden_record *record,
                  enum sample_extent extent);

/* Frees everything that was made. */
void sample_free(struct sample *sample);

/* The next random number below `bound`. */
uint64_t sample_random(struct sample *sample, uint64_t bound);

/* Whether two messages hold the same, whether made up or decoded, down to nested records. */
bool sample_equal(const struct holden_record *record, const void *one, const void *other);
