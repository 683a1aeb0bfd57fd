/* The verb learn: a command is run, and the system calls that it makes become a profile. */
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "controller/learn.h"
#include "controller/listing.h"
#include "controller/run.h"

/* What the agent has noted. */
struct learned {
    const struct options *options;
    uint64_t id;
    int status;
    bool found;
};

static void take_process(void *into, const struct holden_process *process) {
    struct learned *learned = into;
    if (process->id != learned->id || !HOLDEN_HAS(process, process, learned))
        return;
    learned->found = true;
    learned->status = learn_write(learned->options->output, learned->options, process->learned);
    if (learned->status == STATUS_DONE)
        fprintf(stderr, "%s: %u system calls\n", learned->options->output, process->learned.count);
}

/* Asks for what was noted, and writes it. */
static int fetch(struct command *command, const struct waiting *ended) {
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    struct learned learned = {.options = &command->options, .id = ended->id};
    struct holden_list request = {0};
    struct holden_view name = holden_view(ended->name);
    HOLDEN_SET(&request, list, name, (struct holden_repeated){.count = 1, .items = &name});
    HOLDEN_SET(&request, list, ended, true);
    HOLDEN_SET(&request, list, detail, true);
    int status = session_open(&session, &command->options);
    if (status == STATUS_DONE)
        status = listing_ask(&session, &request, "cannot read what was learned", take_process,
                             &learned);
    if (status != STATUS_DONE)
        return status;
    if (learned.found)
        return learned.status;
    log_error("nothing was learned: filters cannot talk here (SystemCallReport= in holden(1) says "
              "where)");
    return STATUS_FAILED;
}

int verb_learn(struct command *command) {
    struct waiting ended = {.id = 0};
    size_t given = command->options.property_count;
    if (!command->options.output) {
        log_error("learn: -o FILE says where the profile is to be written");
        return STATUS_USAGE;
    }
    if (options_add_property(&command->options, "SystemCallLearn=yes") < 0)
        return STATUS_FAILED;
    int own = run_command(command, &ended);
    if (!ended.name[0])
        return own;
    if (own != STATUS_DONE)
        log_warning("the command ended with status %d; what it did until then is learned", own);
    int status = fetch(command, &ended);
    command->options.property_count = given;
    if (status == STATUS_DONE && command->options.capabilities)
        status = learn_capabilities(command);
    return status == STATUS_DONE ? own : status;
}
