/* Words by the quoting of systemd.syntax(7): white space separates, double and single quotes keep
 * it, \n, \t, \s, \\, \", \', \xHH, \OOO, \uHHHH, \UHHHHHHHH stand for characters. */
#pragma once

#include <stdbool.h>

#include "common/buffer.h"

#define QUOTING_SPACE " \t\r\n"

enum quoting_mode {
    QUOTING_STRICT,  /* Environment=: an unknown \ sequence is an error */
    QUOTING_COMMAND, /* ExecStart=: it stays as it is written */
    QUOTING_VALUE,   /* the value of a variable: \ keeps the next character, an open quote ends with
                      * the text */
};

/* Takes the next item off *at; its bytes are appended to `item`. 1 with an item, 0 at the end,
 * -EINVAL for an open quote or an unknown escape (as the mode says), -ENOMEM. */
int quoting_item(const char **at, enum quoting_mode mode, struct buffer *item);

/* Appends the whole text with its \ sequences replaced; quotes mean nothing. 0; -EINVAL for an
 * unknown sequence; -ENOMEM. */
int quoting_unescape(const char *text, struct buffer *out);

/* Appends text such that quoting_item() reads these bytes, inside quotes as well as outside: every
 * byte that means something there becomes \xHH. 0 or -ENOMEM. */
int quoting_append(struct buffer *out, const char *text, size_t size);
