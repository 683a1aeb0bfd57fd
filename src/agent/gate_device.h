/* DevicePolicy= and DeviceAllow= as a program of the kernel's, by systemd.resource-control(5). */
#pragma once

#include "agent/bytecode.h"
#include "protocol/message.h"

/* Appends what the properties ask for; nothing where they allow every device. PrivateDevices= and
 * ProtectClock= have the part that systemd.exec(5) gives them: the first closes, the second allows
 * to read clocks where it is closed. Classes of devices are those that
 * the kernel has now. 0 or -errno. */
int gate_device_build(const struct holden_properties *properties, struct bytecode *program);
