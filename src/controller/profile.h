/* OCI seccomp profiles, the JSON that Podman and Docker use (containers-seccomp.json(5)): read,
 * their conditions resolved against the process that they are for, and turned into what the agent
 * takes. */
#pragma once

#include "controller/settings.h"

/* Reads the file of SeccompProfile=, where one is set. 0; or a negative error with settings->wrong
 * set: the file and the place in it. Members that only annotate are passed over; what would weaken
 * the profile if it were ignored is refused; the rest is warned about on stderr. */
int profile_finish(struct settings *settings);

/* The same for a profile's text; `name` is what messages call it. */
int profile_parse(struct settings *settings, const char *name, struct holden_view text);
