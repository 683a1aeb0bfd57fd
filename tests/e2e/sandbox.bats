#!/usr/bin/env bats
# Sandbox=, and what security says about processes and units.

load helper

# Where it begins must be somewhere that it can see: the tree may lie in /tmp.
setup() {
    prepare
    start_agent
    cd /
}

@test "a sandbox takes away what it says, and what stands beside it changes it" {
    run "$C" run -p Sandbox=strict -- sh -c 'awk "/^(CapBnd|NoNewPrivs|Seccomp):/ { print \$2 }" /proc/self/status
        ls /proc | grep -cx "[0-9]*"; ls /run; touch /etc/x; touch /tmp/x && umask'
    expect 0
    # The shell, ls and grep; their init shows itself to nobody.
    [ "$(sed -n 1,4p <<<"$output" | tr '\n' ' ')" = "0000000000000000 1 2 3 " ]
    grep -q "touch: cannot touch '/etc/x': Read-only file system" <<<"$output"
    [ "$(tail -n 1 <<<"$output")" = 0077 ]
    run "$C" run -p UMask=0027 -p CapabilityBoundingSet=CAP_KILL -p Sandbox=strict -- \
        sh -c 'awk "/^CapBnd:/ { print \$2 }" /proc/self/status; umask'
    expect 0
    [ "$(tr '\n' ' ' <<<"$output")" = "0000000000000020 0027 " ]
}

@test "ordinary programs run in each sandbox" {
    for box in service build judge strict; do
        run "$C" run -p "Sandbox=$box" -- sh -c 'echo hello | sort | sed s/h/H/ >/tmp/f && cat /tmp/f && sleep 0'
        expect 0
        [ "$output" = Hello ]
    done
    # What a build does: compile and run.
    run "$C" run -p Sandbox=build -p WorkingDirectory=/tmp -- \
        sh -c 'echo "int main(void) { return 7; }" >a.c && cc a.c && ./a.out'
    expect 7
}

@test "a unit says where each setting of its sandbox comes from" {
    printf '[Service]\nExecStart=/bin/true\nSystemCallFilter=~kill\nSandbox=judge\n' >"$T/a.service"
    run "$C" verify "$T/a.service"
    expect 0
    grep -qE '^ProtectSystem +[^ ]+/a\.service:4 +strict$' <<<"$output"
    grep -qE '^SystemCallFilter +[^ ]+/a\.service:4, [^ ]+/a\.service:3 +@system-service .*~kill$' <<<"$output"
    sed -i s/judge/lax/ "$T/a.service"
    run "$C" verify "$T/a.service"
    expect 1
    grep -q 'a.service:4: Sandbox=: lax: expected one of service, build, judge, strict' <<<"$output"
}

@test "wrong sandboxes, and one for a live process" {
    run "$C" start -p Sandbox=lax true
    expect 2
    one_line 'Sandbox=lax: expected one of service, build, judge, strict'
    "$C" start --name a sleep 1000
    run "$C" constrain a -p Sandbox=strict
    expect 2
    one_line 'Sandbox cannot be changed while a process runs'
}

@test "security judges processes and units, and says what would be better" {
    "$C" start --name bare sleep 1000
    "$C" start --name boxed -p Sandbox=strict -p User=nobody sleep 1000
    run "$C" security bare boxed
    expect 0
    grep -qx 'bare: exposure 10.0 of 10, DANGEROUS' <<<"$output"
    grep -qE '^boxed: exposure 0\.[0-9] of 10, SAFE$' <<<"$output"
    grep -qE '^- +ProtectSystem +0\.[0-9]+ +may write to files of the system +ProtectSystem=strict$' <<<"$output"
    printf '[Service]\nExecStart=/bin/true\nUser=nobody\nNoNewPrivileges=yes\n' >"$T/a.service"
    # No rights, and no way to any; but its system calls are free.
    [ "$("$C" --json security "$T/a.service" | jq -r 'select(.setting == "CapabilityBoundingSet") | .good' | uniq)" = true ]
    [ "$("$C" --json security "$T/a.service" | jq -r 'select(.setting == "SystemCallFilter") | .good' | uniq)" = false ]
    # What it says is better is: each remedy taken, but for those that need a choice.
    printf '[Service]\nExecStart=/bin/true\nUser=nobody\nMemoryMax=1G\nTasksMax=9\n' >"$T/b.service"
    "$C" --json security "$T/b.service" | jq -r 'select(.good == false) | .remedy' >"$T/remedies"
    [ "$(wc -l <"$T/remedies")" -gt 60 ]
    cat "$T/remedies" >>"$T/b.service"
    [ "$("$C" --json security "$T/b.service" | jq -r 'select(.sum != null) | "\(.sum) \(.word)"')" = '0 PERFECT' ]
}

@test "security: an OCI profile counts as a filter, a threshold decides" {
    echo '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ALLOW"}]}' >"$T/p.json"
    printf '[Service]\nExecStart=/bin/true\nSeccompProfile=%s\n' "$T/p.json" >"$T/a.service"
    "$C" --json security "$T/a.service" >"$T/out"
    [ "$(jq -r 'select(.of == "@mount") | .good' "$T/out")" = false ]
    [ "$(jq -r 'select(.of == "@module") | .good' "$T/out")" = true ]
    run "$C" security --threshold 100 "$T/a.service"
    expect 0
    run "$C" security --threshold 50 "$T/a.service"
    expect 1
    run "$C" security --threshold 101 "$T/a.service"
    expect 2
    run "$C" security nobody-is-called-so
    expect 4
    printf '[Service]\nExecStart=/bin/true\nUMask=9\n' >"$T/b.service"
    run "$C" security "$T/b.service"
    expect 1
    one_line 'b.service:3: UMask=: 9: expected an octal mode'
}

@test "the sandboxes are listed" {
    [ "$("$C" --json properties --sandboxes | jq -r 'select(.name == "ProtectSystem") | .sandbox + " " + .value' | tr '\n' ';')" = \
        "service full;build full;judge strict;strict strict;" ]
}
