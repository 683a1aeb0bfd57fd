/* impostor: what an upgrade must not end with. Installed in place of agent-core, it passes for one
 * when it is tried (--probe), and then does what HOLDEN_IMPOSTOR says: crash, exit, or hang. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void crash(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    raise(SIGSEGV);
}

static void end(void) {
    _exit(5);
}

static void hang(void) {
    for (;;)
        pause();
}

static const struct {
    const char *word;
    void (*act)(void);
} rows[] = {{"crash", crash}, {"exit", end}, {"hang", hang}};

int main(int argc, char **argv) {
    const char *word = getenv("HOLDEN_IMPOSTOR");
    if (argc > 1 && strcmp(argv[argc - 1], "--probe") == 0) {
        puts("agent-core impostor");
        return 0;
    }
    for (size_t i = 0; word && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(word, rows[i].word) == 0)
            rows[i].act();
    return 9;
}
