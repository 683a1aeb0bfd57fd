#include "hazard.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCORE_FILE "/proc/self/oom_score_adj"
#define SCORE_TEXT "321"

/* The child's arguments are many times its memory; one string may have 128 KiB (execve(2)). */
enum { ARGUMENT_SIZE = 100000, ARGUMENT_COUNT = 15 };
#define SMALL_MEMORY "262144"

static const char *const way_names[HAZARD_WAYS] = {
    [HAZARD_COPY] = "copy",
    [HAZARD_VFORK] = "CLONE_VM|CLONE_VFORK",
    [HAZARD_SHARE] = "CLONE_VM",
};

const char *hazard_way_name(enum hazard_way way) {
    return way_names[way];
}

int hazard_score_written(void) {
    return atoi(SCORE_TEXT);
}

static void write_score(const void *argument) {
    (void)argument;
    long fd = launch_raw(SYS_open, (long)SCORE_FILE, O_WRONLY, 0);
    long length = (long)strlen(SCORE_TEXT);
    launch_raw_exit(launch_raw(SYS_write, fd, (long)SCORE_TEXT, length) == length ? 0 : 1);
}

static int read_number(int directory, const char *file, const char *key, long *number) {
    char text[512];
    _cleanup_close_ int fd = openat(directory, file, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (length < 0)
        return -errno;
    text[length] = '\0';
    const char *found = strstr(text, key);
    if (!found)
        return -ENOENT;
    *number = strtol(found + strlen(key), NULL, 10);
    return 0;
}

static int run_writer(enum hazard_way way, void *stack) {
    struct launch_child child = {.pidfd = -1};
    if (way != HAZARD_COPY) {
        int r = launch_entry(way == HAZARD_VFORK ? CLONE_VFORK : 0, -1, write_score, NULL, stack,
                             &child);
        return r < 0 ? r : launch_finish(&child);
    }
    int status;
    pid_t pid = fork();
    if (pid == 0)
        write_score(NULL);
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return -errno;
    return status == 0 ? 0 : -EPROTO;
}

static int compare_scores(enum hazard_way way, struct hazard_score *score) {
    _cleanup_free_ void *stack = malloc(LAUNCH_STACK_SIZE);
    long before = 0;
    long after = 0;
    int r = stack ? read_number(AT_FDCWD, SCORE_FILE, "", &before) : -ENOMEM;
    if (r == 0)
        r = run_writer(way, stack);
    if (r == 0)
        r = read_number(AT_FDCWD, SCORE_FILE, "", &after);
    if (r == 0)
        *score = (struct hazard_score){.before = (int)before, .after = (int)after};
    return r;
}

static int collect(pid_t pid, int *status) {
    return waitpid(pid, status, 0) < 0 ? -errno : 0;
}

int hazard_score(enum hazard_way way, struct hazard_score *score) {
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0) {
        struct hazard_score found;
        bool good = compare_scores(way, &found) == 0;
        _exit(good && write(pair[1], &found, sizeof(found)) == sizeof(found) ? 0 : 1);
    }
    int status = 1;
    int r = pid < 0 ? -errno : collect(pid, &status);
    if (r == 0)
        r = status == 0 && read(pair[0], score, sizeof(*score)) == sizeof(*score) ? 0 : -EPROTO;
    close(pair[0]);
    close(pair[1]);
    return r;
}

static int start_in(enum hazard_way way, const struct launch_plan *plan, void *stack,
                    struct launch_child *child) {
    if (way == HAZARD_COPY)
        return launch_copy(plan, child);
    return (way == HAZARD_VFORK ? launch_vfork : launch_share)(plan, stack, child);
}

/* In the sacrificial process. Exit status: 0 the child lived, 1 killed, 2 it was never started. */
static int starve_child(enum hazard_way way, int cgroup_fd) {
    char program[] = "/bin/true";
    char *argv[ARGUMENT_COUNT + 2] = {program};
    char *envp[] = {NULL};
    struct launch_plan plan = {program, argv, envp, cgroup_fd};
    struct launch_child child = {.pidfd = -1};
    struct launch_end end;
    void *stack = malloc(LAUNCH_STACK_SIZE);
    char *argument = malloc(ARGUMENT_SIZE);
    if (!stack || !argument)
        return 2;
    memset(argument, 'x', ARGUMENT_SIZE - 1);
    argument[ARGUMENT_SIZE - 1] = '\0';
    for (size_t i = 1; i <= ARGUMENT_COUNT; i++)
        argv[i] = argument;
    if (start_in(way, &plan, stack, &child) < 0 || launch_poll(child.pidfd) < 0 ||
        launch_reap(child.pidfd, &end) < 0)
        return 2;
    return end.code == CLD_KILLED && end.status == SIGKILL ? 1 : 0;
}

static int watch_starving(enum hazard_way way, int leaf, struct hazard_oom *oom) {
    if (scratch_write(leaf, "memory.max", SMALL_MEMORY) < 0)
        return -EOPNOTSUPP;
    scratch_write(leaf, "memory.swap.max", "0"); /* missing without swap accounting */
    pid_t pid = fork();
    if (pid == 0)
        _exit(starve_child(way, leaf));
    int status = 0;
    int r = pid < 0 ? -errno : collect(pid, &status);
    if (r < 0)
        return r;
    oom->parent_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    oom->child_killed = oom->parent_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 1);
    if (!oom->parent_killed && (!WIFEXITED(status) || WEXITSTATUS(status) > 1))
        return -EPROTO;
    return read_number(leaf, "memory.events", "oom_kill ", &oom->kills);
}

int hazard_oom(const struct scratch *scratch, enum hazard_way way, struct hazard_oom *oom) {
    static const char leaf_name[] = "starving";
    struct hazard_oom found = {0};
    int leaf = -1;
    int r = scratch_leaf_make(scratch, leaf_name, &leaf);
    if (r < 0)
        return r;
    r = watch_starving(way, leaf, &found);
    close(leaf);
    int removed = scratch_leaf_remove(scratch, leaf_name);
    if (r == 0 && removed == 0)
        *oom = found;
    return r < 0 ? r : removed;
}
