#include "figure.h"

#include <stdarg.h>
#include <string.h>

struct figure *figures_add(struct figures *figures, const char *name, double value,
                           const char *unit, double target, const char *note, ...) {
    size_t at = figures->count < FIGURES_MOST ? figures->count++ : FIGURES_MOST - 1;
    struct figure *figure = &figures->list[at];
    *figure = (struct figure){.unit = unit, .value = value, .target = target};
    snprintf(figure->name, sizeof(figure->name), "%s", name);
    va_list arguments;
    va_start(arguments, note);
    vsnprintf(figure->note, sizeof(figure->note), note, arguments);
    va_end(arguments);
    return figure;
}

bool figure_missed(const struct figure *figure) {
    if (figure->target <= 0)
        return false;
    return figure->at_least ? figure->value < figure->target : figure->value > figure->target;
}

void figure_print(const struct figure *figure, FILE *out) {
    char target[32] = "";
    if (figure->target > 0)
        snprintf(target, sizeof(target), "%s %.4g", figure->at_least ? ">=" : "<=", figure->target);
    fprintf(out, "%-28s %10.3f %-4s %-9s %-7s %s\n", figure->name, figure->value, figure->unit,
            target,
            figure->target <= 0     ? ""
            : figure_missed(figure) ? "MISSED"
                                    : "met",
            figure->note);
}

static void print_string(const char *text, FILE *out) {
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void figures_print_json(const struct figures *figures, FILE *out) {
    fputs("\"figures\":[", out);
    for (size_t i = 0; i < figures->count; i++) {
        const struct figure *figure = &figures->list[i];
        fputs(i > 0 ? ",{\"name\":" : "{\"name\":", out);
        print_string(figure->name, out);
        fprintf(out, ",\"value\":%.6g,\"unit\":\"%s\"", figure->value, figure->unit);
        if (figure->target > 0)
            fprintf(out, ",\"target\":%.6g,\"bound\":\"%s\",\"met\":%s", figure->target,
                    figure->at_least ? "least" : "most", figure_missed(figure) ? "false" : "true");
        fputs(",\"note\":", out);
        print_string(figure->note, out);
        fputc('}', out);
    }
    fputc(']', out);
}
