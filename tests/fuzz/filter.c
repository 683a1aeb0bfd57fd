/* Compiling a system call filter from whatever properties decode. */
#include "agent/filter.h"

#include <errno.h>
#include <string.h>

#include "fuzz.h"

/* The variant that asks does so only about what the filter forbids, whatever the call; one that
 * learns asks about all. */
static void check_programs(const struct filter *filter, bool learns, const uint8_t *data,
                           size_t size) {
    struct seccomp_data call = {0};
    memcpy(&call, data, size < sizeof(call) ? size : sizeof(call));
    uint32_t plain = program_run(&filter->program, &call, NULL);
    uint32_t asked = program_run(&filter->asking, &call, NULL);
    uint32_t kind = plain & SECCOMP_RET_ACTION_FULL;
    EXPECT(asked == plain || asked == SECCOMP_RET_USER_NOTIF);
    EXPECT(asked == plain || kind == SECCOMP_RET_ERRNO || kind == SECCOMP_RET_KILL_PROCESS ||
           learns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct holden_properties properties;
    struct holden_fault fault;
    if (holden_decode(&holden_record_properties, data, size, &properties, &fault) < 0)
        return 0;
    struct filters filters = {0};
    struct filter *filter = NULL;
    struct failure failure = {0};
    int r = filter_get(&filters, &properties, &filter, &failure);
    EXPECT(r == 0 || (r == -EREMOTEIO && failure.code != HOLDEN_code_DONE && failure.text[0]));
    EXPECT(!filter || (filter->program.count > 0 &&
                       filter->program.count <= BPF_MAXINSNS));
    if (filter)
        check_programs(filter, properties.system_call_learn, data, size);
    filter_release(&filters, filter);
    filters_free(&filters);
    return 0;
}
