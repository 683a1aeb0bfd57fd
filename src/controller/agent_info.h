/* What the agent does about itself. */
#pragma once

#include "controller/command.h"

/* Has the agent read its configuration and policy again, and says so. The exit status; what is
 * wrong has been said by then. */
int agent_info_reload(struct command *command);
