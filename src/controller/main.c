/* The controller: turns a command line into requests to the agent and prints the answers.
 *
 * A line is [global options] VERB [options] [arguments]. verbs.def says what each verb takes,
 * options.def what each option is; both also make the help and the completion. A verb's function
 * gets the line taken apart (struct command), talks through a session, and returns the exit status.
 * All text that users write is parsed here, with the caller's own rights: settings (settings.c and
 * the syntax_*.c behind its table), environment files, seccomp profiles, names of users. The agent
 * gets typed values only.
 *
 * It has to start as fast as /bin/true does: no locale, no name service and no JSON library before
 * something asks for them. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/help.h"

static int run(struct command *command, int count, char **words) {
    struct option_row rows[OPTION_COUNT];
    size_t rows_count = options_rows(OPTIONS_GLOBAL | OPTION_BIT(VERSION), rows);
    int at = option_parse(rows, rows_count, program_invocation_short_name, count, words,
                          &command->options);
    if (at < 0)
        return STATUS_USAGE;
    if (command->options.version) {
        output_text(&command->output, "holden " HOLDEN_VERSION_TEXT "\n");
        return STATUS_DONE;
    }
    if (command->options.help) {
        help_overview(&command->output);
        return STATUS_DONE;
    }
    if (at >= count) {
        log_error("a verb is missing, such as `start sleep 60` or `list`; `help` lists them");
        return STATUS_USAGE;
    }
    command->verb = verb_find(words[at]);
    if (!command->verb)
        return STATUS_USAGE;
    int status = command_parse(command, count - at, words + at);
    if (status == STATUS_DONE && command->options.help) {
        help_verb(&command->output, command->verb);
        return STATUS_DONE;
    }
    return status == STATUS_DONE ? command->verb->run(command) : status;
}

int main(int count, char **words) {
    _cleanup_(command_free) struct command command = {0};
    int status = run(&command, count, words);
    int r = output_end(&command.output);
    if (r < 0 && status == STATUS_DONE) {
        log_error("cannot write the answer: %s", strerror(-r));
        return STATUS_FAILED;
    }
    return status;
}
