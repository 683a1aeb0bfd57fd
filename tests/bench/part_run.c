/* The whole command `controller run`, against the kernel alone and against the peers that were
 * given; and a confined start over an open connection, as from a client that stays. */
#include "bare.h"
#include "bench.h"
#include "common/cleanup.h"
#include "confined.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { ROUNDS = 200, WORDS_MOST = 64 };

/* The contestants; the peers follow. */
enum { KERNEL, COMMAND, COMMAND_CONFINED, CONNECTED, BASE_COUNT };
static const double target = 3;

/* A command line; its output goes nowhere. */
struct words {
    char *text;                     /* owned: what the words point into */
    char *words[WORDS_MOST];
};

static int split(const char *command, struct words *out) {
    size_t count = 0;
    out->text = strdup(command);
    if (!out->text)
        return -ENOMEM;
    char *rest = out->text;
    for (char *word; (word = strsep(&rest, " "));)
        if (*word && count < WORDS_MOST - 1)
            out->words[count++] = word;
    out->words[count] = NULL;
    return count > 0 ? 0 : -EINVAL;
}

static int turn_command(void *data) {
    struct words *words = data;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid;
    int status;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    int r = posix_spawnp(&pid, words->words[0], &actions, &attributes, words->words, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (r != 0)
        return -r;
    if (waitpid(pid, &status, 0) < 0)
        return -errno;
    return status == 0 ? 0 : -EPROTO;
}

static int turn_connected(void *data) {
    return confined_start(data);
}

static int turn_bare(void *data) {
    return bare_start(data);
}

/* `controller run` with the limits that there are and, with `confine`, filter and capabilities. */
static int controller_command(const struct bench *bench, const struct subject *subject,
                              bool confine, char *text, size_t size) {
    char calls[2048] = "";
    for (size_t i = 0; confine && i < CONFINED_CALLS; i++)
        snprintf(
            calls + strlen(calls), sizeof(calls) - strlen(calls), "%s%s",
            i > 0 ? "," : " -pCapabilityBoundingSet= -pSystemCallFilter=", confined_calls()[i]);
    for (char *at = calls; (at = strchr(at, ','));)
        *at = ':';
    const char *limits = bench_limits(bench) ? " -pMemoryMax=100M -pCPUQuota=50% -pTasksMax=64"
                                             : "";
    int length = snprintf(text, size, "%s/controller --socket %s run%s%s -- %s",
                          bench->programs, subject->socket, limits, calls, bench->payload);
    return length > 0 && (size_t)length < size ? 0 : -ENAMETOOLONG;
}

/* A list of names is one word to us and several to the controller. */
static void restore_spaces(struct words *words) {
    for (size_t i = 0; words->words[i]; i++)
        if (strncmp(words->words[i], "-pSystemCallFilter=", 19) == 0)
            for (char *at = words->words[i]; (at = strchr(at, ':'));)
                *at = ' ';
}

/* How many times faster than peer `i` is what stands in `row`, named `what`. */
static void compare(struct bench *bench, const char *what, const struct contest_result *row,
                    const char *peer, const struct contest_result *result, double faster) {
    char name[80];
    snprintf(name, sizeof(name), "run: %s faster than %s", what, peer);
    struct figure *figure = figures_add(
        &bench->figures, name, measure_ratio(result->time.median, row->time.median), "x", faster,
        "medians, %zu turns", result->time.count);
    figure->at_least = true;
}

static void report(struct bench *bench, const struct contestant *contestants,
                   const struct contest_result *results, size_t count) {
    bench_report(bench, "run", contestants, results, count, target);
    for (size_t i = BASE_COUNT; i < count; i++) {
        double faster = bench->peers[i - BASE_COUNT].faster;
        compare(bench, "start", &results[CONNECTED], contestants[i].name, &results[i], faster);
        compare(bench, "command", &results[COMMAND], contestants[i].name, &results[i], faster);
    }
}

static int compete(struct bench *bench, struct words *words, struct confined *connected) {
    struct bare bare = {
        .scratch = &bench->scratch, .program = bench->payload, .launch = bare_copy,
        .limited = bench_limits(bench)};
    struct contestant contestants[BASE_COUNT + BENCH_PEERS_MOST] = {
        [KERNEL] = {"kernel", "mkdir, limits, clone3, exec, wait, rmdir", turn_bare, &bare, 1, 1},
        [COMMAND] = {"holden", "controller run, limits as there", turn_command, &words[0], 1, 1},
        [COMMAND_CONFINED] = {"holden, confined", "the same, filter, no capabilities",
                              turn_command, &words[1], 1, 1},
        [CONNECTED] = {"holden, connected", "that over an open connection, to the end seen",
                       turn_connected, connected, 1, 1},
    };
    struct contest_result results[ARRAY_SIZE(contestants)];
    size_t count = BASE_COUNT;
    for (size_t i = 0; i < bench->peer_count; i++, count++)
        contestants[count] = (struct contestant){bench->peers[i].name,  bench->peers[i].command,
                                                 turn_command,          &words[2 + i],
                                                 bench->peers[i].every, 1};
    int r = contest_run(contestants, count, bench_rounds(bench, ROUNDS), bench->signals, results);
    if (r == 0)
        report(bench, contestants, results, count);
    return r;
}

static int prepare(struct bench *bench, const struct subject *subject, struct words *words) {
    char text[8192];
    int r = 0;
    for (size_t i = 0; r == 0 && i < 2; i++) {
        r = controller_command(bench, subject, i == 1, text, sizeof(text));
        if (r == 0)
            r = split(text, &words[i]);
    }
    if (r == 0)
        restore_spaces(&words[1]);
    for (size_t i = 0; r == 0 && i < bench->peer_count; i++)
        r = split(bench->peers[i].command, &words[2 + i]);
    return r;
}

int part_run(struct bench *bench) {
    struct subject subject;
    struct holden_client client;
    struct confined connected;
    struct words words[2 + BENCH_PEERS_MOST] = {0};
    int r = bench_subject(bench, bench->programs, NULL, &subject);
    if (r < 0)
        return r;
    r = prepare(bench, &subject, words);
    if (r == 0)
        r = subject_connect(&subject, &client);
    if (r == 0) {
        confined_init(&connected, &client, bench->payload, bench_limits(bench), true);
        r = compete(bench, words, &connected);
        holden_client_close(&client);
    }
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        free(words[i].text);
    int closed = subject_close(&subject);
    return r < 0 ? r : closed;
}
