#include "agent/profile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/architecture.h"
#include "common/cleanup.h"

#define STEP "SeccompProfile"

enum {
    NAME_SPACE = 65,   /* the table's bound on a name, and a NUL */
    ARGUMENTS = 6,     /* of a system call */
    RULES_MOST = 1024, /* more than twice the calls of an architecture; takes 25 ms on three */
    /* In all rules together. The time that libseccomp 2.5 takes grows with the third power of the
     * number of conditions (on three architectures 64 take 20 ms, 256 take seconds), and the
     * agent's loop stands still meanwhile. The profiles of Docker and Podman have about 15. */
    CONDITIONS_MOST = 64,
    ERROR_MOST = 4095, /* past it the kernel takes no error number */
};

/* Actions without a parameter; ERRNO has one. */
static const uint32_t actions[] = {
    [HOLDEN_seccomp_action_ALLOW] = SCMP_ACT_ALLOW,
    [HOLDEN_seccomp_action_ERRNO] = SCMP_ACT_ERRNO(0),
    [HOLDEN_seccomp_action_KILL_PROCESS] = SCMP_ACT_KILL_PROCESS,
    [HOLDEN_seccomp_action_KILL_THREAD] = SCMP_ACT_KILL_THREAD,
    [HOLDEN_seccomp_action_TRAP] = SCMP_ACT_TRAP,
    [HOLDEN_seccomp_action_LOG] = SCMP_ACT_LOG,
    [HOLDEN_seccomp_action_TRACE] = SCMP_ACT_ERRNO(ENOSYS),
};

static const enum scmp_compare operators[] = {
    [HOLDEN_seccomp_operator_NE] = SCMP_CMP_NE, [HOLDEN_seccomp_operator_LT] = SCMP_CMP_LT,
    [HOLDEN_seccomp_operator_LE] = SCMP_CMP_LE, [HOLDEN_seccomp_operator_EQ] = SCMP_CMP_EQ,
    [HOLDEN_seccomp_operator_GE] = SCMP_CMP_GE, [HOLDEN_seccomp_operator_GT] = SCMP_CMP_GT,
    [HOLDEN_seccomp_operator_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

/* What is needed while the rules of one profile are added. */
struct compilation {
    scmp_filter_ctx filter;
    uint32_t default_action;
    size_t rules;
    size_t conditions;
    bool exec_allowed;  /* some rule lets execve pass, conditions or not */
    bool exec_refused;  /* some rule does something else to it, whatever its arguments */
    struct failure *failure;
};

static void release(scmp_filter_ctx *filter) {
    if (*filter)
        seccomp_release(*filter);
}

static bool passes(uint32_t action) {
    return action == SCMP_ACT_ALLOW || action == SCMP_ACT_LOG;
}

static int action_of(uint32_t action, bool given, uint32_t error, uint32_t *out,
                     struct failure *failure) {
    if (action >= ARRAY_SIZE(actions))
        return failure_set(failure, HOLDEN_code_INVALID, STEP, "unknown action %u", action);
    if (given && error > ERROR_MOST)
        return failure_set(failure, HOLDEN_code_INVALID, STEP, "error number %u is past %d", error,
                           ERROR_MOST);
    bool fails = action == HOLDEN_seccomp_action_ERRNO;
    *out = fails ? SCMP_ACT_ERRNO(given ? error : EPERM) : actions[action];
    return 0;
}

static int add_architecture(struct compilation *work, struct holden_view name) {
    int r = architecture_add_oci(work->filter, name);
    if (r == -EINVAL)
        return failure_set(work->failure, HOLDEN_code_INVALID, STEP, "unknown architecture '%.*s'",
                           (int)name.size, name.data);
    return r < 0 ? failure_errno(work->failure, -r, STEP, "cannot add the architecture '%.*s'",
                                 (int)name.size, name.data) : 0;
}

static int add_rule(struct compilation *work, const char *name, int number, uint32_t action,
                    const struct scmp_arg_cmp *conditions, size_t count) {
    if (++work->rules > RULES_MOST)
        return failure_set(work->failure, HOLDEN_code_TOO_MANY, STEP, "more than %d rules",
                           RULES_MOST);
    work->conditions += count;
    if (work->conditions > CONDITIONS_MOST)
        return failure_set(work->failure, HOLDEN_code_TOO_MANY, STEP,
                           "more than %d conditions on arguments", CONDITIONS_MOST);
    int r = seccomp_rule_add_array(work->filter, action, number, (unsigned)count, conditions);
    if (r == 0)
        return 0;
    return failure_set(work->failure, HOLDEN_code_INVALID, STEP,
                       "libseccomp refuses the rule for '%s': %s", name,
                       strerror(-r));
}

static bool share_argument(const struct scmp_arg_cmp *conditions, size_t count) {
    unsigned seen = 0;
    for (size_t i = 0; i < count; i++) {
        if (seen >> conditions[i].arg & 1)
            return true;
        seen |= 1U << conditions[i].arg;
    }
    return false;
}

static int add_call(struct compilation *work, const char *name, uint32_t action,
                    const struct scmp_arg_cmp *conditions, size_t count) {
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0;
    if (number == SCMP_SYS(execve)) {
        work->exec_allowed = work->exec_allowed || passes(action);
        work->exec_refused = work->exec_refused || (count == 0 && !passes(action));
    }
    if (!share_argument(conditions, count))
        return add_rule(work, name, number, action, conditions, count);
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_rule(work, name, number, action, &conditions[i], 1);
    return r;
}

static int decode(const struct holden_record *record, const struct holden_nested *nested,
                  void *message, struct failure *failure) {
    struct holden_fault fault;
    if (nested->value) {
        memcpy(message, nested->value, record->size);
        return 0;
    }
    if (holden_decode(record, nested->bytes.data, nested->bytes.size, message, &fault) == 0)
        return 0;
    return failure_set(failure, HOLDEN_code_INVALID, STEP, "a rule does not decode");
}

static int read_condition(const struct holden_seccomp_argument *argument,
                          struct scmp_arg_cmp *condition, struct failure *failure) {
    if (argument->index >= ARGUMENTS || argument->operator >= ARRAY_SIZE(operators))
        return failure_set(failure, HOLDEN_code_INVALID, STEP, "there is no argument %u",
                           argument->index);
    *condition = (struct scmp_arg_cmp){
        .arg = argument->index, .op = operators[argument->operator], .datum_a = argument->value,
        .datum_b = HOLDEN_HAS(argument, seccomp_argument, value_two) ? argument->value_two : 0};
    return 0;
}

static int read_conditions(const struct holden_seccomp_rule *rule, struct scmp_arg_cmp *conditions,
                           size_t *count, struct failure *failure) {
    *count = 0;
    if (!HOLDEN_HAS(rule, seccomp_rule, argument))
        return 0;
    struct holden_repeated left = rule->argument;
    struct holden_nested nested;
    while (holden_next_record(&left, &nested)) {
        struct holden_seccomp_argument argument;
        if (*count == CONDITIONS_MOST)
            return failure_set(failure, HOLDEN_code_TOO_MANY, STEP,
                               "more than %d conditions in a rule", CONDITIONS_MOST);
        int r = decode(&holden_record_seccomp_argument, &nested, &argument, failure);
        if (r == 0)
            r = read_condition(&argument, &conditions[*count], failure);
        if (r < 0)
            return r;
        ++*count;
    }
    return 0;
}

static int add_rules(struct compilation *work, const struct holden_nested *nested) {
    struct holden_seccomp_rule rule;
    struct scmp_arg_cmp conditions[CONDITIONS_MOST] = {0};
    size_t count = 0;
    uint32_t action = work->default_action;
    int r = decode(&holden_record_seccomp_rule, nested, &rule, work->failure);
    if (r == 0)
        r = action_of(rule.action, HOLDEN_HAS(&rule, seccomp_rule, error), rule.error, &action,
                      work->failure);
    if (r == 0)
        r = read_conditions(&rule, conditions, &count, work->failure);
    if (r < 0 || action == work->default_action)
        return r;
    struct holden_repeated left = rule.name;
    struct holden_view view;
    while (r == 0 && holden_next_view(&left, &view)) {
        char name[NAME_SPACE];
        snprintf(name, sizeof(name), "%.*s", (int)view.size, view.data);
        r = add_call(work, name, action, conditions, count);
    }
    return r;
}

static int add_all(struct compilation *work, const struct holden_seccomp_profile *profile) {
    struct holden_repeated left = profile->architecture;
    struct holden_view view;
    int r = 0;
    if (HOLDEN_HAS(profile, seccomp_profile, architecture))
        while (r == 0 && holden_next_view(&left, &view))
            r = add_architecture(work, view);
    left = profile->rule;
    struct holden_nested nested;
    if (HOLDEN_HAS(profile, seccomp_profile, rule))
        while (r == 0 && holden_next_record(&left, &nested))
            r = add_rules(work, &nested);
    return r;
}

/* A child that its own filter keeps from exec would seem to have run: better said at once. */
static int check_exec(const struct compilation *work) {
    bool passes_exec = passes(work->default_action) ? !work->exec_refused : work->exec_allowed;
    if (passes_exec)
        return 0;
    return failure_set(work->failure, HOLDEN_code_INVALID, STEP,
                       "execve is forbidden, so that nothing could be started");
}

int profile_compile(const struct holden_seccomp_profile *profile, scmp_filter_ctx *filter,
                    struct failure *failure) {
    struct compilation work = {.failure = failure};
    int r = action_of(profile->default_action, HOLDEN_HAS(profile, seccomp_profile, default_error),
                      profile->default_error, &work.default_action, failure);
    if (r < 0)
        return r;
    _cleanup_(release) scmp_filter_ctx made = seccomp_init(work.default_action);
    if (!made)
        return failure_errno(failure, ENOMEM, STEP, "cannot make a filter");
    work.filter = made;
    r = add_all(&work, profile);
    if (r == 0)
        r = check_exec(&work);
    if (r == 0)
        *filter = TAKE_POINTER(made);
    return r;
}
