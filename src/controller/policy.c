/* The verb policy: asks the agent what its policy would say, one question or a table of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/unit.h"
#include "controller/account.h"
#include "controller/command.h"
#include "controller/launch.h"
#include "controller/quoting.h"
#include "controller/session.h"
#include "controller/words.h"
#include "protocol/message.h"

enum { WORDS_MOST = 64, LINE_MOST = 4096 };

/* One question, with what it points to. */
struct question {
    struct holden_check_policy message;
    struct holden_user user;
    struct settings settings;   /* owned */
    uint32_t *groups;           /* owned */
    struct holden_view *words;  /* owned */
};

static void question_free(struct question *question) {
    settings_free(&question->settings);
    free(question->groups);
    free(question->words);
}

static bool parse_id(const char *text, uint32_t *id) {
    uint64_t number;
    if (strcmp(text, "infinity") == 0 || unit_parse_count(text, &number) < 0 ||
        number >= UINT32_MAX)
        return false;
    *id = (uint32_t)number;
    return true;
}

static int refuse_user(const char *name, int error) {
    char shown[WORDS_SHOWN];
    log_error("%s: %s", words_show(name, shown),
              error == -ENOENT ? "no such user" : strerror(-error));
    return STATUS_USAGE;
}

/* A user by name or number; a number need have no name. `account` is empty then. */
static int find_user(const char *name, uint32_t *uid, struct account *account) {
    bool numeric = parse_id(name, uid);
    int r = numeric ? account_by_uid(*uid, account) : account_by_name(name, account);
    if (r == 0)
        *uid = account->uid;
    else if (!numeric && strcmp(name, "root") == 0)
        *uid = 0;
    else if (!numeric || r != -ENOENT)
        return refuse_user(name, r);
    return STATUS_DONE;
}

static int put_user(struct question *question, const char *name) {
    _cleanup_(account_free) struct account account = {0};
    struct holden_user *user = &question->user;
    size_t count = 0;
    uint32_t uid;
    int status = find_user(name, &uid, &account);
    if (status != STATUS_DONE)
        return status;
    int r = account.name ? account_groups(account.name, account.gid, &question->groups, &count) : 0;
    if (r < 0)
        return refuse_user(name, r);
    HOLDEN_SET(user, user, uid, uid);
    HOLDEN_SET(user, user, gid, account.name ? account.gid : uid);
    if (count > 0)
        HOLDEN_SET(user, user, group,
                   (struct holden_repeated){.count = (uint32_t)count, .items = question->groups});
    HOLDEN_SET(&question->message, check_policy, user, (struct holden_nested){.value = user});
    return STATUS_DONE;
}

/* NAME, or OWNER:NAME for one that need not be there. */
static int put_target(struct question *question, const char *text) {
    _cleanup_(account_free) struct account account = {0};
    struct holden_check_policy *message = &question->message;
    const char *colon = strchr(text, ':');
    uint32_t owner;
    if (colon) {
        _cleanup_free_ char *name = strndup(text, (size_t)(colon - text));
        int status = name ? find_user(name, &owner, &account) : STATUS_FAILED;
        if (status != STATUS_DONE)
            return status;
        HOLDEN_SET(message, check_policy, owner, owner);
        text = colon + 1;
    }
    HOLDEN_SET(message, check_policy, target, holden_view(text));
    return STATUS_DONE;
}

static int put_command(struct question *question, char **words, int count) {
    question->words = calloc((size_t)count + 1, sizeof(*question->words));
    if (!question->words) {
        log_error("out of memory");
        return STATUS_FAILED;
    }
    for (int i = 0; i < count; i++)
        question->words[i] = holden_view(words[i]);
    HOLDEN_SET(&question->message, check_policy, argument,
               (struct holden_repeated){.count = (uint32_t)count, .items = question->words});
    return STATUS_DONE;
}

static int put_settings(struct question *question, const struct options *options) {
    int status = launch_settings(&question->settings, options);
    if (status != STATUS_DONE)
        return status;
    if (settings_finish(&question->settings) < 0) {
        log_error("%s", question->settings.wrong);
        return STATUS_USAGE;
    }
    HOLDEN_SET(&question->message, check_policy, properties,
               (struct holden_nested){.value = &question->settings.properties});
    return STATUS_DONE;
}

/* check USER VERB, and behind it the command of a start or the target of anything else. */
static int prepare(struct question *question, const struct command *command) {
    char **words = command->arguments + 1;
    int count = command->count - 1;
    if (count < 2) {
        log_error("policy check: a user and a verb are needed; see `help policy`");
        return STATUS_USAGE;
    }
    int status = put_user(question, words[0]);
    if (status != STATUS_DONE)
        return status;
    bool start = strcmp(words[1], "start") == 0;
    if (!start && count > 3) {
        log_error("policy check: only start takes more than one argument behind it");
        return STATUS_USAGE;
    }
    HOLDEN_SET(&question->message, check_policy, verb, holden_view(words[1]));
    if (command->options.name)
        HOLDEN_SET(&question->message, check_policy, target, holden_view(command->options.name));
    if (start && count > 2)
        status = put_command(question, words + 2, count - 2);
    else if (count > 2)
        status = put_target(question, words[2]);
    return status == STATUS_DONE ? put_settings(question, &command->options) : status;
}

static int ask(const struct command *command, struct session *session,
               struct holden_policy_decision *decision) {
    _cleanup_(question_free) struct question question = {0};
    int status = prepare(&question, command);
    if (status != STATUS_DONE)
        return status;
    return session_call(session, HOLDEN_MESSAGE_check_policy, &question.message,
                        HOLDEN_MESSAGE_policy_decision, decision, "cannot ask the policy");
}

static void print_decision(struct output *output, const struct holden_policy_decision *decision) {
    output_style(output, decision->allowed ? OUTPUT_GOOD : OUTPUT_BAD);
    output_text(output, decision->allowed ? "allowed" : "refused");
    output_style(output, OUTPUT_PLAIN);
    if (decision->rule.size > 0)
        output_printf(output, " by rule %.*s", (int)decision->rule.size, decision->rule.data);
    if (!decision->allowed) {
        output_text(output, ": ");
        output_safe(output, decision->reason);
    }
    output_text(output, "\n");
}

static int check(struct command *command, struct session *session) {
    struct holden_policy_decision decision;
    int status = ask(command, session, &decision);
    if (status != STATUS_DONE)
        return status;
    if (command->options.json)
        output_json(&command->output, &holden_record_policy_decision, &decision);
    else
        print_decision(&command->output, &decision);
    return decision.allowed ? STATUS_DONE : STATUS_NOT_PERMITTED;
}

/* ---- tables ---- */

/* A row of the table: what is expected, and the words of a check. */
struct row {
    const char *path;
    int line;
    char *words[WORDS_MOST];  /* owned; the first is what is expected */
    int count;
};

static void row_free(struct row *row) {
    for (int i = 0; i < row->count; i++)
        free(row->words[i]);
}

static int split(struct row *row, const char *text) {
    for (;;) {
        _cleanup_(buffer_free) struct buffer word = {0};
        int r = quoting_item(&text, QUOTING_STRICT, &word);
        if (r == 0)
            return STATUS_DONE;
        char *copy = r < 0 || row->count + 2 >= WORDS_MOST
                         ? NULL : strndup((const char *)buffer_bytes(&word), word.size);
        if (!copy) {
            log_error("%s:%d: %s", row->path, row->line,
                      r < 0 ? "a quote is open, or \\ means nothing there" : "too many words");
            return STATUS_USAGE;
        }
        row->words[row->count++] = copy;
    }
}

/* "allow" or "refuse", or either with the rule that is to decide it: "refuse:no-kill". */
static int expectation(const struct row *row, bool *allowed, const char **rule) {
    const char *word = row->words[0];
    size_t size = strcspn(word, ":");
    *rule = word[size] ? word + size + 1 : NULL;
    *allowed = size == 5 && strncmp(word, "allow", size) == 0;
    if (*allowed || (size == 6 && strncmp(word, "refuse", size) == 0))
        return STATUS_DONE;
    log_error("%s:%d: a row begins with allow or refuse, or allow:RULE or refuse:RULE", row->path,
              row->line);
    return STATUS_USAGE;
}

static void print_difference(struct command *command, const struct row *row,
                             const struct holden_policy_decision *decision) {
    struct output *output = &command->output;
    if (!command->options.json) {
        output_printf(output, "%s:%d: expected %s, but ", row->path, row->line, row->words[0]);
        print_decision(output, decision);
        return;
    }
    output_printf(output, "{\"line\":%d", row->line);
    output_member(output, "expected", holden_view(row->words[0]));
    output_text(output, ",\"decision\":");
    output_object(output, &holden_record_policy_decision, decision);
    output_text(output, "}\n");
}

/* Asks for one row. STATUS_FAILED where the answer is another than expected. */
static int test_row(struct command *command, struct session *session, struct row *row) {
    struct holden_policy_decision decision;
    const char *rule;
    bool allowed;
    int status = expectation(row, &allowed, &rule);
    if (status != STATUS_DONE)
        return status;
    char *words[WORDS_MOST + 1] = {command->arguments[0], command->arguments[0]};
    for (int i = 1; i < row->count; i++)
        words[i + 1] = row->words[i];
    struct command asked = {.verb = command->verb};
    status = command_parse(&asked, row->count + 1, words);
    if (status == STATUS_DONE)
        status = ask(&asked, session, &decision);
    command_free(&asked);
    if (status != STATUS_DONE) {
        log_error("%s:%d: the row above cannot be asked", row->path, row->line);
        return status;
    }
    if (decision.allowed == allowed && (!rule || holden_view_is(decision.rule, rule)))
        return STATUS_DONE;
    print_difference(command, row, &decision);
    return STATUS_FAILED;
}

static int test_line(struct command *command, struct session *session, int line, const char *text,
                     unsigned *rows) {
    struct row row = {.path = command->arguments[1], .line = line};
    text += strspn(text, QUOTING_SPACE);
    if (!*text || *text == '#')
        return STATUS_DONE;
    *rows += 1;
    int status = split(&row, text);
    if (status == STATUS_DONE)
        status = test_row(command, session, &row);
    row_free(&row);
    return status;
}

/* Every row is asked; one that makes no sense ends it. */
static int test_file(struct command *command, struct session *session, FILE *file) {
    char text[LINE_MOST];
    unsigned rows = 0, different = 0;
    for (int line = 1; fgets(text, sizeof(text), file); line++) {
        if (!strchr(text, '\n') && !feof(file)) {
            log_error("%s:%d: longer than %d characters", command->arguments[1], line,
                      LINE_MOST - 2);
            return STATUS_USAGE;
        }
        int status = test_line(command, session, line, text, &rows);
        if (status != STATUS_DONE && status != STATUS_FAILED)
            return status;
        different += status == STATUS_FAILED;
    }
    if (ferror(file)) {
        log_error("cannot read %s: %s", command->arguments[1], strerror(errno));
        return STATUS_FAILED;
    }
    if (!command->options.json)
        output_printf(&command->output, "%u of %u decisions as expected\n", rows - different, rows);
    return different > 0 ? STATUS_FAILED : STATUS_DONE;
}

static int test(struct command *command, struct session *session) {
    const char *path = command->arguments[1];
    if (command->count != 2) {
        log_error("policy test: one file is needed; see `help policy`");
        return STATUS_USAGE;
    }
    FILE *file = fopen(path, "re");
    if (!file) {
        log_error("cannot read %s: %s", path, strerror(errno));
        return STATUS_USAGE;
    }
    int status = test_file(command, session, file);
    fclose(file);
    return status;
}

int verb_policy(struct command *command) {
    static const struct {
        const char *word;
        int (*run)(struct command *command, struct session *session);
    } rows[] = {{"check", check}, {"test", test}};
    char shown[WORDS_SHOWN];
    _cleanup_(session_close) struct session session = {.client.connection.fd = -1};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(command->arguments[0], rows[i].word) != 0)
            continue;
        int status = session_open(&session, &command->options);
        return status == STATUS_DONE ? rows[i].run(command, &session) : status;
    }
    log_error("policy %s: expected check or test", words_show(command->arguments[0], shown));
    return STATUS_USAGE;
}
