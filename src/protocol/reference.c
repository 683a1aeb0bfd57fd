/* Prints what follows from the protocol's tables and is used elsewhere.
 *
 *   reference man     the generated sections of holden-protocol(7), in mdoc(7)
 *   reference dict    a libFuzzer dictionary: headers, tags, numbers and words */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "protocol/frame.h"
#include "protocol/property.h"

static const char *const type_words[] = {
    [HOLDEN_TYPE_U32] = "u32", [HOLDEN_TYPE_U64] = "u64", [HOLDEN_TYPE_I64] = "i64",
    [HOLDEN_TYPE_BOOL] = "bool", [HOLDEN_TYPE_STRING] = "string", [HOLDEN_TYPE_BYTES] = "bytes",
    [HOLDEN_TYPE_ENUM] = "enum", [HOLDEN_TYPE_FD] = "fd", [HOLDEN_TYPE_RECORD] = "record",
};

/* ---- the manual page ---- */

/* Text as one line of mdoc, closed by `end`: no line may begin like a request, no backslash is one.
 */
static void put_text(const char *text, const char *end) {
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++)
        if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
    printf("%s\n", end);
}

static void put_type(const struct holden_field *field) {
    if (field->record)
        printf("record %s", field->record->name);
    else if (field->enumeration)
        printf("enum %s", field->enumeration->name);
    else
        printf("%s", type_words[field->type]);
}

static void put_field(const struct holden_field *field) {
    printf(".It Va %s\ntag %u, ", field->name, field->tag);
    put_type(field);
    bool bounded = field->type == HOLDEN_TYPE_STRING || field->type == HOLDEN_TYPE_BYTES;
    if (bounded)
        printf(" of at most %u bytes", field->bound);
    if (field->required)
        printf(", required");
    if (field->repeated)
        printf(", repeated");
    printf(":\n");
    put_text(field->doc, ".");
}

static void put_fields(const struct holden_record *record) {
    put_text(record->doc, ".");
    if (record->count == 0)
        return;
    printf(".Bl -tag -width Ds -compact\n");
    for (size_t i = 0; i < record->count; i++)
        put_field(&record->fields[i]);
    printf(".El\n");
}

static void put_messages(bool requests, const char *title) {
    size_t count;
    const struct holden_message_row *rows = holden_messages(&count);
    printf(".Sh %s\n", title);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].request != requests)
            continue;
        printf(".Ss %s\nType %u", rows[i].record->name, rows[i].number);
        if (requests)
            printf(", answered by\n.Sx %s ", rows[i].reply);
        printf(":\n");
        put_fields(rows[i].record);
    }
}

static void put_records(void) {
    size_t count;
    const struct holden_record *const *records = holden_records(&count);
    printf(".Sh RECORDS\n");
    for (size_t i = 0; i < count; i++) {
        printf(".Ss %s\n", records[i]->name);
        put_fields(records[i]);
    }
}

static void put_enums(void) {
    size_t count;
    const struct holden_enum *const *enums = holden_enums(&count);
    printf(".Sh ENUMERATIONS\n");
    for (size_t i = 0; i < count; i++) {
        printf(".Ss %s\n", enums[i]->name);
        put_text(enums[i]->doc, ".");
        printf(".Bl -tag -width Ds -compact\n");
        for (size_t n = 0; n < enums[i]->count; n++) {
            printf(".It %u, Ql %s\n", enums[i]->words[n].number, enums[i]->words[n].word);
            put_text(enums[i]->words[n].doc, ".");
        }
        printf(".El\n");
    }
}

static int print_man(void) {
    put_messages(true, "REQUESTS");
    put_messages(false, "REPLIES");
    put_records();
    put_enums();
    return 0;
}

/* ---- the dictionary ---- */

static void put_entry(const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    putchar('"');
    for (size_t i = 0; i < size; i++)
        if (isalnum(at[i]))
            putchar(at[i]);
        else
            printf("\\x%02x", at[i]);
    printf("\"\n");
}

static void put_header(const struct holden_message_row *row) {
    uint8_t header[HOLDEN_FRAME_HEADER] = {'H', 'd', HOLDEN_VERSION};
    holden_put16(header + 4, row->number);
    put_entry(header, 8);
}

/* A tag with the length that its type has; lists and texts get a short one. */
static void put_tag(const struct holden_field *field) {
    static const uint32_t sizes[] = {
        [HOLDEN_TYPE_U32] = 4,  [HOLDEN_TYPE_U64] = 8,    [HOLDEN_TYPE_I64] = 8,
        [HOLDEN_TYPE_BOOL] = 1, [HOLDEN_TYPE_STRING] = 3, [HOLDEN_TYPE_BYTES] = 3,
        [HOLDEN_TYPE_ENUM] = 4, [HOLDEN_TYPE_FD] = 4,     [HOLDEN_TYPE_RECORD] = 16,
    };
    uint8_t header[HOLDEN_TLV_HEADER];
    holden_put16(header, field->tag);
    holden_put32(header + 2, sizes[field->type]);
    put_entry(header, sizeof(header));
}

static void put_tags(const struct holden_record *record) {
    for (size_t i = 0; i < record->count; i++)
        put_tag(&record->fields[i]);
}

static int print_dict(void) {
    size_t count;
    const struct holden_message_row *rows = holden_messages(&count);
    for (size_t i = 0; i < count; i++) {
        put_header(&rows[i]);
        put_tags(rows[i].record);
    }
    const struct holden_record *const *records = holden_records(&count);
    for (size_t i = 0; i < count; i++)
        put_tags(records[i]);
    const struct holden_enum *const *enums = holden_enums(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < enums[i]->count; n++)
            put_entry(enums[i]->words[n].word, strlen(enums[i]->words[n].word));
    for (size_t i = 0; i < HOLDEN_PROPERTIES; i++)
        put_entry(holden_property(i)->name, strlen(holden_property(i)->name));
    return 0;
}

static const struct {
    const char *name;
    int (*print)(void);
} modes[] = {{"man", print_man}, {"dict", print_dict}};

int main(int argc, char **argv) {
    for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(modes); i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            return modes[i].print();
    fprintf(stderr, "usage: reference man|dict\n");
    return 2;
}
