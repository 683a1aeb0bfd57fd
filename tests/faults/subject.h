/* The agent under test: started, asked, looked at from outside, and stopped. What is wrong is said
 * in a buffer, a line each. */
#pragma once

#include "common/buffer.h"
#include "protocol/message.h"
#include "tracer.h"

enum { SUBJECT_PATIENCE = 5000 /* milliseconds */, SUBJECT_KNOWN = 16, CLIENT_TEXT = 8192 };

struct subject {
    const char *programs;   /* the directory of agent and controller */
    char directory[64];     /* everything of it but the cgroup is below */
    char socket[96], state[96], config[96], log[96], fifo[96];
    char group[64], cgroup[256];
    pid_t keeper, core;
    int feed;               /* the writing end of the fifo, or -1 */
    struct {
        pid_t pid;
        int status;
    } ended[4];             /* children that ended while another was waited for */
    size_t ends;            /* how many there were */
    struct tracer tracer;
};

/* A process as the agent lists it. */
struct known {
    char name[72];
    uint64_t id;
    pid_t pid;
    bool alive;
};

/* A controller, from its start to its end. */
struct client {
    pid_t pid;     /* 0 once it has ended */
    int out, err;  /* files without a name that it writes to */
    int terminal;  /* the other side of the terminal that is its standard input, or -1 */
    int status;    /* wait status */
};

/* Makes a directory and names of its own. 0 or -errno. */
int subject_open(struct subject *subject, const char *programs);
/* Removes the directory. */
void subject_close(struct subject *subject);

/* Starts keeper and agent and waits until they answer. */
bool subject_start(struct subject *subject, struct buffer *said);
/* Ends them as a user would, and checks that nothing is left. */
bool subject_stop(struct subject *subject, struct buffer *said);
/* Ends whatever is left, when all else has failed. */
void subject_sweep(struct subject *subject);

/* Waits until the agent answers, and learns its pid. False when it does not. */
bool subject_answers(struct subject *subject);
/* The processes that the agent knows, ended ones included; their number, or -errno. */
int subject_list(struct subject *subject, struct known known[SUBJECT_KNOWN]);
/* Stops every process and drops every record. */
bool subject_clear(struct subject *subject, struct buffer *said);

/* Everything that could be leaked, a line each: descriptors of both, cgroups, files, children. */
void subject_look(const struct subject *subject, struct buffer *out);
/* Memory of its own that both hold, in bytes. */
size_t subject_memory(const struct subject *subject);
/* Whether a process is there and no zombie. */
bool subject_lives(pid_t pid);

/* Starts a controller; arguments end with NULL; @ in them stands for the directory, and @@ for a
 * text that makes a plan larger than a packet. */
void client_start(struct subject *subject, struct client *client, const char *const *arguments,
                  bool terminal);
/* Follows what is traced until the client has ended. False past the patience: it is killed then. */
bool client_wait(struct subject *subject, struct client *client);
/* What it wrote to one of its files. */
const char *client_text(int file, char text[CLIENT_TEXT]);
/* Closes the files. */
void client_free(struct client *client);
/* Follows what is traced until nothing has happened for that long. */
void subject_settle(struct subject *subject, int milliseconds);
