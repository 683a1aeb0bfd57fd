#!/usr/bin/env bats
# Many at once, slow ones, hostile ones: every answer right, nobody held up, nothing left.

load helper

LOAD=$TESTS/load

# A tenth of the load in the emulated machine.
scaled() {
    if [ -n "${HOLDEN_VM:-}" ]; then echo $(($1 / 10)); else echo "$1"; fi
}

figures() {
    "$C" --json self | jq "$1"
}
nothing_left() {
    [ -z "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*')" ]
}

@test "10,000 starts by 8 clients: every status right, nothing left, nothing grown" {
    printf '[Agent]\nKeepRecords=100\n' >"$T/conf"
    stop_agent
    start_agent --config "$T/conf"
    each=$(scaled 1250)
    run "$LOAD" "$HOLDEN_SOCKET" starts 8 $((each / 8)) /bin/true
    expect 0
    descriptors=$(figures '.descriptors - .sampled_files')
    resident=$(figures .resident)
    run "$LOAD" "$HOLDEN_SOCKET" starts 8 "$each" /bin/true
    expect 0
    [[ "$output" == *"all right"* ]]
    nothing_left
    [ "$(figures .processes)" -eq 0 ]
    [ "$(figures .records)" -le 100 ]
    [ "$(figures '.descriptors - .sampled_files')" -eq "$descriptors" ]
    # Malloc may still round up by a few pages.
    sanitized || [ "$(figures .resident)" -le $((resident + 65536)) ]
    eventually sh -c "[ -z \"\$(ps -o stat= --ppid $AGENT | grep Z)\" ]"
    [ "$(find "$T/state/records" "$T/state/logs" -type f | wc -l)" -le 200 ]
}

@test "1,000 starts of a missing binary: 1,000 errors that name step and path" {
    count=$(scaled 1000)
    run "$LOAD" "$HOLDEN_SOCKET" missing "$count" /no/such/binary
    expect 0
    [[ "$output" == "$count of $count "* ]]
    nothing_left
    "$C" --json events | jq -es 'all(.state != "running")' >/dev/null
}

@test "1,000 idle connections disturb nobody and cost little" {
    before=$(figures .resident)
    run "$LOAD" "$HOLDEN_SOCKET" idle 1000 sh -c "$C run -- /bin/true && $C --json self"
    expect 0
    [ "$(jq .clients <<<"$output")" -ge 1000 ]
    sanitized || [ $(($(jq .resident <<<"$output") - before)) -le $((1000 * 4096)) ]
    eventually sh -c "[ \$($C --json self | jq .clients) -eq 1 ]"
}

@test "4,096 clients connect at once: every one is answered, and nothing of them stays" {
    "$C" start --name bystander sleep 1000
    descriptors=$(figures '.descriptors - .sampled_files')
    run "$LOAD" "$HOLDEN_SOCKET" crowd 32 "$(scaled 128)"
    expect 0
    [[ "$output" == *"all answered"* ]]
    is bystander state running
    eventually sh -c "[ \$($C --json self | jq .clients) -eq 1 ]"
    [ "$(figures '.descriptors - .sampled_files')" -eq "$descriptors" ]
}

@test "a start that hangs before exec holds nobody up, and can be stopped" {
    mkfifo "$T/fifo"
    "$C" start --name hang -p StandardInput=file:"$T/fifo" cat >"$T/out" 2>&1 &
    starter=$!
    eventually sh -c "$C list | grep -q 'hang.*starting'"
    run "$C" run -- echo alive
    expect 0
    run "$C" stop hang
    expect 0
    status=0
    wait "$starter" || status=$?
    [ "$status" -eq 1 ]
    grep -q 'stopped before it ran' "$T/out"
    nothing_left
}

@test "a client that asks and never reads holds nobody up" {
    for i in 1 2 3; do "$C" start --name "p$i" -- sh -c 'yes | head -c 20000; sleep 1000'; done
    mkfifo "$T/hold"
    "$LOAD" "$HOLDEN_SOCKET" slow <"$T/hold" >"$T/out" &
    slow=$!
    exec 9>"$T/hold"
    eventually grep -q asked "$T/out"
    before=$(figures .resident)
    for _ in 1 2 3 4 5; do
        run "$C" run -- true
        expect 0
    done
    sanitized || [ $(($(figures .resident) - before)) -le $((8 << 20)) ]
    exec 9>&-
    wait "$slow"
    eventually sh -c "[ \$($C --json self | jq .clients) -eq 1 ]"
}

@test "broken frames of every kind, with descriptors where none belong, disturb nobody" {
    "$C" start --name bystander sleep 1000
    descriptors=$(figures '.descriptors - .sampled_files')
    pid=$(core)
    "$LOAD" "$HOLDEN_SOCKET" garbage "$(scaled 1000000)" 42 >"$T/out" &
    attacker=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        run "$C" run -- true
        expect 0
    done
    wait "$attacker"
    grep -q 'broken frames' "$T/out"
    [ "$(core)" = "$pid" ]
    is bystander state running
    [ "$(figures '.descriptors - .sampled_files')" -eq "$descriptors" ]
}
