#include "agent/policy_check.h"

#include <stdio.h>
#include <string.h>

#include "agent/phase.h"
#include "common/cleanup.h"
#include "protocol/property.h"

#define INDEX(member) HOLDEN_INDEX(properties, member)

enum { NAME_SHOWN = 64 };

/* Whether the rule protects the process from what its user might want, beside bounding numbers. */
static bool protects(const struct policy_rule *rule) {
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        if (holden_has(&rule->bounds.values, i) && !bound_is_ceiling(i))
            return true;
    return false;
}

/* Whether some command of the start asks for other rights than those of the process. */
static bool lifts(const struct policy_question *question) {
    const struct holden_start *start = question->start;
    struct holden_exec exec;
    if (HOLDEN_HAS(start, start, rights) && start->rights != HOLDEN_exec_rights_UNIT)
        return true;
    for (enum phase phase = 0; question->properties && phase < PHASES; phase++)
        for (uint32_t step = 0; phase_command(question->properties, phase, step, &exec); step++)
            if (exec.rights != HOLDEN_exec_rights_UNIT)
                return true;
    return false;
}

static int refuse_bound(const struct policy_rule *rule, size_t index,
                        const struct policy_question *question, struct failure *failure) {
    char asked[64];
    const char *name = holden_property(index)->name;
    bound_show(index, question->properties, asked, sizeof(asked));
    if (bound_is_ceiling(index))
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, name,
                           "rule %s allows at most %s=%s%s%s%s", rule->name, name,
                           rule->bounds.texts[index], *asked ? ", and " : "", asked,
                           *asked ? " is asked for" : "");
    return failure_set(failure, HOLDEN_code_NOT_PERMITTED, name,
                       "rule %s demands %s=%.200s, and what is asked for protects less",
                       rule->name, name, rule->bounds.texts[index]);
}

/* ---- what would get around a bound ---- */

/* The times that a process may take beside RuntimeMaxSec=: none may be longer. */
static const size_t beside_runtime[] = {INDEX(timeout_start), INDEX(timeout_stop),
                                        INDEX(timeout_abort)};

static uint64_t u64_of(const struct holden_properties *properties, size_t index) {
    uint64_t value;
    memcpy(&value,
           (const uint8_t *)properties + holden_record_properties.fields[index].offset,
           sizeof(value));
    return value;
}

static int check_runtime(const struct policy_rule *rule, const struct holden_properties *asked,
                         struct failure *failure) {
    const struct holden_properties *bounds = &rule->bounds.values;
    const char *most = rule->bounds.texts[INDEX(runtime_max)];
    if (!HOLDEN_HAS(bounds, properties, runtime_max))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(beside_runtime); i++) {
        const char *name = holden_property(beside_runtime[i])->name;
        if (holden_has(asked, beside_runtime[i]) &&
            u64_of(asked, beside_runtime[i]) > bounds->runtime_max)
            return failure_set(failure, HOLDEN_code_NOT_PERMITTED, name,
                               "rule %s allows at most RuntimeMaxSec=%s, and %s= is longer",
                               rule->name, most, name);
    }
    if (HOLDEN_HAS(asked, properties, send_sigkill) && !asked->send_sigkill)
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "SendSIGKILL",
                           "rule %s allows at most RuntimeMaxSec=%s, which is no end without "
                           "SIGKILL", rule->name, most);
    return 0;
}

static int check_around(const struct policy_rule *rule, const struct policy_question *question,
                        struct failure *failure) {
    const struct holden_properties *asked = question->properties;
    if (HOLDEN_HAS(&rule->bounds.values, properties, device_policy) &&
        HOLDEN_HAS(asked, properties, device_allow))
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "DeviceAllow",
                           "rule %s demands DevicePolicy=%s, and DeviceAllow= allows more",
                           rule->name, rule->bounds.texts[INDEX(device_policy)]);
    if (protects(rule) && HOLDEN_HAS(asked, properties, system_call_learn) &&
        asked->system_call_learn)
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "SystemCallLearn",
                           "rule %s demands protections, which SystemCallLearn= would lift",
                           rule->name);
    return check_runtime(rule, asked, failure);
}

int policy_check_bounds(const struct policy_rule *rule, const struct policy_question *question,
                        struct failure *failure) {
    const struct holden_properties *asked = question->properties;
    for (size_t i = 0; asked && i < HOLDEN_PROPERTIES; i++)
        if (!bound_holds(&rule->bounds, i, asked))
            return refuse_bound(rule, i, question, failure);
    for (size_t i = 0; asked && !question->start && i < HOLDEN_PROPERTIES; i++)
        if (!bound_stays(&rule->bounds, i, asked))
            return failure_set(failure, HOLDEN_code_NOT_PERMITTED, holden_property(i)->name,
                               "rule %s allows at most %s=%s: a change names that device too",
                               rule->name, holden_property(i)->name, rule->bounds.texts[i]);
    if (question->start && protects(rule) && lifts(question))
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "command",
                           "rule %s demands protections: no command may lift them (the prefixes + "
                           "and !)", rule->name);
    if (question->start && rule->run_as_count > 0 && lifts(question))
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "command",
                           "rule %s allows it only as %.200s: no command may run as another user "
                           "(the prefixes + and !)", rule->name, rule->run_as_text);
    return asked ? check_around(rule, question, failure) : 0;
}

/* ---- what would make a command that is allowed do something else ---- */

/* Whether a value is a plain word: no path but for a time zone's ("Europe/Berlin"), no format. */
static bool leads_nowhere(struct holden_view assignment) {
    const char *value = memchr(assignment.data, '=', assignment.size);
    if (!value)
        return false;
    size_t size = (size_t)(assignment.data + assignment.size - ++value);
    bool zone = memcmp(assignment.data, "TZ=", 3) == 0;
    return !memchr(value, '%', size) && !memmem(value, size, "..", 2) &&
           (size == 0 || (*value != '/' && *value != ':')) &&
           (zone || !memchr(value, '/', size));
}

/* The variables that a caller may set for a command that a rule names: any other may be one by
 * which a loader, a shell or an interpreter runs what its user likes, and no list of those is
 * complete. */
static bool is_harmless(struct holden_view assignment) {
    static const char *const names_[] = {"LANG=", "LANGUAGE=", "LC_", "TZ=", "TERM=", "COLORTERM=",
                                         "COLUMNS=", "LINES=", "NO_COLOR="};
    for (size_t i = 0; i < ARRAY_SIZE(names_); i++) {
        size_t size = strlen(names_[i]);
        if (assignment.size >= size && memcmp(assignment.data, names_[i], size) == 0)
            return leads_nowhere(assignment);
    }
    return false;
}

/* What a login sets is the user's own; of the caller itself whatever it says. */
static bool is_login(const struct policy_rule *rule, const struct policy_question *question,
                     struct holden_view assignment) {
    static const char *const names_[] = {"USER=", "LOGNAME=", "HOME=", "SHELL="};
    bool own = !question->identity || question->identity->uid == question->caller.uid;
    for (size_t i = 0; own && i < ARRAY_SIZE(names_); i++)
        if (assignment.size >= strlen(names_[i]) &&
            memcmp(assignment.data, names_[i], strlen(names_[i])) == 0)
            return true;
    for (size_t i = 0; !own && i < rule->run_as_count; i++)
        for (size_t at = 0; rule->run_as[i].uid == question->identity->uid && at < POLICY_LOGIN;
             at++)
            if (rule->run_as[i].login[at] && holden_view_is(assignment, rule->run_as[i].login[at]))
                return true;
    return false;
}

static int check_environment(const struct policy_rule *rule,
                             const struct policy_question *question, struct failure *failure) {
    const struct holden_properties *asked = question->properties;
    struct holden_view assignment;
    struct holden_repeated left = asked->environment;
    while (HOLDEN_HAS(asked, properties, environment) && holden_next_view(&left, &assignment))
        if (!is_harmless(assignment) && !is_login(rule, question, assignment)) {
            const char *end = memchr(assignment.data, '=', assignment.size);
            size_t size = end ? (size_t)(end - assignment.data) : assignment.size;
            return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "Environment",
                               "rule %s allows certain commands only, and %.*s could change what "
                               "they do; pass it as an argument", rule->name,
                               (int)(size < NAME_SHOWN ? size : NAME_SHOWN), assignment.data);
        }
    return 0;
}

/* Settings that no command which runs as somebody else may have of its caller: what they do to
 * files and system calls is done with that user's rights. */
static const size_t steering[] = {
    INDEX(remove_ipc), INDEX(system_call_filter), INDEX(system_call_error_number),
    INDEX(system_call_learn), INDEX(seccomp_profile),
};

static bool leads_to_path(const struct holden_properties *asked, size_t index) {
    struct holden_stream space;
    struct holden_nested nested;
    if (!holden_has(asked, index))
        return false;
    memcpy(&nested, (const uint8_t *)asked + holden_record_properties.fields[index].offset,
           sizeof(nested));
    const struct holden_stream *stream =
        holden_nested_value(&holden_record_stream, &nested, &space);
    return !stream || stream->kind == HOLDEN_stream_kind_FILE ||
           stream->kind == HOLDEN_stream_kind_APPEND || stream->kind == HOLDEN_stream_kind_TRUNCATE;
}

static int check_steering(const struct policy_rule *rule, const struct holden_properties *asked,
                          struct failure *failure) {
    static const size_t streams[] = {INDEX(standard_input), INDEX(standard_output),
                                     INDEX(standard_error)};
    size_t index = HOLDEN_PROPERTIES;
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
        if (leads_to_path(asked, streams[i]))
            index = streams[i];
    for (size_t i = 0; i < ARRAY_SIZE(steering); i++)
        if (holden_has(asked, steering[i]) && !holden_has(&rule->bounds.values, steering[i]))
            index = steering[i];
    if (index == HOLDEN_PROPERTIES)
        return 0;
    const char *name = holden_property(index)->name;
    return failure_set(failure, HOLDEN_code_NOT_PERMITTED, name,
                       "rule %s allows certain commands only, and %s= would do more with the "
                       "rights of another user", rule->name, name);
}

static int check_commands(const struct policy_rule *rule, const struct policy_question *question,
                          struct failure *failure) {
    const struct holden_properties *asked = question->properties;
    if (rule->command_count == 0 || !asked)
        return 0;
    if (HOLDEN_HAS(asked, properties, exec_search_path))
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "ExecSearchPath",
                           "rule %s allows certain commands only, and the PATH that it sets could "
                           "change what they do", rule->name);
    int r = check_environment(rule, question, failure);
    bool other = question->identity && question->identity->uid != question->caller.uid;
    return r == 0 && other ? check_steering(rule, asked, failure) : r;
}

static int check_ambient(const struct policy_rule *rule, const struct policy_question *question,
                         struct failure *failure) {
    if (!question->identity || !(question->identity->ambient & ~rule->ambient))
        return 0;
    if (!rule->ambient)
        return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "AmbientCapabilities",
                           "only root may hand out capabilities");
    return failure_set(failure, HOLDEN_code_NOT_PERMITTED, "AmbientCapabilities",
                       "rule %s allows none but those that it names", rule->name);
}

int policy_check(const struct policy_rule *rule, const struct policy_question *question,
                 struct failure *failure) {
    int r = policy_check_bounds(rule, question, failure);
    if (r == 0)
        r = check_ambient(rule, question, failure);
    return r < 0 ? r : check_commands(rule, question, failure);
}

/* ---- putting them in force ---- */

/* Without a limit of their own the commands before the main one would have none at all. */
int policy_impose_bounds(const struct policy_rule *rule, struct arena *arena,
                         struct holden_properties *properties) {
    int r = bound_impose(&rule->bounds, arena, properties);
    const struct holden_properties *bounds = &rule->bounds.values;
    if (r == 0 && HOLDEN_HAS(bounds, properties, runtime_max) &&
        (!HOLDEN_HAS(properties, properties, timeout_start) ||
         properties->timeout_start > bounds->runtime_max))
        HOLDEN_SET(properties, properties, timeout_start, bounds->runtime_max);
    return r;
}
