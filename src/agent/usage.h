/* What a process uses, read from the files of its cgroup (Documentation/admin-guide/cgroup-v2). */
#pragma once

#include "agent/cgroup.h"
#include "protocol/message.h"

/* Sets the field of that index, a number. */
void usage_set(struct holden_usage *usage, size_t field, uint64_t value);

/* The files that are read often, and so may be kept open. */
enum usage_file {
    USAGE_CPU,
    USAGE_MEMORY,
    USAGE_TASKS,
    USAGE_IO,
    USAGE_CPU_PRESSURE,
    USAGE_MEMORY_PRESSURE,
    USAGE_IO_PRESSURE,
    USAGE_OFTEN
};

/* How many files are kept open for all processes together, and how many may be. */
struct usage_kept {
    size_t open, most;
};

/* Files of one cgroup that are kept open. */
struct usage_files {
    int fd[USAGE_OFTEN]; /* -1: it is not open */
    struct usage_kept *kept;
};

enum usage_extent {
    USAGE_ALL,
    USAGE_ENDED, /* without what only says how much is in use: it has ended */
    USAGE_FEW,   /* only what is in the files above; what else *usage holds stays as it is */
};

/* Fills *usage with what the cgroup tells now; what belongs to controllers that are missing is left
 * out, and so are figures of networks. `files` may be NULL; otherwise those that are
 * read often are read from there, and opened to be kept where they are not and few enough are. The
 * directory may be -1 with USAGE_FEW where usage_complete(). */
void usage_read(const struct hierarchy *hierarchy, int directory, struct usage_files *files,
                enum usage_extent extent, struct holden_usage *usage);

/* Whether all files are open that are read for USAGE_FEW. */
bool usage_complete(const struct hierarchy *hierarchy, const struct usage_files *files);

/* CPU time used so far, microseconds, from an open cpu.stat. 0 with *cpu, or -errno: -ENODEV once
 * the cgroup is gone. */
int usage_cpu(int file, uint64_t *cpu);

/* What each block device has done for the cgroup (io.stat), into at most `most` records. How many.
 */
size_t usage_devices(int directory, struct holden_device_io *devices, size_t most);

/* No files are open; `kept` is where they are counted, and outlives them. */
void usage_files_init(struct usage_files *files, struct usage_kept *kept);

/* Closes the files from that one on. */
void usage_files_close(struct usage_files *files, enum usage_file from);
