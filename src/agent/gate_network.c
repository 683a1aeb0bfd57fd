#include "agent/gate_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

/* The packet; the words of the address at hand, in network order; the room for it on the stack. */
enum { PACKET = BPF_REG_6, SCRATCH = BPF_REG_0, WORDS = BPF_REG_1, ROOM = -16, WORD = 4 };

/* What is different for each family. */
struct family {
    uint16_t protocol;
    int source, destination; /* where in its header the addresses are */
    size_t size;             /* of an address */
};
static const struct family families[] = {
    {ETH_P_IP, offsetof(struct iphdr, saddr), offsetof(struct iphdr, daddr), 4},
    {ETH_P_IPV6, offsetof(struct ip6_hdr, ip6_src), offsetof(struct ip6_hdr, ip6_dst), 16},
};

/* Where the packet is let pass. */
struct verdict {
    struct bytecode *program;
    struct buffer accepted; /* jumps that lead there, as size_t */
};

static void accept_here(struct verdict *verdict) {
    size_t at = bytecode_count(verdict->program);
    bytecode_add(verdict->program, BPF_JMP | BPF_JA, 0, 0, 0, 0);
    int r = buffer_append(&verdict->accepted, &at, sizeof(at));
    if (r < 0 && verdict->program->error == 0)
        verdict->program->error = r;
}

static void land(struct verdict *verdict) {
    const size_t *at = (const void *)buffer_bytes(&verdict->accepted);
    for (size_t i = 0; i < verdict->accepted.size / sizeof(*at); i++)
        bytecode_land(verdict->program, at[i]);
    buffer_free(&verdict->accepted);
}

/* The address to the stack, and from there to registers, of 32 bits each. */
static void load_address(struct bytecode *program, const struct family *family, bool ingress) {
    bytecode_add(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, PACKET, 0, 0);
    bytecode_set(program, BPF_REG_2, ingress ? family->source : family->destination);
    bytecode_add(program, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_10, 0, 0);
    bytecode_add(program, BPF_ALU64 | BPF_ADD, BPF_REG_3, 0, 0, ROOM);
    bytecode_set(program, BPF_REG_4, (int32_t)family->size);
    bytecode_add(program, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_load_bytes);
    /* A packet without a whole header has no address to go by. */
    bytecode_add(program, BPF_JMP | BPF_JEQ | BPF_K, SCRATCH, 0, BYTECODE_RETURN, 0);
    bytecode_return(program, false);
    for (size_t i = 0; i < family->size / WORD; i++)
        bytecode_word(program, WORDS + (unsigned)i, BPF_REG_10, ROOM + (int)i * WORD);
}

/* The bits of word `i` of an address that count, in network order. */
static uint32_t mask_of(uint32_t bits, size_t i) {
    uint32_t left = bits > i * 32 ? bits - (uint32_t)i * 32 : 0;
    return left == 0 ? 0 : htonl(left >= 32 ? UINT32_MAX : UINT32_MAX << (32 - left));
}

/* Appends the comparison, whose `then` instructions follow. What is true of every address is
 * compared too, since the kernel takes no program with instructions that no jump leads past. */
static void compare(struct bytecode *program, const struct holden_prefix *prefix, int then) {
    size_t count = prefix->address.size / WORD;
    int left = then;
    for (size_t i = 0; i < count; i++) {
        uint32_t mask = mask_of(prefix->bits, i);
        left += mask == 0 ? 0 : mask == UINT32_MAX ? 1 : 3;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t mask = mask_of(prefix->bits, i), word;
        unsigned from = WORDS + (unsigned)i;
        memcpy(&word, prefix->address.data + i * WORD, WORD);
        if (mask == 0)
            continue;
        left -= mask == UINT32_MAX ? 1 : 3;
        if (mask != UINT32_MAX) {
            bytecode_add(program, BPF_ALU | BPF_MOV | BPF_X, SCRATCH, from, 0, 0);
            bytecode_mask(program, SCRATCH, mask);
            from = SCRATCH;
        }
        bytecode_unless(program, from, word & mask, left);
    }
    if (prefix->bits == 0)
        bytecode_add(program, BPF_JMP32 | BPF_JNE | BPF_X, WORDS, WORDS, then, 0);
}

static int add_list(struct verdict *verdict, const struct holden_prefixes *list,
                    const struct family *family, bool allow) {
    struct holden_repeated left = list->prefix;
    struct holden_nested nested;
    while (holden_next_record(&left, &nested)) {
        struct holden_prefix decoded;
        const struct holden_prefix *prefix =
            holden_nested_value(&holden_record_prefix, &nested, &decoded);
        if (!prefix || (prefix->address.size != 4 && prefix->address.size != 16) ||
            prefix->bits > prefix->address.size * 8)
            return -EBADMSG;
        if (prefix->address.size != family->size)
            continue;
        compare(verdict->program, prefix, allow ? 1 : BYTECODE_RETURN);
        if (allow)
            accept_here(verdict);
        else
            bytecode_return(verdict->program, false);
    }
    return 0;
}

/* What allows comes first: whoever is in both lists is allowed. */
static int add_family(struct verdict *verdict, const struct family *family, bool ingress,
                      const struct holden_prefixes *allow, const struct holden_prefixes *deny) {
    struct bytecode *program = verdict->program;
    bytecode_word(program, SCRATCH, PACKET, offsetof(struct __sk_buff, protocol));
    size_t other = bytecode_count(program);
    bytecode_unless(program, SCRATCH, htons(family->protocol), 0);
    load_address(program, family, ingress);
    int r = add_list(verdict, allow, family, true);
    if (r == 0)
        r = add_list(verdict, deny, family, false);
    accept_here(verdict);
    bytecode_land(program, other);
    return r;
}

static const struct holden_prefixes *list_of(bool given, const struct holden_nested *nested,
                                             struct holden_prefixes *space) {
    *space = (struct holden_prefixes){0};
    return given ? holden_nested_value(&holden_record_prefixes, nested, space) : space;
}

/* ---- interfaces ---- */

/* One that is not there has no packets. */
static void add_interfaces(struct bytecode *program, const struct holden_interfaces *interfaces) {
    struct verdict verdict = {.program = program};
    struct holden_repeated left = interfaces->name;
    struct holden_view view;
    bytecode_word(program, SCRATCH, PACKET, offsetof(struct __sk_buff, ifindex));
    while (holden_next_view(&left, &view)) {
        char name[IF_NAMESIZE];
        snprintf(name, sizeof(name), "%.*s", (int)(view.size < IF_NAMESIZE ? view.size : 0),
                 view.data);
        unsigned number = if_nametoindex(name);
        if (number == 0)
            continue;
        bytecode_unless(program, SCRATCH, number, interfaces->only ? 1 : BYTECODE_RETURN);
        if (interfaces->only)
            accept_here(&verdict);
        else
            bytecode_return(program, false);
    }
    if (interfaces->only) {
        /* Compared, so that what follows is led to. */
        bytecode_add(program, BPF_JMP32 | BPF_JNE | BPF_X, SCRATCH, SCRATCH, BYTECODE_RETURN, 0);
        bytecode_return(program, false);
    }
    land(&verdict);
}

static int build(const struct holden_properties *properties, bool ingress,
                 struct bytecode *program) {
    struct verdict verdict = {.program = program};
    struct holden_prefixes spaces[2];
    struct holden_interfaces space = {0};
    const struct holden_interfaces *interfaces = &space;
    const struct holden_prefixes *allow =
        list_of(HOLDEN_HAS(properties, properties, ip_address_allow), &properties->ip_address_allow,
                &spaces[0]);
    const struct holden_prefixes *deny =
        list_of(HOLDEN_HAS(properties, properties, ip_address_deny), &properties->ip_address_deny,
                &spaces[1]);
    if (HOLDEN_HAS(properties, properties, restrict_network_interfaces))
        interfaces = holden_nested_value(&holden_record_interfaces,
                                         &properties->restrict_network_interfaces, &space);
    int r = allow && deny && interfaces ? 0 : -EBADMSG;
    bool restricts = r == 0 && (interfaces->only || interfaces->name.count > 0);
    bool counts = HOLDEN_HAS(properties, properties, ip_accounting) && properties->ip_accounting;
    if (r < 0 || (deny->prefix.count == 0 && !restricts && !counts))
        return r;
    bytecode_add(program, BPF_ALU64 | BPF_MOV | BPF_X, PACKET, BPF_REG_1, 0, 0);
    if (restricts)
        add_interfaces(program, interfaces);
    for (size_t i = 0; r == 0 && deny->prefix.count > 0 && i < ARRAY_SIZE(families); i++)
        r = add_family(&verdict, &families[i], ingress, allow, deny);
    land(&verdict);
    if (counts)
        bytecode_count_packet(program, PACKET);
    bytecode_return(program, true);
    return r;
}

int gate_network_ingress(const struct holden_properties *properties, struct bytecode *program) {
    return build(properties, true, program);
}

int gate_network_egress(const struct holden_properties *properties, struct bytecode *program) {
    return build(properties, false, program);
}
