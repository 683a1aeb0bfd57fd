/* ConditionPathExists=, AssertPathExists= and their like, by systemd.unit(5). */
#pragma once

#include <stdbool.h>

/* Whether a condition holds now, as far as the caller can see; `name` is that of the directive,
 * `value` without the | and ! that may stand before it. 0; -ENOENT for a directive that is none of
 * these; -EINVAL where the value is no absolute path. */
int condition_check(const char *name, const char *value, bool *holds);
