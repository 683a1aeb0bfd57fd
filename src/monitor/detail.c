#include "monitor/detail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/unit.h"

void detail_free(struct detail *detail) {
    buffer_free(&detail->log);
    *detail = (struct detail){0};
}

static void take_limits(struct detail *detail, const struct holden_properties *properties) {
    detail->memory_high = HOLDEN_HAS(properties, properties, memory_high) ? properties->memory_high
                                                                          : UNIT_INFINITY;
    detail->memory_max = HOLDEN_HAS(properties, properties, memory_max) ? properties->memory_max
                                                                        : UNIT_INFINITY;
    detail->quota = HOLDEN_HAS(properties, properties, cpu_quota) ? properties->cpu_quota
                                                                  : UNIT_INFINITY;
}

static void take_words(struct detail *detail, const struct holden_process *process) {
    struct holden_statement statement;
    const struct holden_statement *said = NULL;
    struct holden_view text = {"", 0};
    if (HOLDEN_HAS(process, process, statement))
        said = holden_nested_value(&holden_record_statement, &process->statement, &statement);
    if (said && HOLDEN_HAS(said, statement, text))
        text = said->text;
    if (HOLDEN_HAS(process, process, explanation))
        text = process->explanation;
    snprintf(detail->explanation, sizeof(detail->explanation), "%.*s", (int)text.size, text.data);
}

int detail_take(struct detail *detail, struct holden_view body) {
    struct holden_process process;
    struct holden_properties properties = {0};
    struct holden_fault fault;
    if (holden_decode(&holden_record_process, body.data, body.size, &process, &fault) < 0)
        return -EBADMSG;
    if (HOLDEN_HAS(&process, process, properties) &&
        holden_decode(&holden_record_properties, process.properties.bytes.data,
                      process.properties.bytes.size, &properties, &fault) < 0)
        return -EBADMSG;
    detail->id = process.id;
    take_limits(detail, &properties);
    take_words(detail, &process);
    return 0;
}

int detail_put_log(uint64_t id, struct holden_view text, struct buffer *body) {
    uint8_t header[DETAIL_LOG_HEADER];
    holden_put64(header, id);
    int r = buffer_append(body, header, sizeof(header));
    return r < 0 ? r : buffer_append(body, text.data, text.size);
}

int detail_take_log(struct detail *detail, struct holden_view body) {
    if (body.size < DETAIL_LOG_HEADER)
        return -EBADMSG;
    buffer_consume(&detail->log, detail->log.size);
    detail->log_id = holden_get64((const uint8_t *)body.data);
    size_t size = body.size - DETAIL_LOG_HEADER;
    size_t cut = size > DETAIL_LOG ? size - DETAIL_LOG : 0;
    return buffer_append(&detail->log, body.data + DETAIL_LOG_HEADER + cut, size - cut);
}

bool detail_line_before(const struct detail *detail, size_t *at, struct holden_view *line) {
    const char *text = (const char *)buffer_bytes(&detail->log);
    if (*at == 0)
        return false;
    size_t end = text[*at - 1] == '\n' ? *at - 1 : *at;
    size_t start = end;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    *line = (struct holden_view){text + start, end - start};
    *at = start;
    return true;
}
