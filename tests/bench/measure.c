#include "measure.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_US = 1000 };

static uint64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t measure_now(void) {
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t measure_cpu_now(void) {
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int measure_series_init(size_t capacity, struct measure_series *series) {
    uint64_t *values = calloc(capacity, sizeof(*values));
    if (!values)
        return -ENOMEM;
    *series = (struct measure_series){.values = values, .capacity = capacity};
    return 0;
}

void measure_series_free(struct measure_series *series) {
    free(series->values);
    *series = (struct measure_series){0};
}

int measure_series_add(struct measure_series *series, uint64_t value) {
    if (series->count == series->capacity)
        return -ENOSPC;
    series->values[series->count++] = value;
    return 0;
}

static int compare_values(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static uint64_t percentile(const struct measure_series *series, unsigned percent) {
    size_t rank = (series->count * percent + 99) / 100;
    return series->values[rank > 0 ? rank - 1 : 0];
}

void measure_summarise(struct measure_series *series, struct measure_summary *summary) {
    *summary = (struct measure_summary){0};
    if (series->count == 0)
        return;
    qsort(series->values, series->count, sizeof(*series->values), compare_values);
    *summary = (struct measure_summary){
        .count = series->count,
        .min = series->values[0],
        .median = percentile(series, 50),
        .p90 = percentile(series, 90),
    };
}

double measure_ratio(uint64_t value, uint64_t base) {
    return base > 0 ? (double)value / (double)base : 0;
}

void measure_write_json(FILE *out, const struct measure_summary *summary) {
    fprintf(out, "\"count\":%zu,\"min\":%llu,\"median\":%llu,\"p90\":%llu", summary->count,
            (unsigned long long)summary->min, (unsigned long long)summary->median,
            (unsigned long long)summary->p90);
}

void measure_write_columns(FILE *out, const struct measure_summary *summary) {
    fprintf(out, "%10.1f %10.1f %10.1f", (double)summary->min / NS_PER_US,
            (double)summary->median / NS_PER_US, (double)summary->p90 / NS_PER_US);
}

void measure_write_machine_json(FILE *out) {
    struct utsname name;
    uname(&name);
    fprintf(out, "\"kernel\":\"%s\",\"cores\":%ld", name.release, sysconf(_SC_NPROCESSORS_ONLN));
}

void measure_write_machine(FILE *out) {
    struct utsname name;
    uname(&name);
    fprintf(out, "machine: kernel %s, %ld cores\n", name.release, sysconf(_SC_NPROCESSORS_ONLN));
}

int measure_signals_open(int *fd) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return -errno;
    int opened = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (opened < 0)
        return -errno;
    *fd = opened;
    return 0;
}

bool measure_interrupted(int fd) {
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    return poll(&entry, 1, 0) > 0;
}

int measure_parse_count(const char *text, size_t limit, size_t *count) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end)
        return -EINVAL;
    if (errno == ERANGE || value == 0 || value > limit)
        return -ERANGE;
    *count = (size_t)value;
    return 0;
}
