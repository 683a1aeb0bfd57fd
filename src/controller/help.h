/* Help, made from the tables. */
#pragma once

#include "controller/command.h"

/* Prints the overview: all verbs and the global options. */
void help_overview(struct output *output);

/* Prints the help of one verb. */
void help_verb(struct output *output, const struct verb *verb);
