#include "subject.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "protocol/client.h"

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static int64_t milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- its surroundings ---- */

static bool find_cgroups(char *mount, size_t space) {
    char line[1024], path[128], kind[64];
    FILE *mounts = fopen("/proc/mounts", "re");
    bool found = false;
    while (mounts && !found && fgets(line, sizeof(line), mounts)) {
        if (sscanf(line, "%*s %127s %63s", path, kind) == 2 && strcmp(kind, "cgroup2") == 0) {
            snprintf(mount, space, "%s", path);
            found = true;
        }
    }
    if (mounts)
        fclose(mounts);
    return found;
}

int subject_open(struct subject *subject, const char *programs) {
    *subject = (struct subject){.programs = programs, .feed = -1};
    char mount[160];
    strcpy(subject->directory, "/tmp/holden-faults-XXXXXX");
    if (!find_cgroups(mount, sizeof(mount)))
        return -ENOENT;
    if (!mkdtemp(subject->directory))
        return -errno;
    snprintf(subject->socket, sizeof(subject->socket), "%s/socket", subject->directory);
    snprintf(subject->state, sizeof(subject->state), "%s/state", subject->directory);
    snprintf(subject->config, sizeof(subject->config), "%s/agent.conf", subject->directory);
    snprintf(subject->log, sizeof(subject->log), "%s/log", subject->directory);
    snprintf(subject->fifo, sizeof(subject->fifo), "%s/fifo", subject->directory);
    snprintf(subject->group, sizeof(subject->group), "/holden-faults-%d", (int)getpid());
    snprintf(subject->cgroup, sizeof(subject->cgroup), "%s%s", mount, subject->group);
    if (chmod(subject->directory, 0755) < 0 || mkfifo(subject->fifo, 0600) < 0 ||
        (subject->feed = open(subject->fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
        return -errno;
    /* The audit trail is there from the start, not from the first order on. */
    static const char config[] = "[Agent]\nAudit=file\nHistory=0\n";
    int r = file_replace(AT_FDCWD, subject->config, config, sizeof(config) - 1, 0600);
    return r < 0 ? r : setenv("HOLDEN_SOCKET", subject->socket, 1) < 0 ? -errno : 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status;
    (void)kind;
    (void)walk;
    remove(path);
    return 0;
}

void subject_close(struct subject *subject) {
    cleanup_close(&subject->feed);
    nftw(subject->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- keeper and agent ---- */

bool subject_lives(pid_t pid) {
    char path[64], text[512];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (pid <= 0 || file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
        return false;
    const char *name = strrchr(text, ')');
    return name && name[2] != 'Z' && name[2] != 'X';
}

static _Noreturn void become(const char *const *arguments, int in, int out, int err) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* Should this program be killed, an agent still clears away what it has. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    execv(arguments[0], (char *const *)arguments);
    _exit(127);
}

bool subject_start(struct subject *subject, struct buffer *said) {
    char program[512];
    snprintf(program, sizeof(program), "%s/agent", subject->programs);
    const char *const arguments[] = {program,        "--socket", subject->socket, "--state-dir",
                                     subject->state, "--cgroup", subject->group,  "--config",
                                     subject->config, NULL};
    _cleanup_close_ int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    _cleanup_close_ int log = open(subject->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    subject->core = 0;
    subject->keeper = fork();
    if (subject->keeper == 0)
        become(arguments, nothing, log, log);
    if (subject_answers(subject))
        return true;
    buffer_printf(said, "the agent does not start\n");
    return false;
}

static bool ask(struct holden_client *client, uint16_t type, const void *message, uint32_t *id) {
    return holden_client_ask(client, type, message, NULL, 0, id) == 0;
}

/* The next frame, or false where none comes in time: a client by itself waits for ever. */
static bool next(struct holden_client *client, uint32_t id, struct holden_reply *reply) {
    struct holden_frame frame;
    const uint8_t *body;
    if (client->holds)
        holden_connection_taken(&client->connection, &client->taken);
    client->holds = false;
    while (holden_connection_peek(&client->connection, &frame, &body) == -EAGAIN) {
        struct pollfd poller = {.fd = client->connection.fd, .events = POLLIN};
        if (poll(&poller, 1, SUBJECT_PATIENCE) <= 0 ||
            holden_connection_receive(&client->connection) <= 0)
            return false;
    }
    return holden_client_reply(client, id, reply) == 0;
}

static bool take(struct holden_client *client, uint32_t id, uint16_t type, void *message) {
    struct holden_reply reply;
    return next(client, id, &reply) && reply.frame.type == type &&
           holden_reply_decode(&reply, message) == 0;
}

static bool ping(struct subject *subject) {
    _cleanup_(holden_client_close) struct holden_client client = {.connection.fd = -1};
    struct holden_ping request = {0};
    struct holden_pong pong;
    uint32_t id;
    if (holden_client_connect(&client, subject->socket) < 0 ||
        !ask(&client, HOLDEN_MESSAGE_ping, &request, &id) ||
        !take(&client, id, HOLDEN_MESSAGE_pong, &pong))
        return false;
    subject->core = (pid_t)pong.pid;
    return true;
}

bool subject_answers(struct subject *subject) {
    int64_t end = milliseconds() + SUBJECT_PATIENCE;
    while (!ping(subject)) {
        if (milliseconds() > end || waitpid(subject->keeper, NULL, WNOHANG) == subject->keeper)
            return false;
        nap();
    }
    return true;
}

static bool left(const char *path, struct buffer *said) {
    if (access(path, F_OK) < 0)
        return false;
    buffer_printf(said, "%s is left\n", path);
    return true;
}

bool subject_stop(struct subject *subject, struct buffer *said) {
    int status = 0;
    pid_t ended = 0;
    kill(subject->keeper, SIGTERM);
    for (int64_t end = milliseconds() + SUBJECT_PATIENCE; ended == 0 && milliseconds() < end;) {
        ended = waitpid(subject->keeper, &status, WNOHANG);
        if (ended == 0)
            nap();
    }
    if (ended != subject->keeper || status != 0) {
        buffer_printf(said, ended == 0 ? "the keeper does not end\n"
                                       : "the keeper ends with wait status %#x\n", status);
        return false;
    }
    subject->keeper = subject->core = 0;
    return !(left(subject->socket, said) | left(subject->state, said) |
             left(subject->cgroup, said));
}

static int remove_cgroup(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status;
    (void)walk;
    if (kind == FTW_DP)
        rmdir(path);
    return 0;
}

void subject_sweep(struct subject *subject) {
    char path[300];
    if (subject->keeper > 0) {
        kill(subject->keeper, SIGKILL);
        waitpid(subject->keeper, NULL, 0);
    }
    subject->keeper = subject->core = 0;
    snprintf(path, sizeof(path), "%s/cgroup.kill", subject->cgroup);
    file_write(AT_FDCWD, path, "1");
    for (unsigned tries = 0; tries < 500 && access(subject->cgroup, F_OK) == 0; tries++) {
        nftw(subject->cgroup, remove_cgroup, 16, FTW_DEPTH | FTW_PHYS);
        nap();
    }
    nftw(subject->state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    unlink(subject->socket);
}

/* ---- what it knows ---- */

int subject_list(struct subject *subject, struct known known[SUBJECT_KNOWN]) {
    _cleanup_(holden_client_close) struct holden_client client = {.connection.fd = -1};
    struct holden_list request = {0};
    struct holden_reply reply;
    uint32_t id;
    int count = 0;
    HOLDEN_SET(&request, list, ended, true);
    if (holden_client_connect(&client, subject->socket) < 0 ||
        !ask(&client, HOLDEN_MESSAGE_list, &request, &id))
        return -EIO;
    for (;;) {
        struct holden_process process;
        if (!next(&client, id, &reply))
            return -EIO;
        if (reply.frame.type == HOLDEN_MESSAGE_end)
            return count;
        if (reply.frame.type != HOLDEN_MESSAGE_process || count == SUBJECT_KNOWN ||
            holden_reply_decode(&reply, &process) < 0)
            return -EPROTO;
        struct known *one = &known[count++];
        snprintf(one->name, sizeof(one->name), "%.*s", (int)process.name.size, process.name.data);
        one->id = process.id;
        one->pid = HOLDEN_HAS(&process, process, pid) ? (pid_t)process.pid : 0;
        one->alive = process.state != HOLDEN_state_EXITED &&
                     process.state != HOLDEN_state_FAILED && process.state != HOLDEN_state_STOPPED;
    }
}

static bool request(struct subject *subject, const char *name, bool stop) {
    _cleanup_(holden_client_close) struct holden_client client = {.connection.fd = -1};
    struct holden_stop stopping = {0};
    struct holden_reset reset = {0};
    struct holden_done done;
    uint32_t id;
    HOLDEN_SET(&stopping, stop, name, holden_view(name));
    HOLDEN_SET(&stopping, stop, timeout, 0);
    HOLDEN_SET(&reset, reset, name, holden_view(name));
    return holden_client_connect(&client, subject->socket) == 0 &&
           (stop ? ask(&client, HOLDEN_MESSAGE_stop, &stopping, &id)
                 : ask(&client, HOLDEN_MESSAGE_reset, &reset, &id)) &&
           take(&client, id, HOLDEN_MESSAGE_done, &done);
}

bool subject_clear(struct subject *subject, struct buffer *said) {
    struct known known[SUBJECT_KNOWN];
    int count = subject_list(subject, known);
    for (int i = 0; i < count; i++)
        if ((known[i].alive && !request(subject, known[i].name, true)) ||
            !request(subject, known[i].name, false)) {
            buffer_printf(said, "%s cannot be stopped and forgotten\n", known[i].name);
            return false;
        }
    if (count < 0)
        buffer_printf(said, "the agent does not list its processes\n");
    return count >= 0;
}

/* ---- clients ---- */

static int open_terminal(int *other) {
    *other = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*other < 0 || grantpt(*other) < 0 || unlockpt(*other) < 0)
        return -1;
    return open(ptsname(*other), O_RDWR | O_NOCTTY | O_CLOEXEC);
}

enum { LARGE = 80000 };

static char *expand(const char *argument, const char *directory) {
    if (strcmp(argument, "@@") == 0) {
        char *large = calloc(1, LARGE);
        return large ? memset(large, 'x', LARGE - 1) : NULL;
    }
    const char *at = strchr(argument, '@');
    char *text = NULL;
    if (!at || asprintf(&text, "%.*s%s%s", (int)(at - argument), argument, directory, at + 1) < 0)
        return strdup(argument);
    return text;
}

void client_start(struct subject *subject, struct client *client, const char *const *arguments,
                  bool terminal) {
    char program[512];
    char *all[40] = {program};
    snprintf(program, sizeof(program), "%s/controller", subject->programs);
    for (size_t i = 0; arguments[i] && i + 2 < ARRAY_SIZE(all); i++)
        all[i + 1] = expand(arguments[i], subject->directory);
    *client = (struct client){.terminal = -1};
    client->out = open(subject->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    client->err = open(subject->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    _cleanup_close_ int in = terminal ? open_terminal(&client->terminal)
                                      : open("/dev/null", O_RDWR | O_CLOEXEC);
    client->pid = fork();
    if (client->pid == 0) {
        setsid();
        become((const char *const *)all, in, client->out, client->err);
    }
    for (size_t i = 1; all[i]; i++)
        free(all[i]);
}

/* One turn of what is traced; an end is noted for whom it concerns. */
static pid_t turn(struct subject *subject, int most) {
    int status;
    pid_t pid = tracer_turn(&subject->tracer, most, &status);
    if (pid > 0) {
        size_t at = subject->ends++ % ARRAY_SIZE(subject->ended);
        subject->ended[at].pid = pid;
        subject->ended[at].status = status;
    }
    return pid;
}

static bool has_ended(struct subject *subject, struct client *client) {
    for (size_t i = 0; i < ARRAY_SIZE(subject->ended); i++)
        if (subject->ended[i].pid == client->pid) {
            client->status = subject->ended[i].status;
            subject->ended[i].pid = 0;
            return true;
        }
    return false;
}

bool client_wait(struct subject *subject, struct client *client) {
    for (int64_t end = milliseconds() + SUBJECT_PATIENCE, now;;) {
        if (has_ended(subject, client)) {
            client->pid = 0;
            return true;
        }
        if ((now = milliseconds()) >= end)
            break;
        turn(subject, (int)(end - now));
    }
    kill(client->pid, SIGKILL);
    waitpid(client->pid, &client->status, 0);
    client->pid = 0;
    return false;
}

const char *client_text(int file, char text[CLIENT_TEXT]) {
    ssize_t size = pread(file, text, CLIENT_TEXT - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

void client_free(struct client *client) {
    cleanup_close(&client->out);
    cleanup_close(&client->err);
    cleanup_close(&client->terminal);
}

void subject_settle(struct subject *subject, int quiet) {
    int64_t end = milliseconds() + SUBJECT_PATIENCE;
    while (milliseconds() < end && turn(subject, quiet) != -ETIMEDOUT)
        ;
}
