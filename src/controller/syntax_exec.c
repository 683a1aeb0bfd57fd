/* Settings about commands beside the main one, and about what their ends mean. */
#include <errno.h>
#include <string.h>

#include "common/unit.h"
#include "controller/environment.h"
#include "controller/exec_setting.h"
#include "controller/exit_name.h"
#include "controller/signal_name.h"
#include "controller/syntax.h"
#include "controller/words.h"

/* On the wire a signal is its number and this. */
enum { SIGNAL_BASE = 256, STATUS_MOST = 255 };

static int refuse(struct settings *settings, size_t index, const char *value, const char *why) {
    char shown[WORDS_SHOWN];
    return settings_refuse(settings, "%s=%s: %s", holden_property(index)->name,
                           words_show(value, shown), why);
}

int syntax_parse_exec(struct settings *settings, size_t index, const char *value) {
    char wrong[160];
    struct exec_list list = {0};
    int r = exec_line_parse(&settings->arena, settings->specifier, value, &list, wrong);
    if (r < 0)
        return r == -EINVAL ? refuse(settings, index, value, wrong) : r;
    for (const struct exec_command *at = list.first; r == 0 && at; at = at->next)
        r = exec_setting_add(settings, index, at, false);
    return r;
}

static int print_word(struct holden_view word, struct buffer *out) {
    if (word.size == 0)
        return buffer_append(out, "\"\"", 2);
    /* By itself it would end the command. */
    return holden_view_is(word, ";") ? buffer_append(out, "\\;", 2) : environment_print(word, out);
}

/* With the program's path, where that is not the first word. */
static int print_prefixes(const struct holden_exec *exec, struct buffer *out) {
    bool named = HOLDEN_HAS(exec, exec, program);
    int r = buffer_printf(out, "%s%s%s", exec->ignore_failure ? "-" : "", named ? "@" : "",
                          exec->rights == HOLDEN_exec_rights_FULL      ? "+"
                          : exec->rights == HOLDEN_exec_rights_NO_USER ? "!"
                                                                       : "");
    if (r == 0 && named)
        r = print_word(exec->program, out);
    return r == 0 && named ? buffer_append(out, " ", 1) : r;
}

int syntax_print_exec(size_t index, const void *value, struct buffer *out) {
    struct holden_exec decoded;
    const struct holden_exec *exec = holden_nested_value(&holden_record_exec, value, &decoded);
    struct holden_view word;
    (void)index;
    if (!exec)
        return 0;
    int r = print_prefixes(exec, out);
    struct holden_repeated left = exec->argument;
    for (bool first = true; r == 0 && holden_next_view(&left, &word); first = false) {
        if (!first)
            r = buffer_append(out, " ", 1);
        if (r == 0)
            r = print_word(word, out);
    }
    return r;
}

/* "3", "TEMPFAIL" or "SIGTERM": as in systemd.service(5), a number is a status and a signal has a
 * name. */
static int parse_end(const char *word, uint32_t *number) {
    uint64_t status;
    if (unit_parse_count(word, &status) == 0) {
        *number = (uint32_t)status;
        return status <= STATUS_MOST ? 0 : -ERANGE;
    }
    if (exit_name_parse(word, number) == 0)
        return 0;
    int r = signal_parse(word, number);
    *number += SIGNAL_BASE;
    return r;
}

int syntax_parse_exit_status(struct settings *settings, size_t index, const char *value) {
    struct holden_view word;
    for (int pass = 0; pass < 2; pass++)
        for (const char *at = value; syntax_word(&at, &word);) {
            char text[32] = "";
            uint32_t number;
            if (word.size >= sizeof(text))
                return -EINVAL;
            memcpy(text, word.data, word.size);
            int r = parse_end(text, &number);
            /* Nothing is added before all has been read. */
            if (r == 0 && pass == 1)
                r = settings_append(settings, index, &number, sizeof(number));
            if (r < 0)
                return r;
        }
    return 0;
}

int syntax_print_exit_status(size_t index, const void *value, struct buffer *out) {
    uint32_t number;
    char text[32];
    (void)index;
    memcpy(&number, value, sizeof(number));
    if (number < SIGNAL_BASE)
        return buffer_printf(out, "%u", number);
    return buffer_printf(out, "%s", signal_print(number - SIGNAL_BASE, text, sizeof(text)));
}
