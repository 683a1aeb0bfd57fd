/* OCI seccomp profiles (the runtime specification's linux.seccomp), in their decoded form, turned
 * into libseccomp's rules. */
#pragma once

#include <seccomp.h>

#include "daemon/failure.h"

/* Makes the filter that the profile describes, read as runc and crun read it: calls that libseccomp
 * does not know are passed over, since profiles list those of all architectures; so are rules with
 * the profile's default action; several conditions on the same argument are alternatives, on
 * different ones all must hold; of rules that contradict each other the first holds, and one
 * without conditions over those with them. 0 with *filter, released by seccomp_release(3); or
 * refused with *failure filled: an unknown architecture, a rule that libseccomp does not take, too
 * many rules, or execve(2) forbidden without a condition. */
int profile_compile(const struct holden_seccomp_profile *profile, scmp_filter_ctx *filter,
                    struct failure *failure);
