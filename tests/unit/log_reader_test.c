#include "controller/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/file.h"
#include "suite.h"

/* A log, and a reader that prints to a file of its own in place of standard output. */
struct fixture {
    struct output output;
    struct printer printer;
    struct log_reader reader;
    int log, out, old;
};

static void begin(struct fixture *fixture, enum printer_kind kind) {
    *fixture = (struct fixture){.log = memfd_create("log", MFD_CLOEXEC),
                                .out = memfd_create("out", MFD_CLOEXEC),
                                .old = dup(STDOUT_FILENO)};
    fixture->printer = (struct printer){.kind = kind, .output = &fixture->output};
    fixture->reader = (struct log_reader){.printer = &fixture->printer, .name = "web",
                                          .fd = dup(fixture->log)};
    assert_true(fixture->log >= 0 && fixture->out >= 0 && fixture->old >= 0);
    fflush(stdout);
    dup2(fixture->out, STDOUT_FILENO);
}

static void end(struct fixture *fixture) {
    dup2(fixture->old, STDOUT_FILENO);
    assert_int_equal(printer_close(&fixture->printer), 0);
    log_reader_close(&fixture->reader);
    buffer_free(&fixture->output.buffer);
    close(fixture->log);
    close(fixture->out);
    close(fixture->old);
}

static void append(struct fixture *fixture, const char *text) {
    assert_true(lseek(fixture->log, 0, SEEK_END) >= 0);
    assert_int_equal(file_write_all(fixture->log, text, strlen(text)), 0);
}

static void give_back(struct fixture *fixture, off_t size) {
    assert_int_equal(
        fallocate(fixture->log, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size), 0);
}

/* What has been printed since the last time. */
static void printed(struct fixture *fixture, const char *text) {
    char bytes[512] = "";
    assert_true(pread(fixture->out, bytes, sizeof(bytes) - 1, 0) >= 0);
    assert_string_equal(bytes, text);
    assert_int_equal(ftruncate(fixture->out, 0), 0);
    assert_int_equal(lseek(fixture->out, 0, SEEK_SET), 0);
}

/* 4096 bytes, each line ten of them. */
static void fill_page(struct fixture *fixture, char letter) {
    char text[4097];
    for (unsigned i = 0; i < 4096; i++)
        text[i] = i % 10 == 9 ? '\n' : letter;
    text[4096] = '\0';
    append(fixture, text);
}

TEST(begins_with_the_first_whole_line_behind_a_hole) {
    struct fixture fixture;
    begin(&fixture, PRINTER_RAW);
    fill_page(&fixture, 'a');
    append(&fixture, "part\nwhole\n");
    give_back(&fixture, 4096);
    assert_int_equal(log_reader_start(&fixture.reader), 0);
    assert_int_equal(log_reader_print(&fixture.reader), 0);
    printed(&fixture, "whole\n");
    append(&fixture, "more");
    assert_int_equal(log_reader_print(&fixture.reader), 0);
    printed(&fixture, "more");
    end(&fixture);
}

TEST(what_went_before_it_was_read_is_told) {
    struct fixture fixture;
    begin(&fixture, PRINTER_JSON);
    append(&fixture, "one\n");
    assert_int_equal(log_reader_start(&fixture.reader), 0);
    assert_int_equal(log_reader_print(&fixture.reader), 0);
    printed(&fixture, "{\"line\":\"one\"}\n");
    fill_page(&fixture, 'a');
    fill_page(&fixture, 'b');
    append(&fixture, "\nlast\n");
    give_back(&fixture, 8192);
    assert_int_equal(log_reader_print(&fixture.reader), 0);
    printed(&fixture, "{\"missed\":8188}\n{\"line\":\"bbbb\"}\n{\"line\":\"last\"}\n");
    end(&fixture);
}

TEST(a_log_that_is_a_hole_alone_has_nothing_to_read) {
    struct fixture fixture;
    begin(&fixture, PRINTER_JSON);
    assert_int_equal(log_reader_start(&fixture.reader), 0);
    assert_int_equal(ftruncate(fixture.log, (off_t)1 << 40), 0);
    assert_int_equal(log_reader_print(&fixture.reader), 0);
    printed(&fixture, "{\"missed\":1099511627776}\n");
    assert_int_equal(log_reader_print(&fixture.reader), 0);
    printed(&fixture, "");
    end(&fixture);
}

TEST(a_log_made_shorter_is_read_from_its_beginning) {
    struct fixture fixture;
    begin(&fixture, PRINTER_RAW);
    append(&fixture, "one\ntwo\n");
    assert_int_equal(log_reader_start(&fixture.reader), 0);
    assert_int_equal(log_reader_print(&fixture.reader), 0);
    assert_int_equal(ftruncate(fixture.log, 0), 0);
    append(&fixture, "three\n");
    assert_int_equal(log_reader_print(&fixture.reader), 0);
    printed(&fixture, "one\ntwo\nthree\n");
    end(&fixture);
}

static void last_is(uint64_t lines, const char *text, const char *expected) {
    struct fixture fixture;
    begin(&fixture, PRINTER_RAW);
    append(&fixture, text);
    assert_int_equal(log_reader_start(&fixture.reader), 0);
    assert_int_equal(log_reader_last(&fixture.reader, lines), 0);
    assert_int_equal(log_reader_print(&fixture.reader), 0);
    printed(&fixture, expected);
    end(&fixture);
}

TEST(the_last_lines) {
    last_is(0, "1\n2\n3\n", "");
    last_is(1, "1\n2\n3\n", "3\n");
    last_is(2, "1\n2\n3", "2\n3");
    last_is(9, "1\n2\n3\n", "1\n2\n3\n");
    last_is(3, "", "");
    last_is(2, "1\n\n\n", "\n\n");
}

TEST(a_line_without_an_end_is_cut_in_json) {
    struct fixture fixture;
    begin(&fixture, PRINTER_JSON);
    assert_int_equal(ftruncate(fixture.log, 0), 0);
    char *line = malloc((1 << 20) + 4);
    assert_non_null(line);
    memset(line, 'x', (1 << 20) + 3);
    line[(1 << 20) + 3] = '\0';
    append(&fixture, line);
    free(line);
    assert_int_equal(log_reader_print(&fixture.reader), 0);
    assert_true(fixture.printer.held.size < 1 << 20);
    assert_int_equal(lseek(fixture.out, 0, SEEK_END), (1 << 20) + 27);
    assert_int_equal(printer_close(&fixture.printer), 0);
    assert_int_equal(lseek(fixture.out, 0, SEEK_END), (1 << 20) + 27 + 15);
    end(&fixture);
}

UNIT_MAIN
