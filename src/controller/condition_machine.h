/* Conditions about what a machine is made of and the state that its system is in, by
 * systemd.unit(5); for condition.c. */
#pragma once

#include <stdbool.h>

#include "controller/condition_host.h"

condition_ask condition_firmware, condition_ac_power, condition_cpu_feature, condition_credential,
    condition_needs_update;

/* Whether all that the file system of a path lies on is encrypted by the kernel (dm-crypt). */
bool condition_path_is_encrypted(const char *path);
