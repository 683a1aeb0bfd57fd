/* Datagrams of sd_notify(3), which any process that was started may send. */
#include "agent/notice.h"

#include <string.h>

#include "fuzz.h"
#include "protocol/message.h"

/* A text is in the datagram, ends there, and holds no line end. */
static void expect_inside(const char *found, const char *text, size_t size) {
    if (!found)
        return;
    EXPECT(found >= text && found <= text + size);
    EXPECT(found + strlen(found) <= text + size);
    EXPECT(!strchr(found, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct notice notice = {0};
    if (size > NOTICE_MOST)
        return 0;
    char *text = malloc(size + 1);
    EXPECT(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (notice_parse(text, size, &notice)) {
        expect_inside(notice.text, text, size);
        expect_inside(notice.bus_error, text, size);
        EXPECT(notice.main >= 0);
        EXPECT(notice.error >= -1);
        /* But for one at the end. */
        if (size > 0 && data[size - 1] == 0)
            size--;
        EXPECT(!memchr(data, 0, size));
    }
    free(text);
    return 0;
}
