#include "monitor/prompt.h"

#include "monitor/terminal.h"

static enum prompt_result answer(int key) {
    if (key == 'y' || key == 'Y')
        return PROMPT_DONE;
    return key == 'n' || key == 'N' || key == 'q' || key == TERMINAL_ESCAPE || key == TERMINAL_ENTER
               ? PROMPT_LEFT : PROMPT_SAME;
}

static enum prompt_result shorten(struct prompt *prompt, size_t size) {
    if (prompt->size == size)
        return PROMPT_SAME;
    prompt->size = size;
    prompt->text[size] = '\0';
    return PROMPT_CHANGED;
}

static size_t word_start(const struct prompt *prompt) {
    size_t at = prompt->size;
    while (at > 0 && prompt->text[at - 1] == ' ')
        at--;
    while (at > 0 && prompt->text[at - 1] != ' ')
        at--;
    return at;
}

enum prompt_result prompt_key(struct prompt *prompt, int key) {
    if (prompt->confirm)
        return answer(key);
    if (key == TERMINAL_ENTER)
        return PROMPT_DONE;
    if (key == TERMINAL_ESCAPE)
        return PROMPT_LEFT;
    if (key == TERMINAL_BACKSPACE)
        return shorten(prompt, prompt->size ? prompt->size - 1 : 0);
    if (key == TERMINAL_CONTROL('U'))
        return shorten(prompt, 0);
    if (key == TERMINAL_CONTROL('W'))
        return shorten(prompt, word_start(prompt));
    if (key < ' ' || key > '~' || prompt->size + 1 >= sizeof(prompt->text))
        return PROMPT_SAME;
    prompt->text[prompt->size++] = (char)key;
    prompt->text[prompt->size] = '\0';
    return PROMPT_CHANGED;
}
