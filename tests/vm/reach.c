#include "reach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* "GROUP.NAME=yes", or the name of the error. */
static void tell(reach_print *show, const char *group, const char *name, int result) {
    const char *outcome = result < 0 ? strerrorname_np(errno) : "yes";
    char field[64];
    snprintf(field, sizeof(field), "%s.%s", group, name);
    show(field, "%s", outcome);
}

/* What it can do with devices: nodes are made, opened and taken away again. */
static void show_devices(reach_print *show) {
    static const struct {
        const char *name;
        mode_t kind;
        unsigned major, minor;
    } devices[] = {
        {"null", S_IFCHR, 1, 3},  {"log", S_IFCHR, 1, 11},   {"tty", S_IFCHR, 5, 0},
        {"ptmx", S_IFCHR, 5, 2},  {"pts", S_IFCHR, 136, 99}, {"rtc", S_IFCHR, 252, 0},
        {"fuse", S_IFCHR, 10, 229}, {"disk", S_IFBLK, 254, 0}, {"loop", S_IFBLK, 7, 0},
        {"nothing", S_IFBLK, 0, 0},
    };
    static const char node[] = "/tmp/diff-node";
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        int made = mknod(node, devices[i].kind | 0666, makedev(devices[i].major, devices[i].minor));
        tell(show, "device-make", devices[i].name, made);
        for (int mode = O_RDONLY; made == 0 && mode <= O_WRONLY; mode++) {
            int fd = open(node, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
            tell(show, mode == O_RDONLY ? "device-read" : "device-write", devices[i].name, fd);
            if (fd >= 0)
                close(fd);
        }
        if (made == 0)
            unlink(node);
    }
}

void reach_show(reach_print *show) {
    show_devices(show);
}
