/* The table of properties, as rows: what a client needs to read and print them, and the agent to
 * check and apply them. Expanded from properties.def. */
#pragma once

#include "protocol/message.h"

/* How people write a property. */
enum holden_syntax {
    HOLDEN_SYNTAX_SIZE,             /* bytes: 100M, 1.5G, infinity, 50% of the machine's memory */
    HOLDEN_SYNTAX_COUNT,            /* a number, infinity, or a percentage of the machine's most */
    HOLDEN_SYNTAX_QUOTA,            /* a percentage of one CPU: 50%, 200% */
    HOLDEN_SYNTAX_TIME,             /* seconds, or systemd.time(7): 90, 1min 30s, 500ms, infinity */
    HOLDEN_SYNTAX_WEIGHT,           /* 1 to 10000 */
    HOLDEN_SYNTAX_WEIGHT_OR_IDLE,   /* the same, or idle */
    HOLDEN_SYNTAX_CPUS,             /* 0-3,5 */
    HOLDEN_SYNTAX_DEVICE_SIZE,      /* PATH BYTES */
    HOLDEN_SYNTAX_DEVICE_COUNT,     /* PATH NUMBER */
    HOLDEN_SYNTAX_DEVICE_WEIGHT,    /* PATH NUMBER, 1 to 10000 */
    HOLDEN_SYNTAX_DEVICE_TIME,      /* PATH TIME */
    HOLDEN_SYNTAX_DEVICES,          /* PATH or char-CLASS or block-CLASS, and some of rwm */
    HOLDEN_SYNTAX_ADDRESSES,        /* IP addresses with /BITS, any, localhost and the like */
    HOLDEN_SYNTAX_BIND_RULES,       /* [ipv4|ipv6:][tcp|udp:][PORT[-PORT]], or any */
    HOLDEN_SYNTAX_INTERFACES,       /* names of network interfaces; a leading ~ inverts */
    HOLDEN_SYNTAX_WORD,             /* a word of the row's enumeration */
    HOLDEN_SYNTAX_SIGNAL,           /* SIGTERM, TERM, 15 */
    HOLDEN_SYNTAX_INTEGER,          /* a number within the row's bounds */
    HOLDEN_SYNTAX_BOOLEAN,          /* yes, no, true, false, on, off, 1, 0 */
    HOLDEN_SYNTAX_COREDUMP_FILTER,  /* kinds of memory, or a hexadecimal mask */
    HOLDEN_SYNTAX_SECURE_BITS,      /* noroot and the like, space-separated */
    HOLDEN_SYNTAX_MODE,             /* octal */
    HOLDEN_SYNTAX_USER,             /* a user by name or number */
    HOLDEN_SYNTAX_GROUP,            /* a group by name or number */
    HOLDEN_SYNTAX_GROUPS,           /* groups, space-separated */
    HOLDEN_SYNTAX_DIRECTORY,        /* an absolute path, or ~; a leading - lets it be missing */
    HOLDEN_SYNTAX_ENVIRONMENT,      /* assignments, quoted as in systemd.syntax(7) */
    HOLDEN_SYNTAX_ENVIRONMENT_FILE, /* an absolute path; a leading - lets it be missing */
    HOLDEN_SYNTAX_PASS_ENVIRONMENT, /* names of variables, space-separated */
    HOLDEN_SYNTAX_SEARCH_PATH,      /* absolute paths, colon-separated */
    HOLDEN_SYNTAX_INPUT_TEXT,       /* a line, with escapes as in C */
    HOLDEN_SYNTAX_INPUT_DATA,       /* Base64 */
    HOLDEN_SYNTAX_INPUT,            /* null, data, file:PATH */
    HOLDEN_SYNTAX_OUTPUT,           /* log, journal, null, inherit, file:, append:, truncate:PATH */
    HOLDEN_SYNTAX_NAMES,            /* names, space-separated; a leading ~ inverts */
    HOLDEN_SYNTAX_NAMESPACES,       /* yes, no, or kinds of namespaces; a leading ~ inverts */
    HOLDEN_SYNTAX_FAMILIES,         /* none, or address families; a leading ~ inverts */
    HOLDEN_SYNTAX_ERRNO,            /* EPERM, 1, or kill */
    HOLDEN_SYNTAX_WORDS,            /* words, space-separated */
    HOLDEN_SYNTAX_TEXT,             /* any text without control characters */
    HOLDEN_SYNTAX_EXEC,             /* a command line as in systemd.service(5) */
    HOLDEN_SYNTAX_EXIT_STATUS,      /* exit statuses and signals, space-separated */
    HOLDEN_SYNTAX_PROFILE,          /* the path of an OCI seccomp profile */
    HOLDEN_SYNTAX_LIMIT_TIME,       /* SOFT:HARD or one for both; seconds, or with a unit */
    HOLDEN_SYNTAX_LIMIT_MICROSECONDS, /* the same; microseconds, or with a unit */
    HOLDEN_SYNTAX_LIMIT_SIZE,       /* the same in bytes, or with a suffix */
    HOLDEN_SYNTAX_LIMIT_COUNT,      /* the same as a number */
    HOLDEN_SYNTAX_LIMIT_NICE,       /* the same; +N and -N are nice levels, as in systemd.exec(5) */
    HOLDEN_SYNTAX_NANOSECONDS,      /* nanoseconds, or a time with a unit */
    HOLDEN_SYNTAX_PATH,             /* an absolute path */
    HOLDEN_SYNTAX_RUN_PATH,         /* the same, or a path below /run */
    HOLDEN_SYNTAX_NETWORK,          /* an absolute path, or the name of a network namespace */
    HOLDEN_SYNTAX_PATHS,            /* absolute paths, quoted as in systemd.syntax(7); - and + before */
    HOLDEN_SYNTAX_BINDS,            /* [-]SOURCE[:TARGET[:rbind|norbind]], space-separated */
    HOLDEN_SYNTAX_DIRECTORIES,      /* NAME[:LINK], space-separated */
    HOLDEN_SYNTAX_SET_CREDENTIAL,   /* NAME:TEXT, with escapes as in C */
    HOLDEN_SYNTAX_LOAD_CREDENTIAL,  /* NAME[:PATH] */
    HOLDEN_SYNTAX_TEMPORARY,        /* PATH[:OPTIONS], space-separated */
    HOLDEN_SYNTAX_DISK_QUOTA,       /* as SIZE, where a percentage is one of the file system; or off */
    HOLDEN_SYNTAX_IMAGE_OPTIONS,    /* [root:]OPTIONS, comma-separated */
    HOLDEN_SYNTAX_DELEGATE,         /* yes, no, or controllers, space-separated */
    HOLDEN_SYNTAX_CONTROLLERS,      /* controllers, space-separated */
    HOLDEN_SYNTAX_SLICE,            /* NAME.slice */
    HOLDEN_SYNTAXES,
};

enum holden_home {
    HOLDEN_HOME_CGROUP,
    HOLDEN_HOME_CHILD,
    HOLDEN_HOME_AGENT,
    HOLDEN_HOME_CONTROLLER
};

struct holden_property {
    const char *name;   /* MemoryMax */
    const char *file;   /* the cgroup file, the resource, or "" */
    const char *doc;
    int64_t minimum;    /* bounds of a number */
    int64_t maximum;
    uint8_t syntax;     /* enum holden_syntax */
    uint8_t home;       /* enum holden_home */
    bool live;          /* `constrain` may change it */
};

/* Rows in the order of properties.def: the index is HOLDEN_INDEX(properties, member), as in
 * holden_record_properties.fields. */
enum { HOLDEN_PROPERTIES = HOLDEN_FIELDS_properties };

/* The row with that index, below HOLDEN_PROPERTIES. Static. */
const struct holden_property *holden_property(size_t index);

/* The index of the property of that name. 0, or -ENOENT. */
int holden_property_find(const char *name, size_t *index);

/* Whether a slice can have that property: limits of its cgroup, and what cgroups below get. */
bool holden_property_of_slice(size_t index);

/* The properties that are limits of setrlimit(2). */
enum {
#define PROPERTY(...)
#define LIMIT(Name, member, tag, SYNTAX, RESOURCE, doc) HOLDEN_LIMIT_##member,
#include "protocol/properties.def"
    HOLDEN_LIMITS
};
struct holden_limit {
    size_t index; /* of the property */
    int resource; /* RLIMIT_* */
};
extern const struct holden_limit holden_limits[HOLDEN_LIMITS];

/* Delegate= on the wire, beside bit N for controller N of enums.def: that it is on, and that it is
 * for every controller that there is. */
#define HOLDEN_DELEGATED (UINT32_C(1) << 31)
#define HOLDEN_EVERY_CONTROLLER (UINT32_C(1) << 30)

/* A size or count that stands for a share of what the machine has: the top bit, then hundredths of
 * a percent. U64_MAX stays "infinity". */
#define HOLDEN_SHARE_BIT (UINT64_C(1) << 63)
static inline bool holden_is_share(uint64_t value) {
    return (value & HOLDEN_SHARE_BIT) && value != UINT64_MAX;
}
