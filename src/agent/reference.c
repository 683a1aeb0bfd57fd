/* Prints the catalogue of the journal (catalog.def) as journalctl --update-catalog reads it: see
 * "Message Catalogs" in systemd's documentation. */
#include <stdio.h>
#include <string.h>

#include "agent/catalog.h"

enum { WIDTH = 76 };

/* In lines of at most so many characters, broken at spaces. */
static void print_wrapped(const char *text) {
    size_t column = 0;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word > WIDTH) {
            putchar('\n');
            column = 0;
        }
        column += (size_t)printf("%s%.*s", column > 0 ? " " : "", (int)word, text);
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

int main(void) {
    puts("# Made from a table of Holden's sources. catalog files: journalctl(1).");
    for (enum catalog_kind kind = 0; kind < CATALOG_KINDS; kind++) {
        const struct catalog_entry *entry = catalog_entry(kind);
        printf("\n-- %s\nSubject: %s\nDefined-By: Holden\n"
               "Documentation: man:holden(1) man:holden-agent(8)\n\n",
               entry->id, entry->subject);
        print_wrapped(entry->text);
    }
    return 0;
}
