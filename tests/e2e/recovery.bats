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

@test "an agent that dies before a program begins: the next one sees it begin, and end" {
    mkfifo "$T/fifo"
    for inner in no yes; do
        "$C" start --name slow -p PrivatePIDs=$inner -p "StandardInput=file:$T/fifo" sleep 1000 >"$T/out" 3>&- &
        client=$!
        eventually is slow state starting
        kill -KILL "$(core)"
        "$C" ping
        echo >"$T/fifo"
        wait $client
        grep -q '^started slow' "$T/out"
        is slow state running
        "$C" stop slow
        "$C" run --name brief -p PrivatePIDs=$inner -p "StandardInput=file:$T/fifo" -- sh -c 'exit 7' 3>&- &
        client=$!
        eventually is brief state starting
        kill -KILL "$(core)"
        "$C" ping
        echo >"$T/fifo"
        status=0
        wait $client || status=$?
        [ "$status" = 7 ]
    done
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

# Kills the agent proper.
kill_core() {
    kill -KILL "$(core)"
}

@test "starts are done once each, whenever the agent is killed" {
    for i in $(seq 12); do
        "$C" start --name "once-$i" -- sh -c "echo x >>$T/ran-$i" &
        start=$!
        sleep "0.0$((i % 4))"
        kill_core
        wait "$start"
        run "$C" wait "once-$i"
        expect 0
        [ "$(wc -l <"$T/ran-$i")" -eq 1 ] || { cat "$T/agent.log"; return 1; }
    done
    [ "$("$C" --json list -a | jq -r .name | sort | uniq -d)" = "" ]
}

@test "a stop goes on at its time after the agent was killed" {
    "$C" start --name deaf -- sh -c "trap '' TERM; touch $T/deaf; while :; do sleep 0.1; done"
    eventually test -e "$T/deaf"
    "$C" stop --timeout 2 deaf &
    stop=$!
    eventually is deaf state stopping
    kill_core
    is deaf state stopping
    wait "$stop"
    is deaf state stopped
    is deaf explanation "stopped by user 0; ended by SIGKILL after the time to stop ran out"
}

@test "a constraint for a time ends though the agent was killed, and while there is none" {
    "$C" start --name c -p RuntimeMaxSec=1h sleep 1000
    "$C" constrain --for 2s c -p RuntimeMaxSec=2h
    kill_core
    eventually is c properties.RuntimeMaxSec 3600000000
    "$C" constrain --for 1s c -p RuntimeMaxSec=2h
    is c properties.RuntimeMaxSec 7200000000
    old=$(core)
    kill -STOP "$AGENT"
    kill -KILL "$old"
    sleep 1.2
    kill -CONT "$AGENT"
    is c properties.RuntimeMaxSec 3600000000
}

@test "events are numbered on and kept over the agent's death and reexec" {
    "$C" start --name e sleep 1000
    kill_core
    "$C" stop e
    "$C" reexec
    "$C" start --name e sleep 1000
    "$C" --json events >"$T/events"
    [ "$(jq -r 'select(.name == "e") | .state' "$T/events" | xargs)" = \
        "running stopping stopped running" ] || { cat "$T/events"; return 1; }
    [ "$(jq .sequence "$T/events" | xargs)" = "$(seq "$(wc -l <"$T/events")" | xargs)" ]
}

@test "the process of a refused record is left alone" {
    "$C" start --name left sleep 1000
    pid=$("$C" --json status left | jq .pid)
    id=$("$C" --json status left | jq .id)
    echo garbled >"$T/state/records/$id"
    for _ in 1 2; do
        kill_core
        eventually "$C" ping
        [ -e "/proc/$pid" ]
        run "$C" status left
        expect 4
    done
    [ "$(cat "$T/state/refused/$id")" = garbled ]
    grep -q "cgroup $CGROUP/$id-left holds processes, and their record was refused" "$T/agent.log"
    echo 1 >"$CGROUP/$id-left/cgroup.kill"
    eventually rmdir "$CGROUP/$id-left"
    rm -r "$T/state/refused"
}
