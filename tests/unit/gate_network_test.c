/* Programs for packets, run by the kernel on packets made up here (BPF_PROG_TEST_RUN), as root. */
#include "agent/gate_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/gate.h"
#include "protocol/property.h"
#include "suite.h"

enum { LIST = 64 };

struct list {
    struct holden_prefixes all;
    struct holden_nested nested[LIST];
    struct holden_prefix prefix[LIST];
    uint8_t bytes[LIST][16];
};

struct scene {
    struct holden_properties wanted;
    struct list allow, deny;
};

static bool possible(void) {
    return geteuid() == 0 && gate_possible() == 0;
}

static void add_bytes(struct list *list, const uint8_t *bytes, size_t size, uint32_t bits) {
    uint32_t at = list->all.prefix.count;
    assert_true(at < LIST);
    memcpy(list->bytes[at], bytes, size);
    HOLDEN_SET(&list->prefix[at], prefix, address,
               (struct holden_view){(const char *)list->bytes[at], size});
    HOLDEN_SET(&list->prefix[at], prefix, bits, bits);
    list->nested[at].value = &list->prefix[at];
    HOLDEN_SET(&list->all, prefixes, prefix,
               (struct holden_repeated){.count = at + 1, .items = list->nested});
}

static size_t read_address(const char *text, uint8_t bytes[16]) {
    bool six = strchr(text, ':') != NULL;
    assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET, text, bytes), 1);
    return six ? 16 : 4;
}

static void add(struct list *list, const char *text, uint32_t bits) {
    uint8_t bytes[16];
    size_t size = read_address(text, bytes);
    add_bytes(list, bytes, size, bits);
}

static void choose(struct scene *scene) {
    HOLDEN_SET(&scene->wanted, properties, ip_address_allow,
               (struct holden_nested){.value = &scene->allow.all});
    HOLDEN_SET(&scene->wanted, properties, ip_address_deny,
               (struct holden_nested){.value = &scene->deny.all});
}

static int loaded(const struct scene *scene, bool ingress) {
    struct bytecode program = {0};
    struct bytecode_hook hook = {BPF_PROG_TYPE_CGROUP_SKB,
                                 ingress ? BPF_CGROUP_INET_INGRESS : BPF_CGROUP_INET_EGRESS};
    int fd = -1;
    assert_int_equal(ingress ? gate_network_ingress(&scene->wanted, &program)
                             : gate_network_egress(&scene->wanted, &program),
                     0);
    assert_int_equal(bytecode_load(&program, &hook, "holden_test", &fd), 0);
    bytecode_free(&program);
    return fd;
}

/* Whether a packet passes: of that protocol, the addresses as they are in its header. */
static bool passes(int fd, uint16_t protocol, const void *header, size_t size) {
    struct {
        struct ethhdr link;
        uint8_t rest[64];
    } packet = {.link.h_proto = htons(protocol)};
    memcpy(packet.rest, header, size);
    union bpf_attr attr = {.test = {.prog_fd = (uint32_t)fd,
                                    .data_in = (uint64_t)(uintptr_t)&packet,
                                    .data_size_in = (uint32_t)(sizeof(packet.link) + size)}};
    assert_int_equal(syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)), 0);
    return attr.test.retval == 1;
}

/* The other address is one that no list holds: where the program must not look. */
static bool address_passes(int fd, bool ingress, const uint8_t *address, size_t size) {
    if (size == 4) {
        struct iphdr header = {.version = 4, .ihl = 5};
        memcpy(ingress ? &header.saddr : &header.daddr, address, size);
        memset(ingress ? &header.daddr : &header.saddr, 0xee, size);
        return passes(fd, ETH_P_IP, &header, sizeof(header));
    }
    struct ip6_hdr header = {0};
    header.ip6_vfc = 0x60;
    memcpy(ingress ? &header.ip6_src : &header.ip6_dst, address, size);
    memset(ingress ? &header.ip6_dst : &header.ip6_src, 0xee, size);
    return passes(fd, ETH_P_IPV6, &header, sizeof(header));
}

static void is(const struct scene *scene, const char *text, bool expected) {
    uint8_t bytes[16];
    size_t size = read_address(text, bytes);
    for (int ingress = 0; ingress < 2; ingress++) {
        int fd = loaded(scene, ingress);
        if (address_passes(fd, ingress, bytes, size) != expected)
            fail_msg("%s %s", text, expected ? "does not pass" : "passes");
        close(fd);
    }
}

TEST(what_is_denied_does_not_pass) {
    struct scene scene = {0};
    if (!possible())
        skip();
    add(&scene.deny, "10.1.0.0", 16);
    add(&scene.deny, "192.168.7.9", 32);
    add(&scene.deny, "fd00:1:2::", 47);
    choose(&scene);
    is(&scene, "10.1.0.0", false);
    is(&scene, "10.1.255.255", false);
    is(&scene, "10.2.0.0", true);
    is(&scene, "192.168.7.9", false);
    is(&scene, "192.168.7.8", true);
    is(&scene, "fd00:1:2::1", false);
    is(&scene, "fd00:1:3:ffff::1", false);
    is(&scene, "fd00:1:4::1", true);
    is(&scene, "::ffff:10.1.0.1", true);
}

TEST(what_is_allowed_passes_whatever_is_denied) {
    struct scene scene = {0};
    if (!possible())
        skip();
    add(&scene.deny, "0.0.0.0", 0);
    add(&scene.deny, "::", 0);
    add(&scene.allow, "127.0.0.0", 8);
    add(&scene.allow, "::1", 128);
    add(&scene.allow, "fe80::", 64);
    choose(&scene);
    is(&scene, "127.4.5.6", true);
    is(&scene, "128.0.0.1", false);
    is(&scene, "::1", true);
    is(&scene, "::2", false);
    is(&scene, "fe80::1234:5678", true);
    is(&scene, "fe80:0:0:1::1", false);
}

TEST(other_protocols_pass) {
    struct scene scene = {0};
    uint8_t nothing[64] = {0};
    if (!possible())
        skip();
    add(&scene.deny, "10.0.0.0", 8);
    choose(&scene);
    int fd = loaded(&scene, false);
    assert_true(passes(fd, ETH_P_ARP, nothing, sizeof(nothing)));
    close(fd);
}

static bool within(const struct list *list, const uint8_t *address, size_t size) {
    for (uint32_t i = 0; i < list->all.prefix.count; i++) {
        uint32_t bits = list->prefix[i].bits, at = 0;
        if (list->prefix[i].address.size != size)
            continue;
        while (at < bits && !((address[at / 8] ^ list->bytes[i][at / 8]) >> (7 - at % 8) & 1))
            at++;
        if (at == bits)
            return true;
    }
    return false;
}

/* Addresses that differ from those of a list in one bit, or none. */
TEST(any_lists_by_the_bit) {
    if (!possible())
        skip();
    srandom(1);
    for (int round = 0; round < 20; round++) {
        struct scene scene = {0};
        for (int i = 0; i < 30; i++) {
            uint8_t bytes[16];
            size_t size = random() & 1 ? 16 : 4;
            for (size_t b = 0; b < sizeof(bytes); b++)
                bytes[b] = (uint8_t)(random() & 1 ? random() : 0x55);
            add_bytes(random() & 1 ? &scene.allow : &scene.deny, bytes, size,
                      (uint32_t)(random() % (long)(size * 8 + 1)));
        }
        choose(&scene);
        for (int ingress = 0; ingress < 2 && scene.deny.all.prefix.count > 0; ingress++) {
            int fd = loaded(&scene, ingress);
            for (int i = 0; i < 60; i++) {
                const struct list *list = random() & 1 ? &scene.allow : &scene.deny;
                uint32_t at = (uint32_t)(random() % LIST) % (list->all.prefix.count + 1);
                size_t size = at < list->all.prefix.count ? list->prefix[at].address.size : 4;
                uint8_t address[16];
                memcpy(address, list->bytes[at], sizeof(address));
                long bit = random() % (long)(size * 8 + 1);
                if (bit < (long)size * 8)
                    address[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
                bool expected = within(&scene.allow, address, size) ||
                                !within(&scene.deny, address, size);
                assert_int_equal(address_passes(fd, ingress, address, size), expected);
            }
            close(fd);
        }
    }
}

/* The packets that are made up here come by way of lo. */
static void by_way_of_lo(bool only, const char *const *names, bool expected) {
    struct scene scene = {0};
    struct holden_interfaces interfaces = {0};
    struct holden_view views[4];
    uint32_t count = 0;
    for (; names[count]; count++)
        views[count] = holden_view(names[count]);
    if (only)
        HOLDEN_SET(&interfaces, interfaces, only, true);
    HOLDEN_SET(&interfaces, interfaces, name,
               (struct holden_repeated){.count = count, .items = views});
    add(&scene.deny, "10.0.0.0", 8);
    choose(&scene);
    HOLDEN_SET(&scene.wanted, properties, restrict_network_interfaces,
               (struct holden_nested){.value = &interfaces});
    is(&scene, "127.0.0.1", expected);
    is(&scene, "::1", expected);
    /* Both must let it pass. */
    is(&scene, "10.0.0.1", false);
    holden_unmark(&scene.wanted, HOLDEN_INDEX(properties, ip_address_deny));
    if (only || count > 0)
        is(&scene, "10.0.0.1", expected);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(interfaces) {
    if (!possible())
        skip();
    by_way_of_lo(true, NAMES("lo"), true);
    by_way_of_lo(true, NAMES("nonesuch0", "lo"), true);
    by_way_of_lo(true, NAMES("nonesuch0"), false);
    by_way_of_lo(true, NAMES(NULL), false);
    by_way_of_lo(false, NAMES("lo"), false);
    by_way_of_lo(false, NAMES("nonesuch0"), true);
    by_way_of_lo(false, NAMES(NULL), true);
}

TEST(no_program_without_a_list_of_what_is_denied) {
    struct scene scene = {0};
    struct bytecode program = {0};
    assert_int_equal(gate_network_egress(&scene.wanted, &program), 0);
    add(&scene.allow, "127.0.0.0", 8);
    choose(&scene);
    assert_int_equal(gate_network_egress(&scene.wanted, &program), 0);
    assert_int_equal(bytecode_count(&program), 0);
    bytecode_free(&program);
}

TEST(what_is_no_address_is_refused) {
    static const uint8_t bytes[16];
    static const struct {
        size_t size;
        uint32_t bits;
    } wrong[] = {{0, 0}, {5, 8}, {15, 8}, {4, 33}, {16, 129}, {16, UINT32_MAX}};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct scene scene = {0};
        struct bytecode program = {0};
        add_bytes(&scene.deny, bytes, wrong[i].size, wrong[i].bits);
        choose(&scene);
        assert_int_equal(gate_network_ingress(&scene.wanted, &program), -EBADMSG);
        bytecode_free(&program);
    }
}

UNIT_MAIN
