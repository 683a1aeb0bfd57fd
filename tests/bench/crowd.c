#include "crowd.h"

#include "common/cleanup.h"
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FDS_SPARE = 64 };

static int allow_fds(size_t count) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    if (limit.rlim_cur >= count)
        return 0;
    limit.rlim_cur = count;
    if (limit.rlim_max < count)
        limit.rlim_max = count;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

int crowd_fds_open(size_t count, struct crowd_fds *fds) {
    _cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int r = null < 0 ? -errno : allow_fds(count + FDS_SPARE);
    if (r < 0)
        return r;
    struct crowd_fds opened = {.fds = calloc(count, sizeof(int))};
    if (!opened.fds)
        return -ENOMEM;
    for (; opened.count < count; opened.count++) {
        opened.fds[opened.count] = fcntl(null, F_DUPFD_CLOEXEC, 0);
        if (opened.fds[opened.count] < 0) {
            r = -errno;
            crowd_fds_close(&opened);
            return r;
        }
    }
    *fds = opened;
    return 0;
}

void crowd_fds_close(struct crowd_fds *fds) {
    for (size_t i = 0; i < fds->count; i++)
        close(fds->fds[i]);
    free(fds->fds);
    *fds = (struct crowd_fds){0};
}

static int start_sleepers(size_t count, const struct launch_plan *plan, void *stack,
                          struct crowd_sleepers *sleepers) {
    for (size_t i = 0; i < count; i++) {
        struct launch_child child;
        int r = launch_vfork(plan, stack, &child);
        if (r < 0)
            return r;
        close(child.pidfd);
        sleepers->pids[sleepers->count++] = child.pid;
    }
    return 0;
}

int crowd_sleepers_start(size_t count, int cgroup_fd, struct crowd_sleepers *sleepers) {
    char name[] = "sleeper";
    char option[] = CROWD_SLEEP_OPTION;
    char *argv[] = {name, option, NULL};
    char *envp[] = {NULL};
    struct launch_plan plan = {"/proc/self/exe", argv, envp, cgroup_fd};
    _cleanup_free_ void *stack = malloc(LAUNCH_STACK_SIZE);
    *sleepers = (struct crowd_sleepers){.pids = calloc(count, sizeof(pid_t))};
    if (!stack || !sleepers->pids)
        return -ENOMEM;
    return start_sleepers(count, &plan, stack, sleepers);
}

void crowd_sleepers_reap(struct crowd_sleepers *sleepers) {
    for (size_t i = 0; i < sleepers->count; i++)
        waitpid(sleepers->pids[i], NULL, 0);
    free(sleepers->pids);
    *sleepers = (struct crowd_sleepers){0};
}

_Noreturn void crowd_sleep(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
}

int crowd_memory_touch(size_t size, struct crowd_memory *memory) {
    void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED)
        return -errno;
    /* Huge pages would make a copy of the page tables look cheaper than a heap's usually is. */
    madvise(address, size, MADV_NOHUGEPAGE);
    memset(address, 1, size);
    *memory = (struct crowd_memory){.address = address, .size = size};
    return 0;
}

void crowd_memory_free(struct crowd_memory *memory) {
    if (memory->address)
        munmap(memory->address, memory->size);
    *memory = (struct crowd_memory){0};
}
