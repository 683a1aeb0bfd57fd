/* What can be done to a process from the keyboard: the requests, what is said of the answers. */
#pragma once

#include "monitor/feed.h"
#include "monitor/row.h"

enum action {
    ACTION_STOP,
    ACTION_KILL,
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

/* An action that has been asked for and not been answered. */
struct action_pending {
    uint32_t id;         /* of the request; 0: none */
    enum action action;
    struct feed *feed;   /* that was asked; the caller's to fill in */
    char name[ACTION_NAME];
};

/* The row of an action. Static. */
const struct action_row *action_row(enum action action);

/* Asks the agent; `limits` are those of ACTION_CONSTRAIN, otherwise NULL. 0 with *pending filled;
 * as feed_ask(). */
int action_ask(struct feed *feed, enum action action, const char *name,
               const struct holden_properties *limits, struct action_pending *pending);

/* Puts the answer into one line. Returns whether it was done. */
bool action_answer(const struct action_pending *pending, const struct holden_reply *reply,
                   char text[ACTION_TEXT]);
