#include "agent/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "protocol/property.h"

uint64_t machine_page(void) {
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t machine_memory(void) {
    return (uint64_t)sysconf(_SC_PHYS_PAGES) * machine_page();
}

static uint64_t read_file(const char *path) {
    char text[64];
    return file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ? UINT64_MAX
                                                             : strtoull(text, NULL, 10);
}

uint64_t machine_tasks(void) {
    uint64_t pids = read_file("/proc/sys/kernel/pid_max");
    uint64_t threads = read_file("/proc/sys/kernel/threads-max");
    return pids < threads ? pids : threads;
}

uint64_t machine_share(uint64_t whole, uint64_t share) {
    return (uint64_t)((unsigned __int128)whole * (share & ~HOLDEN_SHARE_BIT) / 10000);
}

static uint64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

uint64_t machine_realtime(void) {
    return now(CLOCK_REALTIME);
}

uint64_t machine_monotonic(void) {
    return now(CLOCK_MONOTONIC);
}

uint64_t machine_boottime(void) {
    return now(CLOCK_BOOTTIME);
}

int machine_boot_id(char id[37]) {
    ssize_t size = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", id, 37);
    return size < 0 ? (int)size : size == 36 ? 0 : -EBADMSG;
}
