/* The headings of a tree, put in between the sorted rows of a view: one for each group, slices in
 * slices, with sums over all that is below. */
#pragma once

#include "monitor/view.h"

/* How many headings the view's rows need, which stand in the order of their groups. */
size_t outline_count(const struct view *view);

/* Puts them in; there must be room in view->entries. */
void outline_insert(struct view *view);
