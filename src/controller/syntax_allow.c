/* Settings of what a process may reach: DeviceAllow=, by systemd.resource-control(5). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/syntax.h"
#include "controller/words.h"

enum { NAME_MOST = 255 };

/* Where each kind of access is in enum bpf's BPF_DEVCG_ACC_*. */
static const struct {
    char letter;
    uint32_t bit;
} accesses[] = {{'r', 2}, {'w', 4}, {'m', 1}};

enum { EVERY_ACCESS = 7 };

/* ---- lists that are one record ---- */

int syntax_grow(struct settings *settings, const struct holden_repeated *list,
                struct holden_nested **items) {
    *items = arena_take(&settings->arena, (list->count + 1) * sizeof(**items));
    if (!*items)
        return -ENOMEM;
    if (list->count > 0)
        memcpy(*items, list->items, list->count * sizeof(**items));
    return 0;
}

int syntax_print_records(struct holden_repeated list, const struct holden_record *record,
                         void *space, const char *between,
                         int (*print)(const void *item, struct buffer *out), struct buffer *out) {
    struct holden_nested nested;
    bool first = true;
    int r = 0;
    while (r == 0 && holden_next_record(&list, &nested)) {
        const void *item = holden_nested_value(record, &nested, space);
        if (!item)
            continue;
        r = buffer_printf(out, "%s", first ? "" : between);
        if (r == 0)
            r = print(item, out);
        first = false;
    }
    return r;
}

/* ---- devices ---- */

/* Those that may be named where there is no such node. */
static bool device_of_name(const char *path, struct stat *status) {
    unsigned major_number, minor_number;
    char kind[8], end;
    bool block = strcmp(path, "/run/systemd/inaccessible/blk") == 0;
    *status = (struct stat){.st_mode = block ? S_IFBLK : S_IFCHR};
    if (block || strcmp(path, "/run/systemd/inaccessible/chr") == 0)
        return true;
    if (sscanf(path, "/dev/%7[a-z]/%u:%u%c", kind, &major_number, &minor_number, &end) != 3 ||
        (strcmp(kind, "char") != 0 && strcmp(kind, "block") != 0))
        return false;
    status->st_mode = *kind == 'b' ? S_IFBLK : S_IFCHR;
    status->st_rdev = makedev(major_number, minor_number);
    return true;
}

/* A device that is not there is allowed as soon as it is named again, and there: not before. */
static int find_device(struct settings *settings, size_t index, const char *path,
                       struct holden_device *device) {
    const char *name = holden_property(index)->name;
    struct stat status;
    bool known = device_of_name(path, &status);
    if (!known && stat(path, &status) < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return settings_refuse(settings, "%s=%.200s: %s", name, path, strerror(errno));
        log_warning("%s=%.200s: there is no such device, so none is allowed", name, path);
        return 0;
    }
    if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))
        return settings_refuse(settings, "%s=%.200s: not a device", name, path);
    if (S_ISBLK(status.st_mode))
        HOLDEN_SET(device, device, block, true);
    HOLDEN_SET(device, device, major, major(status.st_rdev));
    HOLDEN_SET(device, device, minor, minor(status.st_rdev));
    return 0;
}

static bool starts(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0 && text[strlen(with)];
}

static int read_specifier(struct settings *settings, size_t index, char *word,
                          struct holden_device *device) {
    bool class = starts(word, "char-") || starts(word, "block-");
    if (!class) {
        syntax_simplify(word);
        if (strstr(word, "/../") ||
            !(starts(word, "/dev/") || starts(word, "/run/systemd/inaccessible/")))
            return -EINVAL;
    }
    if (strlen(word) > NAME_MOST)
        return settings_refuse(settings, "%s=%.80s...: longer than %d characters",
                               holden_property(index)->name, word, NAME_MOST);
    int r = class ? 0 : find_device(settings, index, word, device);
    if (r == 0)
        r = settings_text(settings, word, strlen(word), &device->name);
    HOLDEN_MARK(device, device, name);
    return r;
}

static int read_access(struct settings *settings, size_t index, const char *word,
                       struct holden_device *device) {
    char shown[2][WORDS_SHOWN];
    uint32_t mask = 0;
    for (const char *at = word; *at; at++) {
        size_t i = 0;
        while (i < ARRAY_SIZE(accesses) && accesses[i].letter != *at)
            i++;
        if (i == ARRAY_SIZE(accesses))
            return settings_refuse(settings,
                                   "%s=%s %s: expected some of r, w and m behind the device",
                                   holden_property(index)->name,
                                   words_show(device->name.data, shown[0]),
                                   words_show(word, shown[1]));
        mask |= accesses[i].bit;
    }
    HOLDEN_SET(device, device, access, mask);
    return 0;
}

/* The words of the value at hand go to the last device of the list: first its name, then what may
 * be done with it. */
static int take_word(struct settings *settings, size_t index, char *word) {
    const struct holden_nested *nested = settings_member(settings, index);
    const struct holden_devices *list = nested->value;
    const struct holden_nested *items = list->device.items;
    struct holden_device *device = (void *)(uintptr_t)items[list->device.count - 1].value;
    if (device->name.size == 0)
        return read_specifier(settings, index, word, device);
    if (HOLDEN_HAS(device, device, access))
        return -EINVAL;
    return read_access(settings, index, word, device);
}

int syntax_parse_devices(struct settings *settings, size_t index, const char *value) {
    const struct holden_nested *nested = settings_member(settings, index);
    const struct holden_devices *before = nested->value;
    struct holden_devices *list = arena_take(&settings->arena, sizeof(*list));
    struct holden_device *device = arena_take(&settings->arena, sizeof(*device));
    struct holden_nested *items;
    if (!list || !device)
        return -ENOMEM;
    if (*value && before)
        *list = *before;
    if (!*value)
        return settings_set(settings, index, &(struct holden_nested){.value = list});
    int r = syntax_grow(settings, &list->device, &items);
    if (r < 0)
        return r;
    items[list->device.count] = (struct holden_nested){.value = device};
    HOLDEN_SET(list, devices, device,
               (struct holden_repeated){.count = list->device.count + 1, .items = items});
    settings_set(settings, index, &(struct holden_nested){.value = list});
    r = syntax_each_word(settings, index, value, take_word);
    if (r == 0 && !HOLDEN_HAS(device, device, name))
        r = -EINVAL;
    if (r == 0 && !HOLDEN_HAS(device, device, access))
        HOLDEN_SET(device, device, access, EVERY_ACCESS);
    return r;
}

static int print_device(const void *item, struct buffer *out) {
    const struct holden_device *device = item;
    int r = buffer_printf(out, "%.*s ", (int)device->name.size, device->name.data);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(accesses); i++)
        if (device->access & accesses[i].bit)
            r = buffer_append(out, &accesses[i].letter, 1);
    return r;
}

int syntax_print_devices(size_t index, const void *value, struct buffer *out) {
    struct holden_devices decoded;
    struct holden_device space;
    const struct holden_devices *list =
        holden_nested_value(&holden_record_devices, value, &decoded);
    (void)index;
    return list ? syntax_print_records(list->device, &holden_record_device, &space, ", ",
                                       print_device, out)
                : 0;
}
