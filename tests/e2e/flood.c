/* Writes zeros to standard output until that fails, SIZE bytes with each write(2): flood SIZE. They
 * cost no memory, since they are read from pages that nobody has written to. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int count, char **arguments) {
    size_t size = count == 2 ? strtoull(arguments[1], NULL, 10) : 0;
    const void *zeros = size == 0 ? MAP_FAILED
                                  : mmap(NULL, size, PROT_READ,
                                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (zeros == MAP_FAILED)
        return 2;
    while (write(STDOUT_FILENO, zeros, size) >= 0)
        continue;
    return 1;
}
