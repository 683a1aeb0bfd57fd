/* A keeper to be tested, in a directory of its own, with a puppet in place of agent-core: the
 * puppet hands the descriptors that it finds to the test, which so is the agent itself, and ends as
 * it is told. All assert by themselves. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/plan.h"

enum { FIXTURE_PATIENCE = 20000 }; /* milliseconds before a test gives up on what has to happen */

struct fixture {
    char directory[64];
    char socket[160];
    char output[96];  /* the keeper's standard error */
    int control;      /* where puppets connect */
    pid_t keeper;
    int puppet;       /* connection to the one that runs */
    pid_t core;       /* its pid */
    unsigned recoveries; /* what it was told */
    int listening;
    int channel;
    struct plan_report *reports;
};

/* What main() is to return: runs the tests, or is the puppet. */
int fixture_main(void);

/* Makes the directory, with copies of the programs in it. */
void fixture_open(struct fixture *fixture);

/* Puts a new copy of the keeper in place of the old one, as an upgrade does. */
void fixture_install(const struct fixture *fixture);

/* Starts the keeper, as process 1 of a new PID namespace where `first`, without waiting for the
 * puppet. */
void fixture_start(struct fixture *fixture, bool first);

/* Waits for the next puppet and takes its descriptors; then says KEEPER_RECOVERED where
 * `recovered`. */
void fixture_meet(struct fixture *fixture, bool recovered);

/* Both, in the simple case. */
void fixture_run(struct fixture *fixture);

/* Tells the puppet to exit with this status, or to die by that signal. Forgets its descriptors. */
void fixture_exit(struct fixture *fixture, int status);
void fixture_die(struct fixture *fixture, int signal);

/* The next signal that the puppet was sent. */
int fixture_signal(struct fixture *fixture);

/* Waits for the keeper's end; its exit status, or -signal. */
int fixture_end(struct fixture *fixture);

/* Ends whatever still runs and removes the directory. */
void fixture_close(struct fixture *fixture);

/* Whether the keeper has said this on standard error. */
bool fixture_said(struct fixture *fixture, const char *text);

/* A plan, growing. */
struct draft {
    union {
        struct plan plan;
        unsigned char bytes[1 << 20];
    };
    int fds[PLAN_FDS_MAX];
    unsigned count;
    int status; /* the status pipe's reading end */
};

/* A plan that runs `program` with these arguments (NULL ends them) and an empty environment, all
 * streams null. */
void draft_open(struct draft *draft, const char *program, ...);

/* Appends bytes; where they are. */
struct plan_run draft_add(struct draft *draft, const void *bytes, size_t size, uint32_t count);

/* Appends strings (NULL ends them). */
struct plan_run draft_strings(struct draft *draft, const char *const *strings);

/* Gives a stream this descriptor; it stays the caller's. */
void draft_pass(struct draft *draft, unsigned stream, int fd);

/* Sends the plan (in a memfd where it is large), waits for the answer and for the status pipe's
 * end. Returns the pidfd, -1 where the answer is an error. */
int draft_spawn(struct draft *draft, struct fixture *fixture, struct keeper_reply *reply);

/* The report of the last plan. */
struct plan_report *fixture_report(struct fixture *fixture);

/* The same as draft_spawn(), all answers being good: waits for the process's end too, answers its
 * status, and releases it. */
struct keeper_reply draft_finish(struct draft *draft, struct fixture *fixture);

/* The same, with what it wrote to standard output in `text`. */
struct keeper_reply draft_output(struct draft *draft, struct fixture *fixture, char *text,
                                 size_t space);

/* Sends a request; then the answer, with its descriptor in *fd (NULL: none is expected). */
void fixture_ask(struct fixture *fixture, uint32_t kind, pid_t pid);

/* Asks by KEEPER_ADOPT about these pids, and takes the answer: bit i is set for a child. */
uint64_t fixture_adopt(struct fixture *fixture, const pid_t *pids, size_t count);
struct keeper_reply fixture_answer(struct fixture *fixture, int *fd);

/* Asks for the status of an ended main until it is there. */
struct keeper_reply fixture_status(struct fixture *fixture, pid_t pid);

/* Waits until the process is gone, zombie included; or until it is a zombie. */
void fixture_gone(pid_t pid);
void fixture_zombie(pid_t pid);
bool fixture_is_zombie(pid_t pid);

/* How many children the keeper has, the core included. */
unsigned fixture_children(const struct fixture *fixture);

/* Polls until `condition`, which is evaluated again each time, or fails the test. */
#define EVENTUALLY(condition)                                                   \
    do {                                                                        \
        for (int waited = 0; !(condition); waited++) {                          \
            assert_true(waited < FIXTURE_PATIENCE);                             \
            poll(NULL, 0, 1);                                                   \
        }                                                                       \
    } while (0)
