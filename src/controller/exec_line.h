/* Command lines of unit files: ExecStart= and its like, by systemd.service(5), "Command lines". */
#pragma once

#include "common/arena.h"
#include "controller/specifier.h"
#include "protocol/message.h"

/* One command, before variables are put in. */
struct exec_command {
    struct exec_command *next;
    const char *program;       /* an absolute path, or a name to look for */
    struct holden_view *words; /* argv: words[0] is what the program sees as its name */
    uint32_t count;
    bool ignore_failure;       /* - */
    bool named;                /* @: words[0] is not the program's path */
    bool literal;              /* : no variables are put in */
    bool full;                 /* + */
    bool as_root;              /* ! */
    bool ambient;              /* !! */
};

/* A list of commands; start with zeroes. */
struct exec_list {
    struct exec_command *first;
    struct exec_command **end; /* where the next is put; NULL while the list is empty */
};

/* The rights that its prefixes ask for. !! asks for nothing where the kernel has ambient
 * capabilities, as any has that Holden runs on (systemd.service(5)). */
enum holden_exec_rights_values exec_line_rights(const struct exec_command *command);

/* Reads the commands of one line (one, or more separated by ; as a word of its own) and appends
 * them; everything is in the arena. 0; -EINVAL with what is wrong in `wrong`; -ENOMEM. */
int exec_line_parse(struct arena *arena, struct specifier *specifier, const char *value,
                    struct exec_list *list, char wrong[160]);

/* Puts variables into the words: ${NAME} anywhere becomes the value; $NAME as a word of its own
 * becomes the value split at white space, none or more words; $$ becomes $. A variable that is not
 * there is empty. `environment` is a list of NAME=VALUE. *words and *count are the result, in the
 * arena. Where `late` is not NULL, words with variables that only the agent knows (common/late.h)
 * and the environment does not have are left to it, as `exec` of the protocol has them: their
 * numbers are added to the list *late, which begins with zeroes. 0 or -ENOMEM. */
int exec_line_expand(struct arena *arena, const struct exec_command *command,
                     struct holden_repeated environment, struct holden_view **words,
                     uint32_t *count, struct holden_repeated *late);
