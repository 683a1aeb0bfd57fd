/* Versions as people write them: 6.1.0-13-amd64, 252~rc1. */
#pragma once

/* Compares two versions by the rules of version-format(7), as systemd 252 does: parts of letters
 * and of digits in turn, numbers by their value; ~ comes before the end, then - , ^ and . ; digits
 * come after letters. Less than, equal to or greater than 0. */
int version_compare(const char *one, const char *two);
