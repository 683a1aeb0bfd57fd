/* Programs for the kernel's own machine (bpf(2), "eBPF"): put together from instructions, loaded,
 * and attached to a control group, where they stay until it is gone or they are taken off, whoever
 * ends meanwhile. */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>

#include "common/buffer.h"

enum { BYTECODE_NAME = BPF_OBJ_NAME_LEN };

/* One that is being put together. What failed on the way comes out when it is loaded. */
struct bytecode {
    struct buffer code; /* of struct bpf_insn; owned */
    int error;          /* -ENOMEM; -E2BIG: past what is ever taken */
    int counters;       /* those that it counts in (bytecode_count_packet()); the caller's */
};

/* What a program counts, in the memory that the kernel keeps as long as the program. */
struct bytecode_counts {
    uint64_t packets;
    uint64_t bytes;
};

/* Where a program is run, and of what kind it is. */
struct bytecode_hook {
    enum bpf_prog_type program;
    enum bpf_attach_type attach;
};

/* Releases what it holds. */
void bytecode_free(struct bytecode *bytecode);

/* Appends one instruction: the fields of struct bpf_insn. */
void bytecode_add(struct bytecode *bytecode, uint8_t code, unsigned to, unsigned from, int offset,
                  int32_t immediate);

/* *to = the 32 bits at `offset` behind the address in register `from`. */
void bytecode_word(struct bytecode *bytecode, unsigned to, unsigned from, int offset);

/* The register becomes the number. */
void bytecode_set(struct bytecode *bytecode, unsigned to, int32_t number);

/* The register, of which the lower 32 bits count, keeps only the bits of `mask`. */
void bytecode_mask(struct bytecode *bytecode, unsigned to, uint32_t mask);

/* Jumps over the next `skipped` instructions unless the register's lower 32 bits are `number`. */
void bytecode_unless(struct bytecode *bytecode, unsigned reg, uint32_t number, int skipped);

/* Ends the program with that result: BYTECODE_RETURN instructions. */
enum { BYTECODE_RETURN = 2 };
void bytecode_return(struct bytecode *bytecode, bool allowed);

/* Counts a packet, whose struct __sk_buff is where register `packet` says, in the program's
 * counters. Uses registers 1 and 2. */
void bytecode_count_packet(struct bytecode *bytecode, unsigned packet);

/* How many instructions there are. */
size_t bytecode_count(const struct bytecode *bytecode);

/* Makes the forward jump at instruction `at` lead to the next one to be appended. */
void bytecode_land(struct bytecode *bytecode, size_t at);

/* Loads it for that hook, under a name of fewer than BYTECODE_NAME bytes: letters, digits, '_'. 0
 * with *program, a descriptor of the caller's; what failed before; -errno of bpf(2). */
int bytecode_load(const struct bytecode *bytecode, const struct bytecode_hook *hook,
                  const char *name, int *program);

/* Finds the program attached to the cgroup itself whose name begins with `prefix`. 0 with *program
 * (a descriptor of the caller's) and its name; -ENOENT; -errno of bpf(2). */
int bytecode_find(int cgroup, const struct bytecode_hook *hook, const char *prefix, int *program,
                  char name[BYTECODE_NAME]);

/* Attaches the program beside those of others, in the place of `replaced` unless that is -1: no
 * moment is without one of them. 0 or -errno of bpf(2). */
int bytecode_attach(int cgroup, const struct bytecode_hook *hook, int program, int replaced);

/* Takes it off. 0 or -errno of bpf(2). */
int bytecode_detach(int cgroup, const struct bytecode_hook *hook, int program);

/* Makes counters, all 0, for bytecode->counters. 0 with *counters, a descriptor of the caller's, or
 * -errno of bpf(2). */
int bytecode_counters_make(int *counters);

/* Finds those of a program. 0 with *counters, a descriptor of the caller's; -ENOENT; -errno. */
int bytecode_counters_find(int program, int *counters);

/* Reads them. 0, or -errno of bpf(2). */
int bytecode_counters_read(int counters, struct bytecode_counts *counts);
