/* Makes each system call of the keeper, the agent and their children fail, one at a time, on every
 * path that matters, and kills the agent at each.
 *
 *   faults [--seed N] [--share N] [--only PREFIX] [--list] PROGRAMS
 *
 * For every path (paths.c) the calls are counted as they are made; each is then tried again and
 * again, one attempt for each error of its row (calls.def) and one with SIGKILL. An attempt has a
 * name, PATH/ROLE/CALL/NUMBER/ERROR, which --only takes, or the beginning of it. With --share N
 * only each Nth is made, another Nth with each seed. PROGRAMS is the directory of agent and
 * controller. The last line is "faults: N passed, N failed". Exit status: 0 if none failed, 1,
 * or 2 for usage. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "common/file.h"

struct faults {
    struct attempt attempt;
    unsigned long seed, share;
    const char *only;
    bool list;
    size_t index;                         /* of attempts, in order */
    unsigned errors, kills, missed;       /* injected, and calls that were not reached again */
    unsigned calls, passed, failed;
};

static void name_of(const struct path *path, const struct target *target, char *text,
                    size_t space) {
    snprintf(text, space, "%s/%s/%s/%u/%s", path->name, role_words[target->role],
             target->call->name, target->number,
             target->error ? strerrorname_np(target->error) : "KILL");
}

static void say(const char *name, struct subject *subject, const struct buffer *said) {
    struct buffer log = {0};
    printf("not ok %s\n%.*s", name, (int)said->size, (char *)buffer_bytes(said));
    if (file_read_all(AT_FDCWD, subject->log, 1 << 20, &log) == 0)
        printf("the agent's log:\n%.*s", (int)log.size, (char *)buffer_bytes(&log));
    buffer_free(&log);
}

/* One attempt that something has to be said of. */
static bool attempt(struct faults *faults, const char *name, const struct path *path,
                    const struct target *target, bool fresh) {
    struct buffer said = {0};
    bool well = attempt_make(&faults->attempt, path, target, fresh, &said);
    if (!well)
        say(name, faults->attempt.subject, &said);
    buffer_free(&said);
    well ? faults->passed++ : faults->failed++;
    fflush(stdout);
    return well;
}

static bool chosen(struct faults *faults, const char *name) {
    if (faults->only && strncmp(name, faults->only, strlen(faults->only)) != 0)
        return false;
    return (faults->index++ + faults->seed) % faults->share == 0;
}

static void inject(struct faults *faults, const struct path *path, const struct target *target,
                   bool fresh) {
    char name[160];
    name_of(path, target, name, sizeof(name));
    if (!chosen(faults, name))
        return;
    if (faults->list) {
        puts(name);
        return;
    }
    attempt(faults, name, path, target, fresh);
    if (!faults->attempt.hit)
        faults->missed++;
    else if (target->error)
        faults->errors++;
    else
        faults->kills++;
}

/* Every error of the call's row; and the agent, which may die anywhere, is killed. What an agent
 * does only once needs one that has done nothing. */
static void inject_each(struct faults *faults, const struct path *path, struct target *target,
                        bool fresh) {
    faults->calls++;
    for (size_t i = 0; i < CALL_ERRORS && target->call->errors[i]; i++) {
        target->error = target->call->errors[i];
        inject(faults, path, target, fresh);
    }
    target->error = 0;
    if (target->role == ROLE_AGENT || target->role == ROLE_NEXT)
        inject(faults, path, target, true);
}

static void try_path(struct faults *faults, const struct path *path) {
    static unsigned first[ROLES][TRACER_CALLS], usual[ROLES][TRACER_CALLS];
    const struct tracer *tracer = &faults->attempt.subject->tracer;
    if (!attempt(faults, path->name, path, NULL, true))
        return;
    memcpy(first, tracer->counts, sizeof(first));
    if (!attempt(faults, path->name, path, NULL, false))
        return;
    memcpy(usual, tracer->counts, sizeof(usual));
    for (enum role role = 0; role < ROLES; role++)
        for (size_t i = 0; i < calls_count; i++)
            for (unsigned n = 1; n <= first[role][i] || n <= usual[role][i]; n++)
                inject_each(faults, path,
                            &(struct target){.role = role, .call = &calls[i], .number = n},
                            n > usual[role][i]);
}

/* Whether processes get limits here. */
static bool has_controllers(struct faults *faults) {
    char path[300], text[256];
    struct buffer said = {0};
    struct subject *subject = faults->attempt.subject;
    snprintf(path, sizeof(path), "%s/cgroup.subtree_control", subject->cgroup);
    bool has = subject_start(subject, &said) &&
               file_read(AT_FDCWD, path, text, sizeof(text)) > 0 && strstr(text, "memory");
    if (!subject_stop(subject, &said))
        say("start and stop", subject, &said);
    buffer_free(&said);
    return has;
}

static int usage(void) {
    fputs("usage: faults [--seed N] [--share N] [--only PREFIX] [--list] PROGRAMS\n", stderr);
    return 2;
}

static int run(struct faults *faults) {
    bool limits = has_controllers(faults);
    size_t skipped = 0;
    struct buffer said = {0};
    for (size_t i = 0; i < paths_count; i++) {
        const struct path *path = &paths[i];
        size_t length = strlen(path->name);
        if (faults->only && (strncmp(faults->only, path->name, length) != 0 ||
                             (faults->only[length] && faults->only[length] != '/')))
            continue;
        if (path->limits && !limits) {
            printf("%s: skipped, since there are no controllers\n", path->name);
            skipped++;
            continue;
        }
        try_path(faults, path);
    }
    if (!attempt_end(&faults->attempt, &said)) {
        say("end", faults->attempt.subject, &said);
        faults->failed++;
    }
    buffer_free(&said);
    printf("faults: %u injected (%u errors, %u kills) into %u calls of %zu paths; %u not reached "
           "again; seed %lu, each %luth\n",
           faults->errors + faults->kills, faults->errors, faults->kills, faults->calls,
           paths_count - skipped, faults->missed, faults->seed, faults->share);
    printf("faults: %u passed, %u failed\n", faults->passed, faults->failed);
    return faults->failed > 0;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"seed", required_argument, NULL, 's'},
                                            {"share", required_argument, NULL, 'n'},
                                            {"only", required_argument, NULL, 'o'},
                                            {"list", no_argument, NULL, 'l'},
                                            {NULL, 0, NULL, 0}};
    static struct subject subject;
    static struct faults faults = {.attempt.subject = &subject, .share = 1};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 's': faults.seed = strtoul(optarg, NULL, 10); break;
        case 'n': faults.share = strtoul(optarg, NULL, 10); break;
        case 'o': faults.only = optarg; break;
        case 'l': faults.list = true; break;
        default: return usage();
        }
    if (optind + 1 != argc || faults.share == 0)
        return usage();
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    int r = subject_open(&subject, argv[optind]);
    if (r < 0) {
        fprintf(stderr, "faults: cannot make a place to work in: %s\n", strerror(-r));
        return 1;
    }
    int status = run(&faults);
    buffer_free(&faults.attempt.usual);
    subject_close(&subject);
    return status;
}
