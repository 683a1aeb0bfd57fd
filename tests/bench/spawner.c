/* Who should be the parent of what a supervisor starts? Measures one start of /bin/true into a
 * cgroup, to its exit seen, for each way of starting it, from parents of three sizes; with nothing
 * else, with many descriptors open in the parent, and with many living children of whoever spawns.
 *
 * All ways take turns in each iteration. The first of them, a start timed inside a tiny process
 * that holds nothing, is the base: the ratios are the medians of the ratios to the base's duration
 * in the same iteration. "held" is how long the call that starts the child takes, "cpu" the
 * processor time that the whole start costs the parent, both as medians. Then, what
 * collecting one dead child among many living ones costs, and what shared memory can do to the
 * parent. */
#include "common/cleanup.h"
#include "crowd.h"
#include "hazard.h"
#include "launch.h"
#include "measure.h"
#include "scratch.h"
#include "ways.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { COUNT_LIMIT = 100000, CROWD_LIMIT = 30000, MEGABYTE = 1 << 20, WARM_UP = 3 };

/* Ratios are kept as integers, in thousandths, in the same kind of series as durations. */
enum { RATIO_SCALE = 1000, NS_PER_US = 1000 };

struct bench {
    struct scratch scratch;
    struct way_context context;
    int signals;
    size_t count;
    size_t fds;
    size_t children;
    bool json;
    bool printed; /* something stands in the JSON list already */
};

enum column { COLUMN_TOTAL, COLUMN_RATIO, COLUMN_HELD, COLUMN_CPU, COLUMN_COUNT };

struct cell {
    struct measure_series series[WAY_COUNT][COLUMN_COUNT];
};

static void cell_free(struct cell *cell) {
    for (size_t i = 0; i < (size_t)WAY_COUNT * COLUMN_COUNT; i++)
        measure_series_free(&cell->series[i / COLUMN_COUNT][i % COLUMN_COUNT]);
}

static int cell_init(size_t count, struct cell *cell) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < (size_t)WAY_COUNT * COLUMN_COUNT; i++)
        r = measure_series_init(count, &cell->series[i / COLUMN_COUNT][i % COLUMN_COUNT]);
    return r;
}

/* One turn of every way; kept in the cell unless that is NULL, as in warming up. */
static int take_turns(struct bench *bench, struct cell *cell) {
    struct way_sample samples[WAY_COUNT];
    for (size_t i = 0; i < WAY_COUNT; i++) {
        int r = ways[i].once(&bench->context, &samples[i]);
        if (r < 0) {
            fprintf(stderr, "spawner: %s: %s\n", ways[i].name, strerror(-r));
            return r;
        }
    }
    for (size_t i = 0; cell && i < WAY_COUNT; i++) {
        uint64_t values[COLUMN_COUNT] = {
            [COLUMN_TOTAL] = samples[i].total,
            [COLUMN_RATIO] = samples[i].total * RATIO_SCALE / samples[0].total,
            [COLUMN_HELD] = samples[i].held,
            [COLUMN_CPU] = samples[i].cpu,
        };
        for (size_t column = 0; column < COLUMN_COUNT; column++)
            measure_series_add(&cell->series[i][column], values[column]);
    }
    return 0;
}

static void begin_item(struct bench *bench, const char *kind) {
    printf("%s{\"kind\":\"%s\",", bench->printed ? ",\n" : "", kind);
    bench->printed = true;
}

static void write_way(struct bench *bench, const char *condition, size_t megabytes, size_t index,
                      struct cell *cell) {
    struct measure_summary columns[COLUMN_COUNT];
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        measure_summarise(&cell->series[index][i], &columns[i]);
    double ratio = (double)columns[COLUMN_RATIO].median / RATIO_SCALE;
    if (!bench->json) {
        printf("%-9s %4zu MB  %-15s", condition, megabytes, ways[index].name);
        measure_write_columns(stdout, &columns[COLUMN_TOTAL]);
        printf(" %8.2f %10.1f %10.1f\n", ratio, (double)columns[COLUMN_HELD].median / NS_PER_US,
               (double)columns[COLUMN_CPU].median / NS_PER_US);
        return;
    }
    begin_item(bench, "start");
    printf("\"condition\":\"%s\",\"parent_mb\":%zu,\"way\":\"%s\",", condition, megabytes,
           ways[index].name);
    measure_write_json(stdout, &columns[COLUMN_TOTAL]);
    printf(",\"ratio\":%.3f,\"held\":{", ratio);
    measure_write_json(stdout, &columns[COLUMN_HELD]);
    fputs("},\"cpu\":{", stdout);
    measure_write_json(stdout, &columns[COLUMN_CPU]);
    fputs("}}", stdout);
}

static int measure_cell(struct bench *bench, const char *condition, size_t megabytes) {
    _cleanup_(cell_free) struct cell cell = {0};
    _cleanup_(crowd_memory_free) struct crowd_memory memory = {0};
    int r = cell_init(bench->count, &cell);
    if (r == 0)
        r = crowd_memory_touch(megabytes * MEGABYTE, &memory);
    for (size_t i = 0; r == 0 && i < WARM_UP + bench->count; i++)
        r = measure_interrupted(bench->signals) ? -EINTR
                                                : take_turns(bench, i < WARM_UP ? NULL : &cell);
    for (size_t i = 0; r == 0 && i < WAY_COUNT; i++)
        write_way(bench, condition, megabytes, i, &cell);
    return r;
}

static const size_t parent_sizes[] = {4, 16, 100};

static int measure_condition(struct bench *bench, const char *condition) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parent_sizes); i++)
        r = measure_cell(bench, condition, parent_sizes[i]);
    return r;
}

struct collector {
    const char *name;
    idtype_t type;
};

static const struct collector collectors[] = {
    {"waitid(P_PIDFD)", P_PIDFD},
    {"waitid(P_PID)", P_PID},
    {"waitid(P_ALL)", P_ALL},
};

static int collect_once(struct bench *bench, idtype_t type, uint64_t *duration) {
    struct launch_child child;
    siginfo_t info = {0};
    int r = launch_share(&bench->context.plan, bench->context.stack, &child);
    if (r < 0)
        return r;
    r = launch_poll(child.pidfd);
    id_t id = (id_t)(type == P_PIDFD ? child.pidfd : child.pid);
    uint64_t begun = measure_now();
    if (r == 0 && waitid(type, id, &info, WEXITED | WNOHANG) < 0)
        r = -errno;
    *duration = measure_now() - begun;
    close(child.pidfd);
    return r == 0 && info.si_pid != child.pid ? -ECHILD : r;
}

/* What it costs to collect one dead child among those that live. */
static int measure_collector(struct bench *bench, const struct collector *collector,
                             size_t children) {
    _cleanup_(measure_series_free) struct measure_series series = {0};
    struct measure_summary summary;
    int r = measure_series_init(bench->count, &series);
    for (size_t i = 0; r == 0 && i < bench->count; i++) {
        uint64_t duration = 0;
        r = collect_once(bench, collector->type, &duration);
        measure_series_add(&series, duration);
    }
    if (r < 0)
        return r;
    measure_summarise(&series, &summary);
    if (bench->json) {
        begin_item(bench, "collect");
        printf("\"call\":\"%s\",\"children\":%zu,", collector->name, children);
        measure_write_json(stdout, &summary);
        fputc('}', stdout);
        return 0;
    }
    printf("%-16s %6zu children   ", collector->name, children);
    measure_write_columns(stdout, &summary);
    fputc('\n', stdout);
    return 0;
}

static int measure_collecting(struct bench *bench, size_t children) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(collectors); i++)
        r = measure_collector(bench, &collectors[i], children);
    return r;
}

static int measure_bare(struct bench *bench) {
    int r = measure_condition(bench, "bare");
    return r < 0 ? r : measure_collecting(bench, 0);
}

static int measure_with_fds(struct bench *bench) {
    _cleanup_(crowd_fds_close) struct crowd_fds fds = {0};
    int r = crowd_fds_open(bench->fds, &fds);
    return r < 0 ? r : measure_condition(bench, "fds");
}

/* Each process that spawns gets the same number of sleepers, in one cgroup. */
static int measure_among_sleepers(struct bench *bench, int leaf, struct crowd_sleepers *sleepers) {
    int r = crowd_sleepers_start(bench->children, leaf, sleepers);
    if (r == 0)
        r = helper_crowd(&bench->context.asked, bench->children, leaf);
    if (r == 0)
        r = helper_crowd(&bench->context.pushing, bench->children, leaf);
    if (r == 0)
        r = measure_condition(bench, "children");
    return r < 0 ? r : measure_collecting(bench, bench->children);
}

static int measure_with_children(struct bench *bench) {
    static const char leaf_name[] = "sleepers";
    struct crowd_sleepers sleepers = {0};
    int leaf = -1;
    int r = scratch_leaf_make(&bench->scratch, leaf_name, &leaf);
    if (r < 0)
        return r;
    r = measure_among_sleepers(bench, leaf, &sleepers);
    int killed = scratch_write(leaf, "cgroup.kill", "1");
    close(leaf);
    if (killed < 0)
        return killed;
    crowd_sleepers_reap(&sleepers);
    helper_disperse(&bench->context.asked);
    helper_disperse(&bench->context.pushing);
    int removed = scratch_leaf_remove(&bench->scratch, leaf_name);
    return r < 0 ? r : removed;
}

static int show_score(struct bench *bench, enum hazard_way way) {
    struct hazard_score score;
    int r = hazard_score(way, &score);
    if (r < 0)
        return r;
    bool changed = score.after == hazard_score_written();
    if (bench->json) {
        begin_item(bench, "oom_score_adj");
        printf("\"way\":\"%s\",\"written_by_child\":%d,\"parent_before\":%d,\"parent_after\":%d}",
               hazard_way_name(way), hazard_score_written(), score.before, score.after);
        return 0;
    }
    printf("oom_score_adj, %-21s child writes %d, parent %d -> %d: %s\n", hazard_way_name(way),
           hazard_score_written(), score.before, score.after,
           changed ? "THE PARENT'S CHANGED TOO" : "parent unchanged");
    return 0;
}

static int show_oom(struct bench *bench, enum hazard_way way) {
    struct hazard_oom oom = {0};
    int r = hazard_oom(&bench->scratch, way, &oom);
    if (r < 0 && r != -EOPNOTSUPP)
        return r;
    const char *verdict = r < 0               ? "not tried: no memory controller here"
                          : oom.parent_killed ? "THE PARENT WAS KILLED TOO"
                          : oom.child_killed  ? "only the child was killed"
                                              : "nobody was killed";
    if (bench->json) {
        begin_item(bench, "out_of_memory");
        printf("\"way\":\"%s\",\"oom_kills\":%ld,\"verdict\":\"%s\"}", hazard_way_name(way),
               oom.kills, verdict);
        return 0;
    }
    printf("out of memory, %-21s %s\n", hazard_way_name(way), verdict);
    return 0;
}

static int show_hazards(struct bench *bench) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < HAZARD_WAYS; i++)
        r = show_score(bench, (enum hazard_way)i);
    for (size_t i = 0; r == 0 && i < HAZARD_WAYS; i++)
        r = show_oom(bench, (enum hazard_way)i);
    return r;
}

struct part {
    const char *name;
    const char *what;
    int (*run)(struct bench *bench);
};

static const struct part parts[] = {
    {"bare", "nothing but the memory", measure_bare},
    {"fds", "many descriptors open in the parent", measure_with_fds},
    {"children", "many living children of whoever spawns", measure_with_children},
    {"hazards", "what shared memory can do to the parent", show_hazards},
};

static void write_head(const struct bench *bench) {
    if (bench->json) {
        fputs("{\"unit\":\"ns\",", stdout);
        measure_write_machine_json(stdout);
        printf(",\"fds\":%zu,\"children\":%zu,\"results\":[\n", bench->fds, bench->children);
        return;
    }
    measure_write_machine(stdout);
    printf("fds: %zu open in the parent; children: %zu sleepers for each process that spawns\n",
           bench->fds, bench->children);
    for (size_t i = 0; i < WAY_COUNT; i++)
        printf("  %-15s %s\n", ways[i].name, ways[i].what);
    printf("%-34s %10s %10s %10s %8s %10s %10s   microseconds; ratio to tiny\n",
           "condition, parent, way", "min", "median", "p90", "ratio", "held", "cpu");
}

static int run_parts(struct bench *bench, const char *only) {
    static const char leaf_name[] = "start";
    char program[] = "/bin/true";
    char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    char *argv[] = {program, NULL};
    char *envp[] = {path, NULL};
    _cleanup_close_ int leaf = -1;
    int r = scratch_leaf_make(&bench->scratch, leaf_name, &leaf);
    if (r < 0)
        return r;
    bench->context.plan = (struct launch_plan){program, argv, envp, leaf};
    write_head(bench);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
        if (!only || strcmp(only, parts[i].name) == 0)
            r = parts[i].run(bench);
    if (bench->json)
        puts("\n]}");
    int removed = scratch_leaf_remove(&bench->scratch, leaf_name);
    return r < 0 ? r : removed;
}

static int run(struct bench *bench, const char *cgroup, const char *only) {
    _cleanup_close_ int signals = -1;
    int r = ways_open(&bench->context); /* before anything makes this process larger */
    if (r < 0)
        return r;
    r = measure_signals_open(&signals);
    bench->signals = signals;
    if (r == 0)
        r = scratch_open(cgroup, &bench->scratch);
    if (r == 0) {
        r = run_parts(bench, only);
        int closed = scratch_close(&bench->scratch);
        r = r < 0 ? r : closed;
    }
    ways_close(&bench->context);
    return r;
}

static bool part_exists(const char *name) {
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (strcmp(parts[i].name, name) == 0)
            return true;
    return false;
}

static void usage(FILE *out) {
    fputs("usage: spawner [-n COUNT] [--fds N] [--children N] [--only PART] [--cgroup PATH]\n"
          "               [--json]\n"
          "  -n COUNT       iterations of each cell (200)\n"
          "  --fds N        descriptors open in the parent for that part (10000)\n"
          "  --children N   sleepers of each process that spawns for that part (3000)\n"
          "  --cgroup PATH  cgroup to work in, made if missing and then removed\n"
          "  --json         one JSON object in place of text\n"
          "parts:\n", out);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        fprintf(out, "  %-14s %s\n", parts[i].name, parts[i].what);
}

static int parse_options(int argc, char **argv, struct bench *bench, const char **cgroup,
                         const char **only) {
    static const struct option long_options[] = {
        {"fds", required_argument, NULL, 'f'},    {"children", required_argument, NULL, 'k'},
        {"only", required_argument, NULL, 'o'},   {"cgroup", required_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},         {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    int r = 0;
    while (r == 0 && (option = getopt_long(argc, argv, "n:", long_options, NULL)) >= 0) {
        if (option == 'n')
            r = measure_parse_count(optarg, COUNT_LIMIT, &bench->count);
        else if (option == 'f')
            r = measure_parse_count(optarg, CROWD_LIMIT, &bench->fds);
        else if (option == 'k')
            r = measure_parse_count(optarg, CROWD_LIMIT, &bench->children);
        else if (option == 'c')
            *cgroup = optarg;
        else if (option == 'j')
            bench->json = true;
        else if (option != 'o' || !part_exists(*only = optarg))
            r = -EINVAL;
    }
    return r == 0 && optind < argc ? -EINVAL : r;
}

int main(int argc, char **argv) {
    struct bench bench = {.count = 200, .fds = 10000, .children = 3000};
    const char *cgroup = NULL;
    const char *only = NULL;
    if (argc == 2 && strcmp(argv[1], CROWD_SLEEP_OPTION) == 0)
        crowd_sleep();
    if (parse_options(argc, argv, &bench, &cgroup, &only) < 0) {
        usage(stderr);
        return 2;
    }
    int r = run(&bench, cgroup, only);
    if (r < 0)
        fprintf(stderr, "spawner: %s\n", strerror(-r));
    return r < 0 ? 1 : 0;
}
