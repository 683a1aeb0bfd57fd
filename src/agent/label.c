#include "agent/label.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "protocol/property.h"

static const struct row {
    size_t index;
    const char *name;
    const char *there; /* a file that is there with the module */
    const char *yes;   /* how that begins then; "": with anything */
    const char *remedy;
} rows[LABELS] = {
    [LABEL_APPARMOR] = {HOLDEN_INDEX(properties, app_armor_profile), "AppArmor",
                        "/sys/module/apparmor/parameters/enabled", "Y", "apparmor"},
    [LABEL_SELINUX] = {HOLDEN_INDEX(properties, selinux_context), "SELinux",
                       "/sys/fs/selinux/enforce", "", "selinux"},
    [LABEL_SMACK] = {HOLDEN_INDEX(properties, smack_process_label), "Smack",
                     "/sys/fs/smackfs/load2", "", "smack"},
};

const char *label_property(enum label label) {
    return holden_property(rows[label].index)->name;
}

bool label_asked(const struct holden_properties *properties, enum label label,
                 struct holden_view *text, bool *optional) {
    const struct row *row = &rows[label];
    if (!holden_has(properties, row->index))
        return false;
    *text = *(const struct holden_view *)((const uint8_t *)properties +
                                          holden_record_properties.fields[row->index].offset);
    *optional = text->size > 0 && text->data[0] == '-';
    text->data += *optional;
    text->size -= *optional;
    return text->size > 0;
}

bool label_there(enum label label) {
    char text[16];
    const struct row *row = &rows[label];
    if (!*row->yes)
        return faccessat(AT_FDCWD, row->there, F_OK, 0) == 0;
    return file_read(AT_FDCWD, row->there, text, sizeof(text)) > 0 && text[0] == *row->yes;
}

int label_check(const struct holden_properties *properties, struct failure *failure) {
    for (enum label label = 0; label < LABELS; label++) {
        struct holden_view text;
        bool optional;
        if (label_asked(properties, label, &text, &optional) && !optional && !label_there(label))
            return failure_set(failure, HOLDEN_code_UNSUPPORTED, label_property(label),
                               "this kernel has no %s in force: boot it with lsm=…,%s, or write "
                               "-%.*s to go on without", rows[label].name, rows[label].remedy,
                               (int)(text.size < 128 ? text.size : 128), text.data);
    }
    return 0;
}
