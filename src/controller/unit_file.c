#include "controller/unit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "controller/unit_line.h"
#include "controller/words.h"

enum { FILE_MOST = 4 << 20 };

static int refuse(char wrong[512], const char *path, unsigned line, const char *why, int error) {
    char shown[WORDS_SHOWN];
    if (line > 0)
        snprintf(wrong, 512, "%s:%u: %s", words_show(path, shown), line, why);
    else
        snprintf(wrong, 512, "%s: %s", words_show(path, shown), why);
    return error;
}

static int append(struct arena *arena, struct unit_file *file, const struct unit_setting *setting) {
    struct unit_setting *copy = arena_take(arena, sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    *copy = *setting;
    if (!file->end)
        file->end = &file->first;
    *file->end = copy;
    file->end = &copy->next;
    return 0;
}

int unit_file_parse(struct arena *arena, struct holden_view text, const char *path,
                    struct unit_file *file, char wrong[512]) {
    struct unit_reader reader = {.text = text, .arena = arena};
    struct unit_line line = {0};
    const char *section = "";
    int r;
    while ((r = unit_line_next(&reader, &line)) > 0) {
        if (line.kind == UNIT_LINE_SECTION) {
            section = line.name;
            continue;
        }
        r = append(arena, file,
                   &(struct unit_setting){.section = section, .name = line.name,
                                          .value = line.value, .file = path,
                                          .line = line.number});
        if (r < 0)
            break;
    }
    return r < 0 ? refuse(wrong, path, line.number,
                          r == -EINVAL ? reader.wrong : strerror(-r), r)
                 : 0;
}

static int read_one(struct arena *arena, const char *path, bool fragment, struct unit_file *file,
                    char wrong[512]) {
    _cleanup_(buffer_free) struct buffer text = {0};
    int r = file_read_all(AT_FDCWD, path, FILE_MOST, &text);
    if (r < 0)
        return refuse(wrong, path, 0, strerror(-r), r);
    if (fragment && text.size == 0)
        return refuse(wrong, path, 0, "the unit is masked: its file is empty", -EINVAL);
    return unit_file_parse(
        arena, (struct holden_view){(const char *)buffer_bytes(&text), text.size}, path, file,
        wrong);
}

int unit_file_read(struct arena *arena, const char *argument, struct unit_file *file,
                   char wrong[512]) {
    *file = (struct unit_file){0};
    int r = unit_path_find(arena, argument, &file->paths, wrong);
    if (r == 0)
        r = read_one(arena, file->paths.fragment, true, file, wrong);
    for (size_t i = 0; r == 0 && i < file->paths.count; i++)
        r = read_one(arena, file->paths.drop_ins[i], false, file, wrong);
    return r;
}
