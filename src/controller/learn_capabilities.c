/* Finding the capabilities that a command needs: by taking them away. The kernel tells nobody which
 * of them it looked for, so that the command's own exit status has to say whether one was missing.
 */
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/ending.h"
#include "controller/launch.h"
#include "controller/learn.h"
#include "controller/waiting.h"

/* capabilities(7), in their order. */
static const char *const names[] = {
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
    "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
    "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
    "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
    "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
    "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
};
enum { ALL = ARRAY_SIZE(names), SETTING = 1024 };

/* `head`, then each name of the set with `prefix`. */
static void print_set(uint64_t set, const char *head, const char *prefix, char text[SETTING]) {
    size_t used = (size_t)snprintf(text, SETTING, "%s", head);
    for (size_t i = 0; i < ALL; i++)
        if (set >> i & 1)
            used += (size_t)snprintf(text + used, SETTING - used, "%s%s", prefix, names[i]);
}

static int try_once(struct command *command, const struct launch *launch, int *ending) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    struct waiting waiting = {.id = 0};
    struct holden_reply reply;
    struct holden_started started;
    struct holden_exited exited;
    char complaint[160];
    int status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = session_ask(&session, HOLDEN_MESSAGE_start, &launch->start, NULL, 0,
                             &waiting.request);
    if (status == STATUS_DONE)
        status = session_next(&session, &reply);
    if (status == STATUS_DONE)
        status = session_take(&reply, HOLDEN_MESSAGE_started, &started,
                              launch_complaint(launch, complaint));
    if (status != STATUS_DONE)
        return status;
    waiting.id = started.id;
    snprintf(waiting.name, sizeof(waiting.name), "%.*s", (int)started.name.size,
             started.name.data);
    status = waiting_end(&waiting, &session, &exited);
    if (status == STATUS_DONE)
        *ending = ending_status(&exited);
    return status;
}

/* Runs it with these capabilities. */
static int try(struct command *command, uint64_t set, int *ending) {
    _cleanup_(launch_free) struct launch launch = {0};
    size_t before = command->options.property_count;
    char setting[SETTING];
    print_set(set, "CapabilityBoundingSet=", " CAP_", setting);
    if (options_add_property(&command->options, "StandardOutput=null") < 0 ||
        options_add_property(&command->options, "CapabilityBoundingSet=") < 0 ||
        options_add_property(&command->options, setting) < 0)
        return STATUS_FAILED;
    int status = launch_prepare(&launch, command, true);
    if (status == STATUS_DONE)
        status = try_once(command, &launch, ending);
    command->options.property_count = before;
    return status;
}

/* Takes away one after the other, as long as it ends as it did with all of them. */
static int reduce(struct command *command, uint64_t *set) {
    int all = 0;
    int ending = 0;
    int status = try(command, *set, &all);
    if (status == STATUS_DONE)
        status = try(command, 0, &ending);
    if (status != STATUS_DONE)
        return status;
    if (ending == all) {
        *set = 0;
        return STATUS_DONE;
    }
    for (size_t i = 0; status == STATUS_DONE && i < ALL; i++) {
        uint64_t less = *set & ~(UINT64_C(1) << i);
        status = try(command, less, &ending);
        if (status == STATUS_DONE && ending == all)
            *set = less;
    }
    return status;
}

int learn_capabilities(struct command *command) {
    uint64_t set = (UINT64_C(1) << ALL) - 1;
    char text[SETTING];
    int status = reduce(command, &set);
    if (status != STATUS_DONE)
        return status;
    print_set(set, "CapabilityBoundingSet=", " CAP_", text);
    fprintf(stderr, "%s\n", text);
    print_set(set, "podman run --cap-drop=all", " --cap-add=", text);
    fprintf(stderr, "%s\n", text);
    return STATUS_DONE;
}
