/* The verb calls: systemd's sets of system calls. */
#include <string.h>

#include "common/log.h"
#include "common/spelling.h"
#include "controller/command.h"
#include "protocol/call_set.h"

static void print_json(struct output *output, const struct holden_call_set *set) {
    struct holden_view name;
    bool first = true;
    output_printf(output, "{\"name\":\"%s\",\"doc\":\"%s\",\"calls\":[", set->name, set->doc);
    for (const char *left = set->calls; holden_call_set_next(&left, &name); first = false)
        output_printf(output, "%s\"%.*s\"", first ? "" : ",", (int)name.size, name.data);
    output_text(output, "]}\n");
}

static void print(struct output *output, const struct holden_call_set *set) {
    struct holden_view name;
    output_printf(output, "%s\n    # %s\n", set->name, set->doc);
    for (const char *left = set->calls; holden_call_set_next(&left, &name);)
        output_printf(output, "    %.*s\n", (int)name.size, name.data);
}

static void show(struct command *command, const struct holden_call_set *set) {
    if (command->options.json)
        print_json(&command->output, set);
    else
        print(&command->output, set);
}

static int refuse(const char *name) {
    struct spelling spelling = {.wanted = name};
    for (size_t i = 0; holden_call_set(i); i++)
        spelling_offer(&spelling, holden_call_set(i)->name);
    log_error("there is no set of system calls '%s'%s%s", name,
              spelling.best[0] ? "; did you mean " : "", spelling.best);
    return STATUS_USAGE;
}

int verb_calls(struct command *command) {
    for (int i = 0; i < command->count; i++)
        if (!holden_call_set_find(command->arguments[i]))
            return refuse(command->arguments[i]);
    for (int i = 0; i < command->count; i++)
        show(command, holden_call_set_find(command->arguments[i]));
    for (size_t i = 0; command->count == 0 && holden_call_set(i); i++)
        show(command, holden_call_set(i));
    return STATUS_DONE;
}
