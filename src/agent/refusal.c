#include "agent/refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/child_directory.h"
#include "agent/directory.h"
#include "agent/label.h"
#include "agent/landlock.h"
#include "agent/lift.h"
#include "agent/mounts.h"
#include "agent/phase.h"
#include "common/cleanup.h"
#include "protocol/property.h"

void refusal_say(struct failure *failure, const char *step, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof(failure->text), format, arguments);
    va_end(arguments);
    failure->code = HOLDEN_code_FAILED;
    failure->step = step;
}

void refusal_blame(struct failure *failure, const char *setting) {
    bool own = !failure->step || strcmp(failure->step, setting) == 0;
    struct failure step = *failure;
    refusal_say(failure, setting, "%s%s%s", own ? "" : step.step, own ? "" : ": ", step.text);
}

/* What was to become the standard stream, for people. */
static const char *describe_stream(const struct process *process, uint32_t step, int error,
                                   char *text, size_t space) {
    struct holden_start start;
    struct holden_properties p;
    struct holden_stream stream = {0};
    struct holden_fault fault;
    process_request(process, &start, &p);
    const struct holden_nested *asked = step == PLAN_STEP_STDIN    ? &p.standard_input
                                        : step == PLAN_STEP_STDOUT ? &p.standard_output
                                                                   : &p.standard_error;
    if (asked->bytes.size == 0)
        stream.kind = step == PLAN_STEP_STDIN ? HOLDEN_stream_kind_NULL : HOLDEN_stream_kind_LOG;
    else if (holden_decode(&holden_record_stream, asked->bytes.data, asked->bytes.size, &stream,
                           &fault) < 0)
        return "";
    if (stream.kind == HOLDEN_stream_kind_JOURNAL)
        return "journald's socket /run/systemd/journal/stdout: ";
    if (stream.kind == HOLDEN_stream_kind_NULL && error == EPERM &&
        HOLDEN_HAS(&p, properties, device_policy) &&
        p.device_policy == HOLDEN_device_policy_STRICT)
        return "/dev/null, which DevicePolicy=strict gives only with DeviceAllow=/dev/null: ";
    if (stream.path.size == 0)
        return "";
    snprintf(text, space, "%.*s: ", (int)(stream.path.size < 1024 ? stream.path.size : 1024),
             stream.path.data);
    return text;
}

/* Of what is about the root: by detail and error, 0 for any. */
static const struct {
    uint32_t detail;
    int error;
    const char *text;
} root_words[] = {
    {PLAN_ROOT_LOOP, ENOENT,
     "there are no loop devices here (/dev/loop-control): load the module loop, or have the "
     "container given them"},
    {PLAN_ROOT_LOOP, ENXIO, "this kernel has no loop devices"},
    {PLAN_ROOT_LOOP, ENODEV, "this kernel has no loop devices"},
    {PLAN_ROOT_LOOP, EPERM, "the agent may not use loop devices here"},
    {PLAN_ROOT_LOOP, EBUSY,
     "it is mounted read-only already, and can be writable only at all of its mounts: set "
     "RootImageOptions=ro"},
    {PLAN_ROOT_KIND, 0,
     "it does not begin with a file system that is known: ext4, xfs, btrfs, squashfs, erofs"},
    {PLAN_ROOT_PARTITIONS, 0,
     "it is a disk with partitions: copy the one with the root file system into a file of its own"},
    {PLAN_ROOT_SYSTEM, ENODEV, "this kernel does not know its kind of file system"},
    {PLAN_ROOT_SYSTEM, EBUSY, "it is mounted already, read-only or not, and cannot be both"},
    {PLAN_ROOT_SYSTEM, EINVAL,
     "the kernel does not take it: it is damaged, or newer than the kernel"},
    {PLAN_ROOT_OPTIONS, EINVAL, "its file system has no such option, or no such value of it"},
};

static const char *describe_root(uint32_t detail, int error) {
    for (size_t i = 0; i < ARRAY_SIZE(root_words); i++)
        if (root_words[i].detail == detail &&
            (root_words[i].error == error || root_words[i].error == 0))
            return root_words[i].text;
    return strerror(error);
}

/* The plan is gone, but it comes out the same again. */
static void refuse_mount(const struct process *process, struct failure *failure, uint32_t rights,
                         uint32_t number, int error) {
    _cleanup_(mounts_free) struct mounts mounts = {0};
    struct holden_start start;
    struct holden_properties properties;
    struct failure ignored;
    const char *property, *path;
    process_request(process, &start, &properties);
    lift_sandbox(rights, &properties);
    mounts_collect(process, &properties, &mounts, &ignored);
    mounts_name(&mounts, number, &property, &path);
    refusal_say(failure, property, "%s: %s", path, describe_root(number, error));
}

static const char *describe_directory(int error) {
    switch (error) {
    case ENOTDIR:
        return "something that is no directory is there or on the way to it; symbolic links are "
               "not followed";
    case CHILD_DIRECTORY_EXPOSED:
        return "\"private\" above it must belong to root and be closed to all others: chmod 0700 "
               "it";
    case CHILD_QUOTA_IMPOSSIBLE:
        return "its file system has no project quotas in force, so it can have none: use ext4 with "
               "its features quota and project (tune2fs -O), or xfs, mounted with prjquota";
    case EXDEV:
        return "a file system is mounted right there, of which no percentage can be told: give it "
               "a quota in bytes";
    case EEXIST: return "no link can be made: something else has that name";
    default: return strerror(error);
    }
}

/* Likewise. */
static void refuse_directory(const struct process *process, struct failure *failure,
                             uint32_t number, int error) {
    struct holden_start start;
    struct holden_properties properties;
    struct directory_walk walk = {.properties = &properties};
    struct directory directory;
    char setting[64];
    process_request(process, &start, &properties);
    for (uint32_t i = 0; directory_next(&walk, &directory); i++) {
        struct holden_view path = directory.link.size > 0 ? directory.link : directory.name;
        if (i != number)
            continue;
        refusal_say(failure, directory.property, "%s/%.*s: %s", directory.prefix,
                    (int)(path.size < 512 ? path.size : 512), path.data,
                    describe_directory(error));
        if (error != CHILD_QUOTA_IMPOSSIBLE)
            continue;
        snprintf(setting, sizeof(setting), "%sQuota", directory.property);
        size_t index;
        if (holden_property_find(setting, &index) == 0)
            failure->step = holden_property(index)->name;
    }
}

/* Likewise. */
static void refuse_landlock(const struct process *process, struct failure *failure,
                            uint32_t number, int error) {
    struct holden_start start;
    struct holden_properties properties;
    struct landlock_walk walk = {.properties = &properties};
    struct landlock_rule rule = {.property = "Landlock"};
    process_request(process, &start, &properties);
    bool one = landlock_next(&walk, &rule);
    if (number == PLAN_ACCESS_NONE && (error == ENOSYS || error == EOPNOTSUPP)) {
        refusal_say(failure, rule.property, "this kernel has no Landlock: boot one with "
                                            "CONFIG_SECURITY_LANDLOCK and lsm=…,landlock");
        return;
    }
    for (uint32_t i = 0; one && i < number && number != PLAN_ACCESS_NONE; i++)
        one = landlock_next(&walk, &rule);
    if (number == PLAN_ACCESS_NONE)
        refusal_say(failure, rule.property, "%s", strerror(error));
    else
        refusal_say(failure, rule.property, "%.*s: %s",
                    (int)(rule.path.size < 256 ? rule.path.size : 256), rule.path.data,
                    strerror(error));
}

static void refuse_label(struct failure *failure, uint32_t number, int error) {
    refusal_say(failure, label_property(number < LABELS ? number : 0), "%s",
                error == ENOENT   ? "no such profile is loaded, or /proc is not there"
                : error == EINVAL ? "no such label"
                                  : strerror(error));
}

static void refuse_exec(const struct process *process, struct failure *failure,
                        const struct holden_start *what, int error) {
    struct holden_start start;
    struct holden_properties properties;
    struct holden_view command = phase_program(what);
    process_request(process, &start, &properties);
    lift_sandbox(what->rights, &properties);
    refusal_say(failure, plan_step_words(PLAN_STEP_EXEC), "%.*s: %s%s",
                (int)(command.size < 256 ? command.size : 256), command.data, strerror(error),
                error == EACCES && landlock_wanted(&properties)
                    ? "; LandlockExecPaths= must name it and its loader"
                    : "");
}

/* A command that is typed in /tmp starts there unless told otherwise. */
static void refuse_working_directory(const struct process *process, struct failure *failure,
                                     uint32_t rights, int error) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    lift_sandbox(rights, &properties);
    char path[512] = "/";
    struct holden_view given = properties.working_directory;
    if (HOLDEN_HAS(&properties, properties, working_directory))
        snprintf(path, sizeof(path), "%.*s", (int)given.size, given.data);
    bool hidden = error == ENOENT && HOLDEN_HAS(&properties, properties, private_tmp) &&
                  properties.private_tmp &&
                  (strncmp(path, "/tmp/", 5) == 0 || strncmp(path, "/var/tmp/", 9) == 0);
    refusal_say(failure, plan_step_words(PLAN_STEP_DIRECTORY), "%s: %s%s", path, strerror(error),
                hidden ? ", since PrivateTmp= hides it; set another with WorkingDirectory=" : "");
}

static void refuse_network(const struct process *process, struct failure *failure, int error) {
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    struct holden_view path = properties.network_namespace_path;
    if (HOLDEN_HAS(&properties, properties, network_namespace_path))
        refusal_say(failure, "NetworkNamespacePath", "%.*s: %s",
                    (int)(path.size < 256 ? path.size : 256), path.data,
                    error == EINVAL ? "no network namespace" : strerror(error));
    else
        refusal_say(failure, "PrivateNetwork", "%s", strerror(error));
}

void refusal_step(const struct process *process, struct failure *failure,
                  const struct holden_start *start, uint32_t step, int error, uint32_t detail) {
    const char *words = plan_step_words(step);
    if (step == PLAN_STEP_MOUNTS) {
        refuse_mount(process, failure, start->rights, detail, error);
    } else if (step == PLAN_STEP_DIRECTORIES) {
        refuse_directory(process, failure, detail, error);
    } else if (step == PLAN_STEP_EXEC) {
        refuse_exec(process, failure, start, error);
    } else if (step == PLAN_STEP_LABEL) {
        refuse_label(failure, detail, error);
    } else if (step == PLAN_STEP_LANDLOCK) {
        refuse_landlock(process, failure, detail, error);
    } else if (step >= PLAN_STEP_STDIN && step <= PLAN_STEP_STDERR) {
        char text[1100];
        refusal_say(failure, words, "%s%s",
                    describe_stream(process, step, error, text, sizeof(text)), strerror(error));
    } else if (step == PLAN_STEP_DIRECTORY) {
        refuse_working_directory(process, failure, start->rights, error);
    } else if (step == PLAN_STEP_NETWORK) {
        refuse_network(process, failure, error);
    } else
        refusal_say(failure, words, "%s", strerror(error));
}
