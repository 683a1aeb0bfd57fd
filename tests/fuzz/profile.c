/* OCI seccomp profiles: what is read must encode. */
#include "controller/profile.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct settings settings = {0};
    int r = profile_parse(&settings, "file", (struct holden_view){(const char *)data, size});
    EXPECT(r == 0 || settings.wrong[0]);
    if (r == 0) {
        struct buffer bytes = {0};
        EXPECT(holden_encode(&holden_record_properties, &settings.properties, &bytes) == 0);
        buffer_free(&bytes);
    }
    settings_free(&settings);
    return 0;
}
