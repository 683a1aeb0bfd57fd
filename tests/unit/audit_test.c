/* The reading of audit messages, from a socket pair in place of the kernel's. */
#include "agent/audit.h"

#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "suite.h"

struct kernel {
    struct audit audit;
    int end;
};

static void begin(struct kernel *kernel) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    *kernel = (struct kernel){.audit = {.fd = ends[0]}, .end = ends[1]};
}

static void end(struct kernel *kernel) {
    audit_close(&kernel->audit);
    assert_int_equal(kernel->audit.fd, -1);
    close(kernel->end);
}

static void say(struct kernel *kernel, uint16_t type, const char *text) {
    struct {
        struct nlmsghdr header;
        char text[512];
    } message = {.header = {.nlmsg_type = type}};
    size_t size = strlen(text);
    assert_true(size < sizeof(message.text));
    memcpy(message.text, text, size);
    assert_true(send(kernel->end, &message, NLMSG_HDRLEN + size, 0) > 0);
}

static void say_call(struct kernel *kernel, int pid, int call) {
    char text[256];
    snprintf(text, sizeof(text),
             "audit(1700000000.123:45): auid=4294967295 uid=0 gid=0 ses=4294967295 subj=unconfined "
             "pid=%d "
             "comm=\"a\" exe=\"/usr/bin/a\" sig=31 arch=c000003e syscall=%d compat=0 ip=0x7f "
             "code=0x80000000",
             pid, call);
    say(kernel, AUDIT_SECCOMP, text);
}

TEST(each_is_told_once) {
    struct kernel kernel;
    begin(&kernel);
    say_call(&kernel, 10, 59);
    say_call(&kernel, 11, 60);
    assert_int_equal(audit_call_of(&kernel.audit, 11), 60);
    assert_int_equal(audit_call_of(&kernel.audit, 10), 59);
    assert_int_equal(audit_call_of(&kernel.audit, 10), -1);
    assert_int_equal(audit_call_of(&kernel.audit, 12), -1);
    say_call(&kernel, 12, 0);
    assert_int_equal(audit_call_of(&kernel.audit, 12), 0);
    end(&kernel);
}

TEST(nobody_has_pid_0) {
    struct kernel kernel;
    begin(&kernel);
    assert_int_equal(audit_call_of(&kernel.audit, 0), -1);
    assert_int_equal(audit_call_of(&kernel.audit, -1), -1);
    end(&kernel);
}

TEST(other_messages_are_passed_over) {
    static const char *const others[] = {
        "",
        "audit(1:2):",
        "audit(1:2): pid=10",
        "audit(1:2): pid=10 sig=31",
        "audit(1:2): sig=31 syscall=3",
        "audit(1:2): ppid=10 sig=31 syscall=3",
        "audit(1:2): pid=10 syscall=3 sig=31",
    };
    struct kernel kernel;
    begin(&kernel);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        say(&kernel, AUDIT_SECCOMP, others[i]);
    say(&kernel, AUDIT_SYSCALL, "audit(1:2): pid=10 sig=31 syscall=3");
    assert_true(send(kernel.end, "x", 1, 0) > 0);
    assert_int_equal(audit_call_of(&kernel.audit, 10), -1);
    say_call(&kernel, 10, 7);
    assert_int_equal(audit_call_of(&kernel.audit, 10), 7);
    end(&kernel);
}

TEST(the_last_are_kept) {
    struct kernel kernel;
    begin(&kernel);
    for (int pid = 1; pid <= AUDIT_KEPT + 5; pid++) {
        say_call(&kernel, pid, 1000 + pid);
        if (pid % 8 == 0) /* the socket's own buffer holds few */
            assert_int_equal(audit_call_of(&kernel.audit, 99999), -1);
    }
    assert_int_equal(audit_call_of(&kernel.audit, 5), -1);
    for (int pid = 6; pid <= AUDIT_KEPT + 5; pid++)
        assert_int_equal(audit_call_of(&kernel.audit, pid), 1000 + pid);
    end(&kernel);
}

/* A pid that was given out again: the newer call is the one that is meant. */
TEST(the_newest_of_a_pid) {
    struct kernel kernel;
    begin(&kernel);
    say_call(&kernel, 10, 1);
    say_call(&kernel, 10, 2);
    assert_int_equal(audit_call_of(&kernel.audit, 10), 2);
    end(&kernel);
}

TEST(a_message_longer_than_the_room) {
    static char longest[16000];
    struct kernel kernel;
    begin(&kernel);
    memset(longest, 'x', sizeof(longest));
    struct nlmsghdr header = {.nlmsg_type = AUDIT_SECCOMP};
    memcpy(longest, &header, sizeof(header));
    assert_true(send(kernel.end, longest, sizeof(longest), 0) > 0);
    assert_int_equal(audit_call_of(&kernel.audit, 10), -1);
    end(&kernel);
}

TEST(without_a_socket_nothing_is_known) {
    struct audit audit = {.fd = -1};
    assert_int_equal(audit_call_of(&audit, 10), -1);
    audit_close(&audit);
}

TEST(opened_or_not_it_can_be_asked) {
    struct audit audit;
    audit_open(&audit);
    assert_int_equal(audit_call_of(&audit, 1), -1);
    audit_close(&audit);
    assert_int_equal(audit.fd, -1);
}

UNIT_MAIN
