/* The agent's own settings, from its configuration file: "[Agent]" and Name=value lines, as systemd
 * writes them. The file belongs to root. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/message.h"

/* CONFIG(Name, member, kind, default, doc): every key, once. */
#define CONFIG_KEYS(CONFIG)                                                                  \
    CONFIG(DefaultStandardOutput, output, OUTPUT, HOLDEN_stream_kind_LOG,                    \
           "StandardOutput= of a process that has none: log, journal, null or auto")         \
    CONFIG(KeepRecords, keep_records, COUNT, 1000, "ended processes whose records are kept") \
    CONFIG(LogMax, log_max, SIZE, 1 << 20,                                                   \
           "bytes of a process's log that are kept, unless it has LogMax=")                  \
    CONFIG(DefaultTimeoutStopSec, timeout_stop, TIME, 10000000,                              \
           "time to stop, unless a process has TimeoutStopSec=")                             \
    CONFIG(TimeoutStopSec, timeout_shutdown, TIME, 90000000,                                 \
           "time for everything to stop when the agent is asked to end")                     \
    CONFIG(Audit, audit, AUDIT, CONFIG_AUDIT_AUTO,                                           \
           "where the audit trail goes: auto, journal, file or none")                        \
    CONFIG(AuditMax, audit_max, SIZE, 4 << 20, "bytes of its file that are kept")            \
    CONFIG(UserProcessesMax, user_processes, COUNT, UINT64_MAX,                              \
           "processes of one user other than root")                                          \
    CONFIG(UserMemoryMax, user_memory, SIZE, UINT64_MAX, "memory of all of them")            \
    CONFIG(UserTasksMax, user_tasks, COUNT, UINT64_MAX,                                      \
           "tasks of all of them, with all their children")                                  \
    CONFIG(UserCPUQuota, user_cpu, QUOTA, UINT64_MAX, "CPU time of all of them")             \
    CONFIG(UserConnectionsMax, user_connections, COUNT, 256,                                 \
           "connections of one user other than root")                                        \
    CONFIG(UserRequestsPerSec, user_requests, COUNT, 1000,                                   \
           "requests and connections of one user in a second")                               \
    CONFIG(UserRequestsBurst, user_burst, COUNT, 2000,                                       \
           "as many of them at once after a rest")                                           \
    CONFIG(UserQueueMax, user_queue, SIZE, 16 << 20,                                         \
           "bytes that wait on all connections of one user")                                 \
    CONFIG(History, history, TIME, 600000000,                                                \
           "how long samples of what each process uses are kept; 0: none are made")          \
    CONFIG(HistoryInterval, history_interval, INTERVAL, 1000000, "how often they are made")  \
    CONFIG(HistoryMax, history_max, SIZE, 2 << 20, "memory that they all may take")          \
    CONFIG(KillMode, kill_mode, KILL_MODE, CONFIG_KILL_MODE_CONTROL_GROUP,                   \
           "whether processes are stopped when the agent is asked to end")

enum config_kill_mode {
    CONFIG_KILL_MODE_CONTROL_GROUP, /* all are stopped */
    CONFIG_KILL_MODE_PROCESS,       /* only the agent ends: they go on */
};

enum config_audit {
    CONFIG_AUDIT_AUTO, /* each line to the journal, or to the file where that does not take it */
    CONFIG_AUDIT_JOURNAL,
    CONFIG_AUDIT_FILE,
    CONFIG_AUDIT_NONE,
};

/* DefaultStandardOutput=auto: the journal where journald's socket is there, else the log. */
enum { CONFIG_OUTPUT_AUTO = 100 };

struct config {
    char group[64]; /* Group=: whose members may use the agent; holden unless set */
    char audit_file[256]; /* AuditFile=: an absolute path; "": in the state directory */
#define CONFIG(Name, member, kind, initial, doc) uint64_t member;
    CONFIG_KEYS(CONFIG)
#undef CONFIG
};

/* Fills in the defaults, then what the file at `path` says. A file that is not there is a fault
 * only where it `must` be. 0, or -EINVAL after a line on stderr for each wrong line: file, line,
 * key. */
int config_read(struct config *config, const char *path, bool must);
