#include "monitor/live.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "monitor/dialog.h"
#include "monitor/key.h"
#include "monitor/menu.h"
#include "monitor/mouse.h"
#include "monitor/pane.h"
#include "monitor/screen.h"
#include "monitor/signals.h"
#include "monitor/status.h"

/* Microseconds. Events may come by the thousand; the screen follows so many times a second. */
enum { NOTICE = 8000000, BETWEEN_PAINTS = 50000, SECOND = 1000000 };

enum { TERMINAL, SIGNALS, AGENTS, SOURCES = AGENTS + FLEET_MOST };

void live_say(struct live *live, enum style style, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(live->notice.text, sizeof(live->notice.text), format, arguments);
    va_end(arguments);
    live->notice.style = style;
    live->notice.until = feed_now() + NOTICE;
    live->dirty = true;
}

uint64_t live_clock(const struct live *live) {
    return live->replaying ? live->replay.at : feed_wall_clock();
}

const struct row *live_find(const struct live *live, uint64_t key) {
    for (size_t i = 0; i < live->fleet.count; i++) {
        const struct row *row = model_find(&live->fleet.feeds[i].model, key ^ (uint64_t)i << 56);
        if (row && row_key(row) == key)
            return row;
    }
    return NULL;
}

void live_arrange(struct live *live) {
    const struct model *models[FLEET_MOST];
    if (!live->stale)
        return;
    live->stale = false;
    for (size_t i = 0; i < live->fleet.count; i++)
        models[i] = &live->fleet.feeds[i].model;
    if (view_arrange(&live->view, models, live->fleet.count, &live->context) < 0)
        live_say(live, STYLE_BAD, "not enough memory to show the processes");
}

static struct action_pending *free_place(struct live *live) {
    for (size_t i = 0; i < LIVE_PENDING; i++)
        if (!live->pending[i].id)
            return &live->pending[i];
    return NULL;
}

bool live_act(struct live *live, uint64_t key, const struct action_order *order) {
    struct action_pending *pending = free_place(live);
    const struct row *row = live_find(live, key);
    const char *verb = action_row(order->action)->verb;
    if (!pending) {
        live_say(live, STYLE_WARN, "the agent has not answered %d requests; not asked: %s %s",
                 LIVE_PENDING, verb, order->name);
        return false;
    }
    int r = row ? action_ask(fleet_feed(&live->fleet, row), order, pending) : -ESRCH;
    if (r < 0) {
        live_say(live, STYLE_BAD, "cannot %s %s: %s", verb, order->name,
                 r == -ENOTCONN ? "the agent is gone" : strerror(-r));
        return false;
    }
    pending->feed = fleet_feed(&live->fleet, row);
    pending->target = key;
    live_say(live, STYLE_PLAIN, "%s %s...", verb, order->name);
    return true;
}

/* The oldest gives way where there are too many. */
static void keep_for_undo(struct live *live, const struct action_pending *pending,
                          const struct holden_reply *reply) {
    struct live_undo undo = {.target = pending->target};
    if (action_before(reply, &undo.limits) < 0)
        return;
    memcpy(undo.name, pending->name, sizeof(undo.name));
    if (live->undo_count == LIVE_UNDOS)
        memmove(live->undos, live->undos + 1, --live->undo_count * sizeof(undo));
    live->undos[live->undo_count++] = undo;
}

static void answer_action(struct live *live, struct action_pending *pending,
                          const struct holden_reply *reply) {
    char text[ACTION_TEXT];
    bool done = action_answer(pending, reply, text);
    live_say(live, done ? STYLE_GOOD : STYLE_BAD, "%s", text);
    feed_hurry(pending->feed);
    if (done && pending->dry_run)
        dialog_apply(live, pending->target, pending->name);
    else if (done && pending->action == ACTION_CONSTRAIN && !pending->undo)
        keep_for_undo(live, pending, reply);
    *pending = (struct action_pending){0};
}

/* The answer to a request, or (NULL) the end of all hope for one. */
static void answer(void *context, struct feed *feed, const struct holden_reply *reply) {
    struct live *live = context;
    if (inspect_answer(&live->inspect, feed, reply)) {
        live->dirty = true;
        return;
    }
    for (size_t i = 0; i < LIVE_PENDING; i++) {
        struct action_pending *pending = &live->pending[i];
        if (!pending->id || pending->feed != feed || (reply && reply->frame.id != pending->id))
            continue;
        if (reply) {
            answer_action(live, pending, reply);
            continue;
        }
        live_say(live, STYLE_BAD, "the agent went away before it answered: %s %s",
                 action_row(pending->action)->verb, pending->name);
        *pending = (struct action_pending){0};
    }
}

static void take_signals(struct live *live, int fd) {
    bool resized;
    live->quit |= signals_read(fd, &resized);
    if (!resized)
        return;
    terminal_resize(&live->terminal);
    live->layout = (struct layout){0};
    live->dirty = true;
}

static void take_keys(struct live *live) {
    int key;
    while (!live->quit && (key = terminal_key(&live->terminal)) != TERMINAL_NONE) {
        if (key == TERMINAL_MOUSE && !dialog_is_open(live) && !menu_is_open(live))
            key = mouse_press(live);
        if (dialog_is_open(live))
            dialog_key(live, key);
        else if (menu_is_open(live))
            menu_key(live, key);
        else
            key_press(live, key);
        live->dirty = true;
    }
}

/* Until when nothing is to be done unless something happens: the clock moves each second. */
static uint64_t next_deadline(const struct live *live, uint64_t now, uint64_t painted) {
    uint64_t deadline = live->replaying ? replay_deadline(&live->replay)
                                        : fleet_deadline(&live->fleet);
    uint64_t inspect = inspect_deadline(&live->inspect);
    deadline = deadline < inspect ? deadline : inspect;
    uint64_t paint = live->dirty ? painted + BETWEEN_PAINTS : now + SECOND - now % SECOND;
    deadline = deadline < paint ? deadline : paint;
    return live->notice.until > now && live->notice.until < deadline ? live->notice.until
                                                                     : deadline;
}

static void wait_for(struct pollfd *sources, size_t count, uint64_t until) {
    uint64_t now = feed_now();
    uint64_t left = until > now ? until - now : 0;
    struct timespec timeout = {(time_t)(left / SECOND), (long)(left % SECOND) * 1000};
    if (ppoll(sources, count, &timeout, NULL) <= 0)
        for (size_t i = 0; i < count; i++)
            sources[i].revents = 0;
}

/* By an agent that has never told anything, where it is the only one. */
static bool is_turned_away(const struct fleet *fleet) {
    return fleet->count == 1 && fleet->feeds[0].samples == 0 &&
           fleet->feeds[0].code == HOLDEN_code_NOT_PERMITTED;
}

/* Waits until something is to be done. What poll(2) says of the terminal. */
static short wait_for_any(struct live *live, int signals, uint64_t painted) {
    struct pollfd sources[SOURCES] = {
        [TERMINAL] = {.fd = STDIN_FILENO, .events = POLLIN},
        [SIGNALS] = {.fd = signals, .events = POLLIN},
    };
    for (size_t i = 0; i < live->fleet.count; i++)
        sources[AGENTS + i] = (struct pollfd){.fd = feed_fd(&live->fleet.feeds[i]),
                                              .events = feed_events(&live->fleet.feeds[i])};
    wait_for(sources, AGENTS + live->fleet.count, next_deadline(live, feed_now(), painted));
    return sources[TERMINAL].revents;
}

/* What is shown beside the table follows the selection. */
static void work(struct live *live, uint64_t now) {
    if (live->replaying ? replay_work(&live->replay, now) : fleet_work(&live->fleet, now))
        live->stale = live->dirty = true;
    live_arrange(live);
    bool wanted = !live->pane_hidden && !live->replaying && pane_lines(live->terminal.height) > 0;
    const struct row *row = wanted ? view_selected(&live->view) : NULL;
    inspect_select(&live->inspect, row ? fleet_feed(&live->fleet, row) : NULL,
                   row ? row->id : 0);
    live->dirty |= inspect_work(&live->inspect, now);
}

static void loop(struct live *live, int signals) {
    uint64_t painted = 0;
    uint64_t second = 0;
    while (!live->quit) {
        short terminal = wait_for_any(live, signals, painted);
        uint64_t now = feed_now();
        take_signals(live, signals);
        take_keys(live);
        if (terminal & (POLLHUP | POLLERR | POLLNVAL) || is_turned_away(&live->fleet))
            live->quit = true;
        work(live, now);
        if (now / SECOND != second)
            live->dirty = true;
        if (!live->dirty || (now < painted + BETWEEN_PAINTS && !(terminal & POLLIN)))
            continue;
        live->dirty = false;
        screen_paint(live, now);
        painted = now;
        second = now / SECOND;
    }
}

static void live_free(struct live *live) {
    for (size_t i = 0; i < live->fleet.count; i++)
        live->fleet.feeds[i].answer = NULL;
    terminal_close(&live->terminal);
    inspect_close(&live->inspect);
    replay_close(&live->replay);
    recorder_close(&live->recorder);
    fleet_close(&live->fleet);
    users_free(&live->users);
    view_free(&live->view);
}

static void prepare(struct live *live, const struct options *options) {
    live->context.users = &live->users;
    if (!live->replaying)
        fleet_name(&live->fleet, options->sockets, options->count);
    if (live->fleet.count > 1)
        live->context.agents = live->fleet.labels;
    for (size_t i = 0; !live->replaying && i < live->fleet.count; i++) {
        live->fleet.feeds[i].interval = options->interval;
        live->fleet.feeds[i].ended = options->ended;
        live->fleet.feeds[i].answer = answer;
        live->fleet.feeds[i].context = live;
    }
}

/* Opens what is shown: agents, or a recording. */
static int open_fleet(struct live *live, const struct options *options) {
    int status = STATUS_DONE;
    if (options->replay)
        status = status_replay(&live->replay, options->replay, &live->fleet);
    prepare(live, options);
    if (status == STATUS_DONE && options->record)
        status = status_record(&live->recorder, options->record, options->interval, &live->fleet);
    if (status != STATUS_DONE)
        return status;
    live->replay.speed = options->speed;
    live->replay.paused = options->paused;
    if (live->replaying && options->at != UINT64_MAX)
        replay_seek(&live->replay, live->replay.recording.first + options->at);
    if (!live->replaying && fleet_open(&live->fleet, feed_now()) < 0)
        return status_absent(&live->fleet.feeds[0]);
    return STATUS_DONE;
}

int live_run(const struct options *options) {
    const char *why;
    _cleanup_(live_free) struct live live = {
        .view = {.sort = options->sort,
                 .reversed = options->reversed,
                 .ended = options->ended,
                 .page = 1},
        .replay = {.recording = {.fd = -1}},
        .replaying = options->replay,
        .recorder = {.fd = -1},
        .inspect = {.fd = -1},
        .stale = true,
        .dirty = true,
    };
    int status = open_fleet(&live, options);
    if (status != STATUS_DONE)
        return status;
    _cleanup_close_ int signals = signals_open();
    if (signals < 0) {
        log_error("cannot wait for signals: %s", strerror(-signals));
        return STATUS_FAILED;
    }
    if (terminal_open(&live.terminal, options->no_color, &why) < 0) {
        log_error("%s; use --once, --lines or --json", why);
        return STATUS_USAGE;
    }
    live.context.utf8 = live.terminal.utf8;
    loop(&live, signals);
    terminal_close(&live.terminal);
    status = is_turned_away(&live.fleet) ? status_absent(&live.fleet.feeds[0]) : live.status;
    return status_recorded(&live.recorder, status);
}
