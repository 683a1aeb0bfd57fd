/* The records and messages of the tables by number, for targets whose first byte picks one. */
#pragma once

#include "protocol/message.h"

/* The record or message with that number, counted from 0, records first; NULL past the last. */
static inline const struct holden_record *record_at(size_t index) {
    size_t records;
    size_t messages;
    const struct holden_record *const *record = holden_records(&records);
    const struct holden_message_row *row = holden_messages(&messages);
    if (index < records)
        return record[index];
    return index - records < messages ? row[index - records].record : NULL;
}

/* How many there are. */
static inline size_t record_count(void) {
    size_t records;
    size_t messages;
    holden_records(&records);
    holden_messages(&messages);
    return records + messages;
}

/* Room for any decoded record; message.c asserts that it is enough. */
union record_space {
    uint64_t align;
    uint8_t bytes[4096];
};
