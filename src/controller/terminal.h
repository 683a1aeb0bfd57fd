/* A pseudoterminal for `run -t`, joined to the terminal of the caller (pty(7), termios(3)). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct terminal {
    int master;             /* owned, or -1 */
    int slave;              /* owned until it has been passed on, or -1 */
    bool raw;               /* the caller's terminal has been set to raw */
    bool input_ended;
    struct termios before;  /* how it was */
    char waiting[4096];     /* read from the caller and not yet taken by the process */
    size_t waiting_size;
};

/* Makes a pseudoterminal with the size and settings of the caller's terminal, where it has one. 0
 * or -errno. */
int terminal_open(struct terminal *terminal);

/* Hands every key through from now on: sets the caller's terminal to raw mode and closes the slave,
 * which the process has by now. */
void terminal_join(struct terminal *terminal);

/* Passes the size of the caller's terminal on. */
void terminal_resize(const struct terminal *terminal);

/* What poll(2) should wait for on standard input and on the master: POLL* bits or 0. */
short terminal_wants_input(const struct terminal *terminal);
short terminal_wants_master(const struct terminal *terminal);

/* Moves bytes after poll(2) reported these events. */
void terminal_input_ready(struct terminal *terminal);
void terminal_master_ready(struct terminal *terminal, short events);

/* Prints what the process still left to be read. */
void terminal_drain(struct terminal *terminal);

/* Sets the caller's terminal back to how it was and closes everything. */
void terminal_close(struct terminal *terminal);
