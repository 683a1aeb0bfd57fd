#include "agent/mount_order.h"

#include <string.h>

bool mount_below(const char *path, const char *directory) {
    if (directory[1] == '\0')
        return true;
    size_t size = strlen(directory);
    return strncmp(path, directory, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

bool mount_is_read_only(const struct plan_mount *mount) {
    return mount->kind == PLAN_MOUNT_READ_ONLY || mount->kind == PLAN_MOUNT_INACCESSIBLE ||
           (mount->flags & PLAN_MOUNT_RDONLY);
}

bool mount_is_about_exec(const struct plan_mount *mount) {
    return mount->kind == PLAN_MOUNT_EXEC || mount->kind == PLAN_MOUNT_NO_EXEC ||
           mount->kind == PLAN_MOUNT_INACCESSIBLE ||
           (mount->flags & (PLAN_MOUNT_NOEXEC | PLAN_MOUNT_EXECUTABLE));
}

/* As strcmp(3), but with the slash before every other character: "/a/b" stands before "/a-b". */
static int compare_paths(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    int first = *a == '/' ? 1 : (unsigned char)*a << 1;
    int second = *b == '/' ? 1 : (unsigned char)*b << 1;
    return first - second;
}

static int compare(const struct plan_mount *a, const struct plan_mount *b) {
    int order = compare_paths(mount_path(a), mount_path(b));
    return order ? order : (int)a->kind - (int)b->kind;
}

/* By insertion: there are few, mostly in order, and qsort(3) may allocate. */
void mount_sort(struct plan_mount *mounts, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct plan_mount moved = mounts[i];
        size_t to = i;
        for (; to > 0 && compare(&mounts[to - 1], &moved) > 0; to--)
            mounts[to] = mounts[to - 1];
        mounts[to] = moved;
    }
}

/* The bits that a mount leaves to the one that stays at its place. */
static uint32_t legacy(const struct plan_mount *mount) {
    uint32_t bits = mount->flags & (PLAN_MOUNT_RDONLY | PLAN_MOUNT_NOEXEC | PLAN_MOUNT_EXECUTABLE);
    if (mount->kind == PLAN_MOUNT_READ_ONLY || mount->kind == PLAN_MOUNT_INACCESSIBLE)
        bits |= PLAN_MOUNT_RDONLY;
    if (mount->kind == PLAN_MOUNT_NO_EXEC)
        bits |= PLAN_MOUNT_NOEXEC;
    if (mount->kind == PLAN_MOUNT_EXEC)
        bits |= PLAN_MOUNT_EXECUTABLE;
    return bits;
}

static bool only_changes_writing(const struct plan_mount *mount) {
    return (mount->kind == PLAN_MOUNT_READ_ONLY || mount->kind == PLAN_MOUNT_READ_WRITE ||
            mount->kind == PLAN_MOUNT_AS_IS) &&
           !mount_is_about_exec(mount);
}

/* The mount at the path or nearest above it, or NULL. Where all are in order, that is the last one
 * that it is below. */
static struct plan_mount *nearest(struct plan_mount *mounts, size_t made, size_t kept,
                                  const char *path) {
    struct plan_mount *found = NULL;
    size_t longest = 0;
    for (size_t i = kept; i-- > 0;) {
        if (!mount_below(path, mount_path(&mounts[i])))
            continue;
        if (made == 0)
            return &mounts[i];
        size_t size = strlen(mount_path(&mounts[i]));
        if (size > longest) {
            found = &mounts[i];
            longest = size;
        }
    }
    return found;
}

/* Of several at one path the first stays, and has the bits of the others. */
static size_t drop_doubled(struct plan_mount *mounts, size_t made, size_t count) {
    size_t kept = made;
    for (size_t i = made; i < count; i++) {
        struct plan_mount *same = nearest(mounts, made, kept, mount_path(&mounts[i]));
        if (same && strcmp(mount_path(same), mount_path(&mounts[i])) == 0)
            same->flags |= legacy(&mounts[i]);
        else
            mounts[kept++] = mounts[i];
    }
    return kept;
}

static bool makes_no_difference(const struct plan_mount *mount, const struct plan_mount *above) {
    return above && (above->kind == PLAN_MOUNT_INACCESSIBLE ||
                     (only_changes_writing(mount) && above->kind == mount->kind));
}

size_t mount_order(struct plan_mount *mounts, size_t made, size_t count) {
    size_t kept = made;
    if (count == made)
        return count;
    mount_sort(mounts + made, count - made);
    count = drop_doubled(mounts, made, count);
    for (size_t i = made; i < count; i++)
        if (!makes_no_difference(&mounts[i],
                                 nearest(mounts, made, kept, mount_path(&mounts[i]))))
            mounts[kept++] = mounts[i];
    return kept;
}
