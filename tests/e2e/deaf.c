/* deaf DIRECTORY: mounts a file system there whose server reads each request and answers none but
 * the first, so that whoever looks into it is in uninterruptible sleep, once killed, until this
 * program ends. Prints a line when it is mounted. */
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static union {
    struct fuse_in_header header;
    char bytes[FUSE_MIN_READ_BUFFER + (1 << 20)];
} request;

/* Says yes to the kernel's greeting, in its own version. */
static int greet(int device) {
    struct {
        struct fuse_out_header header;
        struct fuse_init_out init;
    } answer = {.header = {.len = sizeof(answer)},
                .init = {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION,
                         .max_write = 4096}};
    if (read(device, &request, sizeof(request)) <= 0 || request.header.opcode != FUSE_INIT)
        return -1;
    answer.header.unique = request.header.unique;
    return write(device, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : -1;
}

int main(int argc, char **argv) {
    char options[96];
    int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
    if (argc != 2 || device < 0 || mount("deaf", argv[1], "fuse", 0, options) < 0 ||
        greet(device) < 0) {
        perror("deaf");
        return 1;
    }
    puts("deaf");
    fflush(stdout);
    while (read(device, &request, sizeof(request)) > 0)
        ;
    return 0;
}
