#include "ways.h"

#include "common/cleanup.h"
#include "measure.h"

#include <errno.h>
#include <stdlib.h>

static int direct(struct way_context *context, struct way_sample *sample,
                  int (*launch)(const struct way_context *, struct launch_child *)) {
    struct launch_child child;
    uint64_t cpu_begun = measure_cpu_now();
    uint64_t begun = measure_now();
    int r = launch(context, &child);
    sample->held = measure_now() - begun;
    if (r == 0)
        r = launch_finish(&child);
    sample->total = measure_now() - begun;
    sample->cpu = measure_cpu_now() - cpu_begun;
    return r;
}

static int copy_once(const struct way_context *context, struct launch_child *child) {
    return launch_copy(&context->plan, child);
}

static int share_once(const struct way_context *context, struct launch_child *child) {
    return launch_share(&context->plan, context->stack, child);
}

static int vfork_once(const struct way_context *context, struct launch_child *child) {
    return launch_vfork(&context->plan, context->stack, child);
}

static int by_copy(struct way_context *context, struct way_sample *sample) {
    return direct(context, sample, copy_once);
}

static int by_share(struct way_context *context, struct way_sample *sample) {
    return direct(context, sample, share_once);
}

static int by_vfork(struct way_context *context, struct way_sample *sample) {
    return direct(context, sample, vfork_once);
}

static int by_tiny(struct way_context *context, struct way_sample *sample) {
    sample->held = sample->cpu = 0;
    return helper_time_start(&context->tiny, &context->plan, &sample->total);
}

/* How the end of a helper's child reaches the parent. Owns nothing of `child`. */
typedef int (*end_teller)(struct way_context *context, const struct launch_child *child,
                          struct launch_end *end);

static int asked_end(struct way_context *context, const struct launch_child *child,
                     struct launch_end *end) {
    int r = launch_poll(child->pidfd);
    return r < 0 ? r : helper_ask_end(&context->asked, child->pid, end);
}

static int pushed_end(struct way_context *context, const struct launch_child *child,
                      struct launch_end *end) {
    (void)child;
    return helper_receive_end(&context->pushing, end);
}

static int by_helper(struct way_context *context, const struct helper *helper, end_teller tell,
                     struct way_sample *sample) {
    struct launch_child child = {.pidfd = -1};
    struct launch_end end = {0};
    uint64_t cpu_begun = measure_cpu_now();
    uint64_t begun = measure_now();
    int r = helper_send_start(helper, &context->plan);
    sample->held = measure_now() - begun;
    if (r == 0)
        r = helper_receive_started(helper, &child);
    if (r == 0)
        r = tell(context, &child, &end);
    cleanup_close(&child.pidfd);
    sample->total = measure_now() - begun;
    sample->cpu = measure_cpu_now() - cpu_begun;
    return r < 0 ? r : launch_judge(&end);
}

static int by_asked(struct way_context *context, struct way_sample *sample) {
    return by_helper(context, &context->asked, asked_end, sample);
}

static int by_pushing(struct way_context *context, struct way_sample *sample) {
    return by_helper(context, &context->pushing, pushed_end, sample);
}

const struct way ways[WAY_COUNT] = {
    {"tiny", "clone3 timed inside a tiny process: the kernel alone", by_tiny},
    {"copy", "(a) clone3 from the parent", by_copy},
    {"share", "(b) clone3 with CLONE_VM from the parent, own stack", by_share},
    {"vfork", "clone3 with CLONE_VM|CLONE_VFORK from the parent", by_vfork},
    {"helper-asked", "(c) plan to a helper, pidfd back, status asked for", by_asked},
    {"helper-pushing", "(c) the same, status sent by the helper at SIGCHLD", by_pushing},
};

int ways_open(struct way_context *context) {
    struct helper none = {.fd = -1, .pid = -1};
    *context = (struct way_context){.tiny = none, .asked = none, .pushing = none};
    int r = helper_open(false, &context->tiny);
    if (r == 0)
        r = helper_open(false, &context->asked);
    if (r == 0)
        r = helper_open(true, &context->pushing);
    if (r == 0 && !(context->stack = malloc(LAUNCH_STACK_SIZE)))
        r = -ENOMEM;
    if (r < 0)
        ways_close(context);
    return r;
}

void ways_close(struct way_context *context) {
    helper_close(&context->pushing);
    helper_close(&context->asked);
    helper_close(&context->tiny);
    free(context->stack);
    context->stack = NULL;
}
