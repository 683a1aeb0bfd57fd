#!/usr/bin/env bats
# The agent dies, or is replaced, many times under load: nothing is lost, nothing is done twice,
# no client notices.

load helper

CHAOS=$TESTS/chaos

# Most milliseconds between two blows.
PAUSE=${HOLDEN_VM:+8000}
PAUSE=${PAUSE:-400}

# How often; HOLDEN_BLOWS=100 for longer than each check takes.
BLOWS=${HOLDEN_BLOWS:-25}

# A twentieth of it in the emulated machine, a fifth under sanitizers.
scaled() {
    local part=1
    ! sanitized || part=5
    [ -z "${HOLDEN_VM:-}" ] || part=20
    echo $((($1 + part - 1) / part))
}

# Runs chaos of this kind and compares what was asked for with what ran.
wreak() {
    local seed=${CHAOS_SEED:-$RANDOM$RANDOM}
    mkdir -p "$T/chaos/up"
    echo "# chaos: seed $seed" >&3
    run "$CHAOS" "$HOLDEN_SOCKET" "$1" "$seed" "$(scaled "$BLOWS")" "$(scaled 1000)" 4 "$2" "$T/chaos"
    echo "# chaos: $output" >&3
    expect 0
    sort "$T/chaos/expected" >"$T/expected"
    sort "$T/chaos/trace" | diff "$T/expected" - >"$T/diff" ||
        { echo "lost (<) or doubled (>):"; head -20 "$T/diff"; return 1; }
    [ -z "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*')" ]
    [ "$("$C" --json self | jq .processes)" -eq 0 ]
    eventually sh -c "[ -z \"\$(ps -o stat= --ppid $AGENT | grep Z)\" ]"
}

@test "the agent is killed many times at random moments while 1,000 processes run and 4 clients work" {
    wreak kill "$PAUSE"
}

@test "the agent is replaced many times under the same load: no client sees an error" {
    wreak reexec "$PAUSE"
}

# Kills keeper and agent and waits until both are gone.
kill_both() {
    local core
    core=$(core)
    kill -KILL "$AGENT"
    [ "$1" = keeper ] || kill -KILL "$core" 2>/dev/null || true
    wait "$AGENT" || true
    eventually test ! -e "/proc/$core"
}

# What ends while there is no keeper, or is no child of the next one, ends unseen, and its record says
# so; everything else goes on, clients that wait included.
keeper_gone() {
    "$C" start --name lives -- sh -c "while [ ! -e $T/end ]; do sleep 0.02; done; exit 5"
    "$C" start --name ends -- sh -c "while [ ! -e $T/go ]; do sleep 0.02; done; exit 7"
    "$C" run --name past -- sh -c 'exit 3' || true
    pid=$("$C" --json status lives | jq .pid)
    "$C" --json wait lives >"$T/waited" 2>&1 3>&- &
    waiting=$!
    eventually sh -c "[ \$($C --json self | jq .clients) -eq 2 ]"
    kill_both "$1"
    touch "$T/go"
    eventually sh -c "! grep -q . $CGROUP/*-ends/cgroup.procs"
    start_agent
    is lives pid "$pid"
    is lives state running
    is past status 3
    is ends status null
    is ends cause unknown
    "$C" status ends | grep -q "to see how"
    kill -0 "$waiting"
    run "$C" run --name next -- sh -c 'exit 6'
    expect 6
    touch "$T/end"
    status=0
    wait "$waiting" || status=$?
    [ "$status" -eq 1 ] || { cat "$T/waited"; return 1; }
    [ "$(jq -r .cause "$T/waited")" = unknown ]
    [ "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' | wc -l)" -eq 0 ]
}

@test "the keeper is killed: what runs goes on, what ends meanwhile is told as unseen, clients come back" {
    keeper_gone keeper
}

@test "keeper and agent are killed: the same" {
    keeper_gone both
}

@test "a client whose agent ends in order is told so, and soon" {
    "$C" --json events -f 2>"$T/said" 3>&- &
    follower=$!
    eventually sh -c "[ \$($C --json self | jq .clients) -eq 2 ]"
    stop_agent
    status=0
    wait "$follower" || status=$?
    [ "$status" -eq 3 ]
    grep -q 'none has come in its place' "$T/said"
}

@test "run with a terminal goes on over ten deaths of the agent, and signals arrive" {
    "$C" run -t --name tty -- sh -c "trap 'exit 12' TERM; stty -echo; echo ready; while :; do sleep 0.02; done" \
        </dev/null >"$T/tty" 2>&1 3>&- &
    runner=$!
    eventually grep -q ready "$T/tty"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        kill -KILL "$(core)"
        eventually "$C" ping
    done
    is tty state running
    kill -TERM "$runner"
    status=0
    wait "$runner" || status=$?
    [ "$status" -eq 12 ] || { echo "$status"; cat "$T/tty"; return 1; }
}
