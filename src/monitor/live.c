#include "monitor/live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "monitor/dialog.h"
#include "monitor/key.h"
#include "monitor/screen.h"
#include "monitor/status.h"

/* Microseconds. Events may come by the thousand; the screen follows so many times a second. */
enum { NOTICE = 8000000, BETWEEN_PAINTS = 50000, SECOND = 1000000 };

enum { TERMINAL, AGENT, SIGNALS, SOURCES };

void live_say(struct live *live, enum style style, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(live->notice.text, sizeof(live->notice.text), format, arguments);
    va_end(arguments);
    live->notice.style = style;
    live->notice.until = feed_now() + NOTICE;
    live->dirty = true;
}

void live_arrange(struct live *live) {
    if (!live->stale)
        return;
    live->stale = false;
    if (view_arrange(&live->view, &live->feed.model, &live->context) < 0)
        live_say(live, STYLE_BAD, "not enough memory to show the processes");
}

void live_act(struct live *live, enum action action, const char *name,
              const struct holden_properties *limits) {
    struct action_pending *free_place = NULL;
    for (size_t i = 0; i < LIVE_PENDING && !free_place; i++)
        if (!live->pending[i].id)
            free_place = &live->pending[i];
    if (!free_place) {
        live_say(live, STYLE_WARN, "the agent has not answered %d requests; not asked: %s %s",
                 LIVE_PENDING, action_row(action)->verb, name);
        return;
    }
    int r = action_ask(&live->feed, action, name, limits, free_place);
    if (r < 0)
        live_say(live, STYLE_BAD, "cannot %s %s: %s", action_row(action)->verb, name,
                 r == -ENOTCONN ? "the agent is gone" : strerror(-r));
    else
        live_say(live, STYLE_PLAIN, "%s %s...", action_row(action)->verb, name);
}

/* The answer to a request, or (NULL) the end of all hope for one. */
static void answer(void *context, const struct holden_reply *reply) {
    struct live *live = context;
    for (size_t i = 0; i < LIVE_PENDING; i++) {
        struct action_pending *pending = &live->pending[i];
        char text[ACTION_TEXT];
        if (!pending->id || (reply && reply->frame.id != pending->id))
            continue;
        if (reply) {
            bool done = action_answer(pending, reply, text);
            live_say(live, done ? STYLE_GOOD : STYLE_BAD, "%s", text);
            feed_hurry(&live->feed);
        } else {
            live_say(live, STYLE_BAD, "the agent went away before it answered: %s %s",
                     action_row(pending->action)->verb, pending->name);
        }
        *pending = (struct action_pending){0};
    }
}

static void take_signals(struct live *live, int fd) {
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo != SIGWINCH) {
            live->quit = true;
            continue;
        }
        terminal_resize(&live->terminal);
        live->layout = (struct layout){0};
        live->dirty = true;
    }
}

static void take_keys(struct live *live) {
    int key;
    while (!live->quit && (key = terminal_key(&live->terminal)) != TERMINAL_NONE) {
        if (dialog_is_open(live))
            dialog_key(live, key);
        else
            key_press(live, key);
        live->dirty = true;
    }
}

/* Until when nothing is to be done unless something happens: the clock moves each second. */
static uint64_t next_deadline(const struct live *live, uint64_t now, uint64_t painted) {
    uint64_t deadline = feed_deadline(&live->feed);
    uint64_t paint = live->dirty ? painted + BETWEEN_PAINTS : now + SECOND - now % SECOND;
    deadline = deadline < paint ? deadline : paint;
    return live->notice.until > now && live->notice.until < deadline ? live->notice.until
                                                                     : deadline;
}

static void wait_for(struct pollfd *sources, uint64_t until) {
    uint64_t now = feed_now();
    uint64_t left = until > now ? until - now : 0;
    struct timespec timeout = {(time_t)(left / SECOND), (long)(left % SECOND) * 1000};
    if (ppoll(sources, SOURCES, &timeout, NULL) <= 0)
        for (int i = 0; i < SOURCES; i++)
            sources[i].revents = 0;
}

/* By an agent that has never told anything. */
static bool is_turned_away(const struct feed *feed) {
    return feed->samples == 0 && feed->code == HOLDEN_code_NOT_PERMITTED;
}

static void loop(struct live *live, int signals) {
    uint64_t painted = 0;
    uint64_t second = 0;
    while (!live->quit) {
        uint64_t now = feed_now();
        struct pollfd sources[SOURCES] = {
            [TERMINAL] = {.fd = STDIN_FILENO, .events = POLLIN},
            [AGENT] = {.fd = feed_fd(&live->feed), .events = feed_events(&live->feed)},
            [SIGNALS] = {.fd = signals, .events = POLLIN},
        };
        wait_for(sources, next_deadline(live, now, painted));
        now = feed_now();
        take_signals(live, signals);
        take_keys(live);
        if (sources[TERMINAL].revents & (POLLHUP | POLLERR | POLLNVAL))
            live->quit = true;
        if (feed_work(&live->feed, now))
            live->stale = live->dirty = true;
        if (is_turned_away(&live->feed))
            live->quit = true;
        if (now / SECOND != second)
            live->dirty = true;
        if (!live->dirty ||
            (now < painted + BETWEEN_PAINTS && !(sources[TERMINAL].revents & POLLIN)))
            continue;
        live_arrange(live);
        live->dirty = false;
        screen_paint(live, now);
        painted = now;
        second = now / SECOND;
    }
}

/* SIGWINCH too: its handler in ncurses would only be in the way. */
static int open_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGWINCH);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static void live_free(struct live *live) {
    live->feed.answer = NULL;
    terminal_close(&live->terminal);
    feed_close(&live->feed);
    users_free(&live->users);
    view_free(&live->view);
}

int live_run(const struct options *options) {
    const char *why;
    _cleanup_(live_free) struct live live = {
        .feed = {.path = holden_socket_path(options->socket),
                 .interval = options->interval,
                 .ended = options->ended,
                 .answer = answer},
        .view = {.sort = options->sort,
                 .reversed = options->reversed,
                 .ended = options->ended,
                 .page = 1},
        .stale = true,
        .dirty = true,
    };
    live.feed.context = &live;
    live.context.users = &live.users;
    int r = feed_open(&live.feed, feed_now());
    if (r < 0)
        return status_absent(&live.feed);
    _cleanup_close_ int signals = open_signals();
    if (signals < 0) {
        log_error("cannot wait for signals: %s", strerror(-signals));
        return STATUS_FAILED;
    }
    if (terminal_open(&live.terminal, options->no_color, &why) < 0) {
        log_error("%s; use --once or --json", why);
        return STATUS_USAGE;
    }
    live.context.utf8 = live.terminal.utf8;
    loop(&live, signals);
    terminal_close(&live.terminal);
    return is_turned_away(&live.feed) ? status_absent(&live.feed) : live.status;
}
