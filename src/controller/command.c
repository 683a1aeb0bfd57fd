#include "controller/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/name.h"
#include "common/spelling.h"
#include "controller/words.h"

static const struct verb table[] = {
#define VERB(name_, words_, least_, most_, options_, shape_, doc_)                            \
    {.name = #name_, .words = (words_), .doc = (doc_), .least = (least_), .most = (most_),    \
     .options = (options_), .shape = VERB_##shape_, .run = verb_##name_},
#include "controller/verbs.def"
};

const struct verb *verbs(size_t *count) {
    *count = ARRAY_SIZE(table);
    return table;
}

const struct verb *verb_find(const char *name) {
    struct spelling spelling = {.wanted = name};
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
        spelling_offer(&spelling, table[i].name);
    }
    char shown[WORDS_SHOWN];
    words_show(name, shown);
    if (spelling.best[0])
        log_error("no verb '%s'; did you mean '%s'? `help` lists them", shown, spelling.best);
    else
        log_error("no verb '%s'; `help` lists them", shown);
    return NULL;
}

/* Options may stand anywhere in an ordinary line, until "--". */
static int parse_ordinary(struct command *command, const struct option_row *rows, size_t rows_count,
                          const char *program, int count, char **words) {
    int at = 0;
    while (at + 1 < count) {
        int used =
            option_parse(rows, rows_count, program, count - at, words + at, &command->options);
        if (used < 0)
            return STATUS_USAGE;
        bool ended = used > 1 && strcmp(words[at + used - 1], "--") == 0;
        at += used;
        while (at < count && (ended || words[at][0] != '-' || !words[at][1]))
            command->arguments[command->count++] = words[at++];
        at--;
    }
    return STATUS_DONE;
}

static int parse_command(struct command *command, const struct option_row *rows, size_t rows_count,
                         const char *program, int count, char **words) {
    int at = option_parse(rows, rows_count, program, count, words, &command->options);
    if (at < 0)
        return STATUS_USAGE;
    while (at < count)
        command->arguments[command->count++] = words[at++];
    return STATUS_DONE;
}

static int check_count(const struct command *command) {
    const struct verb *verb = command->verb;
    if (command->options.help || (command->count >= verb->least &&
                                  (verb->most < 0 || command->count <= verb->most)))
        return STATUS_DONE;
    log_error("%s: %s; usage: %s %s%s%s", verb->name,
              command->count < verb->least ? "an argument is missing" : "too many arguments",
              program_invocation_short_name, verb->name, *verb->words ? " " : "", verb->words);
    return STATUS_USAGE;
}

int command_parse(struct command *command, int count, char **words) {
    const struct verb *verb = command->verb;
    struct option_row rows[OPTION_COUNT];
    char program[96];
    command->arguments = calloc((size_t)count + 1, sizeof(*command->arguments));
    if (!command->arguments) {
        log_error("out of memory");
        return STATUS_FAILED;
    }
    if (verb->shape == VERB_FOREIGN) {
        for (int i = 1; i < count; i++)
            command->arguments[command->count++] = words[i];
        return STATUS_DONE;
    }
    size_t rows_count = options_rows(OPTIONS_GLOBAL | verb->options, rows);
    snprintf(program, sizeof(program), "%s %s", program_invocation_short_name, verb->name);
    int status = verb->shape == VERB_COMMAND
                     ? parse_command(command, rows, rows_count, program, count, words)
                     : parse_ordinary(command, rows, rows_count, program, count, words);
    return status == STATUS_DONE ? check_count(command) : status;
}

void command_free(struct command *command) {
    options_free(&command->options);
    free(command->arguments);
    command->arguments = NULL;
}

bool command_is_slice(const char *target) {
    return name_is_slice(target, strlen(target));
}

int command_check_target_or_slice(const char *target) {
    char shown[WORDS_SHOWN];
    if (!command_is_slice(target))
        return command_check_target(target);
    if (name_slice_valid(target, strlen(target)))
        return STATUS_DONE;
    log_error("'%s' is no name of a slice: " NAME_SLICE_RULE, words_show(target, shown));
    return STATUS_USAGE;
}

int command_check_target(const char *target) {
    size_t size = strlen(target);
    if (command_is_slice(target)) {
        char slice[WORDS_SHOWN];
        log_error("'%s' is a slice; this is for processes, which `list` shows with their slices",
                  words_show(target, slice));
        return STATUS_USAGE;
    }
    if (name_valid(target, size) || (name_is_pid(target, size) && size <= NAME_MAX_SIZE))
        return STATUS_DONE;
    char shown[WORDS_SHOWN];
    log_error("'%s' is neither a name nor a pid (a name is " NAME_RULE ")",
              words_show(target, shown));
    return STATUS_USAGE;
}
