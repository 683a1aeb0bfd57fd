#include "agent/program.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

/* libseccomp's level of optimisation that sorts the calls into a binary tree. */
enum { BINARY_TREE = 2 };

void program_free(struct program *program) {
    free(program->instructions);
    *program = (struct program){0};
}

/* libseccomp 2.5 exports to descriptors only. */
static int read_instructions(int fd, struct program *program) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    size_t size = (size_t)status.st_size;
    if (size == 0 || size % sizeof(*program->instructions) != 0)
        return -EIO;
    if (size / sizeof(*program->instructions) > BPF_MAXINSNS)
        return -EFBIG;
    _cleanup_free_ struct sock_filter *instructions = malloc(size);
    if (!instructions)
        return -ENOMEM;
    ssize_t got = pread(fd, instructions, size, 0);
    if (got < 0 || (size_t)got != size)
        return got < 0 ? -errno : -EIO;
    program->instructions = TAKE_POINTER(instructions);
    program->count = size / sizeof(*program->instructions);
    return 0;
}

int program_compile(scmp_filter_ctx filter, struct program *program) {
    int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE);
    if (r == 0)
        r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    r = seccomp_export_bpf(filter, fd);
    return r < 0 ? r : read_instructions(fd, program);
}

static bool returns(const struct sock_filter *instruction, uint32_t action) {
    return instruction->code == (BPF_RET | BPF_K) &&
           (instruction->k & SECCOMP_RET_ACTION_FULL) == action;
}

static bool logs(const struct program *program) {
    for (size_t i = 0; i < program->count; i++)
        if (returns(&program->instructions[i], SECCOMP_RET_LOG))
            return true;
    return false;
}

/* Turns every return of `action` among the first `count` instructions into a jump to `target`. */
static void redirect(struct sock_filter *code, size_t count, uint32_t action, size_t target) {
    for (size_t i = 0; i < count; i++)
        if (returns(&code[i], action))
            code[i] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(target - i - 1));
}

/* What the first program allows goes on to the second; what it logs goes on to a copy of the second
 * that logs what it allows. All else that it says forbids at least as much as the second could. */
int program_join(struct program *program, const struct program *next) {
    size_t first = program->count;
    bool copy = logs(program);
    if (next->count == 0)
        return 0;
    size_t total = first + next->count * (copy && first > 0 ? 2 : 1);
    if (total > BPF_MAXINSNS)
        return -EFBIG;
    struct sock_filter *code =
        reallocarray(program->instructions, total, sizeof(*program->instructions));
    if (!code)
        return -ENOMEM;
    program->instructions = code;
    program->count = total;
    memcpy(&code[first], next->instructions, next->count * sizeof(*code));
    redirect(code, first, SECCOMP_RET_ALLOW, first);
    if (total == first + next->count)
        return 0;
    size_t second = first + next->count;
    memcpy(&code[second], next->instructions, next->count * sizeof(*code));
    for (size_t i = second; i < total; i++)
        if (returns(&code[i], SECCOMP_RET_ALLOW))
            code[i].k = SECCOMP_RET_LOG;
    redirect(code, first, SECCOMP_RET_LOG, second);
    return 0;
}

static bool jumps(const struct sock_filter *code, uint32_t accumulator, uint32_t operand) {
    switch (BPF_OP(code->code)) {
    case BPF_JEQ: return accumulator == operand;
    case BPF_JGT: return accumulator > operand;
    case BPF_JGE: return accumulator >= operand;
    default: return (accumulator & operand) != 0;
    }
}

static uint32_t compute(const struct sock_filter *code, uint32_t accumulator, uint32_t operand) {
    switch (BPF_OP(code->code)) {
    case BPF_AND: return accumulator & operand;
    case BPF_OR: return accumulator | operand;
    default: return accumulator;
    }
}

/* Of classic BPF what libseccomp makes: loads of the call's words and of scratch memory, jumps, AND
 * and OR. Anything else, and any way out of the program, counts as forbidden. */
uint32_t program_run(const struct program *program, const struct seccomp_data *call,
                     size_t *which) {
    uint32_t memory[BPF_MEMWORDS] = {0};
    uint32_t a = 0;
    uint32_t x = 0;
    for (size_t at = 0; at < program->count; at++) {
        const struct sock_filter *code = &program->instructions[at];
        uint32_t operand = BPF_SRC(code->code) == BPF_X ? x : code->k;
        switch (BPF_CLASS(code->code)) {
        case BPF_LD:
            if (BPF_MODE(code->code) == BPF_ABS && code->k <= sizeof(*call) - sizeof(a))
                memcpy(&a, (const unsigned char *)call + code->k, sizeof(a));
            else
                a = BPF_MODE(code->code) == BPF_MEM ? memory[code->k % BPF_MEMWORDS] : code->k;
            break;
        case BPF_LDX:
            x = BPF_MODE(code->code) == BPF_MEM ? memory[code->k % BPF_MEMWORDS] : code->k;
            break;
        case BPF_ST: memory[code->k % BPF_MEMWORDS] = a; break;
        case BPF_STX: memory[code->k % BPF_MEMWORDS] = x; break;
        case BPF_ALU: a = compute(code, a, operand); break;
        case BPF_JMP:
            at += BPF_OP(code->code) == BPF_JA ? code->k
                  : jumps(code, a, operand)    ? code->jt
                                               : code->jf;
            break;
        case BPF_RET:
            if (which)
                *which = at;
            return BPF_RVAL(code->code) == BPF_A ? a : code->k;
        default: x = BPF_MISCOP(code->code) == BPF_TAX ? a : x; break;
        }
    }
    return SECCOMP_RET_KILL_PROCESS;
}

int program_ask(const struct program *program, size_t first, struct program *asking) {
    if (program->count + PROGRAM_PASS > BPF_MAXINSNS)
        return -EFBIG;
    struct sock_filter *code = malloc(program->count * sizeof(*code));
    if (!code)
        return -ENOMEM;
    memcpy(code, program->instructions, program->count * sizeof(*code));
    for (size_t i = 0; i < program->count; i++) {
        bool silent = i >= first && code[i].k == (SECCOMP_RET_ERRNO | ENOSYS);
        if (returns(&code[i], SECCOMP_RET_KILL_PROCESS) ||
            (returns(&code[i], SECCOMP_RET_ERRNO) && !silent))
            code[i].k = SECCOMP_RET_USER_NOTIF;
    }
    *asking = (struct program){code, program->count};
    return 0;
}

void program_pass(const uint64_t pass[2], struct sock_filter code[PROGRAM_PASS]) {
    enum { LOW = __BYTE_ORDER == __LITTLE_ENDIAN ? 0 : 4, HIGH = 4 - LOW };
    const struct {
        size_t at;
        uint32_t value;
    } checks[] = {
        {offsetof(struct seccomp_data, nr), SYS_sendmmsg},
        {offsetof(struct seccomp_data, arch), seccomp_arch_native()},
        {offsetof(struct seccomp_data, args[4]) + LOW, (uint32_t)pass[0]},
        {offsetof(struct seccomp_data, args[4]) + HIGH, (uint32_t)(pass[0] >> 32)},
        {offsetof(struct seccomp_data, args[5]) + LOW, (uint32_t)pass[1]},
        {offsetof(struct seccomp_data, args[5]) + HIGH, (uint32_t)(pass[1] >> 32)},
    };
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        code[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                     (uint32_t)checks[i].at);
        uint8_t past = (uint8_t)(PROGRAM_PASS - count - 1);
        code[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, checks[i].value, 0,
                                                     past);
    }
    code[count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}
