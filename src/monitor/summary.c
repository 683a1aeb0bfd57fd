#include "monitor/summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/unit.h"

/* An agent that owes an answer for longer is worth a word. */
enum { PATIENCE = 2000000 };

static void add(char text[SUMMARY_TEXT], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(char text[SUMMARY_TEXT], const char *format, ...) {
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, SUMMARY_TEXT - used, format, arguments);
    va_end(arguments);
}

void summary_agent(const struct feed *feed, uint64_t now, char text[SUMMARY_TEXT], bool *trouble) {
    uint64_t silence = feed_silence(feed, now);
    *trouble = true;
    text[0] = '\0';
    if (feed->status == FEED_GONE)
        add(text, "agent gone, reconnecting... ");
    else if (silence > PATIENCE)
        add(text, "agent silent for %" PRIu64 " s ", silence / 1000000);
    else if (feed->status == FEED_WAITING)
        add(text, "waiting for the agent... ");
    else
        *trouble = false;
    if (feed->reason[0]) {
        add(text, "(%s) ", feed->reason);
        *trouble = true;
    }
    if (*trouble)
        add(text, "%s", feed->path);
    else
        add(text, "agent %" PRIu32 " (%s) at %s", feed->pid, feed->version, feed->path);
}

void summary_processes(const struct feed *feed, char text[SUMMARY_TEXT]) {
    struct model_totals totals = model_totals(&feed->model);
    char memory[16];
    const char *before = ": ";
    text[0] = '\0';
    add(text, "%zu process%s", feed->model.count, feed->model.count == 1 ? "" : "es");
    for (uint32_t state = 0; state < MODEL_STATES; state++) {
        if (totals.states[state]) {
            add(text, "%s%" PRIu64 " %s", before, totals.states[state],
                holden_word(&holden_enum_state, state));
            before = ", ";
        }
        if (state == HOLDEN_state_RUNNING && totals.frozen) {
            add(text, "%s%" PRIu64 " frozen", before, totals.frozen);
            before = ", ";
        }
    }
    if (!isnan(totals.cpu))
        add(text, "; CPU %.1f%%", totals.cpu);
    if (totals.has_memory)
        add(text, "; memory %s", unit_format_size_short(totals.memory, memory, sizeof(memory)));
}
