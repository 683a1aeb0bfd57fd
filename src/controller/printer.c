#include "controller/printer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "common/unit.h"
#include "protocol/json.h"

enum { LINE_MOST = 1 << 20 }; /* of one JSON object: a line that never ends is cut */

void printer_open(struct printer *printer, struct output *output, const struct options *options) {
    output_inspect(output, true);
    *printer = (struct printer){.output = output,
                                .kind = options->json                   ? PRINTER_JSON
                                        : output->width > 0 && !options->raw ? PRINTER_SAFE
                                                                             : PRINTER_RAW};
}

void printer_open_lines(struct printer *printer, struct output *output,
                        int (*line)(void *data, struct holden_view line), void *data) {
    *printer = (struct printer){
        .output = output, .kind = PRINTER_LINES, .line = line, .data = data};
}

/* {"line":"…"}, or {"line":"…","partial":true} for one that goes on in the next object. */
static int print_line(struct printer *printer, bool partial) {
    struct output *output = printer->output;
    struct holden_view line = {(const char *)buffer_bytes(&printer->held), printer->held.size};
    if (printer->kind == PRINTER_LINES) {
        int r = printer->line(printer->data, line);
        buffer_consume(&printer->held, printer->held.size);
        return r;
    }
    output_text(output, "{\"line\":");
    if (holden_json_string(line, &output->buffer) < 0)
        output->error = -ENOMEM;
    output_text(output, partial ? ",\"partial\":true}\n" : "}\n");
    buffer_consume(&printer->held, printer->held.size);
    return output_flush(output);
}

static int print_lines(struct printer *printer, const char *bytes, size_t size) {
    int r = 0;
    while (r == 0 && size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t part = end ? (size_t)(end - bytes) : size;
        size_t room = LINE_MOST - printer->held.size;
        bool cut = part > room;
        if (cut)
            part = room;
        r = buffer_append(&printer->held, bytes, part);
        if (r == 0 && (end || cut))
            r = print_line(printer, cut);
        part += end && !cut;
        bytes += part;
        size -= part;
    }
    return r;
}

/* The ends of lines stay, and tabs; a character that is not whole yet waits for the rest. */
static int print_safe(struct printer *printer, const char *bytes, size_t size, bool last) {
    struct output *output = printer->output;
    int r = buffer_append(&printer->held, bytes, size);
    if (r < 0)
        return r;
    struct holden_view text = {(const char *)buffer_bytes(&printer->held), printer->held.size};
    buffer_consume(&printer->held, output_safe_text(output, text, last));
    return output_flush(output);
}

int printer_bytes(struct printer *printer, const char *bytes, size_t size) {
    switch (printer->kind) {
    case PRINTER_LINES:
    case PRINTER_JSON: return print_lines(printer, bytes, size);
    case PRINTER_SAFE: return print_safe(printer, bytes, size, false);
    default: return file_write_all(STDOUT_FILENO, bytes, size);
    }
}

int printer_missed(struct printer *printer, const char *name, uint64_t count) {
    char text[32];
    if (printer->kind == PRINTER_JSON) {
        output_printf(printer->output, "{\"missed\":%" PRIu64 "}\n", count);
        return output_flush(printer->output);
    }
    log_warning("%s of the output of %s were given back before they could be read (LogMax=)",
                unit_format_size_short(count, text, sizeof(text)), name);
    return 0;
}

int printer_close(struct printer *printer) {
    int r = 0;
    if (printer->held.size > 0)
        r = printer->kind == PRINTER_SAFE ? print_safe(printer, "", 0, true)
                                          : print_line(printer, false);
    buffer_free(&printer->held);
    return r;
}
