/* What a user leaves behind in System V IPC and POSIX shared memory and message queues. */
#pragma once

#include <sys/types.h>

/* Removes what belongs to the user: semaphores, message queues, shared memory that nobody is
 * attached to, and what is theirs in /dev/shm and /dev/mqueue (RemoveIPC=, systemd.exec(5)). Of
 * much, a process of its own removes the rest. Nothing for root. */
void ipc_remove(uid_t uid);
