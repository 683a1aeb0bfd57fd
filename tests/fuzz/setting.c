/* Settings as people write them, one a line: NAME=VALUE. What is read must encode, and print. */
#include "controller/settings.h"

#include <errno.h>
#include <string.h>

#include "controller/syntax.h"
#include "fuzz.h"

/* These look things up on the machine, which is slow and not what is looked for here. */
static bool asks_the_machine(const char *line) {
    static const char *const names[] = {"User=", "Group=", "SupplementaryGroups=", "IO"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void print_all(const struct settings *settings) {
    struct buffer out = {0};
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (settings_has(settings, i))
            EXPECT(syntax_print(&settings->properties, i, " ", &out) == 0);
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct settings settings = {0};
    char *text = malloc(size + 1);
    EXPECT(text);
    memcpy(text, data, size);
    text[size] = '\0';
    for (char *left = text, *line; (line = strsep(&left, "\n"));) {
        if (asks_the_machine(line))
            continue;
        int r = settings_assign_text(&settings, line);
        EXPECT(r == 0 || settings.wrong[0]);
        EXPECT(!strchr(settings.wrong, '\n'));
    }
    struct buffer bytes = {0};
    EXPECT(holden_encode(&holden_record_properties, &settings.properties, &bytes) == 0);
    print_all(&settings);
    buffer_free(&bytes);
    settings_free(&settings);
    free(text);
    return 0;
}
