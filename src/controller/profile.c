#include "controller/profile.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "controller/profile_reader.h"

enum { PROFILE_MOST = 4 << 20 };

static const struct profile_machine machines[] = {
    {"x86_64", "SCMP_ARCH_X86_64", "amd64"},      {"aarch64", "SCMP_ARCH_AARCH64", "arm64"},
    {"i686", "SCMP_ARCH_X86", "386"},             {"armv7l", "SCMP_ARCH_ARM", "arm"},
    {"ppc64le", "SCMP_ARCH_PPC64LE", "ppc64le"},  {"s390x", "SCMP_ARCH_S390X", "s390x"},
    {"riscv64", "SCMP_ARCH_RISCV64", "riscv64"},  {"mips64", "SCMP_ARCH_MIPSEL64", "mips64le"},
};

static void release_json(json_t **value) {
    json_decref(*value);
}

static void find_machine(struct profile_reader *reader) {
    struct utsname name;
    if (uname(&name) < 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
        if (strcmp(machines[i].uname, name.machine) == 0)
            reader->machine = &machines[i];
    if (sscanf(name.release, "%u.%u", &reader->kernel[0], &reader->kernel[1]) != 2)
        reader->kernel[0] = reader->kernel[1] = 0;
}

/* Profiles hold unsigned 64-bit numbers, which the JSON library takes for signed ones: those of 19
 * digits and more are put into quotes, and profile_number() reads them from there. */
static int quote_long_numbers(struct holden_view text, struct buffer *out) {
    bool in_string = false;
    int r = 0;
    for (size_t i = 0; r == 0 && i < text.size;) {
        size_t digits = 0;
        while (!in_string && i + digits < text.size &&
               isdigit((unsigned char)text.data[i + digits]))
            digits++;
        if (digits >= 19)
            r = buffer_printf(out, "\"%.*s\"", (int)digits, text.data + i);
        else if (in_string && text.data[i] == '\\' && i + 1 < text.size)
            r = buffer_append(out, text.data + i, digits = 2);
        else
            r = buffer_append(out, text.data + i, digits ? digits : 1);
        if (digits == 0 && text.data[i] == '"')
            in_string = !in_string;
        i += digits ? digits : 1;
    }
    return r;
}

static int add_architecture(struct profile_reader *reader, json_t *value, struct buffer *list) {
    struct holden_view view;
    if (!json_is_string(value))
        return profile_refuse(reader, "an architecture must be a string");
    size_t most = holden_record_seccomp_profile.fields[HOLDEN_INDEX(seccomp_profile, architecture)]
                      .bound;
    if (json_string_length(value) > most)
        return profile_refuse(reader, "unknown architecture %.60s", json_string_value(value));
    int r =
        settings_text(reader->settings, json_string_value(value), json_string_length(value), &view);
    return r < 0 ? r : buffer_append(list, &view, sizeof(view));
}

static int add_architectures(struct profile_reader *reader, json_t *values, struct buffer *list) {
    size_t i;
    json_t *value;
    json_array_foreach(values, i, value) {
        int r = add_architecture(reader, value, list);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The row of "archMap" that is this machine's, with its sub-architectures. */
static int add_mapped(struct profile_reader *reader, json_t *map, struct buffer *list) {
    size_t i;
    json_t *row;
    json_array_foreach(map, i, row) {
        const char *name = NULL;
        json_t *more = NULL;
        int r = profile_string(reader, row, "architecture", &name);
        if (r == 0)
            r = profile_array(reader, row, "subArchitectures", &more);
        if (r < 0)
            return r;
        if (!name || !reader->machine || strcmp(name, reader->machine->seccomp) != 0)
            continue;
        r = add_architecture(reader, json_object_get(row, "architecture"), list);
        return r < 0 ? r : add_architectures(reader, more, list);
    }
    return 0;
}

/* Moves a gathered list into the arena as the items of a repeated field. */
static int keep_list(struct settings *settings, const struct buffer *list, size_t element,
                     struct holden_repeated *out) {
    char *items = arena_copy(&settings->arena, (const char *)buffer_bytes(list), list->size);
    if (!items)
        return -ENOMEM;
    *out = (struct holden_repeated){.count = (uint32_t)(list->size / element), .items = items};
    return 0;
}

static int read_architectures(struct profile_reader *reader, json_t *root,
                              struct holden_seccomp_profile *profile) {
    _cleanup_(buffer_free) struct buffer list = {0};
    json_t *map = NULL;
    json_t *names = NULL;
    int r = profile_array(reader, root, "archMap", &map);
    if (r == 0)
        r = profile_array(reader, root, "architectures", &names);
    if (r < 0)
        return r;
    if (json_array_size(map) > 0 && json_array_size(names) > 0)
        return profile_refuse(reader, "has both archMap and architectures; only one makes sense");
    r = add_architectures(reader, names, &list);
    if (r == 0)
        r = add_mapped(reader, map, &list);
    if (r < 0 || list.size == 0)
        return r;
    HOLDEN_MARK(profile, seccomp_profile, architecture);
    return keep_list(reader->settings, &list, sizeof(struct holden_view), &profile->architecture);
}

static int read_rules(struct profile_reader *reader, json_t *root,
                      struct holden_seccomp_profile *profile) {
    _cleanup_(buffer_free) struct buffer list = {0};
    json_t *rules = NULL;
    json_t *rule;
    size_t i;
    int r = profile_array(reader, root, "syscalls", &rules);
    if (r < 0)
        return r;
    json_array_foreach(rules, i, rule) {
        snprintf(reader->place, sizeof(reader->place), "syscalls[%zu]: ", i);
        r = profile_rule(reader, rule, profile, &list);
        if (r < 0)
            return r;
    }
    reader->place[0] = '\0';
    if (list.size == 0)
        return 0;
    HOLDEN_MARK(profile, seccomp_profile, rule);
    return keep_list(reader->settings, &list, sizeof(struct holden_nested), &profile->rule);
}

/* Flags of seccomp(2). Without TSYNC nothing changes for a process of one thread; the other two are
 * about logging and speed. */
static int check_flags(struct profile_reader *reader, json_t *root) {
    json_t *flags = NULL;
    json_t *flag;
    size_t i;
    int r = profile_array(reader, root, "flags", &flags);
    if (r < 0)
        return r;
    json_array_foreach(flags, i, flag) {
        const char *name = json_is_string(flag) ? json_string_value(flag) : "?";
        if (strcmp(name, "SECCOMP_FILTER_FLAG_TSYNC") == 0)
            continue;
        if (strcmp(name, "SECCOMP_FILTER_FLAG_LOG") != 0 &&
            strcmp(name, "SECCOMP_FILTER_FLAG_SPEC_ALLOW") != 0)
            return profile_refuse(reader, "flag %s is not supported", name);
        log_warning("%s: flag %s is ignored", reader->name, name);
    }
    return 0;
}

static int check_members(struct profile_reader *reader, json_t *root) {
    static const char *const known[] = {"defaultAction", "defaultErrnoRet", "defaultErrno",
                                        "archMap",       "architectures",   "syscalls",
                                        "flags",         "comment"};
    const char *key;
    json_t *value;
    if (json_object_get(root, "listenerPath") || json_object_get(root, "listenerMetadata"))
        return profile_refuse(reader,
                              "listenerPath: handing system calls to a listener is not supported");
    json_object_foreach(root, key, value) {
        size_t i = 0;
        while (i < ARRAY_SIZE(known) && strcmp(known[i], key) != 0)
            i++;
        if (i == ARRAY_SIZE(known))
            log_warning("%s: unknown member \"%s\" is ignored", reader->name, key);
    }
    return check_flags(reader, root);
}

static int read_root(struct profile_reader *reader, json_t *root,
                     struct holden_seccomp_profile *profile) {
    const char *action = NULL;
    bool given = false;
    if (!json_is_object(root))
        return profile_refuse(reader, "is not a JSON object");
    int r = check_members(reader, root);
    if (r == 0)
        r = profile_string(reader, root, "defaultAction", &action);
    if (r == 0 && !action)
        r = profile_refuse(reader, "defaultAction is missing");
    if (r == 0)
        r = profile_action(reader, action, &profile->default_action);
    if (r < 0)
        return r;
    HOLDEN_MARK(profile, seccomp_profile, default_action);
    r = profile_error(reader, root, "defaultErrnoRet", "defaultErrno", &profile->default_error,
                      &given);
    if (r == 0 && given)
        HOLDEN_MARK(profile, seccomp_profile, default_error);
    if (r == 0)
        r = read_architectures(reader, root, profile);
    return r < 0 ? r : read_rules(reader, root, profile);
}

int profile_parse(struct settings *settings, const char *name, struct holden_view text) {
    struct profile_reader reader = {.settings = settings, .name = name};
    _cleanup_(buffer_free) struct buffer quoted = {0};
    json_error_t error;
    int r = quote_long_numbers(text, &quoted);
    if (r < 0)
        return r;
    _cleanup_(release_json) json_t *root = json_loadb((const char *)buffer_bytes(&quoted),
                                                      quoted.size, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return profile_refuse(&reader, "line %d: %s", error.line, error.text);
    struct holden_seccomp_profile *profile = arena_take(&settings->arena, sizeof(*profile));
    if (!profile)
        return -ENOMEM;
    find_machine(&reader);
    r = read_root(&reader, root, profile);
    return r < 0 ? r : settings_set(settings, HOLDEN_INDEX(properties, seccomp_profile),
                                    &(struct holden_nested){.value = profile});
}

int profile_finish(struct settings *settings) {
    _cleanup_(buffer_free) struct buffer text = {0};
    if (!HOLDEN_HAS(&settings->properties, properties, seccomp_profile))
        return 0;
    int r = file_read_all(AT_FDCWD, settings->profile, PROFILE_MOST, &text);
    if (r < 0)
        return settings_refuse(settings, "SeccompProfile=%s: %s", settings->profile, strerror(-r));
    return profile_parse(settings, settings->profile,
                         (struct holden_view){(const char *)buffer_bytes(&text), text.size});
}
