/* The plan: everything that one new process needs between clone and exec, prepared by the agent as
 * one flat run of bytes without pointers, so that the keeper can hand it to the child unread; and
 * the few messages between agent and keeper. Both come from the same build; nothing here is a wire
 * format. The channel is a SOCK_SEQPACKET pair: one message is one packet. */
#pragma once

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Descriptors that the agent finds open when the keeper starts it. */
enum {
    KEEPER_FD_LISTEN = 3,  /* the listening socket */
    KEEPER_FD_CHANNEL = 4, /* agent's end of the channel */
    KEEPER_FD_REPORTS = 5, /* memfd with PLAN_REPORTS struct plan_report, shared with keeper, every
                              child and every later agent */
    KEEPER_FD_ASKER = 6,   /* a client that waits to hear how its reexec went, where HOLDEN_REEXEC
                              is its request's id, a colon, and why it went wrong (else nothing) */
    KEEPER_FD_NOTIFY = 7,  /* the socket that processes of Type=notify report to; may be missing */
    KEEPER_FD_ARRIVALS = 8, /* where children send listeners of filters: datagrams of a struct
                               plan_arrival with one descriptor; and this and the next two only
                               where the keeper could make them (attic.h) */
    KEEPER_FD_ATTIC = 9,    /* and 10: a pair of sockets in which agents leave those to their
                               successors */
};

/* The agent's exit statuses that mean something to the keeper; any other end is a crash, and so are
 * USAGE and REFUSED once an agent of this keeper has recovered, REEXEC before this one has. Its
 * environment says in HOLDEN_RECOVERIES how many agents this keeper has had before it. */
enum {
    AGENT_EXIT_STOPPED = 0, /* asked to stop: the keeper ends too */
    AGENT_EXIT_USAGE = 2, /* it will not start, whatever the keeper does: the keeper ends with 2 */
    AGENT_EXIT_REFUSED = 3, /* it cannot start here, and has said why: the keeper ends with 1 */
    AGENT_EXIT_REEXEC = 80, /* start the program that is on disk now, at once */
};

/* The steps of a child, in their order; the name is what the client reads ("cannot start web:
 * working directory: …"). */
#define PLAN_STEPS(STEP)                       \
    STEP(CLONE, "clone")                       \
    STEP(SESSION, "session")                   \
    STEP(SIGNALS, "signals")                   \
    STEP(DIRECTORIES, "directories")           \
    STEP(STDIN, "standard input")              \
    STEP(STDOUT, "standard output")            \
    STEP(STDERR, "standard error")             \
    STEP(TERMINAL, "terminal")                 \
    STEP(OOM_SCORE, "OOMScoreAdjust")          \
    STEP(NICE, "Nice")                         \
    STEP(AFFINITY, "CPUAffinity")              \
    STEP(POLICY, "CPUSchedulingPolicy")        \
    STEP(IO_PRIORITY, "IOSchedulingClass")     \
    STEP(SLACK, "TimerSlackNSec")              \
    STEP(PERSONALITY, "Personality")           \
    STEP(COREDUMP, "CoredumpFilter")           \
    STEP(NUMA, "NUMAPolicy")                   \
    STEP(NAMESPACES, "namespaces")             \
    STEP(NETWORK, "network")                   \
    STEP(MOUNTS, "mounts")                     \
    STEP(LIMITS, "resource limits")            \
    STEP(GROUPS, "groups")                     \
    STEP(GID, "Group")                         \
    STEP(USERS, "PrivateUsers")                \
    STEP(BOUNDING, "CapabilityBoundingSet")    \
    STEP(UID, "User")                          \
    STEP(CAPABILITIES, "capabilities")         \
    STEP(AMBIENT, "AmbientCapabilities")       \
    STEP(SECURE_BITS, "SecureBits")            \
    STEP(KEYRING, "KeyringMode")               \
    STEP(DIRECTORY, "WorkingDirectory")        \
    STEP(INIT, "PrivatePIDs")                  \
    STEP(LABEL, "label")                       \
    STEP(NO_NEW_PRIVILEGES, "NoNewPrivileges") \
    STEP(LANDLOCK, "Landlock")                 \
    STEP(FILTER, "seccomp")                    \
    STEP(EXEC, "exec")

enum plan_step {
#define STEP(name, words) PLAN_STEP_##name,
    PLAN_STEPS(STEP)
#undef STEP
        PLAN_STEP_COUNT
};

/* What became of one plan, by plain stores into shared memory: past its system call filter no
 * write(2) of the child can be relied on, and memory outlives the agent. The agent takes one before
 * the plan is sent, with the plan's token in it; the keeper adds who was cloned, or the error; the
 * child how far it got. When the child's status pipe has ended, reached == PLAN_STEP_EXEC and error
 * == 0 mean that exec took place, anything else that the child died or failed in step `reached`. A
 * later agent finds those that were under way by their tokens: pid == 0 and error == 0 then mean
 * that the keeper never read the plan. An upgrade keeps them while this struct keeps its size. */
struct plan_report {
    volatile uint64_t token;   /* whose it is; 0: free */
    volatile uint32_t reached; /* enum plan_step: the step being done */
    volatile int32_t error;    /* errno of the step that failed, or 0 */
    volatile int32_t pid;      /* 0 until it is cloned */
    volatile uint32_t detail;  /* which of the things that the step does: for MOUNTS the number of
                                  its struct plan_mount, for DIRECTORIES, LABEL and LANDLOCK which
                                  of theirs; without an error 1 where a directory was moved between
                                  its private and its public place */
};
enum { PLAN_REPORTS = 4096 };

/* A run of the plan's bytes: offset from its beginning, 8-aligned, and number of elements. */
struct plan_run {
    uint32_t at;
    uint32_t count;
};

struct plan_limit {
    uint32_t resource; /* RLIMIT_* */
    uint32_t pad;
    uint64_t soft;
    uint64_t hard;
};

/* What is done at one place of the file system. Of two at the same place the first kind wins. */
enum plan_mount_kind {
    PLAN_MOUNT_INACCESSIBLE, /* covered by something empty of the same type */
    PLAN_MOUNT_BIND,         /* shows `source` */
    PLAN_MOUNT_DEVICES,      /* a /dev with few devices */
    PLAN_MOUNT_PRIVATE,      /* as TEMPORARY */
    PLAN_MOUNT_PROC,         /* a new /proc; options as proc(5) has them */
    PLAN_MOUNT_READ_ONLY,
    PLAN_MOUNT_READ_WRITE,
    PLAN_MOUNT_NO_EXEC,
    PLAN_MOUNT_EXEC,
    PLAN_MOUNT_TEMPORARY,    /* an empty file system in memory; options as tmpfs(5) has them */
    PLAN_MOUNT_QUEUES,       /* POSIX message queues of its own IPC namespace */
    PLAN_MOUNT_AS_IS,        /* left as it is by what changes the directory around it */
    PLAN_MOUNT_KINDS,
};

/* Bits of plan_mount.flags. */
enum {
    PLAN_MOUNT_OPTIONAL = 1 << 0,   /* nothing where the path (BIND: the source) is missing */
    PLAN_MOUNT_RECURSIVE = 1 << 1,  /* BIND: with what is mounted below the source */
    PLAN_MOUNT_FALLBACK = 1 << 2,   /* nothing where something is mounted already */
    PLAN_MOUNT_LITERAL = 1 << 3,    /* the path has no symbolic links */
    PLAN_MOUNT_RDONLY = 1 << 4,     /* what was mounted becomes read-only */
    PLAN_MOUNT_NOEXEC = 1 << 5,
    PLAN_MOUNT_EXECUTABLE = 1 << 6, /* the contrary; NOEXEC wins */
    PLAN_MOUNT_NOSUID = 1 << 7,
    PLAN_MOUNT_NODEV = 1 << 8,
    PLAN_MOUNT_RELAXED = 1 << 9,    /* PROC: what is there does where no new one may be mounted */
};

/* The detail of a report of MOUNTS that is about the root, or all of the mounts. */
enum plan_root_fault {
    PLAN_ROOT = UINT32_MAX,                /* the directory, or the file */
    PLAN_ROOT_LOOP = UINT32_MAX - 1,       /* a loop device */
    PLAN_ROOT_KIND = UINT32_MAX - 2,       /* it holds no file system that is known */
    PLAN_ROOT_PARTITIONS = UINT32_MAX - 3, /* it holds partitions */
    PLAN_ROOT_SYSTEM = UINT32_MAX - 4,     /* the kernel does not mount it */
    PLAN_ROOT_OPTIONS = UINT32_MAX - 5,    /* the kernel does not take an option of it */
};

/* Sorted by path, component by component, so that a directory stands before what is in it. The
 * numbers after `flags` are offsets of strings in the plan, or 0; the child turns them to pointers.
 */
struct plan_mount {
    uint32_t kind;
    uint32_t flags;
    uint64_t path;
    uint64_t source;
    uint64_t options; /* comma-separated */
    int32_t fd;       /* the child's */
    uint32_t number;  /* names it in the report */
};

/* What is made for a process in a fixed place, such as /run. */
enum plan_directory_kind {
    PLAN_DIRECTORY_OWN,   /* a directory that belongs to its user, with all that is in it */
    PLAN_DIRECTORY_PLAIN, /* a directory that is left as it is where it is there already */
    PLAN_DIRECTORY_LINK,  /* a symbolic link */
    PLAN_DIRECTORY_PRIVATE, /* as OWN, in PLAN_PRIVATE; in its public place there is the link
                               `text`, unless that is empty; what was there moves in */
};

/* In a quota: a share of the file system in hundredths of a percent. */
#define PLAN_QUOTA_SHARE (UINT64_C(1) << 63)

/* Begins the path of what is private: a directory that root alone gets into. */
#define PLAN_PRIVATE "private/"

/* The numbers after `mode` are offsets of strings in the plan. */
struct plan_directory {
    uint32_t kind; /* enum plan_directory_kind */
    uint32_t mode;
    uint64_t prefix; /* an absolute path; its own links are followed */
    uint64_t path;   /* from there */
    uint64_t text;   /* LINK: what it holds; OWN: what one holds that led to it while it was private,
                        or empty */
    uint64_t seed;   /* not 0: it has a quota, together with all of the same seed; from it comes
                        which project they are */
    uint64_t quota;  /* bytes, a share (PLAN_QUOTA_SHARE), or all bits set: none, nor the one
                        that it had */
};

/* Labels of AppArmor, SELinux and Smack, and the bytes that one has at most. */
enum { PLAN_LABELS = 3, PLAN_LABEL_MOST = 1024 };

/* Bits of plan_access.access. */
enum { PLAN_ACCESS_READ = 1 << 0, PLAN_ACCESS_WRITE = 1 << 1, PLAN_ACCESS_EXEC = 1 << 2 };

/* The detail of a report of LANDLOCK that is about none of the rules. */
#define PLAN_ACCESS_NONE UINT32_MAX

/* What it may do at a path and below it. */
struct plan_access {
    uint32_t access;   /* PLAN_ACCESS_* */
    uint32_t optional; /* 1: nothing where the path is missing */
    uint64_t path;     /* offset of the string in the plan */
};

/* What a standard stream is made from. */
enum plan_source {
    PLAN_SOURCE_NULL,     /* /dev/null */
    PLAN_SOURCE_PASSED,   /* descriptor `passed` of the packet */
    PLAN_SOURCE_READ,     /* open path for reading */
    PLAN_SOURCE_WRITE,    /* open path for writing, created 0666 & ~umask */
    PLAN_SOURCE_APPEND,   /* the same, at its end */
    PLAN_SOURCE_TRUNCATE, /* the same, emptied */
    PLAN_SOURCE_JOURNAL,  /* connect to journald's stream socket and send the string at path, its
                             header; after the ids are set, since journald files by who connects */
    PLAN_SOURCE_OUTPUT,   /* a duplicate of standard output (for standard error only) */
    PLAN_SOURCE_BOTH,     /* open path for reading and writing (for standard input only) */
    PLAN_SOURCE_INPUT,    /* a duplicate of standard input (for standard output only) */
};

struct plan_stream {
    uint32_t source;       /* enum plan_source */
    uint32_t passed;       /* index among the packet's descriptors */
    struct plan_run path;  /* NUL-terminated bytes */
};

/* Bits of plan.has: which optional steps there are. */
enum {
    PLAN_HAS_TERMINAL = 1 << 0,          /* standard input becomes the controlling terminal */
    PLAN_HAS_OOM_SCORE = 1 << 1,
    PLAN_HAS_NICE = 1 << 2,
    PLAN_HAS_AFFINITY = 1 << 3,
    PLAN_HAS_IDS = 1 << 4,               /* groups, gid, uid */
    PLAN_HAS_CAPABILITIES = 1 << 5,      /* bounding, inheritable, ambient */
    PLAN_HAS_DIRECTORY = 1 << 6,
    PLAN_HAS_DIRECTORY_OPTIONAL = 1 << 7, /* it may be missing: then it stays in / */
    PLAN_HAS_NO_NEW_PRIVILEGES = 1 << 8,
    PLAN_HAS_FILTER = 1 << 9,
    PLAN_HAS_OPEN_AS_USER = 1 << 10,     /* streams are opened by path only after the ids are set */
    PLAN_HAS_CGROUP = 1 << 11,           /* clone into descriptor 0 of the packet */
    PLAN_HAS_MOUNTS = 1 << 12,           /* a mount table of its own */
    PLAN_HAS_POLICY = 1 << 13,
    PLAN_HAS_IO_PRIORITY = 1 << 14,
    PLAN_HAS_PERSONALITY = 1 << 15,
    PLAN_HAS_LISTENER = 1 << 16,         /* the filter talks (talk.h) */
    PLAN_HAS_NO_SIGPIPE = 1 << 17,       /* SIGPIPE is ignored */
    PLAN_HAS_COREDUMP = 1 << 18,
    PLAN_HAS_NUMA = 1 << 19,
    PLAN_HAS_SECURE_BITS = 1 << 20,
    PLAN_HAS_IMAGE = 1 << 21,            /* the root is a file with a file system */
};

/* What a child sends with the listener of its filter, by sendmmsg(2) with the two halves of `pass`
 * as fifth and sixth argument, by which the filter knows that call and lets it pass. */
struct plan_arrival {
    uint64_t token; /* the plan's */
};

/* The characters of a pid in a plan, at most. */
#define PLAN_PID_ROOM 10

enum { PLAN_MAGIC = 0x6e616c50 };

/* Descriptors of a plan's packet. */
enum {
    PLAN_FD_CGROUP = 0,  /* the cgroup's directory (PLAN_HAS_CGROUP, else /dev/null) */
    PLAN_FD_STATUS = 1,  /* the status pipe's writing end */
    PLAN_FD_STREAMS = 2, /* from here on those that streams name as `passed` */
    PLAN_FDS_MAX = 8,
};

/* The head of the plan; its runs follow. A plan over KEEPER_PACKET_MAX travels in a memfd, the
 * packet's last descriptor, and the packet then holds only this head. A plan whose ids are not
 * root's, or whose bounding set lacks CAP_SYS_ADMIN, can have a filter only with
 * PLAN_HAS_NO_NEW_PRIVILEGES (seccomp(2)). */
struct plan {
    uint32_t magic;  /* PLAN_MAGIC; keeper_request.kind for the other messages */
    uint32_t size;   /* bytes, head and runs */
    uint64_t token;  /* the agent's, not 0; given back with the answer */
    uint32_t report; /* index of its struct plan_report */
    uint32_t has;    /* PLAN_HAS_* */
    struct plan_stream stream[3];
    int32_t oom_score;
    int32_t nice;
    uint32_t umask;
    uint32_t uid;
    uint32_t gid;
    uint32_t namespaces;  /* CLONE_NEW* that it gets, but for that of mounts; CLONE_NEWPID is for
                             clone3, the others for unshare(2) */
    uint64_t bounding;    /* capabilities to keep, bit N for capability N */
    uint64_t inheritable; /* permitted, effective and inheritable after the ids are set; for uid 0
                             permitted and effective are what the bounding set leaves */
    uint64_t ambient;
    uint32_t policy;      /* SCHED_* with SCHED_RESET_ON_FORK (sched(7)) */
    uint32_t priority;    /* for those in real time */
    uint32_t io_priority; /* as ioprio_set(2) has it */
    uint32_t personality; /* as personality(2) has it */
    uint64_t slack;       /* nanoseconds, or 0 */
    uint32_t keyring;     /* enum holden_keyring_mode_values */
    uint32_t coredump;    /* as /proc/self/coredump_filter has it (core(5)) */
    uint32_t numa;        /* as set_mempolicy(2) has it */
    uint32_t owner;       /* to whom its own directories belong */
    uint32_t owner_group;
    uint32_t secure_bits; /* as PR_SET_SECUREBITS of prctl(2) takes them */
    uint32_t root_flags;  /* PLAN_HAS_IMAGE: PLAN_MOUNT_RDONLY, NOSUID, NODEV, NOEXEC */
    struct plan_run numa_mask;  /* bytes of a mask of NUMA nodes, in whole unsigned longs */
    struct plan_run affinity;   /* bytes of a CPU mask, as sched_setaffinity(2) takes it */
    struct plan_run limits;     /* struct plan_limit */
    struct plan_run groups;     /* uint32_t */
    struct plan_run directory;  /* NUL-terminated bytes */
    struct plan_run network;    /* path of the network namespace that it enters; NUL-terminated, or
                                   none */
    struct plan_run root;       /* what becomes its /: a directory, or with PLAN_HAS_IMAGE a file
                                   with a file system; NUL-terminated, or none */
    struct plan_run root_options; /* of that file system's own, comma-separated; NUL-terminated */
    struct plan_run nodes;      /* directory with the nodes dir, reg, chr, blk, fifo, sock, which stand
                                   for what is inaccessible */
    struct plan_run mounts;     /* struct plan_mount */
    struct plan_run directories; /* struct plan_directory */
    struct plan_run labels[PLAN_LABELS]; /* NUL-terminated bytes, a - before them where the label
                                            may be impossible; or none (enum label) */
    struct plan_run landlock;   /* struct plan_access; with some, what none allows is refused */
    struct plan_run filter;     /* struct sock_filter */
    uint64_t pass[2];           /* PLAN_HAS_LISTENER: see struct plan_arrival */
    struct plan_run paths;      /* uint64_t: offsets of the paths to try in turn; exec's ENOENT,
                                   ENOTDIR and EACCES go on to the next, as execvp(3) does */
    struct plan_run arguments;  /* uint64_t: offsets of strings; the child turns them to pointers */
    struct plan_run
        environment; /* the same; neither count includes the terminating 0, which is there */
    struct plan_run pids;       /* uint64_t: offsets in the environment where the child writes its
                                   own pid, as text, over PLAN_PID_ROOM characters and a NUL */
};

enum { KEEPER_PACKET_MAX = 65536 };

/* What else the agent asks of the keeper. It must never wait for room in the channel without
 * reading answers meanwhile: the keeper does wait for room. */
enum keeper_request_kind {
    KEEPER_STATUS =
        1, /* has the child ended, and how? answered by KEEPER_STATUS; nothing is reaped */
    KEEPER_RELEASE = 2, /* its end is written down: reap it; answered by KEEPER_RELEASE, with the
                            token, where there is one */
    KEEPER_ADOPT = 3, /* recovered records name these children: struct keeper_adoption; answered by
                         KEEPER_ADOPT, in the order of the requests. With a token: kept as a main
                         too, until it is released, should it only become a child later on */
    KEEPER_RECOVERED = 4, /* every record has been adopted, also when there are none; from now on
                             children not named are reaped as orphans, and SIGHUP is passed on */
    KEEPER_NOTIFY_TAKEN = 5, /* what was in the socket before KEEPER_NOTIFY has been heard */
    KEEPER_REEXEC = 8, /* the packet's one descriptor is the client to be answered once the next
                          agent has recovered; token: its request's id */
};

struct keeper_request {
    uint32_t kind;
    int32_t pid;
    uint64_t token; /* RELEASE, ADOPT: the agent's, given back with the answer; RELEASE: 0 where
                       none is wanted */
};

enum { KEEPER_ADOPTIONS = 64 };

/* KEEPER_ADOPT, always whole. */
struct keeper_adoption {
    struct keeper_request request; /* pid: how many of the pids count */
    int32_t pids[KEEPER_ADOPTIONS];
};

enum {
    KEEPER_SPAWNED = 16,
    KEEPER_LISTEN = 17, /* unasked: the socket's file was gone; the descriptor is the new listening
                           socket, to be used in place of the old one */
    KEEPER_NOTIFY = 18, /* unasked: likewise, in place of KEEPER_FD_NOTIFY, which the keeper holds
                           until KEEPER_NOTIFY_TAKEN is said */
};

/* The keeper's answer. KEEPER_SPAWNED brings the pidfd where error is 0. */
struct keeper_reply {
    uint32_t kind;   /* KEEPER_SPAWNED, or that of the request */
    int32_t error;   /* errno of clone3 (SPAWNED); ECHILD for a pid that is no child; EAGAIN for one
                        that has not ended (STATUS) */
    uint64_t token;  /* of the plan or the request */
    int32_t pid;     /* of the request; the first of several */
    int32_t code;    /* CLD_EXITED, CLD_KILLED or CLD_DUMPED, as waitid(2) has it (STATUS) */
    int32_t status;  /* exit status or signal */
    uint32_t pad;
    uint64_t user;   /* CPU time of the process and those it waited for, microseconds */
    uint64_t system;
    uint64_t peak;   /* its largest resident set, bytes */
    uint64_t children; /* ADOPT: bit i is set where the i-th pid is a child, dead or alive; it stays
                          there until its release */
};

/* The words for a step, static. */
const char *plan_step_words(uint32_t step);
