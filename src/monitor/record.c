#include "monitor/record.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "common/cleanup.h"
#include "protocol/json.h"

static int put_rates(const struct row_rates *rates, struct buffer *out) {
    const struct { const char *name; double rate; } members[] = {
        {"cpu", rates->cpu},
        {"throttled", rates->throttled},
        {"io_read", rates->read},
        {"io_written", rates->written},
        {"stall_cpu", rates->stall[ROW_STALL_CPU]},
        {"stall_memory", rates->stall[ROW_STALL_MEMORY]},
        {"stall_io", rates->stall[ROW_STALL_IO]},
    };
    const char *between = "";
    int r = buffer_printf(out, ",\"rates\":{");
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(members); i++) {
        if (isnan(members[i].rate))
            continue;
        r = buffer_printf(out, "%s\"%s\":%.3f", between, members[i].name, members[i].rate);
        between = ",";
    }
    return r < 0 ? r : buffer_append(out, "}", 1);
}

int record_put(const struct row *row, const struct feed *feed, struct users *users,
               struct buffer *out) {
    struct holden_process process;
    struct holden_fault fault;
    if (holden_decode(&holden_record_process, row->body, row->size, &process, &fault) < 0)
        return -EBADMSG;
    int r = holden_json(&holden_record_process, &process, out);
    if (r < 0)
        return r;
    out->size--; /* the closing brace: more members follow */
    r = put_rates(&row->rates, out);
    if (r == 0)
        r = buffer_printf(out, ",\"user_name\":");
    if (r == 0)
        r = holden_json_string(HOLDEN_HAS(&process, process, dynamic_user)
                                   ? process.dynamic_user
                                   : holden_view(user_name(users, row->user)), out);
    if (r == 0)
        r = buffer_printf(out, ",\"sample\":%" PRIu64 ",\"time\":%" PRIu64 ",\"socket\":",
                          feed->samples, feed->time);
    if (r == 0)
        r = holden_json_string(holden_view(feed->path), out);
    return r < 0 ? r : buffer_append(out, "}\n", 2);
}
