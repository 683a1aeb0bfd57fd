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
#include "agent/label.h"
#include "agent/mounts.h"
#include "agent/plan_build.h"
#include "agent/plan_draft.h"
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

static void put_groups(struct draft *draft, const struct plan_input *input) {
    struct plan_run run = {draft_put(draft, input->groups, input->group_count * sizeof(uint32_t)),
                           (uint32_t)input->group_count};
    if (draft->error == 0)
        draft_head(draft)->groups = run;
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
    [HOLDEN_stream_kind_DATA] = PLAN_SOURCE_PASSED,
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
    return draft_string(draft, holden_view(text));
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
        stream.path = draft_string(draft, from->path);
    if (draft->error == 0)
        draft_head(draft)->stream[number] = stream;
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
    struct plan_run run = draft_string(draft, path);
    if (draft->error < 0)
        return;
    draft_head(draft)->has |= has;
    draft_head(draft)->directory = run;
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
        network = draft_string(draft, properties->network_namespace_path);
        flags &= ~(uint32_t)CLONE_NEWNET;
    }
    if (draft->error < 0)
        return;
    draft_head(draft)->namespaces = flags;
    draft_head(draft)->network = network;
}

/* The offset of a string that is a pointer yet; 0 for none. */
static uint64_t put_pointed(struct draft *draft, uint64_t pointer) {
    const char *text = (const char *)(uintptr_t)pointer;
    return text ? draft_string(draft, holden_view(text)).at : 0;
}

static void put_mounts(struct draft *draft, const struct plan_input *input) {
    const struct mounts *mounts = input->mounts;
    if (!mounts || !mounts->own)
        return;
    struct plan_run root = {0}, options = {0}, nodes = {0};
    if (mounts->root)
        root = draft_string(draft, holden_view(mounts->root));
    if (mounts->image)
        options = draft_string(draft, holden_view(mounts->root_options));
    if (mounts->inaccessible)
        nodes = draft_string(draft, holden_view(input->nodes));
    struct plan_run run = {draft_put(draft, mounts->at, mounts->count * sizeof(*mounts->at)),
                           (uint32_t)mounts->count};
    for (size_t i = 0; i < mounts->count && draft->error == 0; i++) {
        struct plan_mount mount = mounts->at[i];
        mount.path = put_pointed(draft, mount.path);
        mount.source = put_pointed(draft, mount.source);
        mount.options = put_pointed(draft, mount.options);
        if (draft->error == 0)
            memcpy((uint8_t *)draft_head(draft) + run.at + i * sizeof(mount), &mount,
                   sizeof(mount));
    }
    if (draft->error < 0)
        return;
    draft_head(draft)->has |= PLAN_HAS_MOUNTS | (mounts->image ? PLAN_HAS_IMAGE : 0);
    draft_head(draft)->root = root;
    draft_head(draft)->root_options = options;
    draft_head(draft)->root_flags = mounts->root_flags;
    draft_head(draft)->nodes = nodes;
    draft_head(draft)->mounts = run;
}

static void put_own_directories(struct draft *draft, const struct holden_properties *properties) {
    _cleanup_(buffer_free) struct buffer list = {0};
    struct plan_run run = {draft_put(draft, NULL, 0), 0};
    if (draft->error == 0)
        draft->error = plan_directories(properties, run.at, &list, &run.count);
    if (run.count == 0)
        return;
    draft_put(draft, buffer_bytes(&list), list.size);
    if (draft->error == 0)
        draft_head(draft)->directories = run;
}

/* What may be impossible is left out where the module is not there. */
static void put_labels(struct draft *draft, const struct holden_properties *properties) {
    for (enum label label = 0; label < LABELS; label++) {
        struct holden_view text;
        bool optional;
        if (!label_asked(properties, label, &text, &optional) || (optional && !label_there(label)))
            continue;
        text.data -= optional;
        text.size += optional;
        struct plan_run run = draft_string(draft, text);
        if (draft->error == 0)
            draft_head(draft)->labels[label] = run;
    }
}

static struct plan_run put_program(struct draft *draft, const struct program *program,
                                   uint32_t before) {
    uint32_t at = draft_put(draft, program->instructions,
                            program->count * sizeof(struct sock_filter));
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
    uint32_t at = draft_put(draft, code, sizeof(code));
    if (draft->error == 0)
        memcpy(draft_head(draft)->pass, pass, sizeof(pass));
    return at;
}

static void put_filter(struct draft *draft, const struct filter *filter) {
    if (!filter)
        return;
    if (draft->error < 0)
        return;
    struct plan_run run = draft_head(draft)->has & PLAN_HAS_LISTENER
                              ? put_program(draft, &filter->asking, put_pass(draft))
                              : put_program(draft, &filter->program, 0);
    if (draft->error < 0)
        return;
    draft_head(draft)->has |= PLAN_HAS_FILTER;
    draft_head(draft)->filter = run;
}

static void put_secure_bits(struct draft *draft, const struct holden_properties *properties) {
    if (draft->error < 0 || !HOLDEN_HAS(properties, properties, secure_bits))
        return;
    draft_head(draft)->has |= PLAN_HAS_SECURE_BITS;
    draft_head(draft)->secure_bits = properties->secure_bits;
}

int plan_build(const struct plan_input *input, struct buffer *out) {
    struct plan plan = {
        .magic = PLAN_MAGIC,
        .token = input->token,
        .report = input->report,
        .has = input->has,
        .uid = input->uid,
        .gid = input->gid,
        .owner = input->owner,
        .owner_group = input->owner_group,
        .bounding = input->bounding,
        .inheritable = input->inheritable,
        .ambient = input->ambient,
    };
    struct draft draft = {.out = out, .error = buffer_append(out, &plan, sizeof(plan))};
    if (draft.error < 0)
        return draft.error;
    for (unsigned i = 0; i < 3; i++)
        put_stream(&draft, input, i);
    plan_put_tuning(&draft, input->properties);
    put_groups(&draft, input);
    put_secure_bits(&draft, input->properties);
    put_directory(&draft, input->properties);
    put_own_directories(&draft, input->properties);
    put_namespaces(&draft, input->properties);
    put_mounts(&draft, input);
    put_labels(&draft, input->properties);
    plan_put_landlock(&draft, input->properties);
    put_filter(&draft, input->filter);
    plan_put_command(&draft, input);
    if (draft.error == 0)
        draft_head(&draft)->size = (uint32_t)out->size;
    return draft.error;
}
