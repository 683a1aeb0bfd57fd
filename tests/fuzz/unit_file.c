/* Unit files: whatever the text, it is a unit or it is refused, each thing said being one line; and
 * what is made of it can be sent. */
#include "controller/unit.h"

#include <string.h>

#include "fuzz.h"

/* These look at the machine or open files, which is not what is looked for here. */
static bool asks_the_machine(const char *name) {
    static const char *const names[] = {"User", "Group", "SupplementaryGroups", "IO",
                                        "EnvironmentFile", "SeccompProfile", "Condition", "Assert"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void drop(struct unit_file *file) {
    for (struct unit_setting **at = &file->first; *at;)
        if (asks_the_machine((*at)->name))
            *at = (*at)->next;
        else
            at = &(*at)->next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct unit unit = {0};
    struct buffer bytes = {0};
    char wrong[512] = "";
    EXPECT(unit_name_parse("web-a@x\\x20y.service", &unit.file.paths.name) == 0);
    unit.file.paths.fragment = "/web-a@.service";
    const struct holden_view text = {(const char *)data, size};
    int r = unit_file_parse(&unit.launch.settings.arena, text, "/web-a@.service", &unit.file,
                            wrong);
    EXPECT((r < 0) == (wrong[0] != '\0'));
    drop(&unit.file);
    if (r == 0)
        EXPECT(unit_interpret(&unit, "name") == 0);
    for (const struct unit_finding *at = unit.findings; at; at = at->next) {
        EXPECT(unit_finding_print(at, &bytes) == 0);
        EXPECT(!memchr(buffer_bytes(&bytes), '\n', bytes.size));
        buffer_free(&bytes);
    }
    if (r == 0 && !unit.refused)
        EXPECT(holden_encode(&holden_record_start, &unit.launch.start, &bytes) == 0);
    buffer_free(&bytes);
    unit_free(&unit);
    return 0;
}
