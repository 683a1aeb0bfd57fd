/* The slice of each user other than root, user-UID.slice, in which all that the user starts is, and
 * what the configuration says that all of it together may take. */
#pragma once

#include "agent/slice.h"

/* Room for the name of one. */
enum { USER_SLICE_NAME = 32 };

/* The slice of that user's processes. */
void user_slice_name(uid_t uid, char name[USER_SLICE_NAME]);

/* The limits that the configuration gives the slice; none where it is no user's. */
void user_slice_limits(const struct slice *slice, struct holden_properties *limits);

/* Whether the user's slice has room for the process that has just been counted in it. 0; or refused
 * with *failure filled. A slice that is no user's, or NULL, has room. */
int user_slice_check(const struct slice *slice, struct failure *failure);

/* What of the limits for users cannot be in force on this machine, in words with the remedy; or
 * refused with *failure filled. 0: all can. */
int user_slice_possible(const struct agent *agent, struct failure *failure);
