/* A soak: very many starts, one after the other, and whether anything of them stays: memory and
 * open descriptors of agent and keeper, and the time of a start beside the kernel alone, at the
 * beginning and at the end.
 *
 *   soak [-n COUNT] [--programs DIR] [--cgroup DIR]
 *
 * Exit status 0 where memory and descriptors at the end are those of the beginning, within two
 * percent; times are told, not judged. */
#include "bare.h"
#include "common/cleanup.h"
#include "confined.h"
#include "contest.h"
#include "subject.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    COUNT = 1000000,
    COUNT_MOST = 100000000,
    /* Until then the tables of records and events fill up: twice what is kept. */
    WARM_UP = 2500,
    ROUNDS = 500,   /* of a measurement */
    REPORTS = 10,   /* lines on the way */
    PERMILLE = 20,
};

struct soak {
    struct subject subject;
    struct scratch outer, scratch;
    struct confined confined;
    size_t count;
    int signals;
};

/* What must not grow, and what is told. */
struct state {
    struct subject_memory memory;
    uint64_t descriptors, starts;
    struct contest_result kernel, holden;
};

static int turn_bare(void *data) {
    return bare_start(data);
}

static int turn_confined(void *data) {
    return confined_start(data);
}

static int read_self(struct soak *soak, struct state *state) {
    struct holden_reply reply;
    struct holden_self_state self;
    uint32_t id;
    int r = holden_client_ask(&soak->subject.client, HOLDEN_MESSAGE_self, &(struct holden_self){0},
                              NULL, 0, &id);
    if (r == 0)
        r = holden_client_reply(&soak->subject.client, id, &reply);
    if (r == 0)
        r = holden_reply_decode(&reply, &self);
    if (r < 0)
        return r;
    state->descriptors = self.descriptors;
    state->starts = self.starts;
    return subject_memory(&soak->subject, &state->memory);
}

/* Holden and the kernel take turns, so that what else the machine does falls on both. */
static int measure(struct soak *soak, const char *when, struct state *state) {
    struct bare bare = {.scratch = &soak->scratch,
                        .launch = bare_copy,
                        .limited = !scratch_has_standin(&soak->scratch)};
    const struct contestant contestants[] = {
        {"kernel", "", turn_bare, &bare, 1, 1},
        {"holden", "", turn_confined, &soak->confined, 1, 1},
    };
    struct contest_result results[ARRAY_SIZE(contestants)];
    size_t rounds = soak->count / 4 + 1 < ROUNDS ? soak->count / 4 + 1 : ROUNDS;
    int r = contest_run(contestants, ARRAY_SIZE(contestants), rounds, soak->signals, results);
    if (r == 0)
        r = read_self(soak, state);
    if (r < 0)
        return r;
    state->kernel = results[0];
    state->holden = results[1];
    printf("%-10s %9lu starts, %lu kB resident, %lu kB of its own, %lu descriptors; a start "
           "%.1f us, the kernel alone %.1f us: %.3f times pair by pair\n",
           when, (unsigned long)state->starts, (unsigned long)state->memory.resident / 1024,
           (unsigned long)state->memory.anonymous / 1024, (unsigned long)state->descriptors,
           (double)state->holden.time.median / 1000, (double)state->kernel.time.median / 1000,
           state->holden.of_pairs);
    fflush(stdout);
    return 0;
}

static int start_many(struct soak *soak, size_t count, bool tell) {
    size_t step = count / REPORTS + 1;
    for (size_t i = 0; i < count; i++) {
        int r = measure_interrupted(soak->signals) ? -EINTR : confined_start(&soak->confined);
        if (r < 0)
            return r;
        if (tell && i > 0 && i % step == 0) {
            struct state now;
            if ((r = read_self(soak, &now)) < 0)
                return r;
            printf("%-10s %9lu starts, %lu kB resident, %lu descriptors\n", "",
                   (unsigned long)now.starts, (unsigned long)now.memory.resident / 1024,
                   (unsigned long)now.descriptors);
            fflush(stdout);
        }
    }
    return 0;
}

/* In whole permille, so that a page or two of a few megabytes are none. */
static bool same(const char *what, uint64_t before, uint64_t after) {
    int64_t grown = before > 0 ? ((int64_t)after - (int64_t)before) * 1000 / (int64_t)before : 0;
    printf("%s: %+.1f %%\n", what, (double)grown / 10);
    return grown <= PERMILLE && grown >= -PERMILLE;
}

static int soak_agent(struct soak *soak) {
    struct state before, after;
    confined_init(&soak->confined, &soak->subject.client, "/bin/true",
                  !scratch_has_standin(&soak->scratch), true);
    int r = start_many(soak, WARM_UP, false);
    if (r == 0)
        r = measure(soak, "beginning", &before);
    if (r == 0)
        r = start_many(soak, soak->count, true);
    if (r == 0)
        r = measure(soak, "end", &after);
    if (r < 0)
        return r;
    printf("time of a start beside the kernel: %+.1f %%\n",
           (after.holden.of_pairs / before.holden.of_pairs - 1) * 100);
    bool right = same("resident memory", before.memory.resident, after.memory.resident);
    right &= same("open descriptors", before.descriptors, after.descriptors);
    return right ? 0 : -ERANGE;
}

static int open_all(struct soak *soak, const char *programs, const char *cgroup) {
    char path[PATH_MAX + 16];
    int r = measure_signals_open(&soak->signals);
    if (r == 0)
        r = scratch_open(cgroup, &soak->outer);
    if (r < 0)
        return r;
    snprintf(path, sizeof(path), "%s/kernel", soak->outer.path);
    r = scratch_open(path, &soak->scratch);
    if (r == 0) {
        snprintf(path, sizeof(path), "%s/agent", soak->outer.path);
        r = subject_open(programs, path, &soak->subject);
        if (r < 0)
            scratch_close(&soak->scratch);
    }
    if (r < 0)
        scratch_close(&soak->outer);
    return r;
}

static int run(struct soak *soak, const char *programs, const char *cgroup) {
    int r = open_all(soak, programs, cgroup);
    if (r < 0)
        return r;
    r = soak_agent(soak);
    int closed = subject_close(&soak->subject);
    int inner = scratch_close(&soak->scratch);
    int outer = scratch_close(&soak->outer);
    return r < 0 ? r : closed < 0 ? closed : inner < 0 ? inner : outer;
}

int main(int argc, char **argv) {
    static struct soak soak = {.count = COUNT};
    static const struct option long_options[] = {
        {"programs", required_argument, NULL, 'p'},
        {"cgroup", required_argument, NULL, 'c'},
        {NULL, 0, NULL, 0},
    };
    const char *programs = "bin", *cgroup = NULL;
    int option, r = 0;
    while (r == 0 && (option = getopt_long(argc, argv, "n:", long_options, NULL)) >= 0) {
        if (option == 'n')
            r = measure_parse_count(optarg, COUNT_MOST, &soak.count);
        else if (option == 'p')
            programs = optarg;
        else if (option == 'c')
            cgroup = optarg;
        else
            r = -EINVAL;
    }
    if (r < 0 || optind < argc) {
        fputs("usage: soak [-n COUNT] [--programs DIR] [--cgroup DIR]\n", stderr);
        return 2;
    }
    r = run(&soak, programs, cgroup);
    if (r < 0)
        fprintf(stderr, "soak: %s\n", r == -ERANGE ? "it has grown" : strerror(-r));
    return r < 0 ? 1 : 0;
}
