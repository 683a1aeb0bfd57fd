#include "agent/network.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"

enum { MOST = 1 << 16 /* bytes of that file */ };

bool network_is_own(pid_t pid) {
    char path[64];
    struct stat own, its;
    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    return stat("/proc/self/ns/net", &own) == 0 && stat(path, &its) == 0 &&
           (own.st_ino != its.st_ino || own.st_dev != its.st_dev);
}

/* A line an interface, "eth0: " and eight figures of what came in, then those of what went out; two
 * lines of titles before. */
void network_sum(const char *text, uint64_t *received, uint64_t *sent) {
    *received = *sent = 0;
    for (const char *line = text; line && *line;) {
        const char *end = strchr(line, '\n');
        const char *name = line + strspn(line, " ");
        const char *colon = strchr(line, ':');
        uint64_t in, out;
        if (colon && (!end || colon < end) && strncmp(name, "lo:", 3) != 0 &&
            sscanf(colon + 1,
                   "%" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &in, &out) == 2) {
            *received += in;
            *sent += out;
        }
        line = end ? end + 1 : NULL;
    }
}

int network_read(pid_t pid, uint64_t *received, uint64_t *sent) {
    char path[64];
    _cleanup_(buffer_free) struct buffer text = {0};
    snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)pid);
    int r = file_read_all(AT_FDCWD, path, MOST, &text);
    if (r == 0)
        r = buffer_append(&text, "", 1);
    if (r == 0)
        network_sum((const char *)buffer_bytes(&text), received, sent);
    return r;
}
