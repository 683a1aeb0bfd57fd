/* Programs joined, asked and run here. */
#include "agent/program.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "agent/plan.h"
#include "suite.h"

/* A program that returns `action` for `call` and `usual` for all others; owned by the caller. */
static struct program simple(uint32_t call, uint32_t action, uint32_t usual) {
    const struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, usual),
    };
    struct program program = {malloc(sizeof(code)), ARRAY_SIZE(code)};
    assert_non_null(program.instructions);
    memcpy(program.instructions, code, sizeof(code));
    return program;
}

static uint32_t run(const struct program *program, int call) {
    const struct seccomp_data data = {.nr = call, .arch = AUDIT_ARCH_X86_64};
    return program_run(program, &data, NULL);
}

TEST(the_first_program_decides_before_the_second) {
    struct program program = simple(1, SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ALLOW);
    struct program next = simple(2, SECCOMP_RET_ERRNO | EXDEV, SECCOMP_RET_ALLOW);
    assert_int_equal(program_join(&program, &next), 0);
    assert_int_equal(run(&program, 1), SECCOMP_RET_ERRNO | EPERM);
    assert_int_equal(run(&program, 2), SECCOMP_RET_ERRNO | EXDEV);
    assert_int_equal(run(&program, 3), SECCOMP_RET_ALLOW);
    program_free(&program);
    program_free(&next);
}

TEST(what_is_logged_is_refused_all_the_same) {
    struct program program = simple(1, SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_LOG);
    struct program next = simple(2, SECCOMP_RET_ERRNO | EXDEV, SECCOMP_RET_ALLOW);
    assert_int_equal(program_join(&program, &next), 0);
    assert_int_equal(run(&program, 1), SECCOMP_RET_ERRNO | EPERM);
    assert_int_equal(run(&program, 2), SECCOMP_RET_ERRNO | EXDEV);
    assert_int_equal(run(&program, 3), SECCOMP_RET_LOG);
    program_free(&program);
    program_free(&next);
}

TEST(nothing_is_joined_to_nothing) {
    struct program program = {0}, nothing = {0};
    struct program next = simple(2, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW);
    assert_int_equal(program_join(&program, &next), 0);
    assert_int_equal(program.count, next.count);
    assert_int_equal(program_join(&program, &nothing), 0);
    assert_int_equal(run(&program, 2), SECCOMP_RET_LOG);
    program_free(&program);
    program_free(&next);
}

TEST(what_the_kernel_would_not_take_is_not_made) {
    struct program program = simple(1, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW);
    struct program asking;
    while (program.count < BPF_MAXINSNS) {
        struct program next = simple(2, SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW);
        int r = program_join(&program, &next);
        program_free(&next);
        if (r < 0)
            break;
    }
    assert_true(program.count <= BPF_MAXINSNS);
    program.count = BPF_MAXINSNS;
    assert_int_equal(program_ask(&program, 0, &asking), -EFBIG);
    program_free(&program);
}

TEST(the_listener_is_asked_about_what_is_refused) {
    struct program program = simple(1, SECCOMP_RET_ERRNO | ENOSYS, SECCOMP_RET_ALLOW);
    struct program next = simple(2, SECCOMP_RET_ERRNO | ENOSYS, SECCOMP_RET_ALLOW);
    struct program last = simple(3, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_TRAP);
    struct program asking = {0};
    size_t first = program.count;
    assert_int_equal(program_join(&program, &next), 0);
    assert_int_equal(program_join(&program, &last), 0);
    assert_int_equal(program_ask(&program, first, &asking), 0);
    assert_int_equal(run(&asking, 1), SECCOMP_RET_USER_NOTIF);
    /* This is no refusal: it leads the program to an older call. */
    assert_int_equal(run(&asking, 2), SECCOMP_RET_ERRNO | ENOSYS);
    assert_int_equal(run(&asking, 3), SECCOMP_RET_USER_NOTIF);
    assert_int_equal(run(&asking, 4), SECCOMP_RET_TRAP);
    program_free(&program);
    program_free(&next);
    program_free(&last);
    program_free(&asking);
}

TEST(a_child_may_send_its_listener_and_nobody_else_may) {
    const uint64_t pass[2] = {UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)};
    struct sock_filter code[PROGRAM_PASS + 1];
    const struct program program = {code, PROGRAM_PASS + 1};
    struct seccomp_data call = {
        .nr = SYS_sendmmsg, .arch = seccomp_arch_native(), .args = {9, 8, 7, 6, pass[0], pass[1]}};
    program_pass(pass, code);
    code[PROGRAM_PASS] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO);
    assert_int_equal(program_run(&program, &call, NULL), SECCOMP_RET_ALLOW);
    for (unsigned bit = 0; bit < 128; bit++) {
        call.args[4 + bit / 64] ^= UINT64_C(1) << bit % 64;
        assert_int_equal(program_run(&program, &call, NULL), SECCOMP_RET_ERRNO);
        call.args[4 + bit / 64] ^= UINT64_C(1) << bit % 64;
    }
    call.nr++;
    assert_int_equal(program_run(&program, &call, NULL), SECCOMP_RET_ERRNO);
    call.nr--;
    call.arch++;
    assert_int_equal(program_run(&program, &call, NULL), SECCOMP_RET_ERRNO);
}

TEST(which_instruction_it_was) {
    struct program program = simple(1, SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW);
    struct program next = simple(2, SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW);
    const struct seccomp_data one = {.nr = 1}, two = {.nr = 2};
    size_t at = 0;
    assert_int_equal(program_join(&program, &next), 0);
    program_run(&program, &one, &at);
    assert_int_equal(at, 2);
    program_run(&program, &two, &at);
    assert_int_equal(at, 6);
    program_free(&program);
    program_free(&next);
}

UNIT_MAIN
