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

static void seed_filter(const char *directory, unsigned number) {
    _cleanup_(buffer_free) struct buffer bytes = {0};
    struct holden_properties properties = {0};
    const struct holden_view calls[] = {holden_view("read"), holden_view("ptrace"),
                                        holden_view("socket")};
    struct holden_names list = {0};
    struct holden_nested nested = {.value = &list};
    HOLDEN_SET(&list, names, inverted, number % 2);
    HOLDEN_SET(&list, names, name,
               (struct holden_repeated){.count = ARRAY_SIZE(calls), .items = calls});
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
                                         "A=b \"C=d e\"", "~read write", "1:2", "-5"};
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
    for (size_t i = 0; i < count; i++)
        seed_stream(argv[1], &rows[i]);
    for (unsigned i = 0; i < 3; i++)
        seed_filter(argv[1], i);
    seed_setting(argv[1]);
    return 0;
}
