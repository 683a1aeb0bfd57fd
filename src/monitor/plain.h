/* Without a screen: one frame of the table as text, or lines of JSON. */
#pragma once

#include "monitor/options.h"

/* Prints what the options ask for on standard output: one frame or sample with `once`, otherwise
 * one sample after another until standard output is closed. The exit status; what failed is on
 * stderr. */
int plain_run(const struct options *options);
