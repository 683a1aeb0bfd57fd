#include "monitor/fleet.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

/* The last part of the path, without ".sock"; the one before it where the last is the same for all,
 * as in /run/a/agent.sock and /run/b/agent.sock. */
static void label(const char *path, bool parent, char text[FLEET_LABEL]) {
    const char *end = path + strlen(path);
    const char *slash = strrchr(path, '/');
    if (parent && slash) {
        end = slash;
        slash = memrchr(path, '/', (size_t)(end - path));
    }
    const char *start = slash ? slash + 1 : path;
    size_t size = (size_t)(end - start);
    if (!parent && size > 5 && memcmp(end - 5, ".sock", 5) == 0)
        size -= 5;
    snprintf(text, FLEET_LABEL, "%.*s", (int)(size < FLEET_LABEL ? size : FLEET_LABEL - 1), start);
}

static bool all_the_same(const struct fleet *fleet) {
    for (size_t i = 1; i < fleet->count; i++)
        if (strcmp(fleet->labels[i], fleet->labels[0]) != 0)
            return false;
    return fleet->count > 1;
}

void fleet_name(struct fleet *fleet, const char *const *paths, size_t count) {
    fleet->count = count < FLEET_MOST ? count : FLEET_MOST;
    for (size_t i = 0; i < fleet->count; i++) {
        fleet->feeds[i].path = paths[i];
        fleet->feeds[i].link.connection.fd = -1;
        fleet->feeds[i].model.agent = (unsigned)i;
        label(paths[i], false, fleet->labels[i]);
    }
    bool parent = all_the_same(fleet);
    for (size_t i = 0; parent && i < fleet->count; i++)
        label(paths[i], true, fleet->labels[i]);
}

int fleet_open(struct fleet *fleet, uint64_t now) {
    bool any = false;
    for (size_t i = 0; i < fleet->count; i++) {
        fleet->feeds[i].tap = fleet->tap.take ? &fleet->tap : NULL;
        any |= feed_open(&fleet->feeds[i], now) == 0;
    }
    return any ? 0 : fleet->feeds[0].error;
}

void fleet_close(struct fleet *fleet) {
    for (size_t i = 0; i < fleet->count; i++)
        feed_close(&fleet->feeds[i]);
}

static void look_at_machine(struct fleet *fleet) {
    _cleanup_(buffer_free) struct buffer text = {0};
    if (machine_read(&text) < 0)
        return;
    struct holden_view view = {(const char *)buffer_bytes(&text), text.size};
    fleet_tell(fleet, 0, TIDING_MACHINE, view, feed_wall_clock());
}

/* The machine is looked at as often as the first agent tells. */
bool fleet_work(struct fleet *fleet, uint64_t now) {
    bool changed = false;
    uint64_t samples = fleet->feeds[0].samples;
    for (size_t i = 0; i < fleet->count; i++)
        changed |= feed_work(&fleet->feeds[i], now);
    if (fleet->feeds[0].samples > samples)
        look_at_machine(fleet);
    return changed;
}

uint64_t fleet_deadline(const struct fleet *fleet) {
    uint64_t deadline = UINT64_MAX;
    for (size_t i = 0; i < fleet->count; i++) {
        uint64_t own = feed_deadline(&fleet->feeds[i]);
        deadline = own < deadline ? own : deadline;
    }
    return deadline;
}

bool fleet_tell(struct fleet *fleet, unsigned agent, enum tiding tiding, struct holden_view body,
                uint64_t time) {
    if (agent >= fleet->count)
        return false;
    if (tiding != TIDING_MACHINE)
        return feed_tell(&fleet->feeds[agent], tiding, body, time);
    machine_take(&fleet->machine, body, time);
    if (fleet->tap.take)
        fleet->tap.take(fleet->tap.context, agent, tiding, body, time);
    return true;
}

void fleet_forget(struct fleet *fleet) {
    for (size_t i = 0; i < fleet->count; i++)
        feed_forget(&fleet->feeds[i]);
    fleet->machine = (struct machine){0};
}

uint64_t fleet_time(const struct fleet *fleet) {
    uint64_t last = 0;
    for (size_t i = 0; i < fleet->count; i++)
        last = fleet->feeds[i].time > last ? fleet->feeds[i].time : last;
    return last;
}

struct feed *fleet_feed(struct fleet *fleet, const struct row *row) {
    return &fleet->feeds[row->agent];
}
