#include "agent/group.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

struct answer {
    int error;
    gid_t gid;
    struct group_user user;
};
_Static_assert(sizeof(struct answer) <= 4096, "a pipe takes it in one piece");

typedef void ask_call(const char *name, struct answer *answer);

/* Whether getgrnam(3) or its like has failed, rather than found none: for that, sources that are
 * not there give all kinds of errors. */
static bool has_failed(int error) {
    static const int errors[] = {EINTR, EIO, EMFILE, ENFILE, ENOMEM, ERANGE};
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
        if (errors[i] == error)
            return true;
    return false;
}

static void ask_group(const char *name, struct answer *answer) {
    errno = 0;
    const struct group *group = getgrnam(name);
    if (group)
        answer->gid = group->gr_gid;
    else
        answer->error = has_failed(errno) ? errno : ENOENT;
}

static void ask_user(const char *name, struct answer *answer) {
    char *end;
    unsigned long number = strtoul(name, &end, 10);
    bool numeric = *end == '\0' && end != name && number < UINT32_MAX;
    int count = GROUP_USER_MOST;
    errno = 0;
    const struct passwd *entry = numeric ? getpwuid((uid_t)number) : getpwnam(name);
    if (!entry) {
        answer->error = has_failed(errno) ? errno : ENOENT;
        return;
    }
    answer->user.uid = entry->pw_uid;
    answer->user.gid = entry->pw_gid;
    snprintf(answer->user.name, GROUP_TEXT_MOST, "%s", entry->pw_name);
    snprintf(answer->user.home, GROUP_TEXT_MOST, "%s", entry->pw_dir);
    snprintf(answer->user.shell, GROUP_TEXT_MOST, "%s", entry->pw_shell);
    if (getgrouplist(entry->pw_name, entry->pw_gid, answer->user.groups, &count) < 0)
        answer->error = E2BIG;
    else
        answer->user.count = (size_t)count;
}

static _Noreturn void ask(ask_call *call, const char *name, int end) {
    struct answer answer = {0};
    call(name, &answer);
    _exit(write(end, &answer, sizeof(answer)) == sizeof(answer) ? 0 : 1);
}

/* One that dies before it has answered has been killed for want of memory. */
static int take_answer(int end, struct answer *answer) {
    ssize_t size;
    do
        size = read(end, answer, sizeof(*answer));
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return -errno;
    return size != sizeof(*answer) ? -ENOMEM : -answer->error;
}

/* Asked in a child, since the name service loads libraries that would stay in the agent's memory
 * for good. */
static int find(ask_call *call, const char *name, struct answer *answer) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t child = fork();
    int r = child < 0 ? -errno : 0;
    if (child == 0)
        ask(call, name, ends[1]);
    close(ends[1]);
    if (child > 0)
        r = take_answer(ends[0], answer);
    close(ends[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return r;
}

int group_find(const char *name, gid_t *gid) {
    struct answer answer;
    int r = find(ask_group, name, &answer);
    if (r == 0)
        *gid = answer.gid;
    return r;
}

int group_find_user(const char *name, struct group_user *user) {
    struct answer answer;
    int r = find(ask_user, name, &answer);
    if (r == 0)
        *user = answer.user;
    return r;
}
