/* The terminal, full screen: the only file that knows ncurses. ncurses keeps its state in globals
 * of its own, so there is one terminal at a time. */
#pragma once

#include <stdbool.h>

#include "monitor/column.h"

/* Keys beside characters. */
enum terminal_key {
    TERMINAL_NONE = -1, /* nothing typed */
    TERMINAL_ENTER = '\n',
    TERMINAL_ESCAPE = 27,
    TERMINAL_BACKSPACE = 127,
    TERMINAL_UP = 0x110000,
    TERMINAL_DOWN,
    TERMINAL_LEFT,
    TERMINAL_RIGHT,
    TERMINAL_PAGE_UP,
    TERMINAL_PAGE_DOWN,
    TERMINAL_HOME,
    TERMINAL_END,
    TERMINAL_F1,
    TERMINAL_F5 = TERMINAL_F1 + 4,
    TERMINAL_F6,
    TERMINAL_F9 = TERMINAL_F1 + 8,
    TERMINAL_F10,
    TERMINAL_MOUSE,
};
#define TERMINAL_CONTROL(letter) ((letter) & 0x1f)

/* Where the mouse was clicked, or its wheel turned: -1 up, 1 down. */
struct terminal_mouse {
    int row, at, wheel;
};

struct terminal {
    struct terminal_mouse mouse; /* the last that terminal_key() told of */
    void *screen; /* ncurses' own; NULL while closed */
    int height, width; /* in characters */
    bool colour;
    bool utf8;
};

/* Takes over standard input and output. 0; -1 with *why, one sentence, where there is no terminal
 * that can show a full screen. Closed by terminal_close(). */
int terminal_open(struct terminal *terminal, bool no_color, const char **why);

/* Gives the terminal back as it was; nothing where it is closed. */
void terminal_close(struct terminal *terminal);

/* Asks the terminal for its size again (SIGWINCH). */
void terminal_resize(struct terminal *terminal);

/* The next key that has been typed: a character, enum terminal_key, or TERMINAL_NONE. */
int terminal_key(struct terminal *terminal);

/* Begins a new picture; what is not drawn again is blank. */
void terminal_begin(struct terminal *terminal);

/* Draws text, which must not steer the terminal (text_fit()), cut at the edge; `bar` is the look of
 * the selected row and of the titles. Outside of the screen nothing happens. */
void terminal_draw(struct terminal *terminal, int row, int at, enum style style, bool bar,
                   const char *text);

/* Gives a whole row, as far as nothing is drawn on it, the look of a bar. */
void terminal_bar(struct terminal *terminal, int row);

/* Shows the cursor there; without this, none is shown. */
void terminal_cursor(struct terminal *terminal, int row, int at);

/* Shows the picture: only what differs from the one before is sent. */
void terminal_end(struct terminal *terminal);

/* Draws everything again, for a screen that something else has written on. */
void terminal_redraw(struct terminal *terminal);
