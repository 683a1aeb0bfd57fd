/* The smallest process that does a little each second. Linked without any library. */
#include <sys/syscall.h>
#include <time.h>

#ifdef __x86_64__
#define REST(time, result)                                                          \
    __asm__ volatile("syscall"                                                      \
                     : "=a"(result)                                                 \
                     : "a"((long)SYS_nanosleep), "D"(time), "S"(0L)                 \
                     : "rcx", "r11", "memory")
#else
extern int nanosleep(const struct timespec *time, struct timespec *left);
#define REST(time, result) ((result) = nanosleep((time), NULL))
#endif

void _start(void);

void _start(void) {
    static const struct timespec second = {1, 0};
    long result;
    for (;;)
        REST(&second, result);
}
