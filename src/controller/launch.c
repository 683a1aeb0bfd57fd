#include "controller/launch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/name.h"
#include "controller/environment.h"
#include "controller/words.h"

int launch_settings(struct settings *settings, const struct options *options) {
    for (size_t i = 0; i < options->property_count; i++)
        if (settings_assign_text(settings, options->properties[i]) < 0) {
            log_error("%s", settings->wrong);
            return STATUS_USAGE;
        }
    return STATUS_DONE;
}

static int out_of_memory(void) {
    log_error("out of memory");
    return STATUS_FAILED;
}

/* "dir/program" depends on where the caller stands, which the agent does not know. */
static int make_absolute(struct launch *launch, struct holden_view *command) {
    char here[PATH_MAX];
    if (command->data[0] == '/' || !strchr(command->data, '/'))
        return STATUS_DONE;
    if (!getcwd(here, sizeof(here)) || here[0] != '/') {
        log_error("cannot start %s: the current directory: %s", launch->shown, strerror(errno));
        return STATUS_FAILED;
    }
    const char *rest = command->data;
    while (rest[0] == '.' && rest[1] == '/')
        rest += 2 + strspn(rest + 2, "/");
    size_t size = strlen(here) + 1 + strlen(rest);
    char *path = arena_take(&launch->settings.arena, size + 1);
    if (!path)
        return out_of_memory();
    snprintf(path, size + 1, "%s/%s", here, rest);
    *command = (struct holden_view){path, size};
    return STATUS_DONE;
}

static int set_arguments(struct launch *launch, const struct command *command) {
    size_t count = (size_t)command->count;
    struct holden_view *views = arena_take(&launch->settings.arena, count * sizeof(*views));
    if (!views)
        return out_of_memory();
    for (size_t i = 0; i < count; i++)
        views[i] = holden_view(command->arguments[i]);
    HOLDEN_SET(&launch->start, start, argument,
               (struct holden_repeated){.count = (uint32_t)count, .items = views});
    return make_absolute(launch, &views[0]);
}

/* Attached, a process begins where the caller stands; the agent's own choice is /. */
static int set_directory(struct launch *launch) {
    char here[PATH_MAX];
    struct holden_properties *properties = &launch->settings.properties;
    if (HOLDEN_HAS(properties, properties, working_directory) ||
        HOLDEN_HAS(properties, properties, root_directory) ||
        HOLDEN_HAS(properties, properties, root_image) || !getcwd(here, sizeof(here)) ||
        here[0] != '/')
        return STATUS_DONE;
    if (settings_text(&launch->settings, here, strlen(here), &properties->working_directory) < 0)
        return out_of_memory();
    HOLDEN_MARK(properties, properties, working_directory);
    return STATUS_DONE;
}

static int check_name(const char *name) {
    char shown[WORDS_SHOWN];
    if (name_valid(name, strlen(name)))
        return STATUS_DONE;
    log_error("'%s' cannot be a name: " NAME_RULE, words_show(name, shown));
    return STATUS_USAGE;
}

static int set_properties(struct launch *launch, const struct command *command, bool attached) {
    struct settings *settings = &launch->settings;
    int status = launch_settings(settings, &command->options);
    if (status == STATUS_DONE && attached)
        status = set_directory(launch);
    if (status == STATUS_DONE && settings_finish(settings) < 0) {
        log_error("%s", settings->wrong);
        return STATUS_USAGE;
    }
    HOLDEN_SET(&launch->start, start, properties,
               (struct holden_nested){.value = &settings->properties});
    return status;
}

int launch_prepare(struct launch *launch, const struct command *command, bool attached) {
    const char *name = command->options.name;
    const char *program = command->arguments[0];
    const char *slash = strrchr(program, '/');
    if (!*program) {
        log_error("the command is empty");
        return STATUS_USAGE;
    }
    if (name && check_name(name) != STATUS_DONE)
        return STATUS_USAGE;
    if (name)
        HOLDEN_SET(&launch->start, start, name, holden_view(name));
    launch->shown = name ? name : slash && slash[1] ? slash + 1 : program;
    if (attached || command->options.wait)
        HOLDEN_SET(&launch->start, start, wait, true);
    int status = set_arguments(launch, command);
    return status == STATUS_DONE ? set_properties(launch, command, attached) : status;
}

void launch_free(struct launch *launch) {
    settings_free(&launch->settings);
}

char *launch_complaint(const struct launch *launch, char text[160]) {
    char shown[WORDS_SHOWN];
    snprintf(text, 160, "cannot start %s", words_show(launch->shown, shown));
    return text;
}
