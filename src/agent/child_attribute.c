#include "agent/child_attribute.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "agent/child_path.h"
#include "agent/mount_order.h"
#include "common/cleanup.h"

enum { TABLE_FIRST = 64 << 10 };

/* The mount table as the kernel tells it, read where it is first needed. */
struct table {
    int proc;
    char *text; /* NULL: not read yet */
    size_t size;
};

/* A file system that was made for this one mount has nothing below it that was there before. */
static bool is_alone(const struct plan_mount *mount) {
    return mount->kind == PLAN_MOUNT_TEMPORARY || mount->kind == PLAN_MOUNT_PRIVATE ||
           mount->kind == PLAN_MOUNT_DEVICES || mount->kind == PLAN_MOUNT_PROC ||
           mount->kind == PLAN_MOUNT_QUEUES;
}

static struct mount_attr bits_of(const struct plan_mount *mount) {
    struct mount_attr bits = {0};
    if (mount_is_read_only(mount))
        bits.attr_set |= MOUNT_ATTR_RDONLY;
    if (mount->kind == PLAN_MOUNT_INACCESSIBLE)
        bits.attr_set |= MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    if (mount->kind == PLAN_MOUNT_INACCESSIBLE || mount->kind == PLAN_MOUNT_NO_EXEC ||
        (mount->flags & PLAN_MOUNT_NOEXEC))
        bits.attr_set |= MOUNT_ATTR_NOEXEC;
    else if (mount->kind == PLAN_MOUNT_EXEC || (mount->flags & PLAN_MOUNT_EXECUTABLE))
        bits.attr_clr |= MOUNT_ATTR_NOEXEC;
    return bits;
}

/* ---- the table ---- */

static int grow(struct table *table, size_t *room) {
    void *moved = *room ? mremap(table->text, *room, *room * 2, MREMAP_MAYMOVE)
                        : mmap(NULL, TABLE_FIRST, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (moved == MAP_FAILED)
        return -1;
    *room = *room ? *room * 2 : TABLE_FIRST;
    table->text = moved;
    return 0;
}

static int read_table(struct table *table) {
    size_t room = 0;
    _cleanup_close_ int fd = openat(table->proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    for (ssize_t size = 1; size > 0; table->size += (size_t)size) {
        if (table->size + 1 >= room && grow(table, &room) < 0)
            return -1;
        size = read(fd, table->text + table->size, room - table->size - 1);
        if (size < 0)
            return -1;
    }
    table->text[table->size] = '\0';
    return 0;
}

/* Turns \040 and its like back to characters, in place: see proc(5). */
static void unescape(char *text) {
    char *to = text;
    for (const char *at = text; *at; to++) {
        bool escaped = at[0] == '\\' && at[1] && at[2] && at[3];
        int number = escaped ? (at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0') : *at;
        *to = (char)number;
        at += escaped ? 4 : 1;
    }
    *to = '\0';
}

/* Copies the mount point of the line at *line, its fifth field, and goes on to the next line. False
 * at the end. */
static bool next_point(const char **line, char *point, size_t room) {
    const char *at = *line;
    if (!*at)
        return false;
    for (int i = 0; i < 4; i++)
        at += strcspn(at, " \n") + 1;
    size_t size = strcspn(at, " \n");
    if (size >= room)
        size = 0;
    memcpy(point, at, size);
    point[size] = '\0';
    unescape(point);
    const char *end = strchr(*line, '\n');
    *line = end ? end + 1 : *line + strlen(*line);
    return true;
}

/* ---- setting ---- */

static int set(const struct plan_mount *mount, unsigned flags) {
    struct mount_attr bits = bits_of(mount);
    return mount_setattr(mount->fd, "", AT_EMPTY_PATH | flags, &bits, sizeof(bits));
}

/* The bits that reach a mount point inside of mounts[i]: those that no nearer one is about. */
static struct mount_attr reaching(const struct plan_mount *mounts, size_t count, size_t i,
                                  const char *point) {
    struct mount_attr bits = bits_of(&mounts[i]);
    for (size_t j = i + 1; j < count; j++) {
        if (!mount_below(point, mount_path(&mounts[j])))
            continue;
        bits.attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
        if (mount_is_about_exec(&mounts[j])) {
            bits.attr_set &= ~(uint64_t)MOUNT_ATTR_NOEXEC;
            bits.attr_clr = 0;
        }
    }
    return bits;
}

/* One that another mount hides is not there any more, or is no mount point. */
static int set_inner(const char *point, struct mount_attr *bits) {
    if (!bits->attr_set && !bits->attr_clr)
        return 0;
    _cleanup_close_ int fd = child_path_open(point);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP ? 0 : -1;
    int r = mount_setattr(fd, "", AT_EMPTY_PATH, bits, sizeof(*bits));
    return r < 0 && errno == EINVAL ? 0 : r;
}

static int set_each(struct table *table, const struct plan_mount *mounts, size_t count, size_t i) {
    char point[4096];
    if (!table->text && read_table(table) < 0)
        return -1;
    for (const char *line = table->text; next_point(&line, point, sizeof(point));) {
        if (!*point || strcmp(point, mount_path(&mounts[i])) == 0 ||
            !mount_below(point, mount_path(&mounts[i])))
            continue;
        struct mount_attr bits = reaching(mounts, count, i, point);
        if (set_inner(point, &bits) < 0)
            return -1;
    }
    return 0;
}

/* Those below mounts[i] come right behind it. */
static bool has_inner(const struct plan_mount *mounts, size_t count, size_t i) {
    return i + 1 < count && mount_below(mount_path(&mounts[i + 1]), mount_path(&mounts[i]));
}

static int set_one(struct table *table, const struct plan_mount *mounts, size_t count, size_t i) {
    struct mount_attr bits = bits_of(&mounts[i]);
    if (mounts[i].fd < 0 || (!bits.attr_set && !bits.attr_clr))
        return 0;
    if (is_alone(&mounts[i]))
        return set(&mounts[i], 0);
    if (!has_inner(mounts, count, i))
        return set(&mounts[i], AT_RECURSIVE);
    return set(&mounts[i], 0) < 0 ? -1 : set_each(table, mounts, count, i);
}

int child_attribute_set(struct child *child, const struct plan_mount *mounts, size_t count) {
    struct table table = {.proc = child->proc};
    for (size_t i = 0; i < count; i++) {
        child->detail = mounts[i].number;
        if (set_one(&table, mounts, count, i) < 0)
            return -1;
    }
    return 0;
}
