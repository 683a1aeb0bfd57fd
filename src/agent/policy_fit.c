#include "agent/policy_fit.h"

#include <fnmatch.h>
#include <string.h>

#include "agent/phase.h"
#include "common/cleanup.h"

static bool has_number(const uint32_t *list, size_t count, uint32_t number) {
    for (size_t i = 0; i < count; i++)
        if (list[i] == number)
            return true;
    return false;
}

bool policy_in_group(const struct policy_caller *caller, uint32_t gid) {
    return caller->gid == gid || has_number(caller->groups, caller->group_count, gid);
}

bool policy_names(const struct policy_rule *rule, const struct policy_caller *caller) {
    if (has_number(rule->users, rule->user_count, caller->uid))
        return true;
    for (size_t i = 0; i < rule->group_count; i++)
        if (policy_in_group(caller, rule->groups[i]))
            return true;
    return false;
}

static bool name_matches(const char *pattern, struct holden_view name) {
    char text[256];
    if (name.size == 0 || name.size >= sizeof(text))
        return false;
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    return fnmatch(pattern, text, 0) == 0;
}

bool policy_denies_nameless(const struct policy_rule *rule,
                            const struct policy_question *question) {
    if (!rule->deny || !question->start || question->target->name.size > 0)
        return false;
    for (size_t i = 0; i < rule->scope_count; i++)
        if (rule->scopes[i].kind == POLICY_NAME)
            return true;
    return false;
}

static bool target_fits(const struct policy_rule *rule, const struct policy_question *question) {
    const struct policy_target *target = question->target;
    if (rule->deny && rule->scope_count == 0)
        return true;
    if (!target)
        return !rule->deny;
    if (policy_denies_nameless(rule, question))
        return true;
    if (rule->scope_count == 0)
        return target->owner == question->caller.uid;
    for (size_t i = 0; i < rule->scope_count; i++) {
        const struct policy_scope *scope = &rule->scopes[i];
        if (scope->kind == POLICY_ANY ||
            (scope->kind == POLICY_OWN && target->owner == question->caller.uid) ||
            (scope->kind == POLICY_OWNER && target->owner == scope->owner) ||
            (scope->kind == POLICY_NAME && name_matches(scope->pattern, target->name)))
            return true;
    }
    return false;
}

static bool has_group(const struct policy_user *user, const struct policy_caller *caller,
                      uint32_t gid) {
    return user->self ? policy_in_group(caller, gid)
                      : has_number(user->groups, user->group_count, gid);
}

/* Whether it is this user, in no group that is not the user's. */
static bool is_user(const struct policy_user *user, const struct policy_caller *caller,
                    const struct identity *identity) {
    if (identity->uid != (user->self ? caller->uid : user->uid) ||
        !has_group(user, caller, identity->gid))
        return false;
    for (size_t i = 0; i < identity->group_count; i++)
        if (!has_group(user, caller, identity->groups[i]))
            return false;
    return true;
}

static const struct policy_user self = {.self = true};

static bool user_fits(const struct policy_rule *rule, const struct policy_question *question) {
    if (rule->deny && rule->run_as_count == 0)
        return true;
    if (!question->identity)
        return !rule->deny;
    if (rule->run_as_count == 0)
        return is_user(&self, &question->caller, question->identity);
    for (size_t i = 0; i < rule->run_as_count; i++)
        if (is_user(&rule->run_as[i], &question->caller, question->identity))
            return true;
    return false;
}

/* An absolute path that leads where it seems to: no other is what a pattern is held against. */
static bool is_plain(struct holden_view path) {
    for (size_t i = 0; i < path.size; i++) {
        size_t left = path.size - i;
        const char *at = path.data + i;
        if (at[0] != '/')
            continue;
        if (left >= 2 && at[1] == '/')
            return false;
        if (left >= 2 && at[1] == '.' && (left == 2 || at[2] == '/'))
            return false;
        if (left >= 3 && at[1] == '.' && at[2] == '.' && (left == 3 || at[3] == '/'))
            return false;
    }
    return path.size > 0 && path.size < 4096 && path.data[0] == '/';
}

static bool path_matches(const struct policy_rule *rule, struct holden_view path) {
    char text[4096];
    memcpy(text, path.data, path.size);
    text[path.size] = '\0';
    for (size_t i = 0; i < rule->command_count; i++)
        if (fnmatch(rule->commands[i], text, FNM_PATHNAME | FNM_NOESCAPE) == 0)
            return true;
    return false;
}

/* A rule that denies is also about commands of which it cannot be told whether they are meant. */
static bool command_fits(const struct policy_rule *rule, struct holden_view path) {
    if (!is_plain(path))
        return rule->deny;
    return path_matches(rule, path);
}

/* The next command of a start, from number 0 on, its main one first. False at the end. */
static bool next_command(const struct policy_question *question, enum phase *phase, uint32_t *step,
                         struct holden_view *path) {
    struct holden_exec exec;
    if (*phase == PHASES) {
        *phase = 0;
        *step = 0;
        *path = phase_program(question->start);
        return true;
    }
    while (question->properties && *phase < PHASES &&
           !phase_command(question->properties, *phase, *step, &exec)) {
        *phase += 1;
        *step = 0;
    }
    if (!question->properties || *phase >= PHASES)
        return false;
    *step += 1;
    struct holden_repeated left = exec.argument;
    if (HOLDEN_HAS(&exec, exec, program))
        *path = exec.program;
    else if (!holden_next_view(&left, path))
        *path = (struct holden_view){0};
    return true;
}

/* All commands have to be those that a rule allows; of those that it denies one is enough. *path is
 * the command that decided it. */
static bool commands_fit(const struct policy_rule *rule, const struct policy_question *question,
                         struct holden_view *path) {
    enum phase phase = PHASES;
    uint32_t step = 0;
    if (rule->command_count == 0)
        return true;
    if (!question->start)
        return !rule->deny;
    while (next_command(question, &phase, &step, path))
        if (command_fits(rule, *path) == rule->deny)
            return rule->deny;
    return !rule->deny;
}

enum policy_fit policy_fit(const struct policy_rule *rule, const struct policy_question *question) {
    struct holden_view path;
    if (!(rule->verbs >> question->verb & 1))
        return POLICY_FIT_NOT;
    if (!target_fits(rule, question))
        return POLICY_FIT_VERB;
    if (!user_fits(rule, question))
        return POLICY_FIT_TARGET;
    return commands_fit(rule, question, &path) ? POLICY_FIT_WHOLE : POLICY_FIT_USER;
}

bool policy_unfit_command(const struct policy_rule *rule, const struct policy_question *question,
                          struct holden_view *path) {
    return !commands_fit(rule, question, path);
}
