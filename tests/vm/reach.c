#include "reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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
        bool opened; /* that would load no module */
    } devices[] = {
        {"null", S_IFCHR, 1, 3, true},      {"log", S_IFCHR, 1, 11, true},
        {"tty", S_IFCHR, 5, 0, true},       {"ptmx", S_IFCHR, 5, 2, true},
        {"pts", S_IFCHR, 136, 99, true},    {"rtc", S_IFCHR, 252, 0, true},
        {"fuse", S_IFCHR, 10, 229, false},  {"disk", S_IFBLK, 254, 0, true},
        {"loop", S_IFBLK, 7, 0, false},     {"nothing", S_IFBLK, 0, 0, true},
    };
    char node[64];
    snprintf(node, sizeof(node), "/tmp/diff-node-%d", (int)getpid());
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        int made = mknod(node, devices[i].kind | 0666, makedev(devices[i].major, devices[i].minor));
        tell(show, "device-make", devices[i].name, made);
        for (int mode = O_RDONLY; made == 0 && devices[i].opened && mode <= O_WRONLY; mode++) {
            int fd = open(node, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
            tell(show, mode == O_RDONLY ? "device-read" : "device-write", devices[i].name, fd);
            if (fd >= 0)
                close(fd);
        }
        if (made == 0)
            unlink(node);
    }
}

/* What comes of a datagram to each address. */
static void show_addresses(reach_print *show) {
    static const char *const addresses[] = {"127.0.0.1", "127.1.2.3", "127.17.0.1", "127.18.0.1",
                                            "127.255.0.1", "::1"};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(9)};
        struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
        bool is_four = inet_pton(AF_INET, addresses[i], &four.sin_addr) == 1;
        inet_pton(AF_INET6, addresses[i], &six.sin6_addr);
        int fd = socket(is_four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        tell(show, "socket", addresses[i], fd);
        if (fd < 0)
            continue;
        tell(show, "send", addresses[i],
             is_four ? (int)sendto(fd, "x", 1, 0, (struct sockaddr *)&four, sizeof(four))
                     : (int)sendto(fd, "x", 1, 0, (struct sockaddr *)&six, sizeof(six)));
        close(fd);
    }
}

/* What comes of binding to each port; one that another probe has is free again soon. */
static void show_ports(reach_print *show) {
    static const struct {
        const char *name;
        int family, kind;
    } kinds[] = {{"tcp4", AF_INET, SOCK_STREAM}, {"udp4", AF_INET, SOCK_DGRAM},
                 {"tcp6", AF_INET6, SOCK_STREAM}, {"udp6", AF_INET6, SOCK_DGRAM}};
    static const uint16_t ports[] = {0, 7000, 7001, 7002, 7003, 7004, 7005};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) * 7; i++) {
        uint16_t port = ports[i % 7];
        struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
        struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        bool is_four = kinds[i / 7].family == AF_INET;
        int fd = socket(kinds[i / 7].family, kinds[i / 7].kind | SOCK_CLOEXEC, 0), only = 1, r;
        char name[32];
        if (fd < 0)
            continue;
        snprintf(name, sizeof(name), "%s-%u", kinds[i / 7].name, port);
        if (!is_four)
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
        do
            r = is_four ? bind(fd, (struct sockaddr *)&four, sizeof(four))
                        : bind(fd, (struct sockaddr *)&six, sizeof(six));
        while (r < 0 && errno == EADDRINUSE && usleep(1000) == 0);
        tell(show, "bind", name, r);
        close(fd);
    }
}

void reach_show(reach_print *show) {
    show_devices(show);
    show_addresses(show);
    show_ports(show);
}
