#include "sample.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

struct sample_block {
    struct sample_block *next;
    _Alignas(16) unsigned char bytes[];
};

/* xorshift64: the same numbers in every run. */
uint64_t sample_random(struct sample *sample, uint64_t bound) {
    uint64_t x = sample->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    sample->random = x;
    return x % bound;
}

static void *take(struct sample *sample, size_t size) {
    struct sample_block *block = calloc(1, sizeof(*block) + size);
    if (!block)
        abort();
    block->next = sample->blocks;
    sample->blocks = block;
    return block->bytes;
}

void sample_free(struct sample *sample) {
    while (sample->blocks) {
        struct sample_block *block = sample->blocks;
        sample->blocks = block->next;
        free(block);
    }
}

static uint64_t number(struct sample *sample, enum sample_extent extent) {
    static const uint64_t extremes[] = {0, 1, UINT32_MAX, INT64_MAX, UINT64_MAX, UINT64_C(1) << 63};
    if (extent == SAMPLE_SOME && sample_random(sample, 2))
        return extremes[sample_random(sample, ARRAY_SIZE(extremes))];
    return sample_random(sample, 1000);
}

static struct holden_view text(struct sample *sample, const struct holden_field *field,
                               enum sample_extent extent) {
    static const size_t most[] = {[SAMPLE_LEAST] = 0, [SAMPLE_ALL] = 3, [SAMPLE_FLAT] = 3,
                                  [SAMPLE_SOME] = 80};
    size_t bound = most[extent] < field->bound ? most[extent] : field->bound;
    size_t size = extent == SAMPLE_SOME ? sample_random(sample, bound + 1) : bound;
    char *bytes = take(sample, size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = field->type == HOLDEN_TYPE_STRING ? (char)(1 + sample_random(sample, 255))
                                                     : (char)sample_random(sample, 256);
    return (struct holden_view){bytes, size};
}

/* Puts a made-up value of the field's type at `member`; returns how many bytes it takes there. */
static size_t fill(struct sample *sample, const struct holden_field *field,
                   enum sample_extent extent, void *member) {
    switch ((enum holden_type)field->type) {
    case HOLDEN_TYPE_U32:
    case HOLDEN_TYPE_FD:
        *(uint32_t *)member = (uint32_t)number(sample, extent);
        return sizeof(uint32_t);
    case HOLDEN_TYPE_ENUM:
        *(uint32_t *)member =
            field->enumeration->words[sample_random(sample, field->enumeration->count)].number;
        return sizeof(uint32_t);
    case HOLDEN_TYPE_U64:
    case HOLDEN_TYPE_I64: *(uint64_t *)member = number(sample, extent); return sizeof(uint64_t);
    case HOLDEN_TYPE_BOOL: *(bool *)member = sample_random(sample, 2); return sizeof(bool);
    case HOLDEN_TYPE_STRING:
    case HOLDEN_TYPE_BYTES:
        *(struct holden_view *)member = text(sample, field, extent);
        return sizeof(struct holden_view);
    case HOLDEN_TYPE_RECORD:
        *(struct holden_nested *)member = (struct holden_nested){
            .value = sample_make(sample, field->record,
                                 extent == SAMPLE_FLAT ? SAMPLE_LEAST : extent)};
        return sizeof(struct holden_nested);
    }
    abort();
}

static void fill_list(struct sample *sample, const struct holden_field *field,
                      enum sample_extent extent, struct holden_repeated *list) {
    uint32_t count = extent == SAMPLE_LEAST ? 1
                     : extent == SAMPLE_SOME  ? 1 + (uint32_t)sample_random(sample, 4)
                                              : 2;
    unsigned char *items = take(sample, count * sizeof(struct holden_nested));
    *list = (struct holden_repeated){.count = count, .items = items};
    for (uint32_t i = 0; i < count; i++)
        items += fill(sample, field, extent, items);
}

void *sample_make(struct sample *sample, const struct holden_record *record,
                  enum sample_extent extent) {
    unsigned char *message = take(sample, record->size);
    for (size_t i = 0; i < record->count; i++) {
        const struct holden_field *field = &record->fields[i];
        bool wanted = field->required || extent == SAMPLE_ALL || extent == SAMPLE_FLAT ||
                      (extent == SAMPLE_SOME && sample_random(sample, 2));
        if (!wanted)
            continue;
        holden_mark(message, i);
        if (field->repeated)
            fill_list(sample, field, extent, (void *)(message + field->offset));
        else
            fill(sample, field, extent, message + field->offset);
    }
    return message;
}

/* ---- comparing ---- */

union element {
    struct holden_nested nested;
    struct holden_view view;
    uint64_t number;
};

/* The struct that a nested record holds: its own, or decoded into `space`. NULL: does not decode.
 */
static const void *opened(const struct holden_record *record, const struct holden_nested *nested,
                          void *space) {
    struct holden_fault fault;
    if (nested->value)
        return nested->value;
    return holden_decode(record, nested->bytes.data, nested->bytes.size, space, &fault) == 0 ? space
                                                                                             : NULL;
}

static bool same_record(const struct holden_record *record, const struct holden_nested *one,
                        const struct holden_nested *other) {
    _cleanup_free_ void *space_one = malloc(record->size);
    _cleanup_free_ void *space_other = malloc(record->size);
    if (!space_one || !space_other)
        abort();
    const void *message_one = opened(record, one, space_one);
    const void *message_other = opened(record, other, space_other);
    return message_one && message_other && sample_equal(record, message_one, message_other);
}

static bool same_view(const struct holden_view *one, const struct holden_view *other) {
    return one->size == other->size &&
           (one->size == 0 || memcmp(one->data, other->data, one->size) == 0);
}

static bool same(const struct holden_field *field, const void *one, const void *other) {
    switch ((enum holden_type)field->type) {
    case HOLDEN_TYPE_U32:
    case HOLDEN_TYPE_FD:
    case HOLDEN_TYPE_ENUM: return *(const uint32_t *)one == *(const uint32_t *)other;
    case HOLDEN_TYPE_U64:
    case HOLDEN_TYPE_I64: return *(const uint64_t *)one == *(const uint64_t *)other;
    case HOLDEN_TYPE_BOOL: return *(const bool *)one == *(const bool *)other;
    case HOLDEN_TYPE_STRING:
    case HOLDEN_TYPE_BYTES: return same_view(one, other);
    case HOLDEN_TYPE_RECORD: return same_record(field->record, one, other);
    }
    return false;
}

static bool same_list(const struct holden_field *field, struct holden_repeated one,
                      struct holden_repeated other) {
    union element a;
    union element b;
    if (one.count != other.count)
        return false;
    while (holden_next(&one, field->type, &a))
        if (!holden_next(&other, field->type, &b) || !same(field, &a, &b))
            return false;
    return !holden_next(&other, field->type, &b);
}

bool sample_equal(const struct holden_record *record, const void *one, const void *other) {
    for (size_t i = 0; i < record->count; i++) {
        const struct holden_field *field = &record->fields[i];
        const unsigned char *a = (const unsigned char *)one + field->offset;
        const unsigned char *b = (const unsigned char *)other + field->offset;
        if (holden_has(one, i) != holden_has(other, i))
            return false;
        if (!holden_has(one, i))
            continue;
        bool equal = field->repeated
                         ? same_list(field, *(const struct holden_repeated *)(const void *)a,
                                     *(const struct holden_repeated *)(const void *)b)
                         : same(field, a, b);
        if (!equal)
            return false;
    }
    return true;
}
