/* Programs for bind(2): what the kernel takes, and what a process in a cgroup meets, as root. */
#include "agent/gate_bind.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/gate.h"
#include "common/file.h"
#include "protocol/property.h"
#include "suite.h"

enum { LIST = 8, ANY = 0 };

struct list {
    struct holden_bind_rules all;
    struct holden_nested nested[LIST];
    struct holden_bind_rule rule[LIST];
};

struct scene {
    struct hierarchy hierarchy;
    int cgroup;
    struct holden_properties wanted;
    struct list allow, deny;
    struct failure failure;
};

static bool open_scene(struct scene *scene) {
    char path[64];
    *scene = (struct scene){0};
    snprintf(path, sizeof(path), "/holden-bind-%d", (int)getpid());
    if (geteuid() != 0 || gate_possible() < 0)
        return false;
    if (hierarchy_open(&scene->hierarchy, path, 0, &scene->failure) < 0) {
        hierarchy_close(&scene->hierarchy, false);
        return false;
    }
    assert_int_equal(cgroup_make(&scene->hierarchy, "1-x", &scene->cgroup), 0);
    return true;
}

static void close_scene(struct scene *scene) {
    close(scene->cgroup);
    assert_int_equal(cgroup_remove(&scene->hierarchy, "1-x"), 0);
    hierarchy_close(&scene->hierarchy, true);
}

/* A rule; what is ANY is left out. */
static void add(struct list *list, uint32_t family, uint32_t protocol, uint32_t first,
                uint32_t last) {
    uint32_t at = list->all.rule.count;
    struct holden_bind_rule *rule = &list->rule[at];
    assert_true(at < LIST);
    if (family != ANY)
        HOLDEN_SET(rule, bind_rule, family, family);
    if (protocol != ANY)
        HOLDEN_SET(rule, bind_rule, protocol, protocol);
    if (first != ANY)
        HOLDEN_SET(rule, bind_rule, first, first);
    if (last != ANY)
        HOLDEN_SET(rule, bind_rule, last, last);
    list->nested[at].value = rule;
    HOLDEN_SET(&list->all, bind_rules, rule,
               (struct holden_repeated){.count = at + 1, .items = list->nested});
}

static void choose(struct scene *scene) {
    HOLDEN_SET(&scene->wanted, properties, socket_bind_allow,
               (struct holden_nested){.value = &scene->allow.all});
    HOLDEN_SET(&scene->wanted, properties, socket_bind_deny,
               (struct holden_nested){.value = &scene->deny.all});
}

static void applied(struct scene *scene) {
    choose(scene);
    if (gate_apply(scene->cgroup, &scene->wanted, &scene->wanted, &scene->failure) < 0)
        fail_msg("%s: %s", scene->failure.step, scene->failure.text);
}

/* In a child: binds to a port of the loopback, or to any with 0. */
static int bind_to(int family, int kind, uint16_t port) {
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    six.sin6_addr = in6addr_loopback;
    int fd = socket(family, kind | SOCK_CLOEXEC, 0);
    int r = family == AF_INET ? bind(fd, (const struct sockaddr *)&four, sizeof(four))
                              : bind(fd, (const struct sockaddr *)&six, sizeof(six));
    return r == 0 || errno == EADDRINUSE ? 0 : errno == EPERM ? 1 : 2;
}

static bool binds(const struct scene *scene, int family, int kind, uint16_t port) {
    pid_t pid = fork();
    int status;
    if (pid == 0)
        _exit(file_write(scene->cgroup, "cgroup.procs", "0") < 0 ? 3
                                                                  : bind_to(family, kind, port));
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 0;
}

static bool has_six(void) {
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    six.sin6_addr = in6addr_loopback;
    bool there = fd >= 0 && bind(fd, (const struct sockaddr *)&six, sizeof(six)) == 0;
    close(fd);
    return there;
}

TEST(what_is_denied) {
    struct scene scene;
    if (!open_scene(&scene))
        skip();
    add(&scene.deny, AF_INET, IPPROTO_TCP, 7001, 7001);
    add(&scene.deny, ANY, IPPROTO_UDP, 7003, 7005);
    add(&scene.deny, AF_INET6, ANY, 7007, ANY);
    applied(&scene);
    assert_false(binds(&scene, AF_INET, SOCK_STREAM, 7001));
    assert_true(binds(&scene, AF_INET, SOCK_DGRAM, 7001));
    assert_true(binds(&scene, AF_INET, SOCK_DGRAM, 7002));
    assert_false(binds(&scene, AF_INET, SOCK_DGRAM, 7003));
    assert_false(binds(&scene, AF_INET, SOCK_DGRAM, 7005));
    assert_true(binds(&scene, AF_INET, SOCK_DGRAM, 7006));
    assert_true(binds(&scene, AF_INET, SOCK_STREAM, 7004));
    assert_true(binds(&scene, AF_INET, SOCK_STREAM, 7007));
    if (has_six()) {
        assert_true(binds(&scene, AF_INET6, SOCK_STREAM, 7001));
        assert_false(binds(&scene, AF_INET6, SOCK_STREAM, 7007));
        assert_false(binds(&scene, AF_INET6, SOCK_DGRAM, 7004));
    }
    close_scene(&scene);
}

TEST(what_is_allowed_whatever_is_denied) {
    struct scene scene;
    if (!open_scene(&scene))
        skip();
    add(&scene.deny, ANY, ANY, ANY, ANY);
    add(&scene.allow, AF_INET, IPPROTO_TCP, 7001, 7002);
    add(&scene.allow, ANY, ANY, 65535, 65535);
    applied(&scene);
    assert_true(binds(&scene, AF_INET, SOCK_STREAM, 7001));
    assert_true(binds(&scene, AF_INET, SOCK_STREAM, 7002));
    assert_false(binds(&scene, AF_INET, SOCK_STREAM, 7003));
    assert_false(binds(&scene, AF_INET, SOCK_DGRAM, 7001));
    assert_false(binds(&scene, AF_INET, SOCK_DGRAM, 0));
    assert_true(binds(&scene, AF_INET, SOCK_DGRAM, 65535));
    /* Nothing denied, nothing asked. */
    scene.deny.all.rule.count = 0;
    applied(&scene);
    assert_true(binds(&scene, AF_INET, SOCK_DGRAM, 7001));
    close_scene(&scene);
}

TEST(no_program_without_a_list_of_what_is_denied) {
    struct scene scene = {0};
    struct bytecode program = {0};
    add(&scene.allow, ANY, ANY, ANY, ANY);
    choose(&scene);
    assert_int_equal(gate_bind_four(&scene.wanted, &program), 0);
    assert_int_equal(gate_bind_six(&scene.wanted, &program), 0);
    assert_int_equal(bytecode_count(&program), 0);
    bytecode_free(&program);
}

TEST(ports_that_are_none) {
    struct scene scene = {0};
    struct bytecode program = {0};
    add(&scene.deny, ANY, ANY, 1, 65536);
    choose(&scene);
    assert_int_equal(gate_bind_four(&scene.wanted, &program), -EBADMSG);
    bytecode_free(&program);
}

UNIT_MAIN
