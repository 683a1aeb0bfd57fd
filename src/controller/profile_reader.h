/* What the parts of the profile reader share: where they are, and helpers over JSON. */
#pragma once

#include <jansson.h>

#include "controller/settings.h"

/* The machine as profiles name it. */
struct profile_machine {
    const char *uname;    /* utsname.machine */
    const char *seccomp;  /* SCMP_ARCH_X86_64 */
    const char *go;       /* amd64, as conditions have it */
};

struct profile_reader {
    struct settings *settings;
    const char *name;     /* of the file */
    char place[64];       /* "syscalls[3]", or empty */
    const struct profile_machine *machine; /* NULL for one that no profile knows */
    unsigned kernel[2];   /* version and its first part behind the point */
};

/* Writes "SeccompProfile=FILE: PLACE: …" to settings->wrong and returns -EINVAL. */
int profile_refuse(struct profile_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A member that must be a string, an array or a whole number from 0 on where it is there. 0 with
 * the value, which stays NULL or unchanged where it is missing or null; or refused. Numbers may be
 * written as strings of digits. */
int profile_string(struct profile_reader *reader, json_t *object, const char *key,
                   const char **value);
int profile_array(struct profile_reader *reader, json_t *object, const char *key, json_t **value);
int profile_number(struct profile_reader *reader, json_t *object, const char *key, uint64_t *value,
                   bool *given);

/* Refuses members of an object that are not in `known`. */
int profile_only(struct profile_reader *reader, json_t *object, const char *const *known,
                 size_t count);

/* An action by its name. 0 with a number of enum holden_seccomp_action_values; or refused. */
int profile_action(struct profile_reader *reader, const char *name, uint32_t *action);

/* An error number, from `number_key` or, by name, from `name_key`. *given tells whether it was
 * there. */
int profile_error(struct profile_reader *reader, json_t *object, const char *number_key,
                  const char *name_key, uint32_t *error, bool *given);

/* Whether a rule's conditions hold for this process, machine and kernel. 1, 0, or refused. */
int profile_applies(struct profile_reader *reader, json_t *rule);

/* Appends to `rules` (struct holden_nested, one or more) what one element of "syscalls" says. 0; or
 * refused. Nothing is added where its conditions do not hold, or where it says what the default
 * says already. */
int profile_rule(struct profile_reader *reader, json_t *rule,
                 const struct holden_seccomp_profile *profile, struct buffer *rules);
