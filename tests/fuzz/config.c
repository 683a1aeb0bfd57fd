/* The agent's configuration file. It belongs to root; still no text in it may do more than be
 * refused. */
#include "agent/config.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct config config;
    char path[64];
    _cleanup_close_ int fd = memfd_create("config", MFD_CLOEXEC);
    EXPECT(fd >= 0 && file_write_all(fd, data, size) == 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int r = config_read(&config, path, true);
    EXPECT(r == 0 || r == -EINVAL);
    EXPECT(memchr(config.group, 0, sizeof(config.group)));
    return 0;
}
