/* An agent that nobody asks anything: its memory, keeper and agent proper together, and whether
 * anything wakes it. */
#include "bench.h"

#include <errno.h>
#include <poll.h>

enum { KIB = 1024 };
static const double target_resident = 4096, target_private = 1024; /* KiB */

static void report_memory(struct bench *bench, const struct subject_memory *memory) {
    figures_add(&bench->figures, "rest: resident", (double)memory->resident / KIB, "KiB",
                target_resident, "keeper and agent added up, pages that they share counted twice");
    figures_add(&bench->figures, "rest: private, written", (double)memory->dirty / KIB, "KiB",
                target_private, "Private_Dirty");
    figures_add(&bench->figures, "rest: private, anonymous", (double)memory->anonymous / KIB, "KiB",
                0, "of that not backed by any file");
    figures_add(&bench->figures, "rest: private, clean", (double)memory->clean / KIB, "KiB", 0,
                "Private_Clean: file pages that nobody else has mapped just now");
}

/* The state is read once before, so that the reading itself is not counted. */
static int watch(struct bench *bench, struct subject *subject) {
    uint64_t before, after;
    struct subject_memory memory;
    enum { SETTLE = 1000 };
    poll(NULL, 0, SETTLE);
    int r = subject_switches(subject, &before);
    if (r < 0)
        return r;
    struct pollfd interrupted = {.fd = bench->signals, .events = POLLIN};
    if (poll(&interrupted, 1, (int)bench->seconds * 1000) != 0)
        return -EINTR;
    r = subject_switches(subject, &after);
    if (r == 0)
        r = subject_memory(subject, &memory);
    if (r < 0)
        return r;
    report_memory(bench, &memory);
    figures_add(&bench->figures, "rest: wake-ups", (double)(after - before), "", 0.5,
                "context switches of both in %zu s", bench->seconds);
    return 0;
}

int part_rest(struct bench *bench) {
    struct subject subject;
    int r = bench_subject(bench, bench->programs, NULL, &subject);
    if (r < 0)
        return r;
    r = watch(bench, &subject);
    int closed = subject_close(&subject);
    return r < 0 ? r : closed;
}
