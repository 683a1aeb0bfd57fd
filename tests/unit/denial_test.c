/* What is kept of denials, and how it is told. */
#include "agent/denial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/denial_text.h"
#include "suite.h"

static const char *arguments(const char *name, const struct seccomp_data *call, char *text,
                             size_t space) {
    denial_text_arguments(name, call, getpid(), text, space);
    return text;
}

#define ARGUMENT(pointer) ((uint64_t)(uintptr_t)(pointer))

TEST(arguments_are_read_by_their_kinds) {
    char text[224];
    struct seccomp_data call = {.args = {(uint64_t)AT_FDCWD, ARGUMENT("/tmp/x"), 0755}};
    assert_string_equal(arguments("mkdirat", &call, text, sizeof(text)),
                        "AT_FDCWD, \"/tmp/x\", 0755");
    call = (struct seccomp_data){.args = {ARGUMENT("a\n\"b"), 0, 0}};
    assert_string_equal(arguments("unlink", &call, text, sizeof(text)), "\"a??b\"");
    call = (struct seccomp_data){.args = {0x10000000, 7}};
    assert_string_equal(arguments("no_such_call", &call, text, sizeof(text)), "0x10000000, 7");
    call = (struct seccomp_data){0};
    assert_string_equal(arguments("sync", &call, text, sizeof(text)), "");
}

TEST(strings_that_are_not_there_are_addresses) {
    char text[224];
    struct seccomp_data call = {.args = {0x10, 0}};
    assert_string_equal(arguments("unlink", &call, text, sizeof(text)), "0x10");
    call.args[0] = 0;
    assert_string_equal(arguments("unlink", &call, text, sizeof(text)), "NULL");
}

/* A string that ends with its page, behind which there is nothing. */
TEST(strings_at_the_end_of_memory) {
    char text[224];
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(munmap(pages + 4096, 4096), 0);
    memcpy(pages + 4092, "abc", 4);
    struct seccomp_data call = {.args = {ARGUMENT(pages + 4092)}};
    assert_string_equal(arguments("rmdir", &call, text, sizeof(text)), "\"abc\"");
    munmap(pages, 4096);
}

TEST(long_strings_stay_within_the_space) {
    static char path[5000];
    char text[48];
    memset(path, 'x', sizeof(path) - 1);
    struct seccomp_data call = {.args = {ARGUMENT(path), ARGUMENT(path), ARGUMENT(path)}};
    arguments("mount", &call, text, sizeof(text));
    assert_true(strlen(text) < sizeof(text));
}

TEST(they_are_counted_by_kind_and_survive_the_record) {
    struct denials denials = {.count = 1};
    const struct seccomp_data call = {.nr = SYS_mkdir, .arch = AUDIT_ARCH_X86_64};
    const uint32_t action = SECCOMP_RET_ERRNO | EACCES;
    denials.list[0] = (struct denial){
        .number = SYS_mkdir, .architecture = AUDIT_ARCH_X86_64, .action = action, .times = 1,
        .pid = 7, .call = "mkdir", .arguments = "\"/x\", 0755", .program = "/bin/mkdir",
        .remedy = "SystemCallFilter=mkdir"};
    assert_ptr_equal(denial_again(&denials, &call, action), &denials.list[0]);
    assert_null(denial_again(&denials, &call, SECCOMP_RET_KILL_PROCESS));
    assert_null(denial_again(NULL, &call, action));
    struct holden_refusal records[DENIALS_MOST];
    struct holden_nested nested[DENIALS_MOST];
    struct holden_kept kept = {0};
    HOLDEN_SET(&kept, kept, refusal, denial_encode(&denials, records, nested));
    assert_int_equal(kept.refusal.count, 1);
    _cleanup_(buffer_free) struct buffer bytes = {0};
    assert_int_equal(holden_encode(&holden_record_refusal, &records[0], &bytes), 0);
    const struct holden_nested read = {
        .bytes = {(const char *)buffer_bytes(&bytes), bytes.size}};
    _cleanup_free_ struct denials *back =
        denial_decode((struct holden_repeated){.count = 1, .items = &read}, 5);
    assert_non_null(back);
    assert_ptr_equal(denial_again(back, &call, action), &back->list[0]);
    assert_int_equal(back->list[0].times, 3);
    assert_int_equal(back->further, 5);
    char text[1024];
    assert_string_equal(denial_tell(&back->list[0], text, sizeof(text)),
                        "mkdir(\"/x\", 0755) by /bin/mkdir (pid 7), which failed with EACCES; "
                        "SystemCallFilter=mkdir would allow it");
    assert_null(denial_that_ended(back, 7));
    back->list[0].action = SECCOMP_RET_KILL_PROCESS;
    assert_ptr_equal(denial_that_ended(back, 7), &back->list[0]);
    assert_null(denial_that_ended(back, 8));
}

UNIT_MAIN
