/* "includes" and "excludes" of a rule: capabilities that the process has, the machine, the kernel.
 * */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "controller/identity.h"
#include "controller/profile_reader.h"

static bool in_names(const struct holden_names *names, const char *capability) {
    struct holden_view name;
    for (struct holden_repeated left = names->name; holden_next_view(&left, &name);)
        if (name.size == strlen(capability) && strncasecmp(name.data, capability, name.size) == 0)
            return true;
    return false;
}

/* Whether the lists of CapabilityBoundingSet= or AmbientCapabilities= leave a capability in. */
static bool lists_hold(struct holden_repeated lists, const char *capability) {
    struct holden_nested nested;
    bool held = false;
    for (bool first = true; holden_next_record(&lists, &nested); first = false) {
        const struct holden_names *names = nested.value;
        bool named = in_names(names, capability);
        if (first)
            held = named != names->inverted;
        else if (named)
            held = !names->inverted;
    }
    return held;
}

/* The bounding set where one is given; otherwise root has all, and a user the ambient ones. */
static bool process_has(const struct profile_reader *reader, const char *capability) {
    const struct holden_properties *properties = &reader->settings->properties;
    if (HOLDEN_HAS(properties, properties, capability_bounding_set))
        return lists_hold(properties->capability_bounding_set, capability);
    return identity_is_root(reader->settings) ||
           lists_hold(properties->ambient_capabilities, capability);
}

/* One condition's members, as far as they are there. */
struct condition {
    json_t *caps;
    json_t *arches;
    const char *kernel;
};

static int read_condition(struct profile_reader *reader, json_t *rule, const char *key,
                          struct condition *condition) {
    static const char *const known[] = {"caps", "arches", "minKernel"};
    json_t *object = json_object_get(rule, key);
    if (!object || json_is_null(object))
        return 0;
    int r = profile_only(reader, object, known, ARRAY_SIZE(known));
    if (r == 0)
        r = profile_array(reader, object, "caps", &condition->caps);
    if (r == 0)
        r = profile_array(reader, object, "arches", &condition->arches);
    return r < 0 ? r : profile_string(reader, object, "minKernel", &condition->kernel);
}

static bool names_machine(const struct profile_reader *reader, json_t *arches) {
    size_t i;
    json_t *value;
    json_array_foreach(arches, i, value)
        if (reader->machine && json_is_string(value) &&
            strcmp(json_string_value(value), reader->machine->go) == 0)
            return true;
    return false;
}

/* How many of the capabilities the process has. */
static size_t count_held(const struct profile_reader *reader, json_t *caps) {
    size_t held = 0;
    size_t i;
    json_t *value;
    json_array_foreach(caps, i, value)
        held += json_is_string(value) && process_has(reader, json_string_value(value));
    return held;
}

/* Whether the kernel is of that version or newer. 1, 0, or refused. */
static int kernel_reached(struct profile_reader *reader, const char *least) {
    unsigned version;
    unsigned part;
    if (sscanf(least, "%u.%u", &version, &part) != 2)
        return profile_refuse(reader, "minKernel %.20s is not of the form 4.8", least);
    return reader->kernel[0] > version ||
           (reader->kernel[0] == version && reader->kernel[1] >= part);
}

/* All of "includes" must hold. */
static int included(struct profile_reader *reader, const struct condition *condition) {
    if (json_array_size(condition->arches) > 0 && !names_machine(reader, condition->arches))
        return 0;
    if (count_held(reader, condition->caps) < json_array_size(condition->caps))
        return 0;
    return condition->kernel ? kernel_reached(reader, condition->kernel) : 1;
}

/* Any of "excludes" is enough. */
static int excluded(struct profile_reader *reader, const struct condition *condition) {
    if (names_machine(reader, condition->arches) || count_held(reader, condition->caps) > 0)
        return 1;
    return condition->kernel ? kernel_reached(reader, condition->kernel) : 0;
}

int profile_applies(struct profile_reader *reader, json_t *rule) {
    struct condition includes = {0};
    struct condition excludes = {0};
    int r = read_condition(reader, rule, "includes", &includes);
    if (r == 0)
        r = read_condition(reader, rule, "excludes", &excludes);
    if (r < 0)
        return r;
    r = excluded(reader, &excludes);
    return r < 0 ? r : r > 0 ? 0 : included(reader, &includes);
}
