#include "monitor/feed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    RETRY = 250000,    /* between tries to connect */
    HURRY = 250000,    /* between samples at the least, when events ask for one early */
    SHARE = 10,        /* and so many times as long as one takes the agent */
    READS = 256,       /* at one go, so that the keyboard is heard while much is told */
};

uint64_t feed_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t feed_wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void lose(struct feed *feed, uint64_t now, const char *reason) {
    bool told = feed->code != 0;
    link_close(&feed->link);
    feed_tell(feed, TIDING_LOST, holden_view(told ? feed->reason : reason), feed_wall_clock());
    feed->retry = now + RETRY;
    feed->ping = feed->list = feed->events = 0;
    feed->asked = 0;
    if (feed->answer)
        feed->answer(feed->context, feed, NULL);
}

static int ask_sample(struct feed *feed, uint64_t now) {
    struct holden_list list = {0};
    HOLDEN_SET(&list, list, usage, true);
    if (feed->ended)
        HOLDEN_SET(&list, list, ended, true);
    int r = link_ask(&feed->link, HOLDEN_MESSAGE_list, &list, &feed->list);
    if (r < 0)
        return r;
    feed_tell(feed, TIDING_BEGIN, holden_view(""), feed_wall_clock());
    feed->asked = feed->began = now;
    feed->due = now + feed->interval;
    return 0;
}

/* The events that are still kept come first, which for the first time are of before the sample. */
static int ask_all(struct feed *feed, uint64_t now) {
    struct holden_ping ping = {0};
    struct holden_subscribe subscribe = {0};
    HOLDEN_SET(&subscribe, subscribe, follow, true);
    HOLDEN_SET(&subscribe, subscribe, since, feed->news.sequence);
    int r = link_ask(&feed->link, HOLDEN_MESSAGE_ping, &ping, &feed->ping);
    if (r == 0)
        r = link_ask(&feed->link, HOLDEN_MESSAGE_subscribe, &subscribe, &feed->events);
    return r < 0 ? r : ask_sample(feed, now);
}

void feed_forget(struct feed *feed) {
    unsigned agent = feed->model.agent;
    model_free(&feed->model);
    news_free(&feed->news);
    detail_free(&feed->detail);
    feed->model.agent = agent;
    feed->status = FEED_WAITING;
    feed->samples = feed->time = feed->sampled = 0;
    feed->version[0] = feed->reason[0] = '\0';
}

void feed_close(struct feed *feed) {
    link_close(&feed->link);
    feed_forget(feed);
}

int feed_fd(const struct feed *feed) {
    return link_is_open(&feed->link) ? feed->link.connection.fd : -1;
}

short feed_events(const struct feed *feed) {
    return link_events(&feed->link);
}

/* While a sample is on its way, no other is asked for. */
uint64_t feed_deadline(const struct feed *feed) {
    if (feed->status == FEED_GONE)
        return feed->retry;
    return feed->asked ? UINT64_MAX : feed->due;
}

void feed_hurry(struct feed *feed) {
    uint64_t pause = feed->took * SHARE > HURRY ? feed->took * SHARE : HURRY;
    uint64_t early = feed->began + pause;
    if (early < feed->due)
        feed->due = early;
}

uint64_t feed_silence(const struct feed *feed, uint64_t now) {
    return feed->asked && now > feed->asked ? now - feed->asked : 0;
}

int feed_ask(struct feed *feed, uint16_t type, const void *message, uint32_t *id) {
    if (!link_is_open(&feed->link))
        return -ENOTCONN;
    return link_ask(&feed->link, type, message, id);
}

/* The handlers of tidings return whether a user sees a difference. */

static bool hear_agent(struct feed *feed, struct holden_view body) {
    struct holden_pong pong;
    struct holden_fault fault;
    if (holden_decode(&holden_record_pong, body.data, body.size, &pong, &fault) < 0)
        return false;
    snprintf(feed->version, sizeof(feed->version), "%.*s", (int)pong.version.size,
             pong.version.data);
    feed->pid = pong.pid;
    return true;
}

static bool hear_begin(struct feed *feed, __attribute__((unused)) struct holden_view body) {
    model_begin(&feed->model);
    feed->sampled = feed->time;
    if (feed->status == FEED_GONE)
        feed->status = FEED_WAITING;
    return false;
}

/* Whoever looks waits for the whole of the sample. */
static bool hear_process(struct feed *feed, struct holden_view body) {
    struct holden_process process;
    struct holden_fault fault;
    if (holden_decode(&holden_record_process, body.data, body.size, &process, &fault) == 0)
        model_tell(&feed->model, &process, (const uint8_t *)body.data, body.size,
                   feed->interval / 2);
    return false;
}

static bool hear_end(struct feed *feed, __attribute__((unused)) struct holden_view body) {
    model_end(&feed->model);
    model_remember(&feed->model, feed->time);
    feed->samples++;
    feed->status = FEED_LIVE;
    feed->reason[0] = '\0';
    return true;
}

/* What is older than a sample is in it. */
static bool hear_event(struct feed *feed, struct holden_view body) {
    struct holden_event event;
    struct holden_fault fault;
    if (holden_decode(&holden_record_event, body.data, body.size, &event, &fault) < 0)
        return false;
    news_take(&feed->news, &event);
    if (event.time >= feed->sampled)
        model_event(&feed->model, &event);
    return true;
}

static bool hear_lost(struct feed *feed, struct holden_view body) {
    feed->status = FEED_GONE;
    size_t size = body.size < FEED_REASON ? body.size : FEED_REASON - 1;
    memmove(feed->reason, body.data, size); /* which may be the reason that is known already */
    feed->reason[size] = '\0';
    return true;
}

static bool hear_detail(struct feed *feed, struct holden_view body) {
    return detail_take(&feed->detail, body) == 0;
}

static bool hear_log(struct feed *feed, struct holden_view body) {
    return detail_take_log(&feed->detail, body) == 0;
}

bool feed_tell(struct feed *feed, enum tiding tiding, struct holden_view body, uint64_t time) {
    static bool (*const handlers[TIDINGS])(struct feed *, struct holden_view) = {
        [TIDING_AGENT] = hear_agent,     [TIDING_BEGIN] = hear_begin,
        [TIDING_PROCESS] = hear_process, [TIDING_END] = hear_end,
        [TIDING_EVENT] = hear_event,     [TIDING_LOST] = hear_lost,
        [TIDING_DETAIL] = hear_detail,   [TIDING_LOG] = hear_log,
    };
    if (tiding >= TIDINGS || !handlers[tiding])
        return false;
    feed->time = time;
    if (feed->tap)
        feed->tap->take(feed->tap->context, feed->model.agent, tiding, body, time);
    return handlers[tiding](feed, body);
}

/* The handlers of the feed's own requests return whether a user sees a difference. */

static bool take_error(struct feed *feed, const struct holden_reply *reply) {
    struct holden_error error;
    if (holden_reply_decode(reply, &error) < 0)
        return false;
    snprintf(feed->reason, sizeof(feed->reason), "%.*s", (int)error.text.size, error.text.data);
    feed->code = error.code;
    return true;
}

static bool tell(struct feed *feed, enum tiding tiding, const struct holden_reply *reply) {
    struct holden_view body = {(const char *)reply->body, reply->frame.size};
    return feed_tell(feed, tiding, body, feed_wall_clock());
}

static bool take_event(struct feed *feed, const struct holden_reply *reply) {
    if (reply->frame.type != HOLDEN_MESSAGE_event)
        return false;
    if (feed->status == FEED_LIVE)
        feed_hurry(feed);
    return tell(feed, TIDING_EVENT, reply);
}

/* After a sample that came late the next one keeps its distance: rates are counted between two that
 * are half an interval apart. */
static bool end_sample(struct feed *feed, uint64_t now) {
    if (feed->due < now + feed->interval / 2)
        feed->due = now + feed->interval / 2;
    feed->took = now - feed->asked;
    feed->asked = 0;
    feed->list = 0;
    feed->code = 0;
    return feed_tell(feed, TIDING_END, holden_view(""), feed_wall_clock());
}

/* Part of a sample; whoever looks waits for the whole of it. */
static bool take_list(struct feed *feed, const struct holden_reply *reply, uint64_t now) {
    if (reply->frame.type == HOLDEN_MESSAGE_end)
        return end_sample(feed, now);
    if (reply->frame.type == HOLDEN_MESSAGE_process)
        return tell(feed, TIDING_PROCESS, reply);
    feed->asked = 0;
    feed->list = 0;
    return take_error(feed, reply);
}

static bool take(struct feed *feed, const struct holden_reply *reply, uint64_t now) {
    uint32_t id = reply->frame.id;
    if (id == 0)
        return take_error(feed, reply);
    if (id == feed->list)
        return take_list(feed, reply, now);
    if (id == feed->events)
        return take_event(feed, reply);
    if (id == feed->ping)
        return reply->frame.type == HOLDEN_MESSAGE_pong && tell(feed, TIDING_AGENT, reply);
    if (feed->answer)
        feed->answer(feed->context, feed, reply);
    return true;
}

/* Reads what there is and takes it. 0, or -errno when the connection is lost. */
static int receive(struct feed *feed, uint64_t now, bool *changed) {
    int received = 0;
    for (int i = 0; i < READS && received == 0; i++) {
        struct holden_reply reply;
        int r;
        received = link_receive(&feed->link);
        while ((r = link_next(&feed->link, &reply)) == 0) {
            *changed |= take(feed, &reply, now);
            link_taken(&feed->link, &reply);
        }
        if (r != -EAGAIN)
            return r;
    }
    return received == -EAGAIN ? 0 : received;
}

static const char *loss(int error) {
    if (error == -ECONNRESET || error == -EPIPE)
        return "it went away";
    if (error == -EPROTO || error == -EPROTONOSUPPORT || error == -EMSGSIZE)
        return "it does not speak this version of the protocol";
    return strerror(-error);
}

/* An agent that turns a client away says why and closes, perhaps before anything can be asked. */
static int connect_again(struct feed *feed, uint64_t now) {
    bool changed = false;
    int r = link_open(&feed->link, feed->path);
    if (r == 0) {
        feed->status = FEED_WAITING;
        feed->code = 0;
        r = ask_all(feed, now);
    }
    if (r == -EPIPE || r == -ECONNRESET)
        receive(feed, now, &changed);
    if (r < 0)
        lose(feed, now, strerror(-r));
    feed->error = r;
    return r;
}

int feed_open(struct feed *feed, uint64_t now) {
    feed->link.connection.fd = -1;
    return connect_again(feed, now);
}

bool feed_work(struct feed *feed, uint64_t now) {
    bool changed = false;
    if (feed->status == FEED_GONE && now >= feed->retry) {
        connect_again(feed, now);
        return true;
    }
    if (feed->status == FEED_GONE)
        return false;
    int r = receive(feed, now, &changed);
    if (r == 0 && !feed->asked && now >= feed->due)
        r = ask_sample(feed, now);
    if (r < 0)
        lose(feed, now, loss(r));
    return changed || r < 0;
}
