#!/usr/bin/env bats
# Samples of what processes use: that they are true, bounded, given to whom `status` is, and that nothing wakes
# up for them where there are none.

load helper

setup() {
    prepare
    printf '[Agent]\nGroup=games\nHistoryInterval=200ms\n' >"$T/conf"
    start_agent --config "$T/conf"
}

# A process that is busy for a moment, again and again.
start_busy() {
    # shellcheck disable=SC2016
    "$C" start --name busy -- \
        sh -c 'while :; do i=0; while [ $i -lt 5000 ]; do i=$((i + 1)); done; sleep 0.05; done'
}

samples() {
    "$C" --json history busy "$@" | wc -l
}
has_samples() {
    [ "$(samples)" -ge "$1" ]
}

switches() {
    awk '/ctxt_switches/ { sum += $2 } END { print sum }' "/proc/$(core)/status"
}

@test "a busy process has samples that agree with its cgroup, in order" {
    start_busy
    eventually has_samples 8
    stat=$CGROUP/$("$C" --json status busy | jq -r '"\(.id)-\(.name)"')/cpu.stat
    before=$(awk '/^usage_usec/ { print $2 }' "$stat")
    "$C" --json history busy >"$T/samples"
    after=$(awk '/^usage_usec/ { print $2 }' "$stat")
    jq -se 'map(.time) | . == (sort | unique)' "$T/samples"
    jq -se 'map(.usage.cpu) | . == sort and .[-1] > .[0]' "$T/samples"
    # Within 2 %: what is told now may be a fortieth of a second old.
    jq -se --argjson before "$before" --argjson after "$after" \
        '.[-1].usage.cpu | . >= $before * 0.98 - 25000 and . <= $after' "$T/samples"
}

@test "--since and --step leave samples out; a table is for people" {
    start_busy
    eventually has_samples 10
    [ "$(samples --step 1h)" -le 2 ]
    [ "$(samples --since 10ms)" -le 2 ]
    [ "$(samples --since 1h)" -ge 10 ]
    run "$C" history busy
    expect 0
    [[ "${lines[0]}" =~ ^TIME\ +CPU%\ +MEMORY\ +TASKS\ +READ/S\ +WRITTEN/S\ +STALL%$ ]]
    [ "${#lines[@]}" -ge 11 ]
    run "$C" history busy --step 0
    expect 2
    run "$C" history nobody
    expect 4
    one_line 'cannot show the history of nobody: no process nobody'
}

@test "the samples of a process that has ended stay until it is forgotten" {
    start_busy
    eventually has_samples 3
    "$C" stop busy
    has_samples 3
    [ "$("$C" --json self | jq .history)" -gt 0 ]
    [ "$("$C" --json self | jq .sampled)" -eq 0 ]
    "$C" reset busy
    [ "$("$C" --json self | jq .history)" -eq 0 ]
}

@test "History=0 forgets all and wakes nobody up; without it there are looks while something runs" {
    "$C" start --name idle sleep 1000
    before=$(switches)
    moved() { [ "$(switches)" -gt $((before + 10)) ]; }
    start_busy
    eventually moved
    eventually has_samples 3
    printf '[Agent]\nGroup=games\nHistory=0\n' >"$T/conf"
    "$C" reload
    run "$C" history busy
    expect 1
    one_line 'no samples are kept: .*/conf says History=0'
    "$C" --json self | jq -e '.history == 0 and .history_most == 0 and .sampled == 0'
    # Reading the state takes the agent up; what comes between two readings of /proc does not.
    pid=$(core)
    before=$(awk '/ctxt_switches/ { sum += $2 } END { print sum }' "/proc/$pid/status")
    sleep 1.5
    after=$(awk '/ctxt_switches/ { sum += $2 } END { print sum }' "/proc/$pid/status")
    [ "$after" -le $((before + 1)) ]
    printf '[Agent]\nGroup=games\nHistoryInterval=200ms\n' >"$T/conf"
    "$C" reload
    eventually has_samples 3
}

@test "bytes of a network are told where a namespace makes them the process's" {
    "$C" start --name own -p PrivateNetwork=yes sleep 1000
    "$C" start --name shared sleep 1000
    "$C" --json stats own | jq -e '.usage.network_received == 0 and .usage.network_sent == 0'
    "$C" --json stats shared | jq -e '.usage | has("network_sent") | not'
    "$C" history own | grep -q 'RECEIVED/S *SENT/S'
    # What comes in by an interface of its own counts.
    if command -v ip >/dev/null; then
        pid=$("$C" --json status own | jq .pid)
        nsenter -t "$pid" -n ip link add one type veth peer name two
        nsenter -t "$pid" -n sh -c 'ip link set one up; ip link set two up; ip addr add 192.0.2.1/24 dev one'
        sent() { "$C" --json stats own | jq -e '.usage.network_sent > 0'; }
        eventually sent
    fi
}

@test "HistoryMax= bounds what all samples take" {
    printf '[Agent]\nGroup=games\nHistoryInterval=100ms\nHistoryMax=1K\n' >"$T/conf"
    "$C" reload
    start_busy
    eventually has_samples 5
    for i in 1 2 3 4 5 6 7 8 9 10; do
        "$C" start --name "p$i" sh -c 'while :; do sleep 0.05; done'
    done
    "$C" --json self | jq -e '.history_most == 1024'
    looked() { "$C" --json self | jq -e '.history > 500 and .sampled == 11'; }
    eventually looked
    for i in 1 2 3 4 5; do
        "$C" --json self | jq -e '.history <= 1024'
    done
}

@test "wrong settings are refused by their line" {
    for wrong in HistoryInterval=10ms HistoryInterval=2h History=x HistoryMax=-1; do
        printf '[Agent]\nGroup=games\n%s\n' "$wrong" >"$T/conf"
        run "$C" reload
        expect 1
        grep -q "$wrong: not a valid value" "$T/agent.log"
    done
    printf '[Agent]\nGroup=games\n' >"$T/conf"
    "$C" reload
}

@test "an agent that was killed begins anew with what it finds" {
    start_busy
    eventually has_samples 3
    kill -KILL "$(core)"
    eventually has_samples 3
    [ "$("$C" --json self | jq .sampled)" -eq 1 ]
}
