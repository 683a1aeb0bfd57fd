#include "agent/event_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/machine.h"
#include "agent/store.h"
#include "common/cleanup.h"
#include "common/log.h"

enum { LAYOUT = 1, BODY = 240 /* most events have less than 200 bytes */ };

static const char magic[8] = {'H', 'o', 'l', 'd', 'e', 'n', 'E', 'v'};

/* An event is there when its number is: that is stored last. */
struct place {
    uint64_t number;
    uint32_t owner;
    uint32_t size; /* 0: it is too large for this place, and was kept by an agent only */
    uint8_t body[BODY];
};

struct event_memory {
    char magic[sizeof(magic)];
    uint32_t layout;
    uint32_t count;
    uint64_t last;
    uint64_t pad;
    struct place places[EVENTS_KEPT]; /* event N is at N % EVENTS_KEPT */
};

static bool is_ours(const struct event_memory *memory) {
    return memcmp(memory->magic, magic, sizeof(magic)) == 0 && memory->layout == LAYOUT &&
           memory->count == EVENTS_KEPT && memory->last <= INT64_MAX;
}

/* The blocks are there before they are written to: on a full disk that would be a SIGBUS. */
static int map_file(struct store *store, bool *fresh, struct event_memory **memory) {
    struct stat status;
    _cleanup_close_ int fd = openat(store->root, "events",
                                    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    *fresh = status.st_size == 0;
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
        (!*fresh && status.st_size != sizeof(**memory)))
        return -EBADMSG;
    int r = posix_fallocate(fd, 0, sizeof(**memory));
    if (r != 0)
        return -r;
    void *mapped = mmap(NULL, sizeof(**memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        return -errno;
    *memory = mapped;
    return 0;
}

static int map_anonymous(struct event_memory **memory) {
    void *mapped = mmap(NULL, sizeof(**memory), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return -ENOMEM;
    *memory = mapped;
    return 0;
}

static void begin(struct event_memory *memory, uint64_t last) {
    memory->layout = LAYOUT;
    memory->count = EVENTS_KEPT;
    memory->last = last;
    memcpy(memory->magic, magic, sizeof(magic));
}

/* Events come at less than one a microsecond, so no event has had a number as high as the time. */
int event_ring_open(struct event_ring *ring, struct store *store) {
    struct event_memory *memory = NULL;
    bool fresh = true, lost = false;
    *ring = (struct event_ring){0};
    int r = map_file(store, &fresh, &memory);
    bool strange = memory && !fresh && !is_ours(memory);
    if (strange)
        munmap(TAKE_POINTER(memory), sizeof(*memory));
    if (strange || r == -EBADMSG || r == -ELOOP || r == -EISDIR) {
        store_set_aside(store, "events", "it is not what an agent of this version keeps");
        lost = true;
        r = map_file(store, &fresh, &memory);
    }
    if (!memory) {
        log_warning("%s/events: %s; events are lost with this agent", store->path, strerror(-r));
        lost = true;
        if (map_anonymous(&memory) < 0 || !memory)
            return -ENOMEM;
    }
    if (fresh || lost)
        begin(memory, lost ? machine_realtime() : 0);
    ring->memory = memory;
    ring->last = memory->last;
    return 0;
}

void event_ring_close(struct event_ring *ring) {
    for (size_t i = 0; i < EVENTS_KEPT; i++)
        free(ring->large[i].body);
    if (ring->memory)
        munmap(ring->memory, sizeof(*ring->memory));
    *ring = (struct event_ring){0};
}

void event_ring_put(struct event_ring *ring, uint32_t owner, struct holden_view body) {
    uint64_t number = ++ring->last, at = number % EVENTS_KEPT;
    struct place *place = &ring->memory->places[at];
    __atomic_store_n(&place->number, 0, __ATOMIC_SEQ_CST);
    free(ring->large[at].body);
    ring->large[at].body = NULL;
    place->owner = owner;
    place->size = body.size <= BODY ? (uint32_t)body.size : 0;
    if (place->size > 0)
        memcpy(place->body, body.data, body.size);
    else if (body.size > 0 && (ring->large[at].body = malloc(body.size))) {
        memcpy(ring->large[at].body, body.data, body.size);
        ring->large[at].size = (uint32_t)body.size;
    }
    __atomic_store_n(&place->number, number, __ATOMIC_SEQ_CST);
    __atomic_store_n(&ring->memory->last, number, __ATOMIC_SEQ_CST);
}

bool event_ring_get(const struct event_ring *ring, uint64_t number, uint32_t *owner,
                    struct holden_view *body) {
    uint64_t at = number % EVENTS_KEPT;
    const struct place *place = &ring->memory->places[at];
    if (number == 0 || place->number != number || place->size > BODY ||
        (place->size == 0 && !ring->large[at].body))
        return false;
    *owner = place->owner;
    *body = place->size > 0
                ? (struct holden_view){(const char *)place->body, place->size}
                : (struct holden_view){(const char *)ring->large[at].body, ring->large[at].size};
    return true;
}

uint64_t event_ring_first(const struct event_ring *ring) {
    return ring->last >= EVENTS_KEPT ? ring->last - EVENTS_KEPT + 1 : 1;
}
