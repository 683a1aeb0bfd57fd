/* Processes as an agent tells of them, put together by a few words. */
#pragma once

#include "monitor/model.h"

/* What is told; zeroes are left out where the protocol lets them. */
struct told {
    uint64_t id;
    const char *name;     /* "p" unless given */
    const char *command, *slice;
    uint32_t state, pid, user;
    bool frozen;
    uint64_t runtime;
    uint64_t at;          /* of the usage; 0: no usage */
    uint64_t cpu, throttled, memory, tasks, read, written, stall_cpu, stall_memory, stall_io;
    uint64_t memory_limit, tasks_limit;
};

/* Appends the message's body. */
void told_encode(const struct told *told, struct buffer *body);

/* Tells the model, whose rates are counted over at least `span` microseconds. The model's row. */
struct row *told_tell(struct model *model, const struct told *told, uint64_t span);
