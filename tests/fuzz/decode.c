/* The decoder, for the record that the first byte picks. What decodes must encode, and come back.
 */
#include "fuzz.h"
#include "records.h"
#include "../unit/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    union record_space first;
    union record_space second;
    struct holden_fault fault = {0};
    if (size == 0)
        return 0;
    const struct holden_record *record = record_at(data[0] % record_count());
    if (holden_decode(record, data + 1, size - 1, &first, &fault) < 0) {
        EXPECT(fault.record && fault.what);
        return 0;
    }
    struct buffer bytes = {0};
    EXPECT(holden_encode(record, &first, &bytes) == 0);
    EXPECT(holden_decode(record, buffer_bytes(&bytes), bytes.size, &second, &fault) == 0);
    EXPECT(sample_equal(record, &first, &second));
    buffer_free(&bytes);
    return 0;
}
