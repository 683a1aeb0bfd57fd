#include "agent/network.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

#define TITLES                                                                                    \
    "Inter-|   Receive                                                |  Transmit\n"              \
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"

TEST(all_interfaces_but_lo_are_added_up) {
    uint64_t received, sent;
    network_sum(TITLES "    lo: 7777 5 0 0 0 0 0 0 8888 5 0 0 0 0 0 0\n"
                       "  eth0: 1000 9 0 0 0 0 0 1 200 3 0 0 0 0 0 0\n"
                       "veth1:18446744073709550000 9 0 0 0 0 0 1 3 3 0 0 0 0 0 0",
                &received, &sent);
    assert_int_equal(received, UINT64_C(18446744073709551000));
    assert_int_equal(sent, 203);
    network_sum(TITLES, &received, &sent);
    assert_int_equal(received + sent, 0);
    network_sum("", &received, &sent);
    assert_int_equal(received + sent, 0);
    network_sum("eth0: 5\neth1\n: \n", &received, &sent);
    assert_int_equal(received + sent, 0);
}

TEST(whose_namespace_it_is) {
    uint64_t received = 1, sent = 1;
    int fds[2];
    char byte;
    assert_false(network_is_own(getpid()));
    assert_false(network_is_own(0));
    if (geteuid() != 0)
        skip();
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWNET) < 0 || write(fds[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_true(network_is_own(pid));
    assert_int_equal(network_read(pid, &received, &sent), 0);
    assert_int_equal(received + sent, 0);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(network_read(pid, &received, &sent) < 0);
    close(fds[0]);
    close(fds[1]);
}

UNIT_MAIN
