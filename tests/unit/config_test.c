#include "agent/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "suite.h"

struct file {
    struct scratch scratch;
    char path[64];
    char said[1024]; /* on stderr */
};

static void begin(struct file *file, const char *text) {
    scratch_open(&file->scratch);
    snprintf(file->path, sizeof(file->path), "%s/agent.conf", file->scratch.path);
    if (text)
        scratch_write(&file->scratch, "agent.conf", text);
}

static int read_it(struct file *file, struct config *config, bool must) {
    int said = memfd_create("stderr", MFD_CLOEXEC), old = dup(STDERR_FILENO);
    dup2(said, STDERR_FILENO);
    int r = config_read(config, file->path, must);
    dup2(old, STDERR_FILENO);
    ssize_t size = pread(said, file->said, sizeof(file->said) - 1, 0);
    assert_true(size >= 0);
    file->said[size] = '\0';
    close(said);
    close(old);
    return r;
}

static void is_default(const struct config *config) {
    assert_string_equal(config->group, "holden");
    assert_int_equal(config->keep_records, 1000);
    assert_int_equal(config->log_max, 1 << 20);
    assert_int_equal(config->output, HOLDEN_stream_kind_LOG);
    assert_int_equal(config->timeout_stop, 10000000);
}

TEST(a_file_need_not_be_there) {
    struct file file;
    struct config config;
    begin(&file, NULL);
    assert_int_equal(read_it(&file, &config, false), 0);
    is_default(&config);
    assert_string_equal(file.said, "");
    assert_int_equal(read_it(&file, &config, true), -EINVAL);
    assert_non_null(strstr(file.said, "No such file"));
    scratch_close(&file.scratch);
}

/* What a file says that cannot be read to its end must not pass for all that it says. */
TEST(a_file_that_cannot_be_read_is_refused) {
    struct file file;
    struct config config;
    begin(&file, NULL);
    snprintf(file.path, sizeof(file.path), "%s", file.scratch.path);
    assert_int_equal(read_it(&file, &config, true), -EINVAL);
    assert_non_null(strstr(file.said, "Is a directory"));
    assert_int_equal(read_it(&file, &config, false), -EINVAL);
    scratch_close(&file.scratch);
}

/* What the file says, as root, to whom it must belong. */
static int says(const char *text, struct config *config, char *said, size_t space) {
    struct file file;
    if (geteuid() != 0)
        skip();
    begin(&file, text);
    int r = read_it(&file, config, true);
    snprintf(said, space, "%s", file.said);
    scratch_close(&file.scratch);
    return r;
}

TEST(every_key) {
    struct config config;
    char said[1024];
    assert_int_equal(
        says("# words\n[Agent]\nGroup=users\nKeepRecords=7\nLogMax=2M\n"
             "DefaultTimeoutStopSec=1min 5s\nDefaultStandardOutput=auto\n"
             "Audit=journal\nAuditFile=/var/log/trail\nAuditMax=1M\n",
             &config, said, sizeof(said)),
        0);
    assert_string_equal(said, "");
    assert_string_equal(config.group, "users");
    assert_int_equal(config.keep_records, 7);
    assert_int_equal(config.log_max, 2 << 20);
    assert_int_equal(config.output, CONFIG_OUTPUT_AUTO);
    assert_int_equal(config.timeout_stop, 65000000);
    assert_int_equal(config.audit, CONFIG_AUDIT_JOURNAL);
    assert_string_equal(config.audit_file, "/var/log/trail");
    assert_int_equal(config.audit_max, 1 << 20);
}

TEST(an_empty_file_changes_nothing) {
    struct config config;
    char said[1024];
    assert_int_equal(says("", &config, said, sizeof(said)), 0);
    is_default(&config);
    assert_int_equal(says("[Agent]\n", &config, said, sizeof(said)), 0);
    is_default(&config);
}

TEST(infinity) {
    struct config config;
    char said[1024];
    assert_int_equal(says("[Agent]\nDefaultTimeoutStopSec=infinity\n"
                          "KeepRecords=infinity\n", &config, said,
                          sizeof(said)),
                     0);
    assert_true(config.timeout_stop == UINT64_MAX);
    assert_true(config.keep_records == UINT64_MAX);
}

TEST(wrong_lines_are_named) {
    static const struct {
        const char *text, *words, *line;
    } rows[] = {
        {"[Agent]\nKeepRecord=7\n", "KeepRecord=: unknown key", "line 2"},
        {"[Agent]\nKeepRecords=many\n", "KeepRecords=many: not a valid value", "line 2"},
        {"[Agent]\n\nKeepRecords=-1\n", "not a valid value", "line 3"},
        {"[Agent]\nLogMax=1X\n", "not a valid value", "line 2"},
        {"[Agent]\nDefaultStandardOutput=file:/x\n", "not a valid value", "line 2"},
        {"[Agent]\nDefaultStandardOutput=inherit\n", "not a valid value", "line 2"},
        {"[Agent]\nTimeoutStopSec=\n", "not a valid value", "line 2"},
        {"[Agent]\nKillMode=mixed\n", "not a valid value", "line 2"},
        {"[Agent]\nAudit=loud\n", "not a valid value", "line 2"},
        {"[Agent]\nAuditFile=trail\n", "not an absolute path", "line 2"},
        {"KeepRecords=7\n", "unknown section", "line 1"},
        {"[agent]\nKeepRecords=7\n", "[agent]: unknown section", "line 2"},
        {"[Agent]\nwords\n", "agent.conf", "line 2"},
        {"[Agent\nKeepRecords=7\n", "agent.conf", "line 1"},
        {"[Agent]\nGroup=0123456789012345678901234567890123456789012345678901234567890123\n",
         "longer", "line 2"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct config config;
        char said[1024];
        assert_int_equal(says(rows[i].text, &config, said, sizeof(said)), -EINVAL);
        if (!strstr(said, rows[i].words) || !strstr(said, rows[i].line))
            fail_msg("%s", said);
    }
}

TEST(the_file_is_roots_alone) {
    struct file file;
    struct config config;
    begin(&file, "[Agent]\nKeepRecords=7\n");
    if (geteuid() == 0)
        assert_int_equal(chown(file.path, 65534, 65534), 0);
    assert_int_equal(read_it(&file, &config, false), -EINVAL);
    assert_non_null(strstr(file.said, "must belong to root"));
    if (geteuid() == 0) {
        static const mode_t modes[] = {0620, 0602, 0666};
        assert_int_equal(chown(file.path, 0, 0), 0);
        for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
            assert_int_equal(chmod(file.path, modes[i]), 0);
            assert_int_equal(read_it(&file, &config, false), -EINVAL);
        }
        assert_int_equal(chmod(file.path, 0644), 0);
        assert_int_equal(read_it(&file, &config, false), 0);
        assert_int_equal(config.keep_records, 7);
    }
    scratch_close(&file.scratch);
}

UNIT_MAIN
