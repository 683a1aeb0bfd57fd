/* The agent's command line, read by keeper and agent alike. */
#pragma once

#include <stdbool.h>

struct arguments {
    const char *socket;     /* --socket, HOLDEN_SOCKET, or the default */
    const char *state;      /* --state-dir; /run/holden/state unless given */
    const char *cgroup;     /* --cgroup, or NULL: found out at start */
    const char *config;     /* --config; /etc/holden/agent.conf unless given */
    bool config_given;      /* then it must exist */
    const char *policy;     /* --policy; /etc/holden/policy.conf unless given */
    bool policy_given;      /* then it must exist */
    bool check;             /* --check */
    bool probe;             /* --probe */
    bool help;
    bool version;
};

/* Reads the command line; the strings stay those of `argv` and the environment. 0, or -1 after one
 * line on stderr that says what is wrong. */
int arguments_parse(struct arguments *arguments, int argc, char *const *argv);

/* Prints the help or the version to standard output, where that is what was asked for. */
bool arguments_answered(const struct arguments *arguments);
