/* The lines above the table: which agent, and how many processes do what. */
#pragma once

#include "monitor/feed.h"

enum { SUMMARY_TEXT = 512 };

/* "agent 1234 (0.1.0) at /run/holden/agent.sock", or what is wrong with it; in *trouble whether
 * something is. */
void summary_agent(const struct feed *feed, uint64_t now, char text[SUMMARY_TEXT], bool *trouble);

/* "12 processes: 9 running, 2 frozen, 1 failed; CPU 12.3%, memory 1.02G". */
void summary_processes(const struct feed *feed, char text[SUMMARY_TEXT]);
