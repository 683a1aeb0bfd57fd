#include "agent/variables.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/outcome.h"

static void set(struct variables *variables, enum late variable, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void set(struct variables *variables, enum late variable, const char *format, ...) {
    char *text = variables->text[variable];
    size_t space = sizeof(variables->text[variable]);
    int used = snprintf(text, space, "%s=", late_name(variable));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, space - (size_t)used, format, arguments);
    va_end(arguments);
    variables->list[variables->count++] = holden_view(text);
}

void variables_fill(struct variables *variables, const struct process *process) {
    const struct outcome *outcome = &process->outcome;
    *variables = (struct variables){0};
    if (process->ran && !process->main_ended && process->pid > 0)
        set(variables, LATE_MAINPID, "%d", (int)process->pid);
    if (process->stopping)
        set(variables, LATE_SERVICE_RESULT, "%s", outcome_result(process));
    if (!process->ran || !process->main_ended || outcome->code == 0)
        return;
    set(variables, LATE_EXIT_CODE, "%s",
        outcome->code == CLD_EXITED ? "exited" : outcome->code == CLD_KILLED ? "killed" : "dumped");
    const char *name = outcome->code == CLD_EXITED ? NULL : sigabbrev_np(outcome->status);
    if (name)
        set(variables, LATE_EXIT_STATUS, "%s", name);
    else
        set(variables, LATE_EXIT_STATUS, "%d", outcome->status);
}

/* The value of the variable of that name, or NULL where it is not set. */
static const char *value_of(const struct variables *variables, const char *name, size_t size) {
    enum late variable = late_find(name, size);
    if (variable == LATE_VARIABLES || variables->text[variable][0] == '\0')
        return NULL;
    return variables->text[variable] + size + 1;
}

static bool is_late(const struct holden_exec *exec, uint32_t index) {
    struct holden_repeated left = exec->late;
    uint32_t late;
    while (HOLDEN_HAS(exec, exec, late) && holden_next_u32(&left, &late))
        if (late == index)
            return true;
    return false;
}

/* ${NAME} and $$ replaced. */
static int replace(const struct variables *variables, struct holden_view word,
                   struct buffer *out) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < word.size;) {
        const char *at = word.data + i;
        size_t left = word.size - i;
        const char *close = at[0] == '$' && left > 1 && at[1] == '{' ? memchr(at, '}', left) : NULL;
        bool dollar = at[0] == '$' && left > 1 && at[1] == '$';
        size_t used = close ? (size_t)(close - at) + 1 : dollar ? 2 : 1;
        const char *value = close ? value_of(variables, at + 2, used - 3) : NULL;
        r = close ? buffer_append(out, value ? value : "", value ? strlen(value) : 0)
                  : buffer_append(out, at, 1);
        i += used;
    }
    return r;
}

/* One that is a variable as a whole, $NAME, and not set, is no word at all. 1: it is one, and
 * `word` has its size and, once all are there, what it is; 0; -ENOMEM. */
static int expand(const struct variables *variables, struct holden_view *word,
                  struct buffer *text) {
    size_t before = text->size;
    if (word->size > 1 && word->data[0] == '$' && word->data[1] != '{' && word->data[1] != '$') {
        const char *value = value_of(variables, word->data + 1, word->size - 1);
        if (!value)
            return 0;
        if (buffer_append(text, value, strlen(value)) < 0)
            return -ENOMEM;
    } else if (replace(variables, *word, text) < 0)
        return -ENOMEM;
    *word = (struct holden_view){NULL, text->size - before};
    return 1;
}

int variables_expand(const struct variables *variables, const struct holden_exec *exec,
                     struct variables_words *words) {
    struct holden_repeated left = exec->argument;
    struct holden_view word;
    *words = (struct variables_words){.list = calloc(left.count + 1U, sizeof(*words->list))};
    if (!words->list)
        return -ENOMEM;
    for (uint32_t i = 0; holden_next_view(&left, &word); i++) {
        int r = is_late(exec, i) ? expand(variables, &word, &words->text) : 1;
        if (r < 0)
            return r;
        if (r > 0)
            words->list[words->count++] = word;
    }
    /* The text has its place now. */
    const char *at = (const char *)buffer_bytes(&words->text);
    for (uint32_t i = 0; i < words->count; i++)
        if (!words->list[i].data) {
            words->list[i].data = at;
            at += words->list[i].size;
        }
    return words->count > 0 && words->list[0].size > 0 ? 0 : -EINVAL;
}

void variables_free_words(struct variables_words *words) {
    free(words->list);
    buffer_free(&words->text);
}
