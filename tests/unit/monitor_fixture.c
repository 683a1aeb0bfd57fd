#include "monitor_fixture.h"

#include "suite.h"

static struct holden_usage usage_of(const struct told *told) {
    struct holden_usage usage = {0};
    HOLDEN_SET(&usage, usage, at, told->at);
    HOLDEN_SET(&usage, usage, cpu, told->cpu);
    HOLDEN_SET(&usage, usage, throttled, told->throttled);
    HOLDEN_SET(&usage, usage, io_read, told->read);
    HOLDEN_SET(&usage, usage, io_written, told->written);
    HOLDEN_SET(&usage, usage, stall_cpu, told->stall_cpu);
    HOLDEN_SET(&usage, usage, stall_memory, told->stall_memory);
    HOLDEN_SET(&usage, usage, stall_io, told->stall_io);
    if (told->memory)
        HOLDEN_SET(&usage, usage, memory, told->memory);
    if (told->tasks)
        HOLDEN_SET(&usage, usage, tasks, told->tasks);
    return usage;
}

void told_encode(const struct told *told, struct buffer *body) {
    struct holden_process process = {0};
    struct holden_usage usage = usage_of(told);
    HOLDEN_SET(&process, process, id, told->id);
    HOLDEN_SET(&process, process, name, holden_view(told->name ? told->name : "p"));
    HOLDEN_SET(&process, process, state, told->state);
    HOLDEN_SET(&process, process, frozen, told->frozen);
    HOLDEN_SET(&process, process, owner, told->user);
    HOLDEN_SET(&process, process, user, told->user);
    HOLDEN_SET(&process, process, started, 1);
    HOLDEN_SET(&process, process, runtime, told->runtime);
    if (told->pid)
        HOLDEN_SET(&process, process, pid, told->pid);
    if (told->command)
        HOLDEN_SET(&process, process, command, holden_view(told->command));
    if (told->slice)
        HOLDEN_SET(&process, process, slice, holden_view(told->slice));
    if (told->at)
        HOLDEN_SET(&process, process, usage, (struct holden_nested){.value = &usage});
    if (told->memory_limit)
        HOLDEN_SET(&process, process, memory_limit, told->memory_limit);
    if (told->tasks_limit)
        HOLDEN_SET(&process, process, tasks_limit, told->tasks_limit);
    assert_int_equal(holden_encode(&holden_record_process, &process, body), 0);
}

struct row *told_tell(struct model *model, const struct told *told, uint64_t span) {
    _cleanup_(buffer_free) struct buffer body = {0};
    struct holden_process process;
    struct holden_fault fault;
    told_encode(told, &body);
    assert_int_equal(
        holden_decode(&holden_record_process, buffer_bytes(&body), body.size, &process, &fault), 0);
    assert_int_equal(model_tell(model, &process, buffer_bytes(&body), body.size, span), 0);
    return model_find(model, told->id);
}
