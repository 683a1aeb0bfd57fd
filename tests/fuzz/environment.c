/* Environment files, and the quoting of Environment=. */
#include "controller/environment.h"

#include <errno.h>
#include <string.h>

#include "controller/environment_file.h"
#include "controller/quoting.h"
#include "fuzz.h"

static int take(struct settings *settings, struct holden_repeated *list,
                struct holden_view assignment) {
    (void)settings;
    (void)list;
    EXPECT(memchr(assignment.data, '=', assignment.size));
    EXPECT(!memchr(assignment.data, 0, assignment.size));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct settings settings = {0};
    struct holden_repeated list = {0};
    const struct holden_view text = {(const char *)data, size};
    int r = environment_file_parse(&settings, "file", text, take, &list);
    EXPECT(r == 0 || settings.wrong[0]);
    char *copy = malloc(size + 1);
    EXPECT(copy);
    memcpy(copy, data, size);
    copy[size] = '\0';
    const char *at = copy;
    struct buffer item = {0};
    while ((r = quoting_item(&at, QUOTING_STRICT, &item)) == 1) {
        EXPECT(at <= copy + strlen(copy));
        buffer_free(&item);
    }
    EXPECT(r == 0 || r == -EINVAL);
    buffer_free(&item);
    free(copy);
    settings_free(&settings);
    return 0;
}
