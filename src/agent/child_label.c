#include "agent/child_label.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Where a label is written, first where modules stand beside each other, and what before it. */
static const struct row {
    const char *paths[2];
    const char *before;
} rows[PLAN_LABELS] = {
    {{"/proc/self/attr/apparmor/exec", "/proc/self/attr/exec"}, "exec "},
    {{"/proc/self/attr/exec", NULL}, ""},
    {{"/proc/self/attr/smack/current", "/proc/self/attr/current"}, ""},
};

static int open_first(const struct row *row) {
    int fd = open(row->paths[0], O_WRONLY | O_CLOEXEC);
    return fd < 0 && errno == ENOENT && row->paths[1] ? open(row->paths[1], O_WRONLY | O_CLOEXEC)
                                                      : fd;
}

static int tell(const struct row *row, const char *label, size_t size) {
    char text[PLAN_LABEL_MOST + 8];
    size_t before = strlen(row->before);
    if (size > PLAN_LABEL_MOST) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(text, row->before, before);
    memcpy(text + before, label, size);
    _cleanup_close_ int fd = open_first(row);
    return fd < 0 || write(fd, text, before + size) < 0 ? -1 : 0;
}

int child_label(struct child *child) {
    for (uint32_t i = 0; i < PLAN_LABELS; i++) {
        struct plan_run run = child->plan->labels[i];
        const char *label = child_run_at(child, run);
        bool optional = run.count > 0 && label[0] == '-';
        if (run.count == 0 || tell(&rows[i], label + optional, run.count - 1 - optional) == 0 ||
            optional)
            continue;
        child->detail = i;
        return -1;
    }
    return 0;
}
