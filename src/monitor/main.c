/* The monitor: shows what the processes of an agent do, live.
 *
 *   feed    asks one agent for samples and listens to its events over a link (one connection, opened
 *           again whenever it is lost). All that is told of the agent, one tiding after the other,
 *           goes through feed_tell(): into the
 *   model   of all its processes (rows, each with its last sample, the rates between two, and its
 *           history), its news and the detail of one process; and to the recorder.
 *   fleet   is all feeds and the machine; a replay tells a fleet what a recording holds.
 *   view    says which rows are shown, in which order, under which headings (outline), and which one
 *           is selected; column what is shown of a row, and layout how wide that is.
 *   plain   prints this as text, lines, JSON or CSV; live shows it full screen: screen draws it
 *           through terminal (ncurses) with header and pane, which inspect asks for; key, mouse, menu
 *           and dialog turn keys into changes of the view and into
 *   action  requests to the agent, whose answers come back through the feed.
 *   report  gathers series from a recording or from agents, and page makes HTML of them.
 *
 * Nothing blocks: the live screen waits in one poll(2) for the terminal, the agent and signals, so
 * that a silent agent does not hold up a key, nor a flood of events the clock. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/version.h"
#include "monitor/live.h"
#include "monitor/plain.h"
#include "monitor/report.h"
#include "monitor/status.h"

/* Numbers are printed and read in one way everywhere; only the set of characters is the user's. */
int main(int count, char **words) {
    struct options options;
    setlocale(LC_CTYPE, "");
    if (count > 1 && strcmp(words[1], "report") == 0)
        return report_run(count - 1, words + 1);
    int status = options_read(&options, count, words);
    if (status != STATUS_DONE)
        return status;
    if (options.help)
        options_help();
    else if (options.version)
        puts("holden " HOLDEN_VERSION_TEXT);
    else
        return options_are_plain(&options) ? plain_run(&options) : live_run(&options);
    if (fflush(stdout) == 0)
        return STATUS_DONE;
    log_error("cannot print the help");
    return STATUS_FAILED;
}
