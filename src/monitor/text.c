#include "monitor/text.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* A character as it is shown: bytes of input taken, and bytes and columns of output. */
struct shown {
    size_t taken;
    const char *data;
    size_t size;
    unsigned columns;
};

bool text_is_utf8(void) {
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void text_add(char *text, size_t space, const char *format, ...) {
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, space - used, format, arguments);
    va_end(arguments);
}

static struct shown show(struct holden_view text, size_t at, bool utf8) {
    const char *here = text.data + at;
    unsigned char byte = (unsigned char)*here;
    if (byte < 0x80)
        return (struct shown){1, byte >= 0x20 && byte != 0x7f ? here : "?", 1, 1};
    wchar_t wide;
    mbstate_t state = {0};
    size_t size = utf8 ? mbrtowc(&wide, here, text.size - at, &state) : (size_t)-1;
    if (size == 0 || size > text.size - at)
        return (struct shown){1, "?", 1, 1};
    int columns = wcwidth(wide);
    if (columns < 0)
        return (struct shown){size, "?", 1, 1};
    return (struct shown){size, here, columns ? size : 0, (unsigned)columns};
}

unsigned text_width(struct holden_view text, unsigned most, bool utf8) {
    unsigned columns = 0;
    for (size_t at = 0; at < text.size && columns < most;) {
        struct shown shown = show(text, at, utf8);
        columns += shown.columns;
        at += shown.taken;
    }
    return columns < most ? columns : most;
}

unsigned text_fit(struct holden_view text, unsigned columns, bool utf8, char *out, size_t space) {
    struct holden_view cut = holden_view(utf8 ? "…" : "+");
    unsigned used = 0;
    size_t size = 0;
    /* Where the text still ends if it turns out to be too long: one column before the edge. */
    unsigned cut_used = 0;
    size_t cut_size = 0;
    for (size_t at = 0; at < text.size;) {
        struct shown shown = show(text, at, utf8);
        if (used + shown.columns > columns || size + shown.size + cut.size >= space) {
            if (columns == 0 || cut_size + cut.size >= space)
                break;
            memcpy(out + cut_size, cut.data, cut.size);
            size = cut_size + cut.size;
            used = cut_used + 1;
            break;
        }
        memcpy(out + size, shown.data, shown.size);
        used += shown.columns;
        size += shown.size;
        at += shown.taken;
        if (used < columns) {
            cut_used = used;
            cut_size = size;
        }
    }
    out[size] = '\0';
    return used;
}
