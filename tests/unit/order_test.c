/* Orders over a connection, and the lines that they leave. */
#include "agent/order.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/config.h"
#include "agent/finish.h"
#include "agent/waiter.h"
#include "common/file.h"
#include "stage.h"
#include "suite.h"

struct scene {
    struct stage stage;
    struct guest root, member;
    char text[65536]; /* of the trail, once it was read */
};

static void open_scene(struct scene *scene) {
    stage_open(&scene->stage);
    scene->stage.agent->config.audit = CONFIG_AUDIT_FILE;
    trail_open(scene->stage.agent);
    stage_guest(&scene->stage, &scene->root, 0);
    stage_guest(&scene->stage, &scene->member, 1000);
}

static void close_scene(struct scene *scene) {
    guest_close(&scene->root);
    guest_close(&scene->member);
    trail_close(&scene->stage.agent->trail);
    stage_close(&scene->stage);
}

/* The line number `which`, which must be the last. */
static const char *line(struct scene *scene, unsigned which) {
    struct agent *agent = scene->stage.agent;
    assert_int_equal(agent->trail.lines, which);
    assert_int_equal(agent->trail.lost, 0);
    if (which == 0)
        return "";
    assert_true(file_read(agent->store.root, "audit", scene->text, sizeof(scene->text)) > 0);
    char *at = strrchr(scene->text, '\n');
    return at ? at + 1 : scene->text;
}

static void holds(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("%s is not in %s", part, text);
}

static uint32_t stop(struct guest *guest, const char *name) {
    struct holden_stop stop = {0};
    HOLDEN_SET(&stop, stop, name, holden_view(name));
    HOLDEN_SET(&stop, stop, signal, 1);
    return guest_ask(guest, HOLDEN_MESSAGE_stop, &stop, NULL, 0);
}

TEST(a_request_that_changes_nothing_leaves_no_line) {
    static struct scene scene;
    open_scene(&scene);
    uint32_t id = guest_ask(&scene.root, HOLDEN_MESSAGE_ping, &(struct holden_ping){0}, NULL, 0);
    guest_expect(&scene.root, HOLDEN_MESSAGE_pong, id, NULL);
    line(&scene, 0);
    close_scene(&scene);
}

TEST(an_order_leaves_its_line_before_it_is_answered) {
    static struct scene scene;
    open_scene(&scene);
    guest_refused(&scene.root, stop(&scene.root, "nobody"), HOLDEN_code_NO_PROCESS, "nobody");
    const char *text = line(&scene, 1);
    holds(text, "\"uid\":0,");
    holds(text, "order\",\"verb\":\"stop\",\"target\":\"nobody\",\"signal\":1,"
                "\"result\":\"no-process\",\"text\":\"no process nobody");
    close_scene(&scene);
}

TEST(what_is_answered_later_leaves_it_then) {
    static struct scene scene;
    struct holden_done done = {0};
    open_scene(&scene);
    struct process *web = stage_process(&scene.stage, "web", HOLDEN_state_RUNNING, 1000);
    uint32_t first = stop(&scene.member, "web"), second = stop(&scene.root, "web");
    guest_silent(&scene.root);
    line(&scene, 0);
    assert_false(LIST_EMPTY(&scene.root.peer->orders));
    /* What else is asked meanwhile has nothing to do with it. */
    uint32_t id = guest_ask(&scene.root, HOLDEN_MESSAGE_ping, &(struct holden_ping){0}, NULL, 0);
    guest_expect(&scene.root, HOLDEN_MESSAGE_pong, id, NULL);
    line(&scene, 0);
    waiter_answer(web, WAITER_STOP, HOLDEN_MESSAGE_done, &done, NULL, 0);
    guest_expect(&scene.member, HOLDEN_MESSAGE_done, first, NULL);
    guest_expect(&scene.root, HOLDEN_MESSAGE_done, second, NULL);
    char about[64];
    snprintf(about, sizeof(about), "\"target\":\"web\",\"id\":%lu,", (unsigned long)web->id);
    holds(line(&scene, 2), about);
    holds(line(&scene, 2), "\"result\":\"done\"}");
    assert_true(LIST_EMPTY(&scene.root.peer->orders) && LIST_EMPTY(&scene.member.peer->orders));
    close_scene(&scene);
}

TEST(who_has_gone_leaves_an_order_that_is_answered_nobody) {
    static struct scene scene;
    open_scene(&scene);
    stage_process(&scene.stage, "web", HOLDEN_state_RUNNING, 1000);
    stop(&scene.member, "web");
    guest_silent(&scene.member);
    guest_close(&scene.member);
    holds(line(&scene, 1), "\"verb\":\"stop\",\"target\":\"web\"");
    assert_null(strstr(line(&scene, 1), "\"result\""));
    stage_guest(&scene.stage, &scene.member, 1000);
    close_scene(&scene);
}

TEST(what_is_refused_for_want_of_a_right_leaves_a_line_whatever_it_is) {
    static struct scene scene;
    struct holden_log log = {0};
    open_scene(&scene);
    stage_process(&scene.stage, "secret", HOLDEN_state_RUNNING, 0);
    HOLDEN_SET(&log, log, name, holden_view("secret"));
    uint32_t id = guest_ask(&scene.member, HOLDEN_MESSAGE_log, &log, NULL, 0);
    guest_refused(&scene.member, id, HOLDEN_code_NOT_PERMITTED, "belongs to user 0");
    holds(line(&scene, 1), "\"uid\":1000,");
    holds(line(&scene, 1), "\"verb\":\"log\",\"target\":\"secret\"");
    holds(line(&scene, 1), "\"result\":\"not-permitted\"");
    /* One that is wrong otherwise does not. */
    HOLDEN_SET(&log, log, name, holden_view("nobody"));
    id = guest_ask(&scene.member, HOLDEN_MESSAGE_log, &log, NULL, 0);
    guest_refused(&scene.member, id, HOLDEN_code_NO_PROCESS, "nobody");
    line(&scene, 1);
    close_scene(&scene);
}

TEST(broken_and_unknown_frames_leave_a_line) {
    static struct scene scene;
    uint8_t unknown[HOLDEN_FRAME_HEADER] = {'H', 'd', HOLDEN_VERSION, 0, 200, 1};
    uint8_t nameless[HOLDEN_FRAME_HEADER] = {'H', 'd', HOLDEN_VERSION, 0, HOLDEN_MESSAGE_stop};
    open_scene(&scene);
    guest_send(&scene.root, unknown, sizeof(unknown));
    guest_refused(&scene.root, 0, HOLDEN_code_UNKNOWN, "does not know");
    holds(line(&scene, 1), "\"verb\":\"frame\",\"result\":\"unknown-message\"");
    guest_send(&scene.root, nameless, sizeof(nameless));
    guest_refused(&scene.root, 0, HOLDEN_code_MALFORMED, "stop.name");
    holds(line(&scene, 2), "\"verb\":\"stop\",\"result\":\"malformed\"");
    guest_send(&scene.member, (uint8_t[HOLDEN_FRAME_HEADER]){'x'}, HOLDEN_FRAME_HEADER);
    guest_refused(&scene.member, 0, HOLDEN_code_MALFORMED, "no Holden frame");
    holds(line(&scene, 3), "\"uid\":1000,");
    holds(line(&scene, 3), "\"verb\":\"frame\",\"result\":\"malformed\"");
    close_scene(&scene);
}

/* Which requests are orders is said in messages.def: those that are answered by less than what they
 * ask for. */
TEST(every_request_that_is_told_nothing_is_an_order) {
    static const char *const orders[] = {"done", "started", "constrained"};
    size_t count;
    const struct holden_message_row *rows = holden_messages(&count);
    for (size_t i = 0; i < count; i++) {
        bool told_nothing = false;
        for (size_t n = 0; n < ARRAY_SIZE(orders); n++)
            told_nothing |= rows[i].request && strcmp(rows[i].reply, orders[n]) == 0;
        if (rows[i].order != told_nothing)
            fail_msg("%s: is it an order?", rows[i].record->name);
    }
}

UNIT_MAIN
