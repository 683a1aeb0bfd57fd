#include "agent/gate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/bytecode.h"
#include "agent/gate_bind.h"
#include "agent/gate_device.h"
#include "agent/gate_network.h"
#include "agent/usage.h"
#include "common/cleanup.h"
#include "protocol/property.h"

#define INDEX(member) HOLDEN_INDEX(properties, member)
#define PREFIX "holden_"

/* The places where the kernel asks, and who makes what it runs there. A program of no instructions
 * allows everything. */
static const struct hook {
    struct bytecode_hook where;
    int (*build)(const struct holden_properties *properties, struct bytecode *program);
} hooks[] = {
    {{BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE}, gate_device_build},
    {{BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS}, gate_network_ingress},
    {{BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS}, gate_network_egress},
    {{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND}, gate_bind_four},
    {{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND}, gate_bind_six},
};
enum { INGRESS = 1, EGRESS = 2 }; /* their places there */
enum { DEVICE = 1 << 0, PACKETS = 1 << INGRESS | 1 << EGRESS, BINDING = 1 << 3 | 1 << 4 };

/* Which properties have a part in which programs. */
static const struct row {
    size_t index;
    unsigned hooks;
    bool implied; /* it means something else, which holds without the program too */
} rows[] = {
    {INDEX(device_policy), DEVICE, false},
    {INDEX(device_allow), DEVICE, false},
    {INDEX(private_devices), DEVICE, true},
    {INDEX(protect_clock), DEVICE, true},
    {INDEX(root_image), DEVICE, true},
    {INDEX(ip_accounting), PACKETS, false},
    {INDEX(ip_address_allow), PACKETS, false},
    {INDEX(ip_address_deny), PACKETS, false},
    {INDEX(restrict_network_interfaces), PACKETS, false},
    {INDEX(socket_bind_allow), BINDING, false},
    {INDEX(socket_bind_deny), BINDING, false},
};

static const void *member(const struct holden_properties *properties, size_t index) {
    return (const uint8_t *)properties + holden_record_properties.fields[index].offset;
}

/* The first row that is set and has a part in the program; of those that ask for nothing but it,
 * where `plain`. */
static const struct row *first(const struct holden_properties *properties, size_t hook,
                               bool plain) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].hooks >> hook & 1 && holden_has(properties, rows[i].index) &&
            !(plain && rows[i].implied))
            return &rows[i];
    return NULL;
}

/* A program is named after the settings that it was made from, so that whoever finds it attached
 * knows what is in force: FNV-1a of their encoded form. 0 or -errno. */
static int name_of(const struct holden_properties *properties, size_t hook,
                   char name[BYTECODE_NAME]) {
    _cleanup_(buffer_free) struct buffer encoded = {0};
    struct holden_properties part = {0};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].hooks >> hook & 1 && holden_has(properties, rows[i].index)) {
            const struct holden_field *field = &holden_record_properties.fields[rows[i].index];
            memcpy((uint8_t *)&part + field->offset, member(properties, rows[i].index),
                   holden_size((enum holden_type)field->type));
            holden_mark(&part, rows[i].index);
        }
    int r = holden_encode(&holden_record_properties, &part, &encoded);
    uint32_t hash = 2166136261;
    for (size_t i = 0; i < encoded.size; i++)
        hash = (hash ^ buffer_bytes(&encoded)[i]) * 16777619;
    snprintf(name, BYTECODE_NAME, PREFIX "%08" PRIx32, hash);
    return r;
}

/* Whether it says that there are no such programs here, rather than that this one is wrong. */
static bool is_refusal(int error) {
    return error == -EPERM || error == -ENOSYS || error == -EINVAL || error == -EOPNOTSUPP;
}

static int refuse(int error, const char *name, struct failure *failure) {
    if (error == -E2BIG)
        return failure_set(failure, HOLDEN_code_TOO_MANY, name,
                           "the list is longer than one program of the kernel's can hold");
    if (error == -EPERM)
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, name,
                           "the kernel does not let the agent attach a program to a cgroup "
                           "(bpf(2): %s), so it cannot be in force; run the agent with CAP_BPF and "
                           "CAP_NET_ADMIN, in a container with podman run --privileged",
                           strerror(-error));
    if (is_refusal(error))
        return failure_set(failure, HOLDEN_code_UNSUPPORTED, name,
                           "this kernel takes no program for a cgroup (bpf(2): %s), so it cannot "
                           "be in force; use a kernel of Linux 5.7 or newer with CONFIG_CGROUP_BPF",
                           strerror(-error));
    return failure_errno(failure, -error, name, "cannot put it in force");
}

/* The program of that name, in the place of the one that is there (-1: none). */
static int put(int cgroup, const struct hook *hook, const struct bytecode *program,
               const char *name, int before) {
    _cleanup_close_ int loaded = -1, found = -1;
    char there[BYTECODE_NAME] = "";
    int r = bytecode_load(program, &hook->where, name, &loaded);
    if (r == 0)
        r = bytecode_attach(cgroup, &hook->where, loaded, before);
    if (r == 0)
        r = bytecode_find(cgroup, &hook->where, PREFIX, &found, there);
    return r == 0 && strcmp(there, name) != 0 ? -EXDEV : r;
}

static bool counts(size_t hook, const struct holden_properties *properties) {
    return PACKETS >> hook & 1 && HOLDEN_HAS(properties, properties, ip_accounting) &&
           properties->ip_accounting;
}

/* Where the program counts: on in what the one before it has counted in. */
static int open_counters(int before, int *counters) {
    int r = before < 0 ? -ENOENT : bytecode_counters_find(before, counters);
    return r == -ENOENT ? bytecode_counters_make(counters) : r;
}

static int apply(int cgroup, size_t number, const struct holden_properties *all) {
    _cleanup_(bytecode_free) struct bytecode program = {0};
    _cleanup_close_ int before = -1, counters = -1;
    const struct hook *hook = &hooks[number];
    char name[BYTECODE_NAME], there[BYTECODE_NAME];
    int found = bytecode_find(cgroup, &hook->where, PREFIX, &before, there);
    int r = counts(number, all) ? open_counters(before, &counters) : 0;
    program.counters = counters;
    if (r == 0)
        r = hook->build(all, &program);
    if (r == 0)
        r = name_of(all, number, name);
    if (r < 0)
        return r;
    bool wanted = bytecode_count(&program) > 0;
    r = found;
    if (r == 0 && !wanted)
        return bytecode_detach(cgroup, &hook->where, before);
    if (wanted && (r == 0 || r == -ENOENT))
        return put(cgroup, hook, &program, name, before);
    return r == -ENOENT || (!wanted && is_refusal(r)) ? 0 : r;
}

int gate_apply(int cgroup, const struct holden_properties *changed,
               const struct holden_properties *all, struct failure *failure) {
    for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
        const struct row *row = first(changed, i, false);
        int r = row ? apply(cgroup, i, all) : 0;
        if (r < 0 && !(is_refusal(r) && !first(all, i, true)))
            return refuse(r, holden_property(row->index)->name, failure);
    }
    return 0;
}

/* Whether what the settings ask for is what the cgroup has. */
static bool in_force(int cgroup, size_t number, const struct holden_properties *now) {
    _cleanup_(bytecode_free) struct bytecode program = {0};
    _cleanup_close_ int found = -1;
    char name[BYTECODE_NAME], there[BYTECODE_NAME];
    int r = bytecode_find(cgroup, &hooks[number].where, PREFIX, &found, there);
    if (r == 0)
        return name_of(now, number, name) == 0 && strcmp(name, there) == 0;
    return hooks[number].build(now, &program) == 0 && bytecode_count(&program) == 0;
}

void gate_read(int cgroup, struct holden_properties *now) {
    for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
        if (!first(now, i, true) || in_force(cgroup, i, now))
            continue;
        for (const struct row *row; (row = first(now, i, true));)
            holden_unmark(now, row->index);
    }
}

void gate_count(int cgroup, struct holden_usage *usage) {
    static const struct {
        size_t hook, packets, bytes;
    } each[] = {
        {INGRESS, HOLDEN_INDEX(usage, ip_ingress_packets), HOLDEN_INDEX(usage, ip_ingress)},
        {EGRESS, HOLDEN_INDEX(usage, ip_egress_packets), HOLDEN_INDEX(usage, ip_egress)},
    };
    for (size_t i = 0; i < ARRAY_SIZE(each); i++) {
        _cleanup_close_ int program = -1, counters = -1;
        struct bytecode_counts found;
        char name[BYTECODE_NAME];
        if (bytecode_find(cgroup, &hooks[each[i].hook].where, PREFIX, &program, name) < 0 ||
            bytecode_counters_find(program, &counters) < 0 ||
            bytecode_counters_read(counters, &found) < 0)
            continue;
        usage_set(usage, each[i].packets, found.packets);
        usage_set(usage, each[i].bytes, found.bytes);
    }
}

/* Of each property it is what is all zero: auto, the empty list. */
void gate_default(const struct holden_properties *which, struct holden_properties *out) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!rows[i].implied && holden_has(which, rows[i].index) && !holden_has(out, rows[i].index))
            holden_mark(out, rows[i].index);
}

int gate_possible(void) {
    _cleanup_(bytecode_free) struct bytecode program = {0};
    _cleanup_close_ int loaded = -1;
    bytecode_return(&program, true);
    return bytecode_load(&program, &hooks[0].where, PREFIX "check", &loaded);
}
