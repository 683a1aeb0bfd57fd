/* Holden beside the kernel alone, and beside its peers where they are given: one run, side by side,
 * ratios pair by pair. See docs/performance.md for what is compared with what. */
#include "bench.h"

#include "common/cleanup.h"
#include "measure.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct part {
    const char *name;
    const char *what;
    bench_part *run;
} parts[] = {
    {"start", "a confined start to its end over an open connection", part_start},
    {"strict", "the same under Sandbox=strict", part_strict},
    {"run", "the whole command controller run", part_run},
    {"ping", "a round trip", part_ping},
    {"clients", "1,000 clients idle, 100 asking", part_clients},
    {"hostile", "a round trip beside clients that mean harm", part_hostile},
    {"rest", "an agent at rest", part_rest},
    {"many", "10,000 processes", part_many},
    {"samples", "1,000 processes, looked at each second", part_samples},
    {"recover", "an agent with 1,000 processes is killed", part_recover},
};

bool bench_limits(const struct bench *bench) {
    return !scratch_has_standin(&bench->scratch);
}

size_t bench_rounds(const struct bench *bench, size_t usual) {
    return bench->rounds ? bench->rounds : usual;
}

int bench_subject(struct bench *bench, const char *programs, const char *config,
                  struct subject *subject) {
    char path[PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/agent-%u", bench->outer.path, bench->subjects++);
    return subject_open(programs, path, config, subject);
}

static const char *shown_name(char text[64], const char *part, const char *contestant) {
    snprintf(text, 64, "%s: %s", part, contestant);
    return text;
}

void bench_report(struct bench *bench, const char *part, const struct contestant *contestants,
                  const struct contest_result *results, size_t count, double target) {
    char name[64];
    for (size_t i = 0; i < count; i++)
        figures_add(&bench->figures, shown_name(name, part, contestants[i].name),
                    (double)results[i].time.median / 1000, "us", 0,
                    "median of %zu; min %.1f, p90 %.1f; %s", results[i].time.count,
                    (double)results[i].time.min / 1000, (double)results[i].time.p90 / 1000,
                    contestants[i].what);
    for (size_t i = 1; i < count; i++)
        figures_add(&bench->figures, shown_name(name, part, contestants[i].name),
                    results[i].of_pairs, "x", i == 1 ? target : 0,
                    "of %s, pair by pair (p10 %.3f, p90 %.3f); of medians %.3f",
                    contestants[0].name, results[i].low, results[i].high, results[i].of_medians);
}

static int run_part(struct bench *bench, const struct part *part) {
    size_t before = bench->figures.count;
    int r = part->run(bench);
    if (r < 0)
        fprintf(stderr, "bench: part %s: %s\n", part->name, strerror(-r));
    for (size_t i = before; !bench->json && i < bench->figures.count; i++)
        figure_print(&bench->figures.list[i], stdout);
    fflush(stdout);
    return r;
}

/* One part that fails does not cost the others. */
static int run_parts(struct bench *bench, char *const *names, size_t count) {
    int result = 0;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        bool wanted = count == 0;
        for (size_t n = 0; n < count; n++)
            wanted = wanted || strcmp(names[n], parts[i].name) == 0;
        if (!wanted)
            continue;
        if (measure_interrupted(bench->signals))
            return -EINTR;
        int r = run_part(bench, &parts[i]);
        result = result < 0 ? result : r;
    }
    return result;
}

static void print_head(const struct bench *bench) {
    measure_write_machine(stdout);
    scratch_describe(&bench->scratch, false, stdout);
    printf("%-28s %10s %-4s %-9s %-7s\n", "figure", "value", "", "target", "");
}

static void print_json(const struct bench *bench) {
    fputc('{', stdout);
    measure_write_machine_json(stdout);
    fputc(',', stdout);
    scratch_describe(&bench->scratch, true, stdout);
    fputc(',', stdout);
    figures_print_json(&bench->figures, stdout);
    fputs("}\n", stdout);
}

static int open_cgroups(struct bench *bench, const char *cgroup) {
    char path[PATH_MAX + 16];
    int r = scratch_open(cgroup, &bench->outer);
    if (r < 0)
        return r;
    snprintf(path, sizeof(path), "%s/kernel", bench->outer.path);
    r = scratch_open(path, &bench->scratch);
    if (r < 0)
        scratch_close(&bench->outer);
    return r;
}

static int close_cgroups(struct bench *bench) {
    int inner = scratch_close(&bench->scratch);
    int outer = scratch_close(&bench->outer);
    return inner < 0 ? inner : outer;
}

static int run(struct bench *bench, const char *cgroup, char *const *names, size_t count) {
    int r = measure_signals_open(&bench->signals);
    if (r < 0)
        return r;
    r = open_cgroups(bench, cgroup);
    if (r < 0)
        return r;
    if (!bench->json)
        print_head(bench);
    r = run_parts(bench, names, count);
    if (bench->json)
        print_json(bench);
    int closed = close_cgroups(bench);
    return r < 0 ? r : closed;
}

static void usage(FILE *out) {
    fputs("usage: bench [OPTION…] [PART…]\n"
          "  -n COUNT             rounds of each part, in place of its own number\n"
          "  --programs DIR       where agent and controller are (bin)\n"
          "  --versus DIR         where those of another build are, to take turns with\n"
          "  --payload PROGRAM    what is started, without arguments (/bin/true)\n"
          "  --cgroup DIR         cgroup to work below (the root of cgroup2)\n"
          "  --crowd COUNT        processes of the part many (10000)\n"
          "  --seconds COUNT      how long the parts rest and samples watch (60)\n"
          "  --peer NAME[/EVERY][:FASTER]=COMMAND\n"
          "                       a command to measure beside `controller run`, in every EVERY-th "
          "round;\n"
          "                       Holden has to be FASTER times as fast\n"
          "  --json               one JSON object in place of the table\n"
          "parts:\n",
          out);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        fprintf(out, "  %-20s %s\n", parts[i].name, parts[i].what);
}

static int add_peer(struct bench *bench, char *text) {
    char *command = strchr(text, '=');
    if (!command || bench->peer_count == BENCH_PEERS_MOST)
        return -EINVAL;
    struct bench_peer peer = {.name = text, .command = command + 1, .every = 1};
    *command = '\0';
    char *faster = strchr(text, ':');
    if (faster) {
        *faster = '\0';
        peer.faster = strtod(faster + 1, NULL);
    }
    char *every = strchr(text, '/');
    if (every) {
        *every = '\0';
        peer.every = (unsigned)strtoul(every + 1, NULL, 10);
    }
    bench->peers[bench->peer_count++] = peer;
    return 0;
}

static int take_option(struct bench *bench, int option, const char **cgroup) {
    enum { COUNT_LIMIT = 1000000 };
    switch (option) {
    case 'n': return measure_parse_count(optarg, COUNT_LIMIT, &bench->rounds);
    case 'm': return measure_parse_count(optarg, COUNT_LIMIT, &bench->crowd);
    case 's': return measure_parse_count(optarg, COUNT_LIMIT, &bench->seconds);
    case 'p': bench->programs = optarg; return 0;
    case 'v': bench->others = optarg; return 0;
    case 'a': bench->payload = optarg; return 0;
    case 'c': *cgroup = optarg; return 0;
    case 'j': bench->json = true; return 0;
    case 'e': return add_peer(bench, optarg);
    default: return -EINVAL;
    }
}

static int parse_options(int argc, char **argv, struct bench *bench, const char **cgroup) {
    static const struct option long_options[] = {
        {"programs", required_argument, NULL, 'p'}, {"cgroup", required_argument, NULL, 'c'},
        {"crowd", required_argument, NULL, 'm'},    {"seconds", required_argument, NULL, 's'},
        {"peer", required_argument, NULL, 'e'},     {"json", no_argument, NULL, 'j'},
        {"versus", required_argument, NULL, 'v'},   {"payload", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    int option, r = 0;
    while (r == 0 && (option = getopt_long(argc, argv, "n:", long_options, NULL)) >= 0)
        r = take_option(bench, option, cgroup);
    for (int i = optind; r == 0 && i < argc; i++) {
        r = -EINVAL;
        for (size_t p = 0; p < ARRAY_SIZE(parts); p++)
            if (strcmp(argv[i], parts[p].name) == 0)
                r = 0;
    }
    return r;
}

int main(int argc, char **argv) {
    static struct bench bench = {
        .programs = "bin", .payload = "/bin/true", .crowd = 10000, .seconds = 60};
    const char *cgroup = NULL;
    char helpers[PATH_MAX];
    if (parse_options(argc, argv, &bench, &cgroup) < 0) {
        usage(stderr);
        return 2;
    }
    ssize_t length = readlink("/proc/self/exe", helpers, sizeof(helpers) - 1);
    if (length < 0)
        return 1;
    helpers[length] = '\0';
    *strrchr(helpers, '/') = '\0';
    bench.helpers = helpers;
    int r = run(&bench, cgroup, argv + optind, (size_t)(argc - optind));
    if (r < 0)
        fprintf(stderr, "bench: %s\n", strerror(-r));
    return r < 0 ? 1 : 0;
}
