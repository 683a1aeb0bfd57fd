/* Compiling costs far more than a start may, so it happens once per profile. The key of a filter is
 * the encoded form of the properties that it was made from: equal bytes, equal filter. */
#include "agent/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/architecture.h"
#include "agent/calls.h"
#include "agent/profile.h"
#include "agent/restrict.h"
#include "common/cleanup.h"
#include "protocol/call_set.h"

#define STEP "SystemCallFilter"
#define ARCHITECTURES "SystemCallArchitectures"
#define LOG "SystemCallLog"

/* The properties that a filter of calls is made from; those of restrict.c and SystemCallLog come to
 * them, and everything else about a process does not matter. */
static const size_t involved[] = {
    HOLDEN_INDEX(properties, system_call_filter),
    HOLDEN_INDEX(properties, system_call_error_number),
    HOLDEN_INDEX(properties, system_call_architectures),
    HOLDEN_INDEX(properties, seccomp_profile),
};

static void release(scmp_filter_ctx *filter) {
    if (*filter)
        seccomp_release(*filter);
}

/* ---- compiling ---- */

static int add_architectures(scmp_filter_ctx filter, const struct holden_properties *properties,
                             struct failure *failure) {
    struct holden_repeated left = properties->system_call_architectures;
    struct holden_view view;
    if (!HOLDEN_HAS(properties, properties, system_call_architectures))
        return 0;
    while (holden_next_view(&left, &view)) {
        int r = architecture_add(filter, view);
        if (r == -EINVAL)
            return failure_set(failure, HOLDEN_code_INVALID, ARCHITECTURES,
                               "unknown architecture '%.*s'", (int)view.size, view.data);
        if (r < 0)
            return failure_errno(failure, -r, ARCHITECTURES, "cannot add '%.*s'", (int)view.size,
                                 view.data);
    }
    return 0;
}

/* Adds the calls with the action that they have in common, or that of their error. One that is the
 * filter's own for calls it does not know needs no rule, and libseccomp takes none. */
static int add_calls(scmp_filter_ctx filter, const struct calls *calls, uint32_t action,
                     uint32_t usual, const char *step, struct failure *failure) {
    for (size_t i = 0; i < calls->count; i++) {
        uint32_t error = calls->list[i].error;
        uint32_t its = error == HOLDEN_CALL_USUAL  ? action
                       : error == HOLDEN_CALL_KILL ? SCMP_ACT_KILL_PROCESS
                                                   : SCMP_ACT_ERRNO(error);
        if (its == usual)
            continue;
        int r = seccomp_rule_add_array(filter, its, calls->list[i].number, 0, NULL);
        if (r < 0)
            return failure_errno(failure, -r, step, "libseccomp refuses a rule");
    }
    return 0;
}

/* From SystemCallFilter and its companions. *out stays NULL where they ask for nothing. */
static int compile_list(const struct holden_properties *properties, scmp_filter_ctx *out,
                        struct failure *failure) {
    _cleanup_(calls_free) struct calls calls = {0};
    int r = 0;
    if (HOLDEN_HAS(properties, properties, system_call_filter))
        r = calls_fold(properties->system_call_filter, &calls, failure);
    if (r < 0)
        return r;
    bool named = HOLDEN_HAS(properties, properties, system_call_architectures) &&
                 properties->system_call_architectures.count > 0;
    if (!calls.given && !named)
        return 0;
    uint32_t error = HOLDEN_HAS(properties, properties, system_call_error_number)
                         ? properties->system_call_error_number : 0;
    if (error > HOLDEN_CALL_ERROR_MOST)
        return failure_set(failure, HOLDEN_code_INVALID, "SystemCallErrorNumber",
                           "%u is past %d", error, HOLDEN_CALL_ERROR_MOST);
    uint32_t forbid = error ? SCMP_ACT_ERRNO(error) : SCMP_ACT_KILL_PROCESS;
    uint32_t usual = calls.allow ? forbid : SCMP_ACT_ALLOW;
    _cleanup_(release) scmp_filter_ctx filter = seccomp_init(usual);
    if (!filter)
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, STEP,
                           "libseccomp cannot make a filter for this kernel");
    r = add_architectures(filter, properties, failure);
    if (r == 0)
        r = add_calls(filter, &calls, calls.allow ? SCMP_ACT_ALLOW : forbid, usual, STEP, failure);
    if (r == 0)
        *out = TAKE_POINTER(filter);
    return r;
}

static int compile_profile(const struct holden_properties *properties, scmp_filter_ctx *out,
                           struct failure *failure) {
    const struct holden_nested *nested = &properties->seccomp_profile;
    struct holden_seccomp_profile profile;
    struct holden_fault fault;
    for (size_t i = 0; i < ARRAY_SIZE(involved) - 1; i++)
        if (holden_has(properties, involved[i]))
            return failure_set(failure, HOLDEN_code_INVALID, "SeccompProfile",
                               "cannot be combined with %s=",
                               holden_record_properties.fields[involved[i]].name);
    if (nested->value)
        return profile_compile(nested->value, out, failure);
    if (holden_decode(&holden_record_seccomp_profile, nested->bytes.data, nested->bytes.size,
                      &profile, &fault) < 0)
        return failure_set(failure, HOLDEN_code_INVALID, "SeccompProfile", "does not decode");
    return profile_compile(&profile, out, failure);
}

/* Those of the properties alone that decide which calls pass. */
static int compile_first(const struct holden_properties *properties, struct program *program,
                         struct failure *failure) {
    bool profile = HOLDEN_HAS(properties, properties, seccomp_profile);
    _cleanup_(release) scmp_filter_ctx context = NULL;
    int r = profile ? compile_profile(properties, &context, failure)
                    : compile_list(properties, &context, failure);
    if (r < 0 || !context)
        return r;
    r = program_compile(context, program);
    return r < 0 && r != -EFBIG ? failure_errno(failure, -r, profile ? "SeccompProfile" : STEP,
                                                "cannot compile the filter")
                                : r;
}

static int compile_log(const struct holden_properties *properties, struct program *program,
                       struct failure *failure) {
    _cleanup_(calls_free) struct calls calls = {0};
    _cleanup_(release) scmp_filter_ctx filter = NULL;
    int r = calls_fold_log(properties->system_call_log, &calls, failure);
    if (r < 0 || !calls.given)
        return r;
    uint32_t usual = calls.allow ? SCMP_ACT_ALLOW : SCMP_ACT_LOG;
    filter = seccomp_init(usual);
    if (!filter)
        return failure_errno(failure, ENOMEM, LOG, "cannot make a filter");
    /* Every architecture that the others let through goes on to this. */
    uint32_t other;
    for (size_t i = 0; r == 0 && architecture_companion(i, &other); i++)
        r = seccomp_arch_add(filter, other);
    if (r < 0)
        return failure_errno(failure, -r, LOG, "cannot add an architecture");
    r = add_calls(filter, &calls, calls.allow ? SCMP_ACT_LOG : SCMP_ACT_ALLOW, usual, LOG, failure);
    if (r < 0)
        return r;
    r = program_compile(filter, program);
    return r < 0 && r != -EFBIG ? failure_errno(failure, -r, LOG, "cannot compile the filter") : r;
}

/* Joins one more part to the program, which is then the shorter, freed. */
static int join(struct program *program, int r, struct program *part) {
    if (r == 0)
        r = program_join(program, part);
    program_free(part);
    return r;
}

static int compile_parts(const struct holden_properties *properties, struct filter *filter,
                         struct failure *failure) {
    struct program *program = &filter->program;
    struct program part = {0};
    int r = compile_first(properties, program, failure);
    filter->first = program->count;
    bool native = program->count > 0 && !HOLDEN_HAS(properties, properties, seccomp_profile) &&
                  !HOLDEN_HAS(properties, properties, system_call_architectures);
    if (r == 0 && restrict_wanted(properties))
        r = join(program, restrict_compile(properties, native, &part, failure), &part);
    if (r == 0 && HOLDEN_HAS(properties, properties, system_call_log))
        r = join(program, compile_log(properties, &part, failure), &part);
    return r < 0 || program->count == 0 ? r
                                        : program_ask(program, filter->first, &filter->asking);
}

static bool learns(const struct holden_properties *properties) {
    return HOLDEN_HAS(properties, properties, system_call_learn) && properties->system_call_learn;
}

/* Everything is allowed, and the listener is asked about everything. */
static int compile_learning(const struct holden_properties *properties, struct filter *filter,
                            struct failure *failure) {
    static const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    static const struct sock_filter ask = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    struct sock_filter *one = malloc(sizeof(allow));
    struct sock_filter *other = malloc(sizeof(ask));
    filter->program = (struct program){one, 1};
    filter->asking = (struct program){other, 1};
    if (!one || !other)
        return -ENOMEM;
    *one = allow;
    *other = ask;
    bool more = restrict_wanted(properties) || HOLDEN_HAS(properties, properties, system_call_log);
    for (size_t i = 0; i < ARRAY_SIZE(involved); i++)
        more = more || holden_has(properties, involved[i]);
    return more ? failure_set(failure, HOLDEN_code_INVALID, "SystemCallLearn",
                              "cannot be combined with settings that make a filter")
                : 0;
}

static int compile(const struct holden_properties *properties, struct filter *filter,
                   struct failure *failure) {
    int r = learns(properties) ? compile_learning(properties, filter, failure)
                               : compile_parts(properties, filter, failure);
    if (r == -EFBIG)
        return failure_set(failure, HOLDEN_code_TOO_MANY,
                           HOLDEN_HAS(properties, properties, seccomp_profile) ? "SeccompProfile"
                                                                               : STEP,
                           "the filter is longer than the kernel's %d instructions", BPF_MAXINSNS);
    return r == -ENOMEM ? failure_errno(failure, ENOMEM, STEP, "cannot hold the filter") : r;
}

/* ---- the cache ---- */

static void filter_free(struct filter *filter) {
    free((void *)(uintptr_t)filter->key.data);
    program_free(&filter->program);
    program_free(&filter->asking);
    free(filter);
}

/* The encoded form of those properties that matter, alone. */
static int make_key(const struct holden_properties *properties, struct buffer *key) {
    struct holden_properties only = *properties;
    memset(only.present, 0, sizeof(only.present));
    for (size_t i = 0; i < ARRAY_SIZE(involved); i++)
        if (holden_has(properties, involved[i]))
            holden_mark(&only, involved[i]);
    if (HOLDEN_HAS(properties, properties, system_call_log))
        HOLDEN_MARK(&only, properties, system_call_log);
    if (learns(properties))
        HOLDEN_MARK(&only, properties, system_call_learn);
    restrict_mark(properties, &only);
    return holden_encode(&holden_record_properties, &only, key);
}

static void put_first(struct filters *filters, struct filter *filter) {
    filter->next = filters->first;
    filters->first = filter;
}

/* Takes the filter with that key out of the list, if there is one. */
static struct filter *take_cached(struct filters *filters, const struct buffer *key) {
    for (struct filter **at = &filters->first; *at; at = &(*at)->next) {
        struct filter *filter = *at;
        if (filter->key.size != key->size ||
            memcmp(filter->key.data, buffer_bytes(key), key->size) != 0)
            continue;
        *at = filter->next;
        return filter;
    }
    return NULL;
}

/* Frees the unused filter that was not asked for longest. */
static void drop_spare(struct filters *filters) {
    struct filter **last = NULL;
    for (struct filter **at = &filters->first; *at; at = &(*at)->next)
        if ((*at)->references == 0)
            last = at;
    if (!last)
        return;
    struct filter *filter = *last;
    *last = filter->next;
    filters->count--;
    filters->spare--;
    filter_free(filter);
}

static int add(struct filters *filters, const struct holden_properties *properties,
               struct buffer *key, struct filter **out, struct failure *failure) {
    struct filter *filter = calloc(1, sizeof(*filter));
    if (!filter)
        return failure_errno(failure, ENOMEM, STEP, "cannot hold the filter");
    int r = compile(properties, filter, failure);
    if (r < 0 || filter->program.count == 0) {
        filter_free(filter);
        if (r == 0)
            *out = NULL;
        return r;
    }
    filter->key = (struct holden_view){(const char *)buffer_bytes(key), key->size};
    *key = (struct buffer){0};
    filter->references = 1;
    filters->count++;
    put_first(filters, filter);
    *out = filter;
    return 0;
}

int filter_get(struct filters *filters, const struct holden_properties *properties,
               struct filter **out, struct failure *failure) {
    _cleanup_(buffer_free) struct buffer key = {0};
    int r = make_key(properties, &key);
    if (r < 0)
        return failure_errno(failure, -r, STEP, "cannot make the filter's key");
    if (key.size == 0) {
        *out = NULL;
        return 0;
    }
    struct filter *filter = take_cached(filters, &key);
    if (!filter)
        return add(filters, properties, &key, out, failure);
    put_first(filters, filter);
    if (filter->references++ == 0)
        filters->spare--;
    *out = filter;
    return 0;
}

void filter_release(struct filters *filters, struct filter *filter) {
    if (!filter || --filter->references > 0)
        return;
    if (++filters->spare > FILTERS_SPARE)
        drop_spare(filters);
}

void filters_free(struct filters *filters) {
    while (filters->first) {
        struct filter *filter = filters->first;
        filters->first = filter->next;
        filter_free(filter);
    }
    *filters = (struct filters){0};
}

/* ---- names ---- */

bool filter_call_known(int number, char *name, size_t space) {
    _cleanup_free_ char *known = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    if (known)
        snprintf(name, space, "%s", known);
    return known;
}

const char *filter_call_name(int number, char *name, size_t space) {
    if (!filter_call_known(number, name, space))
        snprintf(name, space, "syscall %d", number);
    return name;
}
