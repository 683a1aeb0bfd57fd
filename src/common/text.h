/* The code of the calling program, in memory. */
#pragma once

/* Unmaps the code that has run so far, most of which was for the start only: what is needed again
 * comes back from the page cache (madvise(2), MADV_DONTNEED). */
void text_shrink(void);
