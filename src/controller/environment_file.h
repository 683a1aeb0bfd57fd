/* Environment files, by the rules of systemd.exec(5): lines of VARIABLE=VALUE, read with the rights
 * of whoever runs the controller. */
#pragma once

#include "controller/settings.h"

/* Where the assignments go, one by one; the bytes live in settings->arena. 0 or a negative error.
 * */
typedef int environment_take(struct settings *settings, struct holden_repeated *list,
                             struct holden_view assignment);

/* Reads the files that `path` names: it may have wildcards (glob(7)), and a leading - lets it be
 * missing. Lines that are no assignment are ignored with a warning on stderr. 0; or a negative
 * error with settings->wrong set. */
int environment_file_read(struct settings *settings, const char *path, environment_take *take,
                          struct holden_repeated *list);

/* The same for a file's text, `name` being what messages call it. */
int environment_file_parse(struct settings *settings, const char *name, struct holden_view text,
                           environment_take *take, struct holden_repeated *list);
