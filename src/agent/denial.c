#include "agent/denial.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/filter.h"
#include "agent/process.h"
#include "agent/denial_text.h"
#include "agent/restrict.h"
#include "common/cleanup.h"
#include "common/file.h"

static uint32_t kind(uint32_t action) {
    return action & SECCOMP_RET_ACTION_FULL;
}

struct denial *denial_again(struct denials *denials, const struct seccomp_data *call,
                              uint32_t action) {
    for (size_t i = 0; denials && i < denials->count; i++) {
        struct denial *one = &denials->list[i];
        if (one->number != call->nr || one->architecture != call->arch || one->action != action)
            continue;
        one->times++;
        return one;
    }
    return NULL;
}

/* Whoever makes a program gives it its name: what is in it must not reach the journal as lines. */
static void read_program(pid_t thread, char *program, size_t space) {
    char path[48];
    snprintf(path, sizeof(path), "/proc/%d/exe", thread);
    ssize_t size = thread > 0 ? readlink(path, program, space - 1) : 0;
    program[size > 0 ? size : 0] = '\0';
    for (char *at = program; *at; at++)
        if (!isprint((unsigned char)*at))
            *at = '?';
}

/* The thread's process; the thread itself where that cannot be read. */
static pid_t process_of(pid_t thread) {
    char path[48], text[2048];
    int pid;
    snprintf(path, sizeof(path), "/proc/%d/status", thread);
    const char *line = thread > 0 && file_read(AT_FDCWD, path, text, sizeof(text)) > 0
                           ? strstr(text, "\nTgid:") : NULL;
    return line && sscanf(line, "\nTgid: %d", &pid) == 1 ? pid : thread;
}

/* Which setting it is that refuses, and the line that would let the call pass. */
static void find_remedy(const struct process *process, const struct seccomp_data *call,
                        struct denial *denial) {
    struct holden_start start;
    struct holden_properties properties;
    size_t at = 0;
    process_request(process, &start, &properties);
    program_run(&process->filter->program, call, &at);
    size_t space = sizeof(denial->remedy);
    if (at >= process->filter->first)
        restrict_remedy(&properties, call, denial->remedy, space);
    else if (call->arch != seccomp_arch_native())
        snprintf(denial->remedy, space, "SystemCallArchitectures= with its architecture");
    else if (HOLDEN_HAS(&properties, properties, seccomp_profile))
        snprintf(denial->remedy, space, "{\"names\":[\"%s\"],\"action\":\"SCMP_ACT_ALLOW\"} in "
                 "the profile's syscalls", denial->call);
    else
        snprintf(denial->remedy, space, "SystemCallFilter=%s", denial->call);
}

struct denial *denial_new(struct process *process, const struct seccomp_data *call,
                            uint32_t action, pid_t thread) {
    if (!process->denials)
        process->denials = calloc(1, sizeof(*process->denials));
    struct denials *denials = process->denials;
    if (denials && denials->count == DENIALS_MOST)
        denials->further++;
    if (!denials || denials->count == DENIALS_MOST)
        return NULL;
    struct denial *made = &denials->list[denials->count++];
    *made = (struct denial){.number = call->nr, .architecture = call->arch, .action = action,
                             .times = 1, .pid = process_of(thread)};
    _cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(call->arch, call->nr);
    if (name)
        snprintf(made->call, sizeof(made->call), "%s", name);
    else
        snprintf(made->call, sizeof(made->call), "syscall %d", call->nr);
    denial_text_arguments(made->call, call, thread, made->arguments, sizeof(made->arguments));
    read_program(thread, made->program, sizeof(made->program));
    find_remedy(process, call, made);
    return made;
}

const char *denial_tell(const struct denial *denial, char *text, size_t space) {
    char outcome[64] = "which ended it";
    uint32_t error = denial->action & SECCOMP_RET_DATA;
    if (kind(denial->action) == SECCOMP_RET_ERRNO && strerrorname_np((int)error))
        snprintf(outcome, sizeof(outcome), "which failed with %s", strerrorname_np((int)error));
    else if (kind(denial->action) == SECCOMP_RET_ERRNO)
        snprintf(outcome, sizeof(outcome), "which failed with error %u", error);
    snprintf(text, space, "%s(%s) by %s (pid %d), %s; %s would allow it", denial->call,
             denial->arguments, denial->program[0] ? denial->program : "an unknown program",
             denial->pid, outcome, denial->remedy);
    return text;
}

const struct denial *denial_that_ended(const struct denials *denials, pid_t pid) {
    for (size_t i = 0; denials && i < denials->count; i++)
        if (kind(denials->list[i].action) == SECCOMP_RET_KILL_PROCESS &&
            denials->list[i].pid == pid)
            return &denials->list[i];
    return NULL;
}

struct holden_repeated denial_encode(const struct denials *denials, struct holden_refusal *records,
                                     struct holden_nested *nested) {
    uint32_t count = 0;
    for (; denials && count < denials->count; count++) {
        const struct denial *from = &denials->list[count];
        struct holden_refusal *to = &records[count];
        *to = (struct holden_refusal){0};
        HOLDEN_SET(to, refusal, call, holden_view(from->call));
        HOLDEN_SET(to, refusal, arguments, holden_view(from->arguments));
        HOLDEN_SET(to, refusal, program, holden_view(from->program));
        HOLDEN_SET(to, refusal, pid, (uint32_t)from->pid);
        if (kind(from->action) == SECCOMP_RET_ERRNO)
            HOLDEN_SET(to, refusal, error, from->action & SECCOMP_RET_DATA);
        HOLDEN_SET(to, refusal, times, from->times);
        HOLDEN_SET(to, refusal, remedy, holden_view(from->remedy));
        nested[count] = (struct holden_nested){.value = to};
    }
    return (struct holden_repeated){.count = count, .items = nested};
}

static void take_text(struct holden_view view, char *text, size_t space) {
    snprintf(text, space, "%.*s", (int)view.size, view.data ? view.data : "");
}

static void take_one(const struct holden_refusal *from, struct denial *to) {
    bool fails = HOLDEN_HAS(from, refusal, error);
    *to = (struct denial){
        .architecture = seccomp_arch_native(), .times = from->times, .pid = (pid_t)from->pid,
        .action = fails ? SECCOMP_RET_ERRNO | (from->error & SECCOMP_RET_DATA)
                        : SECCOMP_RET_KILL_PROCESS};
    take_text(from->call, to->call, sizeof(to->call));
    take_text(from->arguments, to->arguments, sizeof(to->arguments));
    take_text(from->program, to->program, sizeof(to->program));
    take_text(from->remedy, to->remedy, sizeof(to->remedy));
    to->number = seccomp_syscall_resolve_name(to->call);
}

struct denials *denial_decode(struct holden_repeated list, uint64_t further) {
    struct denials *made = list.count > 0 ? calloc(1, sizeof(*made)) : NULL;
    struct holden_nested nested;
    while (made && made->count < DENIALS_MOST && holden_next_record(&list, &nested)) {
        struct holden_refusal record;
        struct holden_fault fault;
        if (holden_decode(&holden_record_refusal, nested.bytes.data, nested.bytes.size, &record,
                          &fault) == 0)
            take_one(&record, &made->list[made->count++]);
    }
    if (made)
        made->further = further;
    return made;
}
