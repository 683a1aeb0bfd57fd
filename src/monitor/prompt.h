/* The line at the foot of the screen that asks: a yes or no, or a few words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { PROMPT_TEXT = 200 };

enum prompt_result {
    PROMPT_SAME,    /* the key means nothing here */
    PROMPT_CHANGED, /* the text is another */
    PROMPT_DONE,    /* yes, or Enter */
    PROMPT_LEFT,    /* no, or Esc */
};

struct prompt {
    bool confirm;             /* asks for yes or no only */
    char text[PROMPT_TEXT];   /* what has been typed */
    size_t size;
};

/* Takes a key (terminal.h): y and n, or text with Backspace, Ctrl-U (all), Ctrl-W (a word). */
enum prompt_result prompt_key(struct prompt *prompt, int key);
