/* Compiled filters, judged by the kernel. */
#include "agent/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "judge.h"
#include "settings.h"
#include "suite.h"

/* ---- asking for filters ---- */

static struct filter *filter_for(struct filters *filters,
                                 const struct holden_properties *properties) {
    struct wire wire = {0};
    struct filter *filter = NULL;
    struct failure failure = {0};
    int r = filter_get(filters, wire_pass(&wire, properties), &filter, &failure);
    if (r < 0)
        print_message("refused: %s: %s\n", failure.step, failure.text);
    assert_int_equal(r, 0);
    wire_free(&wire);
    return filter;
}

static void refused(const struct holden_properties *properties, const char *step,
                    const char *text) {
    struct filters filters = {0};
    struct wire wire = {0};
    struct filter *filter = (struct filter *)&filters;
    struct failure failure = {0};
    assert_int_equal(filter_get(&filters, wire_pass(&wire, properties), &filter, &failure),
                     -EREMOTEIO);
    assert_ptr_equal(filter, &filters);
    assert_string_equal(failure.step, step);
    if (!strstr(failure.text, text))
        fail_msg("'%s' does not say '%s'", failure.text, text);
    assert_int_equal(filters.count, 0);
    wire_free(&wire);
}

/* What the call comes to under the filter, or where that is NULL without one. */
static int outcome(const struct filter *filter, struct trial call) {
    return judge(filter ? &filter->program : NULL, call);
}

/* ---- SystemCallFilter ---- */

TEST(nothing_asked_nothing_made) {
    struct filters filters = {0};
    struct properties properties = {0};
    assert_null(filter_for(&filters, &properties.all));
    properties_error(&properties, EPERM);
    assert_null(filter_for(&filters, &properties.all));
    properties_calls(&properties, LIST("~"));
    assert_null(filter_for(&filters, &properties.all));
    properties_calls(&properties, LIST("read"), LIST(""));
    assert_null(filter_for(&filters, &properties.all));
    assert_int_equal(filters.count, 0);
}

TEST(allow_list_ends_the_process_that_leaves_it) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_calls(&properties, LIST("getcwd", "read"));
    struct filter *filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(read, -1)), EBADF);
    assert_int_equal(outcome(filter, CALL(getpid)), 0); /* of @default */
    assert_int_equal(outcome(filter, CALL(write, -1)), -SIGSYS);
    filters_free(&filters);
}

TEST(deny_list_forbids_only_what_it_names) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_calls(&properties, LIST("~socket", "ptrace"));
    struct filter *filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(write, -1)), EBADF);
    assert_int_equal(outcome(filter, CALL(socket, AF_UNIX, SOCK_STREAM)), -SIGSYS);
    filters_free(&filters);
}

TEST(forbidden_calls_fail_with_the_error_asked_for) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_error(&properties, EXDEV);
    properties_calls(&properties, LIST("~socket"));
    assert_int_equal(
        outcome(filter_for(&filters, &properties.all), CALL(socket, AF_UNIX, SOCK_STREAM)), EXDEV);
    properties_calls(&properties, LIST("read"));
    assert_int_equal(outcome(filter_for(&filters, &properties.all), CALL(write, -1)), EXDEV);
    filters_free(&filters);
}

TEST(later_lists_add_and_take_away) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_calls(&properties, LIST("read", "write"), LIST("~write", "getpid"), LIST("lseek"));
    struct filter *filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(read, -1)), EBADF);
    assert_int_equal(outcome(filter, CALL(lseek, -1)), EBADF);
    assert_int_equal(outcome(filter, CALL(write, -1)), -SIGSYS);
    assert_int_equal(outcome(filter, CALL(getpid)), -SIGSYS);
    properties_calls(&properties, LIST("~write", "read"), LIST("write"));
    filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(write, -1)), EBADF);
    assert_int_equal(outcome(filter, CALL(read, -1)), -SIGSYS);
    filters_free(&filters);
}

TEST(empty_list_starts_anew) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_calls(&properties, LIST("read"), LIST(""), LIST("~write"));
    struct filter *filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(lseek, -1)), EBADF);
    assert_int_equal(outcome(filter, CALL(write, -1)), -SIGSYS);
    filters_free(&filters);
}

/* Every call of the native architecture, allowed one by one: the binary tree finds each. */
TEST(large_list_finds_every_call) {
    struct filters filters = {0};
    struct properties properties = {0};
    static char names[400][64];
    const char *list[402] = {"~socket"};
    size_t count = 1;
    for (int i = 0; i < 400; i++)
        if (i != SYS_execve && i != SYS_exit_group && i != SYS_seccomp && i != SYS_prctl &&
            i != SYS_rt_sigreturn && filter_call_known(i, names[i], sizeof(names[i])))
            list[count++] = names[i];
    properties_calls(&properties, list);
    properties_error(&properties, EXDEV);
    struct filter *filter = filter_for(&filters, &properties.all);
    for (int i = 0; i < 400; i += 7)
        if (names[i][0])
            assert_int_equal(
                outcome(filter, (struct trial){.number = i, .arguments = {-1, -1, -1}}), EXDEV);
    assert_int_equal(outcome(filter, (struct trial){.number = 1023}), ENOSYS);
    filters_free(&filters);
}

TEST(unknown_names_are_refused) {
    struct properties properties = {0};
    properties_calls(&properties, LIST("read", "opennat"));
    refused(&properties.all, "SystemCallFilter",
            "unknown system call 'opennat'; did you mean openat?");
    properties_calls(&properties, LIST("~frobnicate_it"));
    refused(&properties.all, "SystemCallFilter", "unknown system call 'frobnicate_it'");
    properties_calls(&properties, LIST("@sistem-service"));
    refused(&properties.all, "SystemCallFilter", "unknown set of system calls '@sistem-service'");
    properties_calls(&properties, LIST("read", ""));
    refused(&properties.all, "SystemCallFilter", "unknown system call ''");
}

TEST(a_filter_that_forbids_exec_is_refused) {
    struct properties properties = {0};
    properties_calls(&properties, LIST("~execve"));
    refused(&properties.all, "SystemCallFilter", "execve is forbidden");
    properties_calls(&properties, LIST("read"), LIST("~execve"));
    refused(&properties.all, "SystemCallFilter", "execve is forbidden");
}

TEST(names_of_other_architectures_are_known) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_calls(&properties, LIST("socketcall", "mmap2", "_llseek", "write"));
    assert_int_equal(outcome(filter_for(&filters, &properties.all), CALL(write, -1)), EBADF);
    filters_free(&filters);
}

TEST(sets_stand_for_their_calls) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_calls(&properties, LIST("@system-service"), LIST("~@resources", "@network-io"));
    struct filter *filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(read, -1)), EBADF);
    assert_int_equal(outcome(filter, CALL(socket, AF_UNIX, SOCK_STREAM)), -SIGSYS);
    assert_int_equal(outcome(filter, CALL(sched_setaffinity, 0, 0, 0)), -SIGSYS);
    assert_int_equal(outcome(filter, CALL(swapon, 0, 0)), -SIGSYS);
    properties_calls(&properties, LIST("~@mount", "@network-io"), LIST("socket"));
    filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(socket, AF_UNIX, SOCK_STREAM)), 0);
    assert_int_equal(outcome(filter, CALL(bind, -1)), -SIGSYS);
    assert_int_equal(outcome(filter, CALL(umount2, 0, 0)), -SIGSYS);
    properties_calls(&properties, LIST("@known"));
    filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(umount2, -1, 0)), outcome(NULL, CALL(umount2, -1, 0)));
    filters_free(&filters);
}

TEST(a_call_may_have_an_error_of_its_own) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_calls(&properties, LIST("~socket:EXDEV", "@timer:7", "write:kill", "lseek"));
    properties_error(&properties, EDOM);
    struct filter *filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(socket, AF_UNIX, SOCK_STREAM)), EXDEV);
    assert_int_equal(outcome(filter, CALL(alarm, 0)), 7);
    assert_int_equal(outcome(filter, CALL(write, -1)), -SIGSYS);
    assert_int_equal(outcome(filter, CALL(lseek, -1)), EDOM);
    /* In a list of what is allowed it forbids, and what was allowed is so no more. */
    properties = (struct properties){0};
    properties_calls(&properties, LIST("read", "write"), LIST("~write:EXDEV", "lseek:EDOM"));
    filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(read, -1)), EBADF);
    assert_int_equal(outcome(filter, CALL(write, -1)), EXDEV);
    assert_int_equal(outcome(filter, CALL(lseek, -1)), EDOM);
    assert_int_equal(outcome(filter, CALL(dup, -1)), -SIGSYS);
    /* Success is an error number too, and so is the filter's own. */
    properties_calls(&properties, LIST("read"), LIST("~read:EPERM", "sync:0"));
    properties_error(&properties, EPERM);
    filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(read, -1)), EPERM);
    assert_int_equal(outcome(filter, CALL(sync)), 0);
    filters_free(&filters);
}

TEST(errors_have_bounds) {
    struct properties properties = {0};
    properties_calls(&properties, LIST("read:EPERM"));
    refused(&properties.all, "SystemCallFilter", "'read' can have no error 1 here");
    properties_calls(&properties, LIST("~read:5000"));
    refused(&properties.all, "SystemCallFilter", "'read' can have no error 5000 here");
    properties_calls(&properties, LIST("~execve:EPERM"));
    refused(&properties.all, "SystemCallFilter", "execve is forbidden");
    properties_calls(&properties, LIST("read"), LIST("~execve:EPERM"));
    refused(&properties.all, "SystemCallFilter", "execve is forbidden");
}

/* ---- SystemCallLog ---- */

static uint32_t action(const struct filter *filter, int call) {
    const struct seccomp_data data = {.nr = call, .arch = AUDIT_ARCH_X86_64};
    return program_run(&filter->program, &data, NULL);
}

TEST(what_is_to_be_logged_is_logged_where_it_is_allowed) {
    struct filters filters = {0};
    struct properties properties = {0}, log = {0};
    properties_calls(&properties, LIST("~socket"));
    HOLDEN_SET(&properties.all, properties, system_call_log,
               properties_lists(&log, (const char *const *const[]){LIST("@network-io"), NULL}));
    struct filter *filter = filter_for(&filters, &properties.all);
    assert_int_equal(action(filter, SYS_socket), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(action(filter, SYS_bind), SECCOMP_RET_LOG);
    assert_int_equal(action(filter, SYS_read), SECCOMP_RET_ALLOW);
    assert_int_equal(outcome(filter, CALL(bind, -1)), EBADF);
    properties = (struct properties){0};
    HOLDEN_SET(&properties.all, properties, system_call_log,
               properties_lists(&log, (const char *const *const[]){LIST("~read"), NULL}));
    filter = filter_for(&filters, &properties.all);
    assert_int_equal(action(filter, SYS_read), SECCOMP_RET_ALLOW);
    assert_int_equal(action(filter, SYS_bind), SECCOMP_RET_LOG);
    filters_free(&filters);
}

/* ---- SystemCallLearn ---- */

TEST(to_learn_is_to_allow_and_to_ask_about_everything) {
    struct filters filters = {0};
    struct properties properties = {0};
    HOLDEN_SET(&properties.all, properties, system_call_learn, true);
    struct filter *filter = filter_for(&filters, &properties.all);
    const struct seccomp_data data = {.nr = SYS_mount, .arch = AUDIT_ARCH_X86_64};
    assert_int_equal(program_run(&filter->program, &data, NULL), SECCOMP_RET_ALLOW);
    assert_int_equal(program_run(&filter->asking, &data, NULL), SECCOMP_RET_USER_NOTIF);
    filters_free(&filters);
    properties_calls(&properties, LIST("read"));
    refused(&properties.all, "SystemCallLearn", "cannot be combined");
    properties = (struct properties){0};
    HOLDEN_SET(&properties.all, properties, system_call_learn, true);
    HOLDEN_SET(&properties.all, properties, restrict_realtime, true);
    refused(&properties.all, "SystemCallLearn", "cannot be combined");
}

TEST(the_variant_that_asks_is_made_with_the_filter) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_calls(&properties, LIST("~mount:EPERM", "bpf"));
    HOLDEN_SET(&properties.all, properties, restrict_namespaces, 0);
    struct filter *filter = filter_for(&filters, &properties.all);
    static const struct {
        int call;
        uint32_t says;
    } rows[] = {
        {SYS_mount, SECCOMP_RET_USER_NOTIF}, {SYS_bpf, SECCOMP_RET_USER_NOTIF},
        {SYS_setns, SECCOMP_RET_USER_NOTIF}, {SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS},
        {SYS_read, SECCOMP_RET_ALLOW},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct seccomp_data data = {.nr = rows[i].call, .arch = AUDIT_ARCH_X86_64};
        assert_int_equal(program_run(&filter->asking, &data, NULL), rows[i].says);
    }
    filters_free(&filters);
}

/* ---- SystemCallArchitectures ---- */

#ifdef __x86_64__
enum { OLD_GETPID = 20, X32 = 0x40000000 };

TEST(x32_calls_do_not_pass_beside_the_list) {
    struct filters filters = {0};
    struct properties properties = {0};
    struct trial call = {.number = X32 | SYS_getpid};
    properties_calls(&properties, LIST("~socket"));
    assert_int_equal(outcome(filter_for(&filters, &properties.all), call), -SIGSYS);
    properties_calls(&properties, LIST("read"));
    assert_int_equal(outcome(filter_for(&filters, &properties.all), call), -SIGSYS);
    filters_free(&filters);
}

TEST(x32_is_filtered_where_it_is_allowed) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_architectures(&properties, "x32");
    properties_error(&properties, EXDEV);
    properties_calls(&properties, LIST("~socket", "getppid"));
    struct filter *filter = filter_for(&filters, &properties.all);
    int bare = outcome(NULL, (struct trial){.number = X32 | SYS_getpid});
    assert_int_equal(outcome(filter, (struct trial){.number = X32 | SYS_getpid}), bare);
    assert_int_equal(outcome(filter, (struct trial){.number = X32 | SYS_getppid}), EXDEV);
    assert_int_equal(outcome(filter, CALL(getppid)), EXDEV);
    assert_int_equal(outcome(filter, CALL(getpid)), 0);
    filters_free(&filters);
}

TEST(i386_calls_need_their_architecture) {
    struct trial call = {.number = OLD_GETPID, .old = true};
    if (outcome(NULL, call) != 0)
        skip();
    struct filters filters = {0};
    struct properties properties = {0};
    properties_calls(&properties, LIST("~socket"));
    assert_int_equal(outcome(filter_for(&filters, &properties.all), call), -SIGSYS);
    properties_architectures(&properties, "native", "x86");
    assert_int_equal(outcome(filter_for(&filters, &properties.all), call), 0);
    properties_calls(&properties, LIST("~getpid"));
    assert_int_equal(outcome(filter_for(&filters, &properties.all), call), -SIGSYS);
    filters_free(&filters);
}

TEST(architectures_alone_make_a_filter) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_architectures(&properties, "native");
    struct filter *filter = filter_for(&filters, &properties.all);
    assert_int_equal(outcome(filter, CALL(write, -1)), EBADF);
    assert_int_equal(outcome(filter, (struct trial){.number = X32 | SYS_getpid}), -SIGSYS);
    filters_free(&filters);
}
#endif

TEST(unknown_architectures_are_refused) {
    struct properties properties = {0};
    properties_architectures(&properties, "native", "z80");
    refused(&properties.all, "SystemCallArchitectures", "unknown architecture 'z80'");
}

TEST(architectures_that_cannot_run_here_do_not_matter) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_architectures(&properties, "s390x", "arm", "mips64-le-n32", "riscv64");
    assert_int_equal(outcome(filter_for(&filters, &properties.all), CALL(write, -1)), EBADF);
    filters_free(&filters);
}

TEST(an_error_number_past_the_kernels_is_refused) {
    struct properties properties = {0};
    properties_calls(&properties, LIST("~socket"));
    properties_error(&properties, 4096);
    refused(&properties.all, "SystemCallErrorNumber", "4096");
}

/* ---- SeccompProfile ---- */

static struct filter *profile_for(struct filters *filters, const struct profile *profile) {
    struct properties properties = {0};
    HOLDEN_SET(&properties.all, properties, seccomp_profile,
               (struct holden_nested){.value = &profile->all});
    return filter_for(filters, &properties.all);
}

static void profile_refused(const struct profile *profile, const char *text) {
    struct properties properties = {0};
    HOLDEN_SET(&properties.all, properties, seccomp_profile,
               (struct holden_nested){.value = &profile->all});
    refused(&properties.all, "SeccompProfile", text);
}

TEST(profile_rules_have_their_actions) {
    struct filters filters = {0};
    struct profile profile = {0};
    profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, 0, "read", "no_such_call");
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, ENOSYS, "lseek");
    profile_rule(&profile, HOLDEN_seccomp_action_KILL_PROCESS, 0, "write");
    profile_rule(&profile, HOLDEN_seccomp_action_TRAP, 0, "dup");
    profile_rule(&profile, HOLDEN_seccomp_action_LOG, 0, "dup2");
    profile_rule(&profile, HOLDEN_seccomp_action_TRACE, 0, "dup3");
    profile_rule(&profile, HOLDEN_seccomp_action_ALLOW, 0, "close");
    struct filter *filter = profile_for(&filters, &profile);
    assert_int_equal(outcome(filter, CALL(read, -1)), EPERM);
    assert_int_equal(outcome(filter, CALL(lseek, -1)), ENOSYS);
    assert_int_equal(outcome(filter, CALL(write, -1)), -SIGSYS);
    assert_int_equal(outcome(filter, CALL(dup, -1)), -SIGSYS);
    assert_int_equal(outcome(filter, CALL(dup2, -1)), EBADF);
    assert_int_equal(outcome(filter, CALL(dup3, -1)), ENOSYS); /* nobody traces */
    assert_int_equal(outcome(filter, CALL(close, -1)), EBADF);
    filters_free(&filters);
}

TEST(profile_defaults_forbid) {
    struct filters filters = {0};
    struct profile profile = {0};
    profile_begin(&profile, HOLDEN_seccomp_action_ERRNO);
    HOLDEN_SET(&profile.all, seccomp_profile, default_error, ENOSYS);
    profile_rule(&profile, HOLDEN_seccomp_action_ALLOW, 0, "execve", "exit_group", "write");
    struct filter *filter = profile_for(&filters, &profile);
    assert_int_equal(outcome(filter, CALL(write, -1)), EBADF);
    assert_int_equal(outcome(filter, CALL(read, -1)), ENOSYS);
    filters_free(&filters);
}

TEST(profile_conditions_on_different_arguments_all_hold) {
    struct filters filters = {0};
    struct profile profile = {0};
    profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EXDEV, "socket");
    profile_condition(&profile, 0, HOLDEN_seccomp_operator_EQ, AF_UNIX, 0);
    profile_condition(&profile, 1, HOLDEN_seccomp_operator_MASKED_EQ, 0xf, SOCK_DGRAM);
    struct filter *filter = profile_for(&filters, &profile);
    assert_int_equal(outcome(filter, CALL(socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC)), EXDEV);
    assert_int_equal(outcome(filter, CALL(socket, AF_UNIX, SOCK_STREAM)), 0);
    filters_free(&filters);
}

TEST(profile_conditions_on_one_argument_are_alternatives) {
    struct filters filters = {0};
    struct profile profile = {0};
    profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EXDEV, "lseek");
    profile_condition(&profile, 1, HOLDEN_seccomp_operator_EQ, 5, 0);
    profile_condition(&profile, 1, HOLDEN_seccomp_operator_GT, 0x100000000, 0);
    struct filter *filter = profile_for(&filters, &profile);
    assert_int_equal(outcome(filter, CALL(lseek, -1, 5)), EXDEV);
    assert_int_equal(outcome(filter, CALL(lseek, -1, 6)), EBADF);
    assert_int_equal(outcome(filter, CALL(lseek, -1, 0x100000000)), EBADF);
    assert_int_equal(outcome(filter, CALL(lseek, -1, 0x100000001)), EXDEV);
    filters_free(&filters);
}

/* Each operator against a value below, at and above its own. */
TEST(profile_operators) {
    static const struct {
        uint32_t operator;
        bool hits[3];
    } rows[] = {
        {HOLDEN_seccomp_operator_NE, {true, false, true}},
        {HOLDEN_seccomp_operator_LT, {true, false, false}},
        {HOLDEN_seccomp_operator_LE, {true, true, false}},
        {HOLDEN_seccomp_operator_EQ, {false, true, false}},
        {HOLDEN_seccomp_operator_GE, {false, true, true}},
        {HOLDEN_seccomp_operator_GT, {false, false, true}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct filters filters = {0};
        struct profile profile = {0};
        profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
        profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EXDEV, "lseek");
        profile_condition(&profile, 1, rows[i].operator, 10, 0);
        struct filter *filter = profile_for(&filters, &profile);
        for (int n = 0; n < 3; n++)
            assert_int_equal(outcome(filter, CALL(lseek, -1, 9 + n)),
                             rows[i].hits[n] ? EXDEV : EBADF);
        filters_free(&filters);
    }
}

TEST(profile_has_architectures) {
    struct filters filters = {0};
    struct profile profile = {0};
    profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EXDEV, "getppid");
    profile_architectures(&profile, "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32");
    assert_int_equal(outcome(profile_for(&filters, &profile), CALL(getppid)), EXDEV);
    filters_free(&filters);
    profile_architectures(&profile, "SCMP_ARCH_Z80");
    profile_refused(&profile, "unknown architecture 'SCMP_ARCH_Z80'");
}

/* As with runc and crun, the first of contradicting rules without conditions holds, and one without
 * conditions holds over those with them. */
TEST(profile_that_contradicts_itself) {
    struct filters filters = {0};
    struct profile profile = {0};
    profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EXDEV, "read");
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EPERM, "read");
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EPERM, "lseek");
    profile_condition(&profile, 1, HOLDEN_seccomp_operator_EQ, 5, 0);
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EXDEV, "lseek");
    struct filter *filter = profile_for(&filters, &profile);
    assert_int_equal(outcome(filter, CALL(read, -1)), EXDEV);
    assert_int_equal(outcome(filter, CALL(lseek, -1, 5)), EXDEV);
    filters_free(&filters);
}

TEST(profile_may_repeat_a_rule) {
    struct filters filters = {0};
    struct profile profile = {0};
    profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EXDEV, "read", "read");
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EXDEV, "read");
    assert_int_equal(outcome(profile_for(&filters, &profile), CALL(read, -1)), EXDEV);
    filters_free(&filters);
}

TEST(profile_that_forbids_exec_is_refused) {
    struct profile profile = {0};
    profile_begin(&profile, HOLDEN_seccomp_action_ERRNO);
    profile_rule(&profile, HOLDEN_seccomp_action_ALLOW, 0, "read");
    profile_refused(&profile, "execve is forbidden");
    profile = (struct profile){0};
    profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
    profile_rule(&profile, HOLDEN_seccomp_action_KILL_PROCESS, 0, "execve");
    profile_refused(&profile, "execve is forbidden");
}

TEST(profile_arguments_have_bounds) {
    struct profile profile = {0};
    profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EXDEV, "read");
    profile_condition(&profile, 6, HOLDEN_seccomp_operator_EQ, 1, 0);
    profile_refused(&profile, "no argument 6");
    profile = (struct profile){0};
    profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, 65536 + EXDEV, "read");
    profile_refused(&profile, "error number");
}

/* The bound keeps the agent's loop from standing still while libseccomp compiles. */
TEST(profile_has_a_bounded_number_of_conditions) {
    static struct holden_seccomp_argument arguments[65];
    static struct holden_nested nested[65];
    struct profile profile = {0};
    for (size_t i = 0; i < ARRAY_SIZE(arguments); i++) {
        HOLDEN_SET(&arguments[i], seccomp_argument, index, 1);
        HOLDEN_SET(&arguments[i], seccomp_argument, operator, HOLDEN_seccomp_operator_EQ);
        HOLDEN_SET(&arguments[i], seccomp_argument, value, i);
        nested[i].value = &arguments[i];
    }
    profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
    profile_rule(&profile, HOLDEN_seccomp_action_ERRNO, EXDEV, "lseek");
    HOLDEN_SET(&profile.rules[0], seccomp_rule, argument,
               (struct holden_repeated){.count = ARRAY_SIZE(nested), .items = nested});
    profile_refused(&profile, "more than 64 conditions");
}

TEST(profile_excludes_the_other_properties) {
    struct profile profile = {0};
    profile_begin(&profile, HOLDEN_seccomp_action_ALLOW);
    struct properties properties = {0};
    HOLDEN_SET(&properties.all, properties, seccomp_profile,
               (struct holden_nested){.value = &profile.all});
    properties_calls(&properties, LIST("read"));
    refused(&properties.all, "SeccompProfile", "cannot be combined with SystemCallFilter=");
}

/* ---- the cache ---- */

TEST(equal_properties_share_one_filter) {
    struct filters filters = {0};
    struct properties one = {0}, same = {0}, other = {0};
    properties_calls(&one, LIST("read"));
    properties_calls(&same, LIST("read"));
    properties_calls(&other, LIST("write"));
    HOLDEN_SET(&same.all, properties, memory_max, 4096); /* no part of the key */
    struct filter *filter = filter_for(&filters, &one.all);
    assert_ptr_equal(filter_for(&filters, &same.all), filter);
    assert_ptr_not_equal(filter_for(&filters, &other.all), filter);
    assert_int_equal(filter->references, 2);
    assert_int_equal(filters.count, 2);
    filters_free(&filters);
}

TEST(released_filters_stay_for_the_next_start) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_calls(&properties, LIST("read"));
    struct filter *filter = filter_for(&filters, &properties.all);
    filter_release(&filters, filter);
    assert_int_equal(filters.spare, 1);
    assert_ptr_equal(filter_for(&filters, &properties.all), filter);
    assert_int_equal(filters.spare, 0);
    filter_release(&filters, filter);
    filter_release(&filters, NULL);
    filters_free(&filters);
}

TEST(spare_filters_are_bounded_and_the_oldest_goes_first) {
    struct filters filters = {0};
    struct properties properties = {0};
    properties_calls(&properties, LIST("read"));
    struct filter *used = filter_for(&filters, &properties.all);
    properties_calls(&properties, LIST("write"));
    struct filter *first = filter_for(&filters, &properties.all);
    filter_release(&filters, first);
    for (uint32_t i = 1; i <= FILTERS_SPARE; i++) {
        properties_error(&properties, i);
        filter_release(&filters, filter_for(&filters, &properties.all));
    }
    assert_int_equal(filters.spare, FILTERS_SPARE);
    assert_int_equal(filters.count, FILTERS_SPARE + 1);
    for (const struct filter *filter = filters.first; filter; filter = filter->next)
        assert_ptr_not_equal(filter, first);
    assert_int_equal(outcome(used, CALL(write, -1)), -SIGSYS);
    filters_free(&filters);
}

TEST(call_names) {
    char name[64];
    assert_string_equal(filter_call_name(SYS_ptrace, name, sizeof(name)), "ptrace");
    assert_string_equal(filter_call_name(999, name, sizeof(name)), "syscall 999");
    assert_false(filter_call_known(999, name, sizeof(name)));
}

UNIT_MAIN
