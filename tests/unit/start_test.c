/* What a START may ask for, over a connection: what passes is a process and a plan at the keeper.
 */
#include "agent/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/property.h"
#include "settings.h"
#include "stage.h"
#include "suite.h"

/* An agent, a client of it, and what it asks for. */
struct scene {
    struct stage stage;
    struct guest guest;
    struct holden_start start;
    struct holden_view arguments[8];
    struct holden_properties properties;
    struct packet packet; /* the last plan */
};

static struct scene *open_scene(uid_t uid) {
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    stage_open(&scene->stage);
    stage_guest(&scene->stage, &scene->guest, uid);
    return scene;
}

static void close_scene(struct scene *scene) {
    guest_close(&scene->guest);
    stage_close(&scene->stage);
    free(scene);
}

#define COMMAND(...)                                                                               \
    HOLDEN_SET(&scene->start, start, argument, settings_views(scene->arguments, LIST(__VA_ARGS__)))
#define NAME(...) HOLDEN_SET(&scene->start, start, name, __VA_ARGS__)
#define PROPERTY(member, ...) HOLDEN_SET(&scene->properties, properties, member, __VA_ARGS__)

static uint32_t ask(struct scene *scene, const int *fds, size_t count) {
    if (!HOLDEN_HAS(&scene->start, start, argument))
        COMMAND("/bin/true");
    HOLDEN_SET(&scene->start, start, properties,
               (struct holden_nested){.value = &scene->properties});
    uint32_t id = guest_ask(&scene->guest, HOLDEN_MESSAGE_start, &scene->start, fds, count);
    scene->start = (struct holden_start){0};
    scene->properties = (struct holden_properties){0};
    return id;
}

/* It passes: the new process, whose plan is in scene->packet until the next. */
static struct process *taken_with(struct scene *scene, const int *fds, size_t count) {
    ask(scene, fds, count);
    guest_silent(&scene->guest);
    packet_close(&scene->packet);
    assert_true(stage_packet(&scene->stage, &scene->packet));
    assert_int_equal(scene->packet.plan.magic, PLAN_MAGIC);
    struct process *process =
        process_by_id(&scene->stage.agent->processes, scene->packet.plan.token);
    assert_non_null(process);
    return process;
}

static struct process *taken(struct scene *scene) {
    struct process *process = taken_with(scene, NULL, 0);
    packet_close(&scene->packet);
    return process;
}

/* It is refused, and nothing of it is left. */
static void refused(struct scene *scene, uint32_t code, const char *words) {
    size_t count = scene->stage.agent->processes.count;
    uint32_t id = ask(scene, NULL, 0);
    guest_refused(&scene->guest, id, code, words);
    assert_int_equal(scene->stage.agent->processes.count, count);
    assert_false(stage_packet(&scene->stage, &scene->packet));
}

TEST(names_that_are_taken) {
    static const char *const names[] = {
        "web", "a",
        "7a",  "_x",
        "@",   "a.b:c@d-e_f",
        "A",   "0123456789012345678901234567890123456789012345678901234567890abc"};
    struct scene *scene = open_scene(0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        NAME(holden_view(names[i]));
        assert_string_equal(taken(scene)->name, names[i]);
    }
    close_scene(scene);
}

TEST(names_that_are_not) {
    static const char *const names[] = {"",    "7",   "0123456789", "-x",       ".x", "..",
                                        "a/b", "a b", "a\n",        "\xc3\xa4", "a*"};
    struct scene *scene = open_scene(0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        NAME(holden_view(names[i]));
        refused(scene, HOLDEN_code_INVALID, "is no name");
    }
    close_scene(scene);
}

TEST(a_name_is_its_owners_while_it_lives) {
    struct scene *scene = open_scene(0);
    NAME(holden_view("web"));
    struct process *process = taken(scene);
    NAME(holden_view("web"));
    refused(scene, HOLDEN_code_EXISTS, "web is taken by a process that is starting");
    process_free(process);
    stage_process(&scene->stage, "web", HOLDEN_state_FAILED, 0);
    NAME(holden_view("web"));
    assert_string_equal(taken(scene)->name, "web");
    close_scene(scene);
}

TEST(names_made_from_the_command) {
    static const struct {
        const char *command, *name;
    } rows[] = {
        {"/bin/sleep", "sleep-1"},
        {"sleep", "sleep-2"},
        {"./a.sh", "a.sh-3"},
        {"/opt/x y*z", "xyz-4"},
        {"/opt/--help", "help-5"},
        {"/opt/", "process-6"},
        {"/\xc3\xa4", "process-7"},
        {"/bin/[", "process-8"},
        {"/opt/0123456789012345678901234567890123456789", "01234567890123456789012345678901-9"},
        {"/bin/123", "123-10"},
    };
    struct scene *scene = open_scene(0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        COMMAND(rows[i].command);
        assert_string_equal(taken(scene)->name, rows[i].name);
    }
    close_scene(scene);
}

/* Somebody has chosen a name that would be made next. */
TEST(a_made_name_is_nobody_elses) {
    struct scene *scene = open_scene(0);
    COMMAND("/bin/sleep");
    NAME(holden_view("sleep-2"));
    struct process *chosen = taken(scene);
    COMMAND("/bin/sleep");
    struct process *made = taken(scene);
    assert_string_not_equal(made->name, "sleep-2");
    assert_ptr_equal(process_by_name(&scene->stage.agent->processes, holden_view("sleep-2")),
                     chosen);
    close_scene(scene);
}

TEST(a_command_is_needed) {
    struct scene *scene = open_scene(0);
    COMMAND("");
    refused(scene, HOLDEN_code_INVALID, "the command is empty");
    COMMAND("", "x");
    refused(scene, HOLDEN_code_INVALID, "the command is empty");
    close_scene(scene);
}

TEST(arguments_have_a_bound) {
    static char longest[131071];
    static struct holden_view views[26];
    struct scene *scene = open_scene(0);
    memset(longest, 'x', sizeof(longest));
    for (size_t i = 0; i < ARRAY_SIZE(views); i++)
        views[i] = (struct holden_view){longest, i == 0 ? 1 : sizeof(longest)};
    HOLDEN_SET(&scene->start, start, argument,
               (struct holden_repeated){.count = 25, .items = views});
    refused(scene, HOLDEN_code_TOO_MANY, "longer than 3 MiB");
    HOLDEN_SET(&scene->start, start, argument,
               (struct holden_repeated){.count = 24, .items = views});
    assert_non_null(taken_with(scene, NULL, 0));
    assert_int_equal(scene->packet.size,
                     sizeof(struct plan)); /* the rest is in a memfd, the last one */
    struct stat status;
    assert_int_equal(fstat(scene->packet.fds[scene->packet.count - 1], &status), 0);
    assert_int_equal(status.st_size, scene->packet.plan.size);
    packet_close(&scene->packet);
    close_scene(scene);
}

static void set_number(struct holden_properties *properties, size_t index, uint64_t value) {
    const struct holden_field *field = &holden_record_properties.fields[index];
    uint8_t *member = (uint8_t *)properties + field->offset;
    if (field->type == HOLDEN_TYPE_U32)
        *(uint32_t *)(void *)member = (uint32_t)value;
    else
        *(uint64_t *)(void *)member = value;
    holden_mark(properties, index);
}

/* The rows' own bounds, one property after the other: who speaks the protocol is not always the
 * controller. */
TEST(numbers_have_the_bounds_of_the_table) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        const struct holden_property *row = holden_property(i);
        const struct holden_field *field = &holden_record_properties.fields[i];
        struct holden_properties properties = {0};
        struct failure failure = {0};
        if (field->repeated || (field->type != HOLDEN_TYPE_U64 && field->type != HOLDEN_TYPE_I64 &&
                                field->type != HOLDEN_TYPE_U32))
            continue;
        set_number(&properties, i, (uint64_t)row->minimum);
        assert_int_equal(start_check_properties(&properties, &failure), 0);
        set_number(&properties, i, (uint64_t)row->maximum);
        assert_int_equal(start_check_properties(&properties, &failure), 0);
        if (row->minimum > 0 || field->type == HOLDEN_TYPE_I64) {
            set_number(&properties, i, (uint64_t)row->minimum - 1);
            assert_int_equal(start_check_properties(&properties, &failure), -EREMOTEIO);
            assert_string_equal(failure.step, row->name);
        }
        if (row->maximum != INT64_MAX) {
            set_number(&properties, i, (uint64_t)row->maximum + 1);
            assert_int_equal(start_check_properties(&properties, &failure), -EREMOTEIO);
            assert_int_equal(failure.code, HOLDEN_code_INVALID);
        }
    }
}

TEST(infinity_and_shares_only_where_they_mean_something) {
    static const struct {
        size_t index;
        bool infinity, share;
    } rows[] = {
        {HOLDEN_INDEX(properties, memory_max), true, true},
        {HOLDEN_INDEX(properties, tasks_max), true, true},
        {HOLDEN_INDEX(properties, cpu_quota), true, false},
        {HOLDEN_INDEX(properties, cpu_quota_period), false, false},
        {HOLDEN_INDEX(properties, cpu_weight), false, false},
        {HOLDEN_INDEX(properties, io_weight), false, false},
        {HOLDEN_INDEX(properties, runtime_max), true, false},
        {HOLDEN_INDEX(properties, timeout_stop), true, false},
        {HOLDEN_INDEX(properties, log_max), true, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct holden_properties properties = {0};
        struct failure failure = {0};
        set_number(&properties, rows[i].index, UINT64_MAX);
        assert_int_equal(start_check_properties(&properties, &failure),
                         rows[i].infinity ? 0 : -EREMOTEIO);
        set_number(&properties, rows[i].index, HOLDEN_SHARE_BIT | 5000);
        assert_int_equal(start_check_properties(&properties, &failure),
                         rows[i].share ? 0 : -EREMOTEIO);
    }
}

TEST(what_the_client_should_have_read) {
    struct scene *scene = open_scene(0);
    const struct holden_view file = holden_view("/etc/shadow");
    PROPERTY(environment_file, (struct holden_repeated){.count = 1, .items = &file});
    refused(scene, HOLDEN_code_INVALID, "the client turns this into other properties");
    PROPERTY(pass_environment, (struct holden_repeated){.count = 1, .items = &file});
    refused(scene, HOLDEN_code_INVALID, "the client turns this into other properties");
    close_scene(scene);
}

TEST(directories_are_absolute) {
    static const char *const wrong[] = {"", "-", "x", "-x", "~", "./x", "--/x"};
    struct scene *scene = open_scene(0);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        PROPERTY(working_directory, holden_view(wrong[i]));
        refused(scene, HOLDEN_code_INVALID, "not absolute");
    }
    PROPERTY(working_directory, holden_view("-/x"));
    assert_non_null(taken(scene));
    close_scene(scene);
}

TEST(environment_is_assignments) {
    static const char *const wrong[] = {"", "A", "=x", "="};
    static const char *const right[] = {"A=", "A=b", "A=b=c", "a b=c", "PATH=/x"};
    struct scene *scene = open_scene(0);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        const struct holden_view view = holden_view(wrong[i]);
        PROPERTY(environment, (struct holden_repeated){.count = 1, .items = &view});
        refused(scene, HOLDEN_code_INVALID, "is no VARIABLE=VALUE");
    }
    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        const struct holden_view view = holden_view(right[i]);
        PROPERTY(environment, (struct holden_repeated){.count = 1, .items = &view});
        assert_non_null(taken(scene));
    }
    close_scene(scene);
}

/* ---- standard streams ---- */

static bool same_file(int one, int other) {
    struct stat a, b;
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

TEST(streams_that_came_with_the_request) {
    struct scene *scene = open_scene(0);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    HOLDEN_SET(&scene->start, start, output, 0);
    HOLDEN_SET(&scene->start, start, input, 1);
    struct process *process = taken_with(scene, (const int[]){ends[1], ends[0]}, 2);
    const struct packet *packet = &scene->packet;
    assert_int_equal(packet->plan.stream[0].source, PLAN_SOURCE_PASSED);
    assert_int_equal(packet->plan.stream[1].source, PLAN_SOURCE_PASSED);
    assert_int_equal(packet->plan.stream[2].source, PLAN_SOURCE_OUTPUT);
    assert_true(same_file(packet->fds[packet->plan.stream[0].passed], ends[0]));
    assert_true(same_file(packet->fds[packet->plan.stream[1].passed], ends[1]));
    assert_true(process->passed[0] >= 0 && process->passed[1] >= 0);
    assert_int_equal(process->passed[2], -1);
    assert_false(process->has_log);
    packet_close(&scene->packet);
    close(ends[0]);
    close(ends[1]);
    close_scene(scene);
}

TEST(streams_that_did_not_come) {
    struct scene *scene = open_scene(0);
    HOLDEN_SET(&scene->start, start, input, 0);
    refused(scene, HOLDEN_code_INVALID, "descriptor 0 did not come");
    HOLDEN_SET(&scene->start, start, error, UINT32_MAX);
    refused(scene, HOLDEN_code_INVALID, "did not come");
    HOLDEN_SET(&scene->start, start, input, 0);
    HOLDEN_SET(&scene->start, start, output, 0);
    unsigned before = scratch_descriptors();
    uint32_t id = ask(scene, (const int[]){STDIN_FILENO}, 1);
    guest_refused(&scene->guest, id, HOLDEN_code_INVALID, "named twice");
    assert_int_equal(scratch_descriptors(), before);
    close_scene(scene);
}

TEST(streams_by_name) {
    static const struct holden_stream file = {{3}, HOLDEN_stream_kind_APPEND, {"/var/log/x", 10}};
    static const struct holden_stream relative = {{3}, HOLDEN_stream_kind_FILE, {"x", 1}};
    static const struct holden_stream inherit = {{1}, HOLDEN_stream_kind_INHERIT, {0}};
    static const struct holden_stream passed = {{1}, HOLDEN_stream_kind_PASSED, {0}};
    static const struct holden_stream logged = {{1}, HOLDEN_stream_kind_LOG, {0}};
    struct scene *scene = open_scene(0);
    PROPERTY(standard_output, (struct holden_nested){.value = &file});
    taken_with(scene, NULL, 0);
    assert_int_equal(scene->packet.plan.stream[1].source, PLAN_SOURCE_APPEND);
    assert_string_equal(scene->packet.bytes + scene->packet.plan.stream[1].path.at, "/var/log/x");
    packet_close(&scene->packet);
    PROPERTY(standard_output, (struct holden_nested){.value = &relative});
    refused(scene, HOLDEN_code_INVALID, "not absolute");
    PROPERTY(standard_input, (struct holden_nested){.value = &inherit});
    refused(scene, HOLDEN_code_INVALID, "not for this stream");
    PROPERTY(standard_error, (struct holden_nested){.value = &passed});
    refused(scene, HOLDEN_code_INVALID, "not for this stream");
    PROPERTY(standard_input, (struct holden_nested){.value = &logged});
    refused(scene, HOLDEN_code_INVALID, "not for this stream");
    close_scene(scene);
}

TEST(an_identifier_cannot_add_to_the_header) {
    struct scene *scene = open_scene(0);
    PROPERTY(syslog_identifier, holden_view("web\nsshd.service"));
    refused(scene, HOLDEN_code_INVALID, "control character");
    close_scene(scene);
}

TEST(without_a_word_output_goes_where_the_configuration_says) {
    static const struct holden_stream logged = {{1}, HOLDEN_stream_kind_LOG, {0}};
    struct scene *scene = open_scene(0);
    scene->stage.agent->config.output = HOLDEN_stream_kind_JOURNAL;
    struct process *process = taken_with(scene, NULL, 0);
    const struct packet *packet = &scene->packet;
    assert_false(process->has_log);
    assert_int_equal(packet->plan.stream[1].source, PLAN_SOURCE_JOURNAL);
    assert_int_equal(packet->plan.stream[2].source, PLAN_SOURCE_OUTPUT);
    /* As if it had been asked for: another agent's configuration changes nothing. */
    struct holden_start start;
    struct holden_properties properties;
    process_request(process, &start, &properties);
    assert_true(HOLDEN_HAS(&properties, properties, standard_output));
    PROPERTY(standard_output, (struct holden_nested){.value = &logged});
    taken_with(scene, NULL, 0);
    assert_int_equal(packet->plan.stream[1].source, PLAN_SOURCE_PASSED);
    scene->stage.agent->config.output = HOLDEN_stream_kind_NULL;
    taken_with(scene, NULL, 0);
    assert_int_equal(packet->plan.stream[1].source, PLAN_SOURCE_NULL);
    scene->stage.agent->config.output = CONFIG_OUTPUT_AUTO;
    taken_with(scene, NULL, 0);
    assert_int_equal(packet->plan.stream[1].source,
                     access("/run/systemd/journal/stdout", F_OK) == 0 ? PLAN_SOURCE_JOURNAL
                                                                      : PLAN_SOURCE_PASSED);
    packet_close(&scene->packet);
    close_scene(scene);
}

TEST(without_a_word_output_goes_to_the_log) {
    struct scene *scene = open_scene(0);
    struct process *process = taken_with(scene, NULL, 0);
    const struct packet *packet = &scene->packet;
    struct stat status;
    assert_true(process->has_log);
    assert_int_equal(packet->plan.stream[0].source, PLAN_SOURCE_NULL);
    assert_int_equal(packet->plan.stream[1].source, PLAN_SOURCE_PASSED);
    assert_int_equal(packet->plan.stream[2].source, PLAN_SOURCE_OUTPUT);
    assert_int_equal(fstatat(scene->stage.agent->store.logs, "1", &status, 0), 0);
    assert_true(fcntl(packet->fds[packet->plan.stream[1].passed], F_GETFL) & O_APPEND);
    packet_close(&scene->packet);
    close_scene(scene);
}

/* ---- who ---- */

TEST(a_member_is_what_the_kernel_says) {
    struct scene *scene = open_scene(1000);
    struct holden_start start;
    struct holden_properties properties;
    struct holden_user user;
    struct holden_fault fault;
    gid_t *groups = calloc(2, sizeof(*groups));
    assert_non_null(groups);
    groups[0] = 20;
    groups[1] = 30;
    free(scene->guest.peer->groups);
    scene->guest.peer->groups = groups;
    scene->guest.peer->group_count = 2;
    scene->guest.peer->gid = 1001;
    scene->stage.agent->policy.group = 1001;
    struct process *process = taken_with(scene, NULL, 0);
    const struct plan *plan = &scene->packet.plan;
    assert_int_equal(plan->has &
                         (PLAN_HAS_IDS | PLAN_HAS_NO_NEW_PRIVILEGES | PLAN_HAS_OPEN_AS_USER),
                     PLAN_HAS_IDS | PLAN_HAS_NO_NEW_PRIVILEGES | PLAN_HAS_OPEN_AS_USER);
    assert_int_equal(plan->uid, 1000);
    assert_int_equal(plan->gid, 1001);
    assert_int_equal(plan->groups.count, 2);
    assert_memory_equal(scene->packet.bytes + plan->groups.at, ((const uint32_t[]){20, 30}), 8);
    packet_close(&scene->packet);
    assert_int_equal(process->owner, 1000);
    assert_int_equal(process->owner_gid, 1001);
    assert_int_equal(process->user, 1000);
    /* What is kept says so too, for a restart. */
    process_request(process, &start, &properties);
    assert_true(HOLDEN_HAS(&properties, properties, user));
    assert_int_equal(holden_decode(&holden_record_user, properties.user.bytes.data,
                                   properties.user.bytes.size, &user, &fault),
                     0);
    assert_int_equal(user.uid, 1000);
    assert_int_equal(user.gid, 1001);
    assert_int_equal(user.group.count, 2);
    close_scene(scene);
}

TEST(a_member_cannot_be_somebody_else) {
    struct scene *scene = open_scene(1000);
    struct holden_user user = {0};
    static const struct {
        uint32_t uid, gid, group;
        const char *words;
    } rows[] = {{0, 0, 0, "only as itself"},
                {1001, 1000, 1000, "only as itself"},
                {1000, 0, 1000, "not in group 0"},
                {1000, 1000, 0, "not in group 0"},
                {UINT32_MAX, 1000, 1000, "only as itself"}};
    scene->guest.peer->gid = 1000;
    scene->stage.agent->policy.group = 1000;
    scene->guest.peer->group_count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        HOLDEN_SET(&user, user, uid, rows[i].uid);
        HOLDEN_SET(&user, user, gid, rows[i].gid);
        HOLDEN_SET(&user, user, group,
                   (struct holden_repeated){.count = 1, .items = &rows[i].group});
        PROPERTY(user, (struct holden_nested){.value = &user});
        refused(scene, HOLDEN_code_NOT_PERMITTED, rows[i].words);
    }
    PROPERTY(group, 0);
    refused(scene, HOLDEN_code_NOT_PERMITTED, "not in group 0");
    const uint32_t group = 4;
    PROPERTY(supplementary_groups, (struct holden_repeated){.count = 1, .items = &group});
    refused(scene, HOLDEN_code_NOT_PERMITTED, "not in group 4");
    close_scene(scene);
}

TEST(what_only_root_may_set) {
    struct scene *scene = open_scene(1000);
    const struct holden_resource_limit limit = {{3}, 1, UINT64_MAX};
    scene->guest.peer->group_count = 0;
    scene->stage.agent->policy.group = scene->guest.peer->gid;
    PROPERTY(nice, -20);
    refused(scene, HOLDEN_code_NOT_PERMITTED, "only root may set Nice=");
    PROPERTY(oom_score_adjust, -1000);
    refused(scene, HOLDEN_code_NOT_PERMITTED, "only root may set OOMScoreAdjust=");
    PROPERTY(memory_min, 1 << 20);
    refused(scene, HOLDEN_code_NOT_PERMITTED, "only root may set MemoryMin=");
    PROPERTY(cpu_weight, 101);
    refused(scene, HOLDEN_code_NOT_PERMITTED, "only root may set CPUWeight=");
    PROPERTY(log_max, UINT64_MAX);
    refused(scene, HOLDEN_code_NOT_PERMITTED, "only root may set LogMax=");
    PROPERTY(limit_memlock, (struct holden_nested){.value = &limit});
    struct rlimit own;
    if (prlimit(getppid(), RLIMIT_MEMLOCK, NULL, &own) == 0 && own.rlim_max != RLIM_INFINITY)
        refused(scene, HOLDEN_code_NOT_PERMITTED, "only root may set LimitMEMLOCK=");
    close_scene(scene);
}

/* ---- all or nothing ---- */

TEST(a_limit_without_its_controller_is_refused_and_nothing_left) {
    struct scene *scene = open_scene(0);
    struct stat status;
    PROPERTY(memory_max, 1 << 20);
    refused(scene, HOLDEN_code_UNSUPPORTED, "memory controller");
    scene->stage.agent->hierarchy.controllers = CGROUP_MEMORY; /* and then there is no such file */
    PROPERTY(memory_max, 1 << 20);
    refused(scene, HOLDEN_code_FAILED, "memory.max");
    assert_int_equal(fstatat(scene->stage.agent->hierarchy.root, "1-true-1", &status, 0), -1);
    assert_int_equal(fstatat(scene->stage.agent->hierarchy.root, "2-true-2", &status, 0), -1);
    close_scene(scene);
}

TEST(without_a_keeper_to_take_it_no_log_is_left) {
    struct scene *scene = open_scene(0);
    struct stat status;
    assert_int_equal(shutdown(scene->stage.keeper, SHUT_RD), 0);
    uint32_t id = ask(scene, NULL, 0);
    guest_refused(&scene->guest, id, HOLDEN_code_FAILED, "cannot hand");
    assert_int_equal(fstatat(scene->stage.agent->store.logs, "1", &status, 0), -1);
    close_scene(scene);
}

TEST(nothing_starts_while_the_agent_stops) {
    struct scene *scene = open_scene(0);
    scene->stage.agent->stopping = true;
    refused(scene, HOLDEN_code_WRONG_STATE, "the agent is stopping");
    close_scene(scene);
}

TEST(starts_under_way_have_a_bound) {
    struct scene *scene = open_scene(0);
    memset(scene->stage.agent->link.used, 0xff, sizeof(scene->stage.agent->link.used));
    refused(scene, HOLDEN_code_TOO_MANY, "are under way already");
    scene->stage.agent->link.used[9] &= ~UINT64_C(4);
    taken_with(scene, NULL, 0);
    assert_int_equal(scene->packet.plan.report, 9 * 64 + 2);
    packet_close(&scene->packet);
    close_scene(scene);
}

UNIT_MAIN
