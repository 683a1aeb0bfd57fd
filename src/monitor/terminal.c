#include "monitor/terminal.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "monitor/text.h"

/* The look of each style: a colour (-1: the terminal's own) and what else sets it apart. Reds and
 * yellows are bold, so that they differ without colours too. */
static const struct {
    short colour;
    attr_t attributes;
} styles[STYLES] = {
    [STYLE_PLAIN] = {-1, A_NORMAL},       [STYLE_STRONG] = {-1, A_BOLD},
    [STYLE_DIM] = {-1, A_DIM},            [STYLE_GOOD] = {COLOR_GREEN, A_NORMAL},
    [STYLE_WARN] = {COLOR_YELLOW, A_BOLD}, [STYLE_BAD] = {COLOR_RED, A_BOLD},
    [STYLE_COLD] = {COLOR_CYAN, A_NORMAL},
};

static const struct { int curses, key; } keys[] = {
    {KEY_UP, TERMINAL_UP},       {KEY_DOWN, TERMINAL_DOWN},   {KEY_PPAGE, TERMINAL_PAGE_UP},
    {KEY_NPAGE, TERMINAL_PAGE_DOWN}, {KEY_HOME, TERMINAL_HOME}, {KEY_END, TERMINAL_END},
    {KEY_ENTER, TERMINAL_ENTER}, {'\r', TERMINAL_ENTER},      {KEY_BACKSPACE, TERMINAL_BACKSPACE},
    {'\b', TERMINAL_BACKSPACE},  {KEY_F(1), TERMINAL_F1},     {KEY_F(9), TERMINAL_F9},
    {KEY_LEFT, TERMINAL_LEFT},   {KEY_RIGHT, TERMINAL_RIGHT},
    {KEY_F(5), TERMINAL_F5},     {KEY_F(6), TERMINAL_F6},
    {KEY_F(10), TERMINAL_F10},   {ERR, TERMINAL_NONE},
};

static void set_up_colours(struct terminal *terminal, bool no_color) {
    const char *variable = getenv("NO_COLOR");
    terminal->colour = !no_color && !(variable && *variable) && has_colors() && start_color() == OK;
    if (!terminal->colour)
        return;
    short ground = use_default_colors() == OK ? -1 : COLOR_BLACK;
    for (int i = 0; i < STYLES; i++)
        if (styles[i].colour != -1)
            init_pair((short)(i + 1), styles[i].colour, ground);
}

int terminal_open(struct terminal *terminal, bool no_color, const char **why) {
    const char *type = getenv("TERM");
    *why = "standard input and output are no terminal";
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return -1;
    *why = "TERM is not set";
    if (!type || !*type)
        return -1;
    *why = "TERM names a terminal that is not known here";
    SCREEN *screen = newterm(NULL, stdout, stdin);
    if (!screen)
        return -1;
    *terminal = (struct terminal){.screen = screen, .utf8 = text_is_utf8()};
    *why = "TERM names a terminal that cannot show a full screen";
    if (!tigetstr("cup") || !tigetstr("ed")) {
        terminal_close(terminal);
        return -1;
    }
    set_up_colours(terminal, no_color);
    set_escdelay(25);
    cbreak();
    noecho();
    nonl();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    mouseinterval(0);
    mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
    curs_set(0);
    getmaxyx(stdscr, terminal->height, terminal->width);
    return 0;
}

void terminal_close(struct terminal *terminal) {
    if (!terminal->screen)
        return;
    endwin();
    delscreen(terminal->screen);
    terminal->screen = NULL;
}

void terminal_resize(struct terminal *terminal) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
        return;
    resizeterm(size.ws_row, size.ws_col);
    getmaxyx(stdscr, terminal->height, terminal->width);
    clearok(curscr, TRUE);
}

/* The left button and the wheel, as they are pressed. */
static int take_mouse(struct terminal *terminal) {
    MEVENT event;
    if (getmouse(&event) != OK)
        return 0;
    terminal->mouse = (struct terminal_mouse){
        event.y, event.x,
        event.bstate & BUTTON4_PRESSED ? -1 : event.bstate & BUTTON5_PRESSED ? 1 : 0};
    bool counts = event.bstate & (BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED);
    return counts ? TERMINAL_MOUSE : 0;
}

int terminal_key(struct terminal *terminal) {
    int key = getch();
    if (key == KEY_MOUSE)
        return take_mouse(terminal);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i].curses == key)
            return keys[i].key;
    /* Other keys of ncurses are characters to nobody. */
    return key < KEY_MIN ? key : 0;
}

void terminal_begin(struct terminal *terminal) {
    (void)terminal;
    erase();
    curs_set(0);
}

static attr_t look(const struct terminal *terminal, enum style style, bool bar) {
    attr_t attributes = styles[style].attributes | (bar ? A_REVERSE : 0);
    /* Dim letters on a bright bar cannot be read. */
    if (bar)
        attributes &= ~A_DIM;
    if (terminal->colour && styles[style].colour != -1)
        attributes |= (attr_t)COLOR_PAIR(style + 1);
    return attributes;
}

void terminal_draw(struct terminal *terminal, int row, int at, enum style style, bool bar,
                   const char *text) {
    if (row < 0 || row >= terminal->height || at < 0 || at >= terminal->width)
        return;
    char fitted[4096];
    text_fit(holden_view(text), (unsigned)(terminal->width - at), terminal->utf8, fitted,
             sizeof(fitted));
    attrset(look(terminal, style, bar));
    mvaddstr(row, at, fitted);
    attrset(A_NORMAL);
}

void terminal_bar(struct terminal *terminal, int row) {
    if (row >= 0 && row < terminal->height)
        mvchgat(row, 0, -1, A_REVERSE, 0, NULL);
}

void terminal_cursor(struct terminal *terminal, int row, int at) {
    if (row < 0 || row >= terminal->height || at >= terminal->width)
        return;
    move(row, at);
    curs_set(1);
}

void terminal_end(struct terminal *terminal) {
    (void)terminal;
    refresh();
}

void terminal_redraw(struct terminal *terminal) {
    (void)terminal;
    clearok(curscr, TRUE);
}
