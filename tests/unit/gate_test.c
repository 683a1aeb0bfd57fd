/* Gates: what a process in a cgroup of its own meets, as root where the kernel takes programs for
 * cgroups; and what the programs say by themselves. */
#include "agent/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/bytecode.h"
#include "agent/cgroup.h"
#include "agent/gate_device.h"
#include "common/file.h"
#include "protocol/property.h"
#include "scratch.h"
#include "suite.h"

enum { LIST = 8 };

struct scene {
    struct hierarchy hierarchy;
    struct scratch scratch;
    int cgroup;
    struct holden_properties wanted;
    struct holden_devices devices;
    struct holden_device device[LIST];
    struct holden_nested nested[LIST];
    struct failure failure;
};

/* False where this machine has no such thing. */
static bool open_scene(struct scene *scene) {
    char path[64];
    *scene = (struct scene){0};
    snprintf(path, sizeof(path), "/holden-gate-%d", (int)getpid());
    if (geteuid() != 0 || gate_possible() < 0)
        return false;
    if (hierarchy_open(&scene->hierarchy, path, 0, &scene->failure) < 0) {
        hierarchy_close(&scene->hierarchy, false);
        return false;
    }
    scratch_open(&scene->scratch);
    assert_int_equal(cgroup_make(&scene->hierarchy, "1-x", &scene->cgroup), 0);
    return true;
}

static void close_scene(struct scene *scene) {
    close(scene->cgroup);
    assert_int_equal(cgroup_remove(&scene->hierarchy, "1-x"), 0);
    hierarchy_close(&scene->hierarchy, true);
    scratch_close(&scene->scratch);
}

#define WANT(member, ...) HOLDEN_SET(&scene.wanted, properties, member, __VA_ARGS__)

/* Adds a device to DeviceAllow=; one without a number is a class. */
static void allow(struct scene *scene, const char *name, uint32_t access, int64_t number) {
    uint32_t count = scene->devices.device.count;
    struct holden_device *device = &scene->device[count];
    *device = (struct holden_device){0};
    HOLDEN_SET(device, device, name, holden_view(name));
    HOLDEN_SET(device, device, access, access);
    if (number >= 0) {
        HOLDEN_SET(device, device, major, major((dev_t)number));
        HOLDEN_SET(device, device, minor, minor((dev_t)number));
    }
    scene->nested[count] = (struct holden_nested){.value = device};
    HOLDEN_SET(&scene->devices, devices, device,
               (struct holden_repeated){.count = count + 1, .items = scene->nested});
    HOLDEN_SET(&scene->wanted, properties, device_allow,
               (struct holden_nested){.value = &scene->devices});
}

static void applied(struct scene *scene) {
    if (gate_apply(scene->cgroup, &scene->wanted, &scene->wanted, &scene->failure) < 0)
        fail_msg("%s: %s", scene->failure.step, scene->failure.text);
}

/* Runs `test` in the cgroup: what it returns. */
static int inside(const struct scene *scene, int (*test)(const struct scene *scene)) {
    pid_t pid = fork();
    int status;
    if (pid == 0)
        _exit(file_write(scene->cgroup, "cgroup.procs", "0") < 0 ? 255 : test(scene));
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- devices ---- */

enum { NULL_READ = 1, NULL_WRITE = 2, NULL_MAKE = 4, LOG_MAKE = 8, BLOCK_MAKE = 16,
       TERMINAL = 32 };

static int opens(const char *path, int flags, int bit) {
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno == EPERM ? 0 : 128;
    close(fd);
    return bit;
}

static int makes(const struct scene *scene, mode_t kind, dev_t number, int bit) {
    int r = mknodat(scene->scratch.directory, "node", kind | 0600, number);
    if (r < 0)
        return errno == EPERM ? 0 : 128;
    unlinkat(scene->scratch.directory, "node", 0);
    return bit;
}

static int try_devices(const struct scene *scene) {
    return opens("/dev/null", O_RDONLY, NULL_READ) | opens("/dev/null", O_WRONLY, NULL_WRITE) |
           makes(scene, S_IFCHR, makedev(1, 3), NULL_MAKE) |
           makes(scene, S_IFCHR, makedev(1, 11), LOG_MAKE) |
           makes(scene, S_IFBLK, makedev(7, 250), BLOCK_MAKE) |
           opens("/dev/ptmx", O_RDWR, TERMINAL);
}

enum { STANDARD = NULL_READ | NULL_WRITE | NULL_MAKE | TERMINAL,
       EVERY = STANDARD | LOG_MAKE | BLOCK_MAKE };

static void devices_are(struct scene *scene, int expected) {
    applied(scene);
    assert_int_equal(inside(scene, try_devices), expected);
}

TEST(device_policies) {
    struct scene scene;
    if (!open_scene(&scene))
        skip();
    assert_int_equal(inside(&scene, try_devices), EVERY);
    WANT(device_policy, HOLDEN_device_policy_AUTO);
    devices_are(&scene, EVERY);
    WANT(device_policy, HOLDEN_device_policy_CLOSED);
    devices_are(&scene, STANDARD);
    WANT(device_policy, HOLDEN_device_policy_STRICT);
    devices_are(&scene, 0);
    /* Taken off again. */
    WANT(device_policy, HOLDEN_device_policy_AUTO);
    devices_are(&scene, EVERY);
    close_scene(&scene);
}

TEST(devices_that_are_allowed) {
    struct scene scene;
    if (!open_scene(&scene))
        skip();
    WANT(device_policy, HOLDEN_device_policy_STRICT);
    allow(&scene, "/dev/null", BPF_DEVCG_ACC_READ, (int64_t)makedev(1, 3));
    allow(&scene, "/dev/gone", BPF_DEVCG_ACC_READ, -1);
    devices_are(&scene, NULL_READ);
    allow(&scene, "char-m?m", BPF_DEVCG_ACC_MKNOD, -1);
    devices_are(&scene, NULL_READ | NULL_MAKE | LOG_MAKE);
    allow(&scene, "block-7", BPF_DEVCG_ACC_MKNOD, -1);
    devices_are(&scene, NULL_READ | NULL_MAKE | LOG_MAKE | BLOCK_MAKE);
    allow(&scene, "char-*", BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE, -1);
    devices_are(&scene, EVERY);
    /* With auto, a list alone closes what it does not name. */
    scene.devices.device.count = 0;
    scene.wanted = (struct holden_properties){0};
    allow(&scene, "block-nonesuch*", BPF_DEVCG_ACC_MKNOD, -1);
    devices_are(&scene, STANDARD);
    close_scene(&scene);
}

TEST(devices_that_are_implied) {
    struct scene scene;
    if (!open_scene(&scene))
        skip();
    WANT(private_devices, true);
    devices_are(&scene, STANDARD);
    WANT(private_devices, false);
    devices_are(&scene, EVERY);
    /* By itself it closes nothing. */
    WANT(protect_clock, true);
    devices_are(&scene, EVERY);
    close_scene(&scene);
}

/* ---- what is in force ---- */

TEST(settings_that_are_not_in_force_are_not_shown) {
    struct scene scene;
    struct bytecode_hook hook = {BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE};
    char name[BYTECODE_NAME];
    int program = -1;
    if (!open_scene(&scene))
        skip();
    WANT(device_policy, HOLDEN_device_policy_CLOSED);
    applied(&scene);
    struct holden_properties now = scene.wanted;
    gate_read(scene.cgroup, &now);
    assert_true(HOLDEN_HAS(&now, properties, device_policy));
    now.device_policy = HOLDEN_device_policy_STRICT;
    gate_read(scene.cgroup, &now);
    assert_false(HOLDEN_HAS(&now, properties, device_policy));
    assert_int_equal(bytecode_find(scene.cgroup, &hook, "holden_", &program, name), 0);
    assert_int_equal(bytecode_detach(scene.cgroup, &hook, program), 0);
    close(program);
    now = scene.wanted;
    gate_read(scene.cgroup, &now);
    assert_false(HOLDEN_HAS(&now, properties, device_policy));
    now.device_policy = HOLDEN_device_policy_AUTO;
    HOLDEN_MARK(&now, properties, device_policy);
    gate_read(scene.cgroup, &now);
    assert_true(HOLDEN_HAS(&now, properties, device_policy));
    close_scene(&scene);
}

TEST(what_holds_unless_set) {
    struct holden_properties which = {0}, out = {0};
    gate_default(&which, &out);
    assert_false(HOLDEN_HAS(&out, properties, device_policy));
    HOLDEN_MARK(&which, properties, device_policy);
    HOLDEN_MARK(&which, properties, device_allow);
    gate_default(&which, &out);
    assert_int_equal(out.device_policy, HOLDEN_device_policy_AUTO);
    assert_true(HOLDEN_HAS(&out, properties, device_allow));
}

/* ---- programs ---- */

TEST(no_program_without_need) {
    struct bytecode program = {0};
    struct holden_properties wanted = {0};
    assert_int_equal(gate_device_build(&wanted, &program), 0);
    HOLDEN_SET(&wanted, properties, device_policy, HOLDEN_device_policy_AUTO);
    HOLDEN_SET(&wanted, properties, private_devices, false);
    assert_int_equal(gate_device_build(&wanted, &program), 0);
    assert_int_equal(bytecode_count(&program), 0);
    /* And so no call: this is no cgroup at all. */
    wanted = (struct holden_properties){0};
    HOLDEN_SET(&wanted, properties, memory_max, 1);
    assert_int_equal(gate_apply(-1, &wanted, &wanted, NULL), 0);
    bytecode_free(&program);
}

TEST(a_program_can_be_too_long) {
    struct bytecode program = {0};
    struct bytecode_hook hook = {BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE};
    int loaded;
    for (int i = 0; i < INT16_MAX; i++)
        bytecode_set(&program, BPF_REG_0, 1);
    assert_int_equal(program.error, 0);
    bytecode_return(&program, true);
    assert_int_equal(bytecode_count(&program), INT16_MAX);
    assert_int_equal(bytecode_load(&program, &hook, "holden_test", &loaded), -E2BIG);
    bytecode_free(&program);
}

TEST(refusals_say_what_to_do) {
    struct scene scene;
    struct holden_devices many = {0};
    if (!open_scene(&scene))
        skip();
    /* As long a list as makes a program too long. */
    struct holden_device device = {0};
    _cleanup_free_ struct holden_nested *nested = calloc(INT16_MAX, sizeof(*nested));
    assert_non_null(nested);
    HOLDEN_SET(&device, device, name, holden_view("char-1"));
    HOLDEN_SET(&device, device, access, BPF_DEVCG_ACC_READ);
    for (size_t i = 0; i < INT16_MAX; i++)
        nested[i].value = &device;
    HOLDEN_SET(&many, devices, device,
               (struct holden_repeated){.count = INT16_MAX, .items = nested});
    WANT(device_allow, (struct holden_nested){.value = &many});
    assert_int_equal(gate_apply(scene.cgroup, &scene.wanted, &scene.wanted, &scene.failure),
                     -EREMOTEIO);
    assert_string_equal(scene.failure.step, "DeviceAllow");
    assert_non_null(strstr(scene.failure.text, "longer"));
    /* As nobody, who may not. */
    WANT(device_policy, HOLDEN_device_policy_CLOSED);
    holden_unmark(&scene.wanted, HOLDEN_INDEX(properties, device_allow));
    assert_int_equal(seteuid(65534), 0);
    int plain = gate_apply(scene.cgroup, &scene.wanted, &scene.wanted, &scene.failure);
    scene.wanted = (struct holden_properties){0};
    WANT(private_devices, true);
    int implied = gate_apply(scene.cgroup, &scene.wanted, &scene.wanted, NULL);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(plain, -EREMOTEIO);
    assert_int_equal(scene.failure.code, HOLDEN_code_UNSUPPORTED);
    assert_string_equal(scene.failure.step, "DevicePolicy");
    assert_non_null(strstr(scene.failure.text, "CAP_BPF"));
    assert_int_equal(implied, 0);
    close_scene(&scene);
}

UNIT_MAIN
