/* How people write each kind of setting: one row per enum holden_syntax. */
#pragma once

#include "controller/settings.h"

struct syntax {
    /* Reads one value into the settings, replacing or adding. 0; -EINVAL for no such value and
     * -ERANGE for one out of bounds (the caller says which is allowed); any error with
     * settings->wrong set where there is more to say; -ENOMEM. */
    int (*parse)(struct settings *settings, size_t index, const char *value);
    /* Appends a value as people write it. `value` is the member of struct holden_properties, or one
     * element of a list. 0 or -ENOMEM. */
    int (*print)(size_t index, const void *value, struct buffer *out);
    const char *words;    /* what the kind is called in `properties` */
    const char *expects;  /* what is expected, for messages */
    bool reads_empty;     /* an empty value has a meaning of its own */
};

/* The row of a property. Static. */
const struct syntax *syntax_of(size_t index);

/* Appends one property of decoded or collected properties as people write it; the elements of a
 * list are separated by `between`, or with NULL as they would be in one value. 0 or -ENOMEM. */
int syntax_print(const struct holden_properties *properties, size_t index, const char *between,
                 struct buffer *out);

/* What a property's value may be: "1 to 10000", "at least 4K", "kill, stop, continue"; empty where
 * there is nothing to say. Into `text` of `space` bytes, which is returned. */
char *syntax_bounds(size_t index, char *text, size_t space);

/* Reads yes, no and their like, as systemd.syntax(7) has them. 0 with *truth, or -EINVAL. */
int syntax_read_boolean(const char *value, bool *truth);

/* Takes the next word off *at, separated by white space. False at the end. */
bool syntax_word(const char **at, struct holden_view *word);

/* Calls `take` for each word of the value, quoted as in systemd.syntax(7); it may write to the
 * word. 0; what `take` returned, if not 0; refused for quotes that do not match; -ENOMEM. */
int syntax_each_word(struct settings *settings, size_t index, const char *value,
                     int (*take)(struct settings *settings, size_t index, char *word));

/* Takes doubled and trailing slashes and "." parts out of an absolute path, in place. */
void syntax_simplify(char *path);

/* Reads "EPERM", "1" (0 to HOLDEN_CALL_ERROR_MOST) or "kill" (HOLDEN_CALL_KILL). 0; -EINVAL;
 * -ERANGE for a number that is none. */
int syntax_error_number(const char *text, uint32_t *number);

/* The functions of the rows, by file. syntax_number.c: */
int syntax_parse_size(struct settings *settings, size_t index, const char *value);
int syntax_parse_disk_quota(struct settings *settings, size_t index, const char *value);
int syntax_parse_count(struct settings *settings, size_t index, const char *value);
int syntax_parse_quota(struct settings *settings, size_t index, const char *value);
int syntax_parse_time(struct settings *settings, size_t index, const char *value);
int syntax_parse_nanoseconds(struct settings *settings, size_t index, const char *value);
int syntax_parse_weight(struct settings *settings, size_t index, const char *value);
int syntax_parse_weight_or_idle(struct settings *settings, size_t index, const char *value);
int syntax_parse_integer(struct settings *settings, size_t index, const char *value);
int syntax_parse_boolean(struct settings *settings, size_t index, const char *value);
int syntax_parse_mode(struct settings *settings, size_t index, const char *value);
int syntax_parse_signal(struct settings *settings, size_t index, const char *value);
int syntax_parse_errno(struct settings *settings, size_t index, const char *value);
int syntax_parse_word(struct settings *settings, size_t index, const char *value);
int syntax_print_size(size_t index, const void *value, struct buffer *out);
int syntax_print_count(size_t index, const void *value, struct buffer *out);
int syntax_print_quota(size_t index, const void *value, struct buffer *out);
int syntax_print_time(size_t index, const void *value, struct buffer *out);
int syntax_print_nanoseconds(size_t index, const void *value, struct buffer *out);
int syntax_print_weight(size_t index, const void *value, struct buffer *out);
int syntax_print_integer(size_t index, const void *value, struct buffer *out);
int syntax_print_boolean(size_t index, const void *value, struct buffer *out);
int syntax_print_mode(size_t index, const void *value, struct buffer *out);
int syntax_print_signal(size_t index, const void *value, struct buffer *out);
int syntax_print_errno(size_t index, const void *value, struct buffer *out);
int syntax_print_word(size_t index, const void *value, struct buffer *out);

/* syntax_limit.c: */
int syntax_parse_limit_time(struct settings *settings, size_t index, const char *value);
int syntax_parse_limit_microseconds(struct settings *settings, size_t index, const char *value);
int syntax_parse_limit_size(struct settings *settings, size_t index, const char *value);
int syntax_parse_limit_count(struct settings *settings, size_t index, const char *value);
int syntax_parse_limit_nice(struct settings *settings, size_t index, const char *value);
int syntax_print_limit_time(size_t index, const void *value, struct buffer *out);
int syntax_print_limit_microseconds(size_t index, const void *value, struct buffer *out);
int syntax_print_limit_size(size_t index, const void *value, struct buffer *out);
int syntax_print_limit_count(size_t index, const void *value, struct buffer *out);

/* syntax_device.c: */
int syntax_parse_device_size(struct settings *settings, size_t index, const char *value);
int syntax_parse_device_count(struct settings *settings, size_t index, const char *value);
int syntax_parse_device_weight(struct settings *settings, size_t index, const char *value);
int syntax_parse_device_time(struct settings *settings, size_t index, const char *value);
int syntax_parse_cpus(struct settings *settings, size_t index, const char *value);
int syntax_print_device_size(size_t index, const void *value, struct buffer *out);
int syntax_print_device_count(size_t index, const void *value, struct buffer *out);
int syntax_print_device_time(size_t index, const void *value, struct buffer *out);
int syntax_print_cpus(size_t index, const void *value, struct buffer *out);

/* syntax_allow.c: */
int syntax_parse_devices(struct settings *settings, size_t index, const char *value);
int syntax_print_devices(size_t index, const void *value, struct buffer *out);

/* Makes room for one more item in a list of records that is being put together; the items so far
 * stay where they are too. 0 with *items, which the list is to point to; -ENOMEM. */
int syntax_grow(struct settings *settings, const struct holden_repeated *list,
                struct holden_nested **items);

/* Prints each record of a list, set or decoded, by `print`, with `between` between two of them; one
 * that does not decode is left out. `space`: the struct of such a record. 0, or -ENOMEM. */
int syntax_print_records(struct holden_repeated list, const struct holden_record *record,
                         void *space, const char *between,
                         int (*print)(const void *item, struct buffer *out), struct buffer *out);

/* syntax_network.c: */
int syntax_parse_addresses(struct settings *settings, size_t index, const char *value);
int syntax_print_addresses(size_t index, const void *value, struct buffer *out);

/* syntax_socket.c: */
int syntax_parse_bind_rules(struct settings *settings, size_t index, const char *value);
int syntax_parse_interfaces(struct settings *settings, size_t index, const char *value);
int syntax_print_bind_rules(size_t index, const void *value, struct buffer *out);
int syntax_print_interfaces(size_t index, const void *value, struct buffer *out);

/* syntax_path.c: */
int syntax_parse_directory(struct settings *settings, size_t index, const char *value);
int syntax_parse_environment_file(struct settings *settings, size_t index, const char *value);
int syntax_parse_search_path(struct settings *settings, size_t index, const char *value);
int syntax_parse_input(struct settings *settings, size_t index, const char *value);
int syntax_parse_output(struct settings *settings, size_t index, const char *value);
int syntax_parse_profile(struct settings *settings, size_t index, const char *value);
int syntax_print_stream(size_t index, const void *value, struct buffer *out);
int syntax_print_profile(size_t index, const void *value, struct buffer *out);

/* syntax_input.c: */
int syntax_parse_input_text(struct settings *settings, size_t index, const char *value);
int syntax_parse_input_data(struct settings *settings, size_t index, const char *value);
int syntax_print_input_data(size_t index, const void *value, struct buffer *out);

/* syntax_exec.c: */
int syntax_parse_exec(struct settings *settings, size_t index, const char *value);
int syntax_parse_exit_status(struct settings *settings, size_t index, const char *value);
int syntax_print_exec(size_t index, const void *value, struct buffer *out);
int syntax_print_exit_status(size_t index, const void *value, struct buffer *out);

/* syntax_bits.c: */
int syntax_parse_coredump_filter(struct settings *settings, size_t index, const char *value);
int syntax_print_coredump_filter(size_t index, const void *value, struct buffer *out);
int syntax_parse_secure_bits(struct settings *settings, size_t index, const char *value);
int syntax_print_secure_bits(size_t index, const void *value, struct buffer *out);

/* syntax_list.c: */
int syntax_parse_names(struct settings *settings, size_t index, const char *value);
int syntax_parse_text(struct settings *settings, size_t index, const char *value);
int syntax_parse_words(struct settings *settings, size_t index, const char *value);
int syntax_parse_environment(struct settings *settings, size_t index, const char *value);
int syntax_parse_user(struct settings *settings, size_t index, const char *value);
int syntax_parse_group(struct settings *settings, size_t index, const char *value);
int syntax_parse_groups(struct settings *settings, size_t index, const char *value);
int syntax_print_text(size_t index, const void *value, struct buffer *out);
int syntax_print_names(size_t index, const void *value, struct buffer *out);
int syntax_print_assignment(size_t index, const void *value, struct buffer *out);
int syntax_print_user(size_t index, const void *value, struct buffer *out);
int syntax_print_group(size_t index, const void *value, struct buffer *out);

/* syntax_restrict.c: */

/* The number of an address family, as AF_INET. 0, or -ENOENT. */
int syntax_family(struct holden_view name, uint32_t *family);

/* The CLONE_NEW* flag of a kind of namespaces as RestrictNamespaces= names it, or 0. */
uint32_t syntax_namespace(const char *name);
int syntax_parse_namespaces(struct settings *settings, size_t index, const char *value);
int syntax_parse_families(struct settings *settings, size_t index, const char *value);
int syntax_print_namespaces(size_t index, const void *value, struct buffer *out);
int syntax_print_families(size_t index, const void *value, struct buffer *out);

/* syntax_controllers.c: */
int syntax_parse_delegate(struct settings *settings, size_t index, const char *value);
int syntax_parse_controllers(struct settings *settings, size_t index, const char *value);
int syntax_parse_slice(struct settings *settings, size_t index, const char *value);
int syntax_print_delegate(size_t index, const void *value, struct buffer *out);
int syntax_print_controllers(size_t index, const void *value, struct buffer *out);

/* syntax_mount.c: */
int syntax_parse_network(struct settings *settings, size_t index, const char *value);
int syntax_parse_path(struct settings *settings, size_t index, const char *value);
int syntax_parse_run_path(struct settings *settings, size_t index, const char *value);
int syntax_parse_paths(struct settings *settings, size_t index, const char *value);
int syntax_parse_binds(struct settings *settings, size_t index, const char *value);
int syntax_parse_temporary(struct settings *settings, size_t index, const char *value);
int syntax_parse_image_options(struct settings *settings, size_t index, const char *value);
int syntax_print_path(size_t index, const void *value, struct buffer *out);
int syntax_print_bind(size_t index, const void *value, struct buffer *out);
int syntax_print_temporary(size_t index, const void *value, struct buffer *out);

/* syntax_directory.c: */
int syntax_parse_directories(struct settings *settings, size_t index, const char *value);
int syntax_print_directory_name(size_t index, const void *value, struct buffer *out);

/* credential.c: */
int syntax_parse_set_credential(struct settings *settings, size_t index, const char *value);
int syntax_parse_load_credential(struct settings *settings, size_t index, const char *value);
int syntax_print_credential(size_t index, const void *value, struct buffer *out);
