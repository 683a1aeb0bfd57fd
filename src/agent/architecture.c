#include "agent/architecture.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"

static const struct {
    const char *name;
    uint32_t token;
} names[] = {
    {"native", SCMP_ARCH_NATIVE},
    {"x86", SCMP_ARCH_X86},
    {"x86-64", SCMP_ARCH_X86_64},
    {"x32", SCMP_ARCH_X32},
    {"arm", SCMP_ARCH_ARM},
    {"arm64", SCMP_ARCH_AARCH64},
    {"mips", SCMP_ARCH_MIPS},
    {"mips64", SCMP_ARCH_MIPS64},
    {"mips64-n32", SCMP_ARCH_MIPS64N32},
    {"mips-le", SCMP_ARCH_MIPSEL},
    {"mips64-le", SCMP_ARCH_MIPSEL64},
    {"mips64-le-n32", SCMP_ARCH_MIPSEL64N32},
    {"parisc", SCMP_ARCH_PARISC},
    {"parisc64", SCMP_ARCH_PARISC64},
    {"ppc", SCMP_ARCH_PPC},
    {"ppc64", SCMP_ARCH_PPC64},
    {"ppc64-le", SCMP_ARCH_PPC64LE},
    {"riscv64", SCMP_ARCH_RISCV64},
    {"s390", SCMP_ARCH_S390},
    {"s390x", SCMP_ARCH_S390X},
};

/* What the kernel that this program was built for can run beside its own architecture. */
static const uint32_t companions[] = {
#if defined(__x86_64__)
    SCMP_ARCH_X86, SCMP_ARCH_X86_64, SCMP_ARCH_X32,
#elif defined(__aarch64__)
    SCMP_ARCH_ARM, SCMP_ARCH_AARCH64,
#elif defined(__s390x__)
    SCMP_ARCH_S390, SCMP_ARCH_S390X,
#endif
    SCMP_ARCH_NATIVE,
};

bool architecture_companion(size_t number, uint32_t *token) {
    size_t at = 0;
    for (size_t i = 0; i < ARRAY_SIZE(companions); i++)
        if (companions[i] != SCMP_ARCH_NATIVE && companions[i] != seccomp_arch_native() &&
            at++ == number) {
            *token = companions[i];
            return true;
        }
    return false;
}

static int add(scmp_filter_ctx filter, uint32_t token) {
    for (size_t i = 0; i < ARRAY_SIZE(companions); i++) {
        if (token != companions[i] && token != seccomp_arch_native())
            continue;
        int r = seccomp_arch_add(filter, token);
        return r == -EEXIST ? 0 : r;
    }
    return 0;
}

int architecture_add(scmp_filter_ctx filter, struct holden_view name) {
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (holden_view_is(name, names[i].name))
            return add(filter, names[i].token);
    return -EINVAL;
}

/* libseccomp resolves the name in lower case and without the prefix. */
int architecture_add_oci(scmp_filter_ctx filter, struct holden_view name) {
    static const char prefix[] = "SCMP_ARCH_";
    size_t skip = sizeof(prefix) - 1;
    char bare[33];
    if (name.size <= skip || name.size - skip >= sizeof(bare) ||
        memcmp(name.data, prefix, skip) != 0)
        return -EINVAL;
    size_t size = name.size - skip;
    for (size_t i = 0; i < size; i++)
        bare[i] = (char)tolower((unsigned char)name.data[skip + i]);
    bare[size] = '\0';
    uint32_t token = seccomp_arch_resolve_name(bare);
    return token == 0 ? -EINVAL : add(filter, token);
}
