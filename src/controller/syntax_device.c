/* Settings of block devices and of sets of CPUs. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/file.h"
#include "common/unit.h"
#include "controller/syntax.h"

enum { CPUS_SPACE = 1024 };

/* The kernel limits whole disks only: a partition stands for the disk that it lies on. */
static dev_t whole_disk(dev_t device) {
    char path[64];
    char text[32];
    unsigned major_number;
    unsigned minor_number;
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major(device), minor(device));
    if (file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
        return device;
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", major(device), minor(device));
    if (file_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
        sscanf(text, "%u:%u", &major_number, &minor_number) != 2)
        return device;
    return makedev(major_number, minor_number);
}

/* A block device, or the one that a file or directory lies on (systemd.resource-control(5)). */
static int find_device(struct settings *settings, size_t index, const char *path, dev_t *device) {
    struct stat status;
    if (stat(path, &status) < 0)
        return settings_refuse(settings, "%s=%.200s: %s", holden_property(index)->name, path,
                               strerror(errno));
    dev_t found = S_ISBLK(status.st_mode) ? status.st_rdev : status.st_dev;
    if (major(found) == 0)
        return settings_refuse(settings, "%s=%.200s: not on a block device; name the device itself",
                               holden_property(index)->name, path);
    *device = whole_disk(found);
    return 0;
}

/* The limit already collected for a device, or NULL. */
static struct holden_device_limit *collected(struct settings *settings, size_t index,
                                             dev_t device) {
    const struct holden_repeated *list = settings_member(settings, index);
    const struct holden_nested *items = list->items;
    for (uint32_t i = 0; i < list->count; i++) {
        struct holden_device_limit *limit = (void *)items[i].value;
        if (limit->major == major(device) && limit->minor == minor(device))
            return limit;
    }
    return NULL;
}

static int parse_device(struct settings *settings, size_t index, const char *value,
                        int (*read)(const char *, uint64_t *)) {
    size_t size = strcspn(value, " \t");
    const char *number = value + size + strspn(value + size, " \t");
    char path[4096];
    uint64_t limit;
    dev_t device = 0;
    if (!*number || size == 0 || size >= sizeof(path))
        return -EINVAL;
    memcpy(path, value, size);
    path[size] = '\0';
    int r = read(number, &limit);
    if (r == 0 && (limit == 0 || (limit != UNIT_INFINITY &&
                                  limit > (uint64_t)holden_property(index)->maximum)))
        r = -ERANGE;
    if (r == 0)
        r = find_device(settings, index, path, &device);
    if (r < 0)
        return r;
    struct holden_device_limit *known = collected(settings, index, device);
    if (known) {
        known->value = limit;
        return 0;
    }
    struct holden_device_limit *fresh = arena_take(&settings->arena, sizeof(*fresh));
    if (!fresh)
        return -ENOMEM;
    HOLDEN_SET(fresh, device_limit, major, major(device));
    HOLDEN_SET(fresh, device_limit, minor, minor(device));
    HOLDEN_SET(fresh, device_limit, value, limit);
    struct holden_nested nested = {.value = fresh};
    return settings_append(settings, index, &nested, sizeof(nested));
}

int syntax_parse_device_size(struct settings *settings, size_t index, const char *value) {
    return parse_device(settings, index, value, unit_parse_bandwidth);
}

int syntax_parse_device_count(struct settings *settings, size_t index, const char *value) {
    return parse_device(settings, index, value, unit_parse_bandwidth);
}

/* systemd has no word that lifts a weight; infinity is no number for one. */
static int read_weight(const char *text, uint64_t *weight) {
    int r = unit_parse_count(text, weight);
    return r == 0 && *weight == UNIT_INFINITY ? -EINVAL : r;
}

int syntax_parse_device_weight(struct settings *settings, size_t index, const char *value) {
    return parse_device(settings, index, value, read_weight);
}

/* Without a unit it is seconds. */
static int read_time(const char *text, uint64_t *time) {
    return unit_parse_time(text, 1000000, time);
}

int syntax_parse_device_time(struct settings *settings, size_t index, const char *value) {
    return parse_device(settings, index, value, read_time);
}

/* "/dev/sda", or the numbers where there is no such node. */
static void device_path(const struct holden_device_limit *limit, char *path, size_t space) {
    char link[64];
    char target[256];
    snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", limit->major, limit->minor);
    ssize_t size = readlink(link, target, sizeof(target) - 1);
    if (size < 0) {
        snprintf(path, space, "%u:%u", limit->major, limit->minor);
        return;
    }
    target[size] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(path, space, "/dev/%s", slash ? slash + 1 : target);
}

enum kind { BYTES, NUMBER, TIME };

static int print_device(const struct holden_nested *nested, enum kind kind, struct buffer *out) {
    struct holden_device_limit decoded;
    const struct holden_device_limit *limit =
        holden_nested_value(&holden_record_device_limit, nested, &decoded);
    char path[300];
    char text[64];
    if (!limit)
        return 0;
    device_path(limit, path, sizeof(path));
    if (kind == TIME)
        return buffer_printf(out, "%s %s", path,
                             unit_format_time(limit->value, text, sizeof(text)));
    if (kind == BYTES || limit->value == UNIT_INFINITY)
        return buffer_printf(out, "%s %s", path,
                             unit_format_bandwidth(limit->value, text, sizeof(text)));
    return buffer_printf(out, "%s %" PRIu64, path, limit->value);
}

int syntax_print_device_size(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return print_device(value, BYTES, out);
}

int syntax_print_device_count(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return print_device(value, NUMBER, out);
}

int syntax_print_device_time(size_t index, const void *value, struct buffer *out) {
    (void)index;
    return print_device(value, TIME, out);
}

/* Sets of CPUs given more than once add up. */
int syntax_parse_cpus(struct settings *settings, size_t index, const char *value) {
    uint8_t mask[CPUS_SPACE];
    size_t size, most = (size_t)holden_property(index)->maximum;
    int r = unit_parse_cpus(value, mask, most, &size);
    if (r == -ERANGE)
        return settings_refuse(settings, "%s=%.100s: out of range: %s 0 to %zu",
                               holden_property(index)->name, value,
                               most == CPUS_SPACE ? "CPUs" : "nodes", most * 8 - 1);
    if (r < 0)
        return r;
    const struct holden_view *before = settings_member(settings, index);
    for (size_t i = 0; i < before->size; i++)
        mask[i] |= (uint8_t)before->data[i];
    struct holden_view view;
    r = settings_text(settings, (const char *)mask, size > before->size ? size : before->size,
                      &view);
    return r < 0 ? r : settings_set(settings, index, &view);
}

int syntax_print_cpus(size_t index, const void *value, struct buffer *out) {
    const struct holden_view *mask = value;
    char text[1024];
    (void)index;
    unit_format_cpus((const uint8_t *)mask->data, mask->size, text, sizeof(text));
    return buffer_append(out, text, strlen(text));
}
