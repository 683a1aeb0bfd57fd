#include "monitor/summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/unit.h"
#include "monitor/text.h"

/* An agent that owes an answer for longer is worth a word. */
enum { PATIENCE = 2000000 };

/* What is wrong with the agent, or nothing. */
static void add_trouble(const struct feed *feed, uint64_t now, char text[SUMMARY_TEXT]) {
    uint64_t silence = feed_silence(feed, now);
    if (feed->status == FEED_GONE)
        text_add(text, SUMMARY_TEXT, "agent gone, reconnecting... ");
    else if (silence > PATIENCE)
        text_add(text, SUMMARY_TEXT, "agent silent for %" PRIu64 " s ", silence / 1000000);
    else if (feed->status == FEED_WAITING)
        text_add(text, SUMMARY_TEXT, "waiting for the agent... ");
    if (feed->reason[0])
        text_add(text, SUMMARY_TEXT, "(%s) ", feed->reason);
}

void summary_agents(const struct fleet *fleet, uint64_t now, char text[SUMMARY_TEXT],
                    bool *trouble) {
    const struct feed *feed = &fleet->feeds[0];
    *trouble = false;
    text[0] = '\0';
    if (fleet->count == 1) {
        add_trouble(feed, now, text);
        *trouble = text[0] != '\0';
        if (*trouble)
            text_add(text, SUMMARY_TEXT, "%s", feed->path);
        else
            text_add(text, SUMMARY_TEXT, "agent %" PRIu32 " (%s) at %s", feed->pid, feed->version,
                     feed->path);
        return;
    }
    text_add(text, SUMMARY_TEXT, "%zu agents: ", fleet->count);
    for (size_t i = 0; i < fleet->count; i++) {
        size_t before = strlen(text);
        add_trouble(&fleet->feeds[i], now, text);
        *trouble |= strlen(text) > before;
        text_add(text, SUMMARY_TEXT, "%s%s", fleet->labels[i], i + 1 < fleet->count ? ", " : "");
    }
}

static void add_up(struct model_totals *sum, const struct model_totals *totals) {
    for (uint32_t state = 0; state < MODEL_STATES; state++)
        sum->states[state] += totals->states[state];
    sum->frozen += totals->frozen;
    sum->memory += totals->memory;
    sum->has_memory |= totals->has_memory;
    if (!isnan(totals->cpu))
        sum->cpu = (isnan(sum->cpu) ? 0 : sum->cpu) + totals->cpu;
}

void summary_processes(const struct fleet *fleet, char text[SUMMARY_TEXT]) {
    struct model_totals totals = {.cpu = NAN};
    size_t count = 0;
    char memory[16];
    const char *before = ": ";
    for (size_t i = 0; i < fleet->count; i++) {
        struct model_totals own = model_totals(&fleet->feeds[i].model);
        count += fleet->feeds[i].model.count;
        add_up(&totals, &own);
    }
    text[0] = '\0';
    text_add(text, SUMMARY_TEXT, "%zu process%s", count, count == 1 ? "" : "es");
    for (uint32_t state = 0; state < MODEL_STATES; state++) {
        if (totals.states[state]) {
            text_add(text, SUMMARY_TEXT, "%s%" PRIu64 " %s", before, totals.states[state],
                     holden_word(&holden_enum_state, state));
            before = ", ";
        }
        if (state == HOLDEN_state_RUNNING && totals.frozen) {
            text_add(text, SUMMARY_TEXT, "%s%" PRIu64 " frozen", before, totals.frozen);
            before = ", ";
        }
    }
    if (!isnan(totals.cpu))
        text_add(text, SUMMARY_TEXT, "; CPU %.1f%%", totals.cpu);
    if (totals.has_memory)
        text_add(text, SUMMARY_TEXT, "; memory %s",
                 unit_format_size_short(totals.memory, memory, sizeof(memory)));
}
