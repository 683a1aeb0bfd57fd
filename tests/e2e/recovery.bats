#!/usr/bin/env bats
# The agent is killed, the keeper starts another, and nothing is lost.

load helper

@test "a killed agent is replaced and finds its processes again" {
    "$C" start --name keep -p RuntimeMaxSec=1h sleep 1000
    pid=$("$C" --json status keep | jq .pid)
    "$C" run --name past -- sh -c 'exit 3' || true
    "$C" freeze keep
    old=$(core)
    kill -KILL "$old"
    run "$C" ping
    expect 0
    [ "$(core)" != "$old" ]
    is keep pid "$pid"
    is keep state running
    is keep frozen true
    is keep properties.RuntimeMaxSec 3600000000
    is past status 3
    grep -q 'was killed by SIGKILL' "$T/agent.log"
    run "$C" stop keep
    expect 0
    [ ! -e "/proc/$pid" ]
}

@test "an exit that happens while no agent is there is not lost" {
    "$C" start --name late -- sh -c "while [ ! -e $T/go ]; do sleep 0.02; done; exit 23"
    old=$(core)
    kill -STOP "$old"
    touch "$T/go"
    eventually sh -c "! grep -q . $CGROUP/*-late/cgroup.procs"
    kill -KILL "$old"
    run "$C" wait late
    expect 23
}

@test "reexec leaves processes and their statuses alone" {
    "$C" start --name r -- sh -c "while [ ! -e $T/go ]; do sleep 0.02; done; exit 17"
    for _ in 1 2 3; do
        old=$(core)
        run "$C" reexec
        expect 0
        eventually sh -c "[ \$($C --json self | jq .pid) != $old ]"
    done
    touch "$T/go"
    run "$C" wait r
    expect 17
}

@test "keeper and agent killed: the next agent takes over what still runs" {
    "$C" start --name both sleep 1000
    pid=$("$C" --json status both | jq .pid)
    core=$(core)
    kill -KILL "$AGENT"
    wait "$AGENT" || true
    eventually test ! -e "/proc/$core"
    [ -e "/proc/$pid" ]
    start_agent
    is both pid "$pid"
    run "$C" stop both
    expect 0
    eventually test ! -e "/proc/$pid"
}

@test "a garbled, a truncated and a foreign record are set aside with a line each" {
    "$C" start --name ok sleep 1000
    head -c 300 /dev/urandom >"$T/state/records/7001"
    head -c 20 "$T/state/records/1" >"$T/state/records/7002"
    cp "$T/state/records/1" "$T/state/records/7003"
    kill -KILL "$(core)"
    eventually "$C" ping
    is ok state running
    [ "$(grep -c 'moved to' "$T/agent.log")" -eq 3 ]
    [ "$(find "$T/state/refused" -type f | wc -l)" -eq 3 ]
    rm -r "$T/state/refused"
}

@test "orphans are reaped" {
    for _ in 1 2 3 4 5; do
        "$C" run -- sh -c 'for i in 1 2 3 4; do (sleep 0.01 &) ; done'
    done
    eventually sh -c "[ -z \"\$(ps -o stat= --ppid $AGENT | grep Z)\" ]"
}
