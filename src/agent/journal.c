#include "agent/journal.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent/process.h"
#include "agent/denial.h"
#include "common/cleanup.h"

void journal_denial(const struct process *process, const struct denial *denial,
                     const char *text) {
    static const struct sockaddr_un address = {AF_UNIX, "/run/systemd/journal/socket"};
    char line[4096];
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int size = snprintf(line, sizeof(line),
                        "MESSAGE=%s: its filter refused %s\nPRIORITY=4\nSYSLOG_IDENTIFIER=holden\n"
                        "HOLDEN_NAME=%s\nHOLDEN_CALL=%s\nHOLDEN_ARGUMENTS=%s\nHOLDEN_PROGRAM=%s\n"
                        "HOLDEN_PID=%d\nHOLDEN_REMEDY=%s\n",
                        process->name, text, process->name, denial->call, denial->arguments,
                        denial->program, denial->pid, denial->remedy);
    if (fd < 0 || size < 0 || (size_t)size >= sizeof(line))
        return;
    (void)sendto(fd, line, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL,
                 (const struct sockaddr *)&address, sizeof(address));
}
