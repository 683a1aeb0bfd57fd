#include "controller/condition_virtual.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "common/cleanup.h"
#include "common/file.h"
#include "controller/directive.h"

#define NONE "none"
#define OTHER_CONTAINER "container-other"
#define OTHER_MACHINE "vm-other"
#define DMI "/sys/class/dmi/id/"

enum { TEXT = 4096 };

/* A text that something begins with, and the name for that. */
struct sign {
    const char *text, *name;
};

static const char *look_up(const struct sign *signs, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++)
        if (strncmp(text, signs[i].text, strlen(signs[i].text)) == 0)
            return signs[i].name;
    return NULL;
}

static bool read_text(const char *path, char text[TEXT]) {
    *text = '\0';
    return file_read(AT_FDCWD, path, text, TEXT) >= 0;
}

/* ---- containers ---- */

static const char *const containers[] = {
    "systemd-nspawn", "lxc-libvirt", "lxc",   "openvz", "docker",
    "podman",         "rkt",         "wsl",   "proot",  "pouch",
};

/* What a container's manager leaves at its root. */
static const char *container_of_files(void) {
    static const struct sign files[] = {{"/run/.containerenv", "podman"},
                                        {"/.dockerenv", "docker"}};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        if (access(files[i].text, F_OK) == 0)
            return files[i].name;
    return NULL;
}

/* By what the manager calls itself. */
static const char *container_named(char *name) {
    name[strcspn(name, "\n")] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(containers); i++)
        if (strcmp(name, containers[i]) == 0)
            return containers[i];
    const char *found = strcmp(name, "oci") == 0 ? container_of_files() : NULL;
    return found ? found : OTHER_CONTAINER;
}

/* The variable "container" of process 1, which only root may read. */
static bool read_environment(char text[TEXT]) {
    FILE *file = fopen("/proc/1/environ", "re");
    _cleanup_free_ char *line = NULL;
    size_t room = 0;
    *text = '\0';
    while (file && !*text && getdelim(&line, &room, '\0', file) > 0)
        if (strncmp(line, "container=", 10) == 0)
            snprintf(text, TEXT, "%s", line + 10);
    if (file)
        fclose(file);
    return *text;
}

static bool is_traced_by_proot(void) {
    char text[TEXT], path[64];
    const char *tracer = read_text("/proc/self/status", text) ? strstr(text, "\nTracerPid:") : NULL;
    unsigned long pid = tracer ? strtoul(tracer + 11, NULL, 10) : 0;
    if (pid == 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%lu/comm", pid);
    return read_text(path, text) && strncmp(text, "proot", 5) == 0;
}

/* Only a cgroup that is not the root of all has this file. */
static bool is_below_the_root(void) {
    return access("/sys/fs/cgroup/cgroup.events", F_OK) == 0 ||
           access("/sys/fs/cgroup/unified/cgroup.events", F_OK) == 0;
}

static const char *find_container(void) {
    char text[TEXT];
    if (access("/proc/vz", F_OK) == 0 && access("/proc/bc", F_OK) < 0)
        return "openvz";
    if (read_text("/proc/sys/kernel/osrelease", text) &&
        (strstr(text, "Microsoft") || strstr(text, "WSL")))
        return "wsl";
    if (is_traced_by_proot())
        return "proot";
    if ((read_text("/run/host/container-manager", text) && *text) ||
        (read_text("/run/systemd/container", text) && *text) || read_environment(text))
        return container_named(text);
    const char *found = container_of_files();
    return found ? found : is_below_the_root() ? OTHER_CONTAINER : NULL;
}

/* ---- machines ---- */

/* What the firmware says of its maker (dmi(7) of the kernel's documentation). */
static const char *find_by_firmware(void) {
    static const char *const files[] = {DMI "product_name", DMI "sys_vendor", DMI "board_vendor",
                                        DMI "bios_vendor", DMI "product_version"};
    static const struct sign makers[] = {
        {"KVM", "kvm"},           {"OpenStack", "kvm"},        {"KubeVirt", "kvm"},
        {"Amazon EC2", "amazon"}, {"QEMU", "qemu"},            {"VMware", "vmware"},
        {"VMW", "vmware"},        {"innotek GmbH", "oracle"},  {"VirtualBox", "oracle"},
        {"Xen", "xen"},           {"Bochs", "bochs"},          {"Parallels", "parallels"},
        {"BHYVE", "bhyve"},       {"Hyper-V", "microsoft"},    {"Apple Virtualization", "apple"},
    };
    const char *found = NULL;
    char text[TEXT];
    for (size_t i = 0; !found && i < ARRAY_SIZE(files); i++)
        if (read_text(files[i], text))
            found = look_up(makers, ARRAY_SIZE(makers), text);
    return found;
}

/* What the CPU says of whoever runs this machine: NULL where nobody does. */
static const char *find_by_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
    static const struct sign makers[] = {
        {"XenVMMXenVMM", "xen"},    {"KVMKVMKVM", "kvm"},          {"Linux KVM Hv", "kvm"},
        {"TCGTCGTCGTCG", "qemu"},   {"VMwareVMware", "vmware"},    {"Microsoft Hv", "microsoft"},
        {"bhyve bhyve ", "bhyve"},  {"QNXQVMBSQG", "qnx"},         {"ACRNACRNACRN", "acrn"},
    };
    uint32_t a, signature[4] = {0}, hypervisor;
    if (!__get_cpuid(1, &a, &signature[0], &hypervisor, &signature[2]) || !(hypervisor >> 31))
        return NULL;
    __cpuid(0x40000000, a, signature[0], signature[1], signature[2]);
    signature[3] = 0;
    const char *found = look_up(makers, ARRAY_SIZE(makers), (const char *)signature);
    return found ? found : OTHER_MACHINE;
#else
    return NULL;
#endif
}

/* What other kinds of machines than PCs have. */
static const char *find_by_files(void) {
    char text[TEXT];
    if (read_text("/sys/hypervisor/type", text))
        return strncmp(text, "xen", 3) == 0 ? "xen" : OTHER_MACHINE;
    if (access("/proc/device-tree/ibm,partition-name", F_OK) == 0 &&
        access("/proc/device-tree/hmc-managed?", F_OK) == 0)
        return "powervm";
    if (read_text("/proc/device-tree/hypervisor/compatible", text))
        return strcmp(text, "linux,kvm") == 0 ? "kvm"
               : strstr(text, "xen")          ? "xen"
               : strstr(text, "vmware")       ? "vmware"
                                              : OTHER_MACHINE;
    const char *program = read_text("/proc/sysinfo", text) ? strstr(text, "VM00 Control Program:")
                                                           : NULL;
    return program ? strstr(program, "z/VM") ? "zvm" : "kvm" : NULL;
}

static bool is_user_mode(void) {
    char text[TEXT];
    return read_text("/proc/cpuinfo", text) && strstr(text, "\nvendor_id\t: User Mode Linux\n");
}

/* The domain of Xen that the others are run from is no guest. */
static bool is_host_of_xen(void) {
    char text[TEXT];
    return read_text("/proc/xen/capabilities", text) && strstr(text, "control_d");
}

/* Some that the firmware names pretend to be others to the CPU's question; of all others the CPU
 * knows better. */
static const char *find_machine(void) {
    static const char *const certain[] = {"oracle", "xen", "amazon", "parallels"};
    const char *firmware = find_by_firmware(), *cpu = find_by_cpu(), *found = NULL;
    for (size_t i = 0; firmware && i < ARRAY_SIZE(certain); i++)
        if (strcmp(firmware, certain[i]) == 0)
            found = firmware;
    if (!found && is_user_mode())
        found = "uml";
    if (!found && cpu && strcmp(cpu, OTHER_MACHINE) != 0)
        found = cpu;
    if (!found)
        found = firmware ? firmware : find_by_files();
    if (found && strcmp(found, "xen") == 0 && is_host_of_xen())
        return NULL;
    return found ? found : cpu;
}

/* ---- the condition ---- */

const char *condition_virtual(bool *container) {
    const char *found = find_container();
    *container = found;
    if (!found)
        found = find_machine();
    return found ? found : NONE;
}

/* Whether users have other numbers outside: not every number is itself. */
static bool has_private_users(void) {
    char text[TEXT];
    unsigned long inside, outside, count;
    if (!read_text("/proc/self/uid_map", text))
        return false;
    return sscanf(text, "%lu %lu %lu", &inside, &outside, &count) != 3 || inside != 0 ||
           outside != 0 || count != UINT32_MAX;
}

int condition_virtualization(const char *value) {
    bool container, wanted;
    if (!*value || strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(value))
        return -EINVAL;
    if (strcmp(value, "private-users") == 0)
        return has_private_users();
    const char *found = condition_virtual(&container);
    bool any = strcmp(found, NONE) != 0;
    if (directive_boolean(value, &wanted) == 0)
        return any == wanted;
    if (strcmp(value, "vm") == 0 || strcmp(value, "container") == 0)
        return any && container == (*value == 'c');
    return strcmp(value, found) == 0;
}
