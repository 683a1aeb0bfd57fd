/* The lists of names that several properties are made of (record `names`): some to allow, some,
 * with a leading ~, to take away. */
#pragma once

#include "protocol/message.h"

/* Takes the next list off the field into *list, whose views are those of the field. 1; 0 at the
 * end; -EBADMSG where it does not decode, which the codec never lets pass. */
int names_next(struct holden_repeated *lists, struct holden_names *list);

/* Takes the next name off the list as a string, cut at the space. False at the end. */
bool names_take(struct holden_names *list, char *name, size_t space);

/* The error that belongs to the name just taken, as the record `names` has it: HOLDEN_CALL_USUAL
 * where the list has none. To be called once for each name. */
uint32_t names_take_error(struct holden_names *list);

/* Whether the list was written with a leading ~. */
bool names_inverted(const struct holden_names *list);
