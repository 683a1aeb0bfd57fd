#include "agent/plan.h"

#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "agent/capability.h"
#include "agent/directory.h"
#include "agent/filter.h"
#include "agent/mounts.h"
#include "agent/plan_build.h"
#include "agent/process.h"
#include "common/cleanup.h"
#include "protocol/property.h"

static const char *const step_words[] = {
#define STEP(name, words) [PLAN_STEP_##name] = (words),
    PLAN_STEPS(STEP)
#undef STEP
};

const char *plan_step_words(uint32_t step) {
    return step < ARRAY_SIZE(step_words) ? step_words[step] : "unknown step";
}

/* The plan while it is made: offsets stay true when the buffer moves, pointers would not. */
struct draft {
    struct buffer *out;
    int error;
};

static struct plan *head(const struct draft *draft) {
    return (struct plan *)(void *)buffer_bytes(draft->out);
}

/* Appends bytes at an 8-aligned offset, which is returned. After a failure all calls do nothing. */
static uint32_t put(struct draft *draft, const void *bytes, size_t size) {
    static const uint8_t zeros[8];
    if (draft->error < 0)
        return 0;
    size_t pad = (8 - draft->out->size % 8) % 8;
    draft->error = buffer_append(draft->out, zeros, pad);
    size_t at = draft->out->size;
    if (draft->error == 0)
        draft->error = buffer_append(draft->out, bytes, size);
    return (uint32_t)at;
}

static struct plan_run put_string(struct draft *draft, struct holden_view text) {
    uint32_t at = put(draft, text.data, text.size);
    if (draft->error == 0)
        draft->error = buffer_append(draft->out, "", 1);
    return (struct plan_run){at, (uint32_t)text.size + 1};
}

/* Strings collected for argv, envp or the paths to try: their offsets, growing. */
struct strings {
    struct buffer offsets;
    uint32_t count;
};

static void add_string(struct draft *draft, struct strings *strings, struct holden_view text) {
    uint64_t at = put_string(draft, text).at;
    if (draft->error == 0)
        draft->error = buffer_append(&strings->offsets, &at, sizeof(at));
    strings->count++;
}

static struct plan_run put_strings(struct draft *draft, struct strings *strings) {
    static const uint64_t end = 0;
    if (draft->error == 0)
        draft->error = buffer_append(&strings->offsets, &end, sizeof(end));
    uint32_t at = draft->error < 0
                      ? 0
                      : put(draft, buffer_bytes(&strings->offsets), strings->offsets.size);
    struct plan_run run = {at, strings->count};
    buffer_free(&strings->offsets);
    return run;
}

static void put_limits(struct draft *draft, const struct holden_properties *properties) {
    struct plan_limit limits[HOLDEN_LIMITS];
    uint32_t count = 0;
    for (size_t i = 0; i < HOLDEN_LIMITS; i++) {
        struct holden_resource_limit limit;
        struct holden_fault fault;
        if (!holden_has(properties, holden_limits[i].index))
            continue;
        const struct holden_nested *nested = (const void *)((const uint8_t *)properties +
            holden_record_properties.fields[holden_limits[i].index].offset);
        if (holden_decode(&holden_record_resource_limit, nested->bytes.data, nested->bytes.size,
                          &limit, &fault) == 0)
            limits[count++] = (struct plan_limit){(uint32_t)holden_limits[i].resource, 0, limit.soft,
                                                  limit.hard};
    }
    struct plan_run run = {put(draft, limits, count * sizeof(limits[0])), count};
    if (draft->error == 0)
        head(draft)->limits = run;
}

static void put_groups(struct draft *draft, const struct plan_input *input) {
    struct plan_run run = {put(draft, input->groups, input->group_count * sizeof(uint32_t)),
                           (uint32_t)input->group_count};
    if (draft->error == 0)
        head(draft)->groups = run;
}

/* Environment: what every process gets, unless the request says otherwise. */
static bool names_path(struct holden_view assignment) {
    return assignment.size >= 5 && memcmp(assignment.data, "PATH=", 5) == 0;
}

/* The assignment of PATH: the last that the request has. */
static struct holden_view path_assignment(const struct holden_properties *properties) {
    struct holden_view found = holden_view(
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    struct holden_repeated left = properties->environment;
    struct holden_view view;
    while (HOLDEN_HAS(properties, properties, environment) && holden_next_view(&left, &view))
        if (names_path(view))
            found = view;
    return found;
}

/* What its own directories are called in the environment. */
static void add_directories(struct draft *draft, struct strings *strings,
                            const struct holden_properties *properties) {
    for (unsigned kind = 0; kind < DIRECTORY_KINDS && draft->error == 0; kind++) {
        _cleanup_(buffer_free) struct buffer text = {0};
        draft->error = directory_environment(properties, kind, &text);
        if (text.size > 0)
            add_string(draft, strings,
                       (struct holden_view){(const char *)buffer_bytes(&text), text.size});
    }
}

static void add_credentials(struct draft *draft, struct strings *strings, const char *path) {
    char text[PATH_MAX + NAME_MAX + 32];
    snprintf(text, sizeof(text), "CREDENTIALS_DIRECTORY=%s", path);
    add_string(draft, strings, holden_view(text));
}

static void put_environment(struct draft *draft, const struct plan_input *input) {
    struct strings strings = {0};
    char text[160];
    add_string(draft, &strings, path_assignment(input->properties));
    snprintf(text, sizeof(text), "HOLDEN_NAME=%s", input->process->name);
    add_string(draft, &strings, holden_view(text));
    if (input->notify) {
        snprintf(text, sizeof(text), "NOTIFY_SOCKET=%s", input->notify);
        add_string(draft, &strings, holden_view(text));
    }
    if (input->credentials && *input->credentials)
        add_credentials(draft, &strings, input->credentials);
    add_directories(draft, &strings, input->properties);
    struct holden_repeated left = input->properties->environment;
    struct holden_view view;
    while (HOLDEN_HAS(input->properties, properties, environment) && holden_next_view(&left, &view))
        if (!names_path(view))
            add_string(draft, &strings, view);
    struct plan_run run = put_strings(draft, &strings);
    if (draft->error == 0)
        head(draft)->environment = run;
}

/* The paths that execvp(3) would try. */
static void put_paths(struct draft *draft, const struct plan_input *input,
                      struct holden_view command) {
    struct strings strings = {0};
    /* What is longer than a file's name can be is in no directory: exec says so. */
    bool direct = memchr(command.data, '/', command.size) || command.size > NAME_MAX;
    if (direct)
        add_string(draft, &strings, command);
    struct holden_view path = path_assignment(input->properties);
    for (size_t at = strlen("PATH="); !direct && at <= path.size;) {
        const char *end = at < path.size ? memchr(path.data + at, ':', path.size - at) : NULL;
        size_t size = (end ? (size_t)(end - path.data) : path.size) - at;
        char text[PATH_MAX + NAME_MAX + 2];
        /* An empty part is the current directory; one too long for a path is none. */
        snprintf(text, sizeof(text), "%.*s%s%.*s", (int)(size < PATH_MAX ? size : 0),
                 path.data + at, size > 0 ? "/" : "", (int)command.size, command.data);
        if (size < PATH_MAX)
            add_string(draft, &strings, holden_view(text));
        at += size + 1;
    }
    struct plan_run run = put_strings(draft, &strings);
    if (draft->error == 0)
        head(draft)->paths = run;
}

static void put_arguments(struct draft *draft, const struct plan_input *input) {
    struct strings strings = {0};
    struct holden_repeated left = input->start->argument;
    struct holden_view view;
    while (holden_next_view(&left, &view)) {
        if (strings.count == 0)
            put_paths(draft, input, view);
        add_string(draft, &strings, view);
    }
    struct plan_run run = put_strings(draft, &strings);
    if (draft->error == 0)
        head(draft)->arguments = run;
}

/* ---- standard streams ---- */

static const uint32_t sources[] = {
    [HOLDEN_stream_kind_NULL] = PLAN_SOURCE_NULL,
    [HOLDEN_stream_kind_LOG] = PLAN_SOURCE_PASSED,
    [HOLDEN_stream_kind_JOURNAL] = PLAN_SOURCE_JOURNAL,
    [HOLDEN_stream_kind_FILE] = PLAN_SOURCE_WRITE,
    [HOLDEN_stream_kind_APPEND] = PLAN_SOURCE_APPEND,
    [HOLDEN_stream_kind_TRUNCATE] = PLAN_SOURCE_TRUNCATE,
    [HOLDEN_stream_kind_INHERIT] = PLAN_SOURCE_OUTPUT,
    [HOLDEN_stream_kind_PASSED] = PLAN_SOURCE_PASSED,
};

/* The header of journald's stream protocol: identifier, unit (which only a manager of units may
 * name), priority, whether lines may have a level of their own, then no forwarding to syslog, kmsg
 * or console. The defaults are those of systemd.exec(5). */
static struct plan_run put_journal_header(struct draft *draft, const struct plan_input *input) {
    const struct holden_properties *p = input->properties;
    char text[320];
    uint32_t facility = HOLDEN_HAS(p, properties, syslog_facility)
                            ? p->syslog_facility
                            : (uint32_t)HOLDEN_syslog_facility_DAEMON;
    uint32_t level = HOLDEN_HAS(p, properties, syslog_level) ? p->syslog_level
                                                             : (uint32_t)HOLDEN_syslog_level_INFO;
    bool prefix = !HOLDEN_HAS(p, properties, syslog_level_prefix) || p->syslog_level_prefix;
    struct holden_view name = process_identifier(input->process, p);
    snprintf(text, sizeof(text), "%.*s\n\n%u\n%d\n0\n0\n0\n", (int)name.size, name.data,
             facility << 3 | level, prefix);
    return put_string(draft, holden_view(text));
}

static void put_stream(struct draft *draft, const struct plan_input *input, unsigned number) {
    const struct plan_stream_input *from = &input->streams[number];
    struct plan_stream stream = {.source = sources[from->kind], .passed = from->passed};
    if (number == 0 && from->kind == HOLDEN_stream_kind_FILE)
        stream.source = input->streams[1].kind == HOLDEN_stream_kind_INHERIT ? PLAN_SOURCE_BOTH
                                                                             : PLAN_SOURCE_READ;
    if (number == 1 && from->kind == HOLDEN_stream_kind_INHERIT)
        stream.source = PLAN_SOURCE_INPUT;
    if (from->kind == HOLDEN_stream_kind_JOURNAL)
        stream.path = put_journal_header(draft, input);
    else if (from->path.size > 0)
        stream.path = put_string(draft, from->path);
    if (draft->error == 0)
        head(draft)->stream[number] = stream;
}

/* ---- the rest of the head ---- */

static void put_scheduling(struct draft *draft, const struct holden_properties *properties) {
    struct plan *plan = head(draft);
    if (HOLDEN_HAS(properties, properties, nice)) {
        plan->has |= PLAN_HAS_NICE;
        plan->nice = (int32_t)properties->nice;
    }
    if (HOLDEN_HAS(properties, properties, oom_score_adjust)) {
        plan->has |= PLAN_HAS_OOM_SCORE;
        plan->oom_score = (int32_t)properties->oom_score_adjust;
    }
    plan->umask = HOLDEN_HAS(properties, properties, umask) ? properties->umask : 0022;
    if (!HOLDEN_HAS(properties, properties, cpu_affinity))
        return;
    plan->has |= PLAN_HAS_AFFINITY;
    struct plan_run run = {put(draft, properties->cpu_affinity.data, properties->cpu_affinity.size),
                           (uint32_t)properties->cpu_affinity.size};
    if (draft->error == 0)
        head(draft)->affinity = run;
}

/* What is not said of the policy is as systemd has it: real time begins at priority 1. */
static void put_policy(struct plan *plan, const struct holden_properties *properties) {
    bool set = HOLDEN_HAS(properties, properties, cpu_scheduling_policy) ||
               HOLDEN_HAS(properties, properties, cpu_scheduling_reset_on_fork);
    uint32_t policy = HOLDEN_HAS(properties, properties, cpu_scheduling_policy)
                          ? properties->cpu_scheduling_policy
                          : SCHED_OTHER;
    if (!set)
        return;
    plan->has |= PLAN_HAS_POLICY;
    plan->policy = policy;
    if (policy == SCHED_FIFO || policy == SCHED_RR)
        plan->priority = HOLDEN_HAS(properties, properties, cpu_scheduling_priority)
                             ? (uint32_t)properties->cpu_scheduling_priority
                             : 1;
    if (HOLDEN_HAS(properties, properties, cpu_scheduling_reset_on_fork) &&
        properties->cpu_scheduling_reset_on_fork)
        plan->policy |= SCHED_RESET_ON_FORK;
}

/* Without a class, a priority is one of best effort; a class has the middle one unless told. */
static void put_io_priority(struct plan *plan, const struct holden_properties *properties) {
    enum { CLASS_SHIFT = 13, PRIORITY_USUAL = 4 };
    bool has_priority = HOLDEN_HAS(properties, properties, io_scheduling_priority);
    bool has_class = HOLDEN_HAS(properties, properties, io_scheduling_class);
    uint32_t class = has_class ? properties->io_scheduling_class
                               : (uint32_t)HOLDEN_io_class_BEST_EFFORT;
    if (!has_priority && !has_class)
        return;
    plan->has |= PLAN_HAS_IO_PRIORITY;
    if (class != HOLDEN_io_class_NONE)
        plan->io_priority = class << CLASS_SHIFT |
                            (has_priority ? (uint32_t)properties->io_scheduling_priority
                                          : PRIORITY_USUAL);
}

void plan_tuning(struct plan *plan, const struct holden_properties *properties) {
    put_policy(plan, properties);
    put_io_priority(plan, properties);
    if (HOLDEN_HAS(properties, properties, timer_slack))
        plan->slack = properties->timer_slack;
    if (HOLDEN_HAS(properties, properties, keyring_mode))
        plan->keyring = properties->keyring_mode;
    if (HOLDEN_HAS(properties, properties, personality)) {
        plan->has |= PLAN_HAS_PERSONALITY;
        plan->personality = properties->personality;
    }
}

static void put_directory(struct draft *draft, const struct holden_properties *properties) {
    if (!HOLDEN_HAS(properties, properties, working_directory))
        return;
    struct holden_view path = properties->working_directory;
    uint32_t has = PLAN_HAS_DIRECTORY;
    if (path.size > 0 && path.data[0] == '-') {
        has |= PLAN_HAS_DIRECTORY_OPTIONAL;
        path = (struct holden_view){path.data + 1, path.size - 1};
    }
    struct plan_run run = put_string(draft, path);
    if (draft->error < 0)
        return;
    head(draft)->has |= has;
    head(draft)->directory = run;
}

static const struct {
    size_t index;
    uint32_t flag;
} namespaces[] = {
    {HOLDEN_INDEX(properties, private_network), CLONE_NEWNET},
    {HOLDEN_INDEX(properties, private_ipc), CLONE_NEWIPC},
    {HOLDEN_INDEX(properties, protect_hostname), CLONE_NEWUTS},
    {HOLDEN_INDEX(properties, private_users), CLONE_NEWUSER},
    {HOLDEN_INDEX(properties, private_pids), CLONE_NEWPID},
};

/* A network namespace that is named is entered in place of a new one. */
static void put_namespaces(struct draft *draft, const struct holden_properties *properties) {
    uint32_t flags = 0;
    struct plan_run network = {0};
    for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
        if (holden_has(properties, namespaces[i].index) &&
            *((const uint8_t *)properties +
              holden_record_properties.fields[namespaces[i].index].offset))
            flags |= namespaces[i].flag;
    if (HOLDEN_HAS(properties, properties, network_namespace_path)) {
        network = put_string(draft, properties->network_namespace_path);
        flags &= ~(uint32_t)CLONE_NEWNET;
    }
    if (draft->error < 0)
        return;
    head(draft)->namespaces = flags;
    head(draft)->network = network;
}

/* The offset of a string that is a pointer yet; 0 for none. */
static uint64_t put_pointed(struct draft *draft, uint64_t pointer) {
    const char *text = (const char *)(uintptr_t)pointer;
    return text ? put_string(draft, holden_view(text)).at : 0;
}

static void put_mounts(struct draft *draft, const struct plan_input *input) {
    const struct mounts *mounts = input->mounts;
    if (!mounts || !mounts->own)
        return;
    struct plan_run root = {0}, nodes = {0};
    if (mounts->root)
        root = put_string(draft, holden_view(mounts->root));
    if (mounts->inaccessible)
        nodes = put_string(draft, holden_view(input->nodes));
    struct plan_run run = {put(draft, mounts->at, mounts->count * sizeof(*mounts->at)),
                           (uint32_t)mounts->count};
    for (size_t i = 0; i < mounts->count && draft->error == 0; i++) {
        struct plan_mount mount = mounts->at[i];
        mount.path = put_pointed(draft, mount.path);
        mount.source = put_pointed(draft, mount.source);
        mount.options = put_pointed(draft, mount.options);
        if (draft->error == 0)
            memcpy((uint8_t *)head(draft) + run.at + i * sizeof(mount), &mount, sizeof(mount));
    }
    if (draft->error < 0)
        return;
    head(draft)->has |= PLAN_HAS_MOUNTS;
    head(draft)->root = root;
    head(draft)->nodes = nodes;
    head(draft)->mounts = run;
}

static void put_own_directories(struct draft *draft, const struct holden_properties *properties) {
    _cleanup_(buffer_free) struct buffer list = {0};
    struct plan_run run = {put(draft, NULL, 0), 0};
    if (draft->error == 0)
        draft->error = plan_directories(properties, run.at, &list, &run.count);
    if (run.count == 0)
        return;
    put(draft, buffer_bytes(&list), list.size);
    if (draft->error == 0)
        head(draft)->directories = run;
}

static struct plan_run put_program(struct draft *draft, const struct program *program,
                                   uint32_t before) {
    uint32_t at = put(draft, program->instructions, program->count * sizeof(struct sock_filter));
    uint32_t count = before > 0 ? (at - before) / (uint32_t)sizeof(struct sock_filter) : 0;
    return (struct plan_run){before > 0 ? before : at, count + (uint32_t)program->count};
}

/* What lets the child, and nobody who comes after it, send the listener. Where it begins. */
static uint32_t put_pass(struct draft *draft) {
    struct sock_filter code[PROGRAM_PASS];
    uint64_t pass[2];
    if (getrandom(pass, sizeof(pass), GRND_NONBLOCK) != sizeof(pass)) {
        draft->error = -errno;
        return 0;
    }
    program_pass(pass, code);
    uint32_t at = put(draft, code, sizeof(code));
    if (draft->error == 0)
        memcpy(head(draft)->pass, pass, sizeof(pass));
    return at;
}

static void put_filter(struct draft *draft, const struct filter *filter) {
    if (!filter)
        return;
    if (draft->error < 0)
        return;
    struct plan_run run = head(draft)->has & PLAN_HAS_LISTENER
                              ? put_program(draft, &filter->asking, put_pass(draft))
                              : put_program(draft, &filter->program, 0);
    if (draft->error < 0)
        return;
    head(draft)->has |= PLAN_HAS_FILTER;
    head(draft)->filter = run;
}

int plan_build(const struct plan_input *input, struct buffer *out) {
    struct plan plan = {
        .magic = PLAN_MAGIC,
        .token = input->process->id,
        .report = input->report,
        .has = input->has,
        .uid = input->uid,
        .gid = input->gid,
        .bounding = input->bounding,
        .inheritable = input->inheritable,
        .ambient = input->ambient,
    };
    struct draft draft = {.out = out, .error = buffer_append(out, &plan, sizeof(plan))};
    if (draft.error < 0)
        return draft.error;
    for (unsigned i = 0; i < 3; i++)
        put_stream(&draft, input, i);
    if (draft.error == 0)
        plan_tuning(head(&draft), input->properties);
    if (draft.error == 0)
        put_scheduling(&draft, input->properties);
    put_limits(&draft, input->properties);
    put_groups(&draft, input);
    put_directory(&draft, input->properties);
    put_own_directories(&draft, input->properties);
    put_namespaces(&draft, input->properties);
    put_mounts(&draft, input);
    put_filter(&draft, input->filter);
    put_environment(&draft, input);
    put_arguments(&draft, input);
    if (draft.error == 0)
        head(&draft)->size = (uint32_t)out->size;
    return draft.error;
}
