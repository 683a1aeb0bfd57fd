#include "agent/group.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

enum { UNTOUCHED = 4711 };

TEST(a_group_that_is_there_is_found) {
    gid_t gid = UNTOUCHED;
    const struct group *own = getgrgid(getgid());
    if (!own)
        skip();
    assert_int_equal(group_find(own->gr_name, &gid), 0);
    assert_int_equal(gid, getgid());
}

TEST(one_that_is_not_there_is_told_from_failures) {
    gid_t gid = UNTOUCHED;
    assert_int_equal(group_find("no-such-group-here", &gid), -ENOENT);
    assert_int_equal(group_find("", &gid), -ENOENT);
    assert_int_equal(gid, UNTOUCHED);
}

TEST(a_user_with_all_of_its_groups) {
    struct group_user by_name, by_number = {.uid = UNTOUCHED};
    assert_int_equal(group_find_user("root", &by_name), 0);
    assert_int_equal(by_name.uid, 0);
    assert_int_equal(by_name.gid, 0);
    assert_true(by_name.count >= 1);
    assert_int_equal(group_find_user("0", &by_number), 0);
    assert_int_equal(by_number.uid, 0);
    assert_int_equal(by_number.count, by_name.count);
    assert_int_equal(group_find_user("no-such-user-here", &by_number), -ENOENT);
    assert_int_equal(group_find_user("4294967295", &by_number), -ENOENT);
    assert_int_equal(group_find_user("", &by_number), -ENOENT);
}

/* What comes of it in a child that can still open `spare` descriptors, and whose system call
 * `refused`, unless it is negative, ends with ENOMEM. */
static int find_without(int spare, int refused) {
    pid_t child = fork();
    if (child == 0) {
        gid_t gid = UNTOUCHED;
        int next = dup(STDERR_FILENO);
        const struct rlimit limit = {(rlim_t)(next + spare), (rlim_t)(next + spare)};
        close(next);
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        if (refused >= 0)
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOMEM), refused, 0);
        if (seccomp_load(filter) < 0)
            _exit(1);
        setrlimit(RLIMIT_NOFILE, &limit);
        int r = group_find("root", &gid);
        _exit(gid == UNTOUCHED ? -r : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

TEST(what_it_lacks_is_a_failure_and_not_the_lack_of_a_group) {
    assert_int_equal(find_without(1, -1), -EMFILE); /* no pipe */
    assert_int_equal(find_without(2, -1), -EMFILE); /* the child cannot read the list */
    assert_int_equal(find_without(16, SCMP_SYS(clone)), -ENOMEM);
    assert_int_equal(find_without(16, SCMP_SYS(openat)), -ENOMEM);
    assert_int_equal(find_without(16, SCMP_SYS(write)), -ENOMEM);
}

UNIT_MAIN
