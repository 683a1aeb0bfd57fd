/* Requests of any content to a whole agent with a few processes, whose keeper is played here. The
 * first byte of an input says who asks. Then follow requests: a byte with the type, a byte of
 * choices, two with the size of the body (little-endian), the body. Children are dead before they
 * are handed over, so that no signal reaches anybody. */
#include "agent/request.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/stage.h"
#include "agent/logfile.h"
#include "agent/state.h"
#include "fuzz.h"

enum { HEADER = 4, PID = 1 << 23 /* above every real one */ };

/* The byte of choices. */
enum {
    WITH_FDS = 3 << 0,    /* how many descriptors come along */
    NO_CLONE = 1 << 2,    /* the keeper cannot clone */
    NO_EXEC = 1 << 3,     /* the child fails before exec */
    NO_ANSWER = 1 << 4,   /* the keeper does not answer yet */
    STILL_ALIVE = 1 << 5, /* the child has not ended, says the keeper */
};

/* A child that has ended, whose pidfd serves for all. */
static int dead = -1;

static int dead_child(void) {
    pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0)
        _exit(0);
    int pidfd = pidfd_open(child, 0);
    EXPECT(pidfd >= 0);
    while (waitpid(child, NULL, 0) < 0)
        EXPECT(errno == EINTR);
    return pidfd;
}

static void spawn(struct stage *stage, struct packet *packet, uint8_t choices) {
    static int32_t last;
    struct keeper_reply reply = {.kind = KEEPER_SPAWNED, .token = packet->plan.token};
    struct plan_report *report = &stage->agent->link.reports[packet->plan.report];
    report->reached = choices & NO_EXEC ? PLAN_STEP_UID : PLAN_STEP_EXEC;
    report->error = choices & NO_EXEC ? EPERM : 0;
    packet_close(packet);
    if (choices & NO_CLONE) {
        reply.error = EAGAIN;
        stage_answer(stage, &reply, -1);
        return;
    }
    reply.pid = PID + ++last % PID;
    stage_answer(stage, &reply, dead);
}

static void play_keeper(struct stage *stage, uint8_t choices) {
    static struct packet packet;
    /* What an answer leads to may be asked for again at once, such as the end of one still alive.
     */
    for (unsigned turn = 0; turn < 8 && stage_packet(stage, &packet); turn++) {
        struct keeper_reply reply = {
            .kind = packet.request.kind, .pid = packet.request.pid, .token = packet.request.token};
        if (packet.plan.magic == PLAN_MAGIC) {
            spawn(stage, &packet, choices);
            continue;
        }
        reply.error = reply.kind == KEEPER_STATUS && choices & STILL_ALIVE ? EAGAIN : 0;
        reply.code = choices & NO_EXEC ? CLD_KILLED : CLD_EXITED;
        reply.status = choices & WITH_FDS;
        if (reply.kind == KEEPER_STATUS || reply.token != 0)
            stage_answer(stage, &reply, -1);
    }
}

/* Sends one request, lets it have its effect, and reads what comes back. False: the peer was
 * closed. */
static bool request(struct stage *stage, struct guest *guest, const uint8_t *head,
                    const uint8_t *body, size_t size) {
    static const int fds[] = {STDIN_FILENO, STDIN_FILENO, STDIN_FILENO};
    struct holden_connection *connection = &guest->client.connection;
    struct holden_reply reply;
    /* A frame that carries descriptors, whose header then becomes that of the request. */
    EXPECT(holden_connection_put(connection, HOLDEN_MESSAGE_ping, 1, &(struct holden_ping){0}, fds,
                                 head[1] & WITH_FDS) == 0);
    uint8_t *header = buffer_bytes(&connection->out);
    holden_put16(header + 4, head[0]);
    holden_put32(header + 8, (uint32_t)size);
    EXPECT(buffer_append(&connection->out, body, size) == 0);
    EXPECT(holden_connection_send(connection) == 0);
    while (guest_hears(guest, &reply)) {
        uint64_t space[512];
        EXPECT(reply.frame.id == 1 && holden_message(reply.frame.type));
        EXPECT(holden_message(reply.frame.type)->record->size <= sizeof(space));
        EXPECT(holden_reply_decode(&reply, space) == 0);
    }
    if (!(head[1] & NO_ANSWER))
        play_keeper(stage, head[1]);
    return !guest->gone;
}

static void add(struct stage *stage, const char *name, uint32_t state, uid_t owner) {
    struct process *process = stage_process(stage, name, state, owner);
    char path[32];
    int fd;
    snprintf(path, sizeof(path), "cgroup/%lu-%s", process->id, name);
    scratch_make(&stage->scratch, path);
    process->has_cgroup = true;
    EXPECT(logfile_open(process, &fd) == 0);
    close(fd);
}

/* Before libFuzzer opens anything. Always 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    stage_reserve();
    dead = dead_child();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct stage stage;
    struct guest guest;
    if (size == 0)
        return 0;
    uid_t uid = data[0] % 2 ? 1000 : 0;
    stage_open(&stage);
    add(&stage, "a", HOLDEN_state_RUNNING, 0);
    add(&stage, "b", HOLDEN_state_RUNNING, 1000);
    add(&stage, "c", HOLDEN_state_STOPPED, 1000);
    stage_guest(&stage, &guest, uid);
    bool alive = true;
    for (data++, size--; alive && size >= HEADER;) {
        size_t body = holden_get16(data + 2);
        if (body > size - HEADER)
            body = size - HEADER;
        alive = request(&stage, &guest, data, data + HEADER, body) &&
                sd_event_get_state(stage.agent->event) != SD_EVENT_FINISHED;
        data += HEADER + body;
        size -= HEADER + body;
    }
    play_keeper(&stage, 0);
    guest_close(&guest);
    stage_close(&stage);
    return 0;
}
