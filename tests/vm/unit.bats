#!/usr/bin/env bats
# The shipped units under systemd: who survives what.

load ../e2e/helper

CGROUP=/sys/fs/cgroup/system.slice/holden-processes.service
export HOLDEN_SOCKET=/run/holden/agent.sock

# Installs once for the whole file what `make install` would.
setup_file() {
    install -d /usr/libexec/holden /etc/holden
    install -m 755 "$BIN/agent" "$BIN/agent-core" /usr/libexec/holden/
    install -m 755 "$BIN/controller" /usr/bin/holden-controller
    for unit in holden-agent holden-processes; do
        sed 's,@PREFIX@,/usr,' "$ROOT/packaging/$unit.service" >"/etc/systemd/system/$unit.service"
    done
    systemctl daemon-reload
}

setup() {
    T=$(mktemp -d)
    systemctl reset-failed holden-agent 2>/dev/null || true
    systemctl start holden-agent
}

teardown() {
    local status=0
    [ -n "${BATS_TEST_COMPLETED:-}" ] || journalctl -u holden-agent -b -n 40 -o cat
    systemctl stop holden-agent || status=1
    systemctl stop holden-processes || status=1
    rm -rf "$T" /etc/holden/agent.conf /etc/systemd/system/holden-agent.service.d
    systemctl daemon-reload
    return "$status"
}

keeper() {
    systemctl show -P MainPID holden-agent
}

# systemd has started a keeper other than $1, which serves.
came_back() {
    eventually sh -c "[ \$(systemctl show -P MainPID holden-agent) -gt 0 ] && [ \$(systemctl show -P MainPID holden-agent) -ne $1 ]"
    eventually "$C" ping
    eventually sh -c "[ \$(systemctl is-active holden-agent) = active ]"
}

start_one() {
    "$C" start --name one -p MemoryMax=50M sleep 1000
    pid=$("$C" --json status one | jq .pid)
}

same_one() {
    is one state running
    is one pid "$pid"
    [ "$(cat "$CGROUP"/*-one/memory.max)" = 52428800 ]
}

@test "the unit is ready when the agent serves; agent and processes have control groups of their own" {
    [ "$(systemctl is-active holden-agent)" = active ]
    run "$C" ping
    expect 0
    [[ "$(systemctl show -P StatusText holden-agent)" == *"processes when this agent started" ]]
    start_one
    same_one
    grep -q '^0::/system.slice/holden-processes.service/.*-one$' "/proc/$pid/cgroup"
    grep -q '^0::/system.slice/holden-agent.service$' "/proc/$(keeper)/cgroup"
    grep -q '^0::/system.slice/holden-agent.service$' "/proc/$(core)/cgroup"
    [ "$(cat "/proc/$(core)/oom_score_adj")" = -900 ]
    [ "$(cat "/proc/$pid/oom_score_adj")" = 0 ]
}

@test "agent-core killed: its keeper starts another; systemd sees nothing" {
    start_one
    before=$(keeper)
    old=$(core)
    kill -KILL "$old"
    eventually "$C" ping
    [ "$(core)" != "$old" ]
    same_one
    [ "$(keeper)" = "$before" ]
    [ "$(systemctl show -P NRestarts holden-agent)" = 0 ]
}

@test "the keeper killed, or both: systemd starts both, and they take the processes over" {
    start_one
    before=$(keeper)
    kill -KILL "$before"
    came_back "$before"
    same_one
    before=$(keeper)
    kill -KILL "$(core)" "$before"
    came_back "$before"
    same_one
    "$C" stop one
    [ ! -e "/proc/$pid" ]
}

@test "an agent-core that hangs is noticed by the watchdog" {
    mkdir -p /etc/systemd/system/holden-agent.service.d
    printf '[Service]\nWatchdogSec=5s\n' >/etc/systemd/system/holden-agent.service.d/test.conf
    systemctl daemon-reload
    systemctl restart holden-agent
    start_one
    before=$(keeper)
    kill -STOP "$(core)"
    came_back "$before"
    same_one
    [ "$(systemctl show -P NRestarts holden-agent)" -ge 1 ]
}

@test "a watchdog is fed: an idle agent is left alone" {
    mkdir -p /etc/systemd/system/holden-agent.service.d
    printf '[Service]\nWatchdogSec=5s\n' >/etc/systemd/system/holden-agent.service.d/test.conf
    systemctl daemon-reload
    systemctl restart holden-agent
    before=$(keeper)
    fed=$(systemctl show -P WatchdogTimestampMonotonic holden-agent)
    eventually sh -c "[ \$(systemctl show -P WatchdogTimestampMonotonic holden-agent) -gt $((fed + 10000000)) ]"
    [ "$(keeper)" = "$before" ]
}

@test "systemctl reload goes over to what is on disk; stop stops all; restart may leave all running" {
    start_one
    old=$(core)
    systemctl reload holden-agent
    eventually sh -c "[ \$($C --json self | jq .pid) != $old ]"
    same_one
    printf '[Agent]\nKillMode=process\n' >/etc/holden/agent.conf
    systemctl reload holden-agent
    before=$(keeper)
    systemctl restart holden-agent
    [ "$(keeper)" != "$before" ]
    eventually "$C" ping
    same_one
    rm /etc/holden/agent.conf
    systemctl reload holden-agent
    eventually "$C" ping
    systemctl stop holden-agent
    [ ! -e "/proc/$pid" ]
    [ ! -e /run/holden/state ]
}

@test "the clock of the day, set forward and back, changes no limit and no time that passed" {
    "$C" start --name limited -p RuntimeMaxSec=1h sleep 1000
    "$C" start --name deaf -p TimeoutStopSec=1h -- sh -c "trap '' TERM; touch $T/deaf; while :; do sleep 0.2; done"
    eventually test -e "$T/deaf"
    "$C" constrain limited -p MemoryMax=60M --for 1h
    "$C" stop deaf >/dev/null 2>&1 3>&- &
    stopper=$!
    eventually is deaf state stopping
    for step in '+1 day' '-2 days'; do
        date -s "$step"
        "$C" run -- true
        is limited state running
        is deaf state stopping
        [ "$("$C" --json status limited | jq .runtime)" -lt 600000000 ]
        [ "$(cat "$CGROUP"/*-limited/memory.max)" = 62914560 ]
    done
    # Nor does it make one longer.
    "$C" start --name short -p RuntimeMaxSec=3s sleep 1000
    date -s '-1 day'
    run "$C" wait short
    is short cause time-limit
    date -s '+2 days'
    "$C" kill --signal KILL deaf
    wait "$stopper" || true
}
