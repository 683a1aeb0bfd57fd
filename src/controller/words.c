#include "controller/words.h"

#include <string.h>

char *words_show(const char *text, char shown[WORDS_SHOWN]) {
    static const char cut[] = "\xe2\x80\xa6";
    size_t size = strlen(text);
    size_t most = size < WORDS_SHOWN ? size : WORDS_SHOWN - sizeof(cut);
    for (size_t i = 0; i < most; i++) {
        unsigned char c = (unsigned char)text[i];
        shown[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    memcpy(shown + most, cut, size > most ? sizeof(cut) : 1);
    if (size <= most)
        shown[most] = '\0';
    return shown;
}
