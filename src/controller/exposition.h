/* Metrics as text: OpenMetrics 1.0, or the older text format of Prometheus, which is what
 * node_exporter's textfile collector takes. A family is begun, then come its samples. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "controller/output.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_INFO };
enum metric_unit { METRIC_NONE, METRIC_SECONDS, METRIC_BYTES };

struct exposition {
    struct output *output; /* borrowed */
    bool classic;          /* the older format */
    char name[96];         /* of the family, with its unit */
    enum metric_type type;
    enum metric_unit unit;
    bool begun;            /* its metadata is printed: it has a sample */
    const char *doc;
    bool labelled;         /* the sample has a label already */
};

/* What follows are samples of this family; without any of them nothing of it is printed. Its whole
 * name is PREFIX_NAME, with the unit behind it. */
void exposition_family(struct exposition *exposition, const char *prefix, const char *name,
                       enum metric_type type, enum metric_unit unit, const char *doc);

/* A sample: begun, given any number of labels, ended with its value. Values of labels may hold any
 * text; they are escaped. Times are given in microseconds. */
void exposition_begin(struct exposition *exposition);
void exposition_label(struct exposition *exposition, const char *name, struct holden_view value);
void exposition_end(struct exposition *exposition, uint64_t value);

/* The end of it all. */
void exposition_finish(struct exposition *exposition);
