/* What a process reaches beyond its files: devices and the network, as fields of the probe. */
#pragma once

/* Prints one field: its name and its value. */
typedef void reach_print(const char *field, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Tries all of it, and leaves nothing changed. */
void reach_show(reach_print *show);
