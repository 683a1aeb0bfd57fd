#include "agent/child_image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/child_system.h"
#include "common/cleanup.h"

#define DEVICES "/dev/"
#define LOOP "loop"

enum { ENTRIES_ROOM = 2048 };

/* File systems by what is at a fixed place of them; nothing else of the file is looked at. */
static const struct system {
    char type[12];
    uint32_t at;
    uint32_t size;
    char magic[8];
    bool read_only; /* always */
} systems[] = {
    {"squashfs", 0, 4, "hsqs", true},
    {"erofs", 1024, 4, "\xe2\xe1\xf5\xe0", true},
    {"ext4", 1080, 2, "\x53\xef", false},
    {"xfs", 0, 4, "XFSB", false},
    {"btrfs", 65600, 8, {'_', 'B', 'H', 'R', 'f', 'S', '_', 'M'}, false},
};

/* What is there instead in a disk with a table of partitions (GPT). */
static const struct system partitions = {"", 512, 8, {'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T'},
                                         false};

/* What one run holds; all of it is close-on-exec. */
struct image {
    int file;
    int control; /* of the loop devices; locked, so that two do not make one each for one file */
    int device;  /* the loop device, or -1 */
    bool read_only;
    struct stat status;
    const struct system *system;
    char source[sizeof(DEVICES LOOP) + 16];
};

static bool has_magic(int file, const struct system *system) {
    char bytes[sizeof(system->magic)];
    return pread(file, bytes, system->size, system->at) == (ssize_t)system->size &&
           memcmp(bytes, system->magic, system->size) == 0;
}

/* ---- the file ---- */

static int open_file(struct image *image, const char *path, bool write) {
    const int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    image->file = write ? open(path, flags | O_RDWR) : -1;
    if (image->file < 0 &&
        (!write || errno == EROFS || errno == EACCES || errno == EPERM || errno == ETXTBSY)) {
        image->read_only = true;
        image->file = open(path, flags | O_RDONLY);
    }
    if (image->file < 0 || fstat(image->file, &image->status) < 0)
        return -1;
    if (S_ISREG(image->status.st_mode) || S_ISBLK(image->status.st_mode))
        return 0;
    errno = S_ISDIR(image->status.st_mode) ? EISDIR : ENOTBLK;
    return -1;
}

static int find_system(struct image *image, uint32_t *detail) {
    *detail = PLAN_ROOT_PARTITIONS;
    errno = EMEDIUMTYPE;
    if (has_magic(image->file, &partitions))
        return -1;
    *detail = PLAN_ROOT_KIND;
    for (size_t i = 0; !image->system && i < ARRAY_SIZE(systems); i++)
        if (has_magic(image->file, &systems[i]))
            image->system = &systems[i];
    errno = EMEDIUMTYPE;
    if (!image->system)
        return -1;
    image->read_only |= image->system->read_only;
    return 0;
}

/* ---- the loop device ---- */

/* As LOOP_GET_STATUS64 has the number of a device: the kernel's huge_encode_dev(). */
static uint64_t encode(dev_t device) {
    uint64_t low = minor(device);
    return (low & 0xff) | (uint64_t)major(device) << 8 | (low & ~UINT64_C(0xff)) << 12;
}

/* Whether the open loop device shows all of the file. */
static bool shows(const struct image *image, int device, bool *read_only) {
    struct loop_info64 info;
    if (ioctl(device, LOOP_GET_STATUS64, &info) < 0)
        return false;
    *read_only = info.lo_flags & LO_FLAGS_READ_ONLY;
    return info.lo_inode == image->status.st_ino &&
           info.lo_device == encode(image->status.st_dev) && info.lo_offset == 0 &&
           info.lo_sizelimit == 0;
}

static int try_device(struct image *image, int directory, const char *name) {
    bool read_only;
    if (strncmp(name, LOOP, strlen(LOOP)) != 0 || name[strlen(LOOP)] < '0' ||
        name[strlen(LOOP)] > '9' || strlen(name) >= sizeof(image->source) - strlen(DEVICES))
        return 0;
    _cleanup_close_ int device = openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (device < 0 || !shows(image, device, &read_only))
        return 0;
    if (read_only && !image->read_only) {
        errno = EBUSY;
        return -1;
    }
    image->read_only = read_only;
    image->device = TAKE_FD(device);
    stpcpy(stpcpy(image->source, DEVICES), name);
    return 1;
}

/* A loop device that shows the file already: 1, 0 where there is none, or -1 with errno. */
static int find_device(struct image *image) {
    _Alignas(struct dirent64) char room[ENTRIES_ROOM];
    _cleanup_close_ int directory = open(DEVICES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long size;
    int r = 0;
    while (r == 0 && (size = syscall(SYS_getdents64, directory, room, sizeof(room))) > 0)
        for (long at = 0; r == 0 && at < size;) {
            const struct dirent64 *entry = (const void *)(room + at);
            r = try_device(image, directory, entry->d_name);
            at += entry->d_reclen;
        }
    return r;
}

static void name_device(struct image *image, unsigned number) {
    char digits[16], *at = digits + sizeof(digits) - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    stpcpy(stpcpy(image->source, DEVICES LOOP), at);
}

/* One that somebody else has taken meanwhile is passed over. */
static int make_device(struct image *image) {
    struct loop_config config = {
        .fd = (uint32_t)image->file,
        .info.lo_flags = LO_FLAGS_AUTOCLEAR | (image->read_only ? LO_FLAGS_READ_ONLY : 0U),
    };
    for (;;) {
        int number = ioctl(image->control, LOOP_CTL_GET_FREE);
        if (number < 0)
            return -1;
        name_device(image, (unsigned)number);
        _cleanup_close_ int device =
            open(image->source, (image->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
        if (device < 0)
            return -1;
        if (ioctl(device, LOOP_CONFIGURE, &config) == 0) {
            image->device = TAKE_FD(device);
            return 0;
        }
        if (errno != EBUSY)
            return -1;
    }
}

static int take_device(struct image *image) {
    image->control = open(DEVICES "loop-control", O_RDWR | O_CLOEXEC);
    if (image->control < 0 || flock(image->control, LOCK_EX) < 0)
        return -1;
    int r = find_device(image);
    return r == 0 ? make_device(image) : r < 0 ? -1 : 0;
}

/* ---- the mount ---- */

static unsigned attributes_of(uint32_t flags) {
    static const struct {
        uint32_t flag;
        unsigned attribute;
    } bits[] = {
        {PLAN_MOUNT_RDONLY, MOUNT_ATTR_RDONLY}, {PLAN_MOUNT_NOSUID, MOUNT_ATTR_NOSUID},
        {PLAN_MOUNT_NODEV, MOUNT_ATTR_NODEV},   {PLAN_MOUNT_NOEXEC, MOUNT_ATTR_NOEXEC},
    };
    unsigned attributes = 0;
    for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
        if (flags & bits[i].flag)
            attributes |= bits[i].attribute;
    return attributes;
}

/* The mount of what `source` holds; or -1 with errno and *detail. */
static int mount_system(const struct image *image, const char *source, char *options,
                        uint32_t flags, uint32_t *detail) {
    char own[] = "ro";
    struct child_system system = {.type = image->system->type, .source = source,
                                  .own = image->read_only ? own : NULL,
                                  .options = options,
                                  .attributes = attributes_of(
                                      flags | (image->read_only ? PLAN_MOUNT_RDONLY : 0))};
    int mount = child_system_make(&system);
    *detail = system.refused ? PLAN_ROOT_OPTIONS : PLAN_ROOT_SYSTEM;
    return mount;
}

int child_image_mount(struct child *child) {
    const struct plan *plan = child->plan;
    const char *path = child_run_at(child, plan->root);
    struct image image = {.file = -1, .control = -1, .device = -1};
    int mount = -1;
    child->detail = PLAN_ROOT;
    int r = open_file(&image, path, !(plan->root_flags & PLAN_MOUNT_RDONLY));
    if (r == 0)
        r = find_system(&image, &child->detail);
    if (r == 0 && S_ISREG(image.status.st_mode)) {
        child->detail = PLAN_ROOT_LOOP;
        r = take_device(&image);
    }
    if (r == 0)
        mount = mount_system(&image, image.device >= 0 ? image.source : path,
                             child_run_at(child, plan->root_options), plan->root_flags,
                             &child->detail);
    int error = errno;
    cleanup_close(&image.device);
    cleanup_close(&image.control);
    cleanup_close(&image.file);
    errno = error;
    return mount;
}
