#include "agent/policy_rule.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/capability.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/name.h"
#include "common/spelling.h"
#include "protocol/sandbox.h"

enum { WORD_SPACE = 256, RULES_MOST = 1000, LIST_MOST = 1000 };

void policy_complain(struct policy_reading *reading, int line, const char *format, ...) {
    char text[POLICY_COMPLAINT_MOST - 128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    char where[16] = "";
    if (line > 0)
        snprintf(where, sizeof(where), ":%d", line);
    if (reading->complaints++ == 0)
        snprintf(reading->first, sizeof(reading->first), "%.100s%s: %s", reading->path, where,
                 text);
    log_error("%s%s: %s", reading->path, where, text);
}

static void complain_memory(struct policy_reading *reading) {
    policy_complain(reading, reading->line, "no memory");
}

/* A longer list, with room for one more element behind the `count` that it has. NULL after a
 * complaint. */
static void *grow(struct policy_reading *reading, const void *list, size_t count, size_t size) {
    struct arena *arena = &reading->policy->arena;
    void *grown = count < LIST_MOST ? arena_take(arena, (count + 1) * size) : NULL;
    if (!grown)
        complain_memory(reading);
    else if (count > 0)
        memcpy(grown, list, count * size);
    return grown;
}

/* The next word of a value into `word`. False at its end. */
static bool next_word(const char **value, char word[WORD_SPACE]) {
    *value += strspn(*value, " \t");
    size_t size = strcspn(*value, " \t");
    snprintf(word, WORD_SPACE, "%.*s", (int)size, *value);
    *value += size;
    return size > 0;
}

static char *keep(struct policy_reading *reading, const char *text) {
    char *kept = arena_copy(&reading->policy->arena, text, strlen(text));
    if (!kept)
        complain_memory(reading);
    return kept;
}

/* What was written so far and this, for messages. */
static const char *join(struct policy_reading *reading, const char *before, const char *value) {
    char text[2 * WORD_SPACE];
    snprintf(text, sizeof(text), "%s%s%s", before ? before : "", before ? " " : "", value);
    return keep(reading, text);
}

/* ---- the keys ---- */

static void take_effect(struct policy_reading *reading, const char *key, const char *word) {
    if (strcmp(word, "allow") == 0 || strcmp(word, "deny") == 0)
        reading->rule->deny = *word == 'd';
    else
        policy_complain(reading, reading->line, "%s=%s: write allow or deny", key, word);
}

/* A user by name, or by a number that need have none. */
static int look_up(struct policy_reading *reading, const char *key, const char *word,
                   struct group_user *user) {
    char *end;
    unsigned long number = strtoul(word, &end, 10);
    int r = reading->accounts->user(word, user);
    if (r == -ENOENT && *word >= '0' && *word <= '9' && *end == '\0' && number < UINT32_MAX) {
        *user = (struct group_user){.uid = (uid_t)number, .gid = (gid_t)-1};
        return 0;
    }
    if (r == -ENOENT)
        policy_complain(reading, reading->line, "%s=%s: there is no such user", key, word);
    else if (r < 0)
        policy_complain(reading, reading->line, "%s=%s: cannot look that user up: %s", key, word,
                        strerror(-r));
    return r;
}

static void take_user(struct policy_reading *reading, const char *key, const char *word) {
    struct policy_rule *rule = reading->rule;
    struct group_user user;
    if (look_up(reading, key, word, &user) < 0)
        return;
    if (user.uid == 0) {
        policy_complain(reading, reading->line,
                        "%s=%s: root may do everything; take it out, no rule is about it", key,
                        word);
        return;
    }
    uint32_t *list = grow(reading, rule->users, rule->user_count, sizeof(*list));
    if (list) {
        list[rule->user_count++] = user.uid;
        rule->users = list;
    }
}

static void take_group(struct policy_reading *reading, const char *key, const char *word) {
    struct policy_rule *rule = reading->rule;
    char *end;
    unsigned long number = strtoul(word, &end, 10);
    gid_t gid = (gid_t)number;
    int r = *word >= '0' && *word <= '9' && *end == '\0' && number < UINT32_MAX
                ? 0 : reading->accounts->group(word, &gid);
    if (r < 0) {
        policy_complain(reading, reading->line, "%s=%s: %s", key, word,
                        r == -ENOENT ? "there is no such group" : strerror(-r));
        return;
    }
    uint32_t *list = grow(reading, rule->groups, rule->group_count, sizeof(*list));
    if (list) {
        list[rule->group_count++] = gid;
        rule->groups = list;
    }
}

static void take_verb(struct policy_reading *reading, const char *key, const char *word) {
    struct spelling spelling = {.wanted = word};
    uint16_t verb;
    size_t count;
    if (strcmp(word, "any") == 0)
        reading->rule->verbs = UINT64_MAX;
    else if (strcmp(word, "members") == 0)
        reading->rule->verbs |= reading->policy->members.verbs;
    else if (policy_verb_find(holden_view(word), &verb) == 0)
        reading->rule->verbs |= UINT64_C(1) << verb;
    else {
        const struct holden_message_row *rows = holden_messages(&count);
        for (size_t i = 0; i < count; i++) {
            char name[64];
            if (rows[i].request)
                spelling_offer(&spelling, policy_verb_name(rows[i].number, name, sizeof(name)));
        }
        policy_complain(reading, reading->line, "%s=%s: there is no such verb; %s%s", key, word,
                        spelling.best[0] ? "did you mean " : "holden-policy.conf(5) lists them",
                        spelling.best);
    }
}

static void take_target(struct policy_reading *reading, const char *key, const char *word) {
    struct policy_rule *rule = reading->rule;
    struct policy_scope scope = {.kind = POLICY_OWN};
    struct group_user user;
    if (strcmp(word, "any") == 0)
        scope.kind = POLICY_ANY;
    else if (strncmp(word, "name:", 5) == 0 && word[5]) {
        scope.kind = POLICY_NAME;
        scope.pattern = keep(reading, word + 5);
    } else if (strncmp(word, "owner:", 6) == 0 && word[6]) {
        if (look_up(reading, key, word + 6, &user) < 0)
            return;
        scope.kind = POLICY_OWNER;
        scope.owner = user.uid;
    } else if (strcmp(word, "own") != 0) {
        policy_complain(reading, reading->line,
                        "%s=%s: write own, any, name:PATTERN or owner:USER", key, word);
        return;
    }
    struct policy_scope *list = grow(reading, rule->scopes, rule->scope_count, sizeof(*list));
    if (list && (scope.kind != POLICY_NAME || scope.pattern)) {
        list[rule->scope_count++] = scope;
        rule->scopes = list;
        rule->scope_text = join(reading, rule->scope_text, word);
    }
}

static void keep_login(struct policy_reading *reading, const struct group_user *user,
                       struct policy_user *as) {
    const char *const rows[POLICY_LOGIN][2] = {
        {"USER", user->name}, {"LOGNAME", user->name}, {"HOME", user->home},
        {"SHELL", user->shell}};
    for (size_t i = 0; i < POLICY_LOGIN; i++) {
        char text[GROUP_TEXT_MOST + 16];
        snprintf(text, sizeof(text), "%s=%s", rows[i][0], rows[i][1]);
        as->login[i] = keep(reading, text);
    }
}

static void take_run_as(struct policy_reading *reading, const char *key, const char *word) {
    struct policy_rule *rule = reading->rule;
    struct policy_user as = {.self = strcmp(word, "self") == 0};
    struct group_user user = {0};
    if (!as.self && look_up(reading, key, word, &user) < 0)
        return;
    if (!as.self && user.gid == (gid_t)-1) {
        policy_complain(reading, reading->line,
                        "%s=%s: there is no such user, so it has no groups to run in", key, word);
        return;
    }
    as.uid = user.uid;
    as.gid = user.gid;
    as.group_count = user.count;
    as.groups = arena_take(&reading->policy->arena, (user.count + 1) * sizeof(*as.groups));
    struct policy_user *list = grow(reading, rule->run_as, rule->run_as_count, sizeof(*list));
    if (!list || !as.groups)
        return;
    memcpy(as.groups, user.groups, user.count * sizeof(*as.groups));
    if (!as.self)
        keep_login(reading, &user, &as);
    list[rule->run_as_count++] = as;
    rule->run_as = list;
    rule->run_as_text = join(reading, rule->run_as_text, word);
}

static void take_command(struct policy_reading *reading, const char *key, const char *word) {
    struct policy_rule *rule = reading->rule;
    if (*word != '/' || strstr(word, "/../") || strstr(word, "/./")) {
        policy_complain(reading, reading->line,
                        "%s=%s: write a whole path, or a pattern of whole paths such as "
                        "/usr/bin/*", key, word);
        return;
    }
    const char **list = grow(reading, rule->commands, rule->command_count, sizeof(*list));
    const char *kept = list ? keep(reading, word) : NULL;
    if (kept) {
        list[rule->command_count++] = kept;
        rule->commands = list;
    }
}

static void take_ambient(struct policy_reading *reading, const char *key, const char *word) {
    const struct holden_view view = holden_view(word);
    struct holden_names names = {0};
    const struct holden_nested nested = {.value = &names};
    struct failure failure;
    uint64_t mask = 0;
    HOLDEN_SET(&names, names, name, (struct holden_repeated){.count = 1, .items = &view});
    if (capability_fold((struct holden_repeated){.count = 1, .items = &nested}, "", &mask,
                        &failure) < 0)
        policy_complain(reading, reading->line, "%s=%s: there is no such capability", key, word);
    reading->rule->ambient |= mask;
}

static void take_sandbox(struct policy_reading *reading, const char *key, const char *word) {
    uint32_t sandbox;
    if (holden_number(&holden_enum_sandbox, word, &sandbox) < 0)
        policy_complain(reading, reading->line,
                        "%s=%s: there is no such sandbox; `controller properties --sandboxes` "
                        "shows all", key, word);
    else if (reading->sandbox)
        policy_complain(reading, reading->line, "%s=%s: there is one already", key, word);
    else
        reading->sandbox = keep(reading, word);
}

/* Keys whose value is a list of words, each taken by itself; given again, they add to it. */
static const struct {
    const char *name;
    void (*take)(struct policy_reading *reading, const char *key, const char *word);
} keys[] = {
    {"Effect", take_effect},   {"Users", take_user},   {"Groups", take_group},
    {"Verbs", take_verb},      {"Targets", take_target}, {"RunAs", take_run_as},
    {"Commands", take_command}, {"Sandbox", take_sandbox},
    {"AmbientCapabilities", take_ambient},
};

static void complain_bound(struct policy_reading *reading, int line, const char *key,
                           const char *value, int error) {
    policy_complain(reading, line, "%s=%s: %s", key, value,
                    error == -ENOTSUP  ? "no rule can put a bound on that"
                    : error == -EEXIST ? "it is bounded in this rule already"
                    : error == -ENODEV ? "that is no block device"
                    : error == -ENOMEM ? "no memory"
                                       : "not a value that can bound it");
}

static void take_bound(struct policy_reading *reading, const char *key, const char *value) {
    struct spelling spelling = {.wanted = key};
    size_t index;
    if (holden_property_find(key, &index) == 0) {
        int r = bound_read(&reading->rule->bounds, &reading->policy->arena, index, value);
        if (r < 0)
            complain_bound(reading, reading->line, key, value, r);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        spelling_offer(&spelling, keys[i].name);
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (bound_possible(i))
            spelling_offer(&spelling, holden_property(i)->name);
    policy_complain(reading, reading->line, "%s=: there is no such key; %s%s", key,
                    spelling.best[0] ? "did you mean " : "holden-policy.conf(5) lists them",
                    spelling.best);
}

/* ---- rules ---- */

static bool is_taken(const struct policy *policy, const char *name) {
    for (size_t i = 0; i < policy->count; i++)
        if (strcmp(policy->rules[i]->name, name) == 0)
            return true;
    return strcmp(name, "root") == 0 || strcmp(name, policy->members.name) == 0;
}

/* A rule of that name, for what follows; one with a fault is read to its end all the same. */
static void begin(struct policy_reading *reading, const char *name) {
    if (!name_valid(name, strlen(name)))
        policy_complain(reading, reading->line, "[Rule %s]: no name: " NAME_RULE, name);
    else if (is_taken(reading->policy, name))
        policy_complain(reading, reading->line,
                        "[Rule %s]: that name is taken by another rule; choose a new one", name);
    struct policy_rule *rule = arena_take(&reading->policy->arena, sizeof(*rule));
    if (rule)
        rule->name = keep(reading, name);
    reading->rule = rule && rule->name ? rule : NULL;
    reading->begun = reading->line;
    reading->sandbox = NULL;
    if (!rule)
        complain_memory(reading);
}

/* The settings of a sandbox, but for those that the rule bounds itself. */
static void add_sandbox(struct policy_reading *reading) {
    struct bounds *bounds = &reading->rule->bounds;
    const struct holden_properties own = bounds->values;
    uint32_t sandbox;
    if (holden_number(&holden_enum_sandbox, reading->sandbox, &sandbox) < 0)
        return;
    for (const struct sandbox_setting *at = sandbox_first(sandbox); at; at = sandbox_next(at)) {
        size_t index;
        int r = holden_property_find(at->name, &index);
        if (r == 0 && !holden_has(&own, index))
            r = bound_read(bounds, &reading->policy->arena, index, at->value);
        if (r < 0)
            complain_bound(reading, reading->begun, at->name, at->value, r);
    }
}

static bool has_bounds(const struct policy_rule *rule) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (holden_has(&rule->bounds.values, i))
            return true;
    return rule->ambient != 0;
}

void policy_rule_end(struct policy_reading *reading) {
    struct policy *policy = reading->policy;
    struct policy_rule *rule = reading->rule;
    if (!rule)
        return;
    if (rule->deny && (has_bounds(rule) || reading->sandbox))
        policy_complain(reading, reading->begun,
                        "[Rule %s]: a rule that denies bounds nothing; take the bounds out",
                        rule->name);
    if (rule->user_count == 0 && rule->group_count == 0)
        policy_complain(reading, reading->begun, "[Rule %s]: for nobody; add Users= or Groups=",
                        rule->name);
    if (rule->verbs == 0)
        policy_complain(reading, reading->begun, "[Rule %s]: about nothing; add Verbs=",
                        rule->name);
    if (reading->sandbox)
        add_sandbox(reading);
    reading->rule = NULL;
    struct policy_rule **rules = policy->count < RULES_MOST
        ? grow(reading, policy->rules, policy->count, sizeof(struct policy_rule *)) : NULL;
    if (!rules)
        return;
    rules[policy->count++] = rule;
    policy->rules = rules;
}

void policy_rule_key(struct policy_reading *reading, const char *section, const char *key,
                     const char *value) {
    static const char prefix[] = "Rule ";
    const char *name = section + sizeof(prefix) - 1;
    char word[WORD_SPACE];
    bool is_rule = strncmp(section, prefix, sizeof(prefix) - 1) == 0;
    if (!reading->rule || !is_rule || strcmp(reading->rule->name, name) != 0)
        policy_rule_end(reading);
    if (!is_rule) {
        policy_complain(reading, reading->line, "[%s]: unknown section; write [Rule NAME]",
                        section);
        return;
    }
    if (!reading->rule)
        begin(reading, name);
    if (!reading->rule)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (strcmp(key, keys[i].name) != 0)
            continue;
        if (!*value)
            policy_complain(reading, reading->line, "%s=: empty", key);
        while (next_word(&value, word))
            keys[i].take(reading, key, word);
        return;
    }
    take_bound(reading, key, value);
}
