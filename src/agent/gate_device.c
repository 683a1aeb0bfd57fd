#include "agent/gate_device.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <linux/major.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

enum { ALL = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE, ACCESS_AT = 16,
       NAME_MOST = 256, LOOP_CONTROL_MINOR = 237 };

/* Registers, once begin() has filled them. */
enum { SCRATCH = BPF_REG_0, KIND = BPF_REG_2, ACCESS = BPF_REG_3, MAJOR = BPF_REG_4,
       MINOR = BPF_REG_5 };

struct rule {
    uint32_t kind, access; /* BPF_DEVCG_DEV_*, BPF_DEVCG_ACC_* */
    int64_t major, minor;  /* -1: any */
};

static void begin(struct bytecode *program) {
    bytecode_word(program, KIND, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, access_type));
    bytecode_word(program, MAJOR, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, major));
    bytecode_word(program, MINOR, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, minor));
    bytecode_add(program, BPF_ALU | BPF_MOV | BPF_X, ACCESS, KIND, 0, 0);
    bytecode_add(program, BPF_ALU | BPF_RSH | BPF_K, ACCESS, 0, 0, ACCESS_AT);
    bytecode_mask(program, KIND, (1U << ACCESS_AT) - 1);
}

/* What is asked for must be all within one rule, as with systemd. */
static void allow(struct bytecode *program, const struct rule *rule) {
    bool part = (rule->access & ALL) != ALL;
    int left = 1 + (rule->major >= 0) + (rule->minor >= 0) + 3 * part + BYTECODE_RETURN;
    bytecode_unless(program, KIND, rule->kind, --left);
    if (rule->major >= 0)
        bytecode_unless(program, MAJOR, (uint32_t)rule->major, --left);
    if (rule->minor >= 0)
        bytecode_unless(program, MINOR, (uint32_t)rule->minor, --left);
    if (part) {
        bytecode_add(program, BPF_ALU | BPF_MOV | BPF_X, SCRATCH, ACCESS, 0, 0);
        bytecode_mask(program, SCRATCH, ALL & ~rule->access);
        bytecode_unless(program, SCRATCH, 0, BYTECODE_RETURN);
    }
    bytecode_return(program, true);
}

/* Whether a line of /proc/devices is of that name: "136 pts". */
static bool names(char *line, const char *pattern, int64_t *major) {
    char *end;
    *major = strtol(line, &end, 10);
    end[strcspn(end, "\n")] = '\0';
    return end != line && fnmatch(pattern, end + strspn(end, " "), 0) == 0;
}

/* One rule for each class of that kind whose name matches. */
static int allow_named(struct bytecode *program, struct rule rule, const char *pattern) {
    char line[NAME_MOST];
    bool block = false;
    FILE *file = fopen("/proc/devices", "re");
    if (!file)
        return -errno;
    while (fgets(line, sizeof(line), file)) {
        if (!isspace((unsigned char)line[0]) && isalpha((unsigned char)line[0]))
            block = strncmp(line, "Block", strlen("Block")) == 0;
        else if (block == (rule.kind == BPF_DEVCG_DEV_BLOCK) && names(line, pattern, &rule.major))
            allow(program, &rule);
    }
    int r = ferror(file) ? -EIO : 0;
    fclose(file);
    return r;
}

static int allow_class(struct bytecode *program, struct rule rule, const char *pattern) {
    char *end;
    rule.major = rule.minor = -1;
    if (strcmp(pattern, "*") == 0) {
        allow(program, &rule);
        return 0;
    }
    if (isdigit((unsigned char)*pattern)) {
        rule.major = strtol(pattern, &end, 10);
        if (*end == '\0' && rule.major <= UINT32_MAX) {
            allow(program, &rule);
            return 0;
        }
    }
    return allow_named(program, rule, pattern);
}

/* A path whose device was not there when it was read allows none. */
static int allow_device(struct bytecode *program, const struct holden_device *device) {
    static const struct {
        const char *prefix;
        uint32_t kind;
    } classes[] = {{"char-", BPF_DEVCG_DEV_CHAR}, {"block-", BPF_DEVCG_DEV_BLOCK}};
    char name[NAME_MOST];
    struct rule rule = {.kind = device->block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR,
                        .access = device->access,
                        .major = device->major,
                        .minor = device->minor};
    snprintf(name, sizeof(name), "%.*s",
             (int)(device->name.size < NAME_MOST ? device->name.size : NAME_MOST),
             device->name.data);
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        size_t size = strlen(classes[i].prefix);
        if (strncmp(name, classes[i].prefix, size) == 0) {
            rule.kind = classes[i].kind;
            return allow_class(program, rule, name + size);
        }
    }
    if (HOLDEN_HAS(device, device, major) && HOLDEN_HAS(device, device, minor))
        allow(program, &rule);
    return 0;
}

static int allow_all(struct bytecode *program, const struct holden_devices *devices) {
    struct holden_repeated left = devices->device;
    struct holden_nested nested;
    int r = 0;
    while (r == 0 && holden_next_record(&left, &nested)) {
        struct holden_device decoded;
        const struct holden_device *device =
            holden_nested_value(&holden_record_device, &nested, &decoded);
        r = device ? allow_device(program, device) : -EBADMSG;
    }
    return r;
}

/* Those that everybody may have; the two of major number 0 stand for what is inaccessible, so that
 * it says so (InaccessiblePaths=). */
static int allow_standard(struct bytecode *program) {
    static const struct rule standard[] = {
#define DEVICE(name, major, minor) {BPF_DEVCG_DEV_CHAR, ALL, major, minor},
#include "agent/standard_devices.def"
        {BPF_DEVCG_DEV_CHAR, ALL, 0, 0},
        {BPF_DEVCG_DEV_BLOCK, ALL, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
        allow(program, &standard[i]);
    return allow_class(program,
                       (struct rule){.kind = BPF_DEVCG_DEV_CHAR,
                                     .access = BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE},
                       "pts");
}

/* What an image is mounted by, as systemd.exec(5) has it of RootImage=. */
static int allow_loop(struct bytecode *program) {
    allow(program, &(struct rule){BPF_DEVCG_DEV_CHAR, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE,
                                  MISC_MAJOR, LOOP_CONTROL_MINOR});
    const struct rule block = {.kind = BPF_DEVCG_DEV_BLOCK, .access = ALL};
    int r = allow_class(program, block, "loop");
    return r == 0 ? allow_class(program, block, "blkext") : r;
}

int gate_device_build(const struct holden_properties *properties, struct bytecode *program) {
    struct holden_devices decoded = {0};
    const struct holden_devices *devices = &decoded;
    bool clock = HOLDEN_HAS(properties, properties, protect_clock) && properties->protect_clock;
    bool closed =
        HOLDEN_HAS(properties, properties, private_devices) && properties->private_devices;
    uint32_t policy = HOLDEN_HAS(properties, properties, device_policy)
                          ? properties->device_policy
                          : HOLDEN_device_policy_AUTO;
    if (HOLDEN_HAS(properties, properties, device_allow))
        devices = holden_nested_value(&holden_record_devices, &properties->device_allow, &decoded);
    if (!devices)
        return -EBADMSG;
    if (policy == HOLDEN_device_policy_AUTO && !closed && devices->device.count == 0)
        return 0;
    begin(program);
    int r = policy == HOLDEN_device_policy_STRICT ? 0 : allow_standard(program);
    if (r == 0 && clock)
        r = allow_class(program,
                        (struct rule){.kind = BPF_DEVCG_DEV_CHAR, .access = BPF_DEVCG_ACC_READ},
                        "rtc");
    if (r == 0 && HOLDEN_HAS(properties, properties, root_image))
        r = allow_loop(program);
    if (r == 0)
        r = allow_all(program, devices);
    bytecode_return(program, false);
    return r;
}
