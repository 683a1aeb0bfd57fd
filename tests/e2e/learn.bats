#!/usr/bin/env bats
# A profile learned from a command: it allows that command and no more; profiles add up; capabilities by trying.
# shellcheck disable=SC2016

bats_require_minimum_version 1.5.0
load helper

allowed() {
    jq -r '.syscalls[0].names[]' "$1"
}

@test "the profile is what the command needs, and forbids the rest" {
    run "$C" learn -o "$T/p.json" -- cat /etc/hostname
    expect 0
    [[ "$output" == *"$(cat /etc/hostname)"*"p.json: "*" system calls"* ]]
    [ "$(jq -r .defaultAction "$T/p.json")" = SCMP_ACT_ERRNO ]
    allowed "$T/p.json" | grep -qx execve
    [ "$(allowed "$T/p.json" | grep -cx mkdir)" -eq 0 ]
    run "$C" run -p SeccompProfile="$T/p.json" -- cat /etc/hostname
    expect 0
    [ "$output" = "$(cat /etc/hostname)" ]
    run "$C" run --name m -p SeccompProfile="$T/p.json" -- mkdir "$T/made"
    [ "$status" -ne 0 ]
    [ ! -e "$T/made" ]
    # None of what it allows can be left out without the command noticing, or its C library at least.
    jq '.syscalls[0].names -= ["openat"]' "$T/p.json" >"$T/less.json"
    run -127 "$C" run -p SeccompProfile="$T/less.json" -- cat /etc/hostname
}

@test "a second run adds to the file, --merge to another; children count too" {
    "$C" learn -o "$T/p.json" -- true
    before=$(allowed "$T/p.json" | wc -l)
    "$C" learn -o "$T/p.json" -- sh -c "mkdir $T/d; rmdir $T/d"
    [ "$(allowed "$T/p.json" | wc -l)" -gt "$before" ]
    allowed "$T/p.json" | grep -qx mkdir
    "$C" learn -o "$T/q.json" --merge "$T/p.json" -- true
    allowed "$T/q.json" | grep -qx mkdir
    [ "$(allowed "$T/q.json")" = "$(allowed "$T/q.json" | LC_ALL=C sort -u)" ]
    run "$C" learn -o "$T/q.json" --merge "$T/none.json" -- true
    expect 1
    [[ "$output" == *none.json* ]]
    echo '[]' >"$T/bad.json"
    run "$C" learn -o "$T/bad.json" -- true
    expect 1
    [ "$(cat "$T/bad.json")" = '[]' ]
}

@test "its status is the command's; what it did until then is learned" {
    run "$C" learn -o "$T/p.json" -- sh -c 'exit 7'
    expect 7
    [ -s "$T/p.json" ]
    run "$C" learn -- true
    expect 2
    one_line -o
    run "$C" learn -o "$T/x.json" -- /no/such/program
    [ "$status" -ne 0 ]
    [ ! -e "$T/x.json" ]
    run "$C" learn -o "$T/x.json" -p SystemCallFilter=~mkdir -- true
    [ "$status" -ne 0 ]
    [[ "$output" == *"cannot be combined"* ]]
}

@test "the capabilities that a command needs are found by taking them away" {
    touch "$T/file"
    run "$C" learn --capabilities -o "$T/p.json" -- chown 1 "$T/file"
    expect 0
    [[ "$output" == *"CapabilityBoundingSet= CAP_CHOWN"* && "$output" == *"--cap-drop=all --cap-add=CHOWN"* ]]
    run "$C" run -p CapabilityBoundingSet=CAP_CHOWN -- chown 2 "$T/file"
    expect 0
    run "$C" learn --capabilities -o "$T/p.json" -- true
    expect 0
    [[ "$output" == *$'CapabilityBoundingSet=\n'* ]]
}

@test "nothing is missed because the agent died meanwhile" {
    "$C" start --name l -p SystemCallLearn=yes -- sh -c "while [ ! -e $T/go ]; do sleep 0.1; done; mkdir $T/made; sleep 1000"
    kill -KILL "$(core)"
    eventually "$C" ping
    touch "$T/go"
    eventually test -d "$T/made"
    "$C" --json status l | jq -r '.learned[]' >"$T/calls"
    grep -qx execve "$T/calls"
    grep -qx mkdir "$T/calls"
}
