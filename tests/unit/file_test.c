#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

/* A directory for one test. */
static int scratch(char *path) {
    strcpy(path, "/tmp/holden-unit.XXXXXX");
    assert_non_null(mkdtemp(path));
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void remove_scratch(int directory, const char *path) {
    static const char *const names[] = {"a", "a.new", "pipe"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlinkat(directory, names[i], 0);
    close(directory);
    assert_int_equal(rmdir(path), 0);
}

TEST(replaced_and_read) {
    char path[32];
    char text[16];
    int directory = scratch(path);
    assert_int_equal(file_replace(directory, "a", "one\n", 4, 0600), 0);
    assert_int_equal(file_read(directory, "a", text, sizeof(text)), 3);
    assert_string_equal(text, "one");
    assert_int_equal(file_replace(directory, "a", "second\n\n", 8, 0600), 0);
    assert_int_equal(file_read(directory, "a", text, sizeof(text)), 6);
    assert_string_equal(text, "second");
    assert_int_equal(faccessat(directory, "a.new", F_OK, 0), -1);
    remove_scratch(directory, path);
}

TEST(a_short_space_gets_the_beginning) {
    char path[32];
    char text[4];
    int directory = scratch(path);
    assert_int_equal(file_replace(directory, "a", "abcdef", 6, 0600), 0);
    assert_int_equal(file_read(directory, "a", text, sizeof(text)), 3);
    assert_string_equal(text, "abc");
    remove_scratch(directory, path);
}

TEST(read_whole) {
    char path[32];
    static char content[10000];
    _cleanup_(buffer_free) struct buffer buffer = {0};
    int directory = scratch(path);
    memset(content, 'z', sizeof(content));
    assert_int_equal(buffer_append(&buffer, "head", 4), 0);
    assert_int_equal(file_replace(directory, "a", content, sizeof(content), 0600), 0);
    assert_int_equal(file_read_all(directory, "a", sizeof(content) - 1, &buffer), -EFBIG);
    assert_int_equal(buffer.size, 4);
    assert_int_equal(file_read_all(directory, "a", sizeof(content), &buffer), 0);
    assert_int_equal(buffer.size, 4 + sizeof(content));
    assert_memory_equal(buffer_bytes(&buffer) + 4, content, sizeof(content));
    assert_int_equal(file_read_all(directory, "none", 10, &buffer), -ENOENT);
    assert_int_equal(buffer.size, 4 + sizeof(content));
    remove_scratch(directory, path);
}

TEST(written_in_place) {
    char path[32];
    char text[16];
    int directory = scratch(path);
    assert_int_equal(file_write(directory, "a", "x"), -ENOENT);
    assert_int_equal(file_replace(directory, "a", "....", 4, 0600), 0);
    assert_int_equal(file_write(directory, "a", "ab"), 0);
    assert_int_equal(file_read(directory, "a", text, sizeof(text)), 4);
    assert_string_equal(text, "ab..");
    remove_scratch(directory, path);
}

TEST(failures_are_told) {
    char path[32];
    char text[16] = "as before";
    int directory = scratch(path);
    char longest[300];
    memset(longest, 'n', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(file_read(directory, "none", text, sizeof(text)), -ENOENT);
    assert_int_equal(file_read(directory, ".", text, sizeof(text)), -EISDIR);
    assert_string_equal(text, "as before");
    assert_int_equal(file_replace(directory, longest, "x", 1, 0600), -ENAMETOOLONG);
    assert_int_equal(file_replace(directory, "no/a", "x", 1, 0600), -ENOENT);
    assert_int_equal(file_write_all(-1, "x", 1), -EBADF);
    remove_scratch(directory, path);
}

/* A pipe takes less than is offered at once. */
static void *drain(void *argument) {
    const int *fd = argument;
    static char bytes[4096];
    size_t total = 0;
    for (ssize_t got; (got = read(*fd, bytes, sizeof(bytes))) > 0;)
        total += (size_t)got;
    return (void *)total;
}

TEST(written_whole) {
    static char content[1 << 20];
    int ends[2];
    pthread_t reader;
    void *total;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pthread_create(&reader, NULL, drain, &ends[0]), 0);
    assert_int_equal(file_write_all(ends[1], content, sizeof(content)), 0);
    close(ends[1]);
    assert_int_equal(pthread_join(reader, &total), 0);
    close(ends[0]);
    assert_int_equal((size_t)total, sizeof(content));
}

UNIT_MAIN
