/* Command lines by table: one row per option; parsing, help and completion come from the rows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* One option of a program or verb. A row with has_value takes "--name VALUE", "--name=VALUE",
 * "-nVALUE" or "-n VALUE". */
struct option_row {
    char letter;          /* 'n' for -n, or 0 */
    const char *name;     /* "name" for --name, or NULL where there is only the letter */
    const char *value;    /* what the help calls its value, or NULL for a flag */
    const char *doc;      /* one line for the help */
    /* Takes the value (NULL for a flag) into the program's own struct. NULL on success; otherwise
     * what is wrong with the value, for the message: static or owned by `into`. */
    const char *(*take)(void *into, const char *value);
};

/* Parses options from arguments[1] on, until the first argument that is no option or "--", which is
 * skipped. Returns the index of the first argument after the options, or -1 after one line on
 * stderr that says what is wrong ("PROGRAM: …; see PROGRAM --help"). */
int option_parse(const struct option_row *rows, size_t count, const char *program, int argc,
                 char *const *arguments, void *into);

/* Prints one aligned line per row to standard output, as the help shows them. */
void option_help(const struct option_row *rows, size_t count);
