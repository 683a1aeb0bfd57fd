#include "controller/exec_setting.h"

#include <errno.h>

/* What an element of such a setting points to: the record that is sent, and what it is made from.
 */
struct pending {
    struct holden_exec exec;  /* first, so that the record is found by the element */
    const struct exec_command *command;
};

int exec_setting_add(struct settings *settings, size_t index, const struct exec_command *command,
                     bool of_start) {
    struct pending *pending = arena_take(&settings->arena, sizeof(*pending));
    if (!pending)
        return -ENOMEM;
    pending->command = command;
    if (of_start)
        HOLDEN_SET(&pending->exec, exec, of_start, true);
    if (command->named)
        HOLDEN_SET(&pending->exec, exec, program, holden_view(command->program));
    if (exec_line_rights(command) != HOLDEN_exec_rights_UNIT)
        HOLDEN_SET(&pending->exec, exec, rights, exec_line_rights(command));
    HOLDEN_SET(&pending->exec, exec, argument,
               (struct holden_repeated){.count = command->count, .items = command->words});
    if (command->ignore_failure)
        HOLDEN_SET(&pending->exec, exec, ignore_failure, true);
    struct holden_nested nested = {.value = &pending->exec};
    return settings_append(settings, index, &nested, sizeof(nested));
}

static int finish(struct settings *settings, struct pending *pending) {
    struct holden_view *words;
    struct holden_repeated late = {0};
    uint32_t count;
    int r = exec_line_expand(&settings->arena, pending->command, settings->properties.environment,
                             &words, &count, &late);
    if (r < 0)
        return r;
    HOLDEN_SET(&pending->exec, exec, argument,
               (struct holden_repeated){.count = count, .items = words});
    if (late.count > 0)
        HOLDEN_SET(&pending->exec, exec, late, late);
    return 0;
}

int exec_setting_finish(struct settings *settings) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < HOLDEN_PROPERTIES; i++) {
        if (holden_property(i)->syntax != HOLDEN_SYNTAX_EXEC || !settings_has(settings, i))
            continue;
        const struct holden_repeated *list = settings_member(settings, i);
        const struct holden_nested *items = list->items;
        for (uint32_t n = 0; r == 0 && n < list->count; n++)
            r = finish(settings, (struct pending *)(uintptr_t)items[n].value);
    }
    return r;
}
