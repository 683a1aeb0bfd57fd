# What every suite needs: an agent of its own for each test, and nothing left behind after it.
# shellcheck shell=bash disable=SC2034,SC2154

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=${HOLDEN_BIN:-$ROOT/bin}
C=$BIN/controller

# Seconds that a condition may take: software emulation is slow.
LIMIT=${HOLDEN_VM:+120}
LIMIT=${LIMIT:-20}

cgroup_mount() {
    awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts
}

# Starts an agent with the arguments given; its keeper's pid goes to AGENT.
start_agent() {
    "$BIN/agent" --socket "$HOLDEN_SOCKET" --state-dir "$T/state" --cgroup "/$GROUP" "$@" \
        2>>"$T/agent.log" 3>&- &
    AGENT=$!
    eventually "$C" ping
}

# Ends it and checks that it has taken everything with it.
stop_agent() {
    [ -n "${AGENT:-}" ] || return 0
    kill -TERM "$AGENT"
    local status=0
    wait "$AGENT" || status=$?
    AGENT=
    [ "$status" -eq 0 ] || { echo "the agent ended with $status"; cat "$T/agent.log"; return 1; }
    [ ! -e "$HOLDEN_SOCKET" ] || { echo "the socket is left"; return 1; }
    [ ! -e "$T/state" ] || { echo "the state directory is left:"; find "$T/state"; return 1; }
    [ ! -e "$CGROUP" ] || { echo "the cgroup is left:"; find "$CGROUP" -type d; return 1; }
}

setup() {
    T=$(mktemp -d)
    chmod 755 "$T"
    GROUP=holden-test-$$-$BATS_TEST_NUMBER
    CGROUP=$(cgroup_mount)/$GROUP
    export HOLDEN_SOCKET=$T/agent.sock
    start_agent
}

teardown() {
    local status=0
    stop_agent || status=1
    rm -rf "$T"
    return "$status"
}

# Runs the command until it succeeds, for LIMIT seconds.
eventually() {
    local end=$((SECONDS + LIMIT))
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            echo "not within $LIMIT s: $*"
            return 1
        fi
        sleep 0.05
    done
}

# Whether processes get this controller here.
has_controller() {
    grep -qw "$1" "$CGROUP/cgroup.subtree_control"
}

# Skips a test natively; in the machine, where every controller is, its lack is a failure.
needs_controller() {
    has_controller "$1" && return 0
    [ -z "${HOLDEN_VM:-}" ] || { echo "the machine lacks the $1 controller"; return 1; }
    skip "no $1 controller for cgroup v2 here"
}

# The state of a process, as `list` has it.
state() {
    "$C" --json list -a "$1" 2>/dev/null | jq -r .state || "$C" --json status "$1" | jq -r .state
}
is() {
    [ "$("$C" --json status "$1" | jq -r ".$2")" = "$3" ]
}

# The pid of the agent proper.
core() {
    "$C" --json self | jq .pid
}

# Fails with what happened unless the last `run` ended with this status.
expect() {
    [ "$status" -eq "$1" ] || { echo "status $status, not $1; it said: $output"; return 1; }
}
# The last `run` said exactly one line that matches.
one_line() {
    [ "${#lines[@]}" -eq 1 ] || { echo "not one line: $output"; return 1; }
    [[ "$output" =~ $1 ]] || { echo "does not match $1: $output"; return 1; }
}
