#include "controller/words.h"

#include <stdbool.h>
#include <string.h>

#include "protocol/json.h"

char *words_show(const char *text, char shown[WORDS_SHOWN]) {
    static const char cut[] = "\xe2\x80\xa6";
    size_t size = strlen(text);
    size_t most = size < WORDS_SHOWN ? size : WORDS_SHOWN - sizeof(cut);
    bool utf8 = holden_json_is_utf8(holden_view(text));
    while (utf8 && most < size && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    for (size_t i = 0; i < most; i++) {
        unsigned char c = (unsigned char)text[i];
        bool c1 = c == 0xc2 && (unsigned char)text[i + 1] < 0xa0;
        shown[i] = c < 0x20 || c == 0x7f || c1 || (c >= 0x80 && !utf8) ? '?' : (char)c;
        if (c1 && i + 1 < most)
            shown[++i] = '?';
    }
    memcpy(shown + most, cut, size > most ? sizeof(cut) : 1);
    if (size <= most)
        shown[most] = '\0';
    return shown;
}
