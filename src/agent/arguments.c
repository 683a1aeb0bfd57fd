#include "agent/arguments.h"

#include <stdio.h>

#include "common/cleanup.h"
#include "common/option.h"
#include "common/version.h"
#include "protocol/client.h"

static const char *take_socket(void *into, const char *value) {
    ((struct arguments *)into)->socket = value;
    return *value ? NULL : "the path is empty";
}
static const char *take_state(void *into, const char *value) {
    ((struct arguments *)into)->state = value;
    return *value == '/' ? NULL : "not an absolute path";
}
static const char *take_cgroup(void *into, const char *value) {
    ((struct arguments *)into)->cgroup = value;
    return *value == '/' ? NULL : "not an absolute path";
}
static const char *take_config(void *into, const char *value) {
    ((struct arguments *)into)->config = value;
    ((struct arguments *)into)->config_given = true;
    return *value ? NULL : "the path is empty";
}
static const char *take_policy(void *into, const char *value) {
    ((struct arguments *)into)->policy = value;
    ((struct arguments *)into)->policy_given = true;
    return *value ? NULL : "the path is empty";
}
static const char *take_check(void *into, const char *value) {
    (void)value;
    ((struct arguments *)into)->check = true;
    return NULL;
}
static const char *take_probe(void *into, const char *value) {
    (void)value;
    ((struct arguments *)into)->probe = true;
    return NULL;
}
static const char *take_help(void *into, const char *value) {
    (void)value;
    ((struct arguments *)into)->help = true;
    return NULL;
}
static const char *take_version(void *into, const char *value) {
    (void)value;
    ((struct arguments *)into)->version = true;
    return NULL;
}

static const struct option_row rows[] = {
    {0, "socket", "PATH",
     "listen here; $HOLDEN_SOCKET, then " HOLDEN_SOCKET_DEFAULT " unless given", take_socket},
    {0, "state-dir", "DIR", "keep records and logs here; /run/holden/state unless given",
     take_state},
    {0, "cgroup", "PATH", "divide this cgroup (a path below /sys/fs/cgroup, or from /)",
     take_cgroup},
    {0, "config", "FILE", "read this; /etc/holden/agent.conf unless given", take_config},
    {0, "policy", "FILE",
     "read who may do what here, and in the directory beside it; /etc/holden/policy.conf unless "
     "given", take_policy},
    {0, "check", NULL, "tell what this machine offers, and end", take_check},
    {0, "probe", NULL, "tell whether it could start, and end; what reexec tries first",
     take_probe},
    {'h', "help", NULL, "show this", take_help},
    {0, "version", NULL, "show the version", take_version},
};

int arguments_parse(struct arguments *arguments, int argc, char *const *argv) {
    *arguments = (struct arguments){.state = "/run/holden/state",
                                    .config = "/etc/holden/agent.conf",
                                    .policy = "/etc/holden/policy.conf"};
    int at = option_parse(rows, ARRAY_SIZE(rows), "agent", argc, argv, arguments);
    if (at < 0)
        return -1;
    if (at < argc) {
        fprintf(stderr, "agent: '%s': no arguments are expected; see agent --help\n", argv[at]);
        return -1;
    }
    arguments->socket = holden_socket_path(arguments->socket);
    return 0;
}

bool arguments_answered(const struct arguments *arguments) {
    if (arguments->help) {
        printf("agent: starts, confines, watches and keeps processes\n\n"
               "Usage: agent [OPTION]…\n\n");
        option_help(rows, ARRAY_SIZE(rows));
    } else if (arguments->version)
        puts("agent " HOLDEN_VERSION_TEXT);
    return arguments->help || arguments->version;
}
