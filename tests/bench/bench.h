/* What all parts of the benchmark share. */
#pragma once

#include "contest.h"
#include "figure.h"
#include "scratch.h"
#include "subject.h"

enum { BENCH_PEERS_MOST = 16 };

/* A command that is measured beside `controller run`: what it does is the same, as far as it can.
 */
struct bench_peer {
    char *name;
    char *command;      /* words, separated by spaces */
    unsigned every;     /* in which rounds; as contestant.every */
    double faster;      /* how many times faster Holden has to be; 0: no matter */
};

struct bench {
    const char *programs;     /* where agent and controller are */
    const char *others;       /* where those of another build are, to be compared with; or NULL */
    const char *helpers;      /* where this program's own helpers are */
    const char *payload;      /* the program that is started */
    size_t rounds;            /* 0: what each part takes unless told */
    size_t crowd;             /* processes of the part "many" */
    size_t seconds;           /* how long the parts "rest" and "samples" watch */
    struct bench_peer peers[BENCH_PEERS_MOST];
    size_t peer_count;
    bool json;
    int signals;              /* measure_signals_open() */
    struct scratch outer;     /* the cgroup that all of it takes place in */
    struct scratch scratch;   /* where the bare starts take place */
    unsigned subjects;        /* how many agents there have been */
    struct figures figures;
};

/* A part of the benchmark: measures and adds figures. 0 or -errno. */
typedef int bench_part(struct bench *bench);

bench_part part_start, part_strict, part_run, part_ping, part_clients, part_hostile, part_rest,
    part_many, part_samples, part_recover;

/* Whether the machine has real limits, so that Holden and the bare start can both set them. */
bool bench_limits(const struct bench *bench);

/* Starts the agent of `programs`, in a cgroup of its own, with that configuration or NULL. As
 * subject_open(). */
int bench_subject(struct bench *bench, const char *programs, const char *config,
                  struct subject *subject);

/* How many rounds: those asked for, or `usual`. */
size_t bench_rounds(const struct bench *bench, size_t usual);

/* Adds, for each contestant but the first, two figures: the ratio to it pair by pair, which has the
 * target where `target` is not 0, and the ratio of the medians; and each one's time. */
void bench_report(struct bench *bench, const char *part, const struct contestant *contestants,
                  const struct contest_result *results, size_t count, double target);
