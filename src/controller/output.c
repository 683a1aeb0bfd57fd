#include "controller/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "protocol/json.h"

static void note(struct output *output, int error) {
    if (error < 0 && output->error == 0)
        output->error = error;
}

void output_inspect(struct output *output, bool no_color) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return;
    const char *variable = getenv("NO_COLOR");
    output->width = size.ws_col ? size.ws_col : 80;
    output->colour = !no_color && !(variable && *variable);
}

void output_text(struct output *output, const char *text) {
    note(output, buffer_append(&output->buffer, text, strlen(text)));
}

void output_printf(struct output *output, const char *format, ...) {
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    note(output, size < 0 ? -ENOMEM : buffer_append(&output->buffer, text, (size_t)size));
    if (size >= 0)
        free(text);
}

/* How many bytes the character that begins here has, if it is whole and no control character: 0
 * where it is not, and more than `left` where that cannot be told yet (RFC 3629). */
static size_t character(const unsigned char *at, size_t left) {
    /* The bounds of the second byte, and the length, by the first. */
    static const struct lead {
        unsigned char first, last, least, most;
        size_t size;
    } leads[] = {
        {0x20, 0x7e, 0, 0, 1},          {0xc2, 0xc2, 0xa0, 0xbf, 2}, /* not C1 */
        {0xc3, 0xdf, 0x80, 0xbf, 2},    {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},    {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},    {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},    {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    const struct lead *lead = leads;
    while (lead < leads + sizeof(leads) / sizeof(leads[0]) &&
           (*at < lead->first || *at > lead->last))
        lead++;
    if (lead == leads + sizeof(leads) / sizeof(leads[0]))
        return 0;
    for (size_t i = 1; i < lead->size && i < left; i++)
        if (at[i] < (i == 1 ? lead->least : 0x80) || at[i] > (i == 1 ? lead->most : 0xbf))
            return 0;
    return lead->size;
}

static size_t print_safe(struct output *output, struct holden_view text, bool lines, bool last) {
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t start = 0, at = 0;
    while (at < text.size) {
        if (bytes[at] >= ' ' && bytes[at] < 0x7f) {
            at++;
            continue;
        }
        size_t size = character(bytes + at, text.size - at);
        if (lines && (bytes[at] == '\n' || bytes[at] == '\t'))
            size = 1;
        if (size > text.size - at) {
            if (!last)
                break;
            size = 0;
        }
        if (size == 0) {
            note(output, buffer_append(&output->buffer, text.data + start, at - start));
            note(output, buffer_printf(&output->buffer, "\\x%02x", bytes[at]));
            start = at + 1;
        }
        at += size ? size : 1;
    }
    note(output, buffer_append(&output->buffer, text.data + start, at - start));
    return at;
}

void output_safe(struct output *output, struct holden_view text) {
    print_safe(output, text, false, true);
}

size_t output_safe_text(struct output *output, struct holden_view text, bool last) {
    return print_safe(output, text, true, last);
}

void output_style(struct output *output, enum output_style style) {
    static const char *const codes[] = {
        [OUTPUT_PLAIN] = "\033[0m",  [OUTPUT_BOLD] = "\033[1m", [OUTPUT_GOOD] = "\033[32m",
        [OUTPUT_WARN] = "\033[33m", [OUTPUT_BAD] = "\033[31m", [OUTPUT_DIM] = "\033[2m",
    };
    if (output->colour)
        output_text(output, codes[style]);
}

void output_member(struct output *output, const char *name, struct holden_view text) {
    output_printf(output, ",\"%s\":", name);
    note(output, holden_json_string(text, &output->buffer));
}

void output_object(struct output *output, const struct holden_record *record, const void *message) {
    note(output, holden_json(record, message, &output->buffer));
}

void output_json(struct output *output, const struct holden_record *record, const void *message) {
    output_object(output, record, message);
    output_text(output, "\n");
}

int output_flush(struct output *output) {
    if (output->buffer.size > 0) {
        note(output,
             file_write_all(STDOUT_FILENO, buffer_bytes(&output->buffer), output->buffer.size));
        buffer_consume(&output->buffer, output->buffer.size);
    }
    return output->error;
}

int output_end(struct output *output) {
    int r = output_flush(output);
    buffer_free(&output->buffer);
    return r;
}

void output_time(struct output *output, uint64_t microseconds) {
    time_t seconds = (time_t)(microseconds / 1000000);
    struct tm broken;
    char text[32] = "?";
    if (localtime_r(&seconds, &broken))
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &broken);
    output_printf(output, "%s.%03u", text, (unsigned)(microseconds / 1000 % 1000));
}
