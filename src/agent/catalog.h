/* The kinds of entries that the agent writes to the journal, from catalog.def. */
#pragma once

#include <stddef.h>

#include "protocol/message.h"

enum catalog_kind {
#define CATALOG(kind, id, level, subject, text) CATALOG_##kind,
#include "agent/catalog.def"
    CATALOG_KINDS,
    CATALOG_NONE = CATALOG_KINDS /* there is no entry */
};

struct catalog_entry {
    const char *id;      /* MESSAGE_ID=, 32 hexadecimal digits */
    int level;           /* PRIORITY=, syslog(3) */
    const char *subject; /* with @FIELD@ for fields of the entry */
    const char *text;    /* what it means, and what to do; likewise */
};

/* Its row of the table. Static. */
const struct catalog_entry *catalog_entry(enum catalog_kind kind);

/* The kind of entry that an event is; CATALOG_NONE for what follows from another, such as the
 * beginning of a start. */
enum catalog_kind catalog_of(const struct holden_event *event);
