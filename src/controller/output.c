#include "controller/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

void output_safe(struct output *output, struct holden_view text) {
    size_t start = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != 0x7f)
            continue;
        note(output, buffer_append(&output->buffer, text.data + start, i - start));
        note(output, buffer_printf(&output->buffer, "\\x%02x", c));
        start = i + 1;
    }
    note(output, buffer_append(&output->buffer, text.data + start, text.size - start));
}

void output_style(struct output *output, enum output_style style) {
    static const char *const codes[] = {
        [OUTPUT_PLAIN] = "\033[0m",  [OUTPUT_BOLD] = "\033[1m", [OUTPUT_GOOD] = "\033[32m",
        [OUTPUT_WARN] = "\033[33m", [OUTPUT_BAD] = "\033[31m", [OUTPUT_DIM] = "\033[2m",
    };
    if (output->colour)
        output_text(output, codes[style]);
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
