#!/usr/bin/env bats
# Memory limited to what the agent uses and 1 MB more. What it cannot do then it refuses, or it is killed for
# it, and the keeper starts it again; nothing that it has said is lost, and nobody waits for ever.

load ../e2e/helper

# Keeper and agent proper in a control group of their own, from their first page on.
start_agent() {
    # shellcheck disable=SC2016
    sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' - "$SMALL" "$BIN/agent" \
        --socket "$HOLDEN_SOCKET" --state-dir "$T/state" --cgroup "/$GROUP" 2>>"$T/agent.log" 3>&- &
    AGENT=$!
    eventually "$C" ping
}

setup() {
    prepare
    SMALL=$CGROUP-small
    mkdir "$SMALL"
    start_agent
}

unlimited() {
    echo max >"$SMALL/memory.max"
    eventually "$C" ping
}

event() {
    sed -n "s/^$1 //p" "$SMALL/memory.events"
}

teardown() {
    local status=0
    unlimited
    stop_agent || { status=1; sweep || true; }
    rmdir "$SMALL" || status=1
    rm -rf "$T"
    return "$status"
}

# Starts a process that sleeps. It is told to run, or why it does not, in one line.
start_one() {
    run timeout 100 "$C" start --name "$1" sleep 1000
    case $status in
    0) RUNNING+=("$1 $(sed -E 's/.*\(pid ([0-9]+)\)/\1/' <<<"$output")") ;;
    1) one_line "cannot start $1: .*memory" && REFUSED+=("$1") ;;
    3) one_line 'goes away again and again' ;;
    *) echo "status $status: $output" && return 1 ;;
    esac
}

# The same, without anything that is kept.
attempt() {
    run timeout 100 "$@"
    case $status in
    0) ;;
    1) one_line memory ;;
    3) one_line 'goes away again and again' ;;
    *) echo "status $status: ${output:0:1000}" && return 1 ;;
    esac
}

# All that were started run, under the pids that were told; none does that was refused.
nothing_is_lost() {
    "$C" --json list | jq -r '"\(.name) \(.pid) \(.state)"' >"$T/list"
    local line
    for line in "${RUNNING[@]}"; do
        grep -qx "$line running" "$T/list" || { echo "lost: $line"; cat "$T/list"; return 1; }
    done
    for line in "${REFUSED[@]}"; do
        ! grep -q "^$line " "$T/list" || { echo "refused, and there: $line"; return 1; }
    done
}

@test "with 1 MB more than it uses it refuses or comes back, and loses nothing" {
    RUNNING=() REFUSED=()
    for number in {1..10}; do start_one "before-$number"; done
    [ "${#RUNNING[@]}" -eq 10 ]
    "$C" status before-1 >/dev/null
    used=$(cat "$SMALL/memory.current")
    echo $((used + (1 << 20))) >"$SMALL/memory.max"

    for number in {1..20}; do start_one "small-$number"; done
    attempt "$TESTS/load" "$HOLDEN_SOCKET" idle 500 "$C" list
    long=$(printf '%0100000d' 0)
    huge=()
    for number in {1..15}; do huge+=("$long"); done
    for number in {1..3}; do attempt "$C" run -- true "${huge[@]}"; done
    for number in {1..5}; do start_one "after-$number"; done
    echo "# memory: $used bytes and 1 MB; at the limit $(event max) times, killed $(event oom_kill) times;" \
        "${#RUNNING[@]} started, ${#REFUSED[@]} refused" >&3
    [ "$(event max)" -gt 0 ]

    unlimited
    [ -d "/proc/$AGENT" ]
    nothing_is_lost
    attempt "$C" run -- true "${huge[@]}"
    expect 0
    run "$C" run -- sh -c 'exit 7'
    expect 7
    # shellcheck disable=SC2046
    "$C" stop $("$C" --json list | jq -r .name) >/dev/null
    [ "$("$C" --json self | jq .processes)" -eq 0 ]
    [ -z "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name '[0-9]*')" ]
}
