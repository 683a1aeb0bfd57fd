/* Where a unit file and its drop-ins lie, by systemd.unit(5), "Unit File Load Path". */
#pragma once

#include "common/arena.h"
#include "controller/unit_name.h"

enum { UNIT_PATH_DROP_INS = 256 };

struct unit_paths {
    struct unit_name name;
    const char *fragment;                    /* the unit file itself, absolute */
    const char *drop_ins[UNIT_PATH_DROP_INS]; /* in the order in which they are read */
    size_t count;
};

/* Finds the files of a unit. `argument` is a path; or, where no such file is, a plain name that is
 * looked for where systemd does. The file of an instance may be that of its template. Drop-ins lie
 * beside the file, or in any of systemd's directories for a plain name: NAME.d/, TEMPLATE.d/, those
 * of the name cut at each dash (a-b.service: a-.service.d/), service.d/. All texts are in the
 * arena. 0; -errno with what is wrong in `wrong`. */
int unit_path_find(struct arena *arena, const char *argument, struct unit_paths *paths,
                   char wrong[512]);
