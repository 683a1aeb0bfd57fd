/* Conditions about what kind of virtual machine or container this is, by systemd.unit(5) and
 * systemd-detect-virt(1); for condition.c. */
#pragma once

#include <stdbool.h>

#include "controller/condition_host.h"

condition_ask condition_virtualization;

/* What this is, as systemd-detect-virt(1) calls it, the innermost of several: a container, else a
 * machine; "none" for neither. Static. *container says whether it is a container. */
const char *condition_virtual(bool *container);
