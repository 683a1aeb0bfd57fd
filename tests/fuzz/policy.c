/* The policy's files. What is read must decide, and what is wrong must be said in one line. */
#include <errno.h>
#include <string.h>

#include "agent/policy_file.h"
#include "fuzz.h"

/* Accounts that need nobody to be asked. */
static int find_user(const char *name, struct group_user *user) {
    *user = (struct group_user){.uid = (uid_t)strlen(name), .gid = 1, .groups = {1}, .count = 1};
    return *name == 'x' ? -ENOENT : 0;
}

static int find_group(const char *name, gid_t *gid) {
    *gid = (gid_t)strlen(name);
    return *name == 'x' ? -ENOENT : 0;
}

/* Asks for everything, about one process, as one user. */
static void ask(const struct policy *policy, uint32_t uid) {
    const struct holden_view command = {"/bin/true", 9};
    const struct policy_target target = {2, {"web-1", 5}};
    const struct identity identity = {.uid = uid, .gid = 1};
    struct holden_start start = {0};
    struct holden_properties properties = {0};
    struct arena arena = {0};
    HOLDEN_SET(&start, start, argument,
               (struct holden_repeated){.count = 1, .items = &command});
    for (uint16_t verb = 0; verb < 64; verb++) {
        struct failure failure = {0};
        const char *rule;
        const struct policy_question question = {.caller = {.uid = uid, .gid = 1},
                                                 .verb = verb,
                                                 .target = &target,
                                                 .start = &start,
                                                 .identity = &identity,
                                                 .properties = &properties};
        int r = policy_decide(policy, &question, &rule, &failure);
        EXPECT(r == 0 || (failure.text[0] && !strchr(failure.text, '\n')));
        EXPECT(uid != 0 || r == 0);
        EXPECT(r != 0 || uid == 0 || policy_admits(policy, &question.caller));
        if (r == 0 && policy_impose(policy, &question, &arena, &properties, &failure) < 0)
            EXPECT(failure.text[0]);
    }
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct policy_accounts accounts = {find_user, find_group};
    struct policy policy;
    char first[POLICY_COMPLAINT_MOST];
    if (size == 0)
        return 0;
    policy_init(&policy, 1, 0xff);
    FILE *file = fmemopen((void *)(uintptr_t)data, size, "r");
    EXPECT(file);
    int r = policy_file_parse(&policy, file, "policy.conf", &accounts, first);
    fclose(file);
    EXPECT((r == 0) == (first[0] == '\0') && !strchr(first, '\n'));
    for (uint32_t uid = 0; r == 0 && uid < 8; uid++)
        ask(&policy, uid);
    policy_free(&policy);
    return 0;
}
