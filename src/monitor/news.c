#include "monitor/news.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/text.h"

void news_free(struct news *news) {
    free(news->items);
    *news = (struct news){0};
}

/* The new state, the event's kind where that says more, and what the agent adds in words. */
static void describe(struct news_item *item, const struct holden_event *event) {
    bool state = event->kind == HOLDEN_event_kind_STATE && HOLDEN_HAS(event, event, state);
    const char *word = state ? holden_word(&holden_enum_state, event->state)
                             : holden_word(&holden_enum_event_kind, event->kind);
    text_add(item->text, NEWS_TEXT, "%s", word ? word : "?");
    if (HOLDEN_HAS(event, event, pid) && state && event->state < HOLDEN_state_STOPPING)
        text_add(item->text, NEWS_TEXT, " (pid %" PRIu32 ")", event->pid);
    if (HOLDEN_HAS(event, event, text))
        text_add(item->text, NEWS_TEXT, ": %.*s", (int)event->text.size, event->text.data);
    else if (HOLDEN_HAS(event, event, status))
        text_add(item->text, NEWS_TEXT, ": exit status %" PRIu32, event->status);
    else if (HOLDEN_HAS(event, event, signal))
        text_add(item->text, NEWS_TEXT, ": signal %" PRIu32, event->signal);
}

int news_take(struct news *news, const struct holden_event *event) {
    if (event->sequence && event->sequence == news->sequence)
        return 0;
    if (!news->items)
        news->items = calloc(NEWS_KEPT, sizeof(*news->items));
    if (!news->items)
        return -ENOMEM;
    struct news_item *item = &news->items[news->count++ % NEWS_KEPT];
    *item = (struct news_item){.time = event->time};
    if (HOLDEN_HAS(event, event, id))
        item->id = event->id;
    if (HOLDEN_HAS(event, event, name))
        snprintf(item->name, sizeof(item->name), "%.*s", (int)event->name.size, event->name.data);
    describe(item, event);
    news->sequence = event->sequence;
    return 0;
}

const struct news_item *news_before(const struct news *news, uint64_t id, uint64_t *at) {
    uint64_t first = news->count > NEWS_KEPT ? news->count - NEWS_KEPT : 0;
    for (uint64_t i = *at < news->count ? *at : news->count; i > first; i--) {
        const struct news_item *item = &news->items[(i - 1) % NEWS_KEPT];
        if (id && item->id != id)
            continue;
        *at = i - 1;
        return item;
    }
    return NULL;
}
