/* The smallest process that waits to be ended. Linked without any library. */
#include <sys/syscall.h>

#ifdef __x86_64__
#define PAUSE(result) \
    __asm__ volatile("syscall" : "=a"(result) : "a"((long)SYS_pause) : "rcx", "r11", "memory")
#else
extern long pause(void);
#define PAUSE(result) ((result) = pause())
#endif

void _start(void);

void _start(void) {
    long result;
    for (;;)
        PAUSE(result);
}
