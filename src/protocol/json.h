/* Any decoded record as JSON, by its table: members by their names on the wire, enumerations by
 * their words, properties by systemd's names. */
#pragma once

#include "protocol/codec.h"

/* Appends `message` as one JSON object without a newline. Absent fields are left out; repeated
 * ones are arrays. Bytes that are not UTF-8 become U+FFFD. U64_MAX is written as it is: numbers
 * stay numbers. 0 or -ENOMEM. */
int holden_json(const struct holden_record *record, const void *message, struct buffer *out);

/* Appends the text as a JSON string, with its quotes. 0 or -ENOMEM. */
int holden_json_string(struct holden_view text, struct buffer *out);

/* Whether all bytes of the text are UTF-8 (Unicode 15, table 3-7). */
bool holden_json_is_utf8(struct holden_view text);
