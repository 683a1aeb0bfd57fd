/* The lines above the table: which agent, and how many processes do what. */
#pragma once

#include "monitor/fleet.h"

enum { SUMMARY_TEXT = 512 };

/* "agent 1234 (0.1.0) at /run/holden/agent.sock", or what is wrong with it; in *trouble whether
 * something is. Of several agents: "3 agents: a, b, c", with what is wrong with each. */
void summary_agents(const struct fleet *fleet, uint64_t now, char text[SUMMARY_TEXT],
                    bool *trouble);

/* "12 processes: 9 running, 2 frozen, 1 failed; CPU 12.3%, memory 1.02G", of all agents. */
void summary_processes(const struct fleet *fleet, char text[SUMMARY_TEXT]);
