/* Recovery from what an earlier agent wrote down, with the test as the keeper: its answers are
 * there before they are asked for, since recovery waits for them. */
#include "agent/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/state.h"
#include "stage.h"
#include "suite.h"

/* Writes the record of a process and forgets it, as a killed agent does. Its id. */
static uint64_t leave(struct stage *stage, const char *name, uint32_t state, pid_t pid,
                      const struct holden_properties *properties) {
    struct process *process = stage_process(stage, name, state, 1000);
    uint64_t id = process->id;
    if (properties)
        stage_settings(process, properties);
    process->started_realtime = 11;
    process->started_monotonic = 12;
    process->restarts = 2;
    process->outcome.cause = state == HOLDEN_state_FAILED ? HOLDEN_cause_EXITED : 0;
    process->outcome.code = CLD_EXITED;
    process->outcome.status = 3;
    process_set_pid(process, pid);
    assert_int_equal(store_write(&stage->agent->store, process), 0);
    process_free(process);
    return id;
}

/* The keeper's answer to the next KEEPER_ADOPT; the loop is not turned. */
static void will_answer(struct stage *stage, pid_t pid, int error, int fd) {
    const struct keeper_reply reply = {.kind = KEEPER_ADOPT, .pid = pid, .error = error};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)&reply, sizeof(reply)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    assert_int_equal(sendmsg(stage->keeper, &message, 0), sizeof(reply));
}

static pid_t sleeper(void) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close_range(3, ~0U, 0);
        alarm(120);
        for (;;)
            pause();
    }
    return child;
}

static struct process *named(const struct stage *stage, const char *name) {
    struct process *process = process_by_name(&stage->agent->processes, holden_view(name));
    assert_non_null(process);
    return process;
}

TEST(the_recovery_of_nothing) {
    struct stage stage;
    stage_open(&stage);
    assert_int_equal(recover(stage.agent), 0);
    assert_int_equal(stage.agent->processes.count, 0);
    stage_asked(&stage, KEEPER_RECOVERED, 0);
    stage_close(&stage);
}

TEST(a_living_process_goes_on) {
    struct stage stage;
    struct guest guest;
    struct holden_properties properties = {0};
    struct holden_exited exited;
    stage_open(&stage);
    HOLDEN_SET(&properties, properties, runtime_max, UINT64_C(1) << 60);
    pid_t child = sleeper();
    leave(&stage, "web", HOLDEN_state_RUNNING, child, &properties);
    scratch_make(&stage.scratch, "cgroup/1-web");
    int pidfd = pidfd_open(child, 0);
    will_answer(&stage, child, 0, pidfd);
    close(pidfd);
    assert_int_equal(recover(stage.agent), 0);
    struct process *process = named(&stage, "web");
    assert_int_equal(process->state, HOLDEN_state_RUNNING);
    assert_int_equal(process->pid, child);
    assert_true(process->child);
    assert_int_equal(process->owner, 1000);
    assert_int_equal(process->started_realtime, 11);
    assert_int_equal(process->restarts, 2);
    assert_non_null(process->limit);
    assert_int_equal(stage.agent->processes.alive, 1);
    stage_asked(&stage, KEEPER_ADOPT, child);
    stage_asked(&stage, KEEPER_RECOVERED, 0);
    /* Its end is told as if nothing had been. */
    stage_guest(&stage, &guest, 1000);
    struct holden_wait wait = {0};
    HOLDEN_SET(&wait, wait, name, holden_view("web"));
    uint32_t id = guest_ask(&guest, HOLDEN_MESSAGE_wait, &wait, NULL, 0);
    guest_silent(&guest);
    kill(child, SIGTERM);
    stage_reap(&stage, child);
    guest_expect(&guest, HOLDEN_MESSAGE_exited, id, &exited);
    assert_int_equal(exited.signal, SIGTERM);
    guest_close(&guest);
    stage_close(&stage);
}

TEST(an_id_is_not_used_again) {
    struct stage stage;
    uint64_t id;
    stage_open(&stage);
    leave(&stage, "web", HOLDEN_state_FAILED, 0, NULL);
    stage.agent->store.next_id = 1; /* as where the reservation was lost */
    assert_int_equal(recover(stage.agent), 0);
    assert_int_equal(store_new_id(&stage.agent->store, &id), 0);
    assert_int_equal(id, 2);
    stage_close(&stage);
}

TEST(a_frozen_one_is_known_to_be) {
    struct stage stage;
    stage_open(&stage);
    pid_t child = sleeper();
    leave(&stage, "web", HOLDEN_state_RUNNING, child, NULL);
    scratch_make(&stage.scratch, "cgroup/1-web");
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.freeze", "1\n");
    int pidfd = pidfd_open(child, 0);
    will_answer(&stage, child, 0, pidfd);
    close(pidfd);
    assert_int_equal(recover(stage.agent), 0);
    assert_true(named(&stage, "web")->frozen);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_close(&stage);
}

TEST(one_that_ended_unseen) {
    struct stage stage;
    stage_open(&stage);
    pid_t child = sleeper();
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    leave(&stage, "web", HOLDEN_state_RUNNING, child, NULL);
    scratch_make(&stage.scratch, "cgroup/1-web");
    will_answer(&stage, child, ECHILD, -1);
    assert_int_equal(recover(stage.agent), 0);
    struct process *process = named(&stage, "web");
    assert_int_equal(process->state, HOLDEN_state_FAILED);
    assert_int_equal(process->outcome.cause, HOLDEN_cause_UNKNOWN);
    assert_int_equal(process->pid, 0);
    struct stat status;
    assert_int_equal(fstatat(stage.agent->hierarchy.root, "1-web", &status, 0), -1);
    stage_close(&stage);
}

/* The keeper does not know the pid, and it lives: only a cgroup that lists it proves that it is not
 * somebody else's by now. */
TEST(a_pid_of_somebody_else_is_left_alone) {
    struct stage stage;
    stage_open(&stage);
    pid_t child = sleeper();
    leave(&stage, "web", HOLDEN_state_RUNNING, child, NULL);
    will_answer(&stage, child, ECHILD, -1);
    assert_int_equal(recover(stage.agent), 0);
    assert_int_equal(named(&stage, "web")->outcome.cause, HOLDEN_cause_UNKNOWN);
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    stage_close(&stage);
}

TEST(a_pid_that_its_cgroup_proves) {
    struct stage stage;
    char text[16];
    stage_open(&stage);
    pid_t child = sleeper();
    leave(&stage, "web", HOLDEN_state_RUNNING, child, NULL);
    scratch_make(&stage.scratch, "cgroup/1-web");
    snprintf(text, sizeof(text), "%d\n", (int)child);
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.procs", text);
    will_answer(&stage, child, ECHILD, -1);
    assert_int_equal(recover(stage.agent), 0);
    struct process *process = named(&stage, "web");
    assert_int_equal(process->state, HOLDEN_state_RUNNING);
    assert_false(process->child);
    /* Nobody can tell how it ends. */
    scratch_write(&stage.scratch, "cgroup/1-web/cgroup.procs", "");
    assert_int_equal(unlinkat(stage.scratch.directory, "cgroup/1-web/cgroup.procs", 0), 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    GUEST_UNTIL(stage.agent->event, process->state == HOLDEN_state_FAILED);
    assert_int_equal(process->outcome.cause, HOLDEN_cause_UNKNOWN);
    stage_close(&stage);
}

TEST(ended_ones_come_back_as_they_were) {
    struct stage stage;
    stage_open(&stage);
    leave(&stage, "one", HOLDEN_state_FAILED, 0, NULL);
    leave(&stage, "two", HOLDEN_state_FAILED, 0, NULL);
    leave(&stage, "three", HOLDEN_state_FAILED, 0, NULL);
    stage.agent->config.keep_records = 2;
    assert_int_equal(recover(stage.agent), 0);
    assert_int_equal(stage.agent->processes.ended, 2);
    assert_int_equal(stage.agent->processes.alive, 0);
    assert_null(process_by_name(&stage.agent->processes, holden_view("one")));
    assert_int_equal(faccessat(stage.agent->store.records, "1", F_OK, 0), -1);
    const struct process *process = named(&stage, "three");
    assert_int_equal(process->state, HOLDEN_state_FAILED);
    assert_int_equal(process->outcome.cause, HOLDEN_cause_EXITED);
    assert_int_equal(process->outcome.status, 3);
    stage_asked(&stage, KEEPER_RECOVERED, 0);
    stage_close(&stage);
}

TEST(cgroups_that_no_record_names_are_ended) {
    struct stage stage;
    struct stat status;
    char text[16];
    stage_open(&stage);
    static const char *const names[] = {"cgroup/7-lost", "cgroup/agent", "cgroup/7", "cgroup/x-7"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        scratch_make(&stage.scratch, names[i]);
    pid_t child = sleeper();
    scratch_make(&stage.scratch, "cgroup/8-lost");
    snprintf(text, sizeof(text), "%d\n", (int)child);
    scratch_write(&stage.scratch, "cgroup/8-lost/cgroup.procs", text);
    assert_int_equal(recover(stage.agent), 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(fstatat(stage.scratch.directory, names[i], &status, 0), i == 0 ? -1 : 0);
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    stage_close(&stage);
}

UNIT_MAIN
