#include "agent/outcome.h"

#include <endian.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "protocol/property.h"
#include "stage.h"
#include "suite.h"

/* A process that has ended this way. */
static struct process *ended(struct stage *stage, int code, int status) {
    struct process *process = stage_process(stage, "web", HOLDEN_state_RUNNING, 0);
    process->outcome.code = code;
    process->outcome.status = status;
    process->usage = calloc(1, sizeof(*process->usage));
    assert_non_null(process->usage);
    return process;
}

static void is(struct process *process, uint32_t cause, const char *words) {
    outcome_explain(process);
    assert_int_equal(process->outcome.cause, cause);
    assert_string_equal(process->outcome.explanation, words);
}

static void stopped_by(struct process *process, uint32_t cause, int64_t by, unsigned kills) {
    process->stopping = calloc(1, sizeof(*process->stopping));
    assert_non_null(process->stopping);
    *process->stopping = (struct stopping){.cause = cause, .by = by, .kills = kills};
}

TEST(by_itself) {
    struct stage stage;
    stage_open(&stage);
    is(ended(&stage, CLD_EXITED, 0), HOLDEN_cause_EXITED, "exited with status 0");
    is(ended(&stage, CLD_EXITED, 3), HOLDEN_cause_EXITED, "exited with status 3");
    is(ended(&stage, CLD_KILLED, SIGTERM), HOLDEN_cause_SIGNALLED, "ended by SIGTERM");
    is(ended(&stage, CLD_DUMPED, SIGSEGV), HOLDEN_cause_SIGNALLED, "ended by SIGSEGV; core dumped");
    is(ended(&stage, CLD_KILLED, 40), HOLDEN_cause_SIGNALLED, "ended by signal 40");
    is(ended(&stage, 0, 0), HOLDEN_cause_UNKNOWN, "it ended while no agent was there to see how");
    stage_close(&stage);
}

TEST(by_a_users_signal) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = ended(&stage, CLD_KILLED, SIGHUP);
    process->killed_by = 1000;
    process->killed_with = SIGHUP;
    is(process, HOLDEN_cause_SIGNALLED, "ended by SIGHUP, sent by user 1000");
    process = ended(&stage, CLD_DUMPED, SIGQUIT);
    process->killed_by = 0;
    process->killed_with = SIGQUIT;
    is(process, HOLDEN_cause_SIGNALLED, "ended by SIGQUIT, sent by user 0; core dumped");
    process = ended(&stage, CLD_KILLED, SIGSEGV); /* it lived through the other one */
    process->killed_by = 0;
    process->killed_with = SIGUSR1;
    is(process, HOLDEN_cause_SIGNALLED, "ended by SIGSEGV");
    stage_close(&stage);
}

TEST(by_a_stop) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = ended(&stage, CLD_KILLED, SIGTERM);
    stopped_by(process, HOLDEN_cause_STOPPED, 1000, 0);
    is(process, HOLDEN_cause_STOPPED, "stopped by user 1000; ended by SIGTERM");
    process = ended(&stage, CLD_EXITED, 4);
    stopped_by(process, HOLDEN_cause_STOPPED, -1, 0);
    is(process, HOLDEN_cause_STOPPED, "stopped by the agent; exited with status 4");
    process = ended(&stage, CLD_KILLED, SIGKILL);
    stopped_by(process, HOLDEN_cause_STOPPED, 0, 2);
    is(process, HOLDEN_cause_STOPPED,
       "stopped by user 0; ended by SIGKILL after the time to stop ran out");
    process = ended(&stage, CLD_KILLED, SIGKILL);
    stopped_by(process, HOLDEN_cause_SETUP, -1, 1);
    is(process, HOLDEN_cause_SETUP, "ended by the agent: its record could not be written");
    stage_close(&stage);
}

TEST(by_a_stop_that_nobody_saw) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = ended(&stage, 0, 0);
    stopped_by(process, HOLDEN_cause_STOPPED, 0, 0);
    is(process, HOLDEN_cause_STOPPED, "stopped by user 0; nobody could see how it ended");
    stage_close(&stage);
}

/* The main process ended by itself, and only the rest was stopped. */
TEST(by_itself_with_a_rest) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = ended(&stage, CLD_EXITED, 1);
    stopped_by(process, HOLDEN_cause_NONE, -1, 1);
    is(process, HOLDEN_cause_EXITED, "exited with status 1");
    stage_close(&stage);
}

TEST(by_a_time_limit) {
    struct stage stage;
    struct holden_properties properties = {0};
    stage_open(&stage);
    struct process *process = ended(&stage, CLD_KILLED, SIGTERM);
    HOLDEN_SET(&properties, properties, runtime_max, UINT64_C(90) * 1000000);
    stage_settings(process, &properties);
    stopped_by(process, HOLDEN_cause_TIME_LIMIT, -1, 0);
    is(process, HOLDEN_cause_TIME_LIMIT, "it reached RuntimeMaxSec=1min 30s");
    is(ended(&stage, CLD_KILLED, SIGXCPU), HOLDEN_cause_TIME_LIMIT, "it reached LimitCPU=");
    is(ended(&stage, CLD_EXITED, SIGXCPU), HOLDEN_cause_EXITED, "exited with status 24");
    const struct holden_resource_limit limit = {{3}, 2, 3};
    HOLDEN_SET(&properties, properties, limit_cpu, (struct holden_nested){.value = &limit});
    process = ended(&stage, CLD_KILLED, SIGKILL); /* the hard limit, as the kernel counts it */
    stage_settings(process, &properties);
    HOLDEN_SET(process->usage, usage, cpu, 2610000);
    is(process, HOLDEN_cause_TIME_LIMIT, "it reached LimitCPU=");
    process = ended(&stage, CLD_KILLED, SIGKILL);
    stage_settings(process, &properties);
    HOLDEN_SET(process->usage, usage, cpu, 2100000);
    is(process, HOLDEN_cause_SIGNALLED, "ended by SIGKILL");
    stage_close(&stage);
}

static struct process *starved(struct stage *stage, const uint64_t *limit, int code, int status) {
    struct process *process = ended(stage, code, status);
    struct holden_properties properties = {0};
    if (limit)
        HOLDEN_SET(&properties, properties, memory_max, *limit);
    stage_settings(process, &properties);
    HOLDEN_SET(process->usage, usage, oom_kills, 1);
    HOLDEN_SET(process->usage, usage, memory_peak, 100 << 20);
    return process;
}

TEST(by_want_of_memory) {
    struct stage stage;
    stage_open(&stage);
    is(starved(&stage, &(uint64_t){100 << 20}, CLD_KILLED, SIGKILL), HOLDEN_cause_OUT_OF_MEMORY,
       "out of memory: it reached MemoryMax=100M (peak 100M)");
    is(starved(&stage, NULL, CLD_KILLED, SIGKILL), HOLDEN_cause_OUT_OF_MEMORY,
       "out of memory (peak 100M)");
    is(starved(&stage, &(uint64_t){UINT64_MAX}, CLD_KILLED, SIGKILL), HOLDEN_cause_OUT_OF_MEMORY,
       "out of memory (peak 100M)");
    is(starved(&stage, &(uint64_t){HOLDEN_SHARE_BIT | 2550}, CLD_KILLED, SIGKILL),
       HOLDEN_cause_OUT_OF_MEMORY, "out of memory: it reached MemoryMax=25.5% (peak 100M)");
    is(starved(&stage, &(uint64_t){100 << 20}, CLD_EXITED, 1), HOLDEN_cause_OUT_OF_MEMORY,
       "out of memory: it reached MemoryMax=100M (peak 100M)");
    is(starved(&stage, &(uint64_t){100 << 20}, CLD_EXITED, 0), HOLDEN_cause_EXITED,
       "exited with status 0");
    struct process *process = starved(&stage, NULL, CLD_KILLED, SIGKILL);
    holden_unmark(process->usage, HOLDEN_INDEX(usage, memory_peak));
    is(process, HOLDEN_cause_OUT_OF_MEMORY, "out of memory (peak unknown)");
    stage_close(&stage);
}

TEST(by_a_tasks_limit) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = ended(&stage, CLD_EXITED, 1);
    HOLDEN_SET(process->usage, usage, tasks_refused, 3);
    is(process, HOLDEN_cause_TASKS_LIMIT, "it failed after TasksMax= had refused it 3 new tasks");
    process = ended(&stage, CLD_EXITED, 0);
    HOLDEN_SET(process->usage, usage, tasks_refused, 3);
    is(process, HOLDEN_cause_EXITED, "exited with status 0");
    stage_close(&stage);
}

TEST(by_a_forbidden_call) {
    struct stage stage;
    struct {
        struct nlmsghdr header;
        char text[256];
    } message = {.header = {.nlmsg_type = AUDIT_SECCOMP}};
    int ends[2];
    stage_open(&stage);
    is(ended(&stage, CLD_KILLED, SIGSYS), HOLDEN_cause_SYSTEM_CALL,
       "its filter forbids a system call (the kernel did not say which)");
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    stage.agent->audit.fd = ends[0];
    snprintf(message.text, sizeof(message.text),
             "audit(1.2:3): auid=0 uid=0 gid=0 ses=1 pid=4711 comm=\"x\" exe=\"/x\" sig=31 "
             "arch=c000003e "
             "syscall=%d compat=0 ip=0x1 code=0x80000000",
             SYS_mkdirat);
    assert_true(send(ends[1], &message, sizeof(message), 0) > 0);
    struct process *process = ended(&stage, CLD_DUMPED, SIGSYS);
    process_set_pid(process, 4711);
    is(process, HOLDEN_cause_SYSTEM_CALL, "its filter forbids the system call mkdirat");
    audit_close(&stage.agent->audit);
    close(ends[1]);
    stage_close(&stage);
}

TEST(never_run) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = ended(&stage, CLD_EXITED, 1);
    process->launch = calloc(1, sizeof(*process->launch));
    assert_non_null(process->launch);
    process->launch->pipe = -1;
    failure_set(&process->launch->failure, HOLDEN_code_FAILED, "exec",
                "/x: No such file or directory");
    is(process, HOLDEN_cause_SETUP, "it never ran: exec: /x: No such file or directory");
    process->launch->failure.step = NULL;
    is(process, HOLDEN_cause_SETUP, "it never ran: start: /x: No such file or directory");
    stage_close(&stage);
}

UNIT_MAIN
