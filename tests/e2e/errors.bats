#!/usr/bin/env bats
# Bad input: one clear line, the right exit status, nothing lost or changed.

load helper

@test "usage: exit status 2 and one line" {
    while IFS='|' read -r arguments pattern; do
        eval "run \"\$C\" $arguments"
        [ "$status" -eq 2 ] || { echo "$arguments: status $status: $output"; return 1; }
        [[ "$output" =~ $pattern ]] || { echo "$arguments: $output"; return 1; }
        [ "${#lines[@]}" -eq 1 ] || { echo "$arguments: not one line: $output"; return 1; }
    done <<'ROWS'
sotp x|sotp
start|CMD
stop|NAME
start -p MemoryMaxx=1 true|MemoryMax
start -p MemoryMax true|MemoryMax
start -p MemoryMax=12Q true|MemoryMax
start -p CPUQuota=fast true|CPUQuota
start -p CPUWeight=0 true|CPUWeight
start -p CPUWeight=10001 true|CPUWeight
start -p Nice=99 true|Nice
start -p TasksMax=99999999999999999999999 true|TasksMax
start -p RuntimeMaxSec=1parsec true|RuntimeMaxSec
start -p UMask=999 true|UMask
start -p LimitNOFILE=5:3 true|LimitNOFILE
start -p User=nobody:x true|User
start -p KillMode=sometimes true|KillMode
start -p NoNewPrivileges=maybe true|NoNewPrivileges
start -p SystemCallErrorNumber=EWHAT true|SystemCallErrorNumber
start -p KillSignal=99 true|KillSignal
start -p AllowedCPUs=a-b true|AllowedCPUs
start -p StandardOutput=nowhere true|StandardOutput
start --bogus true|bogus
constrain|NAME
constrain x lots|lots
stop --timeout never x|--timeout.*not a time
kill --signal NOPE x|--signal.*not a signal
completion tcsh|tcsh
ROWS
}

@test "no agent: 3; no such process: 4" {
    for verb in "stop x" "status x" "kill x" "wait x" "freeze x" "thaw x" "reset x" "restart x" "logs x" \
        "constrain x -p RuntimeMaxSec=5" "stats x" "stop 999999"; do
        # shellcheck disable=SC2086
        run "$C" $verb
        [ "$status" -eq 4 ] || { echo "$verb: $status: $output"; return 1; }
        [[ "$output" == *"x"* || "$output" == *999999* ]]
        # shellcheck disable=SC2086
        run "$C" --socket "$T/nobody" $verb
        [ "$status" -eq 3 ] || { echo "$verb: $status: $output"; return 1; }
        [ "${#lines[@]}" -eq 1 ]
    done
    run "$C" --socket "$T/nobody" ping
    expect 3
    one_line "$T/nobody"
}

@test "help, --version and properties need no agent" {
    for arguments in help --help --version properties "start --help" "completion bash" "completion zsh" \
        "completion fish"; do
        # shellcheck disable=SC2086
        run "$C" --socket "$T/nobody" $arguments
        [ "$status" -eq 0 ] || { echo "$arguments: $status: $output"; return 1; }
        [ -n "$output" ]
    done
    run "$C" properties
    [[ "$output" == *MemoryMax* && "$output" == *SeccompProfile* && "$output" == *LimitNOFILE* ]]
    "$C" properties --json | jq -es 'length > 50' >/dev/null || "$C" --json properties | jq -es 'length > 50'
}

@test "the agent's own command line, configuration and socket" {
    run "$BIN/agent" --bogus
    expect 2
    run "$BIN/agent" --socket "$HOLDEN_SOCKET" --state-dir "$T/other" --cgroup "/$GROUP-b"
    expect 1
    [[ "$output" == *"$HOLDEN_SOCKET"* ]]
    printf '[Agent]\nKeepRecord=5\n' >"$T/conf"
    run timeout 20 "$BIN/agent" --socket "$T/b.sock" --state-dir "$T/b" --cgroup "/$GROUP-b" --config "$T/conf"
    expect 1
    [[ "$output" == *KeepRecord* ]]
    [ ! -e "$T/b.sock" ]
    run "$BIN/agent" --check
    [[ "$output" == *cgroup2* && "$output" == *seccomp* ]]
    run "$BIN/agent-core"
    [ "$status" -ne 0 ]
}

@test "constrain: refused as a whole, nothing changed" {
    "$C" start --name c -p RuntimeMaxSec=1h sleep 1000
    run "$C" constrain c -p RuntimeMaxSec=2h -p UMask=0
    [ "$status" -ne 0 ]
    one_line UMask
    [ "$("$C" --json status c | jq .properties.RuntimeMaxSec)" = 3600000000 ]
    run "$C" constrain c -p TimeoutStopSec=3s --dry-run
    expect 0
    one_line '^TimeoutStopSec: 10s -> 3s$'
    [ "$("$C" --json status c | jq .properties.TimeoutStopSec)" = null ]
    run "$C" constrain c -p RuntimeMaxSec=2h
    expect 0
    [ "$("$C" --json status c | jq .properties.RuntimeMaxSec)" = 7200000000 ]
    "$C" constrain c -p RuntimeMaxSec=200ms
    run "$C" wait c
    is c cause time-limit
    run "$C" constrain c -p RuntimeMaxSec=2h
    expect 1
    one_line 'running'
}
