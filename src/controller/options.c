#include "controller/options.h"

#include <errno.h>
#include <stdlib.h>

#include "common/unit.h"
#include "controller/signal_name.h"

#define SECOND UINT64_C(1000000)

static const char *take_SOCKET(void *into, const char *value) {
    ((struct options *)into)->socket = value;
    return *value ? NULL : "the path is empty";
}

static const char *take_OUTPUT(void *into, const char *value) {
    ((struct options *)into)->output = value;
    return *value ? NULL : "the path is empty";
}

static const char *take_TEXTFILE(void *into, const char *value) {
    ((struct options *)into)->textfile = value;
    return *value ? NULL : "the path is empty";
}

static const char *take_MERGE(void *into, const char *value) {
    ((struct options *)into)->merge = value;
    return *value ? NULL : "the path is empty";
}

static const char *take_NAME(void *into, const char *value) {
    ((struct options *)into)->name = value;
    return NULL;
}

/* The list grows whenever its count is a power of two. */
static const char *take_PROPERTY(void *into, const char *value) {
    struct options *options = into;
    size_t count = options->property_count;
    if ((count & (count - 1)) == 0) {
        const char **list = realloc(options->properties, (count ? count * 2 : 1) * sizeof(*list));
        if (!list)
            return "out of memory";
        options->properties = list;
    }
    options->properties[options->property_count++] = value;
    return NULL;
}

static const char *take_number(const char *value, uint64_t *number) {
    uint64_t read;
    if (unit_parse_count(value, &read) < 0 || read == UNIT_INFINITY)
        return "not a number";
    *number = read;
    return NULL;
}

static const char *take_time(const char *value, uint64_t *time) {
    uint64_t read;
    if (unit_parse_time(value, SECOND, &read) < 0)
        return "not a time, such as 30, 1min 30s, 500ms";
    *time = read;
    return NULL;
}

static const char *take_SINCE(void *into, const char *value) {
    struct options *options = into;
    options->has_since = true;
    return take_number(value, &options->since);
}

static const char *take_LINES(void *into, const char *value) {
    struct options *options = into;
    options->has_lines = true;
    return take_number(value, &options->lines);
}

static const char *take_THRESHOLD(void *into, const char *value) {
    struct options *options = into;
    options->has_threshold = true;
    const char *wrong = take_number(value, &options->threshold);
    return wrong || options->threshold <= 100 ? wrong : "not a number from 0 to 100";
}

static const char *take_TIMEOUT(void *into, const char *value) {
    struct options *options = into;
    options->has_timeout = true;
    return take_time(value, &options->timeout);
}

/* One that is some time, and not for ever. */
static const char *take_span(const char *value, uint64_t *time) {
    uint64_t read = 0;
    const char *wrong = take_time(value, &read);
    if (wrong)
        return wrong;
    *time = read;
    return read > 0 && read != UNIT_INFINITY ? NULL : "not a time above 0";
}

static const char *take_FOR(void *into, const char *value) {
    return take_span(value, &((struct options *)into)->duration);
}

static const char *take_AGO(void *into, const char *value) {
    return take_span(value, &((struct options *)into)->ago);
}

static const char *take_STEP(void *into, const char *value) {
    return take_span(value, &((struct options *)into)->step);
}

static const char *take_SIGNAL(void *into, const char *value) {
    struct options *options = into;
    return signal_parse(value, &options->signal) < 0 ? "not a signal, such as SIGTERM, TERM or 15"
                                                     : NULL;
}

#define FLAG(row, member)                                           \
    static const char *take_##row(void *into, const char *value) { \
        (void)value;                                                \
        ((struct options *)into)->member = true;                    \
        return NULL;                                                \
    }
FLAG(JSON, json)
FLAG(NO_COLOR, no_color)
FLAG(HELP, help)
FLAG(VERSION, version)
FLAG(WAIT, wait)
FLAG(TERMINAL, terminal)
FLAG(ENDED, ended)
FLAG(USAGE, usage)
FLAG(FOLLOW, follow)
FLAG(RAW, raw)
FLAG(EVERY, every)
FLAG(DRY_RUN, dry_run)
FLAG(ENGINE, engine)
FLAG(CAPABILITIES, capabilities)
FLAG(STRICT, strict)
FLAG(DIRECTIVES, directives)
FLAG(SANDBOXES, sandboxes)

static const struct option_row all_rows[OPTION_COUNT] = {
#define OPTION(row, letter_, name_, value_, doc_)                                              \
    [OPTION_##row] = {.letter = (letter_), .name = (name_), .value = (value_), .doc = (doc_), \
                      .take = take_##row},
#include "controller/options.def"
};
_Static_assert(OPTION_COUNT <= 64, "a set of options is 64 bits");

int options_add_property(struct options *options, const char *text) {
    return take_PROPERTY(options, text) ? -ENOMEM : 0;
}

void options_free(struct options *options) {
    free(options->properties);
    options->properties = NULL;
}

size_t options_rows(uint64_t set, struct option_row *rows) {
    size_t count = 0;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (set >> i & 1)
            rows[count++] = all_rows[i];
    return count;
}
