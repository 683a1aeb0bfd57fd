#include "monitor/user.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct user {
    uint32_t uid;
    char name[33];
};

static void look_up(struct user *user) {
    const struct passwd *entry = getpwuid(user->uid);
    if (entry && entry->pw_name[0])
        snprintf(user->name, sizeof(user->name), "%s", entry->pw_name);
    else
        snprintf(user->name, sizeof(user->name), "%" PRIu32, user->uid);
}

static size_t place(const struct users *users, uint32_t uid) {
    size_t low = 0;
    size_t high = users->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (users->known[middle]->uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *user_name(struct users *users, uint32_t uid) {
    size_t at = place(users, uid);
    if (at < users->count && users->known[at]->uid == uid)
        return users->known[at]->name;
    struct user **known = realloc(users->known, (users->count + 1) * sizeof(struct user *));
    if (!known)
        return "?";
    users->known = known;
    struct user *user = calloc(1, sizeof(*user));
    if (!user)
        return "?";
    user->uid = uid;
    look_up(user);
    memmove(known + at + 1, known + at, (users->count - at) * sizeof(struct user *));
    known[at] = user;
    users->count++;
    return user->name;
}

void users_free(struct users *users) {
    for (size_t i = 0; i < users->count; i++)
        free(users->known[i]);
    free(users->known);
    *users = (struct users){0};
}
