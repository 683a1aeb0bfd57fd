/* What the agent proper takes from itself before it serves anybody: capabilities that it has no
 * use for, rights by exec, and system calls. What it starts is the keeper's child and is not
 * touched. */
#pragma once

/* Sets no_new_privs (prctl(2)); keeps, of the capabilities that it has, those of confine.def; and
 * installs a filter to which all other system calls are unknown ones, ENOSYS (seccomp(2)). 0, or
 * -errno after a line in the log: then the agent is not to go on. */
int confine_self(void);
