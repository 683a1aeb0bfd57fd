#include "controller/user_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "controller/account.h"

struct user_entry {
    uint32_t uid;
    char *name; /* owned */
};

static struct user_entry *entries(const struct user_names *names, size_t *count) {
    *count = names->entries.size / sizeof(struct user_entry);
    return (void *)names->entries.data;
}

const char *user_name(struct user_names *names, uint32_t uid) {
    size_t count;
    const struct user_entry *known = entries(names, &count);
    for (size_t i = 0; i < count; i++)
        if (known[i].uid == uid)
            return known[i].name;
    char number[16];
    snprintf(number, sizeof(number), "%u", uid);
    _cleanup_(account_free) struct account found = {0};
    bool is_known = account_by_uid(uid, &found) == 0;
    struct user_entry entry = {uid, strdup(is_known ? found.name : number)};
    if (entry.name && buffer_append(&names->entries, &entry, sizeof(entry)) == 0)
        return entry.name;
    free(entry.name);
    return NULL;
}

void user_names_free(struct user_names *names) {
    size_t count;
    struct user_entry *known = entries(names, &count);
    for (size_t i = 0; i < count; i++)
        free(known[i].name);
    buffer_free(&names->entries);
}
