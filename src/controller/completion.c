/* The verb completion: scripts for shells, made from the tables of verbs, options and settings. */
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/command.h"
#include "protocol/property.h"

#define PROGRAMS "controller holden holden-controller"

/* Whether an argument of the verb is a process. */
static bool takes_names(const struct verb *verb) {
    return strstr(verb->words, "NAME") != NULL;
}

/* "--name " and "-n " for each option of a set. */
static void print_options(struct output *output, uint64_t set) {
    struct option_row rows[OPTION_COUNT];
    size_t count = options_rows(set, rows);
    for (size_t i = 0; i < count; i++) {
        output_printf(output, "--%s ", rows[i].name);
        if (rows[i].letter)
            output_printf(output, "-%c ", rows[i].letter);
    }
}

static void print_verbs(struct output *output, bool (*which)(const struct verb *),
                        const char *between) {
    size_t count;
    const struct verb *rows = verbs(&count);
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (which && !which(&rows[i]))
            continue;
        output_printf(output, "%s%s", first ? "" : between, rows[i].name);
        first = false;
    }
}

static void print_properties(struct output *output, const char *between) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        output_printf(output, "%s%s=", i ? between : "", holden_property(i)->name);
}

static void print_bash(struct output *output) {
    size_t count;
    const struct verb *rows = verbs(&count);
    output_text(
        output,
        "# bash completion for holden\n"
        "_holden() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= i list\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case ${COMP_WORDS[i]} in\n"
        "        --socket) ((i++)) ;;\n"
        "        -*) ;;\n"
        "        *) verb=${COMP_WORDS[i]}; break ;;\n"
        "        esac\n"
        "    done\n"
        "    case $before in\n"
        "    -p|--property)\n"
        "        compopt -o nospace\n"
        "        COMPREPLY=($(compgen -W '");
    print_properties(output, " ");
    output_text(output, "' -- \"$word\"))\n        return ;;\n"
                        "    --socket) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
                        "    esac\n"
                        "    case $verb in\n"
                        "    '') list='");
    print_verbs(output, NULL, " ");
    output_text(output, " ");
    print_options(output, OPTIONS_GLOBAL | OPTION_BIT(VERSION));
    output_text(output, "' ;;\n");
    for (size_t i = 0; i < count; i++) {
        output_printf(output, "    %s) list='", rows[i].name);
        print_options(output, OPTIONS_GLOBAL | rows[i].options);
        output_text(output, "' ;;\n");
    }
    output_text(output, "    esac\n    case $verb in\n    ");
    print_verbs(output, takes_names, "|");
    output_text(
        output,
        ")\n        list+=\" $(\"${COMP_WORDS[0]}\" list -a 2>/dev/null |"
        " awk 'NR > 1 { print $1 }')\" ;;\n"
        "    start|run) list+=\" $(compgen -c -- \"$word\")\" ;;\n"
        "    completion) list+=' bash zsh fish' ;;\n    help) list+=' ");
    print_verbs(output, NULL, " ");
    output_text(output, "' ;;\n    esac\n    COMPREPLY=($(compgen -W \"$list\" -- \"$word\"))\n}\n"
                        "complete -F _holden " PROGRAMS "\n");
}

/* zsh runs the script for bash. */
static void print_zsh(struct output *output) {
    output_text(output, "#compdef " PROGRAMS "\nautoload -U +X bashcompinit && bashcompinit\n");
    print_bash(output);
}

/* A text in single quotes, for fish. */
static void print_quoted(struct output *output, const char *text) {
    output_text(output, "'");
    for (; *text; text++)
        output_printf(output, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    output_text(output, "'");
}

static void print_fish_options(struct output *output, const struct verb *verb) {
    struct option_row rows[OPTION_COUNT];
    size_t count = options_rows(OPTIONS_GLOBAL | verb->options, rows);
    for (size_t i = 0; i < count; i++) {
        output_printf(output, "complete -c $program -n '__fish_seen_subcommand_from %s' -l %s",
                      verb->name, rows[i].name);
        if (rows[i].letter)
            output_printf(output, " -s %c", rows[i].letter);
        output_text(output, rows[i].value ? " -r -d " : " -d ");
        print_quoted(output, rows[i].doc);
        if (strcmp(rows[i].name, "property") == 0) {
            output_text(output, " -a '");
            print_properties(output, " ");
            output_text(output, "'");
        }
        output_text(output, "\n");
    }
}

static void print_fish(struct output *output) {
    size_t count;
    const struct verb *rows = verbs(&count);
    output_text(output, "# fish completion for holden\nfor program in " PROGRAMS "\n");
    for (size_t i = 0; i < count; i++) {
        output_printf(output, "complete -c $program -f -n __fish_use_subcommand -a %s -d ",
                      rows[i].name);
        print_quoted(output, rows[i].doc);
        output_text(output, "\n");
        print_fish_options(output, &rows[i]);
    }
    output_text(output, "complete -c $program -f -n '__fish_seen_subcommand_from ");
    print_verbs(output, takes_names, " ");
    output_text(
        output,
        "' -a \"($program list -a 2>/dev/null | awk 'NR > 1 { print \\$1 }')\"\n"
        "complete -c $program -f -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
        "end\n");
}

int verb_completion(struct command *command) {
    static const struct { const char *shell; void (*print)(struct output *output); } rows[] = {
        {"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(command->arguments[0], rows[i].shell) == 0) {
            rows[i].print(&command->output);
            return STATUS_DONE;
        }
    log_error("no completion for '%s'; there is one for bash, zsh and fish", command->arguments[0]);
    return STATUS_USAGE;
}
