/* ConditionPathExists=, AssertMemory= and their like, by systemd.unit(5). The caller stands where
 * systemd's manager does: its environment, user, groups, CPUs and capabilities are meant. */
#pragma once

#include <stdbool.h>

/* Whether a directive is one of these. */
bool condition_known(const char *name);

/* Whether a condition holds now, as far as the caller can see; `name` is that of the directive,
 * `value` without the | and ! that may stand before it. 0 with *holds; or, with `why` in words,
 * -EINVAL where the value is none, -EOPNOTSUPP where this machine cannot tell, -ENOENT for a
 * directive that is none of these. */
int condition_check(const char *name, const char *value, bool *holds, char why[160]);
