/* DynamicUser= of systemd.exec(5), as far as client and agent must agree on it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/message.h"

/* The user id in a request, beside a name, of a user that the agent is to make up; and the longest
 * name that one has. */
#define HOLDEN_UID_MADE_UP UINT32_MAX
enum { HOLDEN_USER_NAME_MOST = 31 };

/* The user that is given, collected or received, copied into *user with its views. False where none
 * is, or where it does not decode. */
bool holden_user_given(const struct holden_properties *properties, struct holden_user *user);

/* Whether DynamicUser= is on. */
bool holden_dynamic_user(const struct holden_properties *properties);

/* Whether that means a user who is made up: no other is named. False also where `user` is not
 * encoded yet and holds none. */
bool holden_user_made_up(const struct holden_properties *properties);

/* Where DynamicUser= is on, sets what it implies, so that nothing with the user's id is left behind
 * for the next one: RemoveIPC=, PrivateTmp=, NoNewPrivileges=, RestrictSUIDSGID=,
 * ProtectSystem=strict, and unless that hides more ProtectHome=read-only. Nothing else changes. */
void holden_dynamic_user_imply(struct holden_properties *properties);

/* Whether the text can be a user's name: letters, digits, "_" and "-", the first one a letter or
 * "_", and at most HOLDEN_USER_NAME_MOST of them. */
bool holden_user_name_valid(struct holden_view name);
