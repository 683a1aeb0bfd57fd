#!/usr/bin/env bats
# What every verb answers: as JSON, about processes in every state, with odd names and many at once.
# shellcheck disable=SC2016

load helper

# Every line of the last output is one JSON object.
objects() {
    jq -es "length == ${#lines[@]} and length > 0 and all(type == \"object\")" <<<"$output" >/dev/null ||
        { echo "not one object a line: $output"; return 1; }
}

@test "every verb speaks JSON, one object a line" {
    while read -r expected arguments; do
        eval "run \"\$C\" --json $arguments"
        [ "$status" -eq "$expected" ] || { echo "$arguments: status $status: $output"; return 1; }
        objects || { echo "$arguments"; return 1; }
    done <<'ROWS'
0 start --name a sleep 1000
0 start --name b sleep 1000
0 list
0 list -a -u
0 status a b
0 stats a
0 freeze a b
0 thaw a
0 constrain a -p RuntimeMaxSec=1h
0 constrain a -p RuntimeMaxSec=2h --dry-run
0 kill --signal USR1 b
138 wait b
0 restart a
0 events
0 ping
0 self
0 doctor
0 properties
3 start --wait --name c -- sh -c 'echo "a \"quoted\" line"; exit 3'
0 logs c
0 stop a
0 reset a b
0 reexec
ROWS
    run "$C" --json logs c
    [ "$(jq -r .line <<<"$output")" = 'a "quoted" line' ]
    # Errors stay one line for people on stderr, with a status of their own.
    run "$C" --json status nobody
    expect 4
    run "$C" --json start /no/such/binary
    expect 1
}

@test "what makes no sense in a state is refused with the state, and changes nothing" {
    "$C" start --wait --name gone true
    for verb in "stop gone" "kill gone" "freeze gone" "thaw gone" "constrain gone -p RuntimeMaxSec=1"; do
        # shellcheck disable=SC2086
        run "$C" $verb
        case $verb in
        stop*) [ "$status" -le 1 ] ;;
        *) expect 1 && one_line 'gone.*exited' ;;
        esac
    done
    is gone state exited
    is gone status 0
    run "$C" start --name gone sleep 1000
    expect 0
    run "$C" reset gone
    expect 1
    one_line 'gone.*running'
    "$C" freeze gone
    run "$C" freeze gone
    [ "$status" -le 1 ]
    is gone frozen true
}

@test "names that nobody can have, and pids of others" {
    "$C" start --name known sleep 1000
    for name in '"a b"' '""' '../x' 'a/b' "\$'a\\nb'" "$(printf 'x%.0s' {1..65})"; do
        eval "run \"\$C\" stop $name"
        [ "$status" -eq 2 ] || { echo "$name: $status: $output"; return 1; }
        [ "${#lines[@]}" -eq 1 ] || { echo "$name: $output"; return 1; }
    done
    # A living process that is not the agent's, the agent itself, and numbers that are no pid.
    for pid in 1 $$ "$AGENT" "$(core)" 0 4294967295 4294967296 99999999999999999999; do
        run "$C" stop "$pid"
        [[ "$status" == [24] ]] || { echo "$pid: $status: $output"; return 1; }
        [ "${#lines[@]}" -eq 1 ] || { echo "$pid: $output"; return 1; }
    done
    kill -0 $$
    kill -0 "$AGENT"
    is known state running
}

@test "200 processes at once are all known, seen, stopped" {
    count=200
    [ -z "${HOLDEN_VM:-}" ] || count=100
    for ((i = 0; i < count; i++)); do names+=("n$i"); done
    printf '%s\n' "${names[@]}" | xargs -P 8 -n 1 sh -c 'exec "$0" start --name "$1" sleep 1000' "$C" >"$T/out"
    [ "$(grep -c '^started' "$T/out")" -eq "$count" ]
    run "$C" --json list
    [ "$(jq -s 'map(select(.state == "running").name) | unique | length' <<<"$output")" -eq "$count" ]
    [ "$(cat "$CGROUP"/*-n*/cgroup.procs | wc -l)" -eq "$count" ]
    run "$C" stop "${names[@]}"
    expect 0
    [ "${#lines[@]}" -eq "$count" ]
    [ -z "$("$C" --json list)" ]
    [ -z "$(find "$CGROUP" -mindepth 1 -maxdepth 1 -name '*-n*')" ]
}

@test "2 MB of arguments, 4 MB of them, and one that is too long: an answer in one line each" {
    big=$(printf '%0100000d' 0)
    many=()
    for ((i = 0; i < 20; i++)); do many+=("$big"); done
    # More than a program may be given: the kernel says so to the child, which has the usual stack.
    ulimit -s unlimited || skip "no larger stack here"
    run "$C" start --name two sh -c 'echo $#' x "${many[@]}"
    case $status in
    0) run "$C" wait two && [ "$("$C" logs two)" = 20 ] ;;
    1) one_line 'exec: sh: Argument list too long' ;;
    *) echo "$status: ${output:0:300}" && false ;;
    esac
    run "$C" start true "${many[@]}" "${many[@]}" "${many[@]:0:4}"
    expect 2
    one_line '4 MiB'
    run "$C" ping
    expect 0
}

@test "what the agent keeps belongs to root alone" {
    "$C" start --wait --name secret -p Environment=SECRET=1 -- echo secret
    [ "$(stat -c '%a %u' "$T/state")" = "700 0" ]
    run find "$T/state" -perm /077
    [ -z "$output" ]
    [[ "$(stat -c '%a %u' "$HOLDEN_SOCKET")" =~ ^6[06]0\ 0$ ]]
    [ "$(find "$T/state/records" -type f | wc -l)" -eq 1 ]
    "$C" reset secret
    [ "$(find "$T/state/records" "$T/state/logs" -type f | wc -l)" -eq 0 ]
}

@test "text that could steer a terminal does not come out as it is" {
    evil=$'\e[31mred\a'
    "$C" start --wait --name evil -- sh -c 'true' "$evil"
    for verb in "list -a" "status evil" "--json status evil" "--json list -a"; do
        # shellcheck disable=SC2086
        run "$C" $verb
        expect 0
        [[ "$output" != *$'\e'* && "$output" != *$'\a'* ]] || { echo "$verb"; return 1; }
        [[ "$output" == *red* ]] || { echo "$verb: $output"; return 1; }
    done
    run "$C" start "/no/such/$evil"
    expect 1
    [[ "$output" != *$'\e'* ]]
    run "$C" "$evil"
    expect 2
    [[ "$output" != *$'\e'* ]]
}
