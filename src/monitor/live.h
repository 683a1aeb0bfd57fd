/* The live screen: its state, and the loop over the terminal, the agent and the signals. */
#pragma once

#include "monitor/action.h"
#include "monitor/fleet.h"
#include "monitor/inspect.h"
#include "monitor/layout.h"
#include "monitor/options.h"
#include "monitor/prompt.h"
#include "monitor/recorder.h"
#include "monitor/replay.h"
#include "monitor/terminal.h"

enum { LIVE_PENDING = 16, LIVE_QUESTION = 160, LIVE_UNDOS = 16 };

/* Which menu is open. */
enum live_menu { LIVE_MENU_NONE, LIVE_MENU_SIGNALS, LIVE_MENU_COLUMNS };

/* Where the last picture has what: rows of the terminal, -1 for none. */
struct live_places {
    int titles, first, foot;
    size_t page; /* rows of the table, from `first` on */
};

/* Limits as they were before they were changed. */
struct live_undo {
    uint64_t target;
    char name[ACTION_NAME];
    struct holden_properties limits;
};

struct live;

/* What a prompt is about. */
struct live_dialog {
    /* What follows from the keys typed; NULL while there is no prompt. */
    void (*follow)(struct live *live, enum prompt_result result);
    struct prompt prompt;
    char question[LIVE_QUESTION];
    enum action action;
    int signal;                  /* of ACTION_SIGNAL */
    struct holden_properties limits; /* of ACTION_CONSTRAIN */
    uint64_t target;             /* row_key() of the process that it is about */
    char name[ACTION_NAME];      /* and its name */
};

/* A line for the user that goes away by itself. */
struct live_notice {
    char text[ACTION_TEXT];
    enum style style;
    uint64_t until;              /* 0: none */
};

struct live {
    struct fleet fleet;
    struct replay replay;        /* where the fleet is told of by a recording */
    bool replaying;
    struct recorder recorder;
    struct inspect inspect;      /* of the selected process */
    struct users users;
    struct view view;
    struct layout layout;
    struct column_context context;
    struct terminal terminal;
    struct live_dialog dialog;
    struct live_notice notice;
    struct action_pending pending[LIVE_PENDING];
    struct holden_properties tried;     /* the limits that were typed last */
    struct live_undo undos[LIVE_UNDOS]; /* the last changes of limits, the newest last */
    size_t undo_count;
    enum live_menu menu;
    size_t menu_cursor, menu_top;
    struct live_places places;
    bool pane_hidden;            /* the pane below the table is not wanted */
    bool helping;                /* the help is shown in place of the table */
    size_t help_top;             /* its first line on the screen */
    bool stale;                  /* the model has changed since view_arrange() */
    bool dirty;                  /* something that is on the screen has changed */
    bool quit;
    int status;                  /* to exit with */
};

/* Shows the live screen until the user leaves it. The exit status; what kept it from being shown is
 * on stderr. */
int live_run(const struct options *options);

/* Brings the view up to date with the model; before anything is asked of the view. */
void live_arrange(struct live *live);

/* The time that the screen shows: microseconds since 1970. */
uint64_t live_clock(const struct live *live);

/* Shows a line for a while. */
void live_say(struct live *live, enum style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Asks its agent for the action on the process of that key; what comes of it is said. Returns
 * whether it could be asked. */
bool live_act(struct live *live, uint64_t key, const struct action_order *order);

/* The row with that key, or NULL. */
const struct row *live_find(const struct live *live, uint64_t key);
