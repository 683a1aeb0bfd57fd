#include "controller/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "protocol/message.h"

enum {
    PATIENCE = 30000000, /* microseconds in which a new agent may come in place of a dead one */
    RETRY = 50,          /* milliseconds */
};

static int cannot_connect(const char *path, int error) {
    if (error == EACCES || error == EPERM) {
        log_error("cannot reach the agent at %s: %s; only root and members of group holden may",
                  path, strerror(error));
        return STATUS_NOT_PERMITTED;
    }
    if (error == ENAMETOOLONG)
        log_error("cannot reach the agent at %s: a socket's path has at most 107 bytes", path);
    else
        log_error(
            "no agent at %s: %s; start one, or name its socket with --socket or $HOLDEN_SOCKET",
            path, strerror(error));
    return STATUS_NO_AGENT;
}

int session_open(struct session *session, const struct options *options) {
    session->path = holden_socket_path(options->socket);
    int r = holden_client_connect(&session->client, session->path);
    if (r < 0)
        return cannot_connect(session->path, -r);
    if (holden_client_keep(&session->client, session->path, PATIENCE) == 0)
        return STATUS_DONE;
    log_error("out of memory");
    return STATUS_FAILED;
}

void session_close(struct session *session) {
    holden_client_close(&session->client);
}

static int broken(const struct session *session, int error) {
    switch (error) {
    case ENOENT:
    case ECONNREFUSED:
        log_error("the agent at %s went away before it answered, and none has come in its place",
                  session->path);
        return STATUS_NO_AGENT;
    case ECONNRESET:
        log_error("the agent at %s goes away again and again without an answer; its log says why",
                  session->path);
        return STATUS_NO_AGENT;
    case EMSGSIZE:
        log_error("the request is larger than 4 MiB, the most that one message may hold; "
                  "pass fewer or shorter arguments");
        return STATUS_USAGE;
    case EINVAL:
        log_error("the request holds a text that is too long: an argument may have 131071 bytes");
        return STATUS_USAGE;
    case EPROTO:
    case EBADMSG:
        log_error("what answers at %s does not speak Holden's protocol", session->path);
        return STATUS_FAILED;
    case EPROTONOSUPPORT:
        log_error("the agent at %s speaks another version of the protocol; "
                  "install agent and controller from one release", session->path);
        return STATUS_FAILED;
    default:
        log_error("talking to the agent at %s: %s", session->path, strerror(error));
        return STATUS_FAILED;
    }
}

int session_ask(struct session *session, uint16_t type, const void *message, const int *fds,
                size_t count, uint32_t *id) {
    int r = holden_client_ask(&session->client, type, message, fds, count, id);
    return r < 0 ? broken(session, -r) : STATUS_DONE;
}

int session_next(struct session *session, struct holden_reply *reply) {
    int r = holden_client_next(&session->client, reply);
    if (r < 0)
        return broken(session, -r);
    struct holden_error error;
    if (reply->frame.id != 0 || reply->frame.type != HOLDEN_MESSAGE_error)
        return STATUS_DONE;
    return session_take(reply, HOLDEN_MESSAGE_error, &error, NULL) == STATUS_DONE
               ? session_refused(&error, "the agent refuses this connection")
               : STATUS_FAILED;
}

int session_fd(const struct session *session) {
    return session->client.connection.fd;
}

int session_pause(const struct session *session) {
    return session_fd(session) < 0 ? RETRY : -1;
}

int session_turn(struct session *session) {
    int r = holden_client_turn(&session->client);
    return r < 0 ? broken(session, -r) : STATUS_DONE;
}

bool session_has_frame(struct session *session) {
    return holden_client_has(&session->client);
}

/* The agent's words as one line, whatever is in them. */
static void one_line(struct holden_view text, char *line, size_t space) {
    size_t size = text.size < space - 1 ? text.size : space - 1;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        line[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    line[size] = '\0';
}

int session_refused(const struct holden_error *error, const char *what) {
    char text[1600];
    char step[72] = "";
    one_line(error->text, text, sizeof(text));
    if (HOLDEN_HAS(error, error, step))
        one_line(error->step, step, sizeof(step));
    bool said = !*step || strncmp(text, step, strlen(step)) == 0;
    log_error("%s: %s%s%s", what, said ? "" : step, said ? "" : ": ", text);
    return holden_exit_status(error->code);
}

int session_take(const struct holden_reply *reply, uint16_t type, void *message, const char *what) {
    struct holden_error error;
    if (reply->frame.type == type && holden_reply_decode(reply, message) == 0)
        return STATUS_DONE;
    if (reply->frame.type == HOLDEN_MESSAGE_error && type != HOLDEN_MESSAGE_error &&
        holden_reply_decode(reply, &error) == 0)
        return session_refused(&error, what);
    log_error("the agent's answer makes no sense (message %u); "
              "install agent and controller from one release", (unsigned)reply->frame.type);
    return STATUS_FAILED;
}

bool session_skipped(const struct holden_reply *reply, const char *name,
                     char text[SESSION_SKIPPED]) {
    struct holden_error error;
    char why[1500], step[72] = "";
    if (reply->frame.type != HOLDEN_MESSAGE_error || holden_reply_decode(reply, &error) < 0 ||
        error.code != HOLDEN_code_SKIPPED)
        return false;
    one_line(error.text, why, sizeof(why));
    if (HOLDEN_HAS(&error, error, step))
        one_line(error.step, step, sizeof(step));
    snprintf(text, SESSION_SKIPPED, "skipped %s: %s%s%s", name, step, *step ? ": " : "", why);
    return true;
}

int session_call(struct session *session, uint16_t request, const void *message, uint16_t answer,
                 void *into, const char *what) {
    struct holden_reply reply;
    uint32_t id;
    int status = session_ask(session, request, message, NULL, 0, &id);
    do {
        if (status == STATUS_DONE)
            status = session_next(session, &reply);
    } while (status == STATUS_DONE && reply.frame.id != id);
    return status == STATUS_DONE ? session_take(&reply, answer, into, what) : status;
}
