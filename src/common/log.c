#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The variable is inherited by programs whose stderr leads elsewhere, so it names the file too
 * (systemd.exec(5)). */
static bool is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long device, inode;
    struct stat status;
    return stream && sscanf(stream, "%lu:%lu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_line(enum log_level level, const char *format, ...) {
    char line[2048];
    size_t used = 0;
    if (is_journal())
        used += (size_t)snprintf(line, sizeof(line), "<%d>", (int)level);
    used += (size_t)snprintf(line + used, sizeof(line) - used,
                             "%s: ", program_invocation_short_name);
    if (used > sizeof(line) / 2)
        used = sizeof(line) / 2;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
    va_end(arguments);
    if (length > 0)
        used += (size_t)length;
    if (used > sizeof(line) - 2)
        used = sizeof(line) - 2;
    /* Names and paths in it are those of others, who are not to write lines of their own. */
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    line[used++] = '\n';
    /* Nobody is left to tell where stderr itself fails. */
    if (write(STDERR_FILENO, line, used) < 0)
        return;
}
