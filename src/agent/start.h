/* A START: from the decoded request to a new process in the table. */
#pragma once

#include "agent/request.h"

/* Makes the process that the request asks for, checked in full: name, command, bounds of every
 * property. 0 with *out, in state STARTING and not yet launched; or refused with *failure filled.
 */
int start_make(struct request *request, struct process **out, struct failure *failure);

/* Holds every property against the bounds of its row, and what one value alone can get wrong. 0; or
 * refused with *failure filled. */
int start_check_properties(const struct holden_properties *properties, struct failure *failure);
