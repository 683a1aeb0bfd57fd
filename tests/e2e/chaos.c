/* Chaos for the end-to-end tests: the agent is killed, or replaced, over and over at random moments
 * while clients start, stop, restart, kill, list and wait, and many processes just run. Every
 * answer is checked; whatever ran leaves a trace.
 *
 *   chaos SOCKET kill|reexec SEED ROUNDS PROCESSES CLIENTS PAUSE DIRECTORY
 *       PAUSE: most milliseconds between two rounds. In DIRECTORY, `expected` gets a line for each
 *       run that was asked for, `trace` one for each that was; the caller compares them. `pids` gets
 *       the pid of each.
 *   chaos trace DIRECTORY NAME STATUS MILLISECONDS
 *       what is started: leaves its trace, stays that long, and exits with that status.
 *
 * Exit status 0 only if every answer was right. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "protocol/client.h"

enum { PATIENCE = 300000000, DOUBLED = 99, FOREVER = 1000000000, LINE = 64 };

/* Shared by the processes of one run. */
struct shared {
    bool over;
    unsigned long operations;
};

struct chaos {
    const char *socket;
    const char *directory;
    char program[4096];
    long rounds, processes, clients, pause;
    uint64_t seed;
    struct shared *shared;
};

struct actor {
    const struct chaos *chaos;
    struct holden_client client;
    uint64_t random;
    unsigned number; /* of the client */
    unsigned serial; /* of the process, for its name */
    char name[LINE];
};

/* xorshift64: the same for the same seed, everywhere. */
static uint64_t below(uint64_t *state, uint64_t bound) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % bound;
}

static void pause_for(uint64_t microseconds) {
    struct timespec time = {(time_t)(microseconds / 1000000),
                            (long)(microseconds % 1000000) * 1000};
    nanosleep(&time, NULL);
}

/* ---- traces ---- */

/* One write of one line: it is whole, whoever else writes. */
static bool leave(const char *directory, const char *file, const char *name) {
    char path[4200], line[LINE + 1];
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    int size = snprintf(line, sizeof(line), "%s\n", name);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return fd >= 0 && write(fd, line, (size_t)size) == size;
}

static void up_path(const char *directory, const char *name, char path[4200]) {
    snprintf(path, 4200, "%s/up/%s", directory, name);
}

static int trace(char **argv) {
    const char *directory = argv[0], *name = argv[1];
    char path[4200], pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    if (!leave(directory, "trace", name) || !leave(directory, "pids", pid))
        return DOUBLED;
    up_path(directory, name, path);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return DOUBLED;
    pause_for(strtoull(argv[3], NULL, 10) * 1000);
    return (int)strtol(argv[2], NULL, 10);
}

/* Waits until it has left its trace, and takes its mark away. */
static bool came_up(const struct actor *actor) {
    char path[4200];
    up_path(actor->chaos->directory, actor->name, path);
    for (unsigned tries = 0; tries < 60000; tries++) {
        if (unlink(path) == 0)
            return true;
        pause_for(1000);
    }
    fprintf(stderr, "chaos: %s never came up\n", actor->name);
    return false;
}

/* ---- requests ---- */

static bool complain(const struct actor *actor, const char *what, const struct holden_reply *reply,
                     int error) {
    struct holden_error refused;
    if (error < 0)
        fprintf(stderr, "chaos: %s %s: no answer: %s\n", what, actor->name, strerror(-error));
    else if (reply->frame.type == HOLDEN_MESSAGE_error && holden_reply_decode(reply, &refused) == 0)
        fprintf(stderr, "chaos: %s %s: %.*s\n", what, actor->name, (int)refused.text.size,
                refused.text.data);
    else
        fprintf(stderr, "chaos: %s %s: an answer of type %u\n", what, actor->name,
                reply->frame.type);
    return false;
}

/* The next answer to the request must be of this type; decoded into `message`. */
static bool answer(struct actor *actor, const char *what, uint32_t id, uint16_t type,
                   void *message) {
    struct holden_reply reply;
    int r = holden_client_reply(&actor->client, id, &reply);
    if (r < 0 || reply.frame.type != type || holden_reply_decode(&reply, message) < 0)
        return complain(actor, what, &reply, r);
    return true;
}

static bool ask(struct actor *actor, const char *what, uint16_t type, const void *message,
                uint32_t *id) {
    int r = holden_client_ask(&actor->client, type, message, NULL, 0, id);
    return r < 0 ? complain(actor, what, NULL, r) : true;
}

static bool connect_anew(struct actor *actor) {
    const char *socket = actor->chaos->socket;
    int r = holden_client_connect(&actor->client, socket);
    if (r == 0)
        r = holden_client_keep(&actor->client, socket, PATIENCE);
    if (r < 0)
        fprintf(stderr, "chaos: cannot connect: %s\n", strerror(-r));
    return r == 0;
}

/* Asks to start a process that leaves its trace. */
static bool ask_start(struct actor *actor, unsigned status, unsigned milliseconds, bool wait,
                      uint32_t *id) {
    char shown[2][16];
    struct holden_start start = {0};
    snprintf(shown[0], sizeof(shown[0]), "%u", status);
    snprintf(shown[1], sizeof(shown[1]), "%u", milliseconds);
    const struct holden_view arguments[] = {
        holden_view(actor->chaos->program),   holden_view("trace"),
        holden_view(actor->chaos->directory), holden_view(actor->name),
        holden_view(shown[0]),                holden_view(shown[1]),
    };
    HOLDEN_SET(&start, start, argument,
               (struct holden_repeated){.count = ARRAY_SIZE(arguments), .items = arguments});
    HOLDEN_SET(&start, start, name, holden_view(actor->name));
    HOLDEN_SET(&start, start, wait, wait);
    return leave(actor->chaos->directory, "expected", actor->name) &&
           ask(actor, "start", HOLDEN_MESSAGE_start, &start, id);
}

static bool start(struct actor *actor, struct holden_started *started) {
    uint32_t id;
    snprintf(actor->name, sizeof(actor->name), "c%u-%u", actor->number, actor->serial++);
    return ask_start(actor, 0, FOREVER, false, &id) &&
           answer(actor, "start", id, HOLDEN_MESSAGE_started, started) && came_up(actor);
}

/* One request that is a name and nothing else, and its answer. */
#define BY_NAME(actor, type, reply, message)                                                       \
    ({                                                                                             \
        struct holden_##type by_name = {0};                                                        \
        uint32_t by_name_id;                                                                       \
        HOLDEN_SET(&by_name, type, name, holden_view((actor)->name));                              \
        ask(actor, #type, HOLDEN_MESSAGE_##type, &by_name, &by_name_id) &&                         \
            answer(actor, #type, by_name_id, HOLDEN_MESSAGE_##reply, message);                     \
    })

static bool ended_as(const struct actor *actor, const struct holden_exited *exited, bool signalled,
                     unsigned number) {
    bool right = signalled ? HOLDEN_HAS(exited, exited, signal) && exited->signal == number
                           : HOLDEN_HAS(exited, exited, status) && exited->status == number;
    if (!right)
        fprintf(stderr, "chaos: %s did not end with %s %u but with status %u, signal %u: %.*s\n",
                actor->name, signalled ? "signal" : "status", number, exited->status,
                exited->signal, (int)exited->explanation.size, exited->explanation.data);
    return right;
}

/* ---- what clients do ---- */

static bool run_to_end(struct actor *actor) {
    struct holden_started started;
    struct holden_exited exited;
    unsigned status = (unsigned)below(&actor->random, DOUBLED);
    unsigned milliseconds = (unsigned)below(&actor->random, 40);
    bool wait = below(&actor->random, 2);
    uint32_t id;
    snprintf(actor->name, sizeof(actor->name), "c%u-%u", actor->number, actor->serial++);
    if (!ask_start(actor, status, milliseconds, wait, &id) ||
        !answer(actor, "start", id, HOLDEN_MESSAGE_started, &started))
        return false;
    return (wait ? answer(actor, "end of", id, HOLDEN_MESSAGE_exited, &exited)
                 : BY_NAME(actor, wait, exited, &exited)) &&
           ended_as(actor, &exited, false, status) && came_up(actor);
}

static bool stop(struct actor *actor) {
    struct holden_started started;
    struct holden_done done;
    struct holden_exited exited;
    return start(actor, &started) && BY_NAME(actor, stop, done, &done) &&
           BY_NAME(actor, wait, exited, &exited) && ended_as(actor, &exited, true, SIGTERM);
}

static bool kill_it(struct actor *actor) {
    struct holden_started started;
    struct holden_done done;
    struct holden_exited exited;
    struct holden_kill kill = {0};
    uint32_t id;
    if (!start(actor, &started))
        return false;
    HOLDEN_SET(&kill, kill, name, holden_view(actor->name));
    HOLDEN_SET(&kill, kill, signal, SIGKILL);
    return ask(actor, "kill", HOLDEN_MESSAGE_kill, &kill, &id) &&
           answer(actor, "kill", id, HOLDEN_MESSAGE_done, &done) &&
           BY_NAME(actor, wait, exited, &exited) && ended_as(actor, &exited, true, SIGKILL);
}

static bool restart(struct actor *actor) {
    struct holden_started first, second;
    struct holden_done done;
    if (!start(actor, &first) || !leave(actor->chaos->directory, "expected", actor->name) ||
        !BY_NAME(actor, restart, started, &second) || !came_up(actor))
        return false;
    if (first.id != second.id || first.pid == second.pid) {
        fprintf(stderr, "chaos: %s was not restarted\n", actor->name);
        return false;
    }
    return BY_NAME(actor, stop, done, &done);
}

static bool fail(struct actor *actor) {
    struct holden_view command = holden_view("/no/such/program");
    struct holden_start start = {0};
    struct holden_error error;
    uint32_t id;
    snprintf(actor->name, sizeof(actor->name), "missing");
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 1, .items = &command});
    return ask(actor, "start", HOLDEN_MESSAGE_start, &start, &id) &&
           answer(actor, "start", id, HOLDEN_MESSAGE_error, &error) &&
           (memmem(error.text.data, error.text.size, "/no/such/program", 16) ||
            fprintf(stderr, "chaos: %.*s\n", (int)error.text.size, error.text.data) < 0);
}

/* All that just run are there, each once, in the order of their ids. */
static bool list(struct actor *actor) {
    struct holden_list list = {0};
    struct holden_reply reply;
    struct holden_process process;
    uint32_t id;
    uint64_t last = 0;
    long found = 0;
    int r;
    snprintf(actor->name, sizeof(actor->name), "all");
    if (!ask(actor, "list", HOLDEN_MESSAGE_list, &list, &id))
        return false;
    while ((r = holden_client_reply(&actor->client, id, &reply)) == 0 &&
           reply.frame.type == HOLDEN_MESSAGE_process &&
           holden_reply_decode(&reply, &process) == 0 && process.id > last) {
        last = process.id;
        found += process.name.size > 5 && memcmp(process.name.data, "base-", 5) == 0;
    }
    if (r < 0 || reply.frame.type != HOLDEN_MESSAGE_end)
        return complain(actor, "list", &reply, r);
    if (found != actor->chaos->processes)
        fprintf(stderr, "chaos: a list shows %ld of %ld processes\n", found,
                actor->chaos->processes);
    return found == actor->chaos->processes;
}

static bool reconnect(struct actor *actor) {
    holden_client_close(&actor->client);
    return connect_anew(actor);
}

/* The first are drawn more often. */
static bool (*const operations[])(struct actor *actor) = {
    run_to_end, run_to_end, run_to_end, run_to_end, stop, stop, kill_it, restart, fail, list,
    reconnect,
};

static int act(const struct chaos *chaos, unsigned number) {
    struct actor actor = {
        .chaos = chaos, .number = number, .random = chaos->seed * 1000003 + number + 1};
    bool right = connect_anew(&actor);
    while (right && !__atomic_load_n(&chaos->shared->over, __ATOMIC_RELAXED)) {
        right = operations[below(&actor.random, ARRAY_SIZE(operations))](&actor);
        __atomic_fetch_add(&chaos->shared->operations, 1, __ATOMIC_RELAXED);
    }
    holden_client_close(&actor.client);
    return right ? 0 : 1;
}

/* ---- those that just run ---- */

static bool start_base(struct actor *actor, uint32_t *pids) {
    struct holden_started started;
    for (long i = 0; i < actor->chaos->processes; i++) {
        uint32_t id;
        snprintf(actor->name, sizeof(actor->name), "base-%ld", i);
        if (!ask_start(actor, 0, FOREVER, false, &id) ||
            !answer(actor, "start", id, HOLDEN_MESSAGE_started, &started))
            return false;
        pids[i] = started.pid;
    }
    return true;
}

/* They run as they did, under the same pids; then they are stopped. */
static bool end_base(struct actor *actor, const uint32_t *pids) {
    struct holden_list list = {0};
    struct holden_process process;
    struct holden_end end;
    struct holden_done done;
    for (long i = 0; i < actor->chaos->processes; i++) {
        uint32_t id;
        snprintf(actor->name, sizeof(actor->name), "base-%ld", i);
        const struct holden_view name = holden_view(actor->name);
        HOLDEN_SET(&list, list, name, (struct holden_repeated){.count = 1, .items = &name});
        if (!ask(actor, "list", HOLDEN_MESSAGE_list, &list, &id) ||
            !answer(actor, "list", id, HOLDEN_MESSAGE_process, &process))
            return false;
        if (process.state != HOLDEN_state_RUNNING || process.pid != pids[i]) {
            fprintf(stderr, "chaos: %s is lost: pid %u, not %u\n", actor->name, process.pid,
                    pids[i]);
            return false;
        }
        if (!answer(actor, "list", id, HOLDEN_MESSAGE_end, &end) ||
            !BY_NAME(actor, stop, done, &done))
            return false;
    }
    return true;
}

/* ---- what is done to the agent ---- */

static bool is_core(pid_t pid) {
    char path[64], name[32] = "";
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, name, sizeof(name) - 1) > 0 && strcmp(name, "agent-core\n") == 0;
}

/* The keeper's child that is the agent: most likely the youngest, which stands last. 0: none. */
static pid_t find_core(pid_t keeper) {
    static char children[1 << 20];
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)keeper, (int)keeper);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = 0, part;
    while (fd >= 0 && size < (ssize_t)sizeof(children) - 1 &&
           (part = read(fd, children + size, sizeof(children) - 1 - (size_t)size)) > 0)
        size += part;
    children[size] = '\0';
    for (char *at = children + size; at > children;) {
        while (at > children && (at[-1] == ' ' || at[-1] == '\n'))
            *--at = '\0';
        while (at > children && at[-1] != ' ')
            at--;
        pid_t pid = (pid_t)strtol(at, NULL, 10);
        if (pid > 0 && is_core(pid))
            return pid;
    }
    return 0;
}

static bool kill_core(struct actor *actor, pid_t keeper) {
    (void)actor;
    pid_t core;
    for (unsigned tries = 0; (core = find_core(keeper)) == 0; tries++) {
        if (tries > 30000) {
            fprintf(stderr, "chaos: the keeper has no agent\n");
            return false;
        }
        pause_for(1000);
    }
    kill(core, SIGKILL);
    return true;
}

static bool replace_core(struct actor *actor, pid_t keeper) {
    (void)keeper;
    struct holden_done done;
    uint32_t id;
    snprintf(actor->name, sizeof(actor->name), "of the agent");
    return ask(actor, "reexec", HOLDEN_MESSAGE_reexec, &(struct holden_reexec){0}, &id) &&
           answer(actor, "reexec", id, HOLDEN_MESSAGE_done, &done);
}

/* The pid of the keeper, from an agent that has recovered. 0: there was no answer. */
static pid_t ask_keeper(struct actor *actor) {
    struct holden_self_state self;
    uint32_t id;
    snprintf(actor->name, sizeof(actor->name), "the agent");
    return ask(actor, "self of", HOLDEN_MESSAGE_self, &(struct holden_self){0}, &id) &&
                   answer(actor, "self of", id, HOLDEN_MESSAGE_self_state, &self)
               ? (pid_t)self.keeper
               : 0;
}

/* Most blows meet an agent some time after it has recovered; every fourth comes so soon after the
 * one before that it is likely to meet one that still does. */
static bool disturb(struct actor *actor, bool (*blow)(struct actor *actor, pid_t keeper)) {
    const struct chaos *chaos = actor->chaos;
    pid_t keeper = ask_keeper(actor);
    for (long i = 0; keeper > 0 && i < chaos->rounds; i++) {
        bool soon = below(&actor->random, 4) == 0;
        if (!soon)
            keeper = ask_keeper(actor);
        pause_for(below(&actor->random, (uint64_t)chaos->pause * (soon ? 100 : 1000) + 1));
        if (keeper > 0 && !blow(actor, keeper))
            return false;
    }
    return keeper > 0;
}

/* ---- one run ---- */

static bool clients_ended_well(long count) {
    bool right = true;
    int status;
    for (; count > 0; count--)
        right &= wait(&status) > 0 && status == 0;
    return right;
}

static bool run(const struct chaos *chaos, bool (*blow)(struct actor *actor, pid_t keeper)) {
    struct actor actor = {.chaos = chaos, .number = UINT32_MAX, .random = chaos->seed | 1};
    _cleanup_free_ uint32_t *pids = calloc((size_t)chaos->processes + 1, sizeof(*pids));
    if (!pids || !connect_anew(&actor) || !start_base(&actor, pids))
        return false;
    for (long i = 0; i < chaos->clients; i++)
        if (fork() == 0)
            _exit(act(chaos, (unsigned)i));
    bool right = disturb(&actor, blow);
    __atomic_store_n(&chaos->shared->over, true, __ATOMIC_RELAXED);
    right &= clients_ended_well(chaos->clients);
    right = right && end_base(&actor, pids);
    holden_client_close(&actor.client);
    return right;
}

static const struct {
    const char *name;
    bool (*blow)(struct actor *actor, pid_t keeper);
} modes[] = {{"kill", kill_core}, {"reexec", replace_core}};

static int wreak(char **argv) {
    struct chaos chaos = {.socket = argv[0], .directory = argv[7]};
    bool (*blow)(struct actor *actor, pid_t keeper) = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            blow = modes[i].blow;
    chaos.seed = strtoull(argv[2], NULL, 10);
    chaos.rounds = strtol(argv[3], NULL, 10);
    chaos.processes = strtol(argv[4], NULL, 10);
    chaos.clients = strtol(argv[5], NULL, 10);
    chaos.pause = strtol(argv[6], NULL, 10);
    chaos.shared = mmap(NULL, sizeof(*chaos.shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ssize_t size = readlink("/proc/self/exe", chaos.program, sizeof(chaos.program) - 1);
    if (!blow || size < 0 || chaos.shared == MAP_FAILED)
        return 2;
    time_t began = time(NULL);
    bool right = run(&chaos, blow);
    printf("seed %lu: %ld times %s, %ld processes, %lu operations of %ld clients in %ld s: %s\n",
           (unsigned long)chaos.seed, chaos.rounds, argv[1], chaos.processes,
           chaos.shared->operations, chaos.clients, (long)(time(NULL) - began),
           right ? "all right" : "some wrong");
    return right ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 6 && strcmp(argv[1], "trace") == 0)
        return trace(argv + 2);
    if (argc == 9)
        return wreak(argv + 1);
    fprintf(stderr, "usage: chaos SOCKET kill|reexec …; see the head of chaos.c\n");
    return 2;
}
