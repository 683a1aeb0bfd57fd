#include "agent/calls.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/filter.h"
#include "protocol/names.h"
#include "common/cleanup.h"
#include "common/spelling.h"
#include "protocol/call_set.h"

enum {
    NAME_SPACE = 65,     /* the table's bound on a name, and a NUL */
    NAMES_MOST = 4096,   /* in all lists together, sets expanded; Linux has about 500 calls on all
                            architectures */
    NATIVE_MOST = 1024,  /* past the last number of the native architecture */
};

/* Without these no program gets as far as its own code. */
static const char always[] = "@default";

/* The folding of one property's lists. */
struct folding {
    struct calls calls;
    const char *step;  /* the property */
    bool filter;       /* it is SystemCallFilter= */
    size_t names;      /* how many were read */
    struct failure *failure;
};

void calls_free(struct calls *calls) {
    free(calls->list);
    *calls = (struct calls){0};
}

static size_t find(const struct calls *calls, int number) {
    size_t at = 0;
    while (at < calls->count && calls->list[at].number != number)
        at++;
    return at;
}

/* Adds a call, or gives it another error. 0 or -ENOMEM. */
static int add(struct calls *calls, int number, uint32_t error) {
    size_t at = find(calls, number);
    if (!calls->list || at == calls->space) {
        size_t space = calls->space ? 2 * calls->space : 128;
        struct call *list = realloc(calls->list, space * sizeof(*list));
        if (!list)
            return -ENOMEM;
        calls->list = list;
        calls->space = space;
    }
    calls->list[at] = (struct call){number, error};
    if (at == calls->count)
        calls->count++;
    return 0;
}

static void drop(struct calls *calls, int number) {
    size_t at = find(calls, number);
    if (at < calls->count)
        calls->list[at] = calls->list[--calls->count];
}

static int refuse(const struct folding *folding, const char *name) {
    struct spelling spelling = {.wanted = name};
    const char *what = name[0] == '@' ? "set of system calls" : "system call";
    for (int i = 0; i < NATIVE_MOST && name[0] != '@'; i++) {
        char known[NAME_SPACE];
        if (filter_call_known(i, known, sizeof(known)))
            spelling_offer(&spelling, known);
    }
    if (spelling.best[0])
        return failure_set(folding->failure, HOLDEN_code_INVALID, folding->step,
                           "unknown %s '%s'; did you mean %s?", what, name, spelling.best);
    return failure_set(folding->failure, HOLDEN_code_INVALID, folding->step, "unknown %s '%s'",
                       what, name);
}

/* Puts one call where its list says that it belongs. */
static int place(struct folding *folding, int number, bool inverted, uint32_t error) {
    struct calls *calls = &folding->calls;
    if (++folding->names > NAMES_MOST)
        return failure_set(folding->failure, HOLDEN_code_TOO_MANY, folding->step,
                           "more than %d names", NAMES_MOST);
    if (inverted != calls->allow || (inverted && error != HOLDEN_CALL_USUAL))
        return add(calls, number, error);
    drop(calls, number);
    return 0;
}

/* The calls of a set, and of the sets in it: a table's names that this libseccomp does not know are
 * not the user's mistake. */
static int place_set(struct folding *folding, const struct holden_call_set *set, bool inverted,
                     uint32_t error) {
    struct holden_view view;
    int r = 0;
    for (const char *left = set->calls; r == 0 && holden_call_set_next(&left, &view);) {
        char name[NAME_SPACE];
        snprintf(name, sizeof(name), "%.*s", (int)view.size, view.data);
        const struct holden_call_set *inner = holden_call_set_find(name);
        int number = inner ? 0 : seccomp_syscall_resolve_name(name);
        if (inner)
            r = place_set(folding, inner, inverted, error);
        else if (number != __NR_SCMP_ERROR)
            r = place(folding, number, inverted, error);
    }
    return r;
}

/* The first list, or the first after an empty one: it decides the kind. */
static int begin(struct folding *folding, bool inverted) {
    folding->calls.given = true;
    folding->calls.allow = !inverted;
    if (!folding->filter || inverted)
        return 0;
    return place_set(folding, holden_call_set_find(always), false, HOLDEN_CALL_USUAL);
}

static int check_error(const struct folding *folding, const char *name, bool inverted,
                       uint32_t error) {
    if (error == HOLDEN_CALL_USUAL ||
        (error <= HOLDEN_CALL_KILL && inverted && folding->filter))
        return 0;
    return failure_set(folding->failure, HOLDEN_code_INVALID, folding->step,
                       "'%s' can have no error %u here", name, error);
}

static int fold_list(struct folding *folding, struct holden_names *list) {
    bool inverted = names_inverted(list);
    int r = folding->calls.given ? 0 : begin(folding, inverted);
    char name[NAME_SPACE];
    while (r == 0 && names_take(list, name, sizeof(name))) {
        uint32_t error = names_take_error(list);
        const struct holden_call_set *set = holden_call_set_find(name);
        int number = set ? 0 : seccomp_syscall_resolve_name(name);
        if (!set && number == __NR_SCMP_ERROR)
            return refuse(folding, name);
        r = check_error(folding, name, inverted, error);
        if (r == 0)
            r = set ? place_set(folding, set, inverted, error)
                    : place(folding, number, inverted, error);
    }
    return r == -ENOMEM
               ? failure_errno(folding->failure, ENOMEM, folding->step, "cannot hold the list")
               : r;
}

static bool has_names(const struct holden_names *list) {
    return HOLDEN_HAS(list, names, name) && list->name.count > 0;
}

static int check_exec(const struct folding *folding) {
    const struct calls *calls = &folding->calls;
    size_t at = find(calls, SCMP_SYS(execve));
    bool named = at < calls->count;
    bool passes = calls->allow ? named && calls->list[at].error == HOLDEN_CALL_USUAL : !named;
    if (!folding->filter || !calls->given || passes)
        return 0;
    return failure_set(folding->failure, HOLDEN_code_INVALID, folding->step,
                       "execve is forbidden, so that nothing could be started");
}

static int fold_lists(struct folding *folding, struct holden_repeated lists) {
    struct calls *calls = &folding->calls;
    struct holden_names list;
    int r;
    while ((r = names_next(&lists, &list)) > 0) {
        if (!has_names(&list) && !names_inverted(&list)) {
            calls_free(calls);
            continue;
        }
        r = fold_list(folding, &list);
        if (r < 0)
            return r;
    }
    if (r < 0)
        return failure_set(folding->failure, HOLDEN_code_INVALID, folding->step,
                           "a list does not decode");
    /* Nothing forbidden: there is no filter, as in systemd. */
    if (folding->filter)
        calls->given = calls->given && (calls->allow || calls->count > 0);
    return check_exec(folding);
}

static int fold(struct folding *folding, struct holden_repeated lists, struct calls *calls) {
    int r = fold_lists(folding, lists);
    if (r < 0) {
        calls_free(&folding->calls);
        return r;
    }
    *calls = folding->calls;
    return 0;
}

int calls_fold(struct holden_repeated lists, struct calls *calls, struct failure *failure) {
    struct folding folding = {.step = "SystemCallFilter", .filter = true, .failure = failure};
    return fold(&folding, lists, calls);
}

int calls_fold_log(struct holden_repeated lists, struct calls *calls, struct failure *failure) {
    struct folding folding = {.step = "SystemCallLog", .failure = failure};
    return fold(&folding, lists, calls);
}

int calls_of_set(const char *name, struct calls *calls) {
    struct failure failure;
    struct folding folding = {.calls = {.given = true, .allow = true}, .failure = &failure};
    int r = place_set(&folding, holden_call_set_find(name), false, HOLDEN_CALL_USUAL);
    if (r < 0) {
        calls_free(&folding.calls);
        return r;
    }
    *calls = folding.calls;
    return 0;
}
