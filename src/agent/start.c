#include "agent/start.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/credential.h"
#include "agent/directory.h"
#include "agent/label.h"
#include "agent/permit.h"
#include "agent/readiness.h"
#include "agent/user_slice.h"
#include "common/cleanup.h"
#include "common/name.h"
#include "protocol/property.h"

enum { BASE_MOST = 32, PATH_MOST = 5 + 4096 };

static int check_name(struct holden_view name, struct failure *failure) {
    if (name_is_slice(name.data, name.size))
        return failure_set(failure, HOLDEN_code_INVALID, "name",
                           "\"%.*s\": names that end in .slice are those of slices",
                           (int)(name.size < 80 ? name.size : 80), name.data);
    if (name_valid(name.data, name.size))
        return 0;
    return failure_set(failure, HOLDEN_code_INVALID, "name", "\"%.*s\" is no name: " NAME_RULE,
                       (int)(name.size < 80 ? name.size : 80), name.data);
}

/* "sleep-3": the command's last part and the id, which no other process has. */
static void make_name(struct holden_view command, uint64_t id, char name[NAME_MAX_SIZE + 1]) {
    const char *slash = memrchr(command.data, '/', command.size);
    const char *base = slash ? slash + 1 : command.data;
    size_t size = (size_t)(command.data + command.size - base), used = 0;
    for (size_t i = 0; i < size && used < BASE_MOST; i++) {
        /* What a letter in front makes a name is a character of names. */
        const char probe[] = {'a', base[i]};
        if (name_valid(probe, sizeof(probe)) && !(used == 0 && (base[i] == '-' || base[i] == '.')))
            name[used++] = base[i];
    }
    snprintf(name + used, NAME_MAX_SIZE + 1 - used, "%s-%" PRIu64, used ? "" : "process", id);
}

static int check_command(const struct holden_start *start, struct holden_view *command,
                         struct failure *failure) {
    struct holden_repeated left = start->argument;
    size_t total = 0;
    if (!holden_next_view(&left, command) || command->size == 0)
        return failure_set(failure, HOLDEN_code_INVALID, "command", "the command is empty");
    struct holden_view view;
    if (HOLDEN_HAS(start, start, program) && start->program.size == 0)
        return failure_set(failure, HOLDEN_code_INVALID, "command", "the program has no name");
    for (total = command->size; holden_next_view(&left, &view);)
        total += view.size + 1;
    /* The kernel's own bound for arguments and environment is a quarter of the stack limit; what
     * lies within it but over the kernel's is refused by exec with E2BIG. */
    if (total > 3 << 20)
        return failure_set(failure, HOLDEN_code_TOO_MANY, "command",
                           "the arguments are longer than 3 MiB");
    return 0;
}

/* Whether it is a number that stands for something else: infinity where nothing but the type bounds
 * it, and a share of what the machine has for limits of memory and tasks, or a file system for its
 * quotas. */
static bool stands_for_more(const struct holden_property *property, uint64_t value) {
    bool shared =
        property->syntax == HOLDEN_SYNTAX_DISK_QUOTA ||
        (property->home == HOLDEN_HOME_CGROUP &&
         (property->syntax == HOLDEN_SYNTAX_SIZE || property->syntax == HOLDEN_SYNTAX_COUNT));
    return property->maximum == INT64_MAX &&
           (value == UINT64_MAX || (shared && holden_is_share(value)));
}

/* The bounds of the table hold here too: who speaks the protocol is not always the controller. */
static int check_number(size_t index, const struct holden_properties *properties,
                        struct failure *failure) {
    const struct holden_property *property = holden_property(index);
    const struct holden_field *field = &holden_record_properties.fields[index];
    const uint8_t *member = (const uint8_t *)properties + field->offset;
    int64_t value;
    if (field->repeated)
        return 0;
    if (field->type == HOLDEN_TYPE_I64)
        value = *(const int64_t *)(const void *)member;
    else if (field->type == HOLDEN_TYPE_U32)
        value = *(const uint32_t *)(const void *)member;
    else if (field->type == HOLDEN_TYPE_U64) {
        uint64_t wide = *(const uint64_t *)(const void *)member;
        if (stands_for_more(property, wide))
            return 0;
        if (wide > INT64_MAX)
            return failure_set(failure, HOLDEN_code_INVALID, property->name,
                               "%" PRIu64 " is out of range: %" PRId64 " to %" PRId64, wide,
                               property->minimum, property->maximum);
        value = (int64_t)wide;
    } else
        return 0;
    if (value >= property->minimum && value <= property->maximum)
        return 0;
    return failure_set(failure, HOLDEN_code_INVALID, property->name,
                       "%" PRId64 " is out of range: %" PRId64 " to %" PRId64, value,
                       property->minimum, property->maximum);
}

static int check_environment(const struct holden_properties *properties, struct failure *failure) {
    struct holden_repeated left = properties->environment;
    struct holden_view view;
    while (HOLDEN_HAS(properties, properties, environment) && holden_next_view(&left, &view)) {
        /* The plan holds a path for each of its directories. */
        if (view.size > PATH_MOST && memcmp(view.data, "PATH=", 5) == 0)
            return failure_set(failure, HOLDEN_code_INVALID, "Environment",
                               "PATH is longer than %d bytes", PATH_MOST - 5);
        if (view.size == 0 || view.data[0] == '=' || !memchr(view.data, '=', view.size))
            return failure_set(failure, HOLDEN_code_INVALID, "Environment",
                               "\"%.*s\" is no VARIABLE=VALUE",
                               (int)(view.size < 80 ? view.size : 80), view.data);
    }
    return 0;
}

/* It becomes a value of PATH. */
static int check_search_path(const struct holden_properties *properties, struct failure *failure) {
    struct holden_repeated left = properties->exec_search_path;
    struct holden_view view;
    size_t total = 0;
    while (HOLDEN_HAS(properties, properties, exec_search_path) && holden_next_view(&left, &view)) {
        if (view.size == 0 || view.data[0] != '/' || memchr(view.data, ':', view.size))
            return failure_set(failure, HOLDEN_code_INVALID, "ExecSearchPath",
                               "\"%.*s\" is no absolute path",
                               (int)(view.size < 80 ? view.size : 80), view.data);
        total += view.size + 1;
    }
    return total <= PATH_MOST - 5 ? 0
                                  : failure_set(failure, HOLDEN_code_INVALID, "ExecSearchPath",
                                                "it is longer than %d bytes", PATH_MOST - 5);
}

/* It becomes a line of journald's header. */
static int check_identifier(const struct holden_properties *properties, struct failure *failure) {
    struct holden_view text = properties->syslog_identifier;
    if (!HOLDEN_HAS(properties, properties, syslog_identifier))
        return 0;
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return failure_set(failure, HOLDEN_code_INVALID, "SyslogIdentifier",
                               "it holds a control character");
    return 0;
}

/* What each setting may be by itself, but not together. */
static int check_together(const struct holden_properties *properties, struct failure *failure) {
    if (HOLDEN_HAS(properties, properties, cpu_scheduling_priority) &&
        (!HOLDEN_HAS(properties, properties, cpu_scheduling_policy) ||
         (properties->cpu_scheduling_policy != HOLDEN_cpu_policy_FIFO &&
          properties->cpu_scheduling_policy != HOLDEN_cpu_policy_RR)))
        return failure_set(failure, HOLDEN_code_INVALID, "CPUSchedulingPriority",
                           "only with CPUSchedulingPolicy=fifo or rr is there a priority");
    bool forks = HOLDEN_HAS(properties, properties, service_type) &&
                 properties->service_type == HOLDEN_service_type_FORKING;
    if (forks && HOLDEN_HAS(properties, properties, private_pids) && properties->private_pids)
        return failure_set(failure, HOLDEN_code_INVALID, "Type",
                           "with PrivatePIDs= all of it ends with the first process, so it cannot "
                           "be forking");
    return 0;
}

int start_check_properties(const struct holden_properties *properties, struct failure *failure) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        if (!holden_has(properties, i))
            continue;
        if (holden_property(i)->home == HOLDEN_HOME_CONTROLLER)
            return failure_set(failure, HOLDEN_code_INVALID, holden_property(i)->name,
                               "the client turns this into other properties before it asks");
        int r = check_number(i, properties, failure);
        if (r < 0)
            return r;
    }
    struct holden_view directory = properties->working_directory;
    if (HOLDEN_HAS(properties, properties, working_directory)) {
        size_t skip = directory.size > 0 && directory.data[0] == '-';
        if (directory.size <= skip || directory.data[skip] != '/')
            return failure_set(failure, HOLDEN_code_INVALID, "WorkingDirectory",
                               "the path is not absolute");
    }
    int r = check_identifier(properties, failure);
    if (r == 0)
        r = check_search_path(properties, failure);
    if (r == 0 && HOLDEN_HAS(properties, properties, slice))
        r = slice_check(properties->slice, failure);
    if (r == 0)
        r = directory_check(properties, failure);
    if (r == 0)
        r = credential_check(properties, failure);
    if (r == 0)
        r = label_check(properties, failure);
    return r < 0 ? r : check_environment(properties, failure);
}

/* Whether what it has to report can come to us. */
static int check_notify(const struct agent *agent, const struct holden_properties *properties,
                        struct failure *failure) {
    const char *setting = readiness_notifies(properties) ? "Type" : "WatchdogSec";
    if (!readiness_must_hear(properties))
        return 0;
    return agent->notices.fd < 0
               ? failure_set(failure, HOLDEN_code_UNSUPPORTED, setting,
                             "there is no socket for notify: start the agent with a shorter "
                             "--socket")
               : 0;
}

/* Encodes the request as it is kept: the name, and for a caller that is not root whom the kernel
 * says that it is, so that a later restart needs nobody's word. */
static int keep_request(struct request *request, struct process *process,
                        const struct holden_start *asked, struct holden_properties *properties) {
    const struct peer *peer = request->peer;
    struct holden_start start = *asked;
    struct holden_user user = {0};
    for (size_t i = 0; i < 3; i++)
        holden_unmark(&start,
                      (const size_t[]){HOLDEN_INDEX(start, input), HOLDEN_INDEX(start, output),
                                       HOLDEN_INDEX(start, error)}[i]);
    holden_unmark(&start, HOLDEN_INDEX(start, wait));
    HOLDEN_SET(&start, start, name, holden_view(process->name));
    if (peer->uid != 0 && !HOLDEN_HAS(properties, properties, user) &&
        !holden_dynamic_user(properties)) {
        HOLDEN_SET(&user, user, uid, peer->uid);
        HOLDEN_SET(&user, user, gid, peer->gid);
        HOLDEN_SET(
            &user, user, group,
            (struct holden_repeated){.count = (uint32_t)peer->group_count, .items = peer->groups});
        if (peer->group_count == 0)
            holden_unmark(&user, HOLDEN_INDEX(user, group));
        HOLDEN_SET(properties, properties, user, (struct holden_nested){.value = &user});
    }
    char slice[USER_SLICE_NAME];
    user_slice_name(peer->uid, slice);
    if (peer->uid != 0 && !HOLDEN_HAS(properties, properties, slice))
        HOLDEN_SET(properties, properties, slice, holden_view(slice));
    HOLDEN_SET(&start, start, properties, (struct holden_nested){.value = properties});
    return process_keep_request(process, &start);
}

/* Takes over the descriptors that the request names as standard streams. */
static int take_streams(struct request *request, const struct holden_start *start,
                        struct process *process, struct failure *failure) {
    const struct {
        bool given;
        uint32_t index;
    } streams[] = {
        {HOLDEN_HAS(start, start, input), start->input},
        {HOLDEN_HAS(start, start, output), start->output},
        {HOLDEN_HAS(start, start, error), start->error},
    };
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        if (!streams[i].given)
            continue;
        if (streams[i].index >= request->fd_count || request->fds[streams[i].index] < 0)
            return failure_set(failure, HOLDEN_code_INVALID, "standard streams",
                               "descriptor %u did not come with the request, or is named twice",
                               streams[i].index);
        process->passed[i] = TAKE_FD(request->fds[streams[i].index]);
    }
    process->terminal = start->terminal;
    return 0;
}

/* The living process of that name, or NULL. */
static const struct process *holder(const struct agent *agent, struct holden_view name) {
    const struct process *process = process_by_name(&agent->processes, name);
    return process && process_alive(process) ? process : NULL;
}

/* A new id, and a name that nobody has: as asked, or made from the command and the id. */
static int choose_name(struct agent *agent, const struct holden_start *start,
                       struct holden_view command, uint64_t *id, char name[NAME_MAX_SIZE + 1],
                       struct failure *failure) {
    bool given = HOLDEN_HAS(start, start, name);
    const struct process *same = given ? holder(agent, start->name) : NULL;
    if (same)
        return failure_set(failure, HOLDEN_code_EXISTS, "name",
                           "%s is taken by a process that is %s", same->name,
                           holden_word(&holden_enum_state, same->state));
    do {
        int r = store_new_id(&agent->store, id);
        if (r < 0)
            return failure_errno(failure, -r, "record", "cannot reserve an id in %s",
                                 agent->store.path);
        if (given)
            snprintf(name, NAME_MAX_SIZE + 1, "%.*s", (int)start->name.size, start->name.data);
        else
            make_name(command, *id, name);
    } while (!given && holder(agent, holden_view(name)));
    return 0;
}

/* DefaultStandardOutput= becomes part of what was asked for, so that a restart, another agent and
 * whoever looks for the output go by it. */
static void choose_output(const struct agent *agent, const struct holden_start *start,
                          struct holden_properties *properties, struct holden_stream *stream) {
    uint64_t kind = agent->config.output;
    if (kind == CONFIG_OUTPUT_AUTO)
        kind = access("/run/systemd/journal/stdout", F_OK) == 0 ? HOLDEN_stream_kind_JOURNAL
                                                                : HOLDEN_stream_kind_LOG;
    if (HOLDEN_HAS(properties, properties, standard_output) || HOLDEN_HAS(start, start, output) ||
        kind == HOLDEN_stream_kind_LOG)
        return;
    HOLDEN_SET(stream, stream, kind, (uint32_t)kind);
    HOLDEN_SET(properties, properties, standard_output, (struct holden_nested){.value = stream});
}

int start_make(struct request *request, struct process **out, struct failure *failure) {
    const struct holden_start *start = request->message;
    struct agent *agent = request->agent;
    struct holden_properties properties = {0};
    const struct policy_caller caller = permit_caller(request->peer);
    _cleanup_(arena_free) struct arena arena = {0};
    struct holden_view command;
    struct holden_fault fault;
    const char *rule;
    int r = check_command(start, &command, failure);
    if (r == 0 && HOLDEN_HAS(start, start, name))
        r = check_name(start->name, failure);
    if (r == 0 && HOLDEN_HAS(start, start, properties))
        r = holden_decode(&holden_record_properties, start->properties.bytes.data,
                          start->properties.bytes.size, &properties, &fault);
    if (r == 0)
        r = start_check_properties(&properties, failure);
    if (r == 0)
        r = check_together(&properties, failure);
    if (r == 0)
        r = check_notify(agent, &properties, failure);
    if (r == 0)
        r = permit_start(agent, &caller, start->name, start, &properties, &arena, &rule, failure);
    if (r == 0)
        r = dynamic_user_check(&properties, failure);
    if (r < 0)
        return r;
    uint64_t id = 0;
    char name[NAME_MAX_SIZE + 1];
    r = choose_name(agent, start, command, &id, name, failure);
    if (r < 0)
        return r;
    struct process *process;
    r = process_new(agent, id, holden_view(name), &process);
    if (r < 0)
        return failure_errno(failure, -r, NULL, "cannot keep another process");
    process->owner = request->peer->uid;
    process->owner_gid = request->peer->gid;
    struct holden_stream output = {0};
    choose_output(agent, start, &properties, &output);
    holden_dynamic_user_imply(&properties);
    r = take_streams(request, start, process, failure);
    if (r == 0 && (r = keep_request(request, process, start, &properties)) < 0)
        r = failure_errno(failure, -r, NULL, "cannot keep the request");
    if (r < 0)
        process_free(process);
    else
        *out = process;
    return r;
}
