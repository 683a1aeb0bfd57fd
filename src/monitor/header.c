#include "monitor/header.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/unit.h"
#include "monitor/text.h"

/* From where on a percentage is worth a look, and from where on it is bad. */
enum { BUSY = 80, FULL = 95, WAITS = 10, STUCK = 50 };
enum { PIECE = 256, CORES_SHOWN = 32, BAR = 10, GAP = 2 };

struct piece {
    char text[PIECE];
    enum style style;
};

static enum style style_of(double percent, int warn, int bad) {
    return percent >= bad ? STYLE_BAD : percent >= warn ? STYLE_WARN : STYLE_PLAIN;
}

static void add_level(struct piece *piece, double percent, bool utf8) {
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double part = isnan(percent) || percent < 0 ? 0 : percent > 100 ? 1 : percent / 100;
    if (utf8)
        text_add(piece->text, PIECE, "%s", blocks[(int)(part * 7 + 0.5)]);
    else
        text_add(piece->text, PIECE, "%d", (int)(part * 9 + 0.5));
}

/* One mark for each core; where there are too many, for the busiest of some that are neighbours. */
static void put_cpu(const struct machine *machine, bool utf8, struct piece *piece) {
    unsigned step = (machine->cores + CORES_SHOWN - 1) / CORES_SHOWN;
    if (isnan(machine->cpu))
        text_add(piece->text, PIECE, "CPU -");
    else
        text_add(piece->text, PIECE, "CPU %.0f%%", machine->cpu);
    piece->style = style_of(machine->cpu, BUSY, FULL);
    if (isnan(machine->cpu))
        return;
    text_add(piece->text, PIECE, " ");
    for (unsigned i = 0; i < machine->cores; i += step) {
        double most = machine->core[i];
        for (unsigned j = i + 1; j < i + step && j < machine->cores; j++)
            most = fmax(most, machine->core[j]);
        add_level(piece, most, utf8);
    }
    text_add(piece->text, PIECE, " %u core%s", machine->cores, machine->cores == 1 ? "" : "s");
}

static void put_memory(const struct machine *machine, bool utf8, struct piece *piece) {
    char used[16], all[16];
    uint64_t bytes = machine->memory - machine->memory_left;
    if (machine->memory == 0 || machine->memory_left > machine->memory)
        return;
    double share = (double)bytes / (double)machine->memory;
    text_add(piece->text, PIECE, "memory ");
    for (int i = 0; i < BAR; i++)
        text_add(piece->text, PIECE, "%s",
                 i < (int)(share * BAR + 0.5) ? (utf8 ? "█" : "#") : (utf8 ? "░" : "."));
    text_add(piece->text, PIECE, " %s/%s", unit_format_size_short(bytes, used, sizeof(used)),
             unit_format_size_short(machine->memory, all, sizeof(all)));
    piece->style = style_of(share * 100, BUSY, FULL);
}

static void put_swap(const struct machine *machine, __attribute__((unused)) bool utf8,
                     struct piece *piece) {
    char used[16], all[16];
    if (machine->swap == 0 || machine->swap_left > machine->swap)
        return;
    text_add(piece->text, PIECE, "swap %s/%s",
             unit_format_size_short(machine->swap - machine->swap_left, used, sizeof(used)),
             unit_format_size_short(machine->swap, all, sizeof(all)));
}

static void put_io(const struct machine *machine, __attribute__((unused)) bool utf8,
                   struct piece *piece) {
    char read[16], written[16];
    if (isnan(machine->read) || isnan(machine->written))
        return;
    text_add(piece->text, PIECE, "IO %s/s read, %s/s written",
             unit_format_size_short((uint64_t)machine->read, read, sizeof(read)),
             unit_format_size_short((uint64_t)machine->written, written, sizeof(written)));
}

static void put_stall(const struct machine *machine, __attribute__((unused)) bool utf8,
                      struct piece *piece) {
    double worst = 0;
    if (isnan(machine->stall[ROW_STALL_CPU]))
        return;
    text_add(piece->text, PIECE, "stall");
    for (unsigned i = 0; i < ROW_STALLS; i++) {
        text_add(piece->text, PIECE, " %s %.0f%%", row_stall_word(i), machine->stall[i]);
        worst = fmax(worst, machine->stall[i]);
    }
    piece->style = style_of(worst, WAITS, STUCK);
}

static void (*const pieces[])(const struct machine *, bool, struct piece *) = {
    put_cpu, put_memory, put_io, put_stall, put_swap,
};

/* Puts the pieces one behind the other, in lines as the terminal has room. How many lines that is;
 * drawn are those of the first `lines`. */
static int place(const struct machine *machine, struct terminal *terminal, int row, int lines) {
    int line = 0, at = 0;
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        struct piece piece = {.style = STYLE_PLAIN};
        pieces[i](machine, terminal->utf8, &piece);
        int width = (int)text_width(holden_view(piece.text), PIECE, terminal->utf8);
        if (width == 0)
            continue;
        if (at > 0 && at + width > terminal->width) {
            line++;
            at = 0;
        }
        if (line < lines)
            terminal_draw(terminal, row + line, at, piece.style, false, piece.text);
        at += width + GAP;
    }
    return line + 1;
}

int header_lines(const struct machine *machine, const struct terminal *terminal, int most) {
    struct terminal measured = *terminal;
    if (machine->cores == 0 || most <= 0)
        return 0;
    int lines = place(machine, &measured, 0, 0);
    return lines < most ? lines : most;
}

void header_paint(const struct machine *machine, struct terminal *terminal, int row, int lines) {
    if (lines > 0)
        place(machine, terminal, row, lines);
}
