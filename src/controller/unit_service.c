/* The directives of a unit that are no properties, and what they come to in the end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/name.h"
#include "controller/condition.h"
#include "controller/exec_setting.h"
#include "controller/unit.h"
#include "controller/words.h"
#include "protocol/sandbox.h"

static struct arena *arena_of(struct unit *unit) {
    return &unit->launch.settings.arena;
}

static int refuse(struct unit *unit, const struct unit_setting *setting, const char *why) {
    int r = unit_note(unit, UNIT_REFUSED, setting, why);
    return r < 0 ? r : -EINVAL;
}

static int expand(struct unit *unit, const struct unit_setting *setting, struct buffer *text) {
    char why[128];
    int r = specifier_expand(&unit->specifier, setting->value, text);
    if (r == 0)
        return buffer_append(text, "", 1);
    if (r == -ENOMEM)
        return r;
    snprintf(why, sizeof(why), "%%%c has no value here: %s", unit->specifier.wrong, strerror(-r));
    return refuse(unit, setting, why);
}

/* ---- what was set, for `verify` ---- */

static void forget_values(struct unit *unit, const char *name) {
    for (struct unit_value **at = &unit->values; *at;)
        if (strcmp((*at)->name, name) == 0)
            *at = (*at)->next;
        else
            at = &(*at)->next;
}

static int keep_value(struct unit *unit, const struct unit_setting *setting, const char *name) {
    struct unit_value *value = arena_take(arena_of(unit), sizeof(*value));
    struct unit_value **end = &unit->values;
    if (!value)
        return -ENOMEM;
    *value = (struct unit_value){.name = name, .value = setting->value,
                                 .origin = {.file = setting->file, .line = setting->line}};
    while (*end)
        end = &(*end)->next;
    *end = value;
    return 0;
}

/* ---- one directive each ---- */

typedef int take(struct unit *unit, const struct unit_setting *setting, const char *name);

static int take_start(struct unit *unit, const struct unit_setting *setting, const char *name) {
    char wrong[160];
    struct exec_list more = {0};
    if (!*setting->value) {
        unit->start = (struct exec_list){0};
        forget_values(unit, name);
        return 0;
    }
    int r = exec_line_parse(arena_of(unit), &unit->specifier, setting->value, &more, wrong);
    if (r < 0)
        return r == -EINVAL ? refuse(unit, setting, wrong) : r;
    if (!unit->start.end)
        unit->start.end = &unit->start.first;
    *unit->start.end = more.first;
    unit->start.end = more.end;
    return keep_value(unit, setting, name);
}

static int take_timeout(struct unit *unit, const struct unit_setting *setting, const char *name) {
    struct settings *settings = &unit->launch.settings;
    if (settings_assign(settings, "TimeoutStopSec", setting->value) < 0 ||
        settings_assign(settings, "TimeoutStartSec", setting->value) < 0)
        return refuse(unit, setting, unit->launch.settings.wrong);
    forget_values(unit, name);
    return *setting->value ? keep_value(unit, setting, name) : 0;
}

/* ---- conditions ---- */

/* Conditions are looked at when all have been read: an empty value takes all back. */
static int take_condition(struct unit *unit, const struct unit_setting *setting,
                          const char *name) {
    const char *kind = strncmp(name, "Assert", 6) == 0 ? "Assert" : "Condition";
    if (*setting->value)
        return keep_value(unit, setting, name);
    for (struct unit_value **at = &unit->values; *at;)
        if (strncmp((*at)->name, kind, strlen(kind)) == 0)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    return 0;
}

struct verdict {
    bool assertion;
    bool any, one;                   /* of those with |: there are some, and one holds */
    const struct unit_value *failed; /* the first without | that does not hold */
    const struct unit_value *last;   /* the last with | */
};

static int check_condition(struct unit *unit, const struct unit_value *value,
                           struct verdict *verdict) {
    _cleanup_(buffer_free) struct buffer text = {0};
    const char *at = value->value;
    char why[160];
    bool trigger = *at == '|', holds;
    at += trigger;
    bool negated = *at == '!';
    at += negated;
    const struct unit_setting setting = {.name = value->name, .value = at,
                                         .file = value->origin.file, .line = value->origin.line};
    int r = expand(unit, &setting, &text);
    if (r < 0)
        return r;
    r = condition_check(value->name, (const char *)buffer_bytes(&text), &holds, why);
    if (r < 0)
        return refuse(unit, &setting, why);
    holds = holds != negated;
    if (trigger) {
        verdict->any = true;
        verdict->one = verdict->one || holds;
        verdict->last = value;
    } else if (!holds && !verdict->failed) {
        verdict->failed = value;
    }
    return 0;
}

static int check_conditions(struct unit *unit, bool assertions) {
    struct verdict verdict = {.assertion = assertions};
    for (const struct unit_value *at = unit->values; at; at = at->next) {
        bool assertion = strncmp(at->name, "Assert", 6) == 0;
        if (assertion != assertions || (!assertion && strncmp(at->name, "Condition", 9) != 0))
            continue;
        int r = check_condition(unit, at, &verdict);
        if (r < 0)
            return r == -EINVAL ? 0 : r;
    }
    if (!verdict.failed && verdict.any && !verdict.one)
        verdict.failed = verdict.last;
    if (!verdict.failed)
        return 0;
    const struct unit_value *failed = verdict.failed;
    _cleanup_(buffer_free) struct buffer text = {0};
    char file[WORDS_SHOWN], value[WORDS_SHOWN];
    if (buffer_printf(&text, "%s:%u: %s=%s does not hold", words_show(failed->origin.file, file),
                      failed->origin.line, failed->name, words_show(failed->value, value)) < 0 ||
        buffer_append(&text, "", 1) < 0)
        return -ENOMEM;
    if (assertions)
        return unit_note(unit, UNIT_REFUSED, NULL, (const char *)buffer_bytes(&text));
    unit->unmet = arena_copy(arena_of(unit), (const char *)buffer_bytes(&text), text.size);
    return unit->unmet ? 0 : -ENOMEM;
}

static const struct { const char *name; take *take; } takers[] = {
    {"ExecStart", take_start},
    {"TimeoutSec", take_timeout},
};

int unit_take(struct unit *unit, const struct unit_setting *setting, const char *name) {
    for (size_t i = 0; i < ARRAY_SIZE(takers); i++)
        if (strcmp(takers[i].name, name) == 0)
            return takers[i].take(unit, setting, name);
    if (condition_known(name))
        return take_condition(unit, setting, name);
    return -ENOENT;
}

/* ---- in the end ---- */

/* The line that an error of settings_finish() is about is found by the name that the error begins
 * with. */
static int refuse_settings(struct unit *unit) {
    const char *wrong = unit->launch.settings.wrong;
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        const char *name = holden_property(i)->name;
        size_t size = strlen(name);
        if (!unit->origins[i] || strncmp(wrong, name, size) != 0 || wrong[size] != '=')
            continue;
        const struct unit_setting setting = {.name = name, .file = unit->origins[i]->file,
                                             .line = unit->origins[i]->line};
        return unit_note(unit, UNIT_REFUSED, &setting, wrong + size + 1);
    }
    return unit_note(unit, UNIT_REFUSED, NULL, wrong);
}

/* What systemd gives a service and Holden's own starts do not. */
static int set_defaults(struct unit *unit) {
    struct settings *settings = &unit->launch.settings;
    int r = 0;
    if (!HOLDEN_HAS(&settings->properties, properties, timeout_stop))
        r = settings_assign(settings, "TimeoutStopSec", "90s");
    const struct holden_properties *p = &settings->properties;
    if (r == 0 && !HOLDEN_HAS(p, properties, ignore_sigpipe))
        r = settings_assign(settings, "IgnoreSIGPIPE", "yes");
    if (r == 0 && geteuid() == 0 && !HOLDEN_HAS(p, properties, keyring_mode))
        r = settings_assign(settings, "KeyringMode", "private");
    unit->oneshot = HOLDEN_HAS(p, properties, service_type) &&
                    p->service_type == HOLDEN_service_type_ONESHOT;
    if (r == 0 && !unit->oneshot)
        r = settings_assign(settings, "SuccessExitStatus", "SIGHUP SIGINT SIGTERM SIGPIPE");
    bool waits = HOLDEN_HAS(p, properties, exec_condition) ||
                 HOLDEN_HAS(p, properties, exec_start_pre) ||
                 HOLDEN_HAS(p, properties, exec_start_post) ||
                 HOLDEN_HAS(p, properties, exec_reload) ||
                 (HOLDEN_HAS(p, properties, service_type) &&
                  p->service_type >= HOLDEN_service_type_FORKING);
    if (r == 0 && !unit->oneshot && waits && !HOLDEN_HAS(p, properties, timeout_start))
        r = settings_assign(settings, "TimeoutStartSec", "90s");
    return r;
}

static int refuse_unit(struct unit *unit, const char *why) {
    char file[WORDS_SHOWN], text[256];
    snprintf(text, sizeof(text), "%s: %s", words_show(unit->file.paths.fragment, file), why);
    return unit_note(unit, UNIT_REFUSED, NULL, text);
}

static int set_name(struct unit *unit, const char *name) {
    if (!name)
        name = unit->file.paths.name.stem;
    unit->launch.shown = name;
    HOLDEN_SET(&unit->launch.start, start, name, holden_view(name));
    if (name_valid(name, strlen(name)))
        return 0;
    return refuse_unit(unit, "the unit's name is none that a process can have (" NAME_RULE
                             "); give one with --name");
}

static int set_command(struct unit *unit) {
    struct launch *launch = &unit->launch;
    const struct exec_command *command = unit->start.first;
    struct holden_view *words;
    uint32_t count;
    if (!command)
        return refuse_unit(unit, "nothing to run: there is no ExecStart=");
    if (command->next && !unit->oneshot)
        return refuse_unit(unit,
                           "more than one command in ExecStart=, which only Type=oneshot has");
    while (command->next)
        command = command->next;
    int r = exec_line_expand(arena_of(unit), command, launch->settings.properties.environment,
                             &words, &count, NULL);
    if (r < 0)
        return r;
    unit->ignore_failure = command->ignore_failure;
    if (command->ignore_failure)
        HOLDEN_SET(&launch->start, start, ignore_failure, true);
    HOLDEN_SET(&launch->start, start, argument,
               (struct holden_repeated){.count = count, .items = words});
    if (command->named)
        HOLDEN_SET(&launch->start, start, program, holden_view(command->program));
    if (exec_line_rights(command) != HOLDEN_exec_rights_UNIT)
        HOLDEN_SET(&launch->start, start, rights, exec_line_rights(command));
    if (unit->oneshot)
        HOLDEN_SET(&launch->start, start, wait, true);
    return 0;
}

/* All commands of a oneshot unit but the last one: they run in turn, and each must end well. That
 * is what ExecStartPre= does. */
static int add_first_commands(struct unit *unit) {
    const size_t index = HOLDEN_INDEX(properties, exec_start_pre);
    int r = 0;
    for (struct exec_command *at = unit->start.first; r == 0 && at && at->next && unit->oneshot;
         at = at->next)
        r = exec_setting_add(&unit->launch.settings, index, at, true);
    return r;
}

static bool in_sandbox(uint32_t sandbox, const char *name) {
    for (const struct sandbox_setting *at = sandbox_first(sandbox); at; at = sandbox_next(at))
        if (strcmp(at->name, name) == 0)
            return true;
    return false;
}

/* What is set by Sandbox= comes from its line, lists from there first. */
static void note_sandbox(struct unit *unit) {
    const struct holden_properties *p = &unit->launch.settings.properties;
    struct unit_origin *origin = unit->origins[HOLDEN_INDEX(properties, sandbox)];
    if (!HOLDEN_HAS(p, properties, sandbox) || !origin)
        return;
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        struct unit_origin **end = &unit->origins[i];
        if (!in_sandbox(p->sandbox, holden_property(i)->name) || !holden_has(p, i) ||
            (*end && !holden_record_properties.fields[i].repeated))
            continue;
        while (*end)
            end = &(*end)->next;
        *end = origin;
    }
}

/* A slice runs nothing: it is limits, and conditions for them to be set. */
static int finish_slice(struct unit *unit, const char *name) {
    unit->launch.shown = unit->file.paths.name.full;
    int r = name ? refuse_unit(unit, "--name is for services; a slice has its file's name") : 0;
    if (r == 0)
        r = settings_finish(&unit->launch.settings);
    if (r < 0)
        return r == -ENOMEM ? r : refuse_settings(unit);
    for (int assertions = 0; r == 0 && !unit->refused && assertions < 2; assertions++)
        r = check_conditions(unit, assertions);
    return r;
}

int unit_finish(struct unit *unit, const char *name) {
    struct settings *settings = &unit->launch.settings;
    if (unit->file.paths.name.slice)
        return finish_slice(unit, name);
    note_sandbox(unit);
    int r = set_name(unit, name);
    if (r == 0)
        r = set_defaults(unit);
    if (r < 0)
        return r;
    r = add_first_commands(unit);
    if (r < 0)
        return r;
    r = settings_finish(settings);
    if (r < 0)
        return r == -ENOMEM ? r : refuse_settings(unit);
    if (unit->refused)
        return 0;
    r = set_command(unit);
    for (int assertions = 0; r == 0 && !unit->refused && assertions < 2; assertions++)
        r = check_conditions(unit, assertions);
    HOLDEN_SET(&unit->launch.start, start, properties,
               (struct holden_nested){.value = &settings->properties});
    return r;
}
