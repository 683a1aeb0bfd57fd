#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/machine.h"
#include "agent/request.h"
#include "agent/state.h"
#include "suite.h"

/* Puts a descriptor where the keeper would have put it. */
static void place(int fd, int at) {
    assert_true(fd > KEEPER_FD_REPORTS);
    assert_int_equal(dup2(fd, at), at);
    close(fd);
}

void stage_reserve(void) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(null >= 0);
    for (int fd = KEEPER_FD_LISTEN; fd <= KEEPER_FD_REPORTS; fd++)
        if (fd != null)
            assert_int_equal(dup2(null, fd), fd);
    if (null > KEEPER_FD_REPORTS)
        close(null);
}

/* Everything that the keeper hands over. */
static void open_keeper(struct stage *stage) {
    int ends[2];
    stage_reserve();
    scratch_open(&stage->scratch);
    snprintf(stage->socket, sizeof(stage->socket), "%s/socket", stage->scratch.path);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
                     0);
    int reports = memfd_create("reports", MFD_CLOEXEC);
    assert_int_equal(ftruncate(reports, PLAN_REPORTS * sizeof(struct plan_report)), 0);
    place(reports, KEEPER_FD_REPORTS);
    place(guest_listen(stage->socket), KEEPER_FD_LISTEN);
    place(ends[0], KEEPER_FD_CHANNEL);
    stage->keeper = ends[1];
}

static void open_directories(struct stage *stage) {
    struct agent *agent = stage->agent;
    struct failure failure;
    char path[64];
    scratch_make(&stage->scratch, "cgroup");
    assert_true(asprintf(&agent->hierarchy.path, "%s/cgroup", stage->scratch.path) > 0);
    agent->hierarchy.mount = strdup(agent->hierarchy.path);
    agent->hierarchy.root = open(agent->hierarchy.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(agent->hierarchy.root >= 0);
    snprintf(path, sizeof(path), "%s/state", stage->scratch.path);
    assert_int_equal(store_open(&agent->store, path, &failure), 0);
}

void stage_open(struct stage *stage) {
    for (int fd = KEEPER_FD_LISTEN; fd <= KEEPER_FD_REPORTS; fd++)
        close(fd);
    *stage = (struct stage){.descriptors = scratch_descriptors()};
    open_keeper(stage);
    struct agent *agent = stage->agent = calloc(1, sizeof(*agent));
    assert_non_null(agent);
    agent->arguments.socket = stage->socket;
    agent->audit.fd = agent->talk.listeners = -1;
    agent->started = machine_monotonic();
    assert_int_equal(config_read(&agent->config, "/nonexistent", false), 0);
    assert_int_equal(sd_event_new(&agent->event), 0);
    assert_int_equal(processes_init(&agent->processes), 0);
    assert_int_equal(sampler_open(&agent->sampler, agent), 0);
    assert_int_equal(link_open(&agent->link, agent), 0);
    assert_int_equal(watch_open(&agent->watch, agent), 0);
    open_directories(stage);
    trimmer_open(&agent->trimmer, agent);
    assert_int_equal(events_open(&agent->events, agent), 0);
    policy_init(&agent->policy, getgid(), request_of_members());
    assert_int_equal(
        listener_start(&agent->listener, agent->event, KEEPER_FD_LISTEN, &request_calls, agent), 0);
}

void stage_close(struct stage *stage) {
    struct agent *agent = stage->agent;
    listener_stop(&agent->listener);
    trimmer_close(&agent->trimmer);
    processes_free(&agent->processes);
    sampler_close(&agent->sampler);
    filters_free(&agent->filters);
    events_free(&agent->events);
    watch_close(&agent->watch);
    link_close(&agent->link);
    store_close(&agent->store, false);
    hierarchy_close(&agent->hierarchy, false);
    policy_free(&agent->policy);
    sd_event_unref(agent->event);
    free(agent);
    for (int fd = KEEPER_FD_LISTEN; fd <= KEEPER_FD_REPORTS; fd++)
        close(fd);
    close(stage->keeper);
    scratch_close(&stage->scratch);
    assert_int_equal(scratch_descriptors(), stage->descriptors);
}

void stage_guest(struct stage *stage, struct guest *guest, uid_t uid) {
    guest_open(guest, &stage->agent->listener, stage->socket, uid);
}

struct process *stage_process(struct stage *stage, const char *name, uint32_t state, uid_t owner) {
    struct process *process;
    uint64_t id;
    assert_int_equal(store_new_id(&stage->agent->store, &id), 0);
    assert_int_equal(process_new(stage->agent, id, holden_view(name), &process), 0);
    process->owner = process->user = owner;
    process->owner_gid = owner;
    process->ran = state != HOLDEN_state_STARTING;
    stage_settings(process, &(struct holden_properties){0});
    state_recover(process, state);
    return process;
}

void stage_settings(struct process *process, const struct holden_properties *properties) {
    const struct holden_view command[] = {holden_view("command"), holden_view("argument")};
    struct holden_start start = {0};
    struct buffer encoded = {0};
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 2, .items = command});
    HOLDEN_SET(&start, start, name, holden_view(process->name));
    HOLDEN_SET(&start, start, properties, (struct holden_nested){.value = properties});
    assert_int_equal(holden_encode(&holden_record_start, &start, &encoded), 0);
    uint8_t *request = malloc(encoded.size);
    assert_non_null(request);
    memcpy(request, buffer_bytes(&encoded), encoded.size);
    process_set_request(process, request, encoded.size);
    buffer_free(&encoded);
}

bool stage_packet(struct stage *stage, struct packet *packet) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(PLAN_FDS_MAX * sizeof(int))];
    } control;
    struct iovec part = {packet->bytes, sizeof(packet->bytes)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof(control.space)};
    guest_turn(stage->agent->event);
    ssize_t size = recvmsg(stage->keeper, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN)
        return false;
    assert_true(size > 0);
    packet->size = (size_t)size;
    packet->count = 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header) {
        packet->count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(packet->fds, CMSG_DATA(header), packet->count * sizeof(int));
    }
    return true;
}

void packet_close(struct packet *packet) {
    for (size_t i = 0; i < packet->count; i++)
        close(packet->fds[i]);
    packet->count = 0;
}

uint64_t stage_asked(struct stage *stage, uint32_t kind, pid_t pid) {
    static struct packet packet;
    assert_true(stage_packet(stage, &packet));
    assert_int_equal(packet.size, sizeof(packet.request));
    assert_int_equal(packet.request.kind, kind);
    assert_int_equal(packet.request.pid, pid);
    return packet.request.token;
}

static void send_answer(struct stage *stage, const struct keeper_reply *reply, int fd) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)reply, sizeof(*reply)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    assert_int_equal(sendmsg(stage->keeper, &message, MSG_NOSIGNAL), sizeof(*reply));
}

void stage_answer(struct stage *stage, const struct keeper_reply *reply, int fd) {
    send_answer(stage, reply, fd);
    guest_turn(stage->agent->event);
}

void stage_will_adopt(struct stage *stage, uint64_t children) {
    const struct keeper_reply reply = {.kind = KEEPER_ADOPT, .children = children};
    send_answer(stage, &reply, -1);
}

void stage_asked_adoption(struct stage *stage, pid_t pid) {
    static struct packet packet;
    assert_true(stage_packet(stage, &packet));
    assert_int_equal(packet.size, sizeof(struct keeper_adoption));
    assert_int_equal(packet.request.kind, KEEPER_ADOPT);
    assert_int_equal(packet.request.pid, 1);
    assert_int_equal(packet.adoption.pids[0], pid);
}

struct process *stage_named(const struct stage *stage, const char *name) {
    struct process *process = process_by_name(&stage->agent->processes, holden_view(name));
    assert_non_null(process);
    return process;
}

/* A child that sleeps; as another program where it `executes`, which it then has. */
static pid_t sleeper(bool executes) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        alarm(120);
        if (executes)
            execl("/bin/sleep", "sleep", "120", NULL);
        close_range(3, ~0U, 0);
        for (;;)
            pause();
    }
    close(ends[1]);
    char end;
    assert_int_equal(read(ends[0], &end, 1), 0);
    close(ends[0]);
    return child;
}

static pid_t spawn(struct stage *stage, struct packet *packet, bool executes) {
    struct keeper_reply reply = {.kind = KEEPER_SPAWNED, .token = packet->plan.token};
    assert_int_equal(packet->plan.magic, PLAN_MAGIC);
    stage->agent->link.reports[packet->plan.report].reached = PLAN_STEP_EXEC;
    packet_close(packet); /* before there is a child, in which the status pipe would stay open */
    reply.pid = sleeper(executes);
    _cleanup_close_ int pidfd = pidfd_open(reply.pid, 0);
    assert_true(pidfd >= 0);
    stage_answer(stage, &reply, pidfd);
    return reply.pid;
}

pid_t stage_spawn(struct stage *stage, struct packet *packet) {
    return spawn(stage, packet, true);
}

pid_t stage_spawn_stuck(struct stage *stage, struct packet *packet) {
    return spawn(stage, packet, false);
}

pid_t stage_sleeper(void) {
    return sleeper(false);
}

struct process *stage_ends(struct stage *stage, pid_t child) {
    static struct packet packet;
    siginfo_t info = {0};
    struct process *process = stage_named(stage, "web");
    GUEST_UNTIL(stage->agent->event,
                waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
                    info.si_pid == child);
    do
        GUEST_UNTIL(stage->agent->event, stage_packet(stage, &packet));
    while (packet.request.kind != KEEPER_STATUS);
    stage_answer(stage,
                 &(struct keeper_reply){.kind = KEEPER_STATUS,
                                        .pid = child,
                                        .code = info.si_code,
                                        .status = info.si_status},
                 -1);
    stage_asked(stage, KEEPER_RELEASE, child);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return process;
}

void stage_reap(struct stage *stage, pid_t pid) {
    siginfo_t info = {0};
    GUEST_UNTIL(stage->agent->event,
                waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
                    info.si_pid == pid);
    GUEST_UNTIL(stage->agent->event, poll(&(struct pollfd){stage->keeper, POLLIN, 0}, 1, 0) == 1);
    stage_asked(stage, KEEPER_STATUS, pid);
    stage_answer(stage,
                 &(struct keeper_reply){.kind = KEEPER_STATUS,
                                        .pid = pid,
                                        .code = info.si_code,
                                        .status = info.si_status,
                                        .user = 10,
                                        .system = 5,
                                        .peak = 4096},
                 -1);
    uint64_t token = stage_asked(stage, KEEPER_RELEASE, pid);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    if (token != 0)
        stage_answer(
            stage, &(struct keeper_reply){.kind = KEEPER_RELEASE, .pid = pid, .token = token}, -1);
}
