#include "controller/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/spelling.h"
#include "controller/unit_reword.h"
#include "controller/words.h"

void unit_free(struct unit *unit) {
    launch_free(&unit->launch);
}

static struct arena *arena_of(struct unit *unit) {
    return &unit->launch.settings.arena;
}

/* ---- findings ---- */

static void append(struct unit *unit, struct unit_finding *finding) {
    struct unit_finding **end = &unit->findings;
    while (*end)
        end = &(*end)->next;
    *end = finding;
}

static void sum_up(struct unit *unit) {
    unit->refused = unit->warned = false;
    for (const struct unit_finding *at = unit->findings; at; at = at->next) {
        unit->refused = unit->refused || at->kind == UNIT_REFUSED;
        unit->warned = unit->warned || at->kind == UNIT_WARNED;
    }
}

int unit_note(struct unit *unit, enum unit_finding_kind kind, const struct unit_setting *setting,
              const char *why) {
    struct unit_finding *finding = arena_take(arena_of(unit), sizeof(*finding));
    char *text = arena_copy(arena_of(unit), why, strlen(why));
    if (!finding || !text)
        return -ENOMEM;
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    *finding = (struct unit_finding){.kind = kind, .name = "", .why = text};
    if (setting) {
        finding->file = setting->file;
        finding->line = setting->line;
        finding->name = setting->name;
    }
    append(unit, finding);
    sum_up(unit);
    return 0;
}

int unit_finding_print(const struct unit_finding *finding, struct buffer *out) {
    char file[WORDS_SHOWN], name[WORDS_SHOWN];
    static const char *const verdicts[] = {
        [UNIT_IGNORED] = "ignored: ", [UNIT_WARNED] = "ignored: ", [UNIT_REFUSED] = "",
    };
    if (!finding->file)
        return buffer_printf(out, "%s", finding->why);
    int r = buffer_printf(out, "%s:%u: ", words_show(finding->file, file), finding->line);
    if (r == 0 && *finding->name)
        r = buffer_printf(out, "%s=: ", words_show(finding->name, name));
    return r < 0 ? r : buffer_printf(out, "%s%s", verdicts[finding->kind], finding->why);
}

/* A later line that asks for nothing takes back what an earlier one asked for. */
static void forget_findings(struct unit *unit, const char *name) {
    for (struct unit_finding **at = &unit->findings; *at;)
        if ((*at)->file && strcmp((*at)->name, name) == 0)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    sum_up(unit);
}

/* ---- one line ---- */

static int note_origin(struct unit *unit, size_t index, const struct unit_setting *setting) {
    if (!settings_has(&unit->launch.settings, index)) {
        unit->origins[index] = NULL;
        return 0;
    }
    struct unit_origin *origin = arena_take(arena_of(unit), sizeof(*origin));
    if (!origin)
        return -ENOMEM;
    *origin = (struct unit_origin){.file = setting->file, .line = setting->line};
    if (holden_record_properties.fields[index].repeated)
        origin->next = unit->origins[index];
    unit->origins[index] = origin;
    return 0;
}

/* Where % stands for a share, it begins no specifier. */
static bool has_percent(size_t index) {
    switch (holden_property(index)->syntax) {
    case HOLDEN_SYNTAX_SIZE:
    case HOLDEN_SYNTAX_COUNT:
    case HOLDEN_SYNTAX_QUOTA:
    case HOLDEN_SYNTAX_DISK_QUOTA:
    case HOLDEN_SYNTAX_INPUT_TEXT: /* specifiers are put in when it is unescaped */
    case HOLDEN_SYNTAX_INPUT_DATA:
    case HOLDEN_SYNTAX_SET_CREDENTIAL: /* specifiers are put into its name only */
    case HOLDEN_SYNTAX_EXEC: /* specifiers are put into its words */
        return true;
    default:
        return false;
    }
}

/* The value with its specifiers replaced, ended by a NUL, in `text`. 0, or -EINVAL after a note. */
static int expand(struct unit *unit, const struct unit_setting *setting, bool quoted,
                  struct buffer *text) {
    unit->specifier.quoted = quoted;
    int r = specifier_expand(&unit->specifier, setting->value, text);
    unit->specifier.quoted = false;
    if (r == 0)
        return buffer_append(text, "", 1);
    char why[128];
    if (r == -ENOMEM)
        return r;
    snprintf(why, sizeof(why), "%%%c has no value here: %s", unit->specifier.wrong, strerror(-r));
    r = unit_note(unit, UNIT_REFUSED, setting, why);
    return r < 0 ? r : -EINVAL;
}

static int refuse_value(struct unit *unit, const struct unit_setting *setting) {
    const char *wrong = unit->launch.settings.wrong;
    size_t size = strlen(setting->name);
    if (strncmp(wrong, setting->name, size) == 0 && wrong[size] == '=')
        wrong += size + 1;
    return unit_note(unit, UNIT_REFUSED, setting, wrong);
}

static int take_property(struct unit *unit, const struct unit_setting *setting,
                         const struct directive *directive) {
    _cleanup_(buffer_free) struct buffer text = {0};
    const char *value = setting->value;
    size_t index = directive->property;
    if (!has_percent(index)) {
        bool quoted = holden_property(index)->syntax == HOLDEN_SYNTAX_ENVIRONMENT;
        int r = expand(unit, setting, quoted, &text);
        if (r < 0)
            return r == -EINVAL ? 0 : r;
        value = (const char *)buffer_bytes(&text);
    }
    if (!holden_record_properties.fields[index].repeated)
        forget_findings(unit, setting->name);
    const struct reword *reword = unit_reword(directive->name, value);
    int r = reword && reword->why ? unit_note(unit, UNIT_WARNED, setting, reword->why) : 0;
    if (r == 0)
        r = settings_assign(&unit->launch.settings, directive->name,
                            reword ? reword->instead : value);
    if (r == -ENOMEM)
        return r;
    return r < 0 ? refuse_value(unit, setting) : note_origin(unit, index, setting);
}

static int note_unsupported(struct unit *unit, const struct unit_setting *setting,
                            const struct directive *directive) {
    static const enum unit_finding_kind kinds[] = {
        [DIRECTIVE_MOOT] = UNIT_IGNORED, [DIRECTIVE_WARN] = UNIT_WARNED,
        [DIRECTIVE_REFUSE] = UNIT_REFUSED,
    };
    char why[256];
    if (directive_inert(directive, setting->value)) {
        forget_findings(unit, setting->name);
        return 0;
    }
    if (directive->state != DIRECTIVE_REFUSE)
        return unit_note(unit, kinds[directive->state], setting, directive->why);
    snprintf(why, sizeof(why), "not supported: %s; the unit is not started without it",
             directive->why);
    return unit_note(unit, UNIT_REFUSED, setting, why);
}

/* The section of its kind of unit. */
static enum directive_section own_section(const struct unit *unit) {
    return unit->file.paths.name.slice ? DIRECTIVE_SLICE : DIRECTIVE_SERVICE;
}

static int note_unknown(struct unit *unit, const struct unit_setting *setting,
                        enum directive_section section) {
    struct spelling spelling = {.wanted = setting->name};
    struct directive directive;
    char why[256];
    for (size_t i = 0; i <= DIRECTIVE_SECTIONS; i++) {
        enum directive_section other =
            i == 0 ? own_section(unit) : (enum directive_section)(i - 1);
        if (directive_find(other, setting->name, &directive) < 0)
            continue;
        snprintf(why, sizeof(why), "belongs into [%s], not into [%s]",
                 directive_section_name(other), directive_section_name(section));
        return unit_note(unit, UNIT_REFUSED, setting, why);
    }
    for (size_t i = 0; directive_at(i, &directive); i++)
        if (directive.section == section)
            spelling_offer(&spelling, directive.name);
    snprintf(why, sizeof(why), "no such directive in [%s]%s%s", directive_section_name(section),
             spelling.best[0] ? "; did you mean " : "", spelling.best);
    return unit_note(unit, section == own_section(unit) ? UNIT_REFUSED : UNIT_WARNED, setting, why);
}

static int take(struct unit *unit, const struct unit_setting *setting) {
    enum directive_section section;
    struct directive directive;
    if (strncmp(setting->section, "X-", 2) == 0 || strncmp(setting->name, "X-", 2) == 0)
        return 0;
    if (directive_section_find(setting->section, &section) < 0 ||
        (section != own_section(unit) && section != DIRECTIVE_UNIT &&
         section != DIRECTIVE_INSTALL)) {
        char shown[WORDS_SHOWN], why[256];
        snprintf(why, sizeof(why), "[%s] is no section of a %s unit",
                 words_show(setting->section, shown), unit_name_kind(&unit->file.paths.name));
        return unit_note(unit, UNIT_REFUSED, setting, why);
    }
    if (directive_find(section, setting->name, &directive) < 0)
        return note_unknown(unit, setting, section);
    if (directive.state == DIRECTIVE_PROPERTY)
        return take_property(unit, setting, &directive);
    if (directive.state != DIRECTIVE_DONE)
        return note_unsupported(unit, setting, &directive);
    int r = unit_take(unit, setting, directive.name);
    return r == -EINVAL ? 0 : r;
}

int unit_interpret(struct unit *unit, const char *name) {
    int r = 0;
    unit->specifier = (struct specifier){.name = &unit->file.paths.name,
                                         .process = name ? name : unit->file.paths.name.stem,
                                         .socket = unit->socket,
                                         .path = unit->file.paths.fragment};
    unit->launch.settings.specifier = &unit->specifier;
    for (const struct unit_setting *at = unit->file.first; r == 0 && at; at = at->next)
        r = take(unit, at);
    return r < 0 ? r : unit_finish(unit, name);
}

int unit_read(struct unit *unit, const char *argument, const char *name, const char *socket) {
    char wrong[512];
    *unit = (struct unit){.socket = socket};
    int r = unit_file_read(arena_of(unit), argument, &unit->file, wrong);
    if (r < 0)
        return r == -ENOMEM ? r : unit_note(unit, UNIT_REFUSED, NULL, wrong);
    return unit_interpret(unit, name);
}
