/* What can be done to a process from the keyboard: the requests, what is said of the answers. */
#pragma once

#include "monitor/feed.h"
#include "monitor/row.h"

enum action {
    ACTION_STOP,
    ACTION_KILL,
    ACTION_SIGNAL,
    ACTION_FREEZE,
    ACTION_THAW,
    ACTION_RESTART,
    ACTION_CONSTRAIN,
    ACTIONS,
};

struct action_row {
    const char *verb;    /* "stop", before the name */
    const char *past;    /* "stopped" */
    const char *asking;  /* the rest of the question for yes or no; NULL where nothing is asked */
    uint16_t message;    /* HOLDEN_MESSAGE_* */
    bool living;         /* means something for a living process only */
};

enum { ACTION_TEXT = 512, ACTION_NAME = 65 };

/* What is asked for. */
struct action_order {
    enum action action;
    const char *name;                       /* of the process */
    int signal;                             /* of ACTION_SIGNAL */
    const struct holden_properties *limits; /* of ACTION_CONSTRAIN */
    bool dry_run;                           /* of it: only tell what would change */
    bool undo;                              /* it takes back a change: of use to the caller */
};

/* An action that has been asked for and not been answered. */
struct action_pending {
    uint32_t id;         /* of the request; 0: none */
    enum action action;
    bool dry_run, undo;
    uint64_t target;     /* row_key() of the process; the caller's to fill in, like `feed` */
    struct feed *feed;   /* that was asked; the caller's to fill in */
    char name[ACTION_NAME];
};

/* The row of an action. Static. */
const struct action_row *action_row(enum action action);

/* Asks the agent. 0 with *pending filled; as feed_ask(). */
int action_ask(struct feed *feed, const struct action_order *order,
               struct action_pending *pending);

/* The limits as they were before a change that was answered so. 0; -EBADMSG where it is no such
 * answer, or where one of them was not set, so that it cannot be set again. */
int action_before(const struct holden_reply *reply, struct holden_properties *limits);

/* Puts the answer into one line. Returns whether it was done. */
bool action_answer(const struct action_pending *pending, const struct holden_reply *reply,
                   char text[ACTION_TEXT]);
