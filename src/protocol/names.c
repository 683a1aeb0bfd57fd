#include "protocol/names.h"

#include <errno.h>
#include <stdio.h>

#include "protocol/call_set.h"

int names_next(struct holden_repeated *lists, struct holden_names *list) {
    struct holden_nested nested;
    struct holden_fault fault;
    if (!holden_next_record(lists, &nested))
        return 0;
    if (nested.value)
        *list = *(const struct holden_names *)nested.value;
    else if (holden_decode(&holden_record_names, nested.bytes.data, nested.bytes.size, list,
                           &fault) < 0)
        return -EBADMSG;
    return 1;
}

bool names_take(struct holden_names *list, char *name, size_t space) {
    struct holden_view view;
    if (!HOLDEN_HAS(list, names, name) || !holden_next_view(&list->name, &view))
        return false;
    snprintf(name, space, "%.*s", (int)view.size, view.data);
    return true;
}

uint32_t names_take_error(struct holden_names *list) {
    uint32_t error;
    return HOLDEN_HAS(list, names, error) && holden_next_u32(&list->error, &error)
               ? error
               : (uint32_t)HOLDEN_CALL_USUAL;
}

bool names_inverted(const struct holden_names *list) {
    return HOLDEN_HAS(list, names, inverted) && list->inverted;
}
