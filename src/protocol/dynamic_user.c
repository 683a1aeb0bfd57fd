#include "protocol/dynamic_user.h"

bool holden_user_given(const struct holden_properties *properties, struct holden_user *user) {
    const struct holden_nested *nested = &properties->user;
    struct holden_fault fault;
    if (!HOLDEN_HAS(properties, properties, user))
        return false;
    if (nested->value)
        *user = *(const struct holden_user *)nested->value;
    return nested->value || holden_decode(&holden_record_user, nested->bytes.data,
                                          nested->bytes.size, user, &fault) == 0;
}

bool holden_dynamic_user(const struct holden_properties *properties) {
    return HOLDEN_HAS(properties, properties, dynamic_user) && properties->dynamic_user;
}

bool holden_user_made_up(const struct holden_properties *properties) {
    struct holden_user user;
    if (!holden_dynamic_user(properties))
        return false;
    if (!HOLDEN_HAS(properties, properties, user))
        return true;
    return holden_user_given(properties, &user) && user.uid == HOLDEN_UID_MADE_UP;
}

void holden_dynamic_user_imply(struct holden_properties *properties) {
    if (!holden_dynamic_user(properties))
        return;
    HOLDEN_SET(properties, properties, remove_ipc, true);
    HOLDEN_SET(properties, properties, private_tmp, true);
    HOLDEN_SET(properties, properties, no_new_privileges, true);
    HOLDEN_SET(properties, properties, restrict_suid_sgid, true);
    HOLDEN_SET(properties, properties, protect_system, HOLDEN_protect_system_STRICT);
    if (!HOLDEN_HAS(properties, properties, protect_home) ||
        properties->protect_home == HOLDEN_protect_home_NO)
        HOLDEN_SET(properties, properties, protect_home, HOLDEN_protect_home_READ_ONLY);
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool holden_user_name_valid(struct holden_view name) {
    if (name.size == 0 || name.size > HOLDEN_USER_NAME_MOST || !is_letter(name.data[0]))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (!is_letter(name.data[i]) && name.data[i] != '-' &&
            (name.data[i] < '0' || name.data[i] > '9'))
            return false;
    return true;
}
