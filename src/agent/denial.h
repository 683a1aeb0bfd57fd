/* What a process's filter refused to it and its children: kept by kind, the first of each with all
 * that is known about it. */
#pragma once

#include <linux/seccomp.h>
#include <sys/types.h>

#include "protocol/message.h"

struct process;

enum { DENIALS_MOST = 16, DENIAL_CALL = 48, DENIAL_TEXT = 224 };

struct denial {
    int number;             /* of the call */
    uint32_t architecture;
    uint32_t action;        /* of seccomp(2), with its data */
    uint64_t times;
    pid_t pid;              /* of the first program, as the agent sees it */
    char call[DENIAL_CALL];
    char arguments[DENIAL_TEXT];
    char program[DENIAL_TEXT];
    char remedy[DENIAL_TEXT];
};

struct denials {
    uint64_t further; /* calls of kinds for which there was no room */
    size_t count;
    struct denial list[DENIALS_MOST];
};

/* The refusal of this kind of call, if it is known. Counts it once more. */
struct denial *denial_again(struct denials *denials, const struct seccomp_data *call,
                              uint32_t action);

/* Adds a refusal of a new kind: `thread` waits in the call. Reads what there is to know of it from
 * /proc and its memory. The refusal; or NULL where there is no memory, or no room: then it is only
 * counted. */
struct denial *denial_new(struct process *process, const struct seccomp_data *call,
                            uint32_t action, pid_t thread);

/* "mkdir("/tmp/x", 0755) by /usr/bin/mkdir (pid 123)", then how it came out and what to do, into
 * `text` of `space` bytes. Returns `text`. */
const char *denial_tell(const struct denial *denial, char *text, size_t space);

/* The refusal that ended the process with that pid, or NULL. */
const struct denial *denial_that_ended(const struct denials *denials, pid_t pid);

/* As the protocol has them: `records` and `nested` have room for DENIALS_MOST. */
struct holden_repeated denial_encode(const struct denials *denials, struct holden_refusal *records,
                                     struct holden_nested *nested);

/* The reverse, for a record read back, with its number of further ones. NULL where there is none or
 * no memory. */
struct denials *denial_decode(struct holden_repeated list, uint64_t further);
