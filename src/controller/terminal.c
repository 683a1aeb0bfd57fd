#include "controller/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

enum { CONTROL_D = 4 };

int terminal_open(struct terminal *terminal) {
    *terminal = (struct terminal){.master = -1, .slave = -1};
    _cleanup_close_ int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
        return -errno;
    /* By the master and not by its name, which may lie in another mount namespace. */
    _cleanup_close_ int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || fcntl(master, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    struct termios settings;
    if (tcgetattr(STDIN_FILENO, &settings) == 0)
        tcsetattr(slave, TCSANOW, &settings);
    terminal->master = TAKE_FD(master);
    terminal->slave = TAKE_FD(slave);
    terminal_resize(terminal);
    return 0;
}

void terminal_join(struct terminal *terminal) {
    cleanup_close(&terminal->slave);
    terminal->slave = -1;
    if (tcgetattr(STDIN_FILENO, &terminal->before) < 0)
        return;
    struct termios raw = terminal->before;
    cfmakeraw(&raw);
    terminal->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void terminal_resize(const struct terminal *terminal) {
    struct winsize size;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        ioctl(terminal->master, TIOCSWINSZ, &size);
}

short terminal_wants_input(const struct terminal *terminal) {
    return !terminal->input_ended && terminal->waiting_size == 0 && terminal->master >= 0 ? POLLIN
                                                                                          : 0;
}

short terminal_wants_master(const struct terminal *terminal) {
    return (short)(POLLIN | (terminal->waiting_size > 0 ? POLLOUT : 0));
}

/* Gives the process what waits for it, as far as it takes it. */
static void pass_input(struct terminal *terminal) {
    ssize_t size = write(terminal->master, terminal->waiting, terminal->waiting_size);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size < 0)
        size = (ssize_t)terminal->waiting_size;
    terminal->waiting_size -= (size_t)size;
    memmove(terminal->waiting, terminal->waiting + size, terminal->waiting_size);
}

void terminal_input_ready(struct terminal *terminal) {
    ssize_t size = read(STDIN_FILENO, terminal->waiting, sizeof(terminal->waiting));
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (size <= 0) {
        /* What reads from a terminal learns of the end by this key. */
        terminal->input_ended = true;
        terminal->waiting[0] = CONTROL_D;
        size = 1;
    }
    terminal->waiting_size = (size_t)size;
    pass_input(terminal);
}

/* Prints one read's worth. False when there is nothing now, or nothing any more. */
static bool pass_output(struct terminal *terminal) {
    char bytes[16384];
    ssize_t size;
    do
        size = read(terminal->master, bytes, sizeof(bytes));
    while (size < 0 && errno == EINTR);
    if (size <= 0) {
        /* EIO: nobody has the slave open any more. */
        if (size == 0 || errno != EAGAIN) {
            close(terminal->master);
            terminal->master = -1;
        }
        return false;
    }
    /* Where the caller's terminal is gone the process still has to be read from. */
    file_write_all(STDOUT_FILENO, bytes, (size_t)size);
    return true;
}

void terminal_master_ready(struct terminal *terminal, short events) {
    if (events & POLLOUT)
        pass_input(terminal);
    if (events & (POLLIN | POLLHUP | POLLERR))
        pass_output(terminal);
}

void terminal_drain(struct terminal *terminal) {
    while (terminal->master >= 0 && pass_output(terminal))
        continue;
}

void terminal_close(struct terminal *terminal) {
    if (terminal->raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->before);
    terminal->raw = false;
    cleanup_close(&terminal->master);
    cleanup_close(&terminal->slave);
    terminal->master = terminal->slave = -1;
}
