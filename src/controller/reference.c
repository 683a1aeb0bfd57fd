/* Prints the tables of holden-directives(7), in mdoc(7).
 *
 *   directives man */
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "controller/directive.h"
#include "protocol/property.h"
#include "protocol/sandbox.h"

/* Text as one line of mdoc: no line may begin like a request, no backslash is one. */
static void put_text(const char *text) {
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++)
        if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
    fputs(".\n", stdout);
}

static void put_inert(const char *inert) {
    if (*inert)
        printf("Asks for nothing with\n.Ql %s .\n", inert);
}

static bool belongs(const struct directive *directive, enum directive_section section,
                    enum directive_state state, bool old) {
    return directive->section == section && (directive->of != NULL) == old &&
           (old || directive->state == state);
}

static size_t put_rows(enum directive_section section, enum directive_state state, bool old,
                       bool print) {
    struct directive directive;
    size_t count = 0;
    for (size_t i = 0; directive_at(i, &directive); i++) {
        if (!belongs(&directive, section, state, old))
            continue;
        count++;
        if (!print)
            continue;
        printf(".It Va %s\n", directive.name);
        put_text(directive.why);
        put_inert(directive.inert);
    }
    return count;
}

static void put_group(const char *title, enum directive_section section,
                      enum directive_state state, bool old) {
    size_t count = put_rows(section, state, old, false);
    if (count == 0)
        return;
    printf(".Ss [%s]: %s (%zu)\n.Bl -tag -width Ds -compact\n", directive_section_name(section),
           title, count);
    put_rows(section, state, old, true);
    printf(".El\n");
}

static void put_section(enum directive_section section) {
    static const struct { enum directive_state state; const char *title; } rows[] = {
        {DIRECTIVE_PROPERTY, "done, with start -p too"},
        {DIRECTIVE_DONE, "done"},
        {DIRECTIVE_MOOT, "not meaningful here"},
        {DIRECTIVE_WARN, "not done, warned about"},
        {DIRECTIVE_REFUSE, "not done, refused"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        put_group(rows[i].title, section, rows[i].state, false);
    put_group("old names", section, DIRECTIVE_MOOT, true);
}

static void put_sandboxes(void) {
    const struct holden_enum *words =
        holden_record_properties.fields[HOLDEN_INDEX(properties, sandbox)].enumeration;
    printf(".Sh SANDBOXES\n"
           "What\n.Va Sandbox Ns =\nstands for.\n"
           "It counts as if these lines stood before all others of the unit: a later value of a\n"
           "single setting wins, those of a list add to it, and an empty one takes it back.\n"
           "Limits of memory, CPU and tasks are for whoever starts the process to add.\n");
    for (size_t i = 0; i < words->count; i++) {
        uint32_t sandbox = words->words[i].number;
        printf(".Ss Sandbox=%s\n", words->words[i].word);
        put_text(sandbox_doc(sandbox));
        printf(".Bd -literal -offset indent\n");
        for (const struct sandbox_setting *at = sandbox_first(sandbox); at; at = sandbox_next(at))
            printf("%s=%s\n", at->name, at->value);
        printf(".Ed\n");
    }
}

int main(int argc, char **argv) {
    if (argc != 2 || strcmp(argv[1], "man") != 0) {
        fprintf(stderr, "usage: directives man\n");
        return 2;
    }
    printf(".Sh DIRECTIVES\n");
    for (int section = 0; section < DIRECTIVE_SECTIONS; section++)
        put_section((enum directive_section)section);
    put_sandboxes();
    return fflush(stdout) == 0 ? 0 : 1;
}
