#include "agent/keeper_attic.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/log.h"

enum { ROOM = 64 << 20 };

static const int none[KEEPER_ATTIC_FDS] = {-1, -1, -1, -1};

/* Children wait for room, of which there should be as much as starts can be under way. */
static int make(int fds[KEEPER_ATTIC_FDS]) {
    int arrivals[2];
    int room = ROOM;
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, arrivals) < 0)
        return -errno;
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds + 2) < 0) {
        int error = errno;
        cleanup_close(&arrivals[0]);
        cleanup_close(&arrivals[1]);
        return -error;
    }
    memcpy(fds, arrivals, sizeof(arrivals));
    for (int i = 1; i < KEEPER_ATTIC_FDS; i += 2)
        (void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
    return 0;
}

void keeper_attic_open(struct keeper_attic *attic, const struct keeper_legacy *legacy) {
    attic->inherited = legacy && legacy->attic[0] >= 0;
    memcpy(attic->fds, attic->inherited ? legacy->attic : none, sizeof(attic->fds));
    int r = attic->inherited ? 0 : make(attic->fds);
    if (r < 0) {
        log_warning("what filters refuse cannot be told: %s", strerror(-r));
        memcpy(attic->fds, none, sizeof(attic->fds));
    }
}

/* One that has not left us any would let them leak to what it starts. */
void keeper_attic_leave(const struct keeper_attic *attic, bool back, struct keeper_legacy *legacy) {
    memcpy(legacy->attic, back && !attic->inherited ? none : attic->fds, sizeof(legacy->attic));
}
