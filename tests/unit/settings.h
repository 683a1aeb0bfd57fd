/* Settings and seccomp profiles, put together by a few words. What is pointed at lies in the
 * structs here, so that they must stay where they are. */
#pragma once

#include "protocol/message.h"

enum { SETTINGS_LISTS = 4, SETTINGS_NAMES = 512, SETTINGS_RULES = 8, SETTINGS_CONDITIONS = 4 };

/* Properties with room for the lists of names of one of them. */
struct properties {
    struct holden_properties all;
    struct holden_names lists[SETTINGS_LISTS];
    struct holden_nested nested[SETTINGS_LISTS];
    struct holden_view names[SETTINGS_LISTS][SETTINGS_NAMES];
    uint32_t errors[SETTINGS_LISTS][SETTINGS_NAMES];
    struct holden_view architectures[SETTINGS_LISTS];
};

/* A list as people write it: its names, NULL-terminated, the first with a leading ~ where it is
 * inverted, "NAME:ERROR" where it has an error of its own; LIST("") is the empty list. */
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The repeated field that holds these lists (at most SETTINGS_LISTS, closed by NULL). */
struct holden_repeated properties_lists(struct properties *properties,
                                        const char *const *const *lists);

/* Sets SystemCallFilter to the lists given; each is a LIST(). */
#define properties_calls(into, ...)                              \
    HOLDEN_SET(&(into)->all, properties, system_call_filter,     \
               properties_lists(into, (const char *const *const[]){__VA_ARGS__, NULL}))

/* Sets SystemCallArchitectures to the names given. */
#define properties_architectures(into, ...)                                \
    HOLDEN_SET(&(into)->all, properties, system_call_architectures,  \
               settings_views((into)->architectures, LIST(__VA_ARGS__)))

/* Sets SystemCallErrorNumber. */
void properties_error(struct properties *properties, uint32_t error);

/* Views of the strings up to NULL, as a repeated field. */
struct holden_repeated settings_views(struct holden_view *views, const char *const *strings);

/* A profile with room for its rules. */
struct profile {
    struct holden_seccomp_profile all;
    size_t count;
    struct holden_seccomp_rule rules[SETTINGS_RULES];
    struct holden_nested nested[SETTINGS_RULES];
    struct holden_view names[SETTINGS_RULES][SETTINGS_LISTS];
    struct holden_seccomp_argument conditions[SETTINGS_RULES][SETTINGS_CONDITIONS];
    struct holden_nested nested_conditions[SETTINGS_RULES][SETTINGS_CONDITIONS];
    struct holden_view architectures[SETTINGS_LISTS];
};

/* Sets the action for calls that no rule names. */
void profile_begin(struct profile *profile, uint32_t action);

/* Adds a rule for the calls given; an error of 0 is left out. */
#define profile_rule(profile, action, error, ...) \
    profile_add_rule(profile, action, error, LIST(__VA_ARGS__))
void profile_add_rule(struct profile *profile, uint32_t action, uint32_t error,
                      const char *const *names);

/* Adds a condition to the last rule. */
void profile_condition(struct profile *profile, uint32_t index, uint32_t operator, uint64_t value,
                       uint64_t value_two);

/* Sets the architectures. */
#define profile_architectures(into, ...)                             \
    HOLDEN_SET(&(into)->all, seccomp_profile, architecture,       \
               settings_views((into)->architectures, LIST(__VA_ARGS__)))

/* Properties as the agent gets them: encoded and decoded again. */
struct wire {
    struct buffer bytes;
    struct holden_properties decoded;
};

/* Passes properties over the wire. Returns the decoded ones, valid until wire_free(). */
const struct holden_properties *wire_pass(struct wire *wire,
                                          const struct holden_properties *properties);
void wire_free(struct wire *wire);
