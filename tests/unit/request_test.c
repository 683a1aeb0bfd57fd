/* Requests over a connection: who may ask what about whom, and the answers of those that need no
 * keeper. */
#include "agent/request.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/logfile.h"
#include "agent/state.h"
#include "agent/waiter.h"
#include "common/file.h"
#include "sample.h"
#include "stage.h"
#include "suite.h"

struct scene {
    struct stage stage;
    struct guest root, member, other; /* users 0, 1000 and 1001 */
};

static void open_scene(struct scene *scene) {
    stage_open(&scene->stage);
    stage_guest(&scene->stage, &scene->root, 0);
    stage_guest(&scene->stage, &scene->member, 1000);
    stage_guest(&scene->stage, &scene->other, 1001);
}

static void close_scene(struct scene *scene) {
    guest_close(&scene->root);
    guest_close(&scene->member);
    guest_close(&scene->other);
    stage_close(&scene->stage);
}

/* Asks about one process by its text: all requests of that kind begin alike. */
#define ABOUT(guest, type, text)                                                                   \
    ({                                                                                             \
        struct holden_##type about = {0};                                                          \
        HOLDEN_SET(&about, type, name, holden_view(text));                                         \
        guest_ask(guest, HOLDEN_MESSAGE_##type, &about, NULL, 0);                                  \
    })

static uint32_t ping(struct guest *guest) {
    return guest_ask(guest, HOLDEN_MESSAGE_ping, &(struct holden_ping){0}, NULL, 0);
}

/* ---- dispatch ---- */

static void send_frame(struct guest *guest, uint16_t type, uint32_t id, uint32_t node,
                       const char *body, size_t size) {
    uint8_t bytes[256] = {'H', 'd', HOLDEN_VERSION};
    holden_put16(bytes + 4, type);
    holden_put32(bytes + 8, (uint32_t)size);
    holden_put32(bytes + 12, id);
    holden_put32(bytes + 16, node);
    memcpy(bytes + HOLDEN_FRAME_HEADER, body, size);
    guest_send(guest, bytes, HOLDEN_FRAME_HEADER + size);
}

TEST(unknown_requests_are_answered_and_no_harm) {
    static const uint16_t types[] = {
        0, 18, 63, HOLDEN_MESSAGE_done, HOLDEN_MESSAGE_process, 1000, UINT16_MAX};
    struct scene scene;
    open_scene(&scene);
    for (uint32_t i = 0; i < ARRAY_SIZE(types); i++) {
        send_frame(&scene.root, types[i], 100 + i, 0, "anything", 8);
        guest_refused(&scene.root, 100 + i, HOLDEN_code_UNKNOWN, "does not know");
    }
    guest_expect(&scene.root, HOLDEN_MESSAGE_pong, ping(&scene.root), NULL);
    close_scene(&scene);
}

/* Every request of the table has a handler: whatever the answer is, it is not "unknown". */
TEST(every_request_is_known) {
    struct sample sample = {.random = 7};
    struct holden_reply reply;
    struct holden_error error;
    struct packet *packet = malloc(sizeof(*packet));
    size_t count;
    const struct holden_message_row *rows = holden_messages(&count);
    assert_non_null(packet);
    for (size_t i = 0; i < count; i++) {
        struct scene scene;
        open_scene(&scene);
        uint32_t id = guest_ask(&scene.member, rows[i].number,
                                sample_make(&sample, rows[i].record, SAMPLE_LEAST), NULL, 0);
        bool heard = guest_hears(&scene.member, &reply);
        while (stage_packet(&scene.stage, packet))
            packet_close(packet);
        if (heard && reply.frame.type == HOLDEN_MESSAGE_error) {
            assert_int_equal(reply.frame.id, id);
            assert_int_equal(holden_reply_decode(&reply, &error), 0);
            assert_int_equal(error.code == HOLDEN_code_UNKNOWN, !rows[i].request);
        } else
            assert_true(rows[i].request);
        close_scene(&scene);
    }
    sample_free(&sample);
    free(packet);
}

TEST(a_request_for_another_node) {
    struct scene scene;
    open_scene(&scene);
    send_frame(&scene.root, HOLDEN_MESSAGE_ping, 5, 3, "", 0);
    guest_refused(&scene.root, 5, HOLDEN_code_INVALID, "another node");
    close_scene(&scene);
}

TEST(a_malformed_body_ends_its_sender_alone) {
    static const struct {
        const char *body;
        size_t size;
        const char *words;
    } rows[] = {
        {"", 0, "wait.name"},
        {"\1\0\3\0\0\0we", 8, "wait"},
        {"\1\0\3\0\0\0w\0b", 9, "wait.name"},
        {"\1\0\1\0\0\0a\1\0\1\0\0\0b", 14, "wait.name"},
        {"\1\0\1\0\0\0a\1", 8, "wait"},
        {"\1\0\xff\xff\xff\xff"
         "a",
         7, "wait"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct scene scene;
        open_scene(&scene);
        send_frame(&scene.member, HOLDEN_MESSAGE_wait, 9, 0, rows[i].body, rows[i].size);
        guest_refused(&scene.member, 9, HOLDEN_code_MALFORMED, rows[i].words);
        guest_ended(&scene.member);
        guest_expect(&scene.root, HOLDEN_MESSAGE_pong, ping(&scene.root), NULL);
        close_scene(&scene);
    }
}

TEST(descriptors_that_no_request_wants_are_closed) {
    struct scene scene;
    open_scene(&scene);
    unsigned before = scratch_descriptors();
    const int fds[] = {STDIN_FILENO, STDIN_FILENO};
    uint32_t id = guest_ask(&scene.member, HOLDEN_MESSAGE_ping, &(struct holden_ping){0}, fds, 2);
    guest_expect(&scene.member, HOLDEN_MESSAGE_pong, id, NULL);
    assert_int_equal(scratch_descriptors(), before);
    struct holden_wait wait = {0};
    HOLDEN_SET(&wait, wait, name, holden_view("nobody"));
    id = guest_ask(&scene.member, HOLDEN_MESSAGE_wait, &wait, fds, 2);
    guest_refused(&scene.member, id, HOLDEN_code_NO_PROCESS, "nobody");
    assert_int_equal(scratch_descriptors(), before);
    close_scene(&scene);
}

/* Makes a shell script what is tried by a reexec. */
static void program(struct scene *scene, const char *script) {
    static char name[] = "agent", *argv[] = {name, NULL};
    char path[128];
    snprintf(path, sizeof(path), "%s/program", scene->stage.scratch.path);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", script);
    assert_int_equal(fchmod(fileno(file), 0700), 0);
    fclose(file);
    setenv("HOLDEN_AGENT", path, 1);
    scene->stage.agent->argv = argv;
}

TEST(only_root_replaces_the_agent) {
    struct scene scene;
    int code = -1;
    open_scene(&scene);
    uint32_t id =
        guest_ask(&scene.member, HOLDEN_MESSAGE_reexec, &(struct holden_reexec){0}, NULL, 0);
    guest_refused(&scene.member, id, HOLDEN_code_NOT_PERMITTED, "only root");
    program(&scene, "echo agent-core 9");
    id = guest_ask(&scene.root, HOLDEN_MESSAGE_reexec, &(struct holden_reexec){0}, NULL, 0);
    GUEST_UNTIL(scene.stage.agent->event,
                sd_event_get_exit_code(scene.stage.agent->event, &code) == 0);
    assert_int_equal(code, AGENT_EXIT_REEXEC);
    static struct packet packet;
    assert_true(stage_packet(&scene.stage, &packet));
    assert_int_equal(packet.request.kind, KEEPER_REEXEC);
    assert_int_equal(packet.request.token, id);
    assert_int_equal(packet.count, 1);
    packet_close(&packet);
    close_scene(&scene);
}

TEST(a_program_that_is_none_is_not_gone_over_to) {
    static const struct {
        const char *script;
        const char *why;
    } rows[] = {{"exit 0", "is no agent"},
                {"echo lost; echo more; exit 3", "cannot start: lost (status 3)"},
                {"exit 4", "it did not say why (status 4)"},
                {"kill -KILL $$", "was killed by SIGKILL"},
                {"echo agent-core 9; exit 1", "status 1"}};
    struct scene scene;
    int code;
    open_scene(&scene);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        program(&scene, rows[i].script);
        uint32_t id =
            guest_ask(&scene.root, HOLDEN_MESSAGE_reexec, &(struct holden_reexec){0}, NULL, 0);
        GUEST_UNTIL(scene.stage.agent->event, scene.stage.agent->reexec.scout != 0);
        GUEST_UNTIL(scene.stage.agent->event, scene.stage.agent->reexec.scout == 0);
        guest_refused(&scene.root, id, HOLDEN_code_FAILED, rows[i].why);
    }
    assert_int_equal(sd_event_get_exit_code(scene.stage.agent->event, &code), -ENODATA);
    close_scene(&scene);
}

/* ---- whom it is about ---- */

TEST(a_target_is_named_or_numbered) {
    struct scene scene;
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_EXITED, 1000);
    guest_expect(&scene.member, HOLDEN_MESSAGE_exited, ABOUT(&scene.member, wait, "web"), NULL);
    process_set_pid(process, 4711);
    guest_expect(&scene.member, HOLDEN_MESSAGE_exited, ABOUT(&scene.member, wait, "4711"), NULL);
    static const char *const nobody[] = {"wed", "", "4712", "0", "1", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(nobody); i++)
        guest_refused(&scene.member, ABOUT(&scene.member, wait, nobody[i]), HOLDEN_code_NO_PROCESS,
                      "no process");
    close_scene(&scene);
}

TEST(others_are_out_of_reach) {
    struct scene scene;
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_RUNNING, 1000);
    struct guest *guest = &scene.other;
    guest_refused(guest, ABOUT(guest, stop, "web"), HOLDEN_code_NOT_PERMITTED,
                  "belongs to user 1000");
    guest_refused(guest, ABOUT(guest, kill, "web"), HOLDEN_code_NOT_PERMITTED, "you are user 1001");
    guest_refused(guest, ABOUT(guest, restart, "web"), HOLDEN_code_NOT_PERMITTED, "belongs");
    guest_refused(guest, ABOUT(guest, freeze, "web"), HOLDEN_code_NOT_PERMITTED, "belongs");
    guest_refused(guest, ABOUT(guest, thaw, "web"), HOLDEN_code_NOT_PERMITTED, "belongs");
    guest_refused(guest, ABOUT(guest, reset, "web"), HOLDEN_code_NOT_PERMITTED, "belongs");
    guest_refused(guest, ABOUT(guest, wait, "web"), HOLDEN_code_NOT_PERMITTED, "belongs");
    guest_refused(guest, ABOUT(guest, log, "web"), HOLDEN_code_NOT_PERMITTED, "belongs");
    struct holden_constrain constrain = {0};
    const struct holden_properties none = {0};
    HOLDEN_SET(&constrain, constrain, name, holden_view("web"));
    HOLDEN_SET(&constrain, constrain, properties, (struct holden_nested){.value = &none});
    guest_refused(guest, guest_ask(guest, HOLDEN_MESSAGE_constrain, &constrain, NULL, 0),
                  HOLDEN_code_NOT_PERMITTED, "belongs");
    assert_int_equal(process->state, HOLDEN_state_RUNNING);
    assert_null(process->stopping);
    assert_true(LIST_EMPTY(&process->waiters));
    close_scene(&scene);
}

TEST(what_makes_no_sense_for_an_ended_process) {
    struct scene scene;
    open_scene(&scene);
    stage_process(&scene.stage, "web", HOLDEN_state_FAILED, 1000);
    struct guest *guest = &scene.member;
    guest_refused(guest, ABOUT(guest, kill, "web"), HOLDEN_code_WRONG_STATE, "has ended (failed)");
    guest_refused(guest, ABOUT(guest, freeze, "web"), HOLDEN_code_WRONG_STATE, "status web");
    guest_refused(guest, ABOUT(guest, thaw, "web"), HOLDEN_code_WRONG_STATE, "has ended");
    guest_expect(guest, HOLDEN_MESSAGE_done, ABOUT(guest, stop, "web"), NULL);
    close_scene(&scene);
}

/* ---- what comes again ---- */

/* Asks about the process with that id, under a name that may be another's by now. */
#define AGAIN(guest, type, number)                                                                 \
    ({                                                                                             \
        struct holden_##type again = {0};                                                          \
        HOLDEN_SET(&again, type, name, holden_view("web"));                                        \
        HOLDEN_SET(&again, type, id, number);                                                      \
        guest_ask(guest, HOLDEN_MESSAGE_##type, &again, NULL, 0);                                  \
    })

TEST(a_target_is_told_before_its_answer) {
    struct scene scene;
    struct holden_target target;
    struct holden_stop stop = {0};
    struct holden_subscribe subscribe = {0};
    open_scene(&scene);
    stage_process(&scene.stage, "db", HOLDEN_state_RUNNING, 1000);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_STOPPED, 1000);
    HOLDEN_SET(&stop, stop, name, holden_view("web"));
    HOLDEN_SET(&stop, stop, tell, true);
    uint32_t id = guest_ask(&scene.member, HOLDEN_MESSAGE_stop, &stop, NULL, 0);
    guest_expect(&scene.member, HOLDEN_MESSAGE_target, id, &target);
    assert_int_equal(target.id, process->id);
    guest_expect(&scene.member, HOLDEN_MESSAGE_done, id, NULL);
    id = guest_ask(&scene.other, HOLDEN_MESSAGE_stop, &stop, NULL, 0);
    guest_refused(&scene.other, id, HOLDEN_code_NOT_PERMITTED, "belongs");
    guest_silent(&scene.other);
    /* Of events, where they begin: with the next one, or with the first that is kept. */
    events_action(process, HOLDEN_event_kind_SIGNALLED, 0, NULL);
    HOLDEN_SET(&subscribe, subscribe, tell, true);
    HOLDEN_SET(&subscribe, subscribe, follow, true);
    id = guest_ask(&scene.member, HOLDEN_MESSAGE_subscribe, &subscribe, NULL, 0);
    guest_expect(&scene.member, HOLDEN_MESSAGE_target, id, &target);
    assert_int_equal(target.id, scene.stage.agent->events.ring.last);
    HOLDEN_SET(&subscribe, subscribe, follow, false);
    id = guest_ask(&scene.member, HOLDEN_MESSAGE_subscribe, &subscribe, NULL, 0);
    guest_expect(&scene.member, HOLDEN_MESSAGE_target, id, &target);
    assert_int_equal(target.id, 0);
    close_scene(&scene);
}

TEST(what_comes_again_means_the_process_that_it_meant) {
    struct scene scene;
    struct holden_exited exited;
    open_scene(&scene);
    struct guest *guest = &scene.member;
    struct process *old = stage_process(&scene.stage, "web", HOLDEN_state_EXITED, 1000);
    struct process *new = stage_process(&scene.stage, "web", HOLDEN_state_RUNNING, 1000);
    uint64_t id = old->id;
    guest_expect(guest, HOLDEN_MESSAGE_exited, AGAIN(guest, wait, id), &exited);
    assert_int_equal(exited.id, id);
    /* What it was to do is done; a process that has ended cannot be frozen, though. */
    guest_expect(guest, HOLDEN_MESSAGE_done, AGAIN(guest, stop, id), NULL);
    guest_expect(guest, HOLDEN_MESSAGE_done, AGAIN(guest, kill, id), NULL);
    guest_expect(guest, HOLDEN_MESSAGE_done, AGAIN(guest, thaw, id), NULL);
    guest_refused(guest, AGAIN(guest, freeze, id), HOLDEN_code_WRONG_STATE, "has ended");
    guest_refused(&scene.other, AGAIN(&scene.other, kill, id), HOLDEN_code_NOT_PERMITTED,
                  "belongs");
    guest_expect(guest, HOLDEN_MESSAGE_done, AGAIN(guest, reset, id), NULL);
    /* Now it is forgotten. */
    guest_expect(guest, HOLDEN_MESSAGE_done, AGAIN(guest, reset, id), NULL);
    guest_expect(guest, HOLDEN_MESSAGE_done, AGAIN(guest, stop, id), NULL);
    guest_refused(guest, AGAIN(guest, kill, id), HOLDEN_code_NO_PROCESS, "no process web");
    guest_refused(guest, AGAIN(guest, wait, id), HOLDEN_code_NO_PROCESS, "no process web");
    /* And this one there never was. */
    guest_refused(guest, AGAIN(guest, stop, 1000), HOLDEN_code_NO_PROCESS, "no process web");
    assert_int_equal(new->state, HOLDEN_state_RUNNING);
    assert_null(new->stopping);
    close_scene(&scene);
}

TEST(a_list_goes_on_behind_a_process) {
    struct scene scene;
    struct holden_list request = {0};
    struct holden_process process;
    const struct holden_view names[] = {holden_view("c"), holden_view("a"), holden_view("b")};
    open_scene(&scene);
    stage_process(&scene.stage, "a", HOLDEN_state_RUNNING, 1000);
    stage_process(&scene.stage, "b", HOLDEN_state_RUNNING, 1000);
    stage_process(&scene.stage, "c", HOLDEN_state_RUNNING, 1000);
    HOLDEN_SET(&request, list, after, 1);
    uint32_t id = guest_ask(&scene.member, HOLDEN_MESSAGE_list, &request, NULL, 0);
    for (uint64_t number = 2; number <= 3; number++) {
        guest_expect(&scene.member, HOLDEN_MESSAGE_process, id, &process);
        assert_int_equal(process.id, number);
    }
    guest_expect(&scene.member, HOLDEN_MESSAGE_end, id, NULL);
    /* Of named ones, in the order of the names. */
    HOLDEN_SET(&request, list, name, (struct holden_repeated){.count = 3, .items = names});
    id = guest_ask(&scene.member, HOLDEN_MESSAGE_list, &request, NULL, 0);
    guest_expect(&scene.member, HOLDEN_MESSAGE_process, id, &process);
    assert_int_equal(process.id, 2);
    guest_expect(&scene.member, HOLDEN_MESSAGE_end, id, NULL);
    close_scene(&scene);
}

/* ---- the agent itself ---- */

TEST(about_the_agent) {
    struct scene scene;
    struct holden_pong pong;
    struct holden_self_state self;
    struct holden_reply reply;
    struct holden_check check;
    open_scene(&scene);
    stage_process(&scene.stage, "web", HOLDEN_state_RUNNING, 0);
    stage_process(&scene.stage, "old", HOLDEN_state_FAILED, 0);
    guest_expect(&scene.member, HOLDEN_MESSAGE_pong, ping(&scene.member), &pong);
    assert_int_equal(pong.pid, getpid());
    assert_true(holden_view_is(pong.version, HOLDEN_VERSION_TEXT));
    uint32_t id = guest_ask(&scene.member, HOLDEN_MESSAGE_self, &(struct holden_self){0}, NULL, 0);
    guest_expect(&scene.member, HOLDEN_MESSAGE_self_state, id, &self);
    assert_int_equal(self.pid, getpid());
    assert_int_equal(self.keeper, getppid());
    assert_int_equal(self.processes, 1);
    assert_int_equal(self.records, 1);
    assert_int_equal(self.clients, 3);
    assert_true(holden_view_is(self.socket, scene.stage.socket));
    assert_true(self.descriptors > 3);
    assert_true(self.resident > 1 << 16);
    id = guest_ask(&scene.member, HOLDEN_MESSAGE_doctor, &(struct holden_doctor){0}, NULL, 0);
    unsigned checks = 0;
    while (guest_hears(&scene.member, &reply) && reply.frame.type == HOLDEN_MESSAGE_check) {
        assert_int_equal(reply.frame.id, id);
        assert_int_equal(holden_reply_decode(&reply, &check), 0);
        assert_true(check.name.size > 0);
        assert_int_equal(HOLDEN_HAS(&check, check, remedy) != 0,
                         check.severity != HOLDEN_severity_OK);
        checks++;
    }
    assert_int_equal(reply.frame.type, HOLDEN_MESSAGE_end);
    assert_true(checks > 5);
    close_scene(&scene);
}

/* ---- list ---- */

static uint32_t list(struct guest *guest, bool ended, bool detail, const char *const *names) {
    struct holden_list request = {0};
    struct holden_view views[16];
    uint32_t count = 0;
    for (; names && names[count]; count++)
        views[count] = holden_view(names[count]);
    if (names)
        HOLDEN_SET(&request, list, name, (struct holden_repeated){.count = count, .items = views});
    HOLDEN_SET(&request, list, ended, ended);
    HOLDEN_SET(&request, list, detail, detail);
    return guest_ask(guest, HOLDEN_MESSAGE_list, &request, NULL, 0);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* These, in this order, and the end. */
static void lists(struct guest *guest, uint32_t id, const char *const *names) {
    struct holden_process process;
    for (size_t i = 0; names[i]; i++) {
        guest_expect(guest, HOLDEN_MESSAGE_process, id, &process);
        if (!holden_view_is(process.name, names[i]))
            fail_msg("%.*s in place of %s", (int)process.name.size, process.name.data, names[i]);
    }
    guest_expect(guest, HOLDEN_MESSAGE_end, id, NULL);
}

TEST(lists_show_what_the_asker_may_see) {
    struct scene scene;
    open_scene(&scene);
    lists(&scene.root, list(&scene.root, true, false, NULL), NAMES(NULL));
    stage_process(&scene.stage, "a", HOLDEN_state_RUNNING, 1000);
    stage_process(&scene.stage, "b", HOLDEN_state_FAILED, 1000);
    stage_process(&scene.stage, "c", HOLDEN_state_RUNNING, 0);
    stage_process(&scene.stage, "d", HOLDEN_state_STOPPING, 1000);
    lists(&scene.root, list(&scene.root, false, false, NULL), NAMES("a", "c", "d"));
    lists(&scene.root, list(&scene.root, true, true, NULL), NAMES("a", "b", "c", "d"));
    lists(&scene.member, list(&scene.member, true, false, NULL), NAMES("a", "b", "d"));
    lists(&scene.other, list(&scene.other, true, false, NULL), NAMES(NULL));
    close_scene(&scene);
}

TEST(named_lists_are_whole_or_refused) {
    struct scene scene;
    open_scene(&scene);
    stage_process(&scene.stage, "a", HOLDEN_state_RUNNING, 1000);
    stage_process(&scene.stage, "b", HOLDEN_state_FAILED, 1000);
    stage_process(&scene.stage, "c", HOLDEN_state_RUNNING, 0);
    lists(&scene.member, list(&scene.member, false, true, NAMES("b", "a", "b")),
          NAMES("b", "a", "b"));
    uint32_t id = list(&scene.member, false, false, NAMES("a", "x"));
    guest_refused(&scene.member, id, HOLDEN_code_NO_PROCESS, "no process x");
    id = list(&scene.member, false, false, NAMES("a", "c"));
    guest_refused(&scene.member, id, HOLDEN_code_NOT_PERMITTED, "belongs to user 0");
    guest_silent(&scene.member);
    close_scene(&scene);
}

TEST(a_process_in_detail) {
    struct scene scene;
    struct holden_process shown;
    struct holden_view argument;
    struct holden_properties properties = {0};
    struct holden_fault fault;
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_FAILED, 1000);
    HOLDEN_SET(&properties, properties, tasks_max, 7);
    stage_settings(process, &properties);
    process->outcome =
        (struct outcome){HOLDEN_cause_SIGNALLED, CLD_DUMPED, SIGSEGV, strdup("ended by SIGSEGV")};
    process->restarts = 2;
    process->usage = calloc(1, sizeof(*process->usage));
    HOLDEN_SET(process->usage, usage, at, 1);
    HOLDEN_SET(process->usage, usage, cpu, 77);
    int fd;
    assert_int_equal(logfile_open(process, &fd), 0);
    assert_int_equal(file_write_all(fd, "last words\n", 11), 0);
    close(fd);
    uint32_t id = list(&scene.member, false, true, NAMES("web"));
    guest_expect(&scene.member, HOLDEN_MESSAGE_process, id, &shown);
    assert_int_equal(shown.state, HOLDEN_state_FAILED);
    assert_int_equal(shown.cause, HOLDEN_cause_SIGNALLED);
    assert_int_equal(shown.signal, SIGSEGV);
    assert_true(shown.core);
    assert_false(HOLDEN_HAS(&shown, process, status));
    assert_false(HOLDEN_HAS(&shown, process, pid));
    assert_int_equal(shown.restarts, 2);
    assert_int_equal(shown.owner, 1000);
    assert_true(holden_view_is(shown.explanation, "ended by SIGSEGV"));
    assert_true(holden_view_is(shown.output, "last words\n"));
    assert_int_equal(shown.argument.count, 2);
    assert_true(holden_next_view(&shown.argument, &argument));
    assert_true(holden_view_is(argument, "command"));
    assert_int_equal(holden_decode(&holden_record_properties, shown.properties.bytes.data,
                                   shown.properties.bytes.size, &properties, &fault),
                     0);
    assert_int_equal(properties.tasks_max, 7);
    guest_expect(&scene.member, HOLDEN_MESSAGE_end, id, NULL);
    id = list(&scene.member, true, false, NULL);
    guest_expect(&scene.member, HOLDEN_MESSAGE_process, id, &shown);
    assert_true(holden_view_is(shown.command, "command argument"));
    assert_false(HOLDEN_HAS(&shown, process, properties));
    close_scene(&scene);
}

TEST(a_long_list_waits_for_its_reader) {
    enum { MANY = 20000 };
    struct scene scene;
    char name[16];
    open_scene(&scene);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "p%u", i);
        stage_process(&scene.stage, name, HOLDEN_state_RUNNING, 0);
    }
    uint32_t id = list(&scene.root, false, false, NULL);
    guest_turn(scene.stage.agent->event);
    assert_true(scene.root.peer->connection.out.size < PEER_QUEUE_MAX + 4096);
    guest_expect(&scene.member, HOLDEN_MESSAGE_pong, ping(&scene.member), NULL);
    /* What is forgotten while the list is under way does not break it. */
    for (unsigned i = 0; i < MANY; i += 2)
        process_free(process_by_id(&scene.stage.agent->processes, i + 1));
    struct holden_reply reply;
    struct holden_process process;
    uint64_t last = 0, heard = 0;
    while (guest_hears(&scene.root, &reply) && reply.frame.type == HOLDEN_MESSAGE_process) {
        assert_int_equal(reply.frame.id, id);
        assert_int_equal(holden_reply_decode(&reply, &process), 0);
        assert_true(process.id > last);
        last = process.id;
        heard++;
    }
    assert_int_equal(reply.frame.type, HOLDEN_MESSAGE_end);
    assert_int_equal(last, MANY);
    assert_true(heard >= MANY / 2 && heard < MANY);
    close_scene(&scene);
}

/* ---- waiting, logs, records ---- */

TEST(how_it_ended) {
    struct scene scene;
    struct holden_exited exited;
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_EXITED, 1000);
    process->outcome =
        (struct outcome){HOLDEN_cause_EXITED, CLD_EXITED, 0, strdup("exited with status 0")};
    guest_expect(&scene.member, HOLDEN_MESSAGE_exited, ABOUT(&scene.member, wait, "web"), &exited);
    assert_true(holden_view_is(exited.name, "web"));
    assert_int_equal(exited.id, process->id);
    assert_int_equal(exited.state, HOLDEN_state_EXITED);
    assert_int_equal(exited.status, 0);
    assert_true(HOLDEN_HAS(&exited, exited, status));
    assert_false(HOLDEN_HAS(&exited, exited, signal));
    assert_int_equal(exited.cause, HOLDEN_cause_EXITED);
    close_scene(&scene);
}

TEST(promises_have_a_bound) {
    struct scene scene;
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_RUNNING, 0);
    for (uint32_t i = 0; i < PEER_PROMISES_MAX; i++)
        assert_int_equal(waiter_add(process, scene.root.peer, i, WAITER_EXIT), 0);
    guest_refused(&scene.root, ABOUT(&scene.root, wait, "web"), HOLDEN_code_TOO_MANY,
                  "answers are owed");
    process_free(process);
    assert_int_equal(scene.root.peer->promises, 0);
    close_scene(&scene);
}

TEST(a_log_comes_as_a_descriptor_to_read) {
    struct scene scene;
    struct holden_reply reply;
    struct holden_log_file answer;
    char text[16] = "";
    int fd;
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_RUNNING, 1000);
    guest_refused(&scene.member, ABOUT(&scene.member, log, "web"), HOLDEN_code_INVALID,
                  "has no log");
    assert_int_equal(logfile_open(process, &fd), 0);
    assert_int_equal(file_write_all(fd, "words", 5), 0);
    close(fd);
    uint32_t id = ABOUT(&scene.member, log, "web");
    assert_true(guest_hears(&scene.member, &reply));
    assert_int_equal(reply.frame.type, HOLDEN_MESSAGE_log_file);
    assert_int_equal(reply.frame.id, id);
    assert_int_equal(holden_reply_decode(&reply, &answer), 0);
    assert_true(answer.live);
    assert_int_equal(
        holden_connection_take_fds(&scene.member.client.connection, &reply.frame, &fd, 1), 1);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(read(fd, text, sizeof(text)), 5);
    assert_string_equal(text, "words");
    close(fd);
    close_scene(&scene);
}

TEST(who_writes_to_the_journal_is_found_there) {
    static const struct holden_stream journal = {{1}, HOLDEN_stream_kind_JOURNAL, {0}};
    struct scene scene;
    struct holden_log_file answer;
    struct holden_properties properties = {0};
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_RUNNING, 1000);
    HOLDEN_SET(&properties, properties, standard_error, (struct holden_nested){.value = &journal});
    stage_settings(process, &properties);
    process->started_realtime = 7;
    process->ended_realtime = 9;
    uint32_t id = ABOUT(&scene.member, log, "web");
    guest_expect(&scene.member, HOLDEN_MESSAGE_log_file, id, &answer);
    assert_false(HOLDEN_HAS(&answer, log_file, file));
    assert_true(holden_view_is(answer.journal, "web"));
    assert_int_equal(answer.since, 7);
    assert_false(HOLDEN_HAS(&answer, log_file, until));
    state_recover(process, HOLDEN_state_EXITED);
    HOLDEN_SET(&properties, properties, syslog_identifier, holden_view("door"));
    stage_settings(process, &properties);
    id = ABOUT(&scene.member, log, "web");
    guest_expect(&scene.member, HOLDEN_MESSAGE_log_file, id, &answer);
    assert_true(holden_view_is(answer.journal, "door"));
    assert_int_equal(answer.until, 9);
    close_scene(&scene);
}

TEST(a_record_is_forgotten) {
    struct scene scene;
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_RUNNING, 1000);
    guest_refused(&scene.member, ABOUT(&scene.member, reset, "web"), HOLDEN_code_WRONG_STATE,
                  "stop it first");
    state_recover(process, HOLDEN_state_STOPPED);
    assert_int_equal(store_write(&scene.stage.agent->store, process), 0);
    guest_expect(&scene.member, HOLDEN_MESSAGE_done, ABOUT(&scene.member, reset, "web"), NULL);
    assert_int_equal(scene.stage.agent->processes.count, 0);
    assert_int_equal(faccessat(scene.stage.agent->store.records, "1", F_OK, 0), -1);
    guest_refused(&scene.member, ABOUT(&scene.member, reset, "web"), HOLDEN_code_NO_PROCESS, "web");
    close_scene(&scene);
}

/* A stop is answered when the keeper has reaped, which may come after somebody has had it
 * forgotten. */
TEST(who_stopped_what_another_forgets_is_answered) {
    struct scene scene;
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_STOPPED, 1000);
    assert_int_equal(waiter_add(process, scene.member.peer, 77, WAITER_STOP), 0);
    guest_expect(&scene.root, HOLDEN_MESSAGE_done, ABOUT(&scene.root, reset, "web"), NULL);
    guest_expect(&scene.member, HOLDEN_MESSAGE_done, 77, NULL);
    close_scene(&scene);
}

TEST(who_stopped_what_another_cannot_restart_is_answered) {
    struct scene scene;
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_STOPPED, 1000);
    process_set_pid(process, 4711);
    stage_process(&scene.stage, "web", HOLDEN_state_RUNNING, 1000);
    assert_int_equal(waiter_add(process, scene.member.peer, 77, WAITER_STOP), 0);
    guest_refused(&scene.root, ABOUT(&scene.root, restart, "4711"), HOLDEN_code_EXISTS,
                  "taken by a newer");
    assert_true(waiter_any(process, WAITER_STOP));
    assert_false(waiter_any(process, WAITER_START));
    close_scene(&scene);
}

/* ---- signals ---- */

static pid_t give_child(struct process *process) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close_range(3, ~0U, 0);
        alarm(60);
        for (;;)
            pause();
    }
    process->pidfd = pidfd_open(child, 0);
    assert_true(process->pidfd >= 0);
    process_set_pid(process, child);
    return child;
}

static uint32_t kill_with(struct guest *guest, const char *name, uint32_t signal) {
    struct holden_kill request = {0};
    HOLDEN_SET(&request, kill, name, holden_view(name));
    HOLDEN_SET(&request, kill, signal, signal);
    return guest_ask(guest, HOLDEN_MESSAGE_kill, &request, NULL, 0);
}

TEST(a_signal_reaches_the_main_process) {
    static const uint32_t wrong[] = {0, 65, UINT32_MAX};
    struct scene scene;
    int status;
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_RUNNING, 1000);
    guest_refused(&scene.member, ABOUT(&scene.member, kill, "web"), HOLDEN_code_FAILED,
                  "cannot send signal 15");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        guest_refused(&scene.member, kill_with(&scene.member, "web", wrong[i]), HOLDEN_code_INVALID,
                      "is no signal");
    pid_t child = give_child(process);
    assert_int_equal(process->killed_by, -1);
    guest_expect(&scene.member, HOLDEN_MESSAGE_done, kill_with(&scene.member, "web", SIGUSR2),
                 NULL);
    assert_int_equal(process->killed_by, 1000);
    assert_int_equal(process->killed_with, SIGUSR2);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
    guest_refused(&scene.root, ABOUT(&scene.root, kill, "web"), HOLDEN_code_FAILED,
                  "No such process");
    assert_int_equal(process->killed_by, 1000);
    close_scene(&scene);
}

/* ---- freezing ---- */

TEST(frozen_and_thawed) {
    struct scene scene;
    char text[8];
    open_scene(&scene);
    struct process *process = stage_process(&scene.stage, "web", HOLDEN_state_STARTING, 1000);
    struct guest *guest = &scene.member;
    guest_refused(guest, ABOUT(guest, freeze, "web"), HOLDEN_code_WRONG_STATE,
                  "only a running process");
    state_recover(process, HOLDEN_state_RUNNING);
    guest_refused(guest, ABOUT(guest, freeze, "web"), HOLDEN_code_FAILED, "cannot freeze web");
    assert_false(process->frozen);
    scratch_make(&scene.stage.scratch, "cgroup/1-web");
    scratch_write(&scene.stage.scratch, "cgroup/1-web/cgroup.freeze", "0");
    guest_expect(guest, HOLDEN_MESSAGE_done, ABOUT(guest, freeze, "web"), NULL);
    assert_true(process->frozen);
    assert_string_equal(
        scratch_read(&scene.stage.scratch, "cgroup/1-web/cgroup.freeze", text, sizeof(text)), "1");
    uint64_t told = scene.stage.agent->events.ring.last;
    guest_expect(guest, HOLDEN_MESSAGE_done, ABOUT(guest, freeze, "web"), NULL);
    assert_int_equal(scene.stage.agent->events.ring.last, told);
    guest_expect(guest, HOLDEN_MESSAGE_done, ABOUT(guest, thaw, "web"), NULL);
    assert_false(process->frozen);
    assert_string_equal(
        scratch_read(&scene.stage.scratch, "cgroup/1-web/cgroup.freeze", text, sizeof(text)), "0");
    assert_int_equal(scene.stage.agent->events.ring.last, told + 1);
    close_scene(&scene);
}

UNIT_MAIN
