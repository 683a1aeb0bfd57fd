#!/usr/bin/env bats
# No signal ever reaches a process that is not Holden's, though every pid is soon another's: the machine
# has hardly more pids than it needs, and bystanders, which count their signals, take whatever is free next.

load ../e2e/helper

BYSTANDERS=40
LIFE=4000     # milliseconds
SPARE=60      # pids: for Holden's processes and what the tests run
ENOUGH=15     # seconds of starts and ends, before the agent dies over and over
RESERVED=300  # pids that the kernel gives out only once, and the least that it may have

born() {
    cut -d ' ' -f 1 "$T/bystanders"
}
has_born() {
    [ "$(born)" -ge "$1" ]
}
# How often all pids have been given out since bystander number $1.
wraps() {
    echo $((($(born) - $1) / (PIDS - RESERVED)))
}
# Until each pid that is free has been somebody else's meanwhile.
wrap() {
    eventually has_born $(($(born) + PIDS - RESERVED))
}
# Those of the pids given that are a bystander's now.
taken() {
    printf '/proc/%d/comm\n' "$@" | xargs grep -slx bystander | cut -d / -f 3
}
unhurt() {
    grep -q ' 0 hurt$' "$T/bystanders" || { cat "$T/bystanders" "$T/hurt"; return 1; }
}
say() {
    echo "# innocence: $*" >&3
}

# Refused or done, no matter: whoever is named has ended.
disturb() {
    "$C" kill "$@" >/dev/null 2>&1 || true
    "$C" stop --timeout 0s "$@" >/dev/null 2>&1 || true
}

setup() {
    prepare
    BEFORE=$(cat /proc/sys/kernel/pid_max)
    local above
    above=$(find /proc/[0-9]*/task -mindepth 1 -maxdepth 1 -name '[0-9]*' -printf '%f\n' 2>/dev/null |
        awk -v least="$RESERVED" '$1 >= least' | wc -l)
    PIDS=$((RESERVED + above + BYSTANDERS + SPARE))
    echo "$PIDS" >/proc/sys/kernel/pid_max
    mkfifo "$T/hold"
    "$TESTS/bystander" "$BYSTANDERS" "$LIFE" "$T/bystanders" <"$T/hold" 2>"$T/hurt" 3>&- &
    CROWD=$!
    exec {HOLD}>"$T/hold"
    eventually test -e "$T/bystanders"
    start_agent
}

teardown() {
    local status=0
    stop_agent || { status=1; sweep || true; }
    exec {HOLD}>&-
    wait "$CROWD" || status=1
    [ ! -s "$T/hurt" ] || { cat "$T/hurt"; status=1; }
    echo "$BEFORE" >/proc/sys/kernel/pid_max
    rm -rf "$T"
    return "$status"
}

@test "starts, ends, stops and deaths of the agent while pids wrap" {
    first=$(born)
    mkdir -p "$T/chaos/up"
    starts=0
    for ((end = SECONDS + ENOUGH; SECONDS < end; starts += 100)); do
        run "$TESTS/load" "$HOLDEN_SOCKET" starts 4 25 /bin/true
        expect 0
    done
    say "$starts starts in $ENOUGH s"
    run "$TESTS/chaos" "$HOLDEN_SOCKET" kill "$RANDOM" 10 10 4 2000 "$T/chaos"
    say "$output; $(wraps "$first") times round $((PIDS - RESERVED)) pids"
    expect 0
    unhurt
    wrap
    # Whatever is asked for by the name of an ended process, or by the pid that it had, is nobody else's.
    mapfile -t had < <(sort -u "$T/chaos/pids")
    mapfile -t others < <(taken "${had[@]}")
    say "${#others[@]} of ${#had[@]} pids of ended processes are a bystander's"
    [ "${#others[@]}" -gt 0 ]
    disturb "${others[@]}"
    # shellcheck disable=SC2046
    disturb $("$C" --json list -a | jq -r .name | head -n 50)
    unhurt
    [ "$(wraps "$first")" -ge 3 ]
}

# What it ran ends before they come back, and the pids, which records say run, are somebody else's.
@test "keeper and agent are killed, and other processes have the pids of what they ran" {
    for round in 1 2; do
        for number in {1..20}; do
            "$C" start --name "lost-$round-$number" -- sleep 1000 >/dev/null
        done
        mapfile -t had < <("$C" --json list | jq .pid)
        kill -KILL "$AGENT" "$(core)"
        wait "$AGENT" || true
        AGENT=
        echo 1 >"$CGROUP/cgroup.kill"
        eventually grep -q '^populated 0' "$CGROUP/cgroup.events"
        wrap
        mapfile -t others < <(taken "${had[@]}")
        [ "${#others[@]}" -gt 0 ]
        start_agent
        # shellcheck disable=SC2046
        disturb $("$C" --json list -a | jq -r .name | grep "^lost-$round-")
        unhurt
        [ "$("$C" --json list | jq -s length)" -eq 0 ]
    done
    refused=$(grep -c "is another process's by now; it is left alone" "$T/agent.log")
    say "$refused of 40 records named a pid that was somebody else's"
    [ "$refused" -gt 5 ]
    [ "$("$C" --json list -a | jq -s length)" -eq 40 ]
}
