/* Values of systemd's for which Holden has another word. */
#pragma once

struct reword {
    const char *name;    /* of the property */
    const char *value;   /* as systemd's unit files have it */
    const char *instead; /* as Holden has it */
    const char *why;     /* how that differs, for a warning; NULL where it does not */
};

/* The row for a value, or NULL where it is taken as it is. Static. */
const struct reword *unit_reword(const char *name, const char *value);
