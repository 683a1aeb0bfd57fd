/* The fuzzers' first corpus, made from the tables.
 *
 *   seed DIRECTORY      writes DIRECTORY/TARGET/NAME for each target that takes binary input */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "protocol/frame.h"
#include "protocol/property.h"
#include "records.h"
#include "../unit/sample.h"

static void fail(const char *what) {
    fprintf(stderr, "seed: %s failed\n", what);
    exit(1);
}

static void write_seed(const char *directory, const char *target, const char *name,
                       const struct buffer *bytes) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", directory, target);
    mkdir(path, 0777);
    snprintf(path, sizeof(path), "%s/%s/%s", directory, target, name);
    if (file_replace(AT_FDCWD, path, buffer_bytes(bytes), bytes->size, 0666) < 0)
        fail(path);
}

/* One byte that picks the record, then its body. */
static void seed_record(const char *directory, size_t index, enum sample_extent extent) {
    const struct holden_record *record = record_at(index);
    _cleanup_(sample_free) struct sample sample = {.random = index + 1};
    _cleanup_(buffer_free) struct buffer bytes = {0};
    const uint8_t first = (uint8_t)index;
    char name[128];
    snprintf(name, sizeof(name), "%s-%d", record->name, (int)extent);
    if (buffer_append(&bytes, &first, 1) < 0 ||
        holden_encode(record, sample_make(&sample, record, extent), &bytes) < 0)
        fail("encoding");
    write_seed(directory, "decode", name, &bytes);
    write_seed(directory, "json", name, &bytes);
}

/* Frames in portions of 127 bytes, each second one with a descriptor. */
static void seed_stream(const char *directory, const struct holden_message_row *row) {
    _cleanup_(sample_free) struct sample sample = {.random = row->number};
    _cleanup_(buffer_free) struct buffer frames = {0};
    _cleanup_(buffer_free) struct buffer bytes = {0};
    for (uint32_t id = 0; id < 3; id++)
        if (holden_frame_put(&frames, row->number, id,
                             sample_make(&sample, row->record, (enum sample_extent)id)) < 0)
            fail("framing");
    for (size_t at = 0; at < frames.size; at += 127) {
        size_t size = frames.size - at < 127 ? frames.size - at : 127;
        const uint8_t first = (uint8_t)(size | (at / 127 % 2 ? 0x80 : 0));
        if (buffer_append(&bytes, &first, 1) < 0 ||
            buffer_append(&bytes, buffer_bytes(&frames) + at, size) < 0)
            fail("appending");
    }
    write_seed(directory, "stream", row->record->name, &bytes);
}

/* A record of the boot and id that the target has. */
static void seed_kept(const char *directory, uint32_t state) {
    _cleanup_(sample_free) struct sample sample = {.random = state + 1};
    _cleanup_(buffer_free) struct buffer bytes = {0};
    _cleanup_(buffer_free) struct buffer start = {0};
    struct holden_kept *kept = sample_make(&sample, &holden_record_kept, SAMPLE_ALL);
    if (holden_encode(&holden_record_start, sample_make(&sample, &holden_record_start, SAMPLE_ALL),
                      &start) < 0)
        fail("encoding");
    kept->version = 1;
    kept->boot = holden_view("01234567-89ab-cdef-0123-456789abcdef");
    kept->id = 5;
    kept->state = state;
    kept->request = (struct holden_view){(const char *)buffer_bytes(&start), start.size};
    if (holden_encode(&holden_record_kept, kept, &bytes) < 0)
        fail("encoding");
    write_seed(directory, "recover", holden_word(&holden_enum_state, state), &bytes);
}

static void append_request(struct buffer *bytes, uint16_t type, uint8_t choices,
                           const struct holden_record *record, const void *message) {
    _cleanup_(buffer_free) struct buffer body = {0};
    uint8_t head[4] = {(uint8_t)type, choices};
    if (holden_encode(record, message, &body) < 0)
        fail("encoding");
    holden_put16(head + 2, (uint16_t)body.size);
    if (buffer_append(bytes, head, sizeof(head)) < 0 ||
        buffer_append(bytes, buffer_bytes(&body), body.size) < 0)
        fail("appending");
}

/* A request about each of the target's processes, where it is about one; then once more in full. */
static void seed_request(const char *directory, const struct holden_message_row *row) {
    static const char *const names[] = {"a", "b", "c"};
    _cleanup_(sample_free) struct sample sample = {.random = row->number};
    for (uint8_t uid = 0; uid < 2; uid++) {
        _cleanup_(buffer_free) struct buffer bytes = {0};
        char name[64];
        if (buffer_append(&bytes, &uid, 1) < 0)
            fail("appending");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            uint8_t *message = sample_make(&sample, row->record, SAMPLE_LEAST);
            if (row->record->count > 0 && strcmp(row->record->fields[0].name, "name") == 0 &&
                !row->record->fields[0].repeated)
                *(struct holden_view *)(void *)(message + row->record->fields[0].offset) =
                    holden_view(names[i]);
            append_request(&bytes, row->number, (uint8_t)(i << 2), row->record, message);
        }
        append_request(&bytes, row->number, 3, row->record,
                       sample_make(&sample, row->record, SAMPLE_ALL));
        snprintf(name, sizeof(name), "%s-%u", row->record->name, uid);
        write_seed(directory, "request", name, &bytes);
    }
}

/* A process from its start to its end, with these choices of the keeper's; the target has three
 * before it, so it is the fourth. */
static void seed_life(const char *directory, uint8_t choices) {
    static const uint8_t uid = 0;
    const struct holden_view command[] = {holden_view("/bin/true"), holden_view("x")};
    const struct holden_view name = holden_view("true-4");
    _cleanup_(buffer_free) struct buffer bytes = {0};
    struct holden_properties properties = {0}, limits = {0};
    struct holden_start start = {0};
    struct holden_constrain constrain = {0};
    struct holden_restart again = {0};
    struct holden_stop stop = {0};
    char file[16];
    HOLDEN_SET(&properties, properties, kill_signal, 2);
    HOLDEN_SET(&start, start, argument, (struct holden_repeated){.count = 2, .items = command});
    HOLDEN_SET(&start, start, properties, (struct holden_nested){.value = &properties});
    HOLDEN_SET(&start, start, wait, true);
    HOLDEN_SET(&limits, properties, runtime_max, 5000000);
    HOLDEN_SET(&constrain, constrain, name, holden_view("b"));
    HOLDEN_SET(&constrain, constrain, properties, (struct holden_nested){.value = &limits});
    HOLDEN_SET(&constrain, constrain, duration, 1);
    HOLDEN_SET(&again, restart, name, name);
    HOLDEN_SET(&stop, stop, name, name);
    if (buffer_append(&bytes, &uid, 1) < 0)
        fail("appending");
    append_request(&bytes, HOLDEN_MESSAGE_start, choices, &holden_record_start, &start);
    append_request(&bytes, HOLDEN_MESSAGE_constrain, 0, &holden_record_constrain, &constrain);
    append_request(&bytes, HOLDEN_MESSAGE_restart, choices, &holden_record_restart, &again);
    append_request(&bytes, HOLDEN_MESSAGE_stop, 0, &holden_record_stop, &stop);
    snprintf(file, sizeof(file), "life-%u", choices);
    write_seed(directory, "request", file, &bytes);
}

static void seed_filter(const char *directory, unsigned number) {
    _cleanup_(buffer_free) struct buffer bytes = {0};
    struct holden_properties properties = {0};
    static const uint32_t errors[] = {4097, 1, 4096};
    const struct holden_view calls[] = {holden_view("read"), holden_view("@mount"),
                                        holden_view("socket")};
    struct holden_names list = {0};
    struct holden_nested nested = {.value = &list};
    HOLDEN_SET(&list, names, inverted, number % 2);
    HOLDEN_SET(&list, names, name,
               (struct holden_repeated){.count = ARRAY_SIZE(calls), .items = calls});
    if (number % 2)
        HOLDEN_SET(&list, names, error,
                   (struct holden_repeated){.count = ARRAY_SIZE(errors), .items = errors});
    HOLDEN_SET(&properties, properties, restrict_namespaces, number % 3);
    HOLDEN_SET(&properties, properties, restrict_suid_sgid, true);
    HOLDEN_SET(&properties, properties, system_call_filter,
               (struct holden_repeated){.count = 1, .items = &nested});
    const struct holden_seccomp_argument argument = {
        {15}, 1, 2, 3, HOLDEN_seccomp_operator_MASKED_EQ};
    const struct holden_nested condition = {.value = &argument};
    struct holden_seccomp_rule rule = {0};
    HOLDEN_SET(&rule, seccomp_rule, name, list.name);
    HOLDEN_SET(&rule, seccomp_rule, action, HOLDEN_seccomp_action_ERRNO);
    HOLDEN_SET(&rule, seccomp_rule, argument,
               (struct holden_repeated){.count = 1, .items = &condition});
    const struct holden_nested rules = {.value = &rule};
    const struct holden_view architecture = holden_view("SCMP_ARCH_X86");
    struct holden_seccomp_profile profile = {0};
    HOLDEN_SET(&profile, seccomp_profile, default_action, HOLDEN_seccomp_action_ALLOW);
    HOLDEN_SET(&profile, seccomp_profile, architecture,
               (struct holden_repeated){.count = 1, .items = &architecture});
    HOLDEN_SET(&profile, seccomp_profile, rule,
               (struct holden_repeated){.count = 1, .items = &rules});
    if (number > 1) {
        properties = (struct holden_properties){0};
        HOLDEN_SET(&properties, properties, seccomp_profile,
                   (struct holden_nested){.value = &profile});
    }
    if (holden_encode(&holden_record_properties, &properties, &bytes) < 0)
        fail("encoding");
    char name[8];
    snprintf(name, sizeof(name), "%u", number);
    write_seed(directory, "filter", name, &bytes);
}

static void seed_setting(const char *directory) {
    static const char *const values[] = {"100M",          "infinity",    "50%", "1min 30s", "0-3,5",
                                         "kill",          "SIGTERM",     "yes", "0022",     "/tmp",
                                         "A=b \"C=d e\"", "~read write", "1:2", "-5",
                                         "~@mount:EPERM read:kill", "AF_UNIX AF_INET",
                                         "~mnt uts"};
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++) {
        _cleanup_(buffer_free) struct buffer bytes = {0};
        for (size_t n = 0; n < ARRAY_SIZE(values); n++)
            if (buffer_printf(&bytes, "%s=%s\n", holden_property(i)->name, values[n]) < 0)
                fail("printing");
        write_seed(directory, "setting", holden_property(i)->name, &bytes);
    }
}

int main(int argc, char **argv) {
    size_t count;
    if (argc != 2) {
        fprintf(stderr, "usage: seed DIRECTORY\n");
        return 2;
    }
    for (size_t i = 0; i < record_count(); i++)
        for (int extent = SAMPLE_LEAST; extent <= SAMPLE_SOME; extent++)
            seed_record(argv[1], i, (enum sample_extent)extent);
    const struct holden_message_row *rows = holden_messages(&count);
    for (size_t i = 0; i < count; i++) {
        seed_stream(argv[1], &rows[i]);
        if (rows[i].request)
            seed_request(argv[1], &rows[i]);
    }
    for (uint8_t choices = 0; choices < 64; choices += 4)
        seed_life(argv[1], choices);
    for (size_t i = 0; i < holden_enum_state.count; i++)
        seed_kept(argv[1], holden_enum_state.words[i].number);
    for (unsigned i = 0; i < 3; i++)
        seed_filter(argv[1], i);
    seed_setting(argv[1]);
    return 0;
}
