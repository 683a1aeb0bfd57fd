#include "controller/help.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void print_rows(struct output *output, uint64_t set) {
    struct option_row rows[OPTION_COUNT];
    size_t count = options_rows(set, rows);
    output_flush(output);
    option_help(rows, count);
    fflush(stdout);
}

void help_overview(struct output *output) {
    size_t count;
    const struct verb *rows = verbs(&count);
    output_printf(output,
                  "usage: %s [OPTIONS] VERB ...\n\nStart, confine, watch and keep processes.\n\n",
                  program_invocation_short_name);
    for (size_t i = 0; i < count; i++)
        output_printf(output, "  %-12s %s\n", rows[i].name, rows[i].doc);
    output_text(output, "\nWhere NAME stands, a pid will do too. Options of every verb:\n");
    print_rows(output, OPTIONS_GLOBAL);
    output_printf(
        output,
        "\n`%s VERB --help` tells more. Exit status: 0 done; 1 refused or failed; 2 usage; "
        "3 no agent;\n4 no such process; 5 not permitted.\n",
        program_invocation_short_name);
}

void help_verb(struct output *output, const struct verb *verb) {
    output_printf(output, "usage: %s %s%s%s%s\n\n%s\n\n", program_invocation_short_name, verb->name,
                  verb->options ? " [OPTIONS]" : "", *verb->words ? " " : "", verb->words,
                  verb->doc);
    if (verb->shape == VERB_FOREIGN)
        return;
    print_rows(output, verb->options | OPTIONS_GLOBAL);
}

int verb_help(struct command *command) {
    if (command->count == 0) {
        help_overview(&command->output);
        return STATUS_DONE;
    }
    const struct verb *verb = verb_find(command->arguments[0]);
    if (!verb)
        return STATUS_USAGE;
    help_verb(&command->output, verb);
    return STATUS_DONE;
}
