/* `report`: writes a page about processes, from a recording, or from watching them for a while. */
#pragma once

/* Reads the command line from behind the word "report" (words[0]), and does it. The exit status;
 * what failed is on stderr. */
int report_run(int count, char **words);
