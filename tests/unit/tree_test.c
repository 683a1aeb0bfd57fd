/* Trees are removed whole, and nothing else is. */
#include "agent/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "suite.h"

static const char *in(const struct scratch *scratch, const char *name) {
    static char path[4200];
    snprintf(path, sizeof(path), "%s/%s", scratch->path, name);
    return path;
}

static bool is_there(const struct scratch *scratch, const char *name) {
    return faccessat(scratch->directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

TEST(what_is_in_it_goes_along_what_it_leads_to_stays) {
    struct scratch scratch;
    scratch_open(&scratch);
    scratch_make(&scratch, "out");
    scratch_write(&scratch, "out/file", "x");
    scratch_make(&scratch, "d");
    scratch_make(&scratch, "d/0");
    scratch_make(&scratch, "d/0/1");
    scratch_make(&scratch, "d/1");
    scratch_write(&scratch, "d/0/1/file", "x");
    scratch_write(&scratch, "d/1/file", "x");
    assert_int_equal(symlinkat("../out", scratch.directory, "d/link"), 0);
    assert_int_equal(symlinkat("/", scratch.directory, "d/1/link"), 0);
    assert_int_equal(mkfifoat(scratch.directory, "d/fifo", 0600), 0);
    assert_int_equal(tree_remove(in(&scratch, "d")), 0);
    assert_false(is_there(&scratch, "d"));
    assert_true(is_there(&scratch, "out/file"));
    assert_int_equal(tree_remove(in(&scratch, "d")), 0);
    scratch_close(&scratch);
}

TEST(a_link_is_removed_itself) {
    struct scratch scratch;
    scratch_open(&scratch);
    scratch_make(&scratch, "out");
    scratch_write(&scratch, "out/file", "x");
    assert_int_equal(symlinkat("out", scratch.directory, "link"), 0);
    assert_int_equal(tree_remove(in(&scratch, "link/file")), -ELOOP);
    assert_int_equal(tree_remove(in(&scratch, "link")), 0);
    assert_false(is_there(&scratch, "link"));
    assert_true(is_there(&scratch, "out/file"));
    assert_int_equal(tree_unlink_link(in(&scratch, "out")), -EINVAL);
    assert_int_equal(tree_unlink_link(in(&scratch, "link")), -ENOENT);
    assert_true(is_there(&scratch, "out"));
    assert_int_equal(symlinkat("out", scratch.directory, "link"), 0);
    assert_int_equal(tree_unlink_link(in(&scratch, "link")), 0);
    assert_false(is_there(&scratch, "link"));
    scratch_close(&scratch);
}

/* Also where the names that are moved up are those of others. */
TEST(a_large_one_is_gone_at_once) {
    struct scratch scratch;
    char name[64];
    scratch_open(&scratch);
    scratch_make(&scratch, "d");
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "d/%d", i);
        scratch_make(&scratch, name);
        snprintf(name, sizeof(name), "d/%d/%d", i, i);
        scratch_make(&scratch, name);
        snprintf(name, sizeof(name), "d/%d/%d/%d", i, i, i);
        scratch_make(&scratch, name);
    }
    unsigned descriptors = scratch_descriptors();
    assert_int_equal(tree_remove(in(&scratch, "d")), 0);
    assert_false(is_there(&scratch, "d"));
    assert_int_equal(scratch_descriptors(), descriptors);
    /* Only an empty directory can be removed so. */
    bool empty = false;
    for (unsigned tries = 0; !empty && tries < 2000; tries++) {
        empty = rmdir(scratch.path) == 0;
        if (!empty)
            usleep(10000);
    }
    assert_true(empty);
    assert_int_equal(mkdir(scratch.path, 0700), 0);
    scratch_close(&scratch);
}

UNIT_MAIN
