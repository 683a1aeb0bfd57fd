#!/usr/bin/env bats
# Starting, running, and how it ended.

load helper

@test "the seed's own command lines work word for word" {
    run "$C" start sleep 60
    expect 0
    one_line '^started sleep-1 \(pid [0-9]+\)$'
    pid=${output##*pid }
    pid=${pid%)}
    run "$C" list
    expect 0
    [[ "$output" == *sleep-1*"$pid"*running* ]]
    run "$C" constrain "$pid" 100 50
    if has_controller memory; then
        expect 0
        [[ "$output" == *"MemoryMax: infinity -> 100M"* ]]
        [ "$(cat "$CGROUP"/*-sleep-1/memory.max)" = 104857600 ]
        [ "$(cat "$CGROUP"/*-sleep-1/cpu.max)" = "50000 100000" ]
    else
        expect 1
        one_line 'MemoryMax.*cgroup v1.*boot with'
    fi
    run "$C" stop "$pid"
    expect 0
    [ ! -e "/proc/$pid" ]
    run "$C" list
    [[ "$output" != *sleep-1* ]]
}

@test "run passes standard streams and exits as the program does" {
    run "$C" run -- sh -c 'cat; echo err >&2; exit 7' <<<"from stdin"
    expect 7
    [[ "$output" == *"from stdin"* && "$output" == *err* ]]
    run "$C" run -- true
    expect 0
    [ -z "$output" ]
    run "$C" run -- sh -c 'kill -KILL $$'
    expect 137
    [ "$(printf 'a\0b' | "$C" run -- cat | od -An -c | tr -d ' ')" = 'a\0b' ]
    cd "$T"
    [ "$("$C" run -- pwd)" = "$T" ]
}

@test "signals sent to run reach the program" {
    "$C" run --name sig -- sh -c 'trap "exit 42" TERM; touch '"$T"'/ready; while :; do sleep 0.1; done' &
    runner=$!
    eventually test -e "$T/ready"
    kill -TERM "$runner"
    status=0
    wait "$runner" || status=$?
    [ "$status" -eq 42 ]
}

@test "a missing binary is an error that names step and path, never started" {
    run "$C" start --name gone /no/such/binary
    expect 1
    one_line 'gone: exec: /no/such/binary: No such file or directory'
    run "$C" run no-such-command-anywhere
    expect 1
    one_line 'exec: no-such-command-anywhere: No such file'
    local tries=200
    [ -z "${HOLDEN_VM:-}" ] || tries=20
    ! sanitized || tries=20
    for ((i = 0; i < tries; i++)); do
        if "$C" start /no/such/binary >>"$T/out" 2>>"$T/err"; then echo "called started"; return 1; fi
    done
    [ ! -s "$T/out" ]
    [ "$(grep -c 'exec: /no/such/binary: No such file or directory$' "$T/err")" -eq "$(wc -l <"$T/err")" ]
    [ -z "$(find "$CGROUP" -mindepth 1 -type d -name '*-*')" ]
    run "$C" status gone
    [[ "$output" == *"never ran"* ]]
}

@test "steps before exec fail by name" {
    run "$C" start -p WorkingDirectory=/no/such true
    expect 1
    one_line 'WorkingDirectory: /no/such: No such file'
    cd "$T"
    for setting in PrivateTmp=yes DynamicUser=yes; do
        run "$C" run -p "$setting" -- true
        expect 1
        one_line "WorkingDirectory: $T: No such file or directory, since PrivateTmp= hides it; set another"
    done
    cd "$ROOT"
    run "$C" start -p StandardInput=file:/no/such true
    expect 1
    one_line 'standard input: /no/such: No such file'
    run "$C" start /etc/passwd
    expect 1
    one_line 'exec: /etc/passwd: Permission denied'
    run "$C" start -p WorkingDirectory=-/no/such pwd
    expect 0
}

@test "names: given, made, taken, wrong" {
    "$C" start --name web sleep 60
    run "$C" start --name web sleep 60
    expect 1
    one_line 'web.*taken'
    "$C" stop web
    "$C" start --name web sleep 60
    run "$C" start --name 'a b' true
    expect 2
    one_line "'a b'"
    run "$C" start --name 123 true
    expect 2
    run "$C" start --name "$(printf 'x%.0s' {1..65})" true
    expect 2
    run "$C" start /bin/sleep 60
    one_line '^started sleep-[0-9]+ '
}

@test "ids are never used again, also after the agent was killed" {
    "$C" start --name one true
    first=$("$C" --json status one | jq .id)
    kill -KILL "$(core)"
    eventually "$C" ping
    "$C" start --name two true
    [ "$("$C" --json status two | jq .id)" -gt "$first" ]
}

@test "wait tells how it ended, before and after" {
    "$C" start --name w -- sh -c "while [ ! -e $T/go ]; do sleep 0.05; done; exit 9"
    "$C" wait w >"$T/waited" 2>&1 &
    waiter=$!
    touch "$T/go"
    status=0
    wait "$waiter" || status=$?
    [ "$status" -eq 9 ]
    run "$C" wait w
    expect 9
    run "$C" --json status w
    [ "$(jq -r .state <<<"$output")" = failed ]
    [ "$(jq .status <<<"$output")" -eq 9 ]
    [ "$(jq -r .cause <<<"$output")" = exited ]
}

@test "the exit record holds what was asked, used and said" {
    "$C" start --name rec -p Nice=3 -- sh -c 'echo first; echo last; exit 4'
    run "$C" wait rec
    run "$C" --json status rec
    [ "$(jq -c .argument <<<"$output")" = '["sh","-c","echo first; echo last; exit 4"]' ]
    [ "$(jq .properties.Nice <<<"$output")" -eq 3 ]
    [ "$(jq -r .output <<<"$output")" = $'first\nlast' ]
    [ "$(jq .ended <<<"$output")" -ge "$(jq .started <<<"$output")" ]
    [ "$(jq '.usage.cpu' <<<"$output")" -gt 0 ]
    [ "$(jq '.usage.memory_peak' <<<"$output")" -gt 0 ]
    run "$C" status rec
    [[ "$output" == *"exited with status 4"* && "$output" == *last* ]]
    "$C" reset rec
    run "$C" status rec
    expect 4
}

@test "2 MB of arguments arrive, more is refused in one line" {
    big=$(printf '%0131000d' 0)
    run "$C" run -- sh -c 'echo $#' x "$big" "$big" "$big" "$big" "$big" "$big" "$big" "$big" \
        "$big" "$big" "$big" "$big"
    expect 0
    [ "$output" = 12 ]
    run "$C" start ""
    [ "$status" -ne 0 ]
    one_line empty
    [ "$("$C" run -- printf '[%s]' "" x)" = '[][x]' ]
}

@test "a terminal: run -t" {
    command -v script >/dev/null || skip "no script(1)"
    run script -qec "$C run -t -- sh -c 'tty; test -t 0 && echo has-tty; exit 6'" /dev/null
    expect 6
    [[ "$output" == *pts* && "$output" == *has-tty* ]]
}
