/* A unit file with its drop-ins, as a list of settings in the order in which they count. */
#pragma once

#include "controller/unit_path.h"
#include "protocol/codec.h"

/* One assignment. All texts are in the arena. */
struct unit_setting {
    struct unit_setting *next;
    const char *section;
    const char *name;
    const char *value;  /* as written, without the white space around it */
    const char *file;
    unsigned line;
};

struct unit_file {
    struct unit_paths paths;
    struct unit_setting *first;
    struct unit_setting **end;
};

/* Finds and reads a unit (unit_path.h says what `argument` may be). 0; a negative error with one
 * line in `wrong`: FILE:LINE: and what is wrong with it. */
int unit_file_read(struct arena *arena, const char *argument, struct unit_file *file,
                   char wrong[512]);

/* Reads the text of one file to the end of the list; `path` is what messages call it. As
 * unit_file_read(). */
int unit_file_parse(struct arena *arena, struct holden_view text, const char *path,
                    struct unit_file *file, char wrong[512]);
