#!/usr/bin/env bats
# What the kernel's programs for a cgroup keep a process from: DevicePolicy=, DeviceAllow=.
# shellcheck disable=SC2016

load helper

# What comes of opening and making devices, under the given settings.
devices() {
    "$C" run "$@" -- sh -c '
        for device in null zero ptmx full; do
            (exec 3<>/dev/$device) 2>/dev/null && printf "%s " "$device"
        done
        cd "$0" && for node in "c 1 3" "c 1 11" "b 7 250"; do
            mknod node $node 2>/dev/null && printf "%s " "$(echo $node | tr " " :)" && rm node
        done
        echo .' "$T"
}

@test "DevicePolicy=, DeviceAllow=: what is not allowed can be neither opened nor made" {
    [ "$(devices)" = "null zero ptmx full c:1:3 c:1:11 b:7:250 ." ]
    [ "$(devices -p DevicePolicy=auto)" = "null zero ptmx full c:1:3 c:1:11 b:7:250 ." ]
    [ "$(devices -p DevicePolicy=closed)" = "null zero ptmx full c:1:3 ." ]
    [ "$(devices -p DevicePolicy=strict)" = "." ]
    [ "$(devices -p DevicePolicy=strict -p 'DeviceAllow=/dev/null rw' -p 'DeviceAllow=/dev/full')" = "null full ." ]
    [ "$(devices -p 'DeviceAllow=block-* m')" = "null zero ptmx full c:1:3 b:7:250 ." ]
    [ "$(devices -p 'DeviceAllow=char-mem m')" = "null zero ptmx full c:1:3 c:1:11 ." ]
    [ "$(devices -p ProtectClock=yes)" = "null zero ptmx full c:1:3 ." ]
    # The error that it meets.
    run "$C" run -p DevicePolicy=closed -- mknod "$T/node" b 7 250
    expect 1
    [[ "$output" == *"Operation not permitted"* ]]
}

@test "DevicePolicy=strict: what needs /dev/null says so; a device that is not there is told" {
    run "$C" start -p DevicePolicy=strict -- true
    expect 1
    one_line 'standard input: /dev/null.*DeviceAllow=/dev/null'
    run "$C" start --wait -p DevicePolicy=strict -p DeviceAllow=/dev/null -- true
    expect 0
    run "$C" run -p DeviceAllow=/dev/nonesuch -- true
    expect 0
    one_line 'DeviceAllow=/dev/nonesuch.*no such device'
    run "$C" run -p DeviceAllow=/dev/null -p 'DeviceAllow=/dev/null x' -- true
    expect 2
    one_line 'DeviceAllow=.*x.*r, w and m'
}

@test "PrivateDevices= closes what it hides, even to root that finds it elsewhere" {
    mknod "$T/log" c 1 11
    run "$C" run -- sh -c "exec 3<'$T/log'"
    expect 0
    run "$C" run -p PrivateDevices=yes -- sh -c "exec 3<'$T/log'"
    expect 2
    [[ "$output" == *"not permitted"* ]]
    run "$C" run -p PrivateDevices=yes -p 'DeviceAllow=char-mem r' -- sh -c "exec 3<'$T/log'"
    expect 0
    rm "$T/log"
}

# Succeeds where the process called web can make that block device.
web_makes() {
    local asked=$T/asked answer=$T/answer
    rm -f "$answer"
    : >"$asked"
    eventually test -e "$answer"
    [ "$(cat "$answer")" = "$1" ]
}

@test "constrain changes devices of a live process, for a time too; an agent that dies takes nothing away" {
    "$C" start --name web -p DevicePolicy=closed -- sh -c 'cd "$0"; while :; do
        if [ -e asked ]; then
            rm asked
            if mknod node b 7 250 2>/dev/null; then rm node; echo yes >new; else echo no >new; fi
            mv new answer
        fi
        sleep 0.02
    done' "$T"
    web_makes no
    run "$C" constrain web -p 'DeviceAllow=block-7 m'
    expect 0
    [ "$output" = "DeviceAllow: unset -> block-7 m" ]
    web_makes yes
    run "$C" status web
    [[ "$output" == *DevicePolicy=closed*"DeviceAllow=block-7 m"* ]]
    kill -9 "$(core)"
    web_makes yes
    run "$C" constrain web -p DeviceAllow=/dev/null -p DevicePolicy=strict
    expect 0
    web_makes no
    kill -9 "$(core)"
    web_makes no
    run "$C" status web
    [[ "$output" == *DevicePolicy=strict* ]]
    run "$C" constrain web --for 500ms -p DevicePolicy=auto -p DeviceAllow=
    expect 0
    web_makes yes
    kill -9 "$(core)"
    eventually web_makes no
    run "$C" constrain web --dry-run -p DevicePolicy=auto
    expect 0
    web_makes no
    "$C" restart web
    eventually web_makes no
    "$C" stop web
}

@test "who may not put programs into the kernel is refused what needs them, and told why" {
    run "$C" doctor
    [[ "$output" == *bpf*"programs for a cgroup"* ]]
    stop_agent
    setpriv --bounding-set -sys_admin,-bpf,-net_admin --inh-caps -sys_admin,-bpf,-net_admin \
        "$BIN/agent" --socket "$HOLDEN_SOCKET" --state-dir "$T/state" --cgroup "/$GROUP" 2>>"$T/agent.log" 3>&- &
    AGENT=$!
    eventually "$C" ping
    run "$C" doctor
    [[ "$output" == *bpf*"Operation not permitted"*"DeviceAllow= are refused"*CAP_BPF* ]]
    run "$C" run -p DevicePolicy=closed -- true
    expect 1
    one_line 'DevicePolicy: the kernel does not let the agent attach.*CAP_BPF'
    # What is only implied is passed over, as ever.
    run "$C" run -p ProtectClock=yes -p NoNewPrivileges=yes -- true
    expect 0
    "$C" start --name web sleep 60
    run "$C" constrain web -p DevicePolicy=closed
    expect 1
    one_line 'DevicePolicy: the kernel does not let'
    "$C" stop web
}
