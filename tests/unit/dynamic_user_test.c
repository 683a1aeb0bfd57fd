/* Users that are made up: their names and numbers, the locks, and what DynamicUser= implies. */
#include "agent/dynamic_user.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "scratch.h"
#include "settings.h"
#include "suite.h"

struct scene {
    struct scratch scratch;
    struct agent *agent;
    char locks[64];
    uint64_t id;
};

static void open_scene(struct scene *scene) {
    *scene = (struct scene){0};
    scratch_open(&scene->scratch);
    scene->agent = calloc(1, sizeof(*scene->agent));
    assert_non_null(scene->agent);
    assert_int_equal(processes_init(&scene->agent->processes), 0);
    snprintf(scene->locks, sizeof(scene->locks), "%s/systemd/dynamic-uid", scene->scratch.path);
    scene->agent->dynamic_users.locks = scene->locks;
}

static void close_scene(struct scene *scene) {
    processes_free(&scene->agent->processes);
    assert_null(LIST_FIRST(&scene->agent->dynamic_users.all));
    free(scene->agent);
    scratch_close(&scene->scratch);
}

static struct process *make(struct scene *scene, const char *name) {
    struct process *process;
    assert_int_equal(process_new(scene->agent, ++scene->id, holden_view(name), &process), 0);
    return process;
}

static uid_t take(struct process *process) {
    struct holden_properties properties = {0};
    struct failure failure;
    uid_t uid;
    HOLDEN_SET(&properties, properties, dynamic_user, true);
    if (dynamic_user_take(process, &properties, &uid, &failure) < 0)
        fail_msg("%s", failure.text);
    assert_in_range(uid, DYNAMIC_USER_FIRST, DYNAMIC_USER_LAST);
    process->user = uid;
    return uid;
}

static void path_of(const struct scene *scene, uid_t uid, char path[128]) {
    snprintf(path, 128, "%s/%u", scene->locks, (unsigned)uid);
}

/* As another agent, or systemd, would find it. */
static bool is_locked(const struct scene *scene, uid_t uid) {
    char path[128];
    path_of(scene, uid, path);
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

TEST(a_number_is_locked_until_it_is_released) {
    struct scene scene;
    char path[128], text[64], file[64];
    open_scene(&scene);
    struct process *process = make(&scene, "web");
    uid_t uid = take(process);
    assert_int_equal(take(process), uid);
    assert_true(is_locked(&scene, uid));
    snprintf(file, sizeof(file), "systemd/dynamic-uid/%u", (unsigned)uid);
    assert_string_equal(scratch_read(&scene.scratch, file, text, sizeof(text)), "web");
    dynamic_user_release(process);
    dynamic_user_release(process);
    path_of(&scene, uid, path);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(take(process), uid);
    close_scene(&scene);
}

TEST(one_name_is_one_user) {
    struct scene scene;
    open_scene(&scene);
    struct process *first = make(&scene, "web"), *second = make(&scene, "web");
    uid_t uid = take(first);
    assert_int_equal(take(second), uid);
    assert_int_not_equal(take(make(&scene, "other")), uid);
    dynamic_user_release(first);
    assert_true(is_locked(&scene, uid));
    dynamic_user_release(second);
    assert_false(is_locked(&scene, uid));
    close_scene(&scene);
}

TEST(what_another_has_is_passed_over) {
    struct scene scene;
    char path[128];
    open_scene(&scene);
    struct process *process = make(&scene, "web");
    uid_t uid = take(process);
    dynamic_user_release(process);
    path_of(&scene, uid, path);
    _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(take(process), uid + 1 > DYNAMIC_USER_LAST ? DYNAMIC_USER_FIRST : uid + 1);
    close_scene(&scene);
}

TEST(another_agent_takes_it_over) {
    struct scene scene;
    struct holden_properties properties = {0};
    open_scene(&scene);
    struct process *process = make(&scene, "web");
    uid_t uid = take(process);
    dynamic_user_leave(process);
    assert_false(is_locked(&scene, uid));
    dynamic_user_recover(process, &properties);
    assert_null(process->dynamic_user);
    HOLDEN_SET(&properties, properties, dynamic_user, true);
    dynamic_user_recover(process, &properties);
    assert_true(is_locked(&scene, uid));
    assert_int_equal(take(process), uid);
    /* Where somebody has locked it meanwhile, it goes on with it all the same. */
    char path[128];
    dynamic_user_leave(process);
    path_of(&scene, uid, path);
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    dynamic_user_recover(process, &properties);
    assert_int_equal(take(process), uid);
    dynamic_user_release(process);
    assert_int_equal(access(path, F_OK), 0);
    close_scene(&scene);
}

TEST(no_place_for_locks_is_a_refusal) {
    struct scene scene;
    struct holden_properties properties = {0};
    struct failure failure;
    uid_t uid;
    open_scene(&scene);
    scratch_write(&scene.scratch, "systemd", "");
    assert_true(dynamic_user_take(make(&scene, "web"), &properties, &uid, &failure) < 0);
    assert_non_null(strstr(failure.text, "cannot lock a user's number in"));
    close_scene(&scene);
}

TEST(names) {
    static const char *const good[] = {"a", "_", "A-b_9", "abcdefghijklmnopqrstuvwxyz01234"};
    static const char *const bad[] = {"", "9a", "-a", "a.b", "a b", "a@b", "\xc3\xa4",
                                      "abcdefghijklmnopqrstuvwxyz012345"};
    struct scene scene;
    struct holden_properties properties = {0};
    char name[HOLDEN_USER_NAME_MOST + 1], again[HOLDEN_USER_NAME_MOST + 1];
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_true(holden_user_name_valid(holden_view(good[i])));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(holden_user_name_valid(holden_view(bad[i])));
    open_scene(&scene);
    dynamic_user_name(make(&scene, "web"), &properties, name);
    assert_string_equal(name, "web");
    dynamic_user_name(make(&scene, "a@b"), &properties, name);
    assert_memory_equal(name, "_du", 3);
    assert_true(holden_user_name_valid(holden_view(name)));
    dynamic_user_name(make(&scene, "a@c"), &properties, again);
    assert_string_not_equal(name, again);
    close_scene(&scene);
}

/* User= as it comes from a client. */
static int check(bool dynamic, uint32_t uid, const char *name) {
    struct holden_user user = {0};
    struct holden_properties properties = {0};
    struct wire wire = {0};
    struct failure failure = {0};
    HOLDEN_SET(&user, user, uid, uid);
    HOLDEN_SET(&user, user, gid, uid);
    if (name)
        HOLDEN_SET(&user, user, name, holden_view(name));
    HOLDEN_SET(&properties, properties, user, (struct holden_nested){.value = &user});
    HOLDEN_SET(&properties, properties, dynamic_user, dynamic);
    int r = dynamic_user_check(wire_pass(&wire, &properties), &failure);
    assert_int_equal(holden_user_made_up(&wire.decoded), dynamic && uid == HOLDEN_UID_MADE_UP);
    if (r < 0)
        assert_string_equal(failure.step, "User");
    wire_free(&wire);
    return r;
}

TEST(what_a_client_may_say) {
    assert_int_equal(check(true, 0, NULL), 0);
    assert_int_equal(check(false, 1000, NULL), 0);
    assert_true(check(false, HOLDEN_UID_MADE_UP, "a") < 0);
    assert_true(check(false, HOLDEN_UID_MADE_UP, NULL) < 0);
    if (geteuid() != 0)
        return;
    assert_int_equal(check(true, HOLDEN_UID_MADE_UP, NULL), 0);
    assert_int_equal(check(true, HOLDEN_UID_MADE_UP, "a"), 0);
    assert_true(check(true, HOLDEN_UID_MADE_UP, "a.b") < 0);
    assert_true(check(true, HOLDEN_UID_MADE_UP, "") < 0);
}

TEST(what_it_implies) {
    struct holden_properties properties = {0};
    holden_dynamic_user_imply(&properties);
    assert_false(HOLDEN_HAS(&properties, properties, private_tmp));
    HOLDEN_SET(&properties, properties, dynamic_user, true);
    HOLDEN_SET(&properties, properties, no_new_privileges, false);
    HOLDEN_SET(&properties, properties, protect_system, HOLDEN_protect_system_YES);
    holden_dynamic_user_imply(&properties);
    assert_true(properties.private_tmp);
    assert_true(properties.no_new_privileges);
    assert_true(properties.restrict_suid_sgid);
    assert_true(properties.remove_ipc);
    assert_int_equal(properties.protect_system, HOLDEN_protect_system_STRICT);
    assert_int_equal(properties.protect_home, HOLDEN_protect_home_READ_ONLY);
    HOLDEN_SET(&properties, properties, protect_home, HOLDEN_protect_home_TMPFS);
    holden_dynamic_user_imply(&properties);
    assert_int_equal(properties.protect_home, HOLDEN_protect_home_TMPFS);
}

UNIT_MAIN
