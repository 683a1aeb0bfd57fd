/* Compiling a system call filter from whatever properties decode. */
#include "agent/filter.h"

#include <errno.h>

#include "fuzz.h"

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
    filter_release(&filters, filter);
    filters_free(&filters);
    return 0;
}
