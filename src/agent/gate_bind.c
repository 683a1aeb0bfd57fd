#include "agent/gate_bind.h"

#include <errno.h>
#include <netinet/in.h>

enum { PORT = BPF_REG_2, PROTOCOL = BPF_REG_3, PORT_BITS = 16 };

static void begin(struct bytecode *program) {
    bytecode_word(program, PORT, BPF_REG_1, offsetof(struct bpf_sock_addr, user_port));
    bytecode_word(program, PROTOCOL, BPF_REG_1, offsetof(struct bpf_sock_addr, protocol));
    bytecode_add(program, BPF_ALU | BPF_END | BPF_TO_BE, PORT, 0, 0, PORT_BITS);
}

/* What matches every socket compares too, since the kernel takes no program with instructions that
 * no jump leads past. */
static void add_rule(struct bytecode *program, const struct holden_bind_rule *rule, bool allow) {
    bool protocol = HOLDEN_HAS(rule, bind_rule, protocol);
    bool port = HOLDEN_HAS(rule, bind_rule, first);
    uint32_t last = HOLDEN_HAS(rule, bind_rule, last) ? rule->last : rule->first;
    int left = BYTECODE_RETURN + 2 * port;
    if (protocol)
        bytecode_unless(program, PROTOCOL, rule->protocol, left);
    if (port) {
        bytecode_add(program, BPF_JMP32 | BPF_JLT | BPF_K, PORT, 0, --left, (int32_t)rule->first);
        bytecode_add(program, BPF_JMP32 | BPF_JGT | BPF_K, PORT, 0, --left, (int32_t)last);
    }
    if (!protocol && !port)
        bytecode_add(program, BPF_JMP32 | BPF_JNE | BPF_X, PORT, PORT, left, 0);
    bytecode_return(program, allow);
}

static int add_list(struct bytecode *program, const struct holden_bind_rules *rules,
                    uint32_t family, bool allow) {
    struct holden_repeated left = rules->rule;
    struct holden_nested nested;
    while (holden_next_record(&left, &nested)) {
        struct holden_bind_rule decoded;
        const struct holden_bind_rule *rule =
            holden_nested_value(&holden_record_bind_rule, &nested, &decoded);
        if (!rule || rule->first > UINT16_MAX || rule->last > UINT16_MAX)
            return -EBADMSG;
        if (!HOLDEN_HAS(rule, bind_rule, family) || rule->family == family)
            add_rule(program, rule, allow);
    }
    return 0;
}

static const struct holden_bind_rules *list_of(bool given, const struct holden_nested *nested,
                                               struct holden_bind_rules *space) {
    *space = (struct holden_bind_rules){0};
    return given ? holden_nested_value(&holden_record_bind_rules, nested, space) : space;
}

static int build(const struct holden_properties *properties, uint32_t family,
                 struct bytecode *program) {
    struct holden_bind_rules spaces[2];
    const struct holden_bind_rules *allow =
        list_of(HOLDEN_HAS(properties, properties, socket_bind_allow),
                &properties->socket_bind_allow, &spaces[0]);
    const struct holden_bind_rules *deny =
        list_of(HOLDEN_HAS(properties, properties, socket_bind_deny), &properties->socket_bind_deny,
                &spaces[1]);
    int r = allow && deny ? 0 : -EBADMSG;
    if (r < 0 || deny->rule.count == 0)
        return r;
    begin(program);
    r = add_list(program, allow, family, true);
    if (r == 0)
        r = add_list(program, deny, family, false);
    bytecode_return(program, true);
    return r;
}

int gate_bind_four(const struct holden_properties *properties, struct bytecode *program) {
    return build(properties, AF_INET, program);
}

int gate_bind_six(const struct holden_properties *properties, struct bytecode *program) {
    return build(properties, AF_INET6, program);
}
