#include "attempt.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    QUIET = 8,        /* milliseconds without a system call: it is over */
    TIMERS = 60,      /* what is waited for where a timer has to run */
    EVENTUALLY = 3000,
    CLIENTS = PATH_STEPS,
    MEMORY_AFTER = 20,       /* attempts, until all that is kept for good is there */
    MEMORY_GROWTH = 256 << 10, /* bytes; a leak of one each attempt of a hundred is more */
};

static bool fault(struct buffer *said, const char *what, const char *who) {
    buffer_printf(said, "%s: %s\n", who, what);
    return false;
}

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* ---- steps ---- */

struct walk {
    struct attempt *attempt;
    struct client clients[CLIENTS];
    const struct step *steps[CLIENTS];
    size_t count;
    bool refused, lost; /* a client was told no; or that there is nobody to tell */
    bool well;
    struct buffer *said;
};

static const char *words_of(const struct step *step) {
    return step->arguments ? step->arguments[0] : "";
}

static size_t lines_of(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

/* Either what was asked for and no word, or one line. */
static void judge(struct walk *walk, const struct step *step, const struct client *client) {
    char out[CLIENT_TEXT], err[CLIENT_TEXT];
    int status = WIFEXITED(client->status) ? WEXITSTATUS(client->status)
                                           : 128 + WTERMSIG(client->status);
    client_text(client->out, out);
    client_text(client->err, err);
    bool one_line = lines_of(err) == 1 && strncmp(err, "controller: ", 12) == 0 && strlen(err) > 30;
    bool refused = status == 1 || status == 3 || status == 5;
    walk->refused |= status != step->status && status != 3;
    walk->lost |= status != step->status && status == 3;
    if (status == step->status && (status == 1 ? one_line : !*err))
        return;
    if (status != step->status && refused && one_line)
        return;
    buffer_printf(walk->said, "%s ends with %d and says: %s%s\n", words_of(step), status, out, err);
    walk->well = false;
}

static void finish_client(struct walk *walk, struct client *client, const struct step *step) {
    if (!client_wait(walk->attempt->subject, client))
        walk->well = fault(walk->said, "gets no answer", words_of(step));
    else
        judge(walk, step, client);
    client_free(client);
}

static bool await_file(const char *directory) {
    char path[160];
    snprintf(path, sizeof(path), "%s/ready", directory);
    for (int tries = 0; tries < EVENTUALLY; tries++) {
        if (unlink(path) == 0)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return false;
}

static void take_step(struct walk *walk, const struct step *step) {
    struct subject *subject = walk->attempt->subject;
    struct client *client = &walk->clients[walk->count];
    switch (step->kind) {
    case STEP_END:
        break;
    case STEP_CLIENT:
    case STEP_WAITER:
        client_start(subject, client, step->arguments, step->terminal);
        if (step->kind == STEP_CLIENT) {
            finish_client(walk, client, step);
            break;
        }
        walk->steps[walk->count++] = step;
        subject_settle(subject, QUIET * 2);
        break;
    case STEP_FEED:
        walk->well &= write(subject->feed, "\n", 1) == 1;
        subject_settle(subject, QUIET * 2);
        break;
    case STEP_PAUSE:
    case STEP_KILL:
        kill(subject->core, step->kind == STEP_PAUSE ? SIGSTOP : SIGKILL);
        subject_settle(subject, QUIET);
        break;
    case STEP_QUIET:
        subject_settle(subject, TIMERS);
        break;
    case STEP_READY:
        if (!await_file(subject->directory))
            walk->well = fault(walk->said, "is not ready", "f");
    }
}

static void take_steps(struct walk *walk, const struct step *steps) {
    for (size_t i = 0; i < PATH_STEPS && steps[i].kind; i++)
        take_step(walk, &steps[i]);
    for (size_t i = 0; i < walk->count; i++)
        finish_client(walk, &walk->clients[i], walk->steps[i]);
    walk->count = 0;
}

/* ---- what holds afterwards ---- */

static const struct known *named(const struct known *known, int count, const char *name) {
    for (int i = 0; i < count; i++)
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    return NULL;
}

/* Who is listed as alive is, and each cgroup is a living one's. NULL, or what is wrong. */
static const char *disagree(const struct subject *subject, const struct known *known, int count) {
    struct buffer seen = {0};
    subject_look(subject, &seen);
    buffer_append(&seen, "", 1);
    size_t cgroups = 0, alive = 0;
    const char *wrong = NULL;
    for (const char *at = (char *)buffer_bytes(&seen); (at = strstr(at, "cgroup: ")); at++)
        cgroups++;
    for (int i = 0; i < count; i++) {
        alive += known[i].alive;
        if (known[i].alive && !subject_lives(known[i].pid))
            wrong = "is listed as alive, and is not";
    }
    buffer_free(&seen);
    return wrong ? wrong : cgroups != alive ? "has another number of cgroups than of processes"
                                            : NULL;
}

static bool right(const struct walk *walk, const struct path *path, const struct known *before,
                  int had, const struct known *now, int count, const char **why) {
    const struct known *f = named(now, count, "f"), *old = named(before, had, "f");
    for (int i = 0; i < had; i++)
        if (!named(now, count, before[i].name))
            return *why = "has lost a process", false;
    if (path->keeps && !(f && old && f->alive && f->id == old->id && f->pid == old->pid))
        return *why = "f does not run as before", false;
    bool done = !walk->refused && !walk->lost;
    if (path->then == PATH_RUNS && done && !(f && f->alive))
        return *why = "f was said to run, and does not", false;
    if (path->then == PATH_RUNS && walk->refused && f && f->alive)
        return *why = "f was said not to run, and does", false;
    if (path->then == PATH_GONE && done && (!f || f->alive))
        return *why = "f was said to be gone, and is not", false;
    return true;
}

static bool consistent(struct walk *walk, const struct path *path, const struct known *before,
                       int had) {
    struct subject *subject = walk->attempt->subject;
    const char *why = "does not list its processes";
    for (int tries = 0; tries < EVENTUALLY / 5; tries++) {
        struct known now[SUBJECT_KNOWN];
        int count = subject_list(subject, now);
        if (count >= 0 && right(walk, path, before, had, now, count, &why) &&
            !(why = disagree(subject, now, count)))
            return true;
        nap();
    }
    return fault(walk->said, why, "agent");
}

static void look(struct attempt *attempt, struct buffer *seen) {
    buffer_consume(seen, seen->size);
    subject_look(attempt->subject, seen);
}

static bool same(const struct buffer *one, const struct buffer *other) {
    return one->size == other->size &&
           memcmp(buffer_bytes(one), buffer_bytes(other), one->size) == 0;
}

/* The lines, in order, that only one of both has. */
static void say_differences(const struct buffer *usual, const struct buffer *now,
                            struct buffer *said) {
    const char *a = (char *)buffer_bytes(usual), *b = (char *)buffer_bytes(now);
    const char *a_end = a + usual->size, *b_end = b + now->size;
    while (a < a_end || b < b_end) {
        int a_size = a < a_end ? (int)(strchrnul(a, '\n') - a) : 0;
        int b_size = b < b_end ? (int)(strchrnul(b, '\n') - b) : 0;
        int most = a_size < b_size ? a_size : b_size;
        int order = a >= a_end ? 1 : b >= b_end ? -1 : strncmp(a, b, (size_t)most);
        if (order == 0)
            order = a_size - b_size;
        if (order < 0)
            buffer_printf(said, "missing: %.*s\n", a_size, a);
        else if (order > 0)
            buffer_printf(said, "left: %.*s\n", b_size, b);
        a += order <= 0 ? a_size + 1 : 0;
        b += order >= 0 ? b_size + 1 : 0;
    }
}

/* Whether nothing is missing but the connection of a client that had not quite gone. */
static bool only_clients(const struct buffer *differences) {
    static const char client[] = "missing: agent has open: socket:\n";
    size_t size = sizeof(client) - 1;
    bool only = true;
    for (size_t at = 0; only && at < differences->size; at += size)
        only = differences->size - at >= size &&
               memcmp(buffer_bytes(differences) + at, client, size) == 0;
    return only;
}

static bool unchanged(struct attempt *attempt, struct buffer *said) {
    struct buffer now = {0};
    bool well = false;
    for (int tries = 0; !well && tries < EVENTUALLY / 5; tries++) {
        if (tries > 0)
            nap();
        look(attempt, &now);
        well = same(&now, &attempt->usual);
    }
    struct buffer differences = {0};
    if (!well)
        say_differences(&attempt->usual, &now, &differences);
    if (!well && only_clients(&differences)) {
        look(attempt, &attempt->usual);
        well = true;
    } else
        buffer_append(said, buffer_bytes(&differences), differences.size);
    buffer_free(&differences);
    buffer_free(&now);
    return well;
}

static bool next_works(struct walk *walk) {
    static const char *const start[] = {"start", "--name", "next", "--", "sleep", "1000", NULL};
    static const char *const stop[] = {"stop", "next", NULL};
    struct buffer *said = walk->said;
    const struct step steps[PATH_STEPS] = {{.kind = STEP_CLIENT, .arguments = start},
                                           {.kind = STEP_CLIENT, .arguments = stop}};
    struct walk next = {.attempt = walk->attempt, .well = true, .said = said};
    take_steps(&next, steps);
    if (!next.well || next.refused || next.lost)
        return fault(said, "does not work", "the next start and stop");
    return true;
}

/* ---- the whole ---- */

/* What an agent makes once, for the first process that needs it, is there from here on. */
static bool warm_up(struct attempt *attempt, struct buffer *said) {
    static const char *const run[] = {"run", "-p", "Sandbox=strict", "-p", "SetCredential=a:b",
                                      "-p", "WorkingDirectory=/", "--", "/bin/true", NULL};
    const struct step steps[PATH_STEPS] = {{.kind = STEP_CLIENT, .arguments = run}};
    struct walk walk = {.attempt = attempt, .well = true, .said = said};
    take_steps(&walk, steps);
    if (!walk.well || walk.refused || walk.lost)
        return fault(said, "does not work", "a first process under Sandbox=strict");
    return subject_clear(attempt->subject, said);
}

static bool begin(struct attempt *attempt, struct buffer *said) {
    if (attempt->running)
        return true;
    if (!subject_start(attempt->subject, said))
        return false;
    attempt->running = true;
    attempt->life = 0;
    if (!warm_up(attempt, said))
        return false;
    /* Once the agent has noticed that those are gone who asked whether it is there. */
    struct buffer before = {0};
    do {
        look(attempt, &before);
        nap();
        nap();
        look(attempt, &attempt->usual);
    } while (!same(&before, &attempt->usual));
    buffer_free(&before);
    return true;
}

bool attempt_end(struct attempt *attempt, struct buffer *said) {
    bool well = true;
    if (attempt->running) {
        size_t memory = subject_memory(attempt->subject);
        if (attempt->life > MEMORY_AFTER && memory > attempt->memory + MEMORY_GROWTH) {
            buffer_printf(said, "memory has grown by %zu bytes over %u attempts\n",
                          memory - attempt->memory, attempt->life - MEMORY_AFTER);
            well = false;
        }
        well &= subject_stop(attempt->subject, said);
    }
    attempt->running = false;
    return well;
}

static bool follow(struct walk *walk, const struct path *path, const struct target *target) {
    struct attempt *attempt = walk->attempt;
    struct subject *subject = attempt->subject;
    struct tracer *tracer = &subject->tracer;
    tracer_begin(tracer, target);
    if (tracer_attach(tracer, subject->keeper, ROLE_KEEPER) < 0 ||
        tracer_attach(tracer, subject->core, ROLE_AGENT) < 0)
        return fault(walk->said, "cannot be followed", "agent");
    subject_settle(subject, QUIET);
    take_steps(walk, path->steps);
    subject_settle(subject, QUIET);
    tracer_end(tracer);
    attempt->hit = tracer->hit;
    if (tracer->unknown < 0)
        return true;
    buffer_printf(walk->said, "system call %ld has no row in calls.def\n", tracer->unknown);
    return false;
}

static bool go(struct attempt *attempt, const struct path *path, const struct target *target,
               struct buffer *said) {
    struct subject *subject = attempt->subject;
    struct walk before = {.attempt = attempt, .well = true, .said = said};
    struct walk walk = {.attempt = attempt, .well = true, .said = said};
    struct known known[SUBJECT_KNOWN];
    char drained[64];
    take_steps(&before, path->before);
    int had = subject_list(subject, known);
    if (!before.well || before.refused || before.lost || had < 0)
        return fault(said, "cannot be set up", "path");
    bool well = follow(&walk, path, target);
    if (!subject_lives(subject->keeper))
        return fault(said, "is gone", "keeper");
    if (!subject_answers(subject))
        return fault(said, "does not answer", "agent");
    well &= walk.well & consistent(&walk, path, known, had);
    well &= subject_clear(subject, said) && unchanged(attempt, said) && next_works(&walk) &&
            subject_clear(subject, said);
    while (read(subject->feed, drained, sizeof(drained)) > 0)
        ;
    return well;
}

bool attempt_make(struct attempt *attempt, const struct path *path, const struct target *target,
                  bool fresh, struct buffer *said) {
    attempt->hit = false;
    close(open(attempt->subject->log, O_WRONLY | O_TRUNC | O_CLOEXEC));
    bool well = (!fresh || attempt_end(attempt, said)) && begin(attempt, said);
    if (well) {
        pid_t core = attempt->subject->core;
        well = go(attempt, path, target, said);
        if (++attempt->life == MEMORY_AFTER)
            attempt->memory = subject_memory(attempt->subject);
        /* The keeper makes who crashes often wait. */
        if (well && attempt->subject->core != core)
            well = attempt_end(attempt, said);
    }
    if (!well) {
        subject_sweep(attempt->subject);
        attempt->running = false;
    }
    return well;
}
