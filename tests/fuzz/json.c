/* What decodes must print as JSON that another reader takes. The first byte picks the record. */
#include "protocol/json.h"

#include <jansson.h>

#include "fuzz.h"
#include "records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    union record_space message;
    struct holden_fault fault;
    if (size == 0)
        return 0;
    const struct holden_record *record = record_at(data[0] % record_count());
    if (holden_decode(record, data + 1, size - 1, &message, &fault) < 0)
        return 0;
    struct buffer text = {0};
    EXPECT(holden_json(record, &message, &text) == 0);
    json_t *json = json_loadb((const char *)buffer_bytes(&text), text.size,
                              JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    EXPECT(json_is_object(json));
    json_decref(json);
    buffer_free(&text);
    return 0;
}
