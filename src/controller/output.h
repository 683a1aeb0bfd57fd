/* What a verb prints on standard output: gathered, and written in as few calls as possible. Running
 * out of memory for it is told by output_flush(). */
#pragma once

#include <stdbool.h>

#include "protocol/codec.h"

enum output_style { OUTPUT_PLAIN, OUTPUT_BOLD, OUTPUT_GOOD, OUTPUT_WARN, OUTPUT_BAD, OUTPUT_DIM };

struct output {
    struct buffer buffer;
    int error;       /* first error, -errno, or 0 */
    unsigned width;  /* columns of the terminal; 0 where standard output is none */
    bool colour;
};

/* Finds out whether standard output is a terminal, how wide it is, and whether colours are wanted:
 * never without a terminal, with `no_color`, or with a NO_COLOR variable that is not empty. */
void output_inspect(struct output *output, bool no_color);

/* Append text: as it is; formatted; or with every byte shown as \xNN that could steer a terminal
 * which takes UTF-8: control characters, C0 and C1, and what is no character. */
void output_text(struct output *output, const char *text);
void output_printf(struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void output_safe(struct output *output, struct holden_view text);

/* Appends a point in time, of microseconds since 1970, in the local time zone, to milliseconds. */
void output_time(struct output *output, uint64_t microseconds);

/* The same as output_safe() for text with lines: ends of lines and tabs are kept, and a character
 * at the end that is not whole is left for the next time unless this is the `last`. How many bytes
 * were taken. */
size_t output_safe_text(struct output *output, struct holden_view text, bool last);

/* Appends the codes that begin a style, or end it with OUTPUT_PLAIN; nothing without colours. */
void output_style(struct output *output, enum output_style style);

/* Appends a further member of a JSON object, with the comma before it: ,"name":"text". */
void output_member(struct output *output, const char *name, struct holden_view text);

/* Appends `message` as a JSON object, or as one line of JSON. */
void output_object(struct output *output, const struct holden_record *record, const void *message);
void output_json(struct output *output, const struct holden_record *record, const void *message);

/* Writes what has been gathered. 0; -errno of a write, now or earlier, or -ENOMEM. */
int output_flush(struct output *output);

/* Writes what has been gathered and frees the memory. As output_flush(). */
int output_end(struct output *output);
