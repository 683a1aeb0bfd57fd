#include "agent/bytecode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

/* A jump reaches 32767 instructions; attached to one place of one cgroup the kernel takes 64. */
enum { COUNT_MOST = INT16_MAX, ATTACHED_MOST = 64 };

static int call(enum bpf_cmd command, union bpf_attr *attr) {
    long r = syscall(SYS_bpf, command, attr, sizeof(*attr));
    return r < 0 ? -errno : (int)r;
}

static uint64_t pointer(const void *memory) {
    return (uint64_t)(uintptr_t)memory;
}

/* ---- putting it together ---- */

void bytecode_free(struct bytecode *bytecode) {
    buffer_free(&bytecode->code);
    *bytecode = (struct bytecode){0};
}

size_t bytecode_count(const struct bytecode *bytecode) {
    return bytecode->code.size / sizeof(struct bpf_insn);
}

void bytecode_add(struct bytecode *bytecode, uint8_t code, unsigned to, unsigned from, int offset,
                  int32_t immediate) {
    struct bpf_insn instruction = {.code = code,
                                   .dst_reg = to & 0xf,
                                   .src_reg = from & 0xf,
                                   .off = (int16_t)offset,
                                   .imm = immediate};
    if (bytecode->error == 0 && bytecode_count(bytecode) >= COUNT_MOST)
        bytecode->error = -E2BIG;
    if (bytecode->error == 0)
        bytecode->error = buffer_append(&bytecode->code, &instruction, sizeof(instruction));
}

void bytecode_word(struct bytecode *bytecode, unsigned to, unsigned from, int offset) {
    bytecode_add(bytecode, BPF_LDX | BPF_MEM | BPF_W, to, from, offset, 0);
}

void bytecode_set(struct bytecode *bytecode, unsigned to, int32_t number) {
    bytecode_add(bytecode, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, number);
}

void bytecode_mask(struct bytecode *bytecode, unsigned to, uint32_t mask) {
    bytecode_add(bytecode, BPF_ALU | BPF_AND | BPF_K, to, 0, 0, (int32_t)mask);
}

void bytecode_unless(struct bytecode *bytecode, unsigned reg, uint32_t number, int skipped) {
    bytecode_add(bytecode, BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, skipped, (int32_t)number);
}

void bytecode_return(struct bytecode *bytecode, bool allowed) {
    bytecode_set(bytecode, BPF_REG_0, allowed);
    bytecode_add(bytecode, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* A load of 64 bits takes two instructions: which memory, and where in it. */
void bytecode_count_packet(struct bytecode *bytecode, unsigned packet) {
    const uint8_t add = BPF_STX | BPF_ATOMIC | BPF_DW;
    bytecode_add(bytecode, BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0,
                 bytecode->counters);
    bytecode_add(bytecode, 0, 0, 0, 0, 0);
    bytecode_set(bytecode, BPF_REG_2, 1);
    bytecode_add(bytecode, add, BPF_REG_1, BPF_REG_2, offsetof(struct bytecode_counts, packets),
                 BPF_ADD);
    bytecode_word(bytecode, BPF_REG_2, packet, offsetof(struct __sk_buff, len));
    bytecode_add(bytecode, add, BPF_REG_1, BPF_REG_2, offsetof(struct bytecode_counts, bytes),
                 BPF_ADD);
}

void bytecode_land(struct bytecode *bytecode, size_t at) {
    struct bpf_insn *code = (void *)buffer_bytes(&bytecode->code);
    if (bytecode->error == 0)
        code[at].off = (int16_t)(bytecode_count(bytecode) - at - 1);
}

/* ---- the kernel's ---- */

int bytecode_load(const struct bytecode *bytecode, const struct bytecode_hook *hook,
                  const char *name, int *program) {
    union bpf_attr attr = {.prog_type = hook->program,
                           .expected_attach_type = hook->attach,
                           .insns = pointer(buffer_bytes(&bytecode->code)),
                           .insn_cnt = (uint32_t)bytecode_count(bytecode),
                           .license = pointer("")};
    if (bytecode->error < 0)
        return bytecode->error;
    snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
    int r = call(BPF_PROG_LOAD, &attr);
    if (r < 0)
        return r;
    *program = r;
    return 0;
}

static int open_id(uint32_t id, const char *prefix, int *program, char name[BYTECODE_NAME]) {
    union bpf_attr attr = {.prog_id = id};
    struct bpf_prog_info info = {0};
    _cleanup_close_ int fd = call(BPF_PROG_GET_FD_BY_ID, &attr);
    if (fd < 0)
        return fd;
    attr = (union bpf_attr){
        .info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(info), .info = pointer(&info)}};
    int r = call(BPF_OBJ_GET_INFO_BY_FD, &attr);
    if (r < 0)
        return r;
    if (strncmp(info.name, prefix, strlen(prefix)) != 0)
        return -ENOENT;
    snprintf(name, BYTECODE_NAME, "%s", info.name);
    *program = TAKE_FD(fd);
    return 0;
}

int bytecode_find(int cgroup, const struct bytecode_hook *hook, const char *prefix, int *program,
                  char name[BYTECODE_NAME]) {
    uint32_t ids[ATTACHED_MOST] = {0};
    union bpf_attr attr = {.query = {.target_fd = (uint32_t)cgroup,
                                     .attach_type = hook->attach,
                                     .prog_ids = pointer(ids),
                                     .prog_cnt = ATTACHED_MOST}};
    int r = call(BPF_PROG_QUERY, &attr);
    if (r < 0)
        return r;
    r = -ENOENT;
    for (uint32_t i = 0; r == -ENOENT && i < attr.query.prog_cnt; i++)
        r = open_id(ids[i], prefix, program, name);
    return r;
}

int bytecode_attach(int cgroup, const struct bytecode_hook *hook, int program, int replaced) {
    union bpf_attr attr = {.target_fd = (uint32_t)cgroup,
                           .attach_bpf_fd = (uint32_t)program,
                           .attach_type = hook->attach,
                           .attach_flags = BPF_F_ALLOW_MULTI};
    if (replaced >= 0) {
        attr.attach_flags |= BPF_F_REPLACE;
        attr.replace_bpf_fd = (uint32_t)replaced;
    }
    return call(BPF_PROG_ATTACH, &attr);
}

int bytecode_detach(int cgroup, const struct bytecode_hook *hook, int program) {
    union bpf_attr attr = {.target_fd = (uint32_t)cgroup,
                           .attach_bpf_fd = (uint32_t)program,
                           .attach_type = hook->attach};
    return call(BPF_PROG_DETACH, &attr);
}

/* ---- what it counts ---- */

int bytecode_counters_make(int *counters) {
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
                           .key_size = sizeof(uint32_t),
                           .value_size = sizeof(struct bytecode_counts),
                           .max_entries = 1,
                           .map_name = "holden_counts"};
    int r = call(BPF_MAP_CREATE, &attr);
    if (r < 0)
        return r;
    *counters = r;
    return 0;
}

int bytecode_counters_find(int program, int *counters) {
    uint32_t id = 0;
    struct bpf_prog_info info = {.nr_map_ids = 1, .map_ids = pointer(&id)};
    union bpf_attr attr = {.info = {.bpf_fd = (uint32_t)program,
                                    .info_len = sizeof(info),
                                    .info = pointer(&info)}};
    int r = call(BPF_OBJ_GET_INFO_BY_FD, &attr);
    if (r < 0 || info.nr_map_ids == 0)
        return r < 0 ? r : -ENOENT;
    attr = (union bpf_attr){.map_id = id};
    r = call(BPF_MAP_GET_FD_BY_ID, &attr);
    if (r < 0)
        return r;
    *counters = r;
    return 0;
}

int bytecode_counters_read(int counters, struct bytecode_counts *counts) {
    const uint32_t key = 0;
    union bpf_attr attr = {
        .map_fd = (uint32_t)counters, .key = pointer(&key), .value = pointer(counts)};
    return call(BPF_MAP_LOOKUP_ELEM, &attr);
}
