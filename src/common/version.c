#include "common/version.h"

#include <stdbool.h>
#include <string.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_part(char c) {
    return is_digit(c) || is_alpha(c) || (c && strchr("~-^.", c));
}

static const char *skip_other(const char *at) {
    while (*at && !is_part(*at))
        at++;
    return at;
}

static int order(long one, long two) {
    return (one > two) - (one < two);
}

/* A run of digits or letters at both, which are moved behind it. */
static int compare_run(const char **one, const char **two, bool (*belongs)(char c)) {
    size_t left = 0, right = 0;
    if (is_digit(**one) != is_digit(**two))
        return is_digit(**one) ? 1 : -1;
    if (belongs == is_digit) {
        *one += strspn(*one, "0");
        *two += strspn(*two, "0");
    }
    while (belongs((*one)[left]))
        left++;
    while (belongs((*two)[right]))
        right++;
    int r = belongs == is_digit ? order((long)left, (long)right) : 0;
    if (r == 0)
        r = memcmp(*one, *two, left < right ? left : right);
    if (r == 0)
        r = order((long)left, (long)right);
    *one += left;
    *two += right;
    return r;
}

int version_compare(const char *one, const char *two) {
    for (;;) {
        one = skip_other(one);
        two = skip_other(two);
        /* What is marked so is before what is not: by a ~ even before the end. */
        if ((*one == '~') != (*two == '~'))
            return *one == '~' ? -1 : 1;
        if (!*one || !*two)
            return order(*one != '\0', *two != '\0');
        for (const char *mark = "-^."; *mark; mark++)
            if ((*one == *mark) != (*two == *mark))
                return *one == *mark ? -1 : 1;
        if (strchr("~-^.", *one)) {
            one++;
            two++;
            continue;
        }
        bool digits = is_digit(*one) || is_digit(*two);
        int r = compare_run(&one, &two, digits ? is_digit : is_alpha);
        if (r != 0)
            return r;
    }
}
