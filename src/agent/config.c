#include "agent/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/unit.h"

struct reading {
    struct config *config;
    const char *path;
};

static int parse_count(const char *text, uint64_t *value) {
    return unit_parse_count(text, value);
}
static int parse_size(const char *text, uint64_t *value) {
    return unit_parse_size(text, value);
}
static int parse_time(const char *text, uint64_t *value) {
    return unit_parse_time(text, 1000000, value);
}

/* Of samples: what is shorter costs much and says little. */
static int parse_interval(const char *text, uint64_t *value) {
    uint64_t interval;
    if (parse_time(text, &interval) < 0 || interval < 100000 || interval > UINT64_C(3600000000))
        return -EINVAL;
    *value = interval;
    return 0;
}

/* CPUQuota= of systemd.resource-control(5), as microseconds in a second. */
static int parse_quota(const char *text, uint64_t *value) {
    uint64_t hundredths;
    if (strcmp(text, "infinity") == 0) {
        *value = UINT64_MAX;
        return 0;
    }
    if (unit_parse_percent(text, &hundredths) < 0 || hundredths < 10 || hundredths > UINT32_MAX)
        return -EINVAL;
    *value = hundredths * 100;
    return 0;
}

/* The kinds that need no path; what a process inherits is no choice of the agent's. */
static int parse_output(const char *text, uint64_t *value) {
    uint32_t kind;
    if (strcmp(text, "auto") == 0) {
        *value = CONFIG_OUTPUT_AUTO;
        return 0;
    }
    if (holden_number(&holden_enum_stream_kind, text, &kind) < 0 ||
        kind > HOLDEN_stream_kind_JOURNAL)
        return -EINVAL;
    *value = kind;
    return 0;
}

/* The place of a word in a list. */
static int parse_word(const char *const *words, size_t count, const char *text, uint64_t *value) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0) {
            *value = i;
            return 0;
        }
    return -EINVAL;
}

static int parse_kill_mode(const char *text, uint64_t *value) {
    static const char *const words[] = {
        [CONFIG_KILL_MODE_CONTROL_GROUP] = "control-group", [CONFIG_KILL_MODE_PROCESS] = "process"};
    return parse_word(words, ARRAY_SIZE(words), text, value);
}

static int parse_audit(const char *text, uint64_t *value) {
    static const char *const words[] = {
        [CONFIG_AUDIT_AUTO] = "auto", [CONFIG_AUDIT_JOURNAL] = "journal",
        [CONFIG_AUDIT_FILE] = "file", [CONFIG_AUDIT_NONE] = "none"};
    return parse_word(words, ARRAY_SIZE(words), text, value);
}

static const struct key {
    const char *name;
    size_t offset;
    int (*parse)(const char *text, uint64_t *value);
} keys[] = {
#define PARSE_COUNT parse_count
#define PARSE_SIZE parse_size
#define PARSE_TIME parse_time
#define PARSE_INTERVAL parse_interval
#define PARSE_OUTPUT parse_output
#define PARSE_KILL_MODE parse_kill_mode
#define PARSE_AUDIT parse_audit
#define PARSE_QUOTA parse_quota
#define CONFIG(Name, member, kind, initial, doc) \
    {#Name, offsetof(struct config, member), PARSE_##kind},
    CONFIG_KEYS(CONFIG)
#undef CONFIG
};

/* The keys that are text. */
static const struct text {
    const char *name;
    size_t offset, space;
    const char *first; /* what it must begin with */
    const char *what;
} texts[] = {
    {"Group", offsetof(struct config, group), sizeof(((struct config *)NULL)->group), "",
     "longer than a group's name can be"},
    {"AuditFile", offsetof(struct config, audit_file),
     sizeof(((struct config *)NULL)->audit_file), "/", "not an absolute path of at most 255 bytes"},
};

static int take_text(const struct reading *reading, const struct text *text, const char *value) {
    size_t size = strlen(value);
    if (size >= text->space || strncmp(value, text->first, strlen(text->first)) != 0) {
        log_error("%s: %s=%s: %s", reading->path, text->name, value, text->what);
        return 0;
    }
    memcpy((char *)reading->config + text->offset, value, size + 1);
    return 1;
}

/* inih calls this for every line; 0 makes it count the line as an error. */
static int on_key(void *data, const char *section, const char *name, const char *value) {
    struct reading *reading = data;
    if (strcmp(section, "Agent") != 0) {
        log_error("%s: [%s]: unknown section; the agent reads [Agent]", reading->path, section);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (strcmp(name, texts[i].name) == 0)
            return take_text(reading, &texts[i], value);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (strcmp(name, keys[i].name) != 0)
            continue;
        uint64_t parsed;
        if (keys[i].parse(value, &parsed) < 0) {
            log_error("%s: %s=%s: not a valid value", reading->path, name, value);
            return 0;
        }
        memcpy((uint8_t *)reading->config + keys[i].offset, &parsed, sizeof(parsed));
        return 1;
    }
    log_error("%s: %s=: unknown key", reading->path, name);
    return 0;
}

int config_read(struct config *config, const char *path, bool must) {
    *config = (struct config){
        .group = "holden",
#define CONFIG(Name, member, kind, initial, doc) .member = (initial),
        CONFIG_KEYS(CONFIG)
#undef CONFIG
    };
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT && !must)
        return 0;
    if (!file) {
        log_error("cannot read %s: %s", path, strerror(errno));
        return -EINVAL;
    }
    struct stat status;
    struct reading reading = {.config = config, .path = path};
    int line = 0;
    if (fstat(fileno(file), &status) == 0 && (status.st_uid != 0 || status.st_mode & 022)) {
        log_error("%s: must belong to root and be writable by nobody else: chown root, chmod 644",
                  path);
        line = -1;
    } else
        line = ini_parse_file(file, on_key, &reading);
    /* What could be read of it is not what it says. */
    if (line == 0 && ferror(file)) {
        log_error("cannot read %s: %s", path, strerror(errno));
        line = -1;
    }
    fclose(file);
    if (line > 0)
        log_error("%s: line %d is wrong; the agent does not start", path, line);
    return line == 0 ? 0 : -EINVAL;
}
