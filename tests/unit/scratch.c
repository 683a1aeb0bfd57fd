#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "suite.h"

enum { WALK_FDS = 8 };

void scratch_open(struct scratch *scratch) {
    strcpy(scratch->path, "/tmp/holden-unit.XXXXXX");
    assert_non_null(mkdtemp(scratch->path));
    scratch->directory = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(scratch->directory >= 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void scratch_close(struct scratch *scratch) {
    close(scratch->directory);
    assert_int_equal(nftw(scratch->path, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS), 0);
}

void scratch_write(const struct scratch *scratch, const char *name, const char *text) {
    assert_int_equal(file_replace(scratch->directory, name, text, strlen(text), 0600), 0);
}

const char *scratch_read(const struct scratch *scratch, const char *name, char *text,
                         size_t space) {
    return file_read(scratch->directory, name, text, space) < 0 ? NULL : text;
}

void scratch_make(const struct scratch *scratch, const char *name) {
    assert_int_equal(mkdirat(scratch->directory, name, 0700), 0);
}

unsigned scratch_descriptors(void) {
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}
