#include "controller/ending.h"

#include <string.h>

#include "controller/output.h"
#include "controller/signal_name.h"
#include "controller/status.h"

enum { SIGNAL_BASE = 128 };

/* Causes that say why, beside how: what explains them stands behind the status or signal. What
 * explains any other cause says the whole of it. */
static bool is_reason(uint32_t cause) {
    return cause == HOLDEN_cause_OUT_OF_MEMORY || cause == HOLDEN_cause_TIME_LIMIT ||
           cause == HOLDEN_cause_TASKS_LIMIT || cause == HOLDEN_cause_WATCHDOG ||
           cause == HOLDEN_cause_SYSTEM_CALL;
}

static void print_how(struct output *text, const struct holden_exited *exited) {
    char name[32];
    if (HOLDEN_HAS(exited, exited, status))
        output_printf(text, "exited with status %u", exited->status);
    else if (HOLDEN_HAS(exited, exited, signal))
        output_printf(text, "ended by %s%s", signal_print(exited->signal, name, sizeof(name)),
                      exited->core ? ", core dumped" : "");
    else if (exited->cause == HOLDEN_cause_SETUP)
        output_text(text, "never ran");
    else
        output_text(text, "ended, and nobody saw how");
}

int ending_print(const struct holden_exited *exited, struct buffer *out) {
    const char *cause = holden_word(&holden_enum_cause, exited->cause);
    struct output text = {.buffer = *out};
    bool explained = HOLDEN_HAS(exited, exited, explanation) && exited->explanation.size > 0;
    bool reason = is_reason(exited->cause);
    if (exited->cause == HOLDEN_cause_SKIPPED)
        output_text(&text, "skipped: ");
    if (reason || !explained)
        print_how(&text, exited);
    if (reason)
        output_text(&text, ": ");
    if (explained)
        output_safe(&text, exited->explanation);
    else if (reason)
        output_text(&text, cause);
    *out = text.buffer;
    return text.error;
}

struct holden_exited ending_of(const struct holden_process *process) {
    struct holden_exited exited = {.name = process->name,
                                   .id = process->id,
                                   .state = process->state,
                                   .status = process->status,
                                   .signal = process->signal,
                                   .core = process->core,
                                   .cause = process->cause,
                                   .explanation = process->explanation};
    if (HOLDEN_HAS(process, process, status))
        HOLDEN_MARK(&exited, exited, status);
    if (HOLDEN_HAS(process, process, signal))
        HOLDEN_MARK(&exited, exited, signal);
    if (HOLDEN_HAS(process, process, explanation))
        HOLDEN_MARK(&exited, exited, explanation);
    return exited;
}

int ending_status(const struct holden_exited *exited) {
    if (exited->cause == HOLDEN_cause_SKIPPED)
        return STATUS_DONE;
    if (HOLDEN_HAS(exited, exited, status))
        return (int)(exited->status & 0xff);
    return HOLDEN_HAS(exited, exited, signal) ? SIGNAL_BASE + (int)exited->signal : STATUS_FAILED;
}

bool ending_needs_words(const struct holden_exited *exited) {
    switch (exited->cause) {
    case HOLDEN_cause_EXITED:
    case HOLDEN_cause_SIGNALLED: return exited->core;
    default: return true;
    }
}
