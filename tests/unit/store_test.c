#include "agent/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/machine.h"
#include "agent/state.h"
#include "common/file.h"
#include "sample.h"
#include "stage.h"
#include "suite.h"

/* What store_read() has handed over. */
static struct {
    size_t count;
    int result; /* what on_found() returns */
    uint64_t ids[64];
    struct holden_kept last;
    char name[65];
    char explanation[64];
    struct holden_usage usage;
} found;

static int on_found(struct agent *agent, const struct holden_kept *kept) {
    struct holden_fault fault;
    (void)agent;
    assert_true(found.count < ARRAY_SIZE(found.ids));
    found.ids[found.count++] = kept->id;
    found.last = *kept;
    snprintf(found.name, sizeof(found.name), "%.*s", (int)kept->name.size, kept->name.data);
    snprintf(found.explanation, sizeof(found.explanation), "%.*s", (int)kept->explanation.size,
             kept->explanation.data ? kept->explanation.data : "");
    if (HOLDEN_HAS(kept, kept, usage))
        assert_int_equal(holden_decode(&holden_record_usage, kept->usage.bytes.data,
                                       kept->usage.bytes.size, &found.usage, &fault),
                         0);
    return found.result;
}

static void read_all(struct stage *stage) {
    memset(&found, 0, sizeof(found));
    assert_int_equal(store_read(&stage->agent->store, stage->agent, on_found), 0);
}

static bool is_there(const struct stage *stage, const char *name) {
    return faccessat(stage->agent->store.root, name, F_OK, 0) == 0;
}

TEST(a_living_process_comes_back) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 1000);
    process->owner_gid = 1001;
    process->user = 1002;
    process->started_realtime = 11;
    process->started_monotonic = 12;
    process->restarts = 3;
    process->has_log = true;
    process_set_pid(process, 4711);
    assert_int_equal(store_write(&stage.agent->store, process), 0);
    read_all(&stage);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.last.version, 1);
    assert_int_equal(found.last.id, process->id);
    assert_string_equal(found.name, "web");
    assert_int_equal(found.last.state, HOLDEN_state_RUNNING);
    assert_int_equal(found.last.pid, 4711);
    assert_int_equal(found.last.owner, 1000);
    assert_int_equal(found.last.owner_group, 1001);
    assert_int_equal(found.last.user, 1002);
    assert_int_equal(found.last.started, 11);
    assert_int_equal(found.last.started_monotonic, 12);
    assert_int_equal(found.last.restarts, 3);
    assert_int_equal(found.last.request.size, process->request_size);
    assert_true(found.last.log);
    assert_false(HOLDEN_HAS(&found.last, kept, ended));
    assert_false(HOLDEN_HAS(&found.last, kept, cause));
    stage_close(&stage);
}

TEST(an_ended_one_comes_back_with_its_end) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_FAILED, 0);
    process->ended_realtime = 21;
    process->ended_monotonic = 22;
    process->outcome =
        (struct outcome){HOLDEN_cause_SIGNALLED, CLD_DUMPED, 11, strdup("ended by SIGSEGV")};
    process->usage = calloc(1, sizeof(*process->usage));
    HOLDEN_SET(process->usage, usage, at, 5);
    HOLDEN_SET(process->usage, usage, memory_peak, 6);
    assert_int_equal(store_write(&stage.agent->store, process), 0);
    read_all(&stage);
    assert_int_equal(found.last.state, HOLDEN_state_FAILED);
    assert_false(HOLDEN_HAS(&found.last, kept, pid));
    assert_int_equal(found.last.ended, 21);
    assert_int_equal(found.last.ended_monotonic, 22);
    assert_int_equal(found.last.code, CLD_DUMPED);
    assert_int_equal(found.last.status, 11);
    assert_int_equal(found.last.cause, HOLDEN_cause_SIGNALLED);
    assert_string_equal(found.explanation, "ended by SIGSEGV");
    assert_int_equal(found.usage.memory_peak, 6);
    assert_false(found.last.log);
    stage_close(&stage);
}

TEST(read_in_the_order_of_ids) {
    struct stage stage;
    char name[16];
    stage_open(&stage);
    for (unsigned i = 1; i <= 12; i++) {
        snprintf(name, sizeof(name), "p%u", i);
        struct process *process = stage_process(&stage, name, HOLDEN_state_RUNNING, 0);
        process_set_pid(process, (pid_t)i);
        assert_int_equal(store_write(&stage.agent->store, process), 0);
    }
    read_all(&stage);
    assert_int_equal(found.count, 12);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(found.ids[i], i + 1);
    stage_close(&stage);
}

TEST(written_again_in_place_and_removed) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_STARTING, 0);
    assert_int_equal(store_write(&stage.agent->store, process), 0);
    process->ran = true;
    process_set_pid(process, 4711);
    process_event(process, PROCESS_RUNS);
    assert_int_equal(store_write(&stage.agent->store, process), 0);
    read_all(&stage);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.last.state, HOLDEN_state_RUNNING);
    scratch_write(&stage.scratch, "state/logs/1", "words");
    store_remove(&stage.agent->store, process);
    assert_true(is_there(&stage, "logs/1")); /* not its own */
    process->has_log = true;
    store_remove(&stage.agent->store, process);
    assert_false(is_there(&stage, "logs/1"));
    assert_false(is_there(&stage, "records/1"));
    read_all(&stage);
    assert_int_equal(found.count, 0);
    stage_close(&stage);
}

TEST(what_cannot_be_encoded_leaves_the_old_record) {
    struct stage stage;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    process_set_pid(process, 4711);
    assert_int_equal(store_write(&stage.agent->store, process), 0);
    process->ended_realtime = 1;
    state_recover(process, HOLDEN_state_FAILED);
    process->outcome.cause = 99;
    assert_int_equal(store_write(&stage.agent->store, process), -EINVAL);
    read_all(&stage);
    assert_int_equal(found.last.state, HOLDEN_state_RUNNING);
    stage_close(&stage);
}

/* ---- records that are not taken ---- */

/* A `start` with an argument of one byte. */
static const struct holden_view request = {"\1\0\1\0\0\0x", 7};

static struct holden_kept kept(const struct store *store, uint64_t id) {
    struct holden_kept record = {0};
    HOLDEN_SET(&record, kept, version, 1);
    HOLDEN_SET(&record, kept, boot, holden_view(store->boot));
    HOLDEN_SET(&record, kept, id, id);
    HOLDEN_SET(&record, kept, name, holden_view("web"));
    HOLDEN_SET(&record, kept, state, HOLDEN_state_RUNNING);
    HOLDEN_SET(&record, kept, owner, 0);
    HOLDEN_SET(&record, kept, owner_group, 0);
    HOLDEN_SET(&record, kept, user, 0);
    HOLDEN_SET(&record, kept, request, request);
    HOLDEN_SET(&record, kept, pid, 4711);
    HOLDEN_SET(&record, kept, started, 1);
    HOLDEN_SET(&record, kept, started_monotonic, 1);
    HOLDEN_SET(&record, kept, restarts, 0);
    return record;
}

static void put(const struct store *store, const char *name, const struct holden_kept *record,
                size_t cut) {
    _cleanup_(buffer_free) struct buffer bytes = {0};
    assert_int_equal(holden_encode(&holden_record_kept, record, &bytes), 0);
    assert_int_equal(
        file_replace(store->records, name, buffer_bytes(&bytes), bytes.size - cut, 0600), 0);
}

/* The record 5 is not taken but kept aside; record 6, which is good, is not held up. */
static void moved_aside(struct stage *stage) {
    struct holden_kept good = kept(&stage->agent->store, 6);
    put(&stage->agent->store, "6", &good, 0);
    read_all(stage);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.ids[0], 6);
    assert_true(is_there(stage, "refused/5"));
    assert_false(is_there(stage, "records/5"));
    assert_true(is_there(stage, "records/6"));
    read_all(stage);
    assert_int_equal(found.count, 1);
}

TEST(a_record_of_another_boot) {
    struct stage stage;
    stage_open(&stage);
    struct holden_kept record = kept(&stage.agent->store, 5);
    HOLDEN_SET(&record, kept, boot, holden_view("01234567-89ab-cdef-0123-456789abcdef"));
    put(&stage.agent->store, "5", &record, 0);
    moved_aside(&stage);
    stage_close(&stage);
}

TEST(a_record_of_a_newer_agent) {
    struct stage stage;
    stage_open(&stage);
    struct holden_kept record = kept(&stage.agent->store, 5);
    HOLDEN_SET(&record, kept, version, 2);
    put(&stage.agent->store, "5", &record, 0);
    moved_aside(&stage);
    stage_close(&stage);
}

TEST(a_record_of_another_id_than_its_name) {
    struct stage stage;
    stage_open(&stage);
    struct holden_kept record = kept(&stage.agent->store, 7);
    put(&stage.agent->store, "5", &record, 0);
    moved_aside(&stage);
    stage_close(&stage);
}

TEST(a_record_cut_anywhere) {
    struct stage stage;
    struct buffer whole = {0};
    stage_open(&stage);
    struct holden_kept record = kept(&stage.agent->store, 5);
    assert_int_equal(holden_encode(&holden_record_kept, &record, &whole), 0);
    for (size_t cut = 1; cut <= whole.size; cut++) {
        put(&stage.agent->store, "5", &record, cut);
        moved_aside(&stage);
    }
    buffer_free(&whole);
    stage_close(&stage);
}

TEST(garbled_records) {
    struct stage stage;
    struct sample sample = {.random = 4711};
    stage_open(&stage);
    for (unsigned turn = 0; turn < 300; turn++) {
        uint8_t bytes[200];
        size_t size = sample_random(&sample, sizeof(bytes));
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)sample_random(&sample, 256);
        assert_int_equal(file_replace(stage.agent->store.records, "5", bytes, size, 0600), 0);
        moved_aside(&stage);
    }
    stage_close(&stage);
}

TEST(what_is_no_record_is_left_alone) {
    struct stage stage;
    stage_open(&stage);
    scratch_write(&stage.scratch, "state/records/README", "x");
    assert_int_equal(file_replace(stage.agent->store.records, ".hidden", "x", 1, 0600), 0);
    read_all(&stage);
    assert_int_equal(found.count, 0);
    assert_true(is_there(&stage, "records/README"));
    assert_false(is_there(&stage, "refused"));
    stage_close(&stage);
}

TEST(a_directory_in_a_records_place) {
    struct stage stage;
    stage_open(&stage);
    scratch_make(&stage.scratch, "state/records/5");
    moved_aside(&stage);
    stage_close(&stage);
}

TEST(a_record_of_an_unknown_field_is_taken) {
    struct stage stage;
    stage_open(&stage);
    struct holden_kept record = kept(&stage.agent->store, 5);
    struct buffer bytes = {0};
    assert_int_equal(holden_encode(&holden_record_kept, &record, &bytes), 0);
    assert_int_equal(buffer_append(&bytes, "\xff\xef\3\0\0\0abc", 9), 0);
    assert_int_equal(
        file_replace(stage.agent->store.records, "5", buffer_bytes(&bytes), bytes.size, 0600), 0);
    read_all(&stage);
    assert_int_equal(found.count, 1);
    buffer_free(&bytes);
    stage_close(&stage);
}

/* ---- ids and the directory ---- */

static void opened(struct store *store, const char *path) {
    struct failure failure = {0};
    int r = store_open(store, path, &failure);
    if (r < 0)
        print_message("%s: %s\n", failure.step, failure.text);
    assert_int_equal(r, 0);
}

TEST(ids_are_never_used_again) {
    struct scratch scratch;
    struct store store;
    char path[64];
    uint64_t id, last = 0;
    scratch_open(&scratch);
    snprintf(path, sizeof(path), "%s/a/b/state", scratch.path);
    for (unsigned lives = 0; lives < 5; lives++) {
        opened(&store, path);
        for (unsigned i = 0; i < 700; i++) {
            assert_int_equal(store_new_id(&store, &id), 0);
            assert_true(id > last);
            last = id;
        }
        store_close(&store, false);
    }
    assert_true(last < 10000);
    scratch_close(&scratch);
}

TEST(a_garbled_reservation_starts_anew) {
    static const char *const texts[] = {"", "nonsense", "0", "18446744073709551615",
                                        "99999999999999999999999999"};
    struct scratch scratch;
    struct store store;
    uint64_t id;
    scratch_open(&scratch);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        scratch_write(&scratch, "next-id", texts[i]);
        opened(&store, scratch.path);
        assert_int_equal(store_new_id(&store, &id), 0);
        assert_int_equal(id, 1);
        store_close(&store, false);
    }
    scratch_close(&scratch);
}

TEST(an_id_that_cannot_be_reserved_is_none) {
    struct scratch scratch;
    struct store store;
    uint64_t id = 99;
    scratch_open(&scratch);
    opened(&store, scratch.path);
    scratch_make(&scratch, "next-id.new");
    assert_int_equal(store_new_id(&store, &id), -EISDIR);
    assert_int_equal(id, 99);
    assert_int_equal(unlinkat(scratch.directory, "next-id.new", AT_REMOVEDIR), 0);
    assert_int_equal(store_new_id(&store, &id), 0);
    assert_int_equal(id, 1);
    store_close(&store, false);
    scratch_close(&scratch);
}

TEST(the_directory_is_its_owners_alone) {
    struct scratch scratch;
    struct store store;
    struct stat status;
    char path[64];
    scratch_open(&scratch);
    snprintf(path, sizeof(path), "%s/state", scratch.path);
    opened(&store, path);
    static const char *const names[] = {"state", "state/records", "state/logs"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(fstatat(scratch.directory, names[i], &status, 0), 0);
        assert_int_equal(status.st_mode & 07777, 0700);
    }
    store_close(&store, true);
    assert_int_equal(fstatat(scratch.directory, "state", &status, 0), -1);
    scratch_close(&scratch);
}

TEST(removed_with_all_that_is_its_own) {
    struct stage stage;
    struct stat status;
    bool fact = true;
    stage_open(&stage);
    struct process *process = stage_process(&stage, "web", HOLDEN_state_RUNNING, 0);
    store_write(&stage.agent->store, process);
    store_remember(&stage.agent->store, "cgroup-made", &fact);
    scratch_write(&stage.scratch, "state/logs/1", "words");
    store_close(&stage.agent->store, true);
    assert_int_equal(fstatat(stage.scratch.directory, "state", &status, 0), -1);
    stage_close(&stage);
}

TEST(a_fact_is_remembered) {
    struct scratch scratch;
    struct store store;
    scratch_open(&scratch);
    opened(&store, scratch.path);
    bool fact = false;
    assert_int_equal(store_remember(&store, "fact", &fact), 0);
    assert_false(fact);
    fact = true;
    assert_int_equal(store_remember(&store, "fact", &fact), 0);
    store_close(&store, false);
    opened(&store, scratch.path);
    fact = false;
    assert_int_equal(store_remember(&store, "fact", &fact), 0);
    assert_true(fact);
    store_close(&store, false);
    scratch_close(&scratch);
}

/* A link to itself stands for whatever keeps the kernel from telling what is there. */
TEST(a_fact_that_cannot_be_told_or_kept_is_a_failure) {
    struct scratch scratch;
    struct store store;
    scratch_open(&scratch);
    opened(&store, scratch.path);
    bool fact = false;
    assert_int_equal(symlinkat("fact", store.root, "fact"), 0);
    assert_int_equal(store_remember(&store, "fact", &fact), -ELOOP);
    assert_false(fact);
    assert_int_equal(symlinkat("fact.new", store.root, "fact.new"), 0);
    fact = true;
    assert_int_equal(store_remember(&store, "fact", &fact), -ELOOP);
    assert_true(fact);
    unlinkat(store.root, "fact", 0);
    unlinkat(store.root, "fact.new", 0);
    store_close(&store, false);
    scratch_close(&scratch);
}

static void cannot_open(const char *path, const char *words) {
    struct store store;
    struct failure failure = {0};
    assert_int_equal(store_open(&store, path, &failure), -EREMOTEIO);
    assert_string_equal(failure.step, "state directory");
    if (!strstr(failure.text, words))
        fail_msg("%s", failure.text);
    store_close(&store, false);
}

static void leave_file(const struct stage *stage, const char *name) {
    int fd = openat(stage->agent->store.root, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

TEST(what_was_left_half_done_is_removed) {
    static const struct {
        const char *name;
        bool stays;
    } files[] = {
        {"records/1", true}, {"records/1.new", false}, {"records/2.new", false}, {"logs/1", true},
        {"logs/2", false},   {"refused/3", true},      {"logs/3", true},
    };
    struct stage stage;
    stage_open(&stage);
    assert_int_equal(mkdirat(stage.agent->store.root, "refused", 0700), 0);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        leave_file(&stage, files[i].name);
    store_sweep(stage.agent);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        if (is_there(&stage, files[i].name) != files[i].stays)
            fail_msg("%s", files[i].name);
    stage_close(&stage);
}

TEST(what_cannot_be_a_state_directory) {
    struct scratch scratch;
    char path[128];
    static char longest[5000];
    scratch_open(&scratch);
    scratch_write(&scratch, "file", "");
    snprintf(path, sizeof(path), "%s/file", scratch.path);
    cannot_open(path, "Not a directory");
    snprintf(path, sizeof(path), "%s/file/state", scratch.path);
    cannot_open(path, "Not a directory");
    assert_int_equal(symlinkat(scratch.path, scratch.directory, "link"), 0);
    snprintf(path, sizeof(path), "%s/link", scratch.path);
    cannot_open(path, "cannot use");
    memset(longest, 'x', sizeof(longest) - 1);
    longest[0] = '/';
    cannot_open(longest, "cannot use /xxxx");
    scratch_close(&scratch);
}

TEST(a_directory_of_somebody_else) {
    struct scratch scratch;
    char path[64];
    if (geteuid() != 0)
        skip();
    scratch_open(&scratch);
    scratch_make(&scratch, "state");
    assert_int_equal(fchownat(scratch.directory, "state", 65534, 65534, 0), 0);
    snprintf(path, sizeof(path), "%s/state", scratch.path);
    cannot_open(path, "belongs to user 65534");
    scratch_close(&scratch);
}

UNIT_MAIN
