/* Names of users, each asked for once: the name service may be slow. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct user;

struct users {
    struct user **known; /* sorted by user id; owned */
    size_t count;
};

/* The user's name, or the number where there is none (getpwuid(3)). Valid as long as `users`. */
const char *user_name(struct users *users, uint32_t uid);

/* Frees the names. */
void users_free(struct users *users);
