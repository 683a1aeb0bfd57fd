/* A state machine over the bytes: each state is one function that takes a byte and names the next.
 * */
#include "controller/environment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "controller/environment.h"
#include "controller/words.h"

enum { FILE_MOST = 1 << 20 };

enum place {
    BEFORE_NAME, NAME, BEFORE_VALUE, VALUE, VALUE_ESCAPE, SINGLE, DOUBLE, DOUBLE_ESCAPE, COMMENT,
    COMMENT_ESCAPE, PLACES,
};

struct reader {
    struct settings *settings;
    const char *file;
    environment_take *take;
    struct holden_repeated *list;
    struct buffer line;  /* NAME=VALUE so far */
    size_t kept;         /* bytes of it that trailing white space does not reach back beyond */
    int error;
};

static bool is_newline(char c) {
    return c == '\n' || c == '\r';
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || is_newline(c);
}

static void add(struct reader *reader, char c, bool keep) {
    int r = buffer_append(&reader->line, &c, 1);
    if (r < 0)
        reader->error = r;
    if (keep)
        reader->kept = reader->line.size;
}

/* White space at the end of a name, or of a value outside quotes, does not count. */
static void trim(struct reader *reader) {
    reader->line.size = reader->kept;
}

static enum place finish(struct reader *reader) {
    trim(reader);
    struct holden_view view = {(const char *)buffer_bytes(&reader->line), reader->line.size};
    if (environment_valid(view)) {
        int r = settings_text(reader->settings, view.data, view.size, &view);
        if (r == 0)
            r = reader->take(reader->settings, reader->list, view);
        if (r < 0)
            reader->error = r;
    } else {
        char text[WORDS_SHOWN] = "";
        char shown[WORDS_SHOWN];
        memcpy(text, view.data, view.size < sizeof(text) - 1 ? view.size : sizeof(text) - 1);
        log_warning("%s: ignored '%s': not a name of a variable", reader->file,
                    words_show(text, shown));
    }
    reader->line.size = reader->kept = 0;
    return BEFORE_NAME;
}

static enum place before_name(struct reader *reader, char c) {
    if (c == '#' || c == ';')
        return COMMENT;
    if (is_space(c))
        return BEFORE_NAME;
    add(reader, c, true);
    return NAME;
}

static enum place in_name(struct reader *reader, char c) {
    if (is_newline(c)) {
        reader->line.size = reader->kept = 0;
        return BEFORE_NAME;
    }
    if (c == '=')
        trim(reader);
    add(reader, c, !is_space(c));
    return c == '=' ? BEFORE_VALUE : NAME;
}

static enum place before_value(struct reader *reader, char c) {
    if (is_newline(c))
        return finish(reader);
    if (c == '\'' || c == '"' || c == '\\')
        return c == '\'' ? SINGLE : c == '"' ? DOUBLE : VALUE_ESCAPE;
    if (is_space(c))
        return BEFORE_VALUE;
    add(reader, c, true);
    return VALUE;
}

static enum place in_value(struct reader *reader, char c) {
    if (is_newline(c))
        return finish(reader);
    if (c == '\\') {
        reader->kept = reader->line.size;
        return VALUE_ESCAPE;
    }
    add(reader, c, !is_space(c));
    return VALUE;
}

static enum place value_escape(struct reader *reader, char c) {
    if (!is_newline(c))
        add(reader, c, true);
    return VALUE;
}

static enum place in_single(struct reader *reader, char c) {
    if (c == '\'')
        return BEFORE_VALUE;
    add(reader, c, true);
    return SINGLE;
}

static enum place in_double(struct reader *reader, char c) {
    if (c == '"' || c == '\\')
        return c == '"' ? BEFORE_VALUE : DOUBLE_ESCAPE;
    add(reader, c, true);
    return DOUBLE;
}

/* As in a shell, only these characters need the backslash; before others it stays. */
static enum place double_escape(struct reader *reader, char c) {
    if (c == '\n')
        return DOUBLE;
    if (c == '\0' || !strchr("\"\\`$", c))
        add(reader, '\\', true);
    add(reader, c, true);
    return DOUBLE;
}

static enum place in_comment(struct reader *reader, char c) {
    (void)reader;
    return c == '\\' ? COMMENT_ESCAPE : is_newline(c) ? BEFORE_NAME : COMMENT;
}

static enum place comment_escape(struct reader *reader, char c) {
    (void)reader;
    (void)c;
    return COMMENT;
}

int environment_file_parse(struct settings *settings, const char *name, struct holden_view text,
                           environment_take *take, struct holden_repeated *list) {
    static enum place (*const steps[PLACES])(struct reader *, char) = {
        [BEFORE_NAME] = before_name, [NAME] = in_name,
        [BEFORE_VALUE] = before_value, [VALUE] = in_value,
        [VALUE_ESCAPE] = value_escape, [SINGLE] = in_single,
        [DOUBLE] = in_double, [DOUBLE_ESCAPE] = double_escape,
        [COMMENT] = in_comment, [COMMENT_ESCAPE] = comment_escape,
    };
    struct reader reader = {.settings = settings, .file = name, .take = take, .list = list};
    enum place place = BEFORE_NAME;
    if (text.size > 0 && memchr(text.data, 0, text.size))
        return settings_refuse(settings, "EnvironmentFile=%s: holds a zero byte; not a text", name);
    for (size_t i = 0; i < text.size && reader.error == 0; i++)
        place = steps[place](&reader, text.data[i]);
    if (reader.error == 0 && place >= BEFORE_VALUE && place <= DOUBLE_ESCAPE)
        finish(&reader);
    buffer_free(&reader.line);
    return reader.error;
}

static int read_one(struct settings *settings, const char *path, bool optional,
                    environment_take *take, struct holden_repeated *list) {
    _cleanup_(buffer_free) struct buffer text = {0};
    int r = file_read_all(AT_FDCWD, path, FILE_MOST, &text);
    if (r == -ENOENT && optional)
        return 0;
    if (r < 0)
        return settings_refuse(settings, "EnvironmentFile=%s: %s", path, strerror(-r));
    return environment_file_parse(
        settings, path, (struct holden_view){(const char *)buffer_bytes(&text), text.size}, take,
        list);
}

int environment_file_read(struct settings *settings, const char *path, environment_take *take,
                          struct holden_repeated *list) {
    bool optional = *path == '-';
    path += optional;
    if (!strpbrk(path, "*?["))
        return read_one(settings, path, optional, take, list);
    _cleanup_(globfree) glob_t found = {0};
    int r = glob(path, 0, NULL, &found);
    if (r == GLOB_NOMATCH && optional)
        return 0;
    if (r != 0)
        return settings_refuse(settings, "EnvironmentFile=%s: %s", path,
                               r == GLOB_NOMATCH ? "no such file" : "cannot be read");
    for (size_t i = 0; i < found.gl_pathc; i++) {
        r = read_one(settings, found.gl_pathv[i], optional, take, list);
        if (r < 0)
            return r;
    }
    return 0;
}
