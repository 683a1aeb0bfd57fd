/* The settings of one process while they are being read, by systemd's rules: a later value of a
 * single setting wins, values of a list add up, an empty value forgets what came before. They may
 * come from -p options or from lines of a unit file. */
#pragma once

#include "common/arena.h"
#include "protocol/property.h"

struct settings_line;

struct settings {
    struct holden_properties properties; /* valid to send after settings_finish() */
    struct arena arena;                  /* owns everything that `properties` points to */
    const char *user;                    /* User= as written, or NULL */
    const char *profile;                 /* path of SeccompProfile=, or NULL */
    struct holden_repeated base;         /* variables that Environment= and its like replace */
    struct specifier *specifier;         /* for command lines of a unit file, else NULL; borrowed */
    struct settings_line *first, *last;  /* all that has been assigned, for Sandbox= */
    char wrong[1024];                    /* after a failure: one line that says what is wrong */
};

/* Releases what the settings own. */
void settings_free(struct settings *settings);

/* Reads one setting. 0; or -EINVAL with settings->wrong set: an unknown name (with the nearest
 * known one), a value that is none, or one out of bounds; -ENOMEM likewise. */
int settings_assign(struct settings *settings, const char *name, const char *value);

/* The same for "NAME=VALUE". */
int settings_assign_text(struct settings *settings, const char *text);

/* Turns what only the client can resolve into what the agent takes: User= by the name service, ~ in
 * WorkingDirectory=, EnvironmentFile=, PassEnvironment=, SeccompProfile=. To be called once, after
 * the last assignment. 0; or a negative error with settings->wrong set. */
int settings_finish(struct settings *settings);

/* For those who read values (the syntax table): */

/* Writes one line to settings->wrong, control characters as '?', and returns -EINVAL. */
int settings_refuse(struct settings *settings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The member of a property in settings->properties. */
void *settings_member(struct settings *settings, size_t index);

/* Sets a single value, copied from `value` by the type of the property. 0. */
int settings_set(struct settings *settings, size_t index, const void *value);

/* Appends to a list; `size` is that of the element. 0, or -ENOMEM. */
int settings_append(struct settings *settings, size_t index, const void *element, size_t size);

/* Forgets a setting. */
void settings_reset(struct settings *settings, size_t index);

/* Whether it is set. */
bool settings_has(const struct settings *settings, size_t index);

/* Copies a text into the arena: 0 with *view, or -ENOMEM. */
int settings_text(struct settings *settings, const char *text, size_t size,
                  struct holden_view *view);
