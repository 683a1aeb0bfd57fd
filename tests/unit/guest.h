/* A client of a listener in the same process and thread: whatever it waits for, it lets the
 * listener's loop turn meanwhile. All assert by themselves. */
#pragma once

#include "daemon/peer.h"
#include "protocol/client.h"

struct guest {
    struct holden_client client;
    struct listener *host;
    struct peer *peer; /* how the listener sees it */
    bool gone;         /* the connection has ended */
};

/* A socket that listens at `path`, as a listener wants it. */
int guest_listen(const char *path);

/* Dispatches all that is ready, and what follows from it. How many times something was. */
unsigned guest_turn(sd_event *event);

/* Lets the loop turn until `condition`, or fails the test after some time. */
#define GUEST_UNTIL(event, condition)                                                              \
    do {                                                                                           \
        for (int waited = 0; !(condition); waited++) {                                             \
            assert_true(waited < 20000);                                                           \
            if (guest_turn(event) == 0)                                                            \
                poll(NULL, 0, 1);                                                                  \
        }                                                                                          \
    } while (0)

/* Connects, and is taken for user `uid` from then on. */
void guest_open(struct guest *guest, struct listener *host, const char *path, uid_t uid);
void guest_close(struct guest *guest);

/* Sends a request; `fds` stay the caller's. Its id. */
uint32_t guest_ask(struct guest *guest, uint16_t type, const void *message, const int *fds,
                   size_t count);

/* Sends these bytes as they are. */
void guest_send(struct guest *guest, const void *bytes, size_t size);

/* The next frame, once nothing is left to do in the loop. False: there is none. Valid until the
 * next. */
bool guest_hears(struct guest *guest, struct holden_reply *reply);

/* The next frame, which must be of this type and answer request `id`, decoded into `message`, which
 * may be NULL. Views in it are valid until the next. */
void guest_expect(struct guest *guest, uint16_t type, uint32_t id, void *message);

/* The same for an error with that code, whose text holds these words. */
void guest_refused(struct guest *guest, uint32_t id, uint32_t code, const char *words);

/* Nothing has come, and the connection lives. */
void guest_silent(struct guest *guest);

/* Nothing more comes: the other side has closed. */
void guest_ended(struct guest *guest);
