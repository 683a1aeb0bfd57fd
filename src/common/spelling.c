#include "common/spelling.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static size_t least(size_t a, size_t b, size_t c) {
    size_t least_two = a < b ? a : b;
    return least_two < c ? least_two : c;
}

enum { SPACE = sizeof(((struct spelling *)0)->best) };

static bool same(char one, char other) {
    return tolower((unsigned char)one) == tolower((unsigned char)other);
}

/* How many characters must be added, dropped, replaced or exchanged with their neighbour to turn
 * one name into the other, row by row of the table of all their beginnings; both are shorter than
 * SPACE. */
static size_t distance(const char *from, const char *to) {
    size_t rows[3][SPACE];
    size_t width = strlen(to);
    for (size_t i = 0; i <= width; i++)
        rows[0][i] = i;
    size_t line = 0;
    while (from[line]) {
        const size_t *before = rows[line % 3];
        const size_t *two_before = rows[(line + 2) % 3];
        size_t *row = rows[++line % 3];
        row[0] = line;
        for (size_t i = 1; i <= width; i++) {
            row[i] = least(before[i] + 1, row[i - 1] + 1,
                           before[i - 1] + !same(from[line - 1], to[i - 1]));
            bool exchanged = line > 1 && i > 1 && same(from[line - 1], to[i - 2]) &&
                             same(from[line - 2], to[i - 1]);
            if (exchanged && two_before[i - 2] + 1 < row[i])
                row[i] = two_before[i - 2] + 1;
        }
    }
    return rows[line % 3][width];
}

void spelling_offer(struct spelling *spelling, const char *name) {
    size_t size = strlen(name);
    size_t wanted = strlen(spelling->wanted);
    if (size >= SPACE || wanted >= SPACE)
        return;
    size_t most = (size > wanted ? size : wanted) / 3;
    size_t away = distance(spelling->wanted, name);
    if (away > most || (spelling->best[0] && away >= spelling->distance))
        return;
    memcpy(spelling->best, name, size + 1);
    spelling->distance = away;
}
