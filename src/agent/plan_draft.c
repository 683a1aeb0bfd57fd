#include "agent/plan_draft.h"

struct plan *draft_head(const struct draft *draft) {
    return (struct plan *)(void *)buffer_bytes(draft->out);
}

uint32_t draft_put(struct draft *draft, const void *bytes, size_t size) {
    static const uint8_t zeros[8];
    if (draft->error < 0)
        return 0;
    size_t pad = (8 - draft->out->size % 8) % 8;
    draft->error = buffer_append(draft->out, zeros, pad);
    size_t at = draft->out->size;
    if (draft->error == 0)
        draft->error = buffer_append(draft->out, bytes, size);
    return (uint32_t)at;
}

struct plan_run draft_string(struct draft *draft, struct holden_view text) {
    uint32_t at = draft_put(draft, text.data, text.size);
    if (draft->error == 0)
        draft->error = buffer_append(draft->out, "", 1);
    return (struct plan_run){at, (uint32_t)text.size + 1};
}

void strings_add(struct draft *draft, struct strings *strings, struct holden_view text) {
    uint64_t at = draft_string(draft, text).at;
    if (draft->error == 0)
        draft->error = buffer_append(&strings->offsets, &at, sizeof(at));
    strings->count++;
}

struct plan_run strings_put(struct draft *draft, struct strings *strings) {
    static const uint64_t end = 0;
    if (draft->error == 0)
        draft->error = buffer_append(&strings->offsets, &end, sizeof(end));
    uint32_t at = draft->error < 0
                      ? 0
                      : draft_put(draft, buffer_bytes(&strings->offsets), strings->offsets.size);
    struct plan_run run = {at, strings->count};
    buffer_free(&strings->offsets);
    return run;
}
