# What every suite needs: an agent of its own for each test, and nothing left behind after it.
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=${HOLDEN_BIN:-$ROOT/bin}
C=$BIN/controller

# Whether the programs are built with sanitizers, which need memory of their own.
sanitized() {
    [[ "$BIN" == *sanitize* ]]
}

# Where the programs are that only the tests need.
TESTS=$ROOT/build/gcc/tests
! sanitized || TESTS=$ROOT/build/sanitize/tests
TESTS=${HOLDEN_TESTS:-$TESTS}

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

ended() {
    ! kill -0 "$1" 2>/dev/null
}

# Ends the agent and checks that it has taken everything with it.
stop_agent() {
    [ -n "${AGENT:-}" ] || return 0
    kill -TERM "$AGENT"
    eventually ended "$AGENT" || return 1
    local status=0
    wait "$AGENT" || status=$?
    AGENT=
    [ "$status" -eq 0 ] || { echo "the agent ended with $status"; return 1; }
    [ ! -e "$HOLDEN_SOCKET" ] || { echo "the socket is left"; return 1; }
    [ ! -e "$T/state" ] || { echo "the state directory is left:"; find "$T/state"; return 1; }
    [ ! -e "$CGROUP" ] || { echo "the cgroup is left:"; find "$CGROUP" -type d; return 1; }
}

# After a failure: what is left is taken away all the same, so that it ends there.
sweep() {
    sed 's/^/agent.log: /' "$T/agent.log"
    [ -z "${AGENT:-}" ] || { kill -KILL "$AGENT"; wait "$AGENT"; }
    [ -d "$CGROUP" ] || return 0
    echo 1 >"$CGROUP/cgroup.kill"
    eventually grep -q '^populated 0' "$CGROUP/cgroup.events"
    find "$CGROUP" -depth -type d -exec rmdir {} \;
}

# Names for a test's own agent: everything of it is below $T and in $CGROUP.
prepare() {
    T=$(mktemp -d)
    chmod 755 "$T"
    GROUP=holden-test-$$-$BATS_TEST_NUMBER
    CGROUP=$(cgroup_mount)/$GROUP
    export HOLDEN_SOCKET=$T/agent.sock
}

setup() {
    prepare
    start_agent
}

# What a suite has made outside of $T: it redefines this.
leftovers() { :; }

teardown() {
    local status=0
    unmount_deaf
    [ ! -S "$T/tmux" ] || tmux -S "$T/tmux" kill-server
    stop_agent || status=1
    if [ "$status" -ne 0 ] || [ -z "${BATS_TEST_COMPLETED:-}" ]; then
        sweep || status=1
    fi
    leftovers
    rm -rf "$T"
    return "$status"
}

# Mounts a file system on $T/fuse whose server answers nobody: what opens the file "file" there sleeps
# uninterruptibly, once killed, until it is unmounted.
mount_deaf() {
    mkdir "$T/fuse"
    "$TESTS/deaf" "$T/fuse" >"$T/fuse.out" 3>&- &
    DEAF=$!
    eventually grep -q deaf "$T/fuse.out"
}

unmount_deaf() {
    [ -n "${DEAF:-}" ] || return 0
    kill "$DEAF"
    wait "$DEAF" || true
    DEAF=
    umount "$T/fuse"
}

# Starts the process "hangs", which sleeps so, with the properties given.
start_hanging() {
    mount_deaf
    "$C" start --name hangs "$@" -- sh -c "exec cat $T/fuse/file"
    eventually grep -qE 'fuse|request_wait' "/proc/$("$C" --json status hangs | jq .pid)/wchan"
}

# A root in $T/root, with what shows the programs of the machine once /usr is bound there.
make_root() {
    mkdir -p "$T/root/proc" "$T/root/tmp"
    for dir in usr bin lib lib64; do
        [ ! -L "/$dir" ] || { cp -a "/$dir" "$T/root/$dir"; continue; }
        [ ! -d "/$dir" ] || mkdir "$T/root/$dir"
    done
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

# Skips a test where there are no loop devices; in the machine, which has them, that is a failure.
needs_loop() {
    modprobe -q loop 2>/dev/null || true
    [ ! -c /dev/loop-control ] || return 0
    [ -z "${HOLDEN_VM:-}" ] || { echo "the machine lacks loop devices"; return 1; }
    skip "no loop devices here"
}

# Whether a field of the process, as `status --json` names it, has this value.
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

# Runs the shell script under the settings, one argument each, that come before it.
see() {
    # Where the tree is may be hidden: in /tmp, say.
    local settings=(-p WorkingDirectory=/)
    while [ $# -gt 1 ]; do
        settings+=(-p "$1")
        shift
    done
    run "$C" run "${settings[@]}" -- sh -c "$1"
}
