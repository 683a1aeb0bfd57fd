/* Deeds that properties forbid, judged by the kernel and by program_run(). */
#include "agent/restrict.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "agent/filter.h"
#include "judge.h"
#include "settings.h"
#include "suite.h"

#define SET(member, value) HOLDEN_SET(&properties.all, properties, member, value)

/* The cache is a test's own. */
static struct filters filters;

static const struct program *program_for(const struct holden_properties *properties) {
    struct wire wire = {0};
    struct filter *filter = NULL;
    struct failure failure = {0};
    int r = filter_get(&filters, wire_pass(&wire, properties), &filter, &failure);
    if (r < 0)
        fail_msg("refused: %s: %s", failure.step, failure.text);
    wire_free(&wire);
    assert_non_null(filter);
    return &filter->program;
}

/* What the program says to the native call. */
static uint32_t says(const struct program *program, int call, uint64_t a, uint64_t b, uint64_t c,
                     uint64_t d) {
    const struct seccomp_data data = {
        .nr = call, .arch = AUDIT_ARCH_X86_64, .args = {a, b, c, d}};
    return program_run(program, &data, NULL);
}

#define REFUSES(error) (SECCOMP_RET_ERRNO | (error))

TEST(what_is_off_makes_no_filter) {
    struct properties properties = {0};
    struct filter *filter = (struct filter *)&properties;
    struct failure failure = {0};
    SET(restrict_realtime, false);
    SET(memory_deny_write_execute, false);
    assert_false(restrict_wanted(&properties.all));
    assert_int_equal(filter_get(&filters, &properties.all, &filter, &failure), 0);
    assert_null(filter);
    filters_free(&filters);
}

TEST(namespaces) {
    struct properties properties = {0};
    SET(restrict_namespaces, 0);
    const struct program *program = program_for(&properties.all);
    assert_int_equal(judge(program, CALL(unshare, CLONE_NEWUTS)), EPERM);
    assert_int_equal(judge(program, CALL(unshare, CLONE_FILES)), 0);
    assert_int_equal(judge(program, CALL(setns, -1, CLONE_NEWNET)), EPERM);
    assert_int_equal(judge(program, CALL(clone3, 0, 0)), ENOSYS);
    assert_int_equal(says(program, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0), REFUSES(EPERM));
    assert_int_equal(says(program, SYS_clone, SIGCHLD, 0, 0, 0), SECCOMP_RET_ALLOW);
    SET(restrict_namespaces, CLONE_NEWUTS | CLONE_NEWNET);
    program = program_for(&properties.all);
    assert_int_equal(says(program, SYS_unshare, CLONE_NEWUTS, 0, 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(says(program, SYS_unshare, CLONE_NEWUTS | CLONE_NEWIPC, 0, 0, 0),
                     REFUSES(EPERM));
    assert_int_equal(judge(program, CALL(setns, -1, CLONE_NEWNET)), EBADF);
    assert_int_equal(judge(program, CALL(setns, -1, CLONE_NEWNS)), EPERM);
    assert_int_equal(judge(program, CALL(setns, -1, 0)), EPERM);
    filters_free(&filters);
}

static void set_families(struct properties *properties, struct holden_families *set, bool inverted,
                         const uint32_t *list, uint32_t count) {
    *set = (struct holden_families){0};
    if (inverted)
        HOLDEN_SET(set, families, inverted, true);
    if (count)
        HOLDEN_SET(set, families, family, (struct holden_repeated){.count = count, .items = list});
    HOLDEN_SET(&properties->all, properties, restrict_address_families,
               (struct holden_nested){.value = set});
}

TEST(address_families) {
    static const uint32_t usual[] = {AF_INET6, AF_UNIX, AF_INET};
    struct properties properties = {0};
    struct holden_families set;
    set_families(&properties, &set, false, usual, 3);
    const struct program *program = program_for(&properties.all);
    assert_int_equal(judge(program, CALL(socket, AF_UNIX, SOCK_STREAM)), 0);
    for (uint32_t family = 0; family < AF_MAX + 3; family++)
        assert_int_equal(says(program, SYS_socket, family, 1, 0, 0),
                         family == AF_UNIX || family == AF_INET || family == AF_INET6
                             ? SECCOMP_RET_ALLOW : REFUSES(EAFNOSUPPORT));
    assert_int_equal(judge(program, CALL(io_uring_setup, 1, 0)), ENOSYS);
    set_families(&properties, &set, false, NULL, 0);
    assert_int_equal(judge(program_for(&properties.all), CALL(socket, AF_UNIX, SOCK_STREAM)),
                     EAFNOSUPPORT);
    set_families(&properties, &set, true, usual, 3);
    program = program_for(&properties.all);
    assert_int_equal(says(program, SYS_socket, AF_INET, 1, 0, 0), REFUSES(EAFNOSUPPORT));
    assert_int_equal(says(program, SYS_socket, AF_PACKET, 1, 0, 0), SECCOMP_RET_ALLOW);
    filters_free(&filters);
}

TEST(real_time) {
    struct properties properties = {0};
    SET(restrict_realtime, true);
    const struct program *program = program_for(&properties.all);
    for (unsigned policy = 0; policy < 9; policy++) {
        bool good = policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE;
        assert_int_equal(says(program, SYS_sched_setscheduler, 0, policy, 0, 0),
                         good ? SECCOMP_RET_ALLOW : REFUSES(EPERM));
    }
    assert_int_equal(judge(program, CALL(sched_setattr, 0, 0, 0)), EPERM);
    filters_free(&filters);
}

TEST(set_id_bits) {
    struct properties properties = {0};
    SET(restrict_suid_sgid, true);
    const struct program *program = program_for(&properties.all);
    assert_int_equal(judge(program, CALL(fchmod, -1, 04755)), EPERM);
    assert_int_equal(judge(program, CALL(fchmod, -1, 02755)), EPERM);
    assert_int_equal(judge(program, CALL(fchmod, -1, 0755)), EBADF);
    assert_int_equal(says(program, SYS_fchmodat, 0, 0, 06755, 0), REFUSES(EPERM));
    assert_int_equal(says(program, 452, 0, 0, 04755, 0), REFUSES(EPERM));
    assert_int_equal(says(program, SYS_openat, 0, 0, O_CREAT | O_RDWR, 04755), REFUSES(EPERM));
    assert_int_equal(says(program, SYS_openat, 0, 0, O_RDWR, 04755), SECCOMP_RET_ALLOW);
    assert_int_equal(says(program, SYS_openat, 0, 0, O_CREAT, 0644), SECCOMP_RET_ALLOW);
    assert_int_equal(says(program, SYS_mkdirat, 0, 0, 02755, 0), REFUSES(EPERM));
    assert_int_equal(says(program, SYS_mknod, 0, 02755, 0, 0), REFUSES(EPERM));
    assert_int_equal(says(program, SYS_openat2, 0, 0, 0, 0), REFUSES(ENOSYS));
    filters_free(&filters);
}

TEST(personality_and_memory) {
    struct properties properties = {0};
    SET(lock_personality, true);
    SET(memory_deny_write_execute, true);
    const struct program *program = program_for(&properties.all);
    assert_int_equal(judge(program, CALL(personality, 0x0008)), EPERM);
    assert_int_equal(judge(program, CALL(personality, 0)), 0);
    enum { PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS };
    assert_int_equal(judge(program, CALL(mmap, 0, 4096, PROT_WRITE | PROT_EXEC, PRIVATE)), EPERM);
    assert_int_equal(judge(program, CALL(mprotect, 0, 0, PROT_EXEC)), EPERM);
    assert_int_equal(judge(program, CALL(mprotect, 0, 0, PROT_READ)), 0);
    assert_int_equal(says(program, SYS_pkey_mprotect, 0, 0, PROT_EXEC, 0), REFUSES(EPERM));
    assert_int_equal(says(program, SYS_shmat, 0, 0, 0100000, 0), REFUSES(EPERM));
    assert_int_equal(says(program, SYS_shmat, 0, 0, 0, 0), SECCOMP_RET_ALLOW);
    filters_free(&filters);
}

/* Of two that forbid the stronger holds, and what both leave is allowed. */
TEST(restrictions_beside_a_filter) {
    struct properties properties = {0};
    SET(restrict_realtime, true);
    SET(restrict_namespaces, 0);
    properties_calls(&properties, LIST("@system-service"));
    const struct program *program = program_for(&properties.all);
    assert_int_equal(says(program, SYS_unshare, CLONE_NEWNS, 0, 0, 0), REFUSES(EPERM));
    assert_int_equal(says(program, SYS_mount, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(says(program, SYS_read, 0, 0, 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(judge(program, CALL(unshare, CLONE_NEWUTS)), EPERM);
    assert_int_equal(judge(program, CALL(mount)), -SIGSYS);
    properties_calls(&properties, LIST("~sched_setscheduler"));
    program = program_for(&properties.all);
    assert_int_equal(says(program, SYS_sched_setscheduler, 0, SCHED_FIFO, 0, 0),
                     SECCOMP_RET_KILL_PROCESS);
    filters_free(&filters);
}

#ifdef __x86_64__
/* i386 asks for sockets by one call whose arguments lie in memory: none is made by it. */
TEST(other_architectures) {
    static const uint32_t unix_only[] = {AF_UNIX};
    struct properties properties = {0};
    struct holden_families set;
    set_families(&properties, &set, false, unix_only, 1);
    SET(restrict_realtime, true);
    SET(memory_deny_write_execute, true);
    const struct program *program = program_for(&properties.all);
    struct seccomp_data data = {.nr = 102, .arch = AUDIT_ARCH_I386, .args = {1}};
    assert_int_equal(program_run(program, &data, NULL), REFUSES(EAFNOSUPPORT));
    data.args[0] = 2;
    assert_int_equal(program_run(program, &data, NULL), SECCOMP_RET_ALLOW);
    data.nr = 359;
    assert_int_equal(program_run(program, &data, NULL), REFUSES(EAFNOSUPPORT));
    data.args[0] = AF_UNIX;
    assert_int_equal(program_run(program, &data, NULL), SECCOMP_RET_ALLOW);
    data.nr = 90; /* mmap */
    assert_int_equal(program_run(program, &data, NULL), REFUSES(EPERM));
    assert_int_equal(says(program, 0x40000000 | SYS_sched_setscheduler, 0, SCHED_FIFO, 0, 0),
                     REFUSES(EPERM));
    assert_int_equal(says(program, 0x40000000 | SYS_getpid, 0, 0, 0, 0), SECCOMP_RET_ALLOW);
    /* Beside a list of calls, only the native one is left. */
    properties_calls(&properties, LIST("~ptrace"));
    program = program_for(&properties.all);
    assert_int_equal(program_run(program, &data, NULL), SECCOMP_RET_KILL_PROCESS);
    filters_free(&filters);
}
#endif

UNIT_MAIN
