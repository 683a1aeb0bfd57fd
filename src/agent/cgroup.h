/* Control groups (cgroups(7), Documentation/admin-guide/cgroup-v2): the one that the agent divides,
 * and one below it for each process. All paths are relative to descriptors of cgroupfs. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/buffer.h"
#include "daemon/failure.h"
#include "protocol/message.h"

enum cgroup_controller {
    CGROUP_CPU = 1 << HOLDEN_controller_CPU,
    CGROUP_CPUSET = 1 << HOLDEN_controller_CPUSET,
    CGROUP_MEMORY = 1 << HOLDEN_controller_MEMORY,
    CGROUP_PIDS = 1 << HOLDEN_controller_PIDS,
    CGROUP_IO = 1 << HOLDEN_controller_IO,
    CGROUP_ALL = CGROUP_CPU | CGROUP_CPUSET | CGROUP_MEMORY | CGROUP_PIDS | CGROUP_IO,
};

struct hierarchy {
    int root;                /* the cgroup that is divided; owned */
    char *path;              /* owned: its path in the file system */
    char *mount;             /* owned: where cgroup2 is mounted; NULL where it is not */
    bool made;               /* made by the agent, so removed at its end */
    bool hybrid;             /* controllers are held by cgroup v1 */
    unsigned controllers;    /* enum cgroup_controller bits: what processes' cgroups have */
    unsigned offered;        /* what the mount's own root has */
    unsigned disabled;       /* in a slice's view of it: by DisableControllers= (slice.h) */
};

/* Finds the cgroup2 mount, opens or makes the cgroup to divide (`path` as given on the command
 * line, or NULL: the agent's own where it is not the root, else /holden), moves the agent and the
 * keeper to its leaf "agent" where they sit in it, and enables every controller for the cgroups
 * below. Controllers that cannot be had are no failure. Where `keeper` is 0, this is only to look:
 * nobody is moved. 0; or refused with *failure filled. Released by hierarchy_close(). */
int hierarchy_open(struct hierarchy *hierarchy, const char *path, pid_t keeper,
                   struct failure *failure);

/* Closes it; removes the cgroup where the agent made it and it is empty. `remove` says whether the
 * agent ends for good. */
void hierarchy_close(struct hierarchy *hierarchy, bool remove);

/* Enables, for the cgroups below `directory`, every controller that it has but `disabled`, and
 * disables those. One that cannot be had does not cost the others. */
void hierarchy_enable(int directory, unsigned disabled);

/* The words for one controller bit: "memory". Static. */
const char *cgroup_controller_name(unsigned controller);

/* The directory name of a process's cgroup: "ID-NAME", into `name` of `space` bytes. */
void cgroup_name(uint64_t id, const char *process, char *name, size_t space);

/* mkdir(2) of a cgroup that everybody may look into, whatever the umask: programs of any user read
 * their own limits there. 0 or -errno. */
int cgroup_mkdir(int parent, const char *name);

/* Makes the cgroup and opens it. 0 with *directory, owned by the caller; -EEXIST; -errno. */
int cgroup_make(const struct hierarchy *hierarchy, const char *name, int *directory);

/* Opens an existing one. 0 with *directory, owned by the caller; -ENOENT; -errno. */
int cgroup_open(const struct hierarchy *hierarchy, const char *name, int *directory);

/* Ends every process of the cgroup and of those below it at once (cgroup.kill; before Linux 5.14, a
 * SIGKILL for each through a pidfd). 0 or -errno. */
int cgroup_kill(int directory);

/* Appends the pids of all processes of the cgroup and of those below, as pid_t. 0, or the first
 * error of the kernel's, where some may be missing. */
int cgroup_pids(int directory, struct buffer *pids);

/* Whether the cgroup or one below holds the process now. Otherwise as cgroup_lists(). */
bool cgroup_holds(int directory, pid_t pid);

/* Whether the cgroup itself, not one below it, holds the process now. Asked after a pidfd of the
 * process was opened, it proves whose process that is. False also where it cannot be told. */
bool cgroup_lists(int directory, pid_t pid);

/* Calls `visit` for every process of the cgroup and of those below it, with a pidfd that was proven
 * to be of this cgroup after it was opened, and is closed afterwards. A visit's failure ends that
 * cgroup's part; the first failure is returned. 0; what a visit returned; or -errno. */
int cgroup_each(int directory, int (*visit)(pid_t pid, int pidfd, void *data), void *data);

/* Sends `signal` to every process of the cgroup and of those below it, each through a pidfd that
 * was proven to be of this cgroup after it was opened; `except` is left out (0: nobody). 0 or
 * -errno. */
int cgroup_signal(int directory, int signal, pid_t except);

/* Freezes or thaws the cgroup and those below it (cgroup.freeze). 0 or -errno. */
int cgroup_freeze(int directory, bool frozen);

/* Whether any process is left in it or below; true also where that cannot be told. */
bool cgroup_populated(int directory);

/* Removes the cgroup and those below it. 0; -EBUSY while processes are left; -ENOENT; -errno. */
int cgroup_remove(const struct hierarchy *hierarchy, const char *name);

/* The value of `key` in a flat keyed file ("oom_kill 3") read into `text`. False where it has none.
 */
bool cgroup_key(const char *text, const char *key, uint64_t *value);

/* Reads a file that holds one number ("max" is UINT64_MAX). 0 or -errno. */
int cgroup_read_number(int directory, const char *file, uint64_t *value);
