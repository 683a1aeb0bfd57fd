/* Where the kernel has grown other ways to the same deed since systemd 252, those are closed too:
 * clone3(2) and openat2(2) hide their flags in memory and io_uring(7) does without system calls,
 * so they do not exist there (ENOSYS), and programs go back to the older calls. */
#include "agent/restrict.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "agent/architecture.h"
#include "agent/calls.h"
#include "common/cleanup.h"
#include "protocol/property.h"

/* fchmodat2(2), Linux 6.6, which libseccomp 2.5 does not know; numbered alike everywhere. */
enum { FCHMODAT2 = 452, X32_BIT = 0x40000000 };

/* The rules for one architecture, while they are made. */
struct rules {
    scmp_filter_ctx filter;
    uint32_t architecture;
    const struct holden_properties *properties;
    int error; /* the first */
};

static void release(scmp_filter_ctx *filter) {
    if (*filter)
        seccomp_release(*filter);
}

/* A rule; a call that the architecture does not have needs none. */
static void forbid_when(struct rules *rules, int error, int call, unsigned count,
                        const struct scmp_arg_cmp *conditions) {
    int r = seccomp_rule_add_array(rules->filter, SCMP_ACT_ERRNO((uint32_t)error), call, count,
                                   conditions);
    if (r < 0 && r != -EEXIST && r != -EDOM && r != -EFAULT && rules->error == 0)
        rules->error = r;
}

static void forbid(struct rules *rules, int error, int call) {
    forbid_when(rules, error, call, 0, NULL);
}

static void forbid_if(struct rules *rules, int error, int call, struct scmp_arg_cmp condition) {
    forbid_when(rules, error, call, 1, &condition);
}

static struct scmp_arg_cmp has_bits(unsigned argument, uint64_t bits) {
    return (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, bits, bits};
}

/* As SCMP_A0_32() and its like, whose initialiser leaves a field out. */
static struct scmp_arg_cmp compare(unsigned argument, enum scmp_compare how, uint32_t value) {
    return (struct scmp_arg_cmp){argument, how, value, 0};
}

static void forbid_set(struct rules *rules, const char *name) {
    _cleanup_(calls_free) struct calls calls = {0};
    int r = calls_of_set(name, &calls);
    if (r < 0)
        rules->error = r;
    for (size_t i = 0; i < calls.count; i++)
        forbid(rules, EPERM, calls.list[i].number);
}

static void add_namespaces(struct rules *rules) {
    static const uint32_t kinds[] = {CLONE_NEWCGROUP, CLONE_NEWIPC,  CLONE_NEWNET, CLONE_NEWNS,
                                     CLONE_NEWPID,    CLONE_NEWUSER, CLONE_NEWUTS};
    uint32_t allowed = rules->properties->restrict_namespaces;
    bool swapped = rules->architecture == SCMP_ARCH_S390 || rules->architecture == SCMP_ARCH_S390X;
    uint32_t left = 0;
    uint32_t gone = 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        *(allowed & kinds[i] ? &left : &gone) |= kinds[i];
    if (gone == 0)
        return;
    if (left == 0) {
        forbid(rules, EPERM, SCMP_SYS(setns));
        forbid_if(rules, EPERM, SCMP_SYS(unshare), has_bits(0, CLONE_NEWTIME));
    } else
        forbid_if(rules, EPERM, SCMP_SYS(setns), compare(1, SCMP_CMP_EQ, 0));
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!(gone & kinds[i]))
            continue;
        forbid_if(rules, EPERM, SCMP_SYS(unshare), has_bits(0, kinds[i]));
        forbid_if(rules, EPERM, SCMP_SYS(clone), has_bits(swapped ? 1 : 0, kinds[i]));
        if (left != 0)
            forbid_if(rules, EPERM, SCMP_SYS(setns), has_bits(1, kinds[i]));
    }
    forbid(rules, ENOSYS, SCMP_SYS(clone3));
}

static bool in_families(const struct holden_families *families, uint32_t family) {
    struct holden_repeated left = families->family;
    uint32_t one;
    while (HOLDEN_HAS(families, families, family) && holden_next_u32(&left, &one))
        if (one == family)
            return true;
    return false;
}

/* What is below the first family allowed, above the last, and in between but not allowed. */
static void allow_families(struct rules *rules, const struct holden_families *families) {
    uint32_t first = 0;
    uint32_t last = 0;
    for (uint32_t family = 1; family < AF_MAX; family++)
        if (in_families(families, family)) {
            first = first ? first : family;
            last = family;
        }
    if (first == 0) {
        forbid(rules, EAFNOSUPPORT, SCMP_SYS(socket));
        return;
    }
    forbid_if(rules, EAFNOSUPPORT, SCMP_SYS(socket), compare(0, SCMP_CMP_LT, first));
    forbid_if(rules, EAFNOSUPPORT, SCMP_SYS(socket), compare(0, SCMP_CMP_GT, last));
    for (uint32_t family = first; family < last; family++)
        if (!in_families(families, family))
            forbid_if(rules, EAFNOSUPPORT, SCMP_SYS(socket), compare(0, SCMP_CMP_EQ, family));
}

/* socketcall(2) of i386 has its arguments in memory: there libseccomp forbids all that make a
 * socket, and socket(2) itself by its family. */
static void add_families(struct rules *rules) {
    const struct holden_nested *nested = &rules->properties->restrict_address_families;
    struct holden_families decoded;
    struct holden_fault fault;
    const struct holden_families *families = nested->value;
    if (!families) {
        if (holden_decode(&holden_record_families, nested->bytes.data, nested->bytes.size, &decoded,
                          &fault) < 0) {
            rules->error = -EBADMSG;
            return;
        }
        families = &decoded;
    }
    bool inverted = HOLDEN_HAS(families, families, inverted) && families->inverted;
    struct holden_repeated left = families->family;
    uint32_t family;
    if (!inverted)
        allow_families(rules, families);
    for (uint32_t i = 0; inverted && i < AF_MAX && HOLDEN_HAS(families, families, family) &&
                         holden_next_u32(&left, &family); i++)
        forbid_if(rules, EAFNOSUPPORT, SCMP_SYS(socket), compare(0, SCMP_CMP_EQ, family));
    if (!inverted || families->family.count > 0)
        forbid(rules, ENOSYS, SCMP_SYS(io_uring_setup));
}

/* sched_setattr(2) has the policy in memory. */
static void add_realtime(struct rules *rules) {
    for (uint32_t policy = 0; policy < SCHED_IDLE; policy++)
        if (policy != SCHED_OTHER && policy != SCHED_BATCH)
            forbid_if(rules, EPERM, SCMP_SYS(sched_setscheduler),
                      compare(1, SCMP_CMP_EQ, policy));
    forbid_if(rules, EPERM, SCMP_SYS(sched_setscheduler), compare(1, SCMP_CMP_GT, SCHED_IDLE));
    forbid(rules, EPERM, SCMP_SYS(sched_setattr));
}

/* The calls that give a file its mode, and which of their arguments the mode is. */
static void add_set_id(struct rules *rules) {
    static const struct {
        int call;
        unsigned mode;
    } rows[] = {
        {SCMP_SYS(chmod), 1}, {SCMP_SYS(fchmod), 1},  {SCMP_SYS(fchmodat), 2}, {FCHMODAT2, 2},
        {SCMP_SYS(mkdir), 1}, {SCMP_SYS(mkdirat), 2}, {SCMP_SYS(mknod), 1},
        {SCMP_SYS(mknodat), 2}, {SCMP_SYS(creat), 1},
    };
    static const mode_t bits[] = {S_ISUID, S_ISGID};
    bool x32 = rules->architecture == SCMP_ARCH_X32;
    for (size_t b = 0; b < ARRAY_SIZE(bits); b++) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
            forbid_if(rules, EPERM,
                      rows[i].call == FCHMODAT2 && x32 ? FCHMODAT2 | X32_BIT : rows[i].call,
                      has_bits(rows[i].mode, bits[b]));
        struct scmp_arg_cmp open[] = {has_bits(1, O_CREAT), has_bits(2, bits[b])};
        struct scmp_arg_cmp openat[] = {has_bits(2, O_CREAT), has_bits(3, bits[b])};
        forbid_when(rules, EPERM, SCMP_SYS(open), ARRAY_SIZE(open), open);
        forbid_when(rules, EPERM, SCMP_SYS(openat), ARRAY_SIZE(openat), openat);
    }
    forbid(rules, ENOSYS, SCMP_SYS(openat2));
    forbid(rules, ENOSYS, SCMP_SYS(io_uring_setup));
}

/* The one that it begins with stays. */
static void add_personality(struct rules *rules) {
    uint32_t now = HOLDEN_HAS(rules->properties, properties, personality)
                       ? rules->properties->personality
                       : (uint32_t)personality(UINT32_MAX);
    forbid_if(rules, EPERM, SCMP_SYS(personality), compare(0, SCMP_CMP_NE, now));
}

/* On i386 and s390 mmap(2) has its arguments in memory, and mmap2 is what programs use. */
static void add_write_execute(struct rules *rules) {
    bool old = rules->architecture == SCMP_ARCH_X86 || rules->architecture == SCMP_ARCH_S390;
    bool two = old || rules->architecture == SCMP_ARCH_ARM;
    forbid_if(rules, EPERM, two ? SCMP_SYS(mmap2) : SCMP_SYS(mmap),
              has_bits(2, PROT_EXEC | PROT_WRITE));
    if (old)
        forbid(rules, EPERM, SCMP_SYS(mmap));
    forbid_if(rules, EPERM, SCMP_SYS(mprotect), has_bits(2, PROT_EXEC));
    forbid_if(rules, EPERM, SCMP_SYS(pkey_mprotect), has_bits(2, PROT_EXEC));
    forbid_if(rules, EPERM, SCMP_SYS(shmat), has_bits(2, SHM_EXEC));
}

static void add_clock(struct rules *rules) {
    forbid_set(rules, "@clock");
}

static void add_hostname(struct rules *rules) {
    forbid(rules, EPERM, SCMP_SYS(sethostname));
    forbid(rules, EPERM, SCMP_SYS(setdomainname));
}

static void add_modules(struct rules *rules) {
    forbid_set(rules, "@module");
}

static void add_kernel_log(struct rules *rules) {
    forbid(rules, EPERM, SCMP_SYS(syslog));
}

static void add_tunables(struct rules *rules) {
    forbid(rules, EPERM, SCMP_SYS(_sysctl));
}

static void add_devices(struct rules *rules) {
    forbid_set(rules, "@raw-io");
}

/* By name: the halves of the Protect properties belong to rows that others apply as well. */
static const struct row {
    const char *property;
    void (*add)(struct rules *rules);
} rows[] = {
    {"RestrictNamespaces", add_namespaces},
    {"RestrictAddressFamilies", add_families},
    {"RestrictRealtime", add_realtime},
    {"RestrictSUIDSGID", add_set_id},
    {"LockPersonality", add_personality},
    {"MemoryDenyWriteExecute", add_write_execute},
    {"ProtectClock", add_clock},
    {"ProtectHostname", add_hostname},
    {"ProtectKernelModules", add_modules},
    {"ProtectKernelLogs", add_kernel_log},
    {"ProtectKernelTunables", add_tunables},
    {"PrivateDevices", add_devices},
};

void restrict_mark(const struct holden_properties *properties, struct holden_properties *only) {
    size_t index;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (holden_property_find(rows[i].property, &index) == 0 && holden_has(properties, index))
            holden_mark(only, index);
    if (HOLDEN_HAS(properties, properties, lock_personality) &&
        HOLDEN_HAS(properties, properties, personality))
        HOLDEN_MARK(only, properties, personality);
}

/* Whether the row's property is set, and to something else than "no". */
static bool wants(const struct holden_properties *properties, size_t number) {
    size_t index;
    if (holden_property_find(rows[number].property, &index) < 0 || !holden_has(properties, index))
        return false;
    const struct holden_field *field = &holden_record_properties.fields[index];
    const uint8_t *member = (const uint8_t *)properties + field->offset;
    return field->type != HOLDEN_TYPE_BOOL || *(const bool *)(const void *)member;
}

bool restrict_wanted(const struct holden_properties *properties) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (wants(properties, i))
            return true;
    return false;
}

/* A filter of one architecture, with the rules that are wanted there: those of the rows from
 * `first` to before `end`. */
static int make(const struct holden_properties *properties, uint32_t architecture, size_t first,
                size_t end, scmp_filter_ctx *out) {
    _cleanup_(release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return -ENOMEM;
    if (architecture != seccomp_arch_native()) {
        int r = seccomp_arch_remove(filter, seccomp_arch_native());
        if (r == 0)
            r = seccomp_arch_add(filter, architecture);
        if (r < 0)
            return r;
    }
    struct rules rules = {filter, architecture, properties, 0};
    for (size_t i = first; i < end && rules.error == 0; i++)
        if (wants(properties, i))
            rows[i].add(&rules);
    if (rules.error == 0)
        *out = TAKE_POINTER(filter);
    return rules.error;
}

static int make_all(const struct holden_properties *properties, bool native, scmp_filter_ctx *out) {
    _cleanup_(release) scmp_filter_ctx all = NULL;
    int r = make(properties, seccomp_arch_native(), 0, ARRAY_SIZE(rows), &all);
    uint32_t other;
    for (size_t i = 0; r == 0 && !native && architecture_companion(i, &other); i++) {
        scmp_filter_ctx one = NULL;
        r = make(properties, other, 0, ARRAY_SIZE(rows), &one);
        if (r == 0)
            r = seccomp_merge(all, one);
        if (r < 0)
            release(&one);
    }
    if (r == 0)
        *out = TAKE_POINTER(all);
    return r;
}

int restrict_compile(const struct holden_properties *properties, bool native,
                     struct program *program, struct failure *failure) {
    _cleanup_(release) scmp_filter_ctx filter = NULL;
    int r = make_all(properties, native, &filter);
    if (r == 0)
        r = program_compile(filter, program);
    return r < 0 ? failure_errno(failure, -r, "seccomp", "cannot compile the restrictions") : 0;
}

/* Whether the row alone would refuse the call. */
static bool refuses(const struct holden_properties *properties, size_t row,
                    const struct seccomp_data *call) {
    _cleanup_(release) scmp_filter_ctx filter = NULL;
    _cleanup_(program_free) struct program program = {0};
    return wants(properties, row) &&
           make(properties, seccomp_arch_native(), row, row + 1, &filter) == 0 &&
           program_compile(filter, &program) == 0 &&
           program_run(&program, call, NULL) != SECCOMP_RET_ALLOW;
}

void restrict_remedy(const struct holden_properties *properties, const struct seccomp_data *call,
                     char *text, size_t space) {
    size_t row = 0;
    size_t index;
    while (row < ARRAY_SIZE(rows) - 1 && !refuses(properties, row, call))
        row++;
    const char *name = rows[row].property;
    bool boolean = holden_property_find(name, &index) == 0 &&
                   holden_record_properties.fields[index].type == HOLDEN_TYPE_BOOL;
    snprintf(text, space, boolean ? "%s=no" : "a wider %s=", name);
}
