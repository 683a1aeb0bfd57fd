/* What one agent tells, kept up to date: samples at an interval, events as they happen, and the
 * answers to whatever else is asked, over one connection that is opened again when it is lost. */
#pragma once

#include "monitor/detail.h"
#include "monitor/link.h"
#include "monitor/model.h"
#include "monitor/news.h"

/* What can be told of an agent, one piece after another: all that is shown follows from these, so
 * that the same pieces, told again, show the same. The numbers are those of a recording. */
enum tiding {
    TIDING_AGENT = 1, /* a message `pong` */
    TIDING_BEGIN,     /* a sample begins */
    TIDING_PROCESS,   /* a message `process` of it */
    TIDING_END,       /* it is whole */
    TIDING_EVENT,     /* a message `event` */
    TIDING_LOST,      /* the connection is lost; a text says why */
    TIDING_DETAIL,    /* a message `process` with everything, of the selected process */
    TIDING_LOG,       /* the end of its log; detail_take_log() */
    TIDING_MACHINE,   /* of no agent: machine_take() */
    TIDINGS,
};

/* Hears of everything that is told. */
struct tap {
    void (*take)(void *context, unsigned agent, enum tiding tiding, struct holden_view body,
                 uint64_t time);
    void *context;
};

enum feed_status {
    FEED_GONE,    /* no connection; it is tried again and again */
    FEED_WAITING, /* connected, but the agent has told nothing yet */
    FEED_LIVE,
};

enum { FEED_REASON = 256 };

struct feed {
    const char *path;        /* of the socket */
    uint64_t interval;       /* between samples, microseconds */
    bool ended;              /* ask for ended processes too */
    /* Gets the reply to each feed_ask(), valid during the call only; NULL instead of a reply when
     * the connection is lost, with everything that was asked. May be NULL. */
    void (*answer)(void *context, struct feed *feed, const struct holden_reply *reply);
    void *context;
    const struct tap *tap;   /* may be NULL; borrowed */

    enum feed_status status;
    struct model model;
    struct news news;
    struct detail detail;    /* of the process that was asked about last */
    uint64_t time;           /* of the last thing told, microseconds since 1970 */
    uint64_t sampled;        /* when the last sample began, likewise */
    uint64_t samples;        /* whole ones so far */
    char version[65];        /* the agent's, as it said last */
    uint32_t pid;
    char reason[FEED_REASON]; /* why there is no connection, or what the agent refuses; or empty */
    uint32_t code;            /* HOLDEN_code_* of what the agent refused, or 0 */

    struct link link;
    int error;               /* of the last try to connect, -errno */
    uint64_t retry;          /* when to connect again: feed_now(), like all times here */
    uint64_t due;            /* when to ask for the next sample */
    uint64_t asked;          /* when the sample on its way was asked for; 0: none is */
    uint64_t began;          /* when the last one was asked for */
    uint64_t took;           /* how long the last whole one took */
    uint32_t ping, list, events; /* ids of the feed's own requests */
};

/* The time now, as the feed counts it; and microseconds since 1970. */
uint64_t feed_now(void);
uint64_t feed_wall_clock(void);

/* Takes a tiding that was true at `time`, microseconds since 1970, and passes it on to the tap.
 * What does not decode is passed over. Returns whether a user sees a difference. */
bool feed_tell(struct feed *feed, enum tiding tiding, struct holden_view body, uint64_t time);

/* Makes the first try to connect. 0, or -errno as link_open(), feed->code where the agent said why;
 * the feed goes on trying either way.
 * The caller has filled the first members, the rest is zero; released by feed_close(). */
int feed_open(struct feed *feed, uint64_t now);

/* Forgets all that has been told, as before the first connection. */
void feed_forget(struct feed *feed);

/* Ends the connection and frees what the feed holds. */
void feed_close(struct feed *feed);

/* The descriptor and events to wait for; the descriptor is -1 while there is no connection. */
int feed_fd(const struct feed *feed);
short feed_events(const struct feed *feed);

/* When feed_work() is wanted at the latest, whatever the descriptor does. */
uint64_t feed_deadline(const struct feed *feed);

/* Does all that is due. Returns whether something changed that a user sees. */
bool feed_work(struct feed *feed, uint64_t now);

/* Asks for a new sample as soon as that does not burden the agent. */
void feed_hurry(struct feed *feed);

/* How long the agent has owed an answer, in microseconds; 0 where it owes none. */
uint64_t feed_silence(const struct feed *feed, uint64_t now);

/* Sends a request, whose reply goes to feed->answer. 0 with its *id; -ENOTCONN while the agent is
 * gone; -errno. */
int feed_ask(struct feed *feed, uint16_t type, const void *message, uint32_t *id);
