/* A soak: very many starts, some of them under way at a time, and whether anything of them stays:
 * memory and open descriptors of agent and keeper, and the time of a start. Since a machine's speed
 * drifts, the time at the end is not compared with one of long ago, but, turn by turn, with that of
 * a second agent which has only just begun, and is what the first one was at the beginning; until
 * the median of their ratios is good to one percent, or there were as many turns as may be.
 *
 *   soak [-n COUNT] [--programs DIR] [--cgroup DIR] [--payload PROGRAM]
 *
 * PROGRAM is what is started, without arguments (/bin/true).
 *
 * Exit status 0 where none of the three has grown since the beginning by more than two percent: the
 * time where it is not longer by more than two agents differ anyhow, at the better end of what its
 * median is good to; the memory also within four of the steps in which malloc takes it, each of
 * which is more than that of so small an agent.
 */
#include "common/cleanup.h"
#include "confined.h"
#include "contest.h"
#include "scratch.h"
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
    AT_ONCE = 8,
    REPORTS = 10, /* lines on the way */
    PERMILLE = 20,
    APART = 50, /* permille that two agents differ by, whatever they have done */
    GOOD_TO = 10,   /* permille */
    HEAP = 4 * 132 << 10,
    SIDE_LEAST = 16, /* of the comparison, whose rounds are as many as fit into a square */
    SIDE_MOST = 32,
};

struct runner {
    struct subject subject;
    struct confined confined;
};

struct soak {
    struct runner old, fresh;
    struct scratch scratch;
    const char *programs, *payload;
    size_t count;
    int signals;
};

/* What must not grow. */
struct state {
    struct subject_memory memory;
    uint64_t descriptors, starts;
};

static int read_self(const char *when, struct runner *runner, struct state *state) {
    struct holden_client *client = &runner->subject.client;
    struct holden_reply reply;
    struct holden_self_state self;
    uint32_t id;
    int r = holden_client_ask(client, HOLDEN_MESSAGE_self, &(struct holden_self){0}, NULL, 0, &id);
    if (r == 0)
        r = holden_client_reply(client, id, &reply);
    if (r == 0)
        r = holden_reply_decode(&reply, &self);
    if (r == 0)
        r = subject_memory(&runner->subject, &state->memory);
    if (r < 0)
        return r;
    state->descriptors = self.descriptors - self.sampled_files;
    state->starts = self.starts;
    printf("%-10s %9lu starts, %lu kB resident, %lu kB of its own, %lu descriptors\n", when,
           (unsigned long)state->starts, (unsigned long)state->memory.resident / 1024,
           (unsigned long)state->memory.anonymous / 1024, (unsigned long)state->descriptors);
    fflush(stdout);
    return 0;
}

static int start_many(struct soak *soak, struct runner *runner, size_t count, bool tell) {
    struct state now;
    int r = 0;
    for (size_t step = count / REPORTS + 1; r == 0 && count > 0; count -= step) {
        step = step < count ? step : count;
        r = confined_start_many(&runner->confined, step, AT_ONCE);
        if (r == 0 && measure_interrupted(soak->signals))
            r = -EINTR;
        if (r == 0 && tell)
            r = read_self("", runner, &now);
    }
    return r;
}

/* Whether it is no more than it was; `spare`: what it may grow by besides. Less is no leak: what
 * was put away last may have been counted at the beginning. */
static bool same(const char *what, uint64_t before, uint64_t after, uint64_t spare) {
    double grown = before > 0 ? ((double)after / (double)before - 1) * 1000 : 0;
    printf("%s: %+.1f %%\n", what, grown / 10);
    return after <= before + spare || grown <= PERMILLE;
}

static int turn(void *data) {
    struct runner *runner = data;
    return confined_start(&runner->confined);
}

/* Half of the 95 % confidence interval of a median, in permille: 1.96 standard errors, each 1.25
 * standard deviations by the root of the count; of those the middle four fifths span 2.56. */
static double uncertainty(const struct contest_result *result, size_t side) {
    return 1.96 * 1.25 / 2.56 * (result->high - result->low) / (double)side * 1000;
}

/* 0 with whether the old one is as fast as the fresh one. */
static int compare_times(struct soak *soak, bool *right) {
    const struct contestant contestants[] = {
        {"fresh", "an agent that has just begun", turn, &soak->fresh, 1, 1},
        {"old", "the one that is soaked", turn, &soak->old, 1, 1},
    };
    struct contest_result results[ARRAY_SIZE(contestants)];
    double unsure = 0, slower = 0;
    size_t side = SIDE_LEAST;
    for (bool sure = false; !sure; side *= 2) {
        int r = contest_run(contestants, ARRAY_SIZE(contestants), side * side, soak->signals,
                            results);
        if (r < 0)
            return r;
        slower = (results[1].of_pairs - 1) * 1000;
        unsure = uncertainty(&results[1], side);
        sure = unsure <= GOOD_TO || side == SIDE_MOST;
    }
    printf("a start: %.1f us, by an agent that has just begun %.1f us\n"
           "time of a start: %+.1f %%, give or take %.1f\n",
           (double)results[1].time.median / 1000, (double)results[0].time.median / 1000,
           slower / 10, unsure / 10);
    *right = slower - unsure <= APART;
    return 0;
}

static int soak_agent(struct soak *soak) {
    struct state before, after;
    bool right = false;
    int r = start_many(soak, &soak->old, WARM_UP, false);
    if (r == 0)
        r = read_self("beginning", &soak->old, &before);
    if (r == 0)
        r = start_many(soak, &soak->old, soak->count, true);
    if (r == 0)
        r = start_many(soak, &soak->fresh, WARM_UP, false);
    if (r == 0)
        r = compare_times(soak, &right);
    if (r == 0)
        r = read_self("end", &soak->old, &after);
    if (r < 0)
        return r;
    right &= same("resident memory", before.memory.resident, after.memory.resident, HEAP);
    right &= same("open descriptors", before.descriptors, after.descriptors, 0);
    return right ? 0 : -ERANGE;
}

static int runner_open(struct soak *soak, const char *name, struct runner *runner) {
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/%s", soak->scratch.path, name);
    int r = subject_open(soak->programs, path, NULL, &runner->subject);
    if (r == 0)
        confined_init(&runner->confined, &runner->subject.client, soak->payload,
                      !scratch_has_standin(&soak->scratch), true);
    return r;
}

static int soak_both(struct soak *soak) {
    int r = runner_open(soak, "old", &soak->old);
    if (r < 0)
        return r;
    r = runner_open(soak, "fresh", &soak->fresh);
    if (r == 0) {
        r = soak_agent(soak);
        int closed = subject_close(&soak->fresh.subject);
        r = r < 0 ? r : closed;
    }
    int closed = subject_close(&soak->old.subject);
    return r < 0 ? r : closed;
}

static int run(struct soak *soak, const char *cgroup) {
    int r = measure_signals_open(&soak->signals);
    if (r == 0)
        r = scratch_open(cgroup, &soak->scratch);
    if (r < 0)
        return r;
    r = soak_both(soak);
    int closed = scratch_close(&soak->scratch);
    return r < 0 ? r : closed;
}

int main(int argc, char **argv) {
    static struct soak soak = {
        .programs = "bin", .payload = "/bin/true", .count = COUNT};
    static const struct option long_options[] = {
        {"programs", required_argument, NULL, 'p'},
        {"cgroup", required_argument, NULL, 'c'},
        {"payload", required_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    const char *cgroup = NULL;
    int option, r = 0;
    while (r == 0 && (option = getopt_long(argc, argv, "n:", long_options, NULL)) >= 0) {
        if (option == 'n')
            r = measure_parse_count(optarg, COUNT_MOST, &soak.count);
        else if (option == 'p')
            soak.programs = optarg;
        else if (option == 'c')
            cgroup = optarg;
        else if (option == 'l')
            soak.payload = optarg;
        else
            r = -EINVAL;
    }
    if (r < 0 || optind < argc) {
        fputs("usage: soak [-n COUNT] [--programs DIR] [--cgroup DIR] [--payload PROGRAM]\n",
              stderr);
        return 2;
    }
    r = run(&soak, cgroup);
    if (r < 0)
        fprintf(stderr, "soak: %s\n", r == -ERANGE ? "it is not what it was" : strerror(-r));
    return r < 0 ? 1 : 0;
}
