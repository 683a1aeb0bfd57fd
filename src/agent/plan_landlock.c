/* The part of a plan that is about Landlock. */
#include "agent/landlock.h"
#include "agent/plan_draft.h"
#include "common/cleanup.h"

void plan_put_landlock(struct draft *draft, const struct holden_properties *properties) {
    _cleanup_(buffer_free) struct buffer rules = {0};
    struct landlock_walk walk = {.properties = properties};
    struct landlock_rule rule;
    while (draft->error == 0 && landlock_next(&walk, &rule)) {
        struct plan_access access = {.access = rule.access,
                                     .optional = rule.optional,
                                     .path = draft_string(draft, rule.path).at};
        if (draft->error == 0)
            draft->error = buffer_append(&rules, &access, sizeof(access));
    }
    struct plan_run run = {draft_put(draft, buffer_bytes(&rules), rules.size),
                           (uint32_t)(rules.size / sizeof(struct plan_access))};
    if (draft->error == 0 && run.count > 0)
        draft_head(draft)->landlock = run;
}
