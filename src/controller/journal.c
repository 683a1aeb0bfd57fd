#include "controller/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

#define PROGRAM "journalctl"

enum { ARGUMENTS_MOST = 16, MATCHES_END = 8, SECOND = 1000000, BLOCK = 65536 };

/* Without a shell, so that no name can mean more than a name. */
static int spawn(char *const *arguments, int output, bool quiet, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return -error;
    error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!error && output >= 0)
        error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (!error && quiet)
        error = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (!error)
        error = posix_spawnp(pid, PROGRAM, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

static char *print_moment(const char *option, uint64_t at, char *text, size_t space) {
    snprintf(text, space, "--%s=@%" PRIu64 ".%06" PRIu64, option, at / SECOND, at % SECOND);
    return text;
}

int journal_open(struct journal *journal, const struct journal_query *query, bool quiet) {
    char *arguments[ARGUMENTS_MOST] = {
        (char *)PROGRAM,       (char *)"--quiet",   (char *)"--no-pager",
        (char *)"--output=cat", (char *)"--all",
    };
    char selected[320], since[64], until[64], lines[64];
    size_t count = 5;
    int ends[2];
    *journal = (struct journal){.fd = -1};
    for (const char *const *match = query->matches; match && *match && count < MATCHES_END; match++)
        arguments[count++] = (char *)*match;
    if (query->field)
        snprintf(selected, sizeof(selected), "--output-fields=%s", query->field);
    else {
        arguments[count++] = (char *)"_TRANSPORT=stdout";
        snprintf(selected, sizeof(selected), "--identifier=%.*s", (int)query->identifier.size,
                 query->identifier.data);
    }
    arguments[count++] = selected;
    arguments[count++] = print_moment("since", query->since, since, sizeof(since));
    if (query->until)
        arguments[count++] = print_moment("until", query->until, until, sizeof(until));
    snprintf(lines, sizeof(lines), "--lines=%" PRIu64, query->lines);
    if (query->follow) {
        arguments[count++] = (char *)"--no-tail";
        arguments[count] = (char *)"--follow";
    } else if (query->lines != UINT64_MAX) {
        /* With --since=, the first lines are counted, not the last. */
        arguments[count++] = (char *)"--reverse";
        arguments[count] = lines;
    }
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    int r = spawn(arguments, ends[1], quiet, &journal->pid);
    close(ends[1]);
    if (r < 0) {
        close(ends[0]);
        journal->pid = 0;
        return r;
    }
    journal->fd = ends[0];
    return 0;
}

int journal_read(struct journal *journal, struct buffer *out) {
    uint8_t *room;
    for (;;) {
        int r = buffer_reserve(out, BLOCK, &room);
        ssize_t size = r < 0 ? 0 : read(journal->fd, room, BLOCK);
        if (r < 0 || size == 0 || (size < 0 && errno != EINTR))
            return size < 0 ? -errno : r;
        buffer_added(out, size > 0 ? (size_t)size : 0);
    }
}

bool journal_next_line(struct holden_view *left, struct holden_view *line) {
    if (left->size == 0)
        return false;
    const char *before = memrchr(left->data, '\n', left->size - 1);
    size_t start = before ? (size_t)(before + 1 - left->data) : 0;
    *line = (struct holden_view){left->data + start, left->size - start};
    left->size = start;
    return true;
}

static int wait_for(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

void journal_sync(void) {
    char *const arguments[] = {(char *)PROGRAM, (char *)"--sync", NULL};
    pid_t pid = 0;
    if (geteuid() == 0 && spawn(arguments, -1, true, &pid) == 0)
        wait_for(pid);
}

int journal_wait(struct journal *journal) {
    cleanup_close(&journal->fd);
    journal->fd = -1;
    int status = wait_for(journal->pid);
    journal->pid = 0;
    return status;
}

void journal_close(struct journal *journal) {
    if (journal->pid <= 0)
        return;
    /* What has ended is a zombie until it is waited for: the pid is still its own. */
    kill(journal->pid, SIGTERM);
    journal_wait(journal);
}
