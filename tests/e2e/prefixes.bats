#!/usr/bin/env bats
# The prefixes of a command line: + and ! for its rights, @ for its name.

load helper

# Starts an agent's process "web" from a unit with these lines.
apply() {
    printf '[Service]\n%s\n' "$1" >"$T/web.service"
    run "$C" apply "$T/web.service"
}

# What a command sees of itself, written to $T/$1.
look() {
    cat <<LOOK
/bin/sh -c 'echo \$\$(id -u) \$\$(id -g) \$\$(grep -c . </proc/self/uid_map) >$T/$1; grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/self/status | cut -f2 | tr "\\\\n" " " >>$T/$1; ulimit -n >>$T/$1; (: >/usr/holden-test) 2>/dev/null && echo writable >>$T/$1; rm -f /usr/holden-test'
LOOK
}

leftovers() {
    rm -f /usr/holden-test
}

@test "+ lifts user, capabilities, filter, limits and what makes paths read-only; ! only the user" {
    chmod 777 "$T"
    apply "User=nobody
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE
NoNewPrivileges=yes
SystemCallFilter=~reboot
LimitNOFILE=77
ProtectSystem=yes
ExecCondition=+$(look condition)
ExecStartPre=+$(look full)
ExecStartPre=!$(look root)
ExecStart=/bin/sh -c 'id -u >$T/main; exec sleep 1000'
ExecStartPost=!!$(look user)
ExecStopPost=+$(look post)"
    expect 0
    own=$(sed -n 's/^CapBnd:[[:space:]]*//p' "/proc/$AGENT/status")
    for name in condition full; do
        grep -q '^0 0 1$' "$T/$name" || { cat "$T/$name"; return 1; }
        grep -q "^$own 0 0 $(prlimit --nofile -o SOFT --noheadings --raw -p "$AGENT")$" "$T/$name"
        grep -q '^writable$' "$T/$name"
    done
    grep -q '^0 0 1$' "$T/root" || { cat "$T/root"; return 1; }
    grep -q '^0000000000000003 1 2 77$' "$T/root"
    run grep writable "$T/root"
    expect 1
    grep -q "^$(id -u nobody) $(id -g nobody) 1$" "$T/user" || { cat "$T/user"; return 1; }
    grep -q '^0000000000000003 1 2 77$' "$T/user"
    [ "$(cat "$T/main")" = "$(id -u nobody)" ]
    [ "$("$C" --json status web | jq .user)" = "$(id -u nobody)" ]
    # Another agent does the same.
    kill -KILL "$(core)"
    eventually "$C" ping
    run "$C" stop web
    expect 0
    grep -q "^$own 0 0 " "$T/post" || { cat "$T/post"; return 1; }
}

@test "the main command may have a prefix of each kind, in any order" {
    apply "User=nobody
SystemCallFilter=~reboot
ExecStart=-@+/bin/sleep sleeper 1000"
    expect 0
    pid=$("$C" --json status web | jq .pid)
    [ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleeper 1000 " ]
    [ "$(readlink "/proc/$pid/exe")" = "$(readlink -f /bin/sleep)" ]
    grep -q '^Uid:[[:space:]]*0' "/proc/$pid/status"
    grep -q '^Seccomp:[[:space:]]*0' "/proc/$pid/status"
    # A restart is of the same kind, also by another agent.
    kill -KILL "$(core)"
    eventually "$C" ping
    run "$C" restart web
    expect 0
    pid=$("$C" --json status web | jq .pid)
    [ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleeper 1000 " ]
    grep -q '^Uid:[[:space:]]*0' "/proc/$pid/status"
    run "$C" stop web
    expect 0
    apply "User=nobody
ExecStart=!@/bin/sleep sleeper 1000"
    expect 0
    pid=$("$C" --json status web | jq .pid)
    grep -q '^Uid:[[:space:]]*0' "/proc/$pid/status"
    run "$C" stop web
    expect 0
    # !! asks for nothing here, and may be written apart, as systemd reads it.
    apply "User=nobody
ExecStart=!-!/bin/sleep 1000"
    expect 0
    pid=$("$C" --json status web | jq .pid)
    grep -q "^Uid:[[:space:]]*$(id -u nobody)" "/proc/$pid/status"
}

@test "directories of a unit belong to its user, whoever makes them" {
    chmod 777 "$T"
    apply "User=nobody
RuntimeDirectory=holden-test-$$
ExecStartPre=+/bin/sh -c 'stat -c %%U \$\$RUNTIME_DIRECTORY >$T/owner'
ExecStart=/bin/sleep 1000"
    expect 0
    [ "$(cat "$T/owner")" = nobody ]
}

@test "what systemd refuses is refused with file and line, and the right directive" {
    for line in '+!/bin/true' '!+/bin/true' '++/bin/true' '--/bin/true' '@@/bin/true x' '!!!/bin/true' '+' '@/bin/true'; do
        for directive in ExecStart ExecStartPre ExecCondition ExecStopPost; do
            printf '[Service]\n%s=%s\nExecStart=/bin/true\n' "$directive" "$line" >"$T/web.service"
            run "$C" apply "$T/web.service"
            expect 1
            one_line "$T/web.service:2: $directive=: "
        done
    done
    # One of several commands that fails is named as it is written.
    apply "Type=oneshot
ExecStart=@/bin/sh name -c 'exit 4'
ExecStart=/bin/true"
    expect 1
    one_line 'cannot start web: ExecStart: /bin/sh exited with status 4$'
    apply "Type=oneshot
ExecStart=@/no/such/program name
ExecStart=/bin/true"
    expect 1
    one_line 'cannot start web: ExecStart: exec: /no/such/program: No such file or directory$'
    apply "ProtectHome=yes
BindPaths=/no/such/path
ExecStartPre=+/bin/true
ExecStart=/bin/sleep 1000"
    expect 1
    one_line 'cannot start web: ExecStartPre: BindPaths: /no/such/path: No such file or directory$'
}

@test "they are printed as they may be written" {
    run "$C" start --name web -p ExecStopPost='@-+/bin/true t u' -p ExecStop='!/bin/true' sleep 1000
    expect 0
    "$C" status web | grep -q 'ExecStopPost=-@+/bin/true t u$'
    "$C" status web | grep -q 'ExecStop=!/bin/true$'
}
