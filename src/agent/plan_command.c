/* The part of a plan that says what is executed. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/assignment.h"
#include "agent/directory.h"
#include "agent/phase.h"
#include "agent/plan_build.h"
#include "agent/plan_draft.h"
#include "agent/process.h"
#include "common/cleanup.h"

/* Environment: what every process gets, unless the request says otherwise. */
static bool names_path(struct holden_view assignment) {
    return assignment.size >= 5 && memcmp(assignment.data, "PATH=", 5) == 0;
}

/* An assignment of PATH. */
struct path {
    struct holden_view view;
    char text[PATH_MAX + 8];
};

/* ExecSearchPath= as one; false where it is not set. */
static bool join_search_path(const struct holden_properties *properties, struct path *path) {
    struct holden_repeated left = properties->exec_search_path;
    struct holden_view view;
    int size = snprintf(path->text, sizeof(path->text), "PATH=");
    for (bool first = true; holden_next_view(&left, &view); first = false)
        if (size < (int)sizeof(path->text))
            size += snprintf(path->text + size, sizeof(path->text) - (size_t)size, "%s%.*s",
                             first ? "" : ":", (int)view.size, view.data);
    path->view = holden_view(path->text);
    return HOLDEN_HAS(properties, properties, exec_search_path);
}

/* The assignment of PATH: the last that the request has. */
static struct holden_view path_assignment(const struct holden_properties *properties,
                                          struct path *path) {
    struct holden_view found = holden_view(
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if (join_search_path(properties, path))
        found = path->view;
    struct holden_repeated left = properties->environment;
    struct holden_view view;
    while (HOLDEN_HAS(properties, properties, environment) && holden_next_view(&left, &view))
        if (names_path(view))
            found = view;
    return found;
}

/* By its name, or as it is. */
static bool is_unset(const struct holden_properties *properties, struct holden_view assignment) {
    struct holden_repeated left = properties->unset_environment;
    struct holden_view view;
    while (holden_next_view(&left, &view))
        if (assignment.size >= view.size && memcmp(assignment.data, view.data, view.size) == 0 &&
            (assignment.size == view.size || (assignment.data[view.size] == '=' &&
                                              !memchr(view.data, '=', view.size))))
            return true;
    return false;
}

static void add_variable(struct draft *draft, struct strings *strings,
                         const struct plan_input *input, struct holden_view assignment) {
    if (!is_unset(input->properties, assignment))
        strings_add(draft, strings, assignment);
}

/* What its own directories are called in the environment. */
static void add_directories(struct draft *draft, struct strings *strings,
                            const struct plan_input *input) {
    for (unsigned kind = 0; kind < DIRECTORY_KINDS && draft->error == 0; kind++) {
        _cleanup_(buffer_free) struct buffer text = {0};
        draft->error = directory_environment(input->properties, kind, &text);
        if (text.size > 0)
            add_variable(draft, strings, input,
                         (struct holden_view){(const char *)buffer_bytes(&text), text.size});
    }
}

static void add_credentials(struct draft *draft, struct strings *strings,
                            const struct plan_input *input) {
    char text[PATH_MAX + NAME_MAX + 32];
    snprintf(text, sizeof(text), "CREDENTIALS_DIRECTORY=%s", input->credentials);
    add_variable(draft, strings, input, holden_view(text));
}

/* A user who was made up has neither a home nor a shell. */
static void add_user(struct draft *draft, struct strings *strings,
                     const struct plan_input *input) {
    static const char *const names[] = {"USER", "LOGNAME"};
    char text[64];
    for (size_t i = 0; input->user && i < ARRAY_SIZE(names); i++) {
        snprintf(text, sizeof(text), "%s=%s", names[i], input->user);
        if (!assignment_made(input->properties, names[i]))
            add_variable(draft, strings, input, holden_view(text));
    }
}

/* A variable that the child makes its own pid; where its value is goes to `places`. */
static void add_pid(struct draft *draft, struct strings *strings, const struct plan_input *input,
                    const char *name, struct strings *places) {
    char text[64];
    snprintf(text, sizeof(text), "%s=%*s", name, PLAN_PID_ROOM, "");
    uint32_t before = strings->count;
    add_variable(draft, strings, input, holden_view(text));
    if (draft->error < 0 || strings->count == before)
        return;
    uint64_t at = (uint64_t)draft->out->size - 1 - PLAN_PID_ROOM;
    draft->error = buffer_append(&places->offsets, &at, sizeof(at));
    places->count++;
}

static void add_watchdog(struct draft *draft, struct strings *strings,
                         const struct plan_input *input, struct strings *places) {
    char text[64];
    if (input->watchdog == 0)
        return;
    add_pid(draft, strings, input, "WATCHDOG_PID", places);
    snprintf(text, sizeof(text), "WATCHDOG_USEC=%" PRIu64, input->watchdog);
    add_variable(draft, strings, input, holden_view(text));
}

static void put_environment(struct draft *draft, const struct plan_input *input) {
    struct strings strings = {0}, places = {0};
    struct path path;
    char text[160];
    add_variable(draft, &strings, input, path_assignment(input->properties, &path));
    snprintf(text, sizeof(text), "HOLDEN_NAME=%s", input->process->name);
    add_variable(draft, &strings, input, holden_view(text));
    if (input->notify) {
        snprintf(text, sizeof(text), "NOTIFY_SOCKET=%s", input->notify);
        add_variable(draft, &strings, input, holden_view(text));
    }
    add_watchdog(draft, &strings, input, &places);
    if (input->credentials && *input->credentials)
        add_credentials(draft, &strings, input);
    add_user(draft, &strings, input);
    add_directories(draft, &strings, input);
    for (size_t i = 0; i < input->variable_count; i++)
        add_variable(draft, &strings, input, input->variables[i]);
    struct holden_repeated left = input->properties->environment;
    struct holden_view view;
    while (holden_next_view(&left, &view))
        if (!names_path(view))
            add_variable(draft, &strings, input, view);
    struct plan_run run = strings_put(draft, &strings), own = strings_put(draft, &places);
    if (draft->error < 0)
        return;
    draft_head(draft)->environment = run;
    draft_head(draft)->pids = own;
}

/* The paths that execvp(3) would try; of two ways to say where, ExecSearchPath= is meant. */
static void put_paths(struct draft *draft, const struct plan_input *input,
                      struct holden_view command) {
    struct strings strings = {0};
    /* What is longer than a file's name can be is in no directory: exec says so. */
    bool direct = memchr(command.data, '/', command.size) || command.size > NAME_MAX;
    if (direct)
        strings_add(draft, &strings, command);
    struct path space;
    struct holden_view path = join_search_path(input->properties, &space)
                                  ? space.view
                                  : path_assignment(input->properties, &space);
    for (size_t at = strlen("PATH="); !direct && at <= path.size;) {
        const char *end = at < path.size ? memchr(path.data + at, ':', path.size - at) : NULL;
        size_t size = (end ? (size_t)(end - path.data) : path.size) - at;
        char text[PATH_MAX + NAME_MAX + 2];
        /* An empty part is the current directory; one too long for a path is none. */
        snprintf(text, sizeof(text), "%.*s%s%.*s", (int)(size < PATH_MAX ? size : 0),
                 path.data + at, size > 0 ? "/" : "", (int)command.size, command.data);
        if (size < PATH_MAX)
            strings_add(draft, &strings, holden_view(text));
        at += size + 1;
    }
    struct plan_run run = strings_put(draft, &strings);
    if (draft->error == 0)
        draft_head(draft)->paths = run;
}

static void put_arguments(struct draft *draft, const struct plan_input *input) {
    struct strings strings = {0};
    struct holden_repeated left = input->start->argument;
    struct holden_view view;
    put_paths(draft, input, phase_program(input->start));
    while (holden_next_view(&left, &view))
        strings_add(draft, &strings, view);
    struct plan_run run = strings_put(draft, &strings);
    if (draft->error == 0)
        draft_head(draft)->arguments = run;
}

void plan_put_command(struct draft *draft, const struct plan_input *input) {
    put_environment(draft, input);
    put_arguments(draft, input);
}
