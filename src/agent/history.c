/* A chunk begins with a whole sample: which fields it has is in its header, their values follow.
 * Each further one is the milliseconds since the one before, a set of the fields that differ, and
 * for each of these how much. All numbers are of seven bits a byte, the lowest first, with the
 * highest bit set where more follow; a difference has its sign in its lowest bit. A sample that has
 * other fields than those before begins a chunk. */
#include "agent/history.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

enum {
    CHUNK_MOST = 1024,    /* bytes of samples */
    CHUNK_STEP = 64,      /* how much more room it gets at first, then twice as much */
    NUMBER_MOST = 10,     /* bytes of one number */
    FIELDS_MOST = 32,     /* of a sample: bits of a set */
    SAMPLE_MOST = NUMBER_MOST * (FIELDS_MOST + 2),
    MILLISECOND = 1000,
    OVERHEAD = 16,        /* what an allocation costs besides */
};

struct history_chunk {
    TAILQ_ENTRY(history_chunk) age;
    struct history *history;     /* whose it is */
    struct history_chunk *next;  /* the one after it, of the same process */
    uint64_t begin;              /* `at` of its first sample */
    uint64_t end;                /* of its last one, as it is read */
    uint32_t fields;             /* that its samples have */
    uint16_t size, room;         /* bytes of samples, and how many there is room for */
    uint8_t bytes[];
};

/* Where it is while it is read. */
struct cursor {
    const uint8_t *at, *end;
};

static uint64_t *value(struct holden_usage *usage, size_t field) {
    return (uint64_t *)(void *)((uint8_t *)usage + holden_record_usage.fields[field].offset);
}

static uint64_t value_of(const struct holden_usage *usage, size_t field) {
    uint64_t number;
    memcpy(&number, (const uint8_t *)usage + holden_record_usage.fields[field].offset,
           sizeof(number));
    return number;
}

/* The fields that it has but for its time, as a set. */
static uint32_t fields_of(const struct holden_usage *usage) {
    uint32_t fields = 0;
    for (size_t i = 0; i < holden_record_usage.count; i++)
        if (i != HOLDEN_INDEX(usage, at) && holden_has(usage, i))
            fields |= UINT32_C(1) << i;
    return fields;
}

static size_t put(uint8_t *to, uint64_t number) {
    size_t size = 0;
    for (; number >= 0x80; number >>= 7)
        to[size++] = (uint8_t)(number | 0x80);
    to[size++] = (uint8_t)number;
    return size;
}

static uint64_t take(struct cursor *cursor) {
    uint64_t number = 0;
    for (unsigned shift = 0; cursor->at < cursor->end; shift += 7) {
        uint8_t byte = *cursor->at++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            break;
    }
    return number;
}

static uint64_t fold(uint64_t difference) {
    return difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);
}

static uint64_t unfold(uint64_t number) {
    return number >> 1 ^ (number & 1 ? UINT64_MAX : 0);
}

static size_t put_first(uint8_t *to, const struct holden_usage *usage, uint32_t fields) {
    size_t size = 0;
    for (size_t i = 0; i < holden_record_usage.count; i++)
        if (fields >> i & 1)
            size += put(to + size, value_of(usage, i));
    return size;
}

static struct cursor take_first(const struct history_chunk *chunk, struct holden_usage *usage) {
    struct cursor cursor = {chunk->bytes, chunk->bytes + chunk->size};
    *usage = (struct holden_usage){0};
    HOLDEN_SET(usage, usage, at, chunk->begin);
    for (size_t i = 0; i < holden_record_usage.count; i++)
        if (chunk->fields >> i & 1) {
            *value(usage, i) = take(&cursor);
            holden_mark(usage, i);
        }
    return cursor;
}

static size_t put_next(uint8_t *to, uint64_t milliseconds, uint32_t fields,
                       const struct holden_usage *from, const struct holden_usage *usage) {
    size_t size = put(to, milliseconds);
    size += put(to + size, fields);
    for (size_t i = 0; i < holden_record_usage.count; i++)
        if (fields >> i & 1)
            size += put(to + size, fold(value_of(usage, i) - value_of(from, i)));
    return size;
}

static bool take_next(struct cursor *cursor, struct holden_usage *usage) {
    if (cursor->at == cursor->end)
        return false;
    usage->at += take(cursor) * MILLISECOND;
    uint64_t fields = take(cursor);
    for (size_t i = 0; i < holden_record_usage.count; i++)
        if (fields >> i & 1)
            *value(usage, i) += unfold(take(cursor));
    return true;
}

static size_t cost(size_t room) {
    return sizeof(struct history_chunk) + room + OVERHEAD;
}

/* The first chunk of its process: in any other order there would be gaps. */
static void drop(struct history_pool *pool, struct history_chunk *chunk) {
    struct history *history = chunk->history;
    history->first = chunk->next;
    if (!history->first) {
        history->last = NULL;
        history_rest(history);
    }
    TAILQ_REMOVE(&pool->chunks, chunk, age);
    pool->bytes -= cost(chunk->room);
    free(chunk);
}

void history_pool_init(struct history_pool *pool, size_t most) {
    TAILQ_INIT(&pool->chunks);
    pool->bytes = 0;
    pool->most = most;
}

void history_pool_bound(struct history_pool *pool, size_t most) {
    pool->most = most;
    while (pool->bytes > pool->most)
        drop(pool, TAILQ_FIRST(&pool->chunks));
}

/* Makes room in the pool, never by dropping `kept`. */
static bool make_room(struct history_pool *pool, size_t bytes, const struct history_chunk *kept) {
    while (pool->bytes + bytes > pool->most) {
        struct history_chunk *oldest = TAILQ_FIRST(&pool->chunks);
        if (!oldest || oldest == kept)
            return false;
        drop(pool, oldest);
    }
    return true;
}

/* The last chunk of its process with room for `more` bytes, or NULL: it is full, or there is no
 * memory. */
static struct history_chunk *grow(struct history_pool *pool, struct history *history, size_t more) {
    struct history_chunk *chunk = history->last;
    size_t room = chunk->room;
    if (chunk->size + more <= room)
        return chunk;
    while (room < chunk->size + more)
        room += room < CHUNK_STEP ? CHUNK_STEP : room;
    if (room > CHUNK_MOST || !make_room(pool, room - chunk->room, chunk))
        return NULL;
    struct history_chunk *before = history->first;
    while (before != chunk && before->next != chunk)
        before = before->next;
    struct history_chunk *moved = malloc(sizeof(*moved) + room);
    if (!moved)
        return NULL;
    memcpy(moved, chunk, sizeof(*chunk) + chunk->size);
    TAILQ_INSERT_BEFORE(chunk, moved, age);
    TAILQ_REMOVE(&pool->chunks, chunk, age);
    pool->bytes += room - chunk->room;
    moved->room = (uint16_t)room;
    if (before == chunk)
        history->first = moved;
    else
        before->next = moved;
    history->last = moved;
    free(chunk);
    return moved;
}

static bool begin(struct history_pool *pool, struct history *history,
                  const struct holden_usage *usage) {
    uint8_t bytes[SAMPLE_MOST];
    uint32_t fields = fields_of(usage);
    size_t size = put_first(bytes, usage, fields);
    struct history_chunk *chunk =
        make_room(pool, cost(size), NULL) ? malloc(sizeof(*chunk) + size) : NULL;
    if (!chunk)
        return false;
    *chunk = (struct history_chunk){.history = history,
                                    .begin = usage->at,
                                    .end = usage->at,
                                    .fields = fields,
                                    .size = (uint16_t)size,
                                    .room = (uint16_t)size};
    memcpy(chunk->bytes, bytes, size);
    if (history->last)
        history->last->next = chunk;
    else
        history->first = chunk;
    history->last = chunk;
    TAILQ_INSERT_TAIL(&pool->chunks, chunk, age);
    pool->bytes += cost(size);
    return true;
}

/* The last sample, decoded once and kept while the process is busy. */
static struct holden_usage *last_sample(struct history *history) {
    if (history->now || !history->last)
        return history->now;
    history->now = malloc(sizeof(*history->now));
    if (!history->now)
        return NULL;
    struct cursor cursor = take_first(history->last, history->now);
    while (take_next(&cursor, history->now))
        continue;
    return history->now;
}

static uint32_t differing(const struct holden_usage *from, const struct holden_usage *usage,
                          uint32_t fields) {
    uint32_t set = 0;
    for (size_t i = 0; i < holden_record_usage.count; i++)
        if (fields >> i & 1 && value_of(from, i) != value_of(usage, i))
            set |= UINT32_C(1) << i;
    return set;
}

/* Appends what differs; before it, where the figures stood still in between, that they did. False:
 * it does not fit. */
static bool add_next(struct history_pool *pool, struct history *history,
                     const struct holden_usage *from, const struct holden_usage *usage,
                     uint32_t fields) {
    struct history_chunk *chunk = history->last;
    uint8_t bytes[SAMPLE_MOST + 2 * NUMBER_MOST];
    size_t size = 0;
    uint64_t still = history->seen > chunk->end ? (history->seen - chunk->end) / MILLISECOND : 0;
    if (still > 0)
        size = put_next(bytes, still, 0, from, usage);
    uint64_t end = chunk->end + still * MILLISECOND;
    uint64_t after = (usage->at - end) / MILLISECOND;
    size += put_next(bytes + size, after, fields, from, usage);
    chunk = grow(pool, history, size);
    if (!chunk)
        return false;
    memcpy(chunk->bytes + chunk->size, bytes, size);
    chunk->size += (uint16_t)size;
    chunk->end = end + after * MILLISECOND;
    return true;
}

static void forget_before(struct history_pool *pool, struct history *history, uint64_t before) {
    while (history->first && history->first->next && history->first->next->begin <= before)
        drop(pool, history->first);
}

void history_add(struct history_pool *pool, struct history *history,
                 const struct holden_usage *usage, uint64_t span) {
    struct holden_usage *from = last_sample(history);
    uint32_t fields = fields_of(usage);
    bool same = from && fields_of(from) == fields;
    uint32_t changed = same ? differing(from, usage, fields) : fields;
    bool kept = same && (!changed || add_next(pool, history, from, usage, changed));
    if (!kept && !begin(pool, history, usage))
        return;
    history->seen = usage->at;
    if (history->now)
        *history->now = *usage;
    if (usage->at > span)
        forget_before(pool, history, usage->at - span);
}

void history_rest(struct history *history) {
    free(history->now);
    history->now = NULL;
}

/* One chunk of a walk. */
static bool walk(const struct history_chunk *chunk, uint64_t after, history_take *take_sample,
                 void *data, struct holden_usage *last) {
    struct cursor cursor = take_first(chunk, last);
    do {
        if (last->at > after && !take_sample(data, last))
            return false;
    } while (take_next(&cursor, last));
    return true;
}

void history_walk(const struct history *history, uint64_t after, history_take *take_sample,
                  void *data) {
    struct holden_usage last = {0};
    const struct history_chunk *chunk = history->first;
    for (; chunk; chunk = chunk->next) {
        if (chunk->next && chunk->next->begin <= after)
            continue;
        if (!walk(chunk, after, take_sample, data, &last))
            return;
    }
    if (history->last && history->seen / MILLISECOND > last.at / MILLISECOND &&
        history->seen > after) {
        last.at = history->seen;
        take_sample(data, &last);
    }
}

void history_free(struct history_pool *pool, struct history *history) {
    while (history->first)
        drop(pool, history->first);
    history_rest(history);
    history->seen = 0;
}
