#include "common/spelling.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static size_t least(size_t a, size_t b, size_t c) {
    size_t least_two = a < b ? a : b;
    return least_two < c ? least_two : c;
}

/* How many characters must be added, dropped or replaced to turn one name into the other
 * (Levenshtein), row by row; both are shorter than struct spelling's `best`. */
static size_t distance(const char *from, const char *to) {
    size_t row[sizeof(((struct spelling *)0)->best)];
    size_t width = strlen(to);
    for (size_t i = 0; i <= width; i++)
        row[i] = i;
    for (size_t line = 1; from[line - 1]; line++) {
        size_t diagonal = row[0];
        row[0] = line;
        for (size_t i = 1; i <= width; i++) {
            bool same = tolower((unsigned char)from[line - 1]) == tolower((unsigned char)to[i - 1]);
            size_t cost = least(row[i] + 1, row[i - 1] + 1, diagonal + !same);
            diagonal = row[i];
            row[i] = cost;
        }
    }
    return row[width];
}

void spelling_offer(struct spelling *spelling, const char *name) {
    size_t size = strlen(name);
    size_t wanted = strlen(spelling->wanted);
    if (size >= sizeof(spelling->best) || wanted >= sizeof(spelling->best))
        return;
    size_t most = (size > wanted ? size : wanted) / 3;
    size_t away = distance(spelling->wanted, name);
    if (away > most || (spelling->best[0] && away >= spelling->distance))
        return;
    memcpy(spelling->best, name, size + 1);
    spelling->distance = away;
}
