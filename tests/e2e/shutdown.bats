#!/usr/bin/env bats
# The agent asked to end: all stopped in order, within its time; or all left running.

load helper

# An agent with this configuration in place of the one of setup().
configure() {
    stop_agent
    printf '[Agent]\n%b' "$1" >"$T/agent.conf"
    start_agent --config "$T/agent.conf"
}

start_deaf() {
    "$C" start --name deaf -p TimeoutStopSec=infinity -- \
        sh -c "trap '' TERM; touch $T/deaf; while :; do sleep 0.05; done"
    eventually test -e "$T/deaf"
}

# The agent has ended with status $1.
agent_ends() {
    eventually ended "$AGENT" || return 1
    local status=0
    wait "$AGENT" || status=$?
    AGENT=
    [ "$status" -eq "$1" ]
}

@test "all are asked first, and end in their own way" {
    "$C" start --name polite -- sh -c "trap 'echo bye >$T/bye; exit 0' TERM; touch $T/ready; while :; do sleep 0.05; done"
    eventually test -e "$T/ready"
    stop_agent
    [ "$(cat "$T/bye")" = bye ]
}

@test "TimeoutStopSec= bounds the whole, whatever a process may take" {
    configure 'TimeoutStopSec=300ms\n'
    start_deaf
    pid=$("$C" --json status deaf | jq .pid)
    stop_agent
    grep -q '1 processes have not stopped within TimeoutStopSec=300ms; killing them' "$T/agent.log"
    [ ! -e "/proc/$pid" ]
}

@test "a second SIGTERM does not wait" {
    start_deaf
    kill -TERM "$AGENT"
    eventually sh -c "$C list | grep -q stopping"
    [ -e "/proc/$AGENT" ]
    stop_agent
}

@test "no start is taken while all is stopped" {
    start_deaf
    kill -TERM "$AGENT"
    eventually sh -c "$C list | grep -q stopping"
    run "$C" start sleep 1000
    expect 1
    one_line 'stop|end'
}

@test "KillMode=process leaves everything running, and the next agent finds it" {
    configure 'KillMode=process\n'
    "$C" start --name on -p RuntimeMaxSec=1h sleep 1000
    pid=$("$C" --json status on | jq .pid)
    kill -TERM "$AGENT"
    agent_ends 0
    [ ! -e "$HOLDEN_SOCKET" ]
    [ -d "$T/state" ]
    [ -e "/proc/$pid" ]
    start_agent --config "$T/agent.conf"
    is on pid "$pid"
    is on state running
    "$C" stop on
    stop_agent
}

@test "what even SIGKILL does not end is left to the next agent" {
    [ -w /dev/fuse ] || skip "no FUSE here"
    start_hanging -p TimeoutStopSec=0
    kill -TERM "$AGENT"
    # Two signals at once are one.
    eventually sh -c "$C list | grep -qE 'stopping|stuck'"
    kill -TERM "$AGENT"
    agent_ends 0
    grep -q '1 processes cannot be ended even by SIGKILL' "$T/agent.log"
    [ -d "$T/state" ]
    unmount_deaf
    start_agent
    eventually is hangs pid null
    "$C" reset hangs
}

@test "the agent is the last to be chosen for want of memory; what it starts is not" {
    own=-900
    (echo -900 >/proc/self/oom_score_adj) 2>/dev/null || own=$(cat /proc/self/oom_score_adj)
    [ "$(cat "/proc/$(core)/oom_score_adj")" -eq "$own" ]
    run "$C" run -- cat /proc/self/oom_score_adj
    [ "$output" = "$(cat /proc/self/oom_score_adj)" ]
    [ "$(cat "/proc/$AGENT/oom_score_adj")" = "$(cat /proc/self/oom_score_adj)" ]
}
