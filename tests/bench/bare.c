#include "bare.h"

#include "measure.h"

#include <stdint.h>
#include <unistd.h>

static const char *const stage_names[BARE_STAGES] = {
    [BARE_MAKE] = "mkdir",
    [BARE_LIMIT] = "limits",
    [BARE_LAUNCH] = "clone3",
    [BARE_EXIT] = "exec-to-exit",
    [BARE_REMOVE] = "rmdir",
};

const char *bare_stage_name(size_t stage) {
    return stage_names[stage];
}

int bare_copy(const struct launch_plan *plan, void *stack, struct launch_child *child) {
    (void)stack;
    return launch_copy(plan, child);
}

static int run_in_leaf(const struct bare *bare, int leaf, uint64_t *marks) {
    char *argv[] = {(char *)(uintptr_t)bare->program, NULL};
    struct launch_plan plan = {bare->program, argv, environ, leaf};
    struct launch_child child = {.pidfd = -1};
    int r = bare->limited ? scratch_leaf_limit(bare->scratch, leaf) : 0;
    marks[BARE_LIMIT] = measure_now();
    if (r == 0)
        r = bare->launch(&plan, bare->stack, &child);
    marks[BARE_LAUNCH] = measure_now();
    if (r == 0)
        r = launch_finish(&child);
    marks[BARE_EXIT] = measure_now();
    return r;
}

/* Closing the leaf's descriptor is counted with its removal: an open one keeps the cgroup alive. */
int bare_start(struct bare *bare) {
    static const char leaf_name[] = "start";
    uint64_t marks[BARE_STAGES];
    uint64_t begun = measure_now();
    int leaf = -1;
    int r = scratch_leaf_make(bare->scratch, leaf_name, &leaf);
    if (r < 0)
        return r;
    marks[BARE_MAKE] = measure_now();
    r = run_in_leaf(bare, leaf, marks);
    close(leaf);
    int removed = scratch_leaf_remove(bare->scratch, leaf_name);
    marks[BARE_REMOVE] = measure_now();
    for (size_t i = 0; i < BARE_STAGES; i++)
        bare->stages[i] = marks[i] - (i > 0 ? marks[i - 1] : begun);
    return r < 0 ? r : removed;
}
