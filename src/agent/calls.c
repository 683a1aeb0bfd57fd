#include "agent/calls.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "agent/filter.h"
#include "agent/names.h"
#include "common/cleanup.h"
#include "common/spelling.h"

#define STEP "SystemCallFilter"

enum {
    NAME_SPACE = 65,     /* the table's bound on a name, and a NUL */
    NAMES_MOST = 4096,   /* in all lists together; Linux has about 500 calls on all architectures */
    NATIVE_MOST = 1024,  /* past the last number of the native architecture */
};

/* systemd's @default: without these no program gets as far as its own code. Names that this
 * libseccomp or this architecture does not know are passed over. */
static const char *const always[] = {
    "arch_prctl", "brk", "cacheflush", "clock_getres", "clock_getres_time64", "clock_gettime",
    "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "execve", "exit", "exit_group",
    "futex", "futex_time64", "futex_waitv", "get_robust_list", "get_thread_area", "getegid",
    "getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32",
    "getpgid", "getpgrp", "getpid", "getppid", "getrandom", "getresgid", "getresgid32", "getresuid",
    "getresuid32", "getrlimit", "getsid", "gettid", "gettimeofday", "getuid", "getuid32",
    "membarrier", "mmap", "mmap2", "mprotect", "munmap", "nanosleep", "pause", "prlimit64",
    "restart_syscall", "riscv_flush_icache", "riscv_hwprobe", "rseq", "rt_sigreturn",
    "sched_getaffinity", "sched_yield", "set_robust_list", "set_thread_area", "set_tid_address",
    "set_tls", "sigreturn", "time", "ugetrlimit", "uretprobe",
};

void calls_free(struct calls *calls) {
    free(calls->numbers);
    *calls = (struct calls){0};
}

static size_t find(const struct calls *calls, int number) {
    size_t at = 0;
    while (at < calls->count && calls->numbers[at] != number)
        at++;
    return at;
}

static int add(struct calls *calls, int number) {
    if (find(calls, number) < calls->count)
        return 0;
    if (calls->count == calls->space) {
        size_t space = calls->space ? 2 * calls->space : 2 * ARRAY_SIZE(always);
        int *numbers = realloc(calls->numbers, space * sizeof(*numbers));
        if (!numbers)
            return -ENOMEM;
        calls->numbers = numbers;
        calls->space = space;
    }
    calls->numbers[calls->count++] = number;
    return 0;
}

static void drop(struct calls *calls, int number) {
    size_t at = find(calls, number);
    if (at < calls->count)
        calls->numbers[at] = calls->numbers[--calls->count];
}

static int refuse(const char *name, struct failure *failure) {
    if (name[0] == '@')
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, STEP,
                           "'%s': sets of system calls are not supported, name the calls", name);
    struct spelling spelling = {.wanted = name};
    for (int i = 0; i < NATIVE_MOST; i++) {
        char known[NAME_SPACE];
        if (filter_call_known(i, known, sizeof(known)))
            spelling_offer(&spelling, known);
    }
    if (spelling.best[0])
        return failure_set(failure, HOLDEN_code_INVALID, STEP,
                           "unknown system call '%s'; did you mean %s?", name, spelling.best);
    return failure_set(failure, HOLDEN_code_INVALID, STEP, "unknown system call '%s'", name);
}

/* The first list, or the first after an empty one: it decides the kind. */
static int begin(struct calls *calls, bool inverted) {
    calls->given = true;
    calls->allow = !inverted;
    for (size_t i = 0; calls->allow && i < ARRAY_SIZE(always); i++) {
        int number = seccomp_syscall_resolve_name(always[i]);
        if (number != __NR_SCMP_ERROR && add(calls, number) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int fold_list(struct calls *calls, struct holden_names *list, size_t *names,
                     struct failure *failure) {
    bool inverted = names_inverted(list);
    int r = calls->given ? 0 : begin(calls, inverted);
    char name[NAME_SPACE];
    while (r == 0 && names_take(list, name, sizeof(name))) {
        int number = seccomp_syscall_resolve_name(name);
        if (number == __NR_SCMP_ERROR)
            return refuse(name, failure);
        if (++*names > NAMES_MOST)
            return failure_set(failure, HOLDEN_code_TOO_MANY, STEP, "more than %d names",
                               NAMES_MOST);
        if (inverted == calls->allow)
            drop(calls, number);
        else
            r = add(calls, number);
    }
    return r < 0 ? failure_errno(failure, -r, STEP, "cannot hold the list") : 0;
}

static bool has_names(const struct holden_names *list) {
    return HOLDEN_HAS(list, names, name) && list->name.count > 0;
}

static int check_exec(const struct calls *calls, struct failure *failure) {
    bool named = find(calls, SCMP_SYS(execve)) < calls->count;
    if (!calls->given || named == calls->allow)
        return 0;
    return failure_set(failure, HOLDEN_code_INVALID, STEP,
                       "execve is forbidden, so that nothing could be started");
}

static int fold_lists(struct holden_repeated lists, struct calls *calls, struct failure *failure) {
    size_t names = 0;
    struct holden_names list;
    int r;
    while ((r = names_next(&lists, &list)) > 0) {
        if (!has_names(&list) && !names_inverted(&list)) {
            calls_free(calls);
            continue;
        }
        r = fold_list(calls, &list, &names, failure);
        if (r < 0)
            return r;
    }
    if (r < 0)
        return failure_set(failure, HOLDEN_code_INVALID, STEP, "a list does not decode");
    /* Nothing forbidden: there is no filter, as in systemd. */
    calls->given = calls->given && (calls->allow || calls->count > 0);
    return check_exec(calls, failure);
}

int calls_fold(struct holden_repeated lists, struct calls *calls, struct failure *failure) {
    _cleanup_(calls_free) struct calls result = {0};
    int r = fold_lists(lists, &result, failure);
    if (r < 0)
        return r;
    *calls = result;
    result = (struct calls){0};
    return 0;
}
