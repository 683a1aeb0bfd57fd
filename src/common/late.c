#include "common/late.h"

#include <string.h>

static const char *const names[LATE_VARIABLES] = {
    [LATE_MAINPID] = "MAINPID",
    [LATE_SERVICE_RESULT] = "SERVICE_RESULT",
    [LATE_EXIT_CODE] = "EXIT_CODE",
    [LATE_EXIT_STATUS] = "EXIT_STATUS",
};

enum late late_find(const char *name, size_t size) {
    enum late variable = 0;
    while (variable < LATE_VARIABLES &&
           (strlen(names[variable]) != size || memcmp(names[variable], name, size) != 0))
        variable++;
    return variable;
}

const char *late_name(enum late variable) {
    return names[variable];
}
