#include "subject.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t patience = 60000000000U; /* nanoseconds until an agent must answer */

static void config_path(const struct subject *subject, char path[96]) {
    snprintf(path, 96, "%s/agent.conf", subject->directory);
}

static int write_config(const struct subject *subject, const char *config) {
    char path[96];
    config_path(subject, path);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    return write(fd, config, strlen(config)) == (ssize_t)strlen(config) ? 0 : -EIO;
}

/* A place in memory, as /run is on most machines; whom the agent takes is its own business. */
static int make_directory(struct subject *subject) {
    snprintf(subject->directory, sizeof(subject->directory), "/dev/shm/holden-bench-XXXXXX");
    if (!mkdtemp(subject->directory) || chmod(subject->directory, 0755) < 0)
        return -errno;
    snprintf(subject->socket, sizeof(subject->socket), "%s/socket", subject->directory);
    return 0;
}

static int spawn_agent(const char *programs, bool configured, struct subject *subject) {
    char program[PATH_MAX], state[80], config[96];
    char name[] = "agent", socket[] = "--socket", state_dir[] = "--state-dir",
         cgroup[] = "--cgroup", option[] = "--config";
    snprintf(program, sizeof(program), "%s/agent", programs);
    snprintf(state, sizeof(state), "%s/state", subject->directory);
    config_path(subject, config);
    char *argv[] = {name,   socket,          subject->socket,             state_dir, state,
                    cgroup, subject->cgroup, configured ? option : NULL, config,    NULL};
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int r = posix_spawn(&subject->keeper, program, NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    return -r;
}

int subject_connect(const struct subject *subject, struct holden_client *client) {
    return holden_client_connect(client, subject->socket);
}

int subject_ping(struct holden_client *client) {
    struct holden_ping ping = {0};
    struct holden_reply reply;
    uint32_t id;
    int r = holden_client_ask(client, HOLDEN_MESSAGE_ping, &ping, NULL, 0, &id);
    if (r == 0)
        r = holden_client_reply(client, id, &reply);
    return r == 0 && reply.frame.type != HOLDEN_MESSAGE_pong ? -EPROTO : r;
}

/* Until it listens; then it answers when it is ready. */
static int await_agent(struct subject *subject) {
    uint64_t deadline = measure_now() + patience;
    int r;
    while ((r = subject_connect(subject, &subject->client)) < 0) {
        if (measure_now() > deadline || waitpid(subject->keeper, NULL, WNOHANG) != 0)
            return r;
        poll(NULL, 0, 5);
    }
    struct holden_ping ping = {0};
    struct holden_pong pong;
    struct holden_reply reply;
    r = holden_client_ask(&subject->client, HOLDEN_MESSAGE_ping, &ping, NULL, 0, NULL);
    if (r == 0)
        r = holden_client_next(&subject->client, &reply);
    if (r == 0)
        r = holden_reply_decode(&reply, &pong);
    if (r == 0)
        subject->core = (pid_t)pong.pid;
    return r;
}

int subject_open(const char *programs, const char *cgroup, const char *config,
                 struct subject *subject) {
    *subject = (struct subject){.keeper = -1, .client.connection.fd = -1};
    snprintf(subject->cgroup, sizeof(subject->cgroup), "%s", cgroup);
    int r = make_directory(subject);
    if (r == 0 && config)
        r = write_config(subject, config);
    if (r == 0)
        r = spawn_agent(programs, config != NULL, subject);
    if (r == 0)
        r = await_agent(subject);
    if (r < 0) {
        fprintf(stderr, "bench: the agent does not start: %s\n", strerror(-r));
        subject_close(subject);
    }
    return r;
}

int subject_close(struct subject *subject) {
    int status = 0, r = 0;
    holden_client_close(&subject->client);
    if (subject->keeper > 0) {
        kill(subject->keeper, SIGTERM);
        if (waitpid(subject->keeper, &status, 0) == subject->keeper && status != 0)
            r = -EPROTO;
    }
    unlink(subject->socket);
    char path[96];
    snprintf(path, sizeof(path), "%s.lock", subject->socket);
    unlink(path);
    config_path(subject, path);
    unlink(path);
    if (rmdir(subject->directory) < 0 && r == 0)
        r = -errno;
    subject->keeper = -1;
    return r;
}

/* The number behind `key` in the text, or 0. */
static uint64_t number_of(const char *text, const char *key) {
    const char *at = strstr(text, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static int add_memory(pid_t pid, struct subject_memory *memory) {
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    ssize_t size = file_read(AT_FDCWD, path, text, sizeof(text));
    if (size < 0)
        return (int)size;
    memory->resident += number_of(text, "Rss:") * 1024;
    memory->anonymous += number_of(text, "Anonymous:") * 1024;
    memory->dirty += number_of(text, "Private_Dirty:") * 1024;
    memory->clean += number_of(text, "Private_Clean:") * 1024;
    return 0;
}

int subject_memory(const struct subject *subject, struct subject_memory *memory) {
    *memory = (struct subject_memory){0};
    int r = add_memory(subject->keeper, memory);
    return r < 0 ? r : add_memory(subject->core, memory);
}

static int add_switches(pid_t pid, uint64_t *switches) {
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    ssize_t size = file_read(AT_FDCWD, path, text, sizeof(text));
    if (size < 0)
        return (int)size;
    *switches += number_of(text, "\nvoluntary_ctxt_switches:") +
                 number_of(text, "\nnonvoluntary_ctxt_switches:");
    return 0;
}

int subject_switches(const struct subject *subject, uint64_t *switches) {
    *switches = 0;
    int r = add_switches(subject->keeper, switches);
    return r < 0 ? r : add_switches(subject->core, switches);
}
