/* Names of units, by systemd.unit(5): PREFIX.service, PREFIX@INSTANCE.service, or NAME.slice. */
#pragma once

#include <stdbool.h>

#include "common/buffer.h"

enum { UNIT_NAME_SIZE = 256 };

struct unit_name {
    char full[UNIT_NAME_SIZE];     /* web@2.service */
    char stem[UNIT_NAME_SIZE];     /* web@2 */
    char prefix[UNIT_NAME_SIZE];   /* web */
    char instance[UNIT_NAME_SIZE]; /* 2; empty for a template and where there is none */
    bool templated;                /* it has an @ */
    bool slice;                    /* it is of a slice; without an instance */
};

/* Takes a name apart. 0; -EINVAL for what is the name of neither a service unit nor a slice. */
int unit_name_parse(const char *text, struct unit_name *name);

/* "service" or "slice". Static. */
const char *unit_name_kind(const struct unit_name *name);

/* The name of its template: web@.service. Into `text` of UNIT_NAME_SIZE bytes, which is returned.
 */
char *unit_name_template(const struct unit_name *name, char *text);

/* Appends the text with systemd's escapes undone: - is /, \xHH a byte (systemd-escape(1)). 0;
 * -EINVAL for a broken escape or a zero byte; -ENOMEM. */
int unit_name_unescape(const char *text, struct buffer *out);
