/* Units as people write them: what is read and printed must read the same again. */
#include "common/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

static void sizes(const char *text) {
    uint64_t value;
    uint64_t again;
    char printed[64];
    if (unit_parse_size(text, &value) == 0) {
        EXPECT(unit_parse_size(unit_format_size(value, printed, sizeof(printed)), &again) == 0);
        EXPECT(value == again);
        unit_format_size_short(value, printed, sizeof(printed));
    }
    if (unit_parse_percent(text, &value) == 0) {
        EXPECT(unit_parse_percent(unit_format_percent(value, printed, sizeof(printed)), &again) ==
               0);
        EXPECT(value == again);
    }
    (void)!unit_parse_count(text, &value);
}

static void times(const char *text) {
    uint64_t value;
    uint64_t again;
    char printed[160];
    if (unit_parse_time(text, 1000000, &value) < 0)
        return;
    EXPECT(unit_parse_time(unit_format_time(value, printed, sizeof(printed)), 1, &again) == 0);
    EXPECT(value == again);
    unit_format_time_short(value, printed, sizeof(printed));
}

static void cpus(const char *text) {
    uint8_t mask[128] = {0};
    uint8_t again[128] = {0};
    size_t size;
    size_t size_again;
    char printed[4096];
    if (unit_parse_cpus(text, mask, sizeof(mask), &size) < 0)
        return;
    EXPECT(size <= sizeof(mask));
    unit_format_cpus(mask, size, printed, sizeof(printed));
    EXPECT(unit_parse_cpus(printed, again, sizeof(again), &size_again) == 0);
    EXPECT(size == size_again && memcmp(mask, again, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    EXPECT(text);
    memcpy(text, data, size);
    text[size] = '\0';
    sizes(text);
    times(text);
    cpus(text);
    free(text);
    return 0;
}
