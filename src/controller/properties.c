/* The verb properties: the table of settings, and with --all that of directives. */
#include <inttypes.h>

#include "common/cleanup.h"
#include "controller/command.h"
#include "controller/directive.h"
#include "controller/syntax.h"
#include "controller/table.h"
#include "protocol/sandbox.h"

static void print_json(struct output *output, size_t index) {
    const struct holden_property *property = holden_property(index);
    char bounds[160];
    output_printf(output, "{\"name\":\"%s\"", property->name);
    output_member(output, "syntax", holden_view(syntax_of(index)->words));
    output_member(output, "expects", holden_view(syntax_of(index)->expects));
    output_member(output, "bounds", holden_view(syntax_bounds(index, bounds, sizeof(bounds))));
    output_printf(output, ",\"list\":%s,\"live\":%s",
                  holden_record_properties.fields[index].repeated ? "true" : "false",
                  property->live ? "true" : "false");
    output_member(output, "doc", holden_view(property->doc));
    output_text(output, "}\n");
}

static int print_properties(struct command *command) {
    static const struct table_column columns[] = {
        {"NAME", false}, {"SYNTAX", false}, {"BOUNDS", false}, {"CHANGE", false}, {"WHAT", false},
    };
    _cleanup_(table_free) struct table table;
    table_init(&table, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        const struct holden_property *property = holden_property(i);
        char bounds[160];
        if (command->options.json) {
            print_json(&command->output, i);
            continue;
        }
        table_text(&table, OUTPUT_PLAIN, property->name);
        table_text(&table, OUTPUT_PLAIN, syntax_of(i)->words);
        table_text(&table, OUTPUT_PLAIN, syntax_bounds(i, bounds, sizeof(bounds)));
        table_text(&table, property->live ? OUTPUT_GOOD : OUTPUT_PLAIN,
                   property->live ? "live" : "fixed");
        table_text(&table, OUTPUT_PLAIN, property->doc);
    }
    if (command->options.json)
        return STATUS_DONE;
    output_inspect(&command->output, command->options.no_color);
    table_print(&table, &command->output);
    return STATUS_DONE;
}

static void print_directive_json(struct output *output, const struct directive *directive) {
    output_printf(output, "{\"name\":\"%s\",\"section\":\"%s\",\"state\":\"%s\"", directive->name,
                  directive_section_name(directive->section),
                  directive->of ? "old name" : directive_words(directive->state));
    if (directive->of)
        output_member(output, "of", holden_view(directive->of));
    if (*directive->inert)
        output_member(output, "inert", holden_view(directive->inert));
    output_member(output, "why", holden_view(directive->why));
    output_text(output, "}\n");
}

static int print_directives(struct command *command) {
    static const struct table_column columns[] = {
        {"SECTION", false}, {"NAME", false}, {"STATE", false}, {"WHAT OR WHY", false},
    };
    _cleanup_(table_free) struct table table;
    struct directive directive;
    table_init(&table, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; directive_at(i, &directive); i++) {
        if (command->options.json) {
            print_directive_json(&command->output, &directive);
            continue;
        }
        table_text(&table, OUTPUT_PLAIN, directive_section_name(directive.section));
        table_text(&table, OUTPUT_PLAIN, directive.name);
        table_text(&table, directive.state <= DIRECTIVE_DONE ? OUTPUT_GOOD : OUTPUT_PLAIN,
                   directive.of ? "old name" : directive_words(directive.state));
        table_text(&table, OUTPUT_PLAIN, directive.why);
    }
    if (command->options.json)
        return STATUS_DONE;
    output_inspect(&command->output, command->options.no_color);
    table_print(&table, &command->output);
    return STATUS_DONE;
}

static void print_sandbox_setting_json(struct output *output, const char *sandbox,
                                       const struct sandbox_setting *setting) {
    output_printf(output, "{\"sandbox\":\"%s\",\"name\":\"%s\"", sandbox, setting->name);
    output_member(output, "value", holden_view(setting->value));
    output_text(output, "}\n");
}

static int print_sandboxes(struct command *command) {
    static const struct table_column columns[] = {
        {"SANDBOX", false}, {"NAME", false}, {"VALUE", false},
    };
    const struct holden_enum *words =
        holden_record_properties.fields[HOLDEN_INDEX(properties, sandbox)].enumeration;
    _cleanup_(table_free) struct table table;
    table_init(&table, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < words->count; i++)
        for (const struct sandbox_setting *at = sandbox_first(words->words[i].number); at;
             at = sandbox_next(at)) {
            if (command->options.json) {
                print_sandbox_setting_json(&command->output, words->words[i].word, at);
                continue;
            }
            table_text(&table, OUTPUT_PLAIN, words->words[i].word);
            table_text(&table, OUTPUT_PLAIN, at->name);
            table_text(&table, OUTPUT_PLAIN, at->value);
        }
    if (command->options.json)
        return STATUS_DONE;
    output_inspect(&command->output, command->options.no_color);
    table_print(&table, &command->output);
    return STATUS_DONE;
}

int verb_properties(struct command *command) {
    return command->options.directives  ? print_directives(command)
           : command->options.sandboxes ? print_sandboxes(command)
                                        : print_properties(command);
}
