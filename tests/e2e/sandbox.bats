#!/usr/bin/env bats
# Sandbox=, and what security says about processes and units.

load helper

@test "a sandbox takes away what it says, and what stands beside it changes it" {
    run "$C" run -p Sandbox=strict -- sh -c 'awk "/^(CapBnd|NoNewPrivs|Seccomp):/ { print \$2 }" /proc/self/status
        ls /proc | grep -cx "[0-9]*"; ls /run; touch /etc/x; touch /tmp/x && umask'
    expect 0
    # An init, the shell, ls and grep.
    [ "$(sed -n 1,4p <<<"$output" | tr '\n' ' ')" = "0000000000000000 1 2 4 " ]
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

@test "the sandboxes are listed" {
    [ "$("$C" --json properties --sandboxes | jq -r 'select(.name == "ProtectSystem") | .sandbox + " " + .value' | tr '\n' ';')" = \
        "service full;build full;judge strict;strict strict;" ]
}
