#include "agent/keeper_core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/keeper_dump.h"
#include "common/cleanup.h"
#include "common/log.h"

enum {
    CORE_STEADY = 10000, /* milliseconds: who lives that long does not crash "again" */
    CORE_BRIEF = 100,
    CORE_DELAY = 100,
    CORE_DELAY_MAX = 10000,
    CORE_HOPELESS = 3, /* crashes in a row */
    CORE_FD_CLEAR = 16, /* above all KEEPER_FD_* */
    CORE_FDS = KEEPER_FD_ATTIC + 2 - KEEPER_FD_LISTEN,
};

uint64_t keeper_core_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int find_keeper(struct keeper_core *core, bool resumed) {
    static const char variable[] = "HOLDEN_AGENT=";
    const char *before = resumed ? getenv("HOLDEN_AGENT") : NULL;
    struct stat own;
    core->keeper = core->variable + sizeof(variable) - 1;
    size_t space = sizeof(core->variable) - sizeof(variable);
    ssize_t length = before ? snprintf(core->keeper, space, "%s", before)
                            : readlink("/proc/self/exe", core->keeper, space);
    if (length < 0 || stat("/proc/self/exe", &own) < 0) {
        log_error("cannot read /proc/self/exe: %s", strerror(errno));
        return -errno;
    }
    core->keeper[length] = '\0';
    memcpy(core->variable, variable, sizeof(variable) - 1);
    putenv(core->variable);
    core->device = own.st_dev;
    core->inode = own.st_ino;
    return 0;
}

int keeper_core_find(struct keeper_core *core, char *const *argv, bool resumed) {
    core->argv = argv;
    core->channel = core->memory = -1;
    int r = find_keeper(core, resumed);
    if (r < 0)
        return r;
    int directory = (int)(strrchr(core->keeper, '/') - core->keeper);
    int size = snprintf(core->program, sizeof(core->program), "%.*s/agent-core", directory,
                        core->keeper);
    if ((size_t)size >= sizeof(core->program))
        return -ENAMETOOLONG;
    if (!resumed && access(core->program, X_OK) < 0) {
        log_error("cannot start %s: %s", core->program, strerror(errno));
        return -errno;
    }
    return 0;
}

void keeper_core_become(struct keeper_core *core) {
    execve(core->program, core->argv, environ);
    log_error("cannot start %s: %s", core->program, strerror(errno));
}

/* In the new process: its descriptors, nothing else of ours, and no signal blocked. Without us it
 * could do nothing but keep others from taking its place. */
static _Noreturn void enter(const struct keeper_core *core, int program,
                            const int fds[CORE_FDS]) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int clear[CORE_FDS];
    for (int i = 0; i < CORE_FDS; i++)
        clear[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, CORE_FD_CLEAR);
    int same = fcntl(program, F_DUPFD_CLOEXEC, CORE_FD_CLEAR);
    for (int i = 0; i < CORE_FDS; i++) {
        close(KEEPER_FD_LISTEN + i);
        if (fds[i] >= 0 && (clear[i] < 0 || dup2(clear[i], KEEPER_FD_LISTEN + i) < 0))
            _exit(127);
    }
    close_range((unsigned)(KEEPER_FD_LISTEN + CORE_FDS), ~0U, CLOSE_RANGE_CLOEXEC);
    execveat(same, "", core->argv, environ, AT_EMPTY_PATH);
    log_error("cannot start agent-core: %s", strerror(errno));
    _exit(127);
}

enum { REPORTS_SIZE = PLAN_REPORTS * sizeof(struct plan_report) };

static int map_reports(struct keeper_core *core, int memory) {
    void *mapped = mmap(NULL, REPORTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (mapped == MAP_FAILED)
        return -errno;
    core->reports = mapped;
    core->memory = memory;
    return 0;
}

/* Once and for all: the next agent-core learns from them what the one before had under way. The
 * size is sealed, since a shrunken mapping would kill who writes to it. */
static int make_reports(struct keeper_core *core) {
    if (core->memory >= 0)
        return 0;
    _cleanup_close_ int fd = memfd_create("holden-reports", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, REPORTS_SIZE) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return -errno;
    int r = map_reports(core, fd);
    if (r == 0)
        TAKE_FD(fd);
    return r;
}

void keeper_core_resume(struct keeper_core *core, int memory) {
    struct stat status;
    if (memory >= 0 && (fstat(memory, &status) < 0 || status.st_size != REPORTS_SIZE ||
                        map_reports(core, memory) < 0))
        close(memory);
}

int keeper_core_start(struct keeper_core *core, int listening, int notify) {
    core->started = keeper_core_clock();
    int pair[2], program = keeper_upgrade_program(&core->upgrade, core->program);
    if (program < 0)
        return program;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    _cleanup_close_ int ours = pair[0];
    _cleanup_close_ int theirs = pair[1];
    int r = make_reports(core);
    if (r < 0)
        return r;
    snprintf(core->recoveries, sizeof(core->recoveries), "HOLDEN_RECOVERIES=%u", core->starts);
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    const int *attic = core->attic.fds;
    if (pid == 0)
        enter(core, program,
              (const int[CORE_FDS]){listening, theirs, core->memory, core->upgrade.asker, notify,
                                    attic[0], attic[2], attic[3]});
    core->pid = pid;
    core->channel = TAKE_FD(ours);
    core->recovered = false;
    core->starts++;
    return 0;
}

bool keeper_core_collect(struct keeper_core *core, bool end, siginfo_t *info) {
    if (core->pid == 0)
        return false;
    if (end)
        kill(core->pid, SIGKILL);
    info->si_pid = 0;
    waitid(P_PID, (id_t)core->pid, info, WEXITED | (end ? 0 : WNOHANG));
    if (info->si_pid == 0)
        return false;
    core->pid = 0;
    close(core->channel);
    core->channel = -1;
    return true;
}

/* Who keeps crashing gets what is on disk now: somebody may have mended it. */
static uint64_t delay_next(struct keeper_core *core) {
    if (keeper_core_clock() - core->started >= CORE_STEADY)
        core->crashes = 0;
    uint64_t delay = CORE_DELAY_MAX;
    if (core->crashes < 8)
        delay = core->crashes == 0 ? 0 : (uint64_t)CORE_DELAY << (core->crashes - 1);
    core->crashes++;
    core->upgrade.wanted = core->crashes > CORE_HOPELESS &&
                           keeper_upgrade_offered(&core->upgrade, core->program);
    return delay < CORE_DELAY_MAX ? delay : CORE_DELAY_MAX;
}

/* One that was on trial is followed at once by the one before it. */
static uint64_t go_on(struct keeper_core *core, const char *who, const char *how) {
    if (keeper_upgrade_on_trial(&core->upgrade)) {
        char why[KEEPER_UPGRADE_WHY];
        snprintf(why, sizeof(why), "the new agent-core %s", how);
        log_error("%s; going back to the old one", why);
        keeper_upgrade_refuse(&core->upgrade, why);
        return 0;
    }
    uint64_t delay = delay_next(core);
    log_error("%s %s; starting it again in %llu ms", who, how, (unsigned long long)delay);
    return delay;
}

uint64_t keeper_core_delay(struct keeper_core *core, int error) {
    char how[128];
    snprintf(how, sizeof(how), "cannot be started: %s", strerror(-error));
    return go_on(core, "agent-core", how);
}

void keeper_core_recovered(struct keeper_core *core) {
    core->recovered = core->established = true;
    keeper_upgrade_prove(&core->upgrade);
}

static uint64_t take_crash(struct keeper_core *core, const siginfo_t *info) {
    char who[48], how[64 + KEEPER_DUMP_PLACE], place[KEEPER_DUMP_PLACE] = "";
    snprintf(who, sizeof(who), "agent-core (pid %d)", info->si_pid);
    if (info->si_code == CLD_DUMPED)
        keeper_dump_place(info->si_pid, info->si_status, place);
    if (info->si_code == CLD_EXITED)
        snprintf(how, sizeof(how), "exited with status %d", info->si_status);
    else
        snprintf(how, sizeof(how), "was killed by SIG%s%s", sigabbrev_np(info->si_status), place);
    return go_on(core, who, how);
}

/* Exit statuses of agent-core that end the keeper. A refusal does not once there may be processes
 * that need it: then the agent is tried again until whoever spoilt its configuration has mended it.
 */
static const struct ending {
    int core;
    int keeper;
    bool when_established;
} endings[] = {
    {AGENT_EXIT_STOPPED, 0, true},
    {AGENT_EXIT_USAGE, 2, false},
    {AGENT_EXIT_REFUSED, 1, false},
};

static const struct ending *find_ending(const struct keeper_core *core, const siginfo_t *info) {
    for (size_t i = 0; info->si_code == CLD_EXITED && i < ARRAY_SIZE(endings); i++)
        if (endings[i].core == info->si_status &&
            (endings[i].when_established || !core->established))
            return &endings[i];
    return NULL;
}

/* One that served, if briefly, and then got a SIGKILL has not failed by itself, and nothing says
 * that the next one will fare no better. */
static bool was_killed(const struct keeper_core *core, const siginfo_t *info) {
    return info->si_code == CLD_KILLED && info->si_status == SIGKILL && core->recovered &&
           keeper_core_clock() - core->started >= CORE_BRIEF;
}

int keeper_core_judge(struct keeper_core *core, const siginfo_t *info, uint64_t *delay) {
    bool trial = !core->recovered && keeper_upgrade_on_trial(&core->upgrade);
    const struct ending *ending = trial ? NULL : find_ending(core, info);
    if (ending)
        return ending->keeper;
    *delay = 0;
    if (info->si_code == CLD_EXITED && info->si_status == AGENT_EXIT_REEXEC && core->recovered)
        core->upgrade.wanted = true;
    else {
        if (was_killed(core, info))
            core->crashes = 0;
        *delay = take_crash(core, info);
    }
    return -1;
}

bool keeper_core_replaced(const struct keeper_core *core) {
    struct stat now;
    return stat(core->keeper, &now) == 0 &&
           (now.st_dev != core->device || now.st_ino != core->inode);
}
