#include "controller/exec_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/late.h"
#include "controller/quoting.h"

enum holden_exec_rights_values exec_line_rights(const struct exec_command *command) {
    return command->full      ? HOLDEN_exec_rights_FULL
           : command->as_root ? HOLDEN_exec_rights_NO_USER
                              : HOLDEN_exec_rights_UNIT;
}

/* Words while they are being gathered; all in the arena. */
struct words {
    struct arena *arena;
    struct holden_view *list;
    uint32_t count;
};

static int push(struct words *words, const void *bytes, size_t size) {
    if ((words->count & (words->count - 1)) == 0) {
        size_t space = words->count ? words->count * 2 : 1;
        struct holden_view *list = arena_take(words->arena, space * sizeof(*list));
        if (!list)
            return -ENOMEM;
        if (words->count > 0)
            memcpy(list, words->list, words->count * sizeof(*list));
        words->list = list;
    }
    const char *copy = arena_copy(words->arena, bytes, size);
    if (!copy)
        return -ENOMEM;
    words->list[words->count++] = (struct holden_view){copy, size};
    return 0;
}

/* ---- reading ---- */

struct reader {
    struct words words;
    struct specifier *specifier;
    char *wrong;
};

static int refuse(struct reader *reader, const char *what) {
    snprintf(reader->wrong, 160, "%s", what);
    return -EINVAL;
}

static int refuse_specifier(struct reader *reader, int error) {
    if (error == -ENOMEM)
        return error;
    snprintf(reader->wrong, 160, "%%%c has no value here: %s", reader->specifier->wrong,
             strerror(-error));
    return -EINVAL;
}

/* The next word, unquoted. 1, 0 at the end, or refused. */
static int take_word(struct reader *reader, const char **at, struct buffer *word) {
    int r = quoting_item(at, QUOTING_COMMAND, word);
    return r == -EINVAL ? refuse(reader, "an open quote") : r;
}

static int end_word(struct buffer *word) {
    return buffer_append(word, "", 1);
}

/* Outside of unit files there are no specifiers. */
static int expand(struct reader *reader, const char *text, struct buffer *out) {
    if (!reader->specifier)
        return buffer_append(out, text, strlen(text));
    int r = specifier_expand(reader->specifier, text, out);
    return r < 0 ? refuse_specifier(reader, r) : 0;
}

static int push_expanded(struct reader *reader, const char *text) {
    _cleanup_(buffer_free) struct buffer word = {0};
    int r = expand(reader, text, &word);
    if (r < 0)
        return r;
    return push(&reader->words, buffer_bytes(&word), word.size);
}

/* The characters before the program's path; as systemd has it, one of + ! !! at most. */
static const char *take_prefixes(const char *text, struct exec_command *command) {
    for (;; text++) {
        bool privileged = command->full || command->as_root || command->ambient;
        if (*text == '-' && !command->ignore_failure)
            command->ignore_failure = true;
        else if (*text == '@' && !command->named)
            command->named = true;
        else if (*text == ':' && !command->literal)
            command->literal = true;
        else if (*text == '+' && !privileged)
            command->full = true;
        else if (*text == '!' && !privileged)
            command->as_root = true;
        else if (*text == '!' && command->as_root)
            command->as_root = false, command->ambient = true;
        else
            return text;
    }
}

static int check_program(struct reader *reader, const char *program) {
    size_t size = strlen(program);
    if (size == 0)
        return refuse(reader, "the command is empty");
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)program[i] < 0x20 || program[i] == 0x7f)
            return refuse(reader, "control characters in the command's path");
    if (program[size - 1] == '/')
        return refuse(reader, "the command's path is a directory");
    if (program[0] != '/' && (strchr(program, '/') || strcmp(program, ".") == 0 ||
                              strcmp(program, "..") == 0))
        return refuse(reader, "the command is neither an absolute path nor a plain name");
    return 0;
}

static int take_program(struct reader *reader, const char **at, struct exec_command *command) {
    _cleanup_(buffer_free) struct buffer word = {0};
    _cleanup_(buffer_free) struct buffer program = {0};
    int r = take_word(reader, at, &word);
    if (r <= 0)
        return r < 0 ? r : refuse(reader, "the command is empty");
    r = end_word(&word);
    if (r < 0)
        return r;
    const char *path = take_prefixes((const char *)buffer_bytes(&word), command);
    r = expand(reader, path, &program);
    if (r < 0)
        return r;
    command->program = arena_copy(reader->words.arena, (const char *)buffer_bytes(&program),
                                  program.size);
    if (!command->program)
        return -ENOMEM;
    r = check_program(reader, command->program);
    if (r < 0 || command->named)
        return r;
    return push(&reader->words, command->program, program.size);
}

static bool ends_word(char c) {
    return c == '\0' || strchr(QUOTING_SPACE, c);
}

/* The arguments up to the end or to a ; that stands alone. */
static int take_arguments(struct reader *reader, const char **at) {
    for (;;) {
        _cleanup_(buffer_free) struct buffer word = {0};
        *at += strspn(*at, QUOTING_SPACE);
        if ((*at)[0] == ';' && ends_word((*at)[1])) {
            ++*at;
            return 0;
        }
        bool semicolon = (*at)[0] == '\\' && (*at)[1] == ';' && ends_word((*at)[2]);
        int r = semicolon ? buffer_append(&word, ";", 1) : take_word(reader, at, &word);
        if (semicolon)
            *at += 2;
        else if (r <= 0)
            return r;
        if (r >= 0)
            r = end_word(&word);
        if (r == 0)
            r = push_expanded(reader, (const char *)buffer_bytes(&word));
        if (r < 0)
            return r;
    }
}

static void append(struct exec_list *list, struct exec_command *command) {
    if (!list->end)
        list->end = &list->first;
    *list->end = command;
    list->end = &command->next;
}

static int take_command(struct reader *reader, const char **at, struct exec_list *list) {
    struct exec_command *command = arena_take(reader->words.arena, sizeof(*command));
    if (!command)
        return -ENOMEM;
    reader->words = (struct words){.arena = reader->words.arena};
    int r = take_program(reader, at, command);
    if (r == 0)
        r = take_arguments(reader, at);
    if (r < 0)
        return r;
    if (reader->words.count == 0 || reader->words.list[0].size == 0)
        return refuse(reader, "@ wants a name for the program after its path");
    command->words = reader->words.list;
    command->count = reader->words.count;
    append(list, command);
    return 0;
}

int exec_line_parse(struct arena *arena, struct specifier *specifier, const char *value,
                    struct exec_list *list, char wrong[160]) {
    struct reader reader = {
        .words = {.arena = arena}, .specifier = specifier, .wrong = wrong};
    wrong[0] = '\0';
    do {
        int r = take_command(&reader, &value, list);
        if (r < 0)
            return r;
        value += strspn(value, QUOTING_SPACE);
    } while (*value);
    return 0;
}

/* ---- variables ---- */

/* The value of a variable; false where it is not there. */
static bool look_up(struct holden_repeated environment, const char *name, size_t size,
                    struct holden_view *value) {
    struct holden_view assignment;
    while (holden_next_view(&environment, &assignment))
        if (assignment.size > size && assignment.data[size] == '=' &&
            memcmp(assignment.data, name, size) == 0) {
            *value = (struct holden_view){assignment.data + size + 1, assignment.size - size - 1};
            return true;
        }
    return false;
}

/* $NAME as a word: as many words as its value has. */
static int push_split(struct words *words, struct holden_repeated environment, const char *name) {
    struct holden_view value;
    if (!look_up(environment, name, strlen(name), &value))
        return 0;
    const char *at = arena_copy(words->arena, value.data, value.size);
    if (!at)
        return -ENOMEM;
    for (;;) {
        _cleanup_(buffer_free) struct buffer word = {0};
        int r = quoting_item(&at, QUOTING_VALUE, &word);
        if (r == 1)
            r = push(words, buffer_bytes(&word), word.size) < 0 ? -ENOMEM : 1;
        if (r <= 0)
            return r;
    }
}

/* Whether only the agent knows that variable. */
static bool is_late(struct holden_repeated environment, const char *name, size_t size) {
    struct holden_view value;
    return late_find(name, size) != LATE_VARIABLES && !look_up(environment, name, size, &value);
}

/* The size of a ${NAME} that the word has at `i`, or 0. */
static size_t variable_at(struct holden_view word, size_t i) {
    const char *at = word.data + i;
    size_t left = word.size - i;
    const char *close = at[0] == '$' && left > 1 && at[1] == '{' ? memchr(at, '}', left) : NULL;
    return close ? (size_t)(close - at) + 1 : 0;
}

/* Whether a word is a variable as a whole: $NAME. */
static bool stands_alone(struct holden_view word) {
    return word.size > 0 && word.data[0] == '$' &&
           (word.size == 1 || (word.data[1] != '{' && word.data[1] != '$'));
}

/* Whether the word names a variable that only the agent knows. */
static bool names_late(struct holden_repeated environment, struct holden_view word) {
    if (stands_alone(word))
        return is_late(environment, word.data + 1, word.size - 1);
    for (size_t i = 0; i < word.size; i++) {
        size_t used = variable_at(word, i);
        if (used > 0 && is_late(environment, word.data + i + 2, used - 3))
            return true;
        if (used == 0 && i + 1 < word.size && word.data[i] == '$' && word.data[i + 1] == '$')
            i++;
    }
    return false;
}

/* What the agent is to read again: each $ of it is doubled. */
static int append_escaped(struct buffer *out, struct holden_view text) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < text.size; i++)
        r = buffer_append(out, text.data[i] == '$' ? "$$" : text.data + i,
                          text.data[i] == '$' ? 2 : 1);
    return r;
}

/* A word with its ${NAME} and $$ replaced; of a late one, only what is known here. */
static int push_replaced(struct words *words, struct holden_repeated environment,
                         struct holden_view word, bool late) {
    _cleanup_(buffer_free) struct buffer out = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < word.size;) {
        const char *at = word.data + i;
        size_t left = word.size - i;
        size_t variable = variable_at(word, i);
        bool dollar = at[0] == '$' && left > 1 && at[1] == '$';
        bool left_over = variable > 0 && late && is_late(environment, at + 2, variable - 3);
        struct holden_view value = {at, variable > 0 ? 0 : 1};
        size_t used = variable > 0 ? variable : dollar ? 2 : 1;
        if (left_over)
            value.size = variable;
        else if (variable > 0)
            look_up(environment, at + 2, variable - 3, &value);
        r = late && !left_over ? append_escaped(&out, value)
                               : buffer_append(&out, value.data, value.size);
        i += used;
    }
    return r < 0 ? r : push(words, buffer_bytes(&out), out.size);
}

/* The numbers of the words that are late, as the list that is sent. */
static int push_late(const struct words *words, struct holden_repeated *late) {
    uint32_t number = words->count;
    uint32_t *list = (uint32_t *)late->items;
    if ((late->count & (late->count - 1)) == 0) {
        list = arena_take(words->arena, (late->count ? late->count * 2 : 1) * sizeof(*list));
        if (!list)
            return -ENOMEM;
        if (late->count > 0)
            memcpy(list, late->items, late->count * sizeof(*list));
        late->items = list;
    }
    list[late->count++] = number;
    return 0;
}

int exec_line_expand(struct arena *arena, const struct exec_command *command,
                     struct holden_repeated environment, struct holden_view **list,
                     uint32_t *count, struct holden_repeated *late) {
    struct words words = {.arena = arena};
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < command->count; i++) {
        struct holden_view word = command->words[i];
        bool is_late = late && !command->literal && names_late(environment, word);
        if (is_late && (r = push_late(&words, late)) < 0)
            return r;
        if (command->literal || (is_late && stands_alone(word)))
            r = push(&words, word.data, word.size);
        else if (stands_alone(word))
            r = push_split(&words, environment, word.data + 1);
        else
            r = push_replaced(&words, environment, word, is_late);
    }
    if (r < 0)
        return r;
    *list = words.list;
    *count = words.count;
    return 0;
}
