#include "agent/catalog.h"

#include <syslog.h>

#include "common/cleanup.h"

/* Levels by their names in the table. */
enum {
    LEVEL_ERROR = LOG_ERR,
    LEVEL_WARNING = LOG_WARNING,
    LEVEL_NOTICE = LOG_NOTICE,
    LEVEL_INFO = LOG_INFO,
    LEVEL_DEBUG = LOG_DEBUG,
};

static const struct catalog_entry entries[] = {
#define CATALOG(kind, id, level, subject, text) {id, LEVEL_##level, subject, text},
#include "agent/catalog.def"
};

/* Plus one, so that what is not named is none. */
#define IS(kind) (CATALOG_##kind + 1)

static const unsigned of_events[] = {
    [HOLDEN_event_kind_FROZEN] = IS(FROZEN),
    [HOLDEN_event_kind_THAWED] = IS(THAWED),
    [HOLDEN_event_kind_CONSTRAINED] = IS(CONSTRAINED),
    [HOLDEN_event_kind_RESTORED] = IS(RESTORED),
    [HOLDEN_event_kind_SIGNALLED] = IS(SIGNALLED),
    [HOLDEN_event_kind_FORGOTTEN] = IS(FORGOTTEN),
    [HOLDEN_event_kind_AGENT] = IS(AGENT),
    [HOLDEN_event_kind_SAID] = IS(SAID),
};

static const unsigned of_states[] = {
    [HOLDEN_state_RUNNING] = IS(RUNNING), [HOLDEN_state_STOPPING] = IS(STOPPING),
    [HOLDEN_state_BACKOFF] = IS(BACKOFF), [HOLDEN_state_EXITED] = IS(EXITED),
    [HOLDEN_state_FAILED] = IS(FAILED),   [HOLDEN_state_STOPPED] = IS(STOPPED),
};

/* Causes that say more than the state that a process ended in. */
static const unsigned of_causes[] = {
    [HOLDEN_cause_OUT_OF_MEMORY] = IS(OUT_OF_MEMORY), [HOLDEN_cause_TIME_LIMIT] = IS(TIME_LIMIT),
    [HOLDEN_cause_TASKS_LIMIT] = IS(TASKS_LIMIT),     [HOLDEN_cause_WATCHDOG] = IS(WATCHDOG),
    [HOLDEN_cause_SYSTEM_CALL] = IS(SYSTEM_CALL),     [HOLDEN_cause_SETUP] = IS(SETUP),
    [HOLDEN_cause_UNKNOWN] = IS(LOST),                [HOLDEN_cause_SKIPPED] = IS(SKIPPED),
};

const struct catalog_entry *catalog_entry(enum catalog_kind kind) {
    return &entries[kind];
}

static unsigned lookup(const unsigned *table, size_t count, uint32_t at) {
    return at < count ? table[at] : 0;
}

enum catalog_kind catalog_of(const struct holden_event *event) {
    unsigned kind = 0;
    if (event->kind != HOLDEN_event_kind_STATE)
        kind = lookup(of_events, ARRAY_SIZE(of_events), event->kind);
    else if (HOLDEN_HAS(event, event, cause))
        kind = lookup(of_causes, ARRAY_SIZE(of_causes), event->cause);
    if (kind == 0 && event->kind == HOLDEN_event_kind_STATE)
        kind = lookup(of_states, ARRAY_SIZE(of_states), event->state);
    return kind == 0 ? CATALOG_NONE : (enum catalog_kind)(kind - 1);
}
