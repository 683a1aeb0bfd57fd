#include "monitor/mouse.h"

#include "monitor/screen.h"

enum { WHEEL = 3 };

static void click_title(struct live *live, int at) {
    int from = 0;
    for (enum column which = 0; which < COLUMNS_COUNT; which++) {
        int width = (int)live->layout.widths[which];
        if (width > 0 && at >= from && at < from + width && column(which)->word) {
            view_sort(&live->view, which);
            live->stale = true;
        }
        from += width > 0 ? width + 1 : 0;
    }
}

int mouse_press(struct live *live) {
    const struct terminal_mouse *mouse = &live->terminal.mouse;
    const struct live_places *places = &live->places;
    int line = mouse->row - places->first;
    if (mouse->wheel != 0)
        view_move(&live->view, (long)mouse->wheel * WHEEL);
    else if (mouse->row == places->foot)
        return screen_key_at(live, mouse->at);
    else if (mouse->row == places->titles)
        click_title(live, mouse->at);
    else if (line >= 0 && (size_t)line < places->page)
        view_move(&live->view, (long)live->view.top + line - (long)live->view.cursor);
    return TERMINAL_NONE;
}
