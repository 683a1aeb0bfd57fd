/* Specifiers, by the table of systemd.unit(5). */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/file.h"
#include "controller/specifier.h"

static int expand(const char *unit, const char *text, bool quoted, char *out, size_t space) {
    struct unit_name name;
    assert_int_equal(unit_name_parse(unit, &name), 0);
    struct specifier specifier = {.name = &name, .socket = "/nonesuch/socket",
                                  .path = "/etc/units/web@.service", .quoted = quoted};
    _cleanup_(buffer_free) struct buffer result = {0};
    int r = specifier_expand(&specifier, text, &result);
    assert_true(result.size < space);
    memcpy(out, buffer_bytes(&result), result.size);
    out[result.size] = '\0';
    return r;
}

TEST(the_names_of_the_unit) {
    static const struct { const char *unit, *text, *expected; } rows[] = {
        {"web.service", "%n %N %p %i|%I|", "web.service web web ||"},
        {"web@2.service", "%d", "/nonesuch/credentials/web@2"},
        {"web@2.service", "%n %N %p %i", "web@2.service web@2 web 2"},
        {"a-b\\x2dc@d-e.service", "%p|%P|%i|%I", "a-b\\x2dc|a/b-c|d-e|d/e"},
        {"a-b-c@x.service", "%j %J", "c c"},
        {"abc.service", "%j", "abc"},
        {"m@var-lib.service", "%f", "/var/lib"},
        {"m@-.service", "%f", "/"},
        {"m@-a.service", "%f", "/a"},
        {"var-lib.service", "%f", "/var/lib"},
        {"web@1.service", "%y %Y", "/etc/units/web@.service /etc/units"},
        {"web.service", "100%% %%n %", "100% %n %"},
        {"web.service", "%Z %; %x", "%Z %; %x"},
        {"web.service", "%T %V", "/tmp /var/tmp"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char out[256];
        assert_int_equal(expand(rows[i].unit, rows[i].text, false, out, sizeof(out)), 0);
        assert_string_equal(out, rows[i].expected);
    }
}

TEST(the_machine_and_who_asks) {
    char out[512], expected[512], id[64];
    struct utsname uts;
    assert_int_equal(uname(&uts), 0);
    const struct passwd *entry = getpwuid(geteuid());
    assert_non_null(entry);
    snprintf(expected, sizeof(expected), "%s %s %u %u %s %s", uts.release, uts.nodename, geteuid(),
             getegid(), entry->pw_name, entry->pw_dir);
    assert_int_equal(expand("a.service", "%v %H %U %G %u %h", false, out, sizeof(out)), 0);
    assert_string_equal(out, expected);
    assert_true(file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", id, sizeof(id)) == 36);
    assert_int_equal(expand("a.service", "%b", false, out, sizeof(out)), 0);
    assert_int_equal(strlen(out), 32);
    assert_memory_equal(out, id, 8);
    if (geteuid() == 0) {
        assert_int_equal(expand("a.service", "%t %S %C %L %E", false, out, sizeof(out)), 0);
        assert_string_equal(out, "/run /var/lib /var/cache /var/log /etc");
    }
    assert_int_equal(expand("a.service", "%a %o", false, out, sizeof(out)), 0);
    assert_non_null(strchr(out, ' '));
    assert_int_equal(strchr(out, '%'), 0);
}

TEST(what_has_no_value_is_an_error) {
    char out[64];
    assert_int_equal(expand("a@\\xzz.service", "%i", false, out, sizeof(out)), 0);
    assert_int_equal(expand("a@\\xzz.service", "%I", false, out, sizeof(out)), -EINVAL);
}

TEST(what_is_put_into_quotes_cannot_break_them) {
    char out[64];
    assert_int_equal(expand("a@b\\x20c\\x22d.service", "X=\"%I\" %n", true, out, sizeof(out)), 0);
    assert_string_equal(out, "X=\"b\\x20c\\x22d\" a@b\\x5cx20c\\x5cx22d.service");
}

UNIT_MAIN
