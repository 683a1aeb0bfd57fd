/* Directories by name: the order in which they are made, what the links hold, what is in the
 * environment, and what is refused where another client asks than the controller. */
#include "agent/directory.h"

#include <stdio.h>
#include <string.h>

#include "controller/settings.h"
#include "settings.h"
#include "suite.h"

struct made {
    struct settings settings;
    struct wire wire;
    const struct holden_properties *properties;
};

static void begin(struct made *made, const char *const *texts) {
    *made = (struct made){0};
    for (size_t i = 0; texts[i]; i++)
        if (settings_assign_text(&made->settings, texts[i]) < 0)
            fail_msg("%s: %s", texts[i], made->settings.wrong);
    made->properties = wire_pass(&made->wire, &made->settings.properties);
}

static void end(struct made *made) {
    wire_free(&made->wire);
    settings_free(&made->settings);
}

TEST(walk) {
    struct made made;
    char text[512] = "";
    begin(&made, LIST("StateDirectory=a:l b", "RuntimeDirectory=r/s:x/y/z", "LogsDirectoryMode=700",
                      "LogsDirectory=o", "ConfigurationDirectory=c"));
    struct directory_walk walk = {.properties = made.properties};
    struct directory directory;
    while (directory_next(&walk, &directory)) {
        _cleanup_(buffer_free) struct buffer link = {0};
        size_t used = strlen(text);
        if (directory.link.size > 0)
            assert_int_equal(directory_link_text(&directory, &link), 0);
        snprintf(text + used, sizeof(text) - used, "%s/%.*s %o %d %.*s<%.*s\n", directory.prefix,
                 (int)directory.name.size, directory.name.data, directory.mode, directory.owned,
                 (int)directory.link.size, directory.link.data ? directory.link.data : "",
                 (int)link.size, (const char *)buffer_bytes(&link));
    }
    assert_string_equal(text, "/run/r/s 755 1 <\n"
                              "/var/lib/a 755 1 <\n"
                              "/var/lib/b 755 1 <\n"
                              "/var/log/o 700 1 <\n"
                              "/etc/c 755 0 <\n"
                              "/run/r/s 755 1 x/y/z<../../r/s\n"
                              "/var/lib/a 755 1 l<a\n");
    assert_false(directory_next(&walk, &directory));
    end(&made);
}

TEST(private) {
    struct made made;
    char text[512] = "";
    begin(&made, LIST("StateDirectory=a:l a/b b/c:a/l", "RuntimeDirectory=r", "CacheDirectory=c",
                      "ConfigurationDirectory=e", "DynamicUser=yes"));
    struct directory_walk walk = {.properties = made.properties};
    struct directory directory;
    while (directory_next(&walk, &directory)) {
        _cleanup_(buffer_free) struct buffer link = {0};
        size_t used = strlen(text);
        assert_int_equal(directory_private_text(&directory, &link), 0);
        snprintf(text + used, sizeof(text) - used, "%.*s %d %d %d %.*s<%.*s\n",
                 (int)directory.name.size, directory.name.data, directory.private, directory.inside,
                 directory.returns, (int)directory.link.size,
                 directory.link.data ? directory.link.data : "", (int)link.size,
                 (const char *)buffer_bytes(&link));
    }
    assert_string_equal(text, "r 0 0 1 <private/r\n"
                              "a 1 0 0 <private/a\n"
                              "a/b 1 1 0 <../private/a/b\n"
                              "b/c 1 0 0 <../private/b/c\n"
                              "c 1 0 0 <private/c\n"
                              "e 0 0 0 <private/e\n"
                              "a 1 0 0 l<private/a\n"
                              "b/c 1 1 0 a/l<../private/b/c\n");
    end(&made);
}

TEST(none) {
    const struct holden_properties properties = {0};
    struct directory_walk walk = {.properties = &properties};
    struct directory directory;
    assert_false(directory_next(&walk, &directory));
    struct buffer text = {0};
    for (unsigned i = 0; i < DIRECTORY_KINDS; i++)
        assert_int_equal(directory_environment(&properties, i, &text), 0);
    assert_int_equal(text.size, 0);
}

TEST(environment) {
    struct made made;
    struct buffer text = {0};
    begin(&made, LIST("StateDirectory=a:l a:m b a", "CacheDirectory=c",
                      "Environment=CACHE_DIRECTORY=mine"));
    for (unsigned i = 0; i < DIRECTORY_KINDS; i++)
        assert_int_equal(directory_environment(made.properties, i, &text), 0);
    assert_int_equal(buffer_append(&text, "", 1), 0);
    assert_string_equal((const char *)buffer_bytes(&text),
                        "STATE_DIRECTORY=/var/lib/b:/var/lib/a");
    buffer_free(&text);
    end(&made);
}

TEST(what_is_no_name_is_refused) {
    static const struct {
        const char *name, *link;
    } rows[] = {
        {"", NULL},       {"/a", NULL},        {"a/", NULL},    {"a//b", NULL}, {".", NULL},
        {"a/..", NULL},   {"../a", NULL},      {"a/./b", NULL}, {"private", NULL},
        {"private/x", NULL}, {"a", ""},        {"a", "/b"},     {"a", "b/.."},  {"a", "private"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct failure failure = {0};
        struct wire wire = {0};
        struct holden_directory directory = {0};
        struct holden_properties properties = {0};
        struct holden_nested nested = {.value = &directory};
        HOLDEN_SET(&directory, directory, name, holden_view(rows[i].name));
        if (rows[i].link)
            HOLDEN_SET(&directory, directory, link, holden_view(rows[i].link));
        HOLDEN_SET(&properties, properties, cache_directory,
                   (struct holden_repeated){.count = 1, .items = &nested});
        if (directory_check(wire_pass(&wire, &properties), &failure) == 0)
            fail_msg("%s:%s is taken", rows[i].name, rows[i].link ? rows[i].link : "-");
        assert_int_equal(failure.code, HOLDEN_code_INVALID);
        assert_string_equal(failure.step, "CacheDirectory");
        wire_free(&wire);
    }
}

TEST(what_is_a_name_is_taken) {
    struct made made;
    struct failure failure;
    begin(&made,
          LIST("RuntimeDirectory=a ..a a../b ...:privates/x .a", "ConfigurationDirectory=c"));
    assert_int_equal(directory_check(made.properties, &failure), 0);
    end(&made);
}

UNIT_MAIN
