#include "agent/group.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

struct answer {
    int error;
    gid_t gid;
};

/* Whether getgrnam(3) has failed, rather than found none: for that, sources that are not there give
 * all kinds of errors. */
static bool has_failed(int error) {
    static const int errors[] = {EINTR, EIO, EMFILE, ENFILE, ENOMEM, ERANGE};
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
        if (errors[i] == error)
            return true;
    return false;
}

static _Noreturn void ask(const char *name, int end) {
    struct answer answer = {0};
    errno = 0;
    const struct group *group = getgrnam(name);
    if (group)
        answer.gid = group->gr_gid;
    else
        answer.error = has_failed(errno) ? errno : ENOENT;
    _exit(write(end, &answer, sizeof(answer)) == sizeof(answer) ? 0 : 1);
}

/* One that dies before it has answered has been killed for want of memory. */
static int take_answer(int end, gid_t *gid) {
    struct answer answer;
    ssize_t size;
    do
        size = read(end, &answer, sizeof(answer));
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return -errno;
    if (size != sizeof(answer))
        return -ENOMEM;
    if (answer.error == 0)
        *gid = answer.gid;
    return -answer.error;
}

/* Asked in a child, since the name service loads libraries that would stay in the agent's memory
 * for good. */
int group_find(const char *name, gid_t *gid) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t child = fork();
    int r = child < 0 ? -errno : 0;
    if (child == 0)
        ask(name, ends[1]);
    close(ends[1]);
    if (child > 0)
        r = take_answer(ends[0], gid);
    close(ends[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return r;
}
