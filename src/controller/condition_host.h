/* Conditions about the machine, its kernel and who asks, by systemd.unit(5); for condition.c. */
#pragma once

/* Each says whether a condition holds with that value: 1 or 0; -EINVAL where the value is none;
 * -EOPNOTSUPP where this machine cannot tell. */
typedef int condition_ask(const char *value);

condition_ask condition_architecture, condition_host, condition_kernel_command_line,
    condition_kernel_version, condition_os_release, condition_environment, condition_user,
    condition_group, condition_cpus, condition_memory, condition_capability, condition_security,
    condition_first_boot, condition_controller, condition_memory_pressure, condition_cpu_pressure,
    condition_io_pressure;
